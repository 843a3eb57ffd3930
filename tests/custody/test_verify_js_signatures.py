"""Signatures, notes and test vectors, as the page's verifier reads them under Node."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from scripts import make_test_vectors
from tests.custody.node import case, refused, run
from tests.custody.sample_log import (
    Item,
    SampleLog,
    base64_text,
    journey,
    shown_of,
    signer,
)

from parcelward.custody import checkpoints, notes, tree, wire
from parcelward.custody.keys import parse_vkey

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


class TestSignatures:
    def test_the_browsers_ed25519_and_the_script_agree(self) -> None:
        cases, expected = [], []
        for number in range(12):
            key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"key {number}".encode()).digest())
            public, message = key.public_key().public_bytes_raw(), b"m" * number * 11
            good = key.sign(message)
            s = int.from_bytes(good[32:], "little")
            flipped = bytearray(good)
            flipped[number * 5] ^= 1
            for signature, text, valid in (
                (good, message, True),
                (bytes(flipped), message, False),
                (good, message + b"!", False),
                (good[:32] + (s + ED25519_ORDER).to_bytes(32, "little"), message, False),  # malleable form
                (good[:32] + (ED25519_ORDER - s).to_bytes(32, "little"), message, False),  # the mirrored point
                (good[:32] + bytes(32), message, False),
                (bytes(64), message, False),
                (b"\xff" * 64, message, False),
            ):
                cases.append(
                    {
                        "kind": "signature",
                        "key": base64_text(public),
                        "signature": base64_text(signature),
                        "message": base64_text(text),
                    }
                )
                expected.append({"ok": True, "native": valid, "script": valid})
        assert run(*cases) == expected

    def test_the_standards_own_example_note(self) -> None:
        """C2SP signed-note, section "Example"."""
        vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
        note = (
            "This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1"
            "ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
        )
        wrong_id = vkey.replace("530d903a", "530d903b")
        good, forged, unknown, bad_key = run(
            {"kind": "note", "source": base64_text(note.encode()), "vkeys": [vkey]},
            {"kind": "note", "source": base64_text(note.replace("message", "Message").encode()), "vkeys": [vkey]},
            {"kind": "note", "source": base64_text(note.encode()), "vkeys": [signer("else.example").verifier.vkey]},
            {"kind": "note", "source": base64_text(note.encode()), "vkeys": [wrong_id]},
        )
        key = parse_vkey(vkey).public_key.hex()
        assert good == {"ok": True, "signed": [{"name": "example.com/foo", "key": key, "time": None}]}
        refused([forged], "signature")
        assert unknown == {"ok": True, "signed": []}
        refused([bad_key], "malformed")

    def test_notes_of_the_wrong_form_are_refused(self) -> None:
        line = notes.sign("text\n", [signer("a.example")]).decode().splitlines()[-1]
        wrong = [
            "", "text", "text\n", "text\n\n", f"text\n{line}\n", f"text\n\n{line}", f"text\n\n{line}\r\n",
            f"te\txt\n\n{line}\n", f"text\n\n-{line[1:]}\n", f"text\n\n{line} x\n", f"text\n\n{line[:-1]}\n",
            f"text\n\n— a+b {line.split()[-1]}\n", "text\n\n— a.example AAAA\n", "text\n\n" + f"{line}\n" * 65,
        ]  # fmt: skip
        raw = [each.encode() for each in wrong] + [b"t\xffxt\n\n" + line.encode() + b"\n"]
        refused(run(*({"kind": "note", "source": base64_text(each), "vkeys": []} for each in raw)), "malformed")


def test_the_vectors_are_what_the_script_makes_and_the_verifier_accepts_them() -> None:
    from scripts import make_test_vectors

    assert make_test_vectors.TARGET.read_text(encoding="utf-8") == make_test_vectors.text()
    vectors = make_test_vectors.vectors()
    log, item = SampleLog(), Item("vectors")
    log.grow(7)
    for event in vectors["events"]:
        item.events.append(event | {"log_index": len(log.leaves)})
        log.leaves.append(tree.leaf_hash(bytes.fromhex(event["entry"])))
    key = base64_text(bytes.fromhex(vectors["link_key"]))
    named = log.proofs(item) | {"number": vectors["number"], "item_id": vectors["item_id"]}
    (answer,) = run(case(named, log.files(), key=key, shown=shown_of(item)))
    assert answer["ok"], answer
    assert answer["proven"] == 4


def test_the_product_commits_as_the_vectors_say() -> None:
    """`custody.wire` shares no line with the script that made the vectors."""
    vectors = make_test_vectors.vectors()
    keys = wire.ItemKeys(bytes.fromhex(vectors["item_secret"]))
    for event in vectors["events"]:
        event_id = bytes.fromhex(event["event_id"])
        canons = [event["groups"][name]["canon"].encode() for name in wire.GROUPS]
        commitment, body = keys.commit(event_id, bytes(12), *canons)
        groups = [bytes.fromhex(event["groups"][name]["hash"]) for name in wire.GROUPS]
        assert commitment == make_test_vectors.commitment(groups, body)
        opened = wire.open_body(keys, event_id, body)
        assert {name: salt.hex() for name, salt in opened.salts.items()} == {
            name: event["groups"][name]["salt"] for name in wire.GROUPS
        }
        entry = wire.ENTRY_PREFIX + bytes.fromhex(event["commitment"])
        assert tree.leaf_hash(entry).hex() == event["leaf_hash"]


def test_checkpoints_of_the_oracle_are_checkpoints() -> None:
    log, _ = journey(1, 0, 0)
    assert checkpoints.parse(notes.parse(log.checkpoint()).text).size == 6
