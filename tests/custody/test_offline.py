"""Any file that we hand out, checked offline: bundles, lone proofs, saved proof pages."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.custody.sample_bundle import made, written
from tests.custody.sample_log import Item, SampleLog, base64_text, signer, witness

from parcelward.custody import offline, stored_zip
from parcelward.custody.errors import ProofFailed
from parcelward.custody.evidence_check import Report


class TestFiles:
    def saved(self, log: SampleLog, item: Item, *, quorum: int = 0) -> dict[str, Any]:
        witnesses = (witness(1), witness(2))
        kept = {
            path: content.decode() if path == "checkpoint" else base64_text(content)
            for path, content in log.files().items()
        }
        kept["checkpoint/witnessed"] = log.checkpoint(310, witnesses=witnesses).decode()
        answer = log.proofs(item, witnesses=tuple(each.verifier for each in witnesses), quorum=quorum)
        return {"object": "saved_proof", "proofs": answer, "log": kept}

    def check(self, tmp_path: Path, content: bytes, **how: Any) -> Report:
        file = tmp_path / "evidence"
        file.write_bytes(content)
        return offline.verify_file(file, **how)

    def test_each_kind_of_file_is_known_by_its_content(
        self, tmp_path: Path, log_and_item: tuple[SampleLog, Item]
    ) -> None:
        log, item = log_and_item
        data = written(log, made(log, item))
        key = log.signer.verifier.vkey
        assert self.check(tmp_path, data).events == 5
        proof = stored_zip.read(data)["proofs/itm_one/000003.tlog-proof"]
        alone = self.check(tmp_path, proof, vkeys=[key, witness(1).verifier.vkey])
        assert (alone.events, alone.witnesses, alone.pinned) == (1, ("w1.example",), True)
        saved = self.check(tmp_path, json.dumps(self.saved(log, item, quorum=2)).encode(), vkeys=[key])
        assert (saved.events, saved.size, saved.witnesses) == (5, len(log.leaves), ("w1.example", "w2.example"))
        for wrong in (b"", b"{}", b"hello", b"\xff", b"PK", b"c2sp.org/tlog-proof@v1\n"):
            with pytest.raises(ProofFailed, match=r"evidence|archive"):
                self.check(tmp_path, wrong, vkeys=[key])

    def test_a_lone_proof_needs_keys_and_all_named_witnesses(
        self, tmp_path: Path, log_and_item: tuple[SampleLog, Item]
    ) -> None:
        log, item = log_and_item
        proof = stored_zip.read(written(log, made(log, item)))["proofs/itm_one/000003.tlog-proof"]
        key = log.signer.verifier.vkey
        for vkeys in (
            [],
            [witness(1).verifier.vkey],
            [key, witness(3).verifier.vkey],
            [signer("x.example").verifier.vkey],
        ):
            with pytest.raises(ProofFailed):
                self.check(tmp_path, proof, vkeys=vkeys)
        with pytest.raises(ProofFailed, match="name the log's verifier key"):
            self.check(tmp_path, proof)
        other_entry = proof.replace(b"\nextra A", b"\nextra B")
        none = b"\n".join(line for line in proof.split(b"\n") if not line.startswith(b"extra"))
        for changed in (other_entry, none):
            with pytest.raises(ProofFailed):
                self.check(tmp_path, changed, vkeys=[key])

    def test_a_saved_proof_that_was_changed_is_refused(
        self, tmp_path: Path, log_and_item: tuple[SampleLog, Item]
    ) -> None:
        log, item = log_and_item
        honest = self.saved(log, item, quorum=2)

        def broken(change: Callable[[dict[str, Any]], Any], blamed: str) -> None:
            saved = copy.deepcopy(honest)
            change(saved)
            with pytest.raises(ProofFailed, match=blamed):
                self.check(tmp_path, json.dumps(saved).encode())

        events: Callable[[dict[str, Any]], Any] = lambda saved: saved["proofs"]["events"]  # noqa: E731 - a short path
        broken(lambda saved: events(saved).pop(0), "There are 4 events of 5")
        broken(lambda saved: (events(saved).pop(0), saved["proofs"].update(events_total=4)), "event 1")
        broken(lambda saved: (events(saved).pop(2), saved["proofs"].update(events_total=4)), "event 3")
        broken(lambda saved: saved["proofs"].update(events_total=4), "There are 5 events of 4")
        broken(lambda saved: events(saved).reverse(), "event 1")
        broken(lambda saved: events(saved)[1].update(log_index=2), "event 2")
        broken(lambda saved: events(saved)[1].update(public=None), "event 2")
        broken(lambda saved: events(saved)[1]["public"].update(salt="00" * 32), "event 2")
        broken(lambda saved: saved["log"].pop("checkpoint"), "checkpoint was not saved")
        broken(lambda saved: saved["log"].pop("checkpoint/witnessed"), "witnesses")
        broken(lambda saved: saved["log"].pop("tile/1/000.p/1"), "was not saved")
        broken(lambda saved: saved["proofs"].update(vkeys=[]), "evidence")
        broken(
            lambda saved: saved["proofs"].update(number="RA473012359GB"), "event 1: The event was recorded of RA4730"
        )
        broken(lambda saved: saved["proofs"].update(number=""), "event 1: The event was recorded of RA4730")
        broken(lambda saved: saved["proofs"].update(origin="else"), "another log")
        fork = SampleLog(leaves=[b"\0" * 32, *log.leaves[1:]])
        forked = fork.checkpoint(310, witnesses=(witness(1), witness(2))).decode()
        broken(lambda saved: saved["log"].update({"checkpoint/witnessed": forked}), "root")

    def test_pending_events_are_told_and_shredded_ones_say_nothing(
        self, tmp_path: Path, log_and_item: tuple[SampleLog, Item]
    ) -> None:
        log, item = log_and_item
        saved = self.saved(log, item)
        saved["proofs"]["events"][4]["log_index"] = None
        report = self.check(tmp_path, json.dumps(saved).encode())
        assert (report.events, report.gaps) == (4, ("itm_one, 1 event(s) not yet in the checkpoint",))
        shredded = self.saved(log, item)
        shredded["proofs"]["shredded"] = True
        shredded["proofs"]["events"] = [
            {"event_id": event["event_id"], "log_index": event["log_index"], "public": None}
            for event in shredded["proofs"]["events"]
        ]
        with pytest.raises(ProofFailed, match="destroyed"):
            self.check(tmp_path, json.dumps(shredded).encode())
