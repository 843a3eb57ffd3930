"""Evidence bundles: the same bytes every time, checked offline, and every tampering refused by the name of its file."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from tests.custody.sample_bundle import DEVICE_FILE, NAMES, device, edit, made, resigned, written
from tests.custody.sample_log import DEVICE_ID, ORIGIN, Item, SampleLog, signer, witness

from parcelward.custody import evidence, notes, proofs, stored_zip, tree, wire
from parcelward.custody.errors import ProofFailed
from parcelward.custody.evidence_check import Report, verify_bundle
from parcelward.custody.evidence_devices import Shown


def fails(data: bytes, beginning: str, **how: Any) -> None:
    with pytest.raises(ProofFailed) as caught:
        verify_bundle(data, **how)
    assert caught.value.message.startswith(beginning), caught.value.message


class TestHonest:
    def test_a_bundle_holds_and_says_what_it_shows(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        report = verify_bundle(written(log, made(log, item, leave_out=(2, 3))))
        assert report == Report(
            origin=ORIGIN,
            size=len(log.leaves),
            root=tree.root(len(log.leaves), log.read),
            events=3,
            items=("itm_one",),
            witnesses=("w1.example", "w2.example"),
            gaps=("itm_one, events 2 to 3", f"{DEVICE_ID}, batches 6 to 8"),
            pinned=False,
            signers=(log.signer.verifier,),
            verifier_sha256=hashlib.sha256(b"<!doctype html><title>verify</title>").hexdigest(),
            shown=Shown(signatures=3, devices=1, events=3, named=0),
        )
        assert any("compare them" in sentence for sentence in report.words)

    def test_the_same_values_give_the_same_bytes(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        first = written(log, made(log, item))
        elsewhere = dt.timezone(dt.timedelta(hours=5))
        again = made(log, copy.deepcopy(item), made_at=dt.datetime(2026, 11, 30, 14, 0, tzinfo=elsewhere))
        assert written(log, again) == first

    def test_an_ordinary_zip_program_reads_it(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        data = written(log, made(log, item))
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            assert {name: archive.read(name) for name in archive.namelist()} == stored_zip.read(data)

    def test_trusted_keys_narrow_what_counts(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        data = written(log, made(log, item))
        log_key, stranger = log.signer.verifier.vkey, signer("else.example").verifier.vkey
        both = [witness(1).verifier.vkey, witness(2).verifier.vkey]
        assert verify_bundle(data, vkeys=[log_key]).pinned
        assert verify_bundle(data, vkeys=[log_key, *both]).witnesses == ("w1.example", "w2.example")
        fails(data, "policy.txt", vkeys=[stranger])
        fails(data, evidence.CHECKPOINT, vkeys=[log_key, both[0]])

    @pytest.mark.asvs("1.1.2", "1.2.1")
    def test_people_can_read_it(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        files = stored_zip.read(written(log, made(log, item, leave_out=(5,))))
        report, certification = files["report.html"].decode(), files["certification.txt"].decode()
        assert "case 7 &lt;b&gt;" in report
        assert "<b>" not in report
        assert "<script" not in report
        assert "Left out of this bundle: 5." in report
        assert "{&quot;window&quot;:&quot;3:00&quot;}" in report  # revealed for event 3 ...
        assert "{&quot;window&quot;:&quot;1:00&quot;}" not in report  # ... and for no other
        for words in ("902(13)", "902(14)", ORIGIN, str(len(log.leaves)), "1 events of the items", "not legal advice"):
            assert words in certification
        assert json.loads(files["manifest.json"])["absent"].keys() == {"bodies/", "devices/"}

    def test_what_is_hidden_is_nowhere_in_the_bundle(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        data = written(log, made(log, item))
        for number, event in enumerate(item.events, start=1):
            for name in NAMES[1:]:
                held = event["groups"][name]
                shown = name == "addressee" and number == 3
                if held["canon"]:  # a group that holds nothing has no salt to hide
                    assert (held["salt"].encode() in data) == shown


class TestTampering:
    def test_a_flipped_byte_anywhere_is_refused(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        data = written(log, made(log, item, leave_out=(1, 2, 4), devices=()))
        for at in range(0, len(data), 11):
            changed = bytearray(data)
            changed[at] ^= 1
            with pytest.raises(ProofFailed):
                verify_bundle(bytes(changed))

    def test_a_false_manifest_signature_is_refused(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        stranger = dataclasses.replace(signer("stranger.example"), name=log.signer.name)
        bundle = made(log, item)
        fails(evidence.write_bundle(bundle, sign=lambda text: notes.sign(text, [stranger])), "manifest.note")
        other_text = evidence.write_bundle(bundle, sign=lambda _: notes.sign("something else\n", [log.signer]))
        fails(other_text, "manifest.note")

    def test_files_that_are_missing_changed_or_extra_are_named(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        files = stored_zip.read(written(log, made(log, item)))
        for path in files:
            held = {name: content for name, content in files.items() if name != path}
            fails(stored_zip.write(held), "manifest.json" if path.startswith("manifest") else path)
            if not path.startswith("manifest"):
                fails(stored_zip.write(files | {path: files[path] + b" "}), path)
                fails(stored_zip.write(files | {path: files[path][:-1] + b"?"}), path)
        fails(stored_zip.write(files | {"notes.txt": b""}), "notes.txt")

    @pytest.mark.parametrize(
        ("change", "blamed"),
        [
            (edit("events/itm_one/000002.json", body_hash="00" * 32), "events/itm_one/000002.json"),
            (edit("events/itm_one/000002.json", commitment="00" * 32), "events/itm_one/000002.json"),
            (edit("events/itm_one/000002.json", item_id="itm_two"), "events/itm_one/000002.json"),
            (edit("events/itm_one/000002.json", log_index=7), "proofs/itm_one/000002.tlog-proof"),
            (edit("events/itm_one/000002.json", extra=1), "events/itm_one/000002.json"),
            (lambda files: files.update({"notes.txt": b""}), "notes.txt"),
            (lambda files: files.pop("proofs/itm_one/000004.tlog-proof"), "proofs/itm_one/000004.tlog-proof"),
            (lambda files: files.pop(DEVICE_FILE), DEVICE_FILE),
            (edit("chain.json", items=[]), "events/itm_one/000001.json"),
            (lambda files: files.update({"policy.txt": b"quorum none\n"}), "policy.txt"),
            (lambda files: files.update({"policy.txt": b"nonsense\n"}), "policy.txt"),
            (
                lambda files: files.update({"events/itm_one/000002.json": files["events/itm_one/000002.json"] + b"\n"}),
                "events/itm_one/000002.json",
            ),
        ],
    )
    def test_what_the_operator_signs_anew_still_has_to_be_true(
        self, log_and_item: tuple[SampleLog, Item], change: Callable[[dict[str, bytes]], None], blamed: str
    ) -> None:
        log, item = log_and_item
        fails(resigned(log, written(log, made(log, item)), change), blamed)

    @pytest.mark.parametrize(
        ("number", "shown"),
        [
            (3, {"canon": "", "salt": "00" * 32}),  # it holds something
            (3, {"hash": wire.EMPTY_GROUP.hex()}),
            (2, {"canon": "", "salt": "01" * 32}),  # it holds nothing, and had no such salt
            (2, {"canon": "{}", "salt": "00" * 32}),
        ],
    )
    def test_a_group_passes_for_empty_only_if_it_was_recorded_so(
        self, log_and_item: tuple[SampleLog, Item], number: int, shown: dict[str, str]
    ) -> None:
        log, item = log_and_item
        where = f"events/itm_one/{number:06}.json"
        data = written(log, made(log, item))
        held = json.loads(stored_zip.read(data)[where])["groups"]
        assert (held["addressee"] == {"hash": wire.EMPTY_GROUP.hex()}) == (number == 2)
        fails(resigned(log, data, edit(where, groups=held | {"addressee": shown})), where)
        if number == 2:
            empty = {"addressee": {"canon": "", "salt": "00" * 32}}
            assert verify_bundle(resigned(log, data, edit(where, groups=held | empty))).events == len(item.events)

    def test_events_that_are_swapped_or_passed_off_are_refused(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        data = written(log, made(log, item))

        def swap(files: dict[str, bytes]) -> None:
            for form in ("events/itm_one/00000{}.json", "proofs/itm_one/00000{}.tlog-proof"):
                files[form.format(2)], files[form.format(3)] = files[form.format(3)], files[form.format(2)]

        fails(resigned(log, data, swap), "events/itm_one/000002.json")

        def other_proof(files: dict[str, bytes]) -> None:
            files["proofs/itm_one/000002.tlog-proof"] = files["proofs/itm_one/000003.tlog-proof"]

        fails(resigned(log, data, other_proof), "proofs/itm_one/000002.tlog-proof")

    def test_an_event_that_is_not_where_its_proof_says_is_refused(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        data = written(log, made(log, item))
        where = "proofs/itm_one/000002.tlog-proof"

        def proof(**change: Any) -> Callable[[dict[str, bytes]], None]:
            return lambda files: files.update({where: dataclasses.replace(proofs.parse(files[where]), **change).text})

        def moved(files: dict[str, bytes]) -> None:
            edit("events/itm_one/000002.json", log_index=7)(files)
            proof(index=7)(files)

        older = len(log.leaves) - 1
        earlier = log.checkpoint(older, witnesses=(witness(1), witness(2)))
        path = tuple(tree.inclusion_path(item.events[1]["log_index"], older, log.read))
        for change in (
            moved,
            proof(index=7),
            proof(extra=None),
            proof(extra=b"\x01" + bytes(32)),
            proof(path=()),
            proof(checkpoint=earlier),
            proof(checkpoint=earlier, path=path),
        ):
            fails(resigned(log, data, change), where)

    def test_the_manifest_names_the_verifier_that_is_inside(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        files = stored_zip.read(written(log, made(log, item)))
        edit("manifest.json", verifier_sha256="00" * 32)(files)
        files["manifest.note"] = notes.sign(evidence.note_text(files["manifest.json"]), [log.signer])
        fails(stored_zip.write(files), "verify.html")

    def test_a_gap_is_declared_or_the_bundle_fails(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        data = written(log, made(log, item, leave_out=(3,)))
        chain = json.loads(stored_zip.read(data)["chain.json"])
        hidden = copy.deepcopy(chain["items"])
        hidden[0]["missing"] = []
        fails(resigned(log, data, edit("chain.json", items=hidden)), "events/itm_one/000003.json")
        cut = copy.deepcopy(chain["items"])
        cut[0]["events_total"] = 4
        fails(resigned(log, data, edit("chain.json", items=cut)), "events/itm_one/000005.json")
        for runs in ([[0, 0]], [[3, 2]], [[3, 9]], [[3, 3], [3, 3]], [[4, 4], [3, 3]]):
            odd = copy.deepcopy(chain["items"])
            odd[0]["missing"] = runs
            fails(resigned(log, data, edit("chain.json", items=odd)), "chain.json")
        fails(resigned(log, data, edit("chain.json", items=chain["items"] * 2)), "chain.json")
        huge = copy.deepcopy(chain["items"])
        huge[0]["events_total"], huge[0]["missing"] = 10**12, [[6, 10**12]]
        fails(resigned(log, data, edit("chain.json", items=huge)), "chain.json")

    def test_a_chain_recorded_with_another_past_is_refused(self) -> None:
        log, item = SampleLog(), Item("three")
        log.record(item, "accepted")
        log.record(item, "delivered", previous="ab" * 32)
        whole = made(log, item)
        items = (dataclasses.replace(whole.items[0], item_id="itm_three"),)
        fails(written(log, dataclasses.replace(whole, items=items)), "events/itm_three/000002.json")

    def test_another_parcels_history_under_this_number_is_refused(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        data = written(log, made(log, item))
        chain = json.loads(stored_zip.read(data)["chain.json"])
        for number in ("RA473012359GB", ""):
            renamed = copy.deepcopy(chain["items"])
            renamed[0]["number"] = number
            fails(
                resigned(log, data, edit("chain.json", items=renamed)), "events/itm_one/000001.json: The event was rec"
            )
        other = Item("other", number="RA473012359GB")
        mixed = SampleLog()
        mixed.record(other, "accepted")
        mixed.record(other, "delivered", item="RA473012345GB")
        fails(written(mixed, made(mixed, other)), "events/itm_one/000002.json: The event was rec")

    def test_devices_that_did_not_sign_or_hide_batches_are_refused(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        honest = device(log, 4, 5, 9)
        other = device(log, 4, 6)
        renamed = dataclasses.replace(other.batches[1], sequence=5)
        forged = dataclasses.replace(honest.batches[1], signature=bytes(64))
        twice = (*honest.batches[:2], *honest.batches[1:])
        for batches in ((honest.batches[0], renamed), (honest.batches[0], forged), honest.batches[::-1], twice):
            changed = dataclasses.replace(honest, batches=batches)
            fails(written(log, made(log, item, devices=(changed,))), DEVICE_FILE)
        data = written(log, made(log, item))
        devices = json.loads(stored_zip.read(data)["chain.json"])["devices"]
        devices[0]["missing"] = []
        fails(resigned(log, data, edit("chain.json", devices=devices)), DEVICE_FILE)

    def test_a_checkpoint_that_too_few_witnesses_saw_is_refused(self, log_and_item: tuple[SampleLog, Item]) -> None:
        log, item = log_and_item
        fails(written(log, made(log, item, checkpoint=log.checkpoint(witnesses=(witness(1),)))), evidence.CHECKPOINT)
        stranger = dataclasses.replace(signer("stranger.example"), name=log.signer.name)
        other = SampleLog(signer=stranger, leaves=log.leaves)
        unsigned = made(log, item, checkpoint=other.checkpoint(witnesses=(witness(1), witness(2))))
        fails(written(log, unsigned), evidence.CHECKPOINT)
