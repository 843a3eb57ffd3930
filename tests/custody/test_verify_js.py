"""The page's verifier, run under Node against a log made in Python: what is honest passes, every attack is named."""

from __future__ import annotations

import base64
import copy
import dataclasses
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from scripts import make_test_vectors
from tests.custody.node import STATIC, case, refused, run
from tests.custody.sample_log import ORIGIN, STEPS, WITNESSED_AT_S, Item, SampleLog, base64_text, signer, witness

from parcelward.custody import checkpoints, notes, offline, tree, wire
from parcelward.custody.keys import SignatureType, Signer, parse_vkey

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def shown_of(item: Item) -> list[dict[str, str]]:
    said = [json.loads(event["groups"]["public"]["canon"]) for event in item.events]
    return [{name: each[name] for name in ("id", "at", "step", "place")} for each in said]


def journey(before: int, between: int, after: int) -> tuple[SampleLog, Item]:
    """Return a log in which an item's five events stand among other entries."""
    log, item = SampleLog(), Item("one")
    log.grow(before)
    for step in STEPS:
        log.record(item, step)
        log.grow(between)
    log.grow(after)
    return log, item


@pytest.fixture(scope="module")
def small() -> tuple[SampleLog, Item]:
    return journey(3, 2, 4)


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

    def test_what_the_page_shows_is_what_was_recorded(self, small: tuple[SampleLog, Item]) -> None:
        log, item = small
        cases = []
        for at, key, value in (
            (0, "at", "2026-11-01T10:00:00.000001Z"),
            (1, "step", "delivered"),
            (2, "place", "LDS99"),
            (3, "id", "ab" * 16),
        ):
            shown = shown_of(item)
            shown[at][key] = value
            cases.append(case(log.proofs(item), log.files(), shown=shown))
        cases.append(case(log.proofs(item), log.files(), shown=shown_of(item)[1:]))
        cases.append(case(log.proofs(item), log.files(), shown=shown_of(item) + shown_of(item)[:1]))
        cases.append(case(log.proofs(item), log.files(), shown=[]))
        refused(run(*cases), "shown")

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
    key = base64_text(bytes.fromhex(vectors["group_keys"]["addressee"]))
    named = log.proofs(item) | {"number": vectors["number"], "item_id": vectors["item_id"]}
    (answer,) = run(case(named, log.files(), key=key, shown=shown_of(item)))
    assert answer["ok"], answer
    assert answer["proven"] == 3


def test_the_product_commits_as_the_vectors_say() -> None:
    """`custody.wire` shares no line with the script that made the vectors."""
    vectors = make_test_vectors.vectors()
    keys = wire.ItemKeys(bytes.fromhex(vectors["item_secret"]))
    for event in vectors["events"]:
        event_id = bytes.fromhex(event["event_id"])
        canons = [event["groups"][name]["canon"].encode() for name in wire.GROUPS]
        commitment, body = wire.commit(keys, event_id, bytes(12), *canons)
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
