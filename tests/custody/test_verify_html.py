"""verify.html: the built file itself against the Python verifier: what one refuses, both refuse."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripts import build_verify_html
from tests.custody.built_page import both_refuse, check
from tests.custody.node import refused
from tests.custody.sample_bundle import DEVICE_FILE, device, edit, made, resigned, written
from tests.custody.sample_log import STEPS, Item, SampleLog, base64_text, signer, witness

from parcelward.custody import evidence, evidence_check, notes, offline, policy, proofs, stored_zip, wire

WITNESSES = (witness(1), witness(2))


def saved_proof(log: SampleLog, item: Item, quorum: int = 2) -> dict[str, Any]:
    kept = {
        path: content.decode() if path == "checkpoint" else base64_text(content)
        for path, content in log.files().items()
    }
    kept["checkpoint/witnessed"] = log.checkpoint(310, witnesses=WITNESSES).decode()
    answer = log.proofs(item, witnesses=tuple(each.verifier for each in WITNESSES), quorum=quorum)
    return {"object": "saved_proof", "proofs": answer, "log": kept}


def test_the_file_and_its_published_hash_are_what_the_sources_make() -> None:
    """If this fails, run scripts/build_verify_html.py."""
    made_now = build_verify_html.build()
    assert build_verify_html.TARGET.read_text(encoding="utf-8") == made_now
    assert build_verify_html.HASH.read_text(encoding="utf-8") == build_verify_html.hash_line(made_now)
    named = build_verify_html.README_HASH.findall(build_verify_html.README.read_text(encoding="utf-8"))
    assert named == [build_verify_html.hash_line(made_now)[:64]]


def test_the_file_can_talk_to_nobody() -> None:
    page = build_verify_html.build()
    assert "default-src 'none'" in page
    assert "connect-src" not in page
    for word in ("src=", "href=", "fetch(", "http://", "https://", "import(", "localStorage"):
        assert word not in page, word


def test_honest_bundles_hold_and_say_the_same_as_in_python(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    whole, gaps = written(log, made(log, item)), written(log, made(log, item, leave_out=(2, 3)))
    nobody = policy.quorum_of(0, logs=[log.signer.verifier], witnesses=[])
    plain = written(log, made(log, item, policy=nobody, devices=()))
    for data, answer in zip((whole, gaps, plain), check(module, whole, gaps, plain), strict=True):
        report = evidence_check.verify_bundle(data)
        assert answer["ok"], answer
        assert (answer["size"], tuple(answer["by"])) == (report.size, report.witnesses)
        assert len(answer["events"]) == report.events
        assert len(answer["gaps"]) == len(report.gaps)
    (trusted,) = check(module, whole, keys=(log.signer.verifier.vkey, *(each.verifier.vkey for each in WITNESSES)))
    assert trusted["ok"], trusted


def test_an_honest_saved_proof_holds(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    late = saved_proof(log, item)
    late["proofs"]["events"][4]["log_index"] = None
    whole, waiting = check(module, *(json.dumps(each).encode() for each in (saved_proof(log, item), late)))
    assert (whole["ok"], whole["pending"], whole["by"]) == (True, 0, ["w1.example", "w2.example"])
    assert (waiting["ok"], waiting["pending"]) == (True, 1)


def test_a_correction_says_in_both_what_it_corrects(module: Path) -> None:
    log, item = SampleLog(), Item("one")
    log.grow(320)
    wrong = log.record(item, "delivered")
    log.record(item, "left_sorting", authorised=True, corrects=wrong["event_id"])
    bundle, saved = written(log, made(log, item)), json.dumps(saved_proof(log, item)).encode()
    assert evidence_check.verify_bundle(bundle).events == offline.verify_saved(saved).events == 2
    for answer in check(module, bundle, saved):
        assert answer["ok"], answer
        assert [event.get("corrects") for event in answer["events"]] == [None, wrong["event_id"]]


@pytest.mark.parametrize(
    "said",
    [{"corrects": "ab" * 16}, {"authorised": True}, {"authorised": None, "corrects": "ab" * 16}, {"authorised": None}],
)
def test_both_refuse_half_a_correction(module: Path, said: dict[str, Any]) -> None:
    log, item = SampleLog(), Item("one")
    log.grow(320)
    log.record(item, "delivered", **said)
    both_refuse(module, written(log, made(log, item)), json.dumps(saved_proof(log, item)).encode())


def test_both_refuse_keys_that_are_not_trusted(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    files = written(log, made(log, item)), json.dumps(saved_proof(log, item)).encode()
    both_refuse(module, *files, keys=(signer("else.example").verifier.vkey,))
    both_refuse(module, *files, keys=(log.signer.verifier.vkey, witness(1).verifier.vkey))


def test_both_refuse_a_flipped_byte_anywhere(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    data = written(log, made(log, item, leave_out=(1, 2, 4), devices=(), verify_html=b""))
    flipped = []
    for at in range(0, len(data), 37):
        changed = bytearray(data)
        changed[at] ^= 1
        flipped.append(bytes(changed))
    both_refuse(module, *flipped, data[:-1], data + b"\0", b"\0" + data)


def relabelled(log: SampleLog, item: Item) -> bytes:
    """Return a bundle whose one event commits to a place that is no word; our own writer refuses to make it."""
    honest = SampleLog()
    twin = Item(item.name)
    honest.record(twin, "accepted")
    files = stored_zip.read(written(log, made(honest, twin, checkpoint=log.checkpoint(witnesses=WITNESSES))))
    row, said = item.events[0], "events/itm_one/000001.json"
    held = json.loads(files[said])
    held["groups"]["public"] = {"canon": row["groups"]["public"]["canon"], "salt": row["groups"]["public"]["salt"]}
    edit(said, groups=held["groups"], commitment=row["commitment"], body_hash=row["body_hash"])(files)
    where = "proofs/itm_one/000001.tlog-proof"
    files[where] = dataclasses.replace(proofs.parse(files[where]), extra=bytes.fromhex(row["entry"])).text
    return stored_zip.write(files)


def forgeries() -> dict[str, Callable[[dict[str, bytes]], Any]]:
    event, proof = "events/itm_one/000002.json", "proofs/itm_one/000002.tlog-proof"
    other = "proofs/itm_one/000003.tlog-proof"

    def chain(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, bytes]], None]:
        def apply(files: dict[str, bytes]) -> None:
            value = json.loads(files["chain.json"])
            change(value)
            files["chain.json"] = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

        return apply

    def reproof(**change: Any) -> Callable[[dict[str, bytes]], None]:
        return lambda files: files.update({proof: dataclasses.replace(proofs.parse(files[proof]), **change).text})

    def groups(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, bytes]], None]:
        def apply(files: dict[str, bytes]) -> None:
            held = json.loads(files[event])["groups"]
            change(held)
            edit(event, groups=held)(files)

        return apply

    def moved(files: dict[str, bytes]) -> None:
        edit(event, log_index=7)(files)
        reproof(index=7)(files)

    return {
        "another body": edit(event, body_hash="00" * 32),
        "another commitment": edit(event, commitment="00" * 32),
        "another item": edit(event, item_id="itm_two"),
        "another place": edit(event, log_index=7),
        "a field too many": edit(event, more=1),
        "a field too many in the chain": edit("chain.json", more=1),
        "a field too many for an item": chain(lambda value: value["items"][0].update(more=1)),
        "a field too many for a device": chain(lambda value: value["devices"][0].update(more=1)),
        "a field too many in a device": edit(DEVICE_FILE, more=1),
        "a group too few": groups(lambda held: held.pop("restricted")),
        "a group too many": groups(lambda held: held.update(more=held["restricted"])),
        "a group both open and closed": groups(lambda held: held["public"].update(hash="00" * 32)),
        "an empty group": groups(lambda held: held.update(restricted={})),
        "what was kept back, shown as nothing": groups(
            lambda held: held.update(operations={"canon": "", "salt": "0" * 64})
        ),
        "what was kept back, as the hash of nothing": groups(
            lambda held: held.update(operations={"hash": wire.EMPTY_GROUP.hex()})
        ),
        "nothing, with a salt": groups(lambda held: held.update(restricted={"canon": "", "salt": "01" * 32})),
        "a hidden public part": groups(lambda held: held.update(public=held["restricted"])),
        "another index in the proof": reproof(index=7),
        "another entry in the proof": reproof(extra=b"\x01" + bytes(32)),
        "another hash in the proof": lambda files: reproof(path=(bytes(32), *proofs.parse(files[proof]).path[1:]))(
            files
        ),
        "another checkpoint in the proof": lambda files: reproof(
            checkpoint=proofs.parse(files[proof]).checkpoint.rpartition(b"\xe2\x80\x94")[0]
        )(files),
        "another place, also in the proof": moved,
        "another spelling": lambda files: files.update({event: files[event] + b"\n"}),
        "an extra file": lambda files: files.update({"notes.txt": b""}),
        "no proof": lambda files: files.pop(proof),
        "another event's proof": lambda files: files.update({proof: files[other]}),
        "an empty path": reproof(path=()),
        "no entry in the proof": reproof(extra=None),
        "no device": lambda files: files.pop(DEVICE_FILE),
        "no items": chain(lambda value: value.update(items=[])),
        "an item twice": chain(lambda value: value.update(items=value["items"] * 2)),
        "a gap that is none": chain(lambda value: value["items"][0].update(missing=[[2, 2]])),
        "an end that is none": chain(lambda value: value["items"][0].update(events_total=4)),
        "an impossible gap": chain(lambda value: value["items"][0].update(missing=[[6, 5]])),
        "endless events": chain(lambda value: value["items"][0].update(events_total=10**12, missing=[[6, 10**12]])),
        "a device's hidden gap": chain(lambda value: value["devices"][0].update(missing=[])),
        "another parcel's number": chain(lambda value: value["items"][0].update(number="RA473012359GB")),
        "no number": chain(lambda value: value["items"][0].update(number="")),
        "an empty policy": lambda files: files.update({"policy.txt": b"quorum none\n"}),
        "no policy": lambda files: files.update({"policy.txt": b"nonsense\n"}),
    }


def test_both_refuse_what_a_dishonest_operator_signs_anew(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    data = written(log, made(log, item))
    assert evidence_check.verify_bundle(resigned(log, data, lambda _: None)).events == len(STEPS)
    both_refuse(module, *(resigned(log, data, change) for change in forgeries().values()))


def test_both_refuse_forged_notes_devices_and_histories(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    stranger = dataclasses.replace(signer("stranger.example"), name=log.signer.name)
    foreign = SampleLog(signer=stranger, leaves=log.leaves)
    honest, later = device(log, 4, 5, 9), device(log, 4, 6)
    renamed = dataclasses.replace(later.batches[1], sequence=5)
    unsigned = dataclasses.replace(honest.batches[1], signature=bytes(64))
    twice = (*honest.batches[:2], *honest.batches[1:])
    devices = [
        dataclasses.replace(honest, batches=batches)
        for batches in ((honest.batches[0], renamed), (honest.batches[0], unsigned), honest.batches[::-1], twice)
    ]
    past = SampleLog()
    wordless, unsaid = SampleLog(), Item("four")
    wordless.record(unsaid, "accepted", place=5)
    changed = Item("three")
    past.record(changed, "accepted")
    past.record(changed, "delivered", previous="ab" * 32)
    misnamed, strangers = SampleLog(), Item("five")
    misnamed.record(strangers, "accepted")
    misnamed.record(strangers, "delivered", item="RA473012359GB")
    both_refuse(
        module,
        written(misnamed, made(misnamed, strangers)),
        written(foreign, made(log, item)),
        evidence.write_bundle(made(log, item), sign=lambda _: notes.sign("another text\n", [log.signer])),
        written(log, made(log, item, checkpoint=log.checkpoint(witnesses=(witness(1),)))),
        written(log, made(log, item, checkpoint=foreign.checkpoint(witnesses=WITNESSES))),
        written(past, made(past, changed)),
        resigned(wordless, relabelled(wordless, unsaid), lambda _: None),
        *(written(log, made(log, item, devices=(each,))) for each in devices),
    )


def test_both_refuse_changed_saved_proofs(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    fork = SampleLog(leaves=[b"\0" * 32, *log.leaves[1:]])
    changes: tuple[Callable[[dict[str, Any]], Any], ...] = (
        lambda saved: saved["proofs"]["events"].pop(0),
        lambda saved: (saved["proofs"]["events"].pop(0), saved["proofs"].update(events_total=4)),
        lambda saved: saved["proofs"].update(events_total=4),
        lambda saved: saved["proofs"]["events"].reverse(),
        lambda saved: saved["proofs"]["events"][1].update(log_index=2),
        lambda saved: saved["proofs"]["events"][1].update(public=None),
        lambda saved: saved["proofs"]["events"][1]["public"].update(salt="00" * 32),
        lambda saved: saved["log"].pop("checkpoint"),
        lambda saved: saved["log"].pop("checkpoint/witnessed"),
        lambda saved: saved["log"].pop("tile/1/000.p/1"),
        lambda saved: saved["proofs"].update(vkeys=[]),
        lambda saved: saved["proofs"].update(origin="else"),
        lambda saved: saved["log"].update({"checkpoint/witnessed": fork.checkpoint(310, witnesses=WITNESSES).decode()}),
        lambda saved: saved.update(object="proofs"),
        lambda saved: saved["proofs"].update(number="RA473012359GB"),
        lambda saved: saved["proofs"].update(number=""),
        lambda saved: saved["proofs"].update(shredded=True),
    )
    files = []
    for change in changes:
        saved = copy.deepcopy(saved_proof(log, item))
        change(saved)
        files.append(json.dumps(saved).encode())
    both_refuse(module, *files)


def test_both_count_a_witness_by_its_key_and_not_by_its_name(
    module: Path, log_and_item: tuple[SampleLog, Item]
) -> None:
    log, item = log_and_item
    impostor = dataclasses.replace(witness(1), seed=bytes(32))
    named = (impostor, witness(2))
    saved = saved_proof(log, item)
    saved["proofs"]["witness_vkeys"] = [each.verifier.vkey for each in named]
    saved["log"]["checkpoint/witnessed"] = log.checkpoint(310, witnesses=named).decode()
    data = json.dumps(saved).encode()
    (believed,) = check(module, data)
    assert believed["ok"], "who names no witness believes the file's"
    both_refuse(module, data, keys=(log.signer.verifier.vkey, *(each.verifier.vkey for each in WITNESSES)))
    both = f"log {log.signer.verifier.vkey}\nwitness A {witness(1).verifier.vkey}\nwitness B {impostor.verifier.vkey}\n"
    bundle = written(log, made(log, item))  # cosigned by the true one of that name alone

    def with_policy(rest: str) -> bytes:
        return resigned(log, bundle, lambda files: files.update({"policy.txt": (both + rest).encode()}))

    (one,) = check(module, with_policy("group g any A B\nquorum g\n"))
    assert one["ok"], one
    both_refuse(module, with_policy("group g all A B\nquorum g\n"), with_policy("quorum B\n"))


def test_policies_are_read_alike(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    """Groups within groups, thresholds in words, comments; and what is no policy."""
    log, item = log_and_item
    data = written(log, made(log, item))
    head = f"log {log.signer.verifier.vkey}\n" + "".join(
        f"witness W{n} {witness(n).verifier.vkey} https://w{n}.example\n" for n in (1, 2, 3)
    )
    met = ["quorum none\n", "quorum W1\n", "group g any W1 W3\nquorum g\n", "group g 2 W1 W2 W3\nquorum g\n",
           "# two of us\n\ngroup\tg all  W1 W2\ngroup h any g W3\n quorum h\n"]  # fmt: skip
    unmet = ["quorum W3\n", "group g all W1 W3\nquorum g\n", "group g 3 W1 W2 W3\nquorum g\n",
             "group g any W1 W2\ngroup h all g W3\nquorum h\n"]  # fmt: skip
    wrong = ["", "quorum W9\n", "quorum none\nquorum none\n", "group g 0 W1\nquorum g\n", "group g 2 W1\nquorum g\n",
             "group g any W1 W1\nquorum g\n", "group g any h\nquorum g\n", "group W1 any W2\nquorum W1\n",
             "group none any W1\nquorum none\n", "group g any W1\ngroup h all W1 g\nquorum h\n", "quorum\n",
             f"witness W4 {witness(1).verifier.vkey}\nquorum none\n", "quorum none extra\n"]  # fmt: skip

    def with_policy(rest: str) -> bytes:
        return resigned(log, data, lambda files: files.update({"policy.txt": (head + rest).encode()}))

    for rest, answer in zip(met, check(module, *map(with_policy, met)), strict=True):
        assert evidence_check.verify_bundle(with_policy(rest)).events == len(STEPS), rest
        assert answer["ok"], (rest, answer)
    both_refuse(module, *map(with_policy, unmet + wrong))


def test_a_refusal_names_the_file(module: Path, log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    files = stored_zip.read(written(log, made(log, item)))
    path = "events/itm_one/000004.json"
    changed = stored_zip.write(files | {path: files[path] + b" "})
    (answer,) = check(module, changed)
    refused([answer], "bundle")
    assert answer["where"] == path
