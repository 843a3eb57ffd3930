"""The page's verifier over time and with others: a log that grows, its witnesses, the addressee's link."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.custody.node import case, refused, run
from tests.custody.sample_log import (
    WITNESSED_AT_S,
    Item,
    SampleLog,
    base64_text,
    journey,
    witness,
)

from parcelward.custody import notes, tree


class TestGrowth:
    def test_the_first_visit_says_so_and_later_ones_compare(self, small: tuple[SampleLog, Item]) -> None:
        log, item = journey(600, 1, 5)
        sizes = [1, 2, 3, 255, 256, 257, 511, 512, 600, len(log.leaves)]
        seen = [{"size": size, "root": tree.root(size, log.read).hex()} for size in sizes]
        first, *later = run(
            case(log.proofs(item), log.files()), *(case(log.proofs(item), log.files(), seen=each) for each in seen)
        )
        assert first["growth"] == {"from": None, "to": len(log.leaves)}
        for size, answer in zip(sizes, later, strict=True):
            assert answer["ok"], answer
            assert answer["growth"] == {"from": size, "to": len(log.leaves)}

    def test_a_shrunk_log_is_found(self) -> None:
        log, item = journey(3, 1, 0)
        before = {"size": len(log.leaves) + 40, "root": "ab" * 32}
        refused(run(case(log.proofs(item), log.files(), seen=before)), "shrunk")

    def test_a_forked_log_is_found_at_every_size(self) -> None:
        log, item = journey(300, 1, 0)
        other = SampleLog()
        other.grow(300, salt="fork ")
        seen = [{"size": size, "root": tree.root(size, other.read).hex()} for size in (1, 2, 128, 255, 256, 257, 300)]
        whole = {"size": len(log.leaves), "root": "cd" * 32}
        refused(run(*(case(log.proofs(item), log.files(), seen=each) for each in [*seen, whole])), "forked")

    def test_tiles_of_the_old_log_do_not_vouch_for_another_checkpoint(self) -> None:
        """With no event to prove, only the comparison of the new root is left to notice."""
        old, new = SampleLog(), SampleLog()
        old.grow(9)
        new.grow(9, salt="fork ")
        seen = {"size": 5, "root": tree.root(5, old.read).hex()}
        files = old.files() | {"checkpoint": new.checkpoint()}
        refused(run(case(new.proofs(Item("none")), files, seen=seen)), "forked")


class TestWitnesses:
    def answer(self, log: SampleLog, item: Item, note: bytes | None, *, known: int, quorum: int) -> dict[str, Any]:
        keys = tuple(witness(number).verifier for number in range(1, known + 1))
        files = log.files() | ({} if note is None else {"checkpoint/witnessed": note})
        return run(case(log.proofs(item, witnesses=keys, quorum=quorum), files))[0]

    def test_enough_witnesses_of_an_older_checkpoint(self) -> None:
        log, item = journey(300, 1, 0)
        note = log.checkpoint(304, witnesses=(witness(1), witness(3), witness(9)))
        answer = self.answer(log, item, note, known=3, quorum=2)
        assert answer["ok"], answer
        assert answer["asked"][:2] == ["checkpoint/witnessed", "checkpoint"]
        assert answer["witnesses"] == {
            "needed": 2,
            "known": 3,
            "by": [
                {"name": f"w{n}.example", "key": witness(n).verifier.public_key.hex(), "time": WITNESSED_AT_S}
                for n in (1, 3)
            ],
            "size": 304,
            "covered": 2,
        }

    def test_no_witness_asked_for_and_none_there(self, small: tuple[SampleLog, Item]) -> None:
        for known in (0, 2):
            answer = self.answer(*small, None, known=known, quorum=0)
            assert answer["witnesses"] == {"needed": 0, "known": known, "by": [], "size": None, "covered": 0}

    def test_too_few_wrong_doubled_and_false_witnesses(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        one = log.checkpoint(witnesses=(witness(1),))
        doubled = notes.add_signatures(
            one, [notes.signature(notes.parse(one).text, witness(1), timestamp_s=WITNESSED_AT_S + 9)]
        )
        strangers = log.checkpoint(witnesses=(witness(7), witness(8)))
        for note in (None, log.checkpoint(), one, doubled, strangers):
            refused([self.answer(log, item, note, known=3, quorum=2)], "witness")
        text = notes.parse(one).text
        wrong_time = notes.signature(text, witness(2), timestamp_s=WITNESSED_AT_S)
        moved = notes.Signature(
            wrong_time.name,
            wrong_time.key_id,
            (WITNESSED_AT_S + 1).to_bytes(8, "big") + wrong_time.signature[8:],
        )
        plain = notes.Signature(wrong_time.name, wrong_time.key_id, wrong_time.signature[8:])
        late = 2**63  # validly signed, and beyond what the standard allows a time to be
        made = Ed25519PrivateKey.from_private_bytes(witness(2).seed).sign(
            f"cosignature/v1\ntime {late}\n{text}".encode()
        )
        beyond = notes.Signature(wrong_time.name, wrong_time.key_id, late.to_bytes(8, "big") + made)
        for false in (moved, plain, beyond):
            refused([self.answer(log, item, notes.add_signatures(one, [false]), known=3, quorum=1)], "signature")

    def test_witnesses_who_saw_another_log(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        other = SampleLog()
        other.grow(10, salt="fork ")
        seen_both = (witness(1), witness(2))
        refused([self.answer(log, item, other.checkpoint(witnesses=seen_both), known=2, quorum=2)], "forked")
        other.leaves = [*log.leaves, b"\0" * 32]
        refused([self.answer(log, item, other.checkpoint(witnesses=seen_both), known=2, quorum=2)], "shrunk")


class TestAddressee:
    def test_the_link_opens_and_proves_the_addressees_part(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        (answer,) = run(case(log.proofs(item), log.files(), key=base64_text(item.link_key)))
        assert answer["ok"], answer
        assert answer["addressee"] == {e["event_id"]: e["groups"]["addressee"]["canon"] for e in item.events}

    def test_a_wrong_key_a_flipped_byte_and_a_withheld_part_are_found(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        key = base64_text(item.link_key)
        changed = []
        for at in range(5):
            sealed = log.proofs(item)["events"][at]["addressee_sealed"]
            if sealed:
                raw = bytearray(base64.b64decode(sealed))
                for byte in range(len(raw)):
                    proofs = log.proofs(item)
                    raw[byte] ^= 1
                    proofs["events"][at]["addressee_sealed"] = base64_text(bytes(raw))
                    raw[byte] ^= 1
                    changed.append(case(proofs, log.files(), key=key))
            proofs = log.proofs(item)
            proofs["events"][at]["addressee_sealed"] = (
                "" if sealed else log.proofs(item)["events"][0]["addressee_sealed"]
            )
            changed.append(case(proofs, log.files(), key=key))
        changed.append(case(log.proofs(item), log.files(), key=base64_text(hashlib.sha256(b"no").digest())))
        refused(run(*changed), "link")
