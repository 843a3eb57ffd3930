"""The page's verifier, run under Node against a log made in Python: what is honest passes, every attack is named."""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
from typing import Any

import pytest
from tests.custody.node import STATIC, case, refused, run
from tests.custody.sample_log import (
    ORIGIN,
    WITNESSED_AT_S,
    Item,
    SampleLog,
    base64_text,
    journey,
    shown_of,
    signer,
    witness,
)

from parcelward.custody import notes, offline, tree, wire
from parcelward.custody.keys import SignatureType, Signer


class TestHonest:
    @pytest.mark.parametrize("before", [0, 1, 250, 251, 252, 505, 66_000])
    def test_an_honest_journey_is_proven_whatever_the_size_of_the_log(self, before: int) -> None:
        log, item = journey(before, 1, 0)
        answer, late = run(
            case(log.proofs(item), log.files(), shown=shown_of(item)[::-1]),
            case(log.proofs(item) | {"events": log.proofs(item)["events"][:1], "events_total": 1}, log.files()),
        )
        assert answer["ok"], answer
        assert (answer["proven"], answer["pending"]) == (5, 0)
        assert (answer["size"], answer["root"]) == (before + 10, tree.root(before + 10, log.read).hex())
        assert late["ok"]

    def test_only_the_tiles_on_the_way_are_fetched_and_each_once(self) -> None:
        log, item = journey(66_000, 1, 0)
        (answer,) = run(case(log.proofs(item), log.files()))
        assert answer["asked"][0] == "checkpoint"
        assert sorted(answer["asked"][1:]) == ["tile/0/257.p/218", "tile/1/001.p/1", "tile/2/000.p/1"]

    def test_a_full_tile_serves_where_the_partial_one_is_gone(self) -> None:
        log, item = journey(10, 1, 0)
        files = log.files()
        log.grow(300)
        full = log.files()["tile/0/000"]
        del files["tile/0/000.p/20"]
        served, gone = run(case(log.proofs(item), files | {"tile/0/000": full}), case(log.proofs(item), files))
        assert served["ok"], served
        refused([gone], "tile")

    def test_events_not_yet_in_a_checkpoint_are_pending_not_proven(self, small: tuple[SampleLog, Item]) -> None:
        log, item = SampleLog(), Item("two")
        log.record(item, "accepted")
        log.record(item, "left_sorting", in_log=False)
        beyond = log.proofs(item)
        beyond["events"][1]["log_index"] = 1
        for answer in run(case(log.proofs(item), log.files()), case(beyond, log.files())):
            assert answer["ok"], answer
            assert (answer["proven"], answer["pending"]) == (1, 1)

    def test_of_a_shredded_journey_only_the_entries_are_proven(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        proofs = log.proofs(item) | {"shredded": True}
        proofs["events"] = [
            {name: event[name] for name in ("event_id", "log_index", "commitment")} | {"public": None}
            for event in proofs["events"]
        ]
        late = copy.deepcopy(proofs)
        late["events"][4] |= {"log_index": None, "commitment": None}
        honest, waiting, pretended = run(
            case(proofs, log.files()),
            case(late, log.files()),
            case(log.proofs(item) | {"shredded": True}, log.files()),
        )
        for answer, pending in ((honest, 0), (waiting, 1), (pretended, 0)):
            assert answer["ok"], answer
            assert (answer["proven"], answer["pending"], answer["closed"]) == (5 - pending, pending, 5)
        swapped, unplaced = copy.deepcopy(proofs), copy.deepcopy(proofs)
        swapped["events"][0]["commitment"] = proofs["events"][1]["commitment"]
        unplaced["events"][0]["commitment"] = "zz" * 32
        refused(run(case(swapped, log.files())), "inclusion")
        refused(run(case(unplaced, log.files()), case(proofs | {"events_total": 6}, log.files())), "malformed", "chain")
        half = log.proofs(item)
        half["events"][2] = proofs["events"][2]
        refused(run(case(half, log.files())), "malformed")


class TestEvents:
    def test_a_flipped_byte_anywhere_in_an_event_is_found(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        cases = []
        for number in range(5):
            for where in (("public", "canon"), ("public", "salt"), ("groups", "addressee"), ("groups", "operations"),
                          ("groups", "restricted"), ("body_hash",), ("commitment",)):  # fmt: skip
                text = log.proofs(item)["events"][number]
                for key in where:
                    text = text[key]
                for at in range(0, len(text), 7):
                    proofs = log.proofs(item)
                    holder = proofs["events"][number]
                    for key in where[:-1]:
                        holder = holder[key]
                    holder[where[-1]] = text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]
                    cases.append(case(proofs, log.files()))
        assert len(cases) > 300
        refused(run(*cases), "commitment", "malformed", "chain")

    def test_swapped_missing_extra_and_repeated_events_break_the_chain(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        other = Item("stranger")
        strangers = SampleLog(leaves=list(log.leaves))
        strangers.record(other, "accepted")
        events = log.proofs(item)["events"]
        foreign = strangers.proofs(other)["events"][0]
        changed = [
            [events[1], events[0], *events[2:]],
            events[1:],
            [*events[:2], *events[3:]],
            [*events, foreign],
            [foreign, *events],
            [*events, events[4]],
            [events[0], events[0], *events[2:]],
        ]
        answers = [strangers.proofs(item) | {"events": each, "events_total": len(each)} for each in changed]
        refused(run(*(case(each, strangers.files()) for each in answers)), "chain")

    def test_a_history_is_cut_only_where_it_is_longer_than_an_answer(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        events = log.proofs(item)["events"]
        cut: list[tuple[list[Any], Any]] = [
            (events[1:], 5), (events[:4], 5), (events, 6), (events, 4), (events, None), (events, "5"), ([], 5),
        ]  # fmt: skip
        cases = [case(log.proofs(item) | {"events": each, "events_total": n}, log.files()) for each, n in cut]
        refused(run(*cases), "chain")

    def test_the_newest_thousand_of_a_long_history_are_proven(self) -> None:
        script = (STATIC / "verify.js").read_text(encoding="utf-8")
        assert f"EVENTS_MAX = {wire.EVENTS_AT_ONCE_MAX}," in script
        log, item = SampleLog(), Item("long")
        for _ in range(wire.EVENTS_AT_ONCE_MAX + 2):
            log.record(item, "left_sorting")
        whole = log.proofs(item)
        newest = whole | {"events": whole["events"][2:]}
        honest, *others = run(
            case(newest, log.files()),
            case(whole, log.files()),
            case(whole | {"events": whole["events"][1:]}, log.files()),
            case(whole | {"events": whole["events"][3:]}, log.files()),
            case(newest | {"events_total": wire.EVENTS_AT_ONCE_MAX}, log.files()),
        )
        assert honest["ok"], honest
        assert honest["proven"] == wire.EVENTS_AT_ONCE_MAX
        refused(others, "chain", "malformed")
        kept = {
            path: content.decode() if path == "checkpoint" else base64_text(content)
            for path, content in log.files().items()
        }
        report = offline.verify_saved(json.dumps({"object": "saved_proof", "proofs": newest, "log": kept}).encode())
        assert (report.events, report.gaps) == (wire.EVENTS_AT_ONCE_MAX, ("itm_long, events 1 to 2",))

    def test_a_chain_that_was_recorded_with_a_gap_or_another_past_is_found(self) -> None:
        cases = []
        for change in (
            {"place": 5},
            {"event": 3},
            {"previous": "ab" * 32},
            {"previous": "0" * 64},
            {"event_id": "cd" * 16},
        ):
            log, item = SampleLog(), Item("three")
            log.record(item, "accepted")
            log.record(item, "delivered", **change)
            cases.append(case(log.proofs(item), log.files()))
        refused(run(*cases), "chain")

    def test_another_parcels_history_under_this_number_is_refused(self, small: tuple[SampleLog, Item]) -> None:
        """Each event is genuine and in the log; only the number above them is another's."""
        log, item = small
        own = log.proofs(item)
        by_id = SampleLog(), Item("one")
        by_id[0].record(by_id[1], "accepted", item="itm_one")
        mixed, nameless = (SampleLog(), Item("one")), (SampleLog(), Item("one", number=""))
        mixed[0].record(mixed[1], "accepted")
        mixed[0].record(mixed[1], "delivered", item="RA473012359GB")
        nameless[0].record(nameless[1], "accepted")
        (honest,) = run(case(by_id[0].proofs(by_id[1]), by_id[0].files()))
        assert honest["ok"], honest
        for proofs, files in (
            (own | {"number": "RA473012359GB"}, log.files()),
            (own | {"number": ""}, log.files()),
            (own | {"number": ["RA473012345GB"]}, log.files()),
            (by_id[0].proofs(by_id[1]) | {"item_id": "itm_two"}, by_id[0].files()),
            (mixed[0].proofs(mixed[1]), mixed[0].files()),
            (nameless[0].proofs(nameless[1]), nameless[0].files()),
        ):
            answers = run(case(proofs, files))
            refused(answers, "chain")
            assert "was recorded of" in answers[0]["message"]

    def test_a_public_part_has_one_spelling(self, small: tuple[SampleLog, Item]) -> None:
        """Even a committed one: two keys of one name, spaces or another order would let a page and a proof differ."""
        cases = []
        for respell in (
            lambda text: text.replace('"at":', '"at":"2026-11-09T10:00:00.000000Z","at":'),
            lambda text: text.replace(",", ", "),
            lambda text: text.replace("{", '{"a":1,'),
            lambda text: json.dumps(dict(reversed(list(json.loads(text).items()))), separators=(",", ":")),
            lambda text: text.replace('"event":1', '"event":1.0'),
            lambda text: text.replace('"event":1', '"event":"1"'),
            lambda text: "[]",
            lambda text: "null",
            lambda text: text[:-1],
        ):
            log, item = small[0], copy.deepcopy(small[1])
            proofs = log.proofs(item)
            proofs["events"][0]["public"]["canon"] = respell(proofs["events"][0]["public"]["canon"])
            cases.append(case(proofs, log.files()))
        refused(run(*cases), "chain", "malformed")

    def test_answers_of_the_wrong_shape_are_refused(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        for_event: list[tuple[str, Any]] = [
            ("log_index", "3"), ("log_index", -1), ("log_index", 1.5), ("commitment", 7), ("commitment", None),
            ("groups", None), ("public", None), ("event_id", "../.."), ("body_hash", "AB" * 32),
        ]  # fmt: skip
        cases = []
        for key, value in for_event:
            proofs = log.proofs(item)
            proofs["events"][1][key] = value
            cases.append(case(proofs, log.files()))
        cases += [
            case(log.proofs(item) | {"events": log.proofs(item)["events"][:1], "events_total": 1, key: value},
                 log.files())
            for key, value in (("events", None), ("events", {}), ("events", [None]), ("vkeys", "x"), ("vkeys", ["x"]),
                               ("witness_quorum", 1), ("witness_quorum", None), ("witness_quorum", -1))
        ]  # fmt: skip
        refused(run(*cases), "malformed")


class TestLog:
    def test_another_place_in_the_log_proves_nothing(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        cases = []
        for index in range(len(log.leaves)):
            proofs = log.proofs(item)
            if proofs["events"][0]["log_index"] != index:
                proofs["events"][0]["log_index"] = index
                cases.append(case(proofs, log.files()))
        refused(run(*cases), "inclusion")

    def test_an_event_that_never_was_in_the_log_is_found(self, small: tuple[SampleLog, Item]) -> None:
        log, item = SampleLog(leaves=list(small[0].leaves)), copy.deepcopy(small[1])
        log.record(item, "returned", in_log=False)["log_index"] = 5
        refused(run(case(log.proofs(item), log.files())), "inclusion")

    def test_a_flipped_byte_in_a_tile_is_found(self) -> None:
        log, item = SampleLog(), Item("four")
        log.grow(2)
        log.record(item, "accepted")
        log.grow(4)
        honest = log.files()
        (path,) = (name for name in honest if name.startswith("tile"))
        own = range(2 * 32, 3 * 32)  # the leaf itself is recomputed and never read
        cases = []
        for at in range(0, len(honest[path]), 3):
            if at not in own:
                tile = bytearray(honest[path])
                tile[at] ^= 1
                cases.append(case(log.proofs(item), honest | {path: bytes(tile)}))
        refused(run(*cases), "inclusion")
        short = [case(log.proofs(item), honest | {path: honest[path][:cut]}) for cut in (0, 1, 32, 223)]
        refused(run(*short), "tile")

    def test_a_flipped_byte_in_the_checkpoint_is_found(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        cases = []
        for at in range(len(log.checkpoint())):
            note = bytearray(log.checkpoint())
            note[at] ^= 1
            cases.append(case(log.proofs(item), log.files() | {"checkpoint": bytes(note)}))
        refused(run(*cases), "malformed", "signature", "origin")

    def test_a_checkpoint_signed_by_another_is_refused(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        text = log.checkpoint().decode().partition("\n\n")[0] + "\n"
        stranger = dataclasses.replace(signer("stranger.example"), name=log.signer.name)
        line = log.checkpoint().decode().splitlines()[-1]
        # The right key's name and id over a stranger's signature.
        made = base64.b64encode(log.signer.verifier.key_id + stranger.sign(text)).decode()
        forged = f"{text}\n— {ORIGIN} {made}\n".encode()
        cosigned_only = notes.sign(text, [witness(1)], timestamp_s=WITNESSED_AT_S)
        both = forged.decode() + line + "\n"
        # A key of the log's name that may only witness, and another log's key: neither speaks for this log.
        as_witness, other = signer(ORIGIN, SignatureType.COSIGNATURE), signer("elsewhere.example")

        def signed_by(who: Signer) -> bytes:
            return notes.sign(text, [who], timestamp_s=WITNESSED_AT_S)

        proofs = log.proofs(item)
        files = log.files()
        answers = run(
            case(proofs, files | {"checkpoint": notes.sign(text, [stranger])}),
            case(proofs, files | {"checkpoint": forged}),
            case(proofs, files | {"checkpoint": both.encode()}),  # a false signature of a known key condemns the note
            case(proofs, files | {"checkpoint": cosigned_only}),
            case(proofs | {"vkeys": [witness(1).verifier.vkey]}, files | {"checkpoint": cosigned_only}),
            case(proofs | {"vkeys": [signer("elsewhere.example").verifier.vkey]}, files),
            case(proofs | {"vkeys": []}, files),
            case(proofs | {"vkeys": [as_witness.verifier.vkey]}, files | {"checkpoint": signed_by(as_witness)}),
            case(proofs | {"vkeys": [other.verifier.vkey]}, files | {"checkpoint": signed_by(other)}),
        )
        refused(answers, "signature")
        refused(run(case(proofs | {"origin": "elsewhere.example"}, files)), "origin")

    def test_a_missing_log_is_not_a_proof(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        files = log.files()
        del files["checkpoint"]
        refused(run(case(log.proofs(item), files)), "unreachable")

    def test_checkpoints_have_one_spelling(self, small: tuple[SampleLog, Item]) -> None:
        """Signed by the log itself, and still refused."""
        log, item = small
        root = base64_text(tree.root(len(log.leaves), log.read))
        size = len(log.leaves)
        texts = [
            f"{ORIGIN}\n0{size}\n{root}\n", f"{ORIGIN}\n+{size}\n{root}\n", f"{ORIGIN}\n{size}.0\n{root}\n",
            f"{ORIGIN}\n{size}\n{root[:-1]}\n", f"{ORIGIN}\n{size}\n{root[:-4]}\n", f"{ORIGIN}\n{size}\n",
            f"{ORIGIN}\n{size}\n{root}\n\nextension\n", f"{ORIGIN}\n9007199254740993\n{root}\n",
            f"{ORIGIN}\n0\n{root}\n",
        ]  # fmt: skip
        made = [notes.sign(text, [log.signer]) for text in texts]
        refused(run(*(case(log.proofs(item), log.files() | {"checkpoint": each}) for each in made)), "malformed")


def test_what_must_be_read_to_believe_a_proof_is_one_file_that_can_be_read() -> None:
    """Under 300 lines of at most 120 characters, needing WebCrypto and no other file; the rest is as plain."""
    lines = (STATIC / "verify.js").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 300
    assert not [line for line in lines if line.startswith("import ")]
    for name in ("verify.js", "proof.js", "addressee.js", "shown.js", "ed25519.js"):
        wide = [line for line in (STATIC / name).read_text(encoding="utf-8").splitlines() if len(line) > 120]
        assert wide == [], name
