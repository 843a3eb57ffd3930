"""A copy of the log only grows, is believed by its hashes alone, and refuses another history."""

from __future__ import annotations

import os
import random
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelward.custody import log_copy, notes, tiles
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import BadNote, LogDiverged, NotInLog
from parcelward.custody.files import CHECKPOINT, LogFiles
from parcelward.custody.keys import SignatureType, Signer, key_name

ORIGIN = "copy.example/log"
SIGNER = Signer(key_name(ORIGIN), SignatureType.ED25519, bytes(range(32)))
STRANGER = Signer(key_name(ORIGIN), SignatureType.ED25519, bytes(32))
LOGS = [SIGNER.verifier]


class Log:
    """A log of random entries."""

    def __init__(self, folder, seed=0):
        self.files = LogFiles(folder)
        self.random = random.Random(seed)

    def grow(self, count):
        if count:
            self.files.append(self.random.randbytes(32 * count))
        self.files.publish(CHECKPOINT, self.note())

    def note(self, signer=SIGNER):
        return notes.sign(Checkpoint(ORIGIN, self.files.size, self.files.root()).text, [signer])

    @property
    def source(self):
        return log_copy.Here(self.files)


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path / "log")
    yield made
    made.files.close()


def all_of(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@given(steps=st.lists(st.sampled_from([0, 1, 2, 200, 255, 256, 257, 513]), min_size=1, max_size=4))
def test_a_copy_has_every_tile_that_the_log_serves_however_it_grew(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("copy")
    log = Log(folder / "log")
    try:
        for count in steps:
            log.grow(count)
            log_copy.copy(folder / "copy", log.source, LOGS)
        size = log.files.size
        for address in [*tiles.tiles_of(size), *(tiles.tile_for(None, i, size) for i in range(-(-size // 256)))]:
            given = log.files.tile(address.level, address.index, address.width) if address.level is not None else None
            bundle = log.files.entry_bundle(address.index, address.width) if given is None else given
            assert (folder / "copy" / address.path).read_bytes() == bundle, address.path
        if size:
            report = log_copy.verify(folder / "copy", LOGS)
            assert (report.size, report.forks) == (size, 0)
    finally:
        log.files.close()
        shutil.rmtree(folder)


def test_seventy_thousand_entries_fill_a_tile_of_the_second_level(log, tmp_path):
    log.grow(40_000)
    log_copy.copy(tmp_path / "copy", log.source, LOGS)
    log.grow(30_000)
    said = log_copy.copy(tmp_path / "copy", log.source, LOGS)
    assert (said.before, said.size) == (40_000, 70_000)
    assert (tmp_path / "copy" / "tile" / "1" / "000").read_bytes() == log.files.tile(1, 0)
    assert log_copy.verify(tmp_path / "copy", LOGS).checkpoints == 2


def test_copying_twice_changes_nothing_and_what_is_full_is_never_written_again(log, tmp_path):
    log.grow(300)
    log_copy.copy(tmp_path / "copy", log.source, LOGS)
    before = all_of(tmp_path / "copy")
    assert log_copy.copy(tmp_path / "copy", log.source, LOGS).before == 300
    assert all_of(tmp_path / "copy") == before
    log.grow(300)
    log_copy.copy(tmp_path / "copy", log.source, LOGS)
    after = all_of(tmp_path / "copy")
    kept = [name for name in before if name not in {"checkpoint", "vkey"}]
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


@pytest.mark.parametrize("entries", [299, 300, 301, 900])
def test_another_history_is_refused_proven_and_changes_nothing(log, tmp_path, entries):
    log.grow(300)
    log_copy.copy(tmp_path / "copy", log.source, LOGS)
    before = all_of(tmp_path / "copy")
    other = Log(tmp_path / "other", seed=1)
    other.grow(entries)
    try:
        with pytest.raises(log_copy.Forked, match=r"another history|other entries"):
            log_copy.copy(tmp_path / "copy", other.source, LOGS)
        note = other.note()
    finally:
        other.files.close()
    after = all_of(tmp_path / "copy")
    forks = {name: data for name, data in after.items() if name not in before}
    assert {name: after[name] for name in before} == before
    assert list(forks.values()) in ([note], [])
    log.grow(5)
    assert log_copy.copy(tmp_path / "copy", log.source, LOGS).size == 305, "the right one goes on"


def test_a_log_that_differs_only_far_back_is_refused(log, tmp_path):
    log.grow(1_000)
    log_copy.copy(tmp_path / "copy", log.source, LOGS)
    entries = log.files.commitments(0, 1_000)
    changed = Log(tmp_path / "other")
    changed.files.append(os.urandom(32) + entries[32:])
    changed.grow(300)
    try:
        with pytest.raises(log_copy.Forked, match="does not give the root"):
            log_copy.copy(tmp_path / "copy", changed.source, LOGS)
    finally:
        changed.files.close()
    assert len(list((tmp_path / "copy").glob("fork-1300-*"))) == 1
    assert log_copy.verify(tmp_path / "copy", LOGS).forks == 1
    log.grow(300)
    assert log_copy.copy(tmp_path / "copy", log.source, LOGS).size == 1_300


def test_nobody_elses_signature_will_do(log, tmp_path):
    log.grow(3)
    log.files.publish(CHECKPOINT, log.note(STRANGER))
    with pytest.raises(BadNote):
        log_copy.copy(tmp_path / "copy", log.source, LOGS)
    assert not (tmp_path / "copy" / "checkpoint").exists()


def test_a_source_that_lies_about_entries_poisons_nothing(log, tmp_path):
    log.grow(600)

    class Liar(log_copy.Here):
        def tile(self, address):
            data = bytearray(super().tile(address))
            data[40] ^= 1
            return bytes(data)

    with pytest.raises(log_copy.Forked):
        log_copy.copy(tmp_path / "copy", Liar(log.files), LOGS)
    assert not (tmp_path / "copy" / "tile").exists()
    log_copy.copy(tmp_path / "copy", log.source, LOGS)
    log_copy.verify(tmp_path / "copy", LOGS)


@pytest.mark.parametrize("name", ["tile/0/000", "tile/entries/000", "tile/0/002.p/88", "tile/entries/001"])
def test_a_copy_that_was_changed_does_not_verify(log, tmp_path, name):
    log.grow(600)
    log_copy.copy(tmp_path / "copy", log.source, LOGS)
    path = tmp_path / "copy" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(LogDiverged):
        log_copy.verify(tmp_path / "copy", LOGS)
    path.unlink()
    with pytest.raises(NotInLog, match="lacks"):
        log_copy.verify(tmp_path / "copy", LOGS)


def test_a_killed_copy_is_finished_by_the_next(log, tmp_path):
    log.grow(600)
    log_copy.copy(tmp_path / "copy", log.source, LOGS)
    log.grow(600)
    # Killed between the tiles' renames: some are in place, the checkpoint is the old one.
    other = tmp_path / "whole"
    shutil.copytree(tmp_path / "copy", other)
    log_copy.copy(other, log.source, LOGS)
    (tmp_path / "copy" / ".new").mkdir()
    for name in ("tile/0/002", "tile/entries/002"):
        shutil.copy(other / name, tmp_path / "copy" / name)
    assert log_copy.copy(tmp_path / "copy", log.source, LOGS).size == 1_200
    assert log_copy.verify(tmp_path / "copy", LOGS).size == 1_200
    assert not (tmp_path / "copy" / ".new").exists()


def test_what_was_restored_is_compared_with_the_copy(log, tmp_path):
    log.grow(500)
    log_copy.copy(tmp_path / "copy", log.source, LOGS)
    assert log_copy.contradiction(log.files, tmp_path / "copy", LOGS) == ""
    short = Log(tmp_path / "short")
    short.grow(400)
    other = Log(tmp_path / "other", seed=7)
    other.grow(600)
    try:
        assert "the copy has 500 entries, and what was restored 400" in log_copy.contradiction(
            short.files, tmp_path / "copy", LOGS
        )
        assert "are others" in log_copy.contradiction(other.files, tmp_path / "copy", LOGS)
    finally:
        short.files.close()
        other.files.close()
