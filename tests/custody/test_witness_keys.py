"""A witness and a log whose key is replaced: either key will do until it has learned which one follows which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.custody.sample_keys import KeyedLog, key, succession_of
from tests.custody.sample_log import ORIGIN

from parcelward.base.errors import Invalid
from parcelward.custody import notes, tree
from parcelward.custody.errors import ProofFailed, WitnessRefused
from parcelward.custody.keys import Signer
from parcelward.custody.witness import AddCheckpoint
from parcelward.custody.witness_server import WitnessState

NOW_S = 1_795_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "witness"


@pytest.fixture
def log() -> KeyedLog:
    log = KeyedLog()
    log.grow(10)
    return log


class Watched:
    """A witness's state, and how far it has seen the log."""

    def __init__(self, folder: Path, *vkeys: str) -> None:
        self.state = WitnessState(folder, name="w.example", log_vkeys=vkeys or (key(1).verifier.vkey,))

    def seen(self) -> int:
        held = self.state._seen.get(ORIGIN)
        return held.size if held else 0

    def ask(self, log: KeyedLog, *signers: Signer) -> None:
        old, size = self.seen(), len(log.leaves)
        path = tuple(tree.consistency_path(old, size, log.read)) if old else ()
        answer = self.state.add(AddCheckpoint(old, path, log.signed(None, *signers)).body, timestamp_s=NOW_S)
        (line,) = notes.parse_signatures(answer.decode())
        assert line.name == "w.example"
        assert self.seen() == size

    def refuse(self, log: KeyedLog, *signers: Signer) -> None:
        before = self.seen()
        with pytest.raises(WitnessRefused) as caught:
            self.ask(log, *signers)
        assert caught.value.answer_status == 403
        assert self.seen() == before


@pytest.fixture
def watched(folder: Path) -> Iterator[Watched]:
    found = Watched(folder)
    yield found
    found.state.close()


def test_one_that_knows_only_the_old_key_goes_on_while_both_sign(watched: Watched, log: KeyedLog) -> None:
    watched.ask(log)
    log.replace(key(2))
    watched.ask(log)
    log.grow(3)
    log.retire()
    watched.refuse(log)


def test_one_that_learned_goes_on_with_the_new_key_and_no_longer_believes_the_old(
    watched: Watched, log: KeyedLog
) -> None:
    watched.ask(log)
    log.replace(key(2))
    log.grow(3)
    watched.refuse(log, key(2))
    assert watched.state.learn(log.successions())
    assert not watched.state.learn(log.successions()), "nothing new"
    watched.refuse(log, key(1))
    watched.ask(log)
    log.grow(3)
    log.retire()
    watched.ask(log)


def test_what_was_learned_outlives_a_restart(folder: Path, log: KeyedLog) -> None:
    for number in (2, 3):
        log.replace(key(number))
        log.retire()
    first = Watched(folder)
    first.state.learn(log.successions())
    first.ask(log)
    first.state.close()
    again = Watched(folder)
    log.grow(2)
    again.refuse(log, key(1))
    again.refuse(log, key(2))
    again.ask(log)
    again.state.close()


def test_one_that_was_started_with_the_whole_of_vkey_takes_its_comments_for_what_they_are(
    folder: Path, log: KeyedLog
) -> None:
    log.replace(key(2))
    lines = f"# Keys of the log.\n# signed until yesterday: {key(3).verifier.vkey}\n{key(2).verifier.vkey}\n"
    watched = Watched(folder, *lines.splitlines())
    watched.ask(log, key(2))
    log.grow(1)
    watched.refuse(log, key(3))
    watched.state.close()


def test_nobody_but_the_known_key_teaches_a_successor(watched: Watched, log: KeyedLog) -> None:
    """A stranger's log of the same name, and one whose first key nobody here knows."""
    said = succession_of(key(1), key(9), 1)
    forged = KeyedLog()
    forged.grow(3)
    forged.replace(key(9), note=notes.sign(said.text, [key(9)]))
    with pytest.raises(Invalid):
        watched.state.learn(forged.successions())
    unknown = KeyedLog(signing=[key(8)], signer=key(8))
    unknown.grow(3)
    unknown.replace(key(9))
    assert not watched.state.learn(unknown.successions())
    assert watched.state.logs[ORIGIN] == (key(1).verifier,)
    with pytest.raises(Invalid):
        watched.state.learn(b"{}")


def test_what_was_learned_is_not_unlearned_for_another_branch(watched: Watched, log: KeyedLog) -> None:
    """The thief of a key that was replaced names a successor, too, and even one more."""
    log.replace(key(2))
    watched.state.learn(log.successions())
    thief = KeyedLog()
    thief.grow(3)
    thief.replace(key(8))
    assert not watched.state.learn(thief.successions())
    thief.replace(key(9))
    with pytest.raises(ProofFailed, match="in another way"):
        watched.state.learn(thief.successions())
    assert {each.public_key for each in watched.state.logs[ORIGIN]} == {
        each.verifier.public_key for each in (key(1), key(2))
    }
    watched.ask(log)
