"""A key follows another: what both signed, where it stands in the log, and what the key before may still sign."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.custody.node import run
from tests.custody.sample_bundle import made, resigned
from tests.custody.sample_keys import LATE, KeyedLog, key, succession_of
from tests.custody.sample_log import ORIGIN, STEPS, Item, base64_text, signer, witness

from parcelward.base.errors import Invalid
from parcelward.custody import archive, evidence, keys, notes, offline, policy, succession, tree
from parcelward.custody.errors import BadNote, ProofFailed
from parcelward.custody.evidence_check import Report, verify_bundle
from parcelward.custody.keys import Signer

WITNESSES = (witness(1), witness(2))


def log_of(*, rotations: int = 1) -> tuple[KeyedLog, Item]:
    log, item = KeyedLog(), Item("one")
    log.grow(19)
    log.enrol()
    for step in STEPS:
        log.record(item, step)
    for number in range(rotations):
        log.replace(key(number + 2))
        log.grow(5, f"after {number}")
    return log, item


def bundle(log: KeyedLog, item: Item, *signers: Signer, successions: bytes | None = None, **change: Any) -> bytes:
    """Return a bundle whose checkpoint and manifest these keys sign; by default all that sign now."""
    by = signers or tuple(log.signing)
    rule = policy.quorum_of(0, logs=[*(each.verifier for each in by), LATE.verifier], witnesses=[])
    whole = made(log, item, policy=rule, checkpoint=log.signed(None, *by), devices=())
    if successions is None:
        successions = log.successions(*by) if log.replaced else b""
    whole = dataclasses.replace(whole, succession=successions, **change)
    return evidence.write_bundle(whole, sign=lambda text: notes.sign(text, list(by)))


def vkey(number: int) -> str:
    return key(number).verifier.vkey


class Both:
    """The Python verifier and verify.html: what one takes or refuses, both do."""

    def __init__(self, module: Path, folder: Path) -> None:
        self.module, self.held, self.chain = module, folder / "file", folder / "succession.json"

    def _page(self, data: bytes, vkeys: Sequence[str], chain: bytes | None) -> dict[str, Any]:
        case = {"kind": "file", "module": str(self.module), "data": base64_text(data), "keys": "\n".join(vkeys)}
        (answer,) = run(case | ({} if chain is None else {"chain": base64_text(chain)}))
        return answer

    def take(self, data: bytes, *vkeys: str, chain: bytes | None = None) -> Report:
        answer = self._page(data, vkeys, chain)
        assert answer["ok"], answer
        return self._python(data, vkeys, chain)

    def refuse(self, data: bytes, *vkeys: str, chain: bytes | None = None, match: str | None = None) -> None:
        with pytest.raises(Invalid, match=match):
            self._python(data, vkeys, chain)
        answer = self._page(data, vkeys, chain)
        assert (answer["ok"], answer.get("name")) == (False, "ProofFailed"), answer

    def _python(self, data: bytes, vkeys: Sequence[str], chain: bytes | None) -> Report:
        self.held.write_bytes(data)
        if chain is not None:
            self.chain.write_bytes(chain)
        return offline.verify_file(self.held, vkeys=vkeys, successions=None if chain is None else self.chain)


@pytest.fixture
def both(module: Path, tmp_path: Path) -> Both:
    return Both(module, tmp_path)


class TestNote:
    def test_what_is_signed_is_what_is_read(self) -> None:
        said = succession_of(key(1), key(2), 1)
        assert succession.open_note(succession.sign(said, old=key(1), new=key(2))) == said

    @pytest.mark.parametrize("only", [1, 2])
    def test_one_key_alone_names_no_successor(self, only: int) -> None:
        said = succession_of(key(1), key(2), 1)
        with pytest.raises(BadNote, match="Both keys"):
            succession.open_note(notes.sign(said.text, [key(only)]))

    @pytest.mark.parametrize(
        "changed",
        [
            lambda said: dataclasses.replace(said, new=said.old),
            lambda said: dataclasses.replace(said, until=said.since),
            lambda said: dataclasses.replace(said, origin="other.example/log"),
            lambda said: dataclasses.replace(said, number=0),
            lambda said: dataclasses.replace(said, new=LATE.verifier),
            lambda said: dataclasses.replace(said, new=witness(1).verifier),
        ],
    )  # fmt: skip
    def test_what_is_no_succession_is_refused_though_all_signed(
        self, changed: Callable[[succession.Succession], succession.Succession]
    ) -> None:
        said = changed(succession_of(key(1), key(2), 1))
        # Keys of other types sign nothing but checkpoints.
        signers = [each for each in (key(1), key(2)) if each.verifier in {said.old, said.new}]
        with pytest.raises(BadNote):
            succession.open_note(notes.sign(said.text, signers))

    def test_it_can_never_pass_for_a_checkpoint(self) -> None:
        note = succession.sign(succession_of(key(1), key(2), 1), old=key(1), new=key(2))
        with pytest.raises(Invalid):
            notes.open_checkpoint(note, logs=[key(1).verifier, key(2).verifier])

    def test_a_chain_has_no_gap_no_branch_and_no_return(self) -> None:
        first, second = succession_of(key(1), key(2), 1), succession_of(key(2), key(3), 2)
        succession.require_chain([first, second])
        for chain in (
            [second],
            [first, first],
            [first, succession_of(key(1), key(3), 2)],
            [first, succession_of(key(2), key(1), 2)],
            [second, first],
        ):
            with pytest.raises(BadNote):
                succession.require_chain(chain)


class TestFile:
    def test_each_succession_is_proven_under_the_newest_checkpoint(self) -> None:
        log, _ = log_of(rotations=3)
        log.retire()
        log.retire()
        links = succession.read(log.successions())
        assert [each.said.new for each in links] == [key(n).verifier for n in (2, 3, 4)]
        assert [each.index for each in links] == [25, 31, 37]

    def test_a_forged_or_altered_file_is_refused(self, both: Both) -> None:
        log, item = log_of(rotations=2)
        data, honest = bundle(log, item), json.loads(log.successions())
        first = honest["entries"][0]
        both.take(data, vkey(3), chain=json.dumps(honest).encode())
        for changed in (
            {"origin": "other.example/log"},
            {"entries": honest["entries"][1:]},
            {"entries": honest["entries"][::-1]},
            {"entries": [first, first]},
            {"entries": [first | {"salt": "00" * 32}]},
            {"entries": [first | {"salt": "zz"}]},
            {"entries": [first | {"proof": honest["entries"][1]["proof"]}]},
            {"entries": [first | {"proof": first["proof"].replace("index 25", "index 24")}]},
            {"entries": [first | {"body": "{}"}]},
            {"entries": [first | {"body": first["body"].replace("2026-12", "2027-12")}]},
            {"entries": [first | {"origin": "other.example/log"}]},
            {"object": "other"},
        ):
            both.refuse(data, vkey(3), chain=json.dumps(honest | changed).encode())
        # Signed by nobody but the key that was replaced: then the new key never took the log over.
        both.refuse(data, vkey(3), chain=log.successions(key(1)))

    def test_successions_stand_in_the_log_in_their_own_order(self, both: Both) -> None:
        log, item = log_of(rotations=0)
        first, second = succession_of(key(1), key(2), 1), succession_of(key(2), key(3), 2)
        log.replace(key(2), note=succession.sign(second, old=key(2), new=key(3)))
        log.replace(key(3), note=succession.sign(first, old=key(1), new=key(2)))
        log.replaced.reverse()
        both.refuse(bundle(log, item), match="another order")

    def test_an_entry_of_another_kind_names_no_key(self, both: Both) -> None:
        log, item = log_of(rotations=0)
        log.replace(key(2), kind="custody.tombstone")
        both.refuse(bundle(log, item), vkey(1))


class TestTrust:
    def test_each_key_of_the_chain_vouches_for_the_others(self) -> None:
        links = succession.read(log_of(rotations=2)[0].successions())
        everyone = {key(n).verifier for n in (1, 2, 3)}
        for number in (1, 2, 3):
            assert set(succession.trusted_through([key(number).verifier], links)) == everyone
        assert succession.trusted_through([key(9).verifier], links) == [key(9).verifier]
        assert succession.trusted_through([], links) == []

    def test_a_replaced_key_signs_nothing_new(self) -> None:
        log, _ = log_of(rotations=2)
        links = succession.read(log.successions())
        first, second = (each.index for each in links)
        one, two, three = (key(n).verifier for n in (1, 2, 3))
        for size, signers in ((first, [one]), (first + 1, [one, two]), (second, [two]), (second + 1, [three])):
            succession.require_current(size, signers, links)
        for size, signers in ((first + 1, [one]), (second + 1, [one, two]), (second + 9, [two])):
            with pytest.raises(ProofFailed, match="did not sign it"):
                succession.require_current(size, signers, links)


class TestBundle:
    def test_any_key_of_the_chain_is_enough_for_a_new_bundle(self, both: Both) -> None:
        log, item = log_of(rotations=2)
        log.retire()
        log.retire()
        for number in (1, 2, 3):
            report = both.take(bundle(log, item), vkey(number))
            assert report.pinned
            assert report.signers == (key(3).verifier,)
            assert any(key(3).verifier.key_id.hex() in words for words in report.words)

    def test_during_the_overlap_either_key_will_do_without_any_succession(self, both: Both) -> None:
        log, item = log_of()
        data = bundle(log, item, successions=b"")
        both.take(data, vkey(1))
        both.take(data, vkey(2))
        both.refuse(data, vkey(3))

    def test_a_strangers_key_opens_nothing(self, both: Both) -> None:
        log, item = log_of()
        both.refuse(bundle(log, item), vkey(9))
        both.refuse(bundle(log, item), signer("other.example/log").verifier.vkey)

    def test_a_replaced_key_alone_makes_no_bundle_that_covers_its_replacement(self, both: Both) -> None:
        log, item = log_of()
        log.retire()
        forged = bundle(log, item, key(1), successions=log.successions())
        both.refuse(forged, vkey(1), match="did not sign it")
        both.refuse(forged, match="did not sign it")

    def test_the_succession_is_not_believed_on_the_new_keys_word(self, both: Both) -> None:
        """A stranger makes a log of the same name and says that its key follows the one that the reader knows."""
        log, item = log_of(rotations=0)
        said = succession_of(key(1), key(9), 1)
        log.replace(key(9), note=notes.sign(said.text, [key(9)]))
        log.retire()
        both.refuse(bundle(log, item), vkey(1), match=r"succession\.json")

    def test_an_old_bundle_holds_for_ever_with_the_succession(self, both: Both) -> None:
        log, item = log_of(rotations=0)
        old = bundle(log, item)
        log.replace(key(2))
        log.retire()
        log.grow(3)
        chain = log.successions()
        both.refuse(old, vkey(2))
        assert both.take(old, vkey(2), chain=chain).signers == (key(1).verifier,)
        assert both.take(old, vkey(1)).pinned, "and as ever with its own key"
        both.refuse(old, vkey(3), chain=chain)

    def test_what_a_replaced_key_signs_later_is_refused_to_those_who_know(self, both: Both) -> None:
        log, item = log_of()
        log.retire()
        forged = bundle(log, item, key(1), successions=b"")
        both.take(forged, vkey(1))  # to somebody who knows nothing of the succession it looks like any other
        for number in (1, 2):
            both.refuse(forged, vkey(number), chain=log.successions(), match="did not sign it")

    def test_a_saved_proof_holds_with_a_key_before_or_after_its_own(self, both: Both) -> None:
        log, item = log_of()
        log.retire()
        saved = {path: base64_text(held) for path, held in log.files().items()}
        saved["checkpoint"] = log.signed().decode()
        data = json.dumps({"object": "saved_proof", "proofs": log.proofs(item), "log": saved}).encode()
        both.take(data, vkey(2))
        both.refuse(data, vkey(1))
        both.take(data, vkey(1), chain=log.successions())

    def test_an_ml_dsa_key_that_the_reader_gives_is_not_taken_for_a_witness(self, both: Both) -> None:
        log, item = log_of(rotations=0)
        known = [each.verifier for each in WITNESSES]
        rule = policy.quorum_of(2, logs=[key(1).verifier, LATE.verifier], witnesses=known)
        whole = dataclasses.replace(made(log, item), policy=rule)
        data = evidence.write_bundle(whole, sign=lambda text: notes.sign(text, [key(1)]))
        assert both.take(data, vkey(1), LATE.verifier.vkey).witnesses == ("w1.example", "w2.example")


def without(path: str) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        del files[path]

    return change


def archived_of(log: KeyedLog, size: int, note: bytes | None = None) -> archive.Archived:
    path = tree.consistency_path(size, len(log.leaves), log.read)
    return archive.Archived(log.archived(size) if note is None else note, tuple(path))


class TestArchive:
    def test_a_bundle_shows_which_entries_the_archive_checkpoint_covers(self) -> None:
        log, item = log_of()
        report = verify_bundle(bundle(log, item, archived=archived_of(log, 28)), vkeys=[vkey(1), LATE.verifier.vkey])
        said = f"first 28 entries, signed as well with the ML-DSA-44 key {LATE.verifier.key_id.hex()}"
        assert any(said in words for words in report.words)
        assert not any("ML-DSA" in words for words in verify_bundle(bundle(log, item)).words)

    def test_what_is_no_archive_checkpoint_of_this_log_is_refused(self) -> None:
        log, item = log_of()
        other, _ = log_of()
        other.leaves[3] = tree.leaf_hash(b"forged")
        stranger = signer("other.example/log", keys.SignatureType.COSIGNATURE_MLDSA44)
        good = archived_of(log, 28)
        torn = bytearray(good.note)
        torn[-40] = ord("A") if torn[-40] != ord("A") else ord("B")
        for bad in (
            archived_of(other, 28),
            archived_of(log, 28, log.signed(28)),  # not signed with ML-DSA-44
            archived_of(log, 28, log.signed(28, LATE)),  # with nothing else
            archived_of(log, 28, log.signed(28, key(1), stranger)),
            archived_of(log, 28, log.signed(28, key(1), LATE)),  # by a key that had been replaced
            archived_of(log, 28, bytes(torn)),
            dataclasses.replace(good, path=good.path[:-1]),
            dataclasses.replace(good, path=(*good.path, bytes(32))),
        ):
            with pytest.raises(ProofFailed, match=r"archive\.note"):
                verify_bundle(bundle(log, item, archived=bad))
        whole = bundle(log, item, archived=good)
        for gone in (archive.NOTE, archive.CONSISTENCY):
            with pytest.raises(ProofFailed):
                verify_bundle(resigned(log, whole, without(gone)))

    def test_each_day_keeps_its_first(self, tmp_path: Path) -> None:
        log, _ = log_of()
        now = dt.datetime(2026, 11, 25, 23, 59, 59, tzinfo=dt.UTC)
        for size, at in ((20, now), (21, now), (22, now + dt.timedelta(seconds=1))):
            head = notes.open_checkpoint(log.signed(size), logs=[key(2).verifier]).checkpoint
            archive.keep(tmp_path, head, signers=log.signing, archive=LATE, now=at)
        assert archive.days(tmp_path) == ["2026-11-26", "2026-11-25"]
        plain = [each.verifier for each in log.signing]
        for day, size in (("2026-11-25", 20), ("2026-11-26", 22)):
            signed = archive.open_archived(archive.read(tmp_path, day), logs=plain, archive=[LATE.verifier])
            assert (archive.day_of(signed), signed.checkpoint.size) == (day, size)
            assert {each.verifier for each in signed.note.verified} == {*plain, LATE.verifier}
            assert signed.checkpoint.origin == ORIGIN


def test_each_entry_is_an_opened_entry_that_can_be_checked_alone() -> None:
    log, _ = log_of()
    entry = msgspec.json.decode(log.successions(), type=succession.Successions).entries[0]
    report = offline.verify_entry(msgspec.json.encode(entry), vkeys=[vkey(2)])
    assert f"to {vkey(2)}" in report.said
