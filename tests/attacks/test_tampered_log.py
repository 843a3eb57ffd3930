"""A log whose files were cut, edited or swapped: the sequencer refuses to start, says what differs, changes nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil

import pytest
from tests.attacks.untouched import untouched
from tests.scanner import Scanner, event, until

from parcelward.base import config
from parcelward.custody import checkpoints, notes
from parcelward.custody.actions import Sequencer
from parcelward.custody.errors import LogDiverged
from parcelward.custody.keyring import log_signer
from parcelward.custody.models import LogState, PendingBatch

pytestmark = pytest.mark.asvs("16.4.2")


@pytest.fixture
def copied(installation, facilities, number, tmp_path):
    """Return settings whose log is a copy of the installation's, as long as its database says."""
    scanner = Scanner(installation)
    scanner.send(*(event(number, "accepted", minutes=n) for n in range(5)))
    settings = dataclasses.replace(config.get(), home=tmp_path)

    def copy():
        if PendingBatch.objects.exists():
            return False
        shutil.rmtree(settings.log_folder, ignore_errors=True)
        shutil.copytree(config.get().log_folder, settings.log_folder, ignore=shutil.ignore_patterns(".*"))
        entries = (settings.log_folder / "entries").stat().st_size // 32
        signed = int((settings.log_folder / "checkpoint").read_text().split("\n")[1])  # written after its entries
        return entries == signed == LogState.objects.get(id=1).size and not PendingBatch.objects.exists()

    until(copy)
    shutil.copytree(config.get().home / "keys", tmp_path / "keys")
    return settings


def everything(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.name != "lock"}


def refuses(settings, differs):
    with untouched(), pytest.raises(LogDiverged) as caught:
        Sequencer(settings).close()
    assert caught.value.differs == differs
    assert str(caught.value).endswith("."), "a sentence for people"
    return caught.value


def edit(path, at, data):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def test_an_untouched_copy_is_taken(copied):
    before = everything(copied.log_folder)
    Sequencer(copied).close()
    assert everything(copied.log_folder) == before


def test_a_cut_log_is_refused(copied):
    entries = copied.log_folder / "entries"
    size = entries.stat().st_size // 32
    with entries.open("r+b") as file:
        file.truncate((size - 2) * 32)
    before = entries.read_bytes()
    assert refuses(copied, "entries").first == size - 2
    assert entries.read_bytes() == before


def test_an_edited_entry_is_refused_and_named(copied):
    entries = copied.log_folder / "entries"
    at = entries.stat().st_size // 32 - 3
    edit(entries, at * 32, b"forged")
    assert refuses(copied, "level0").first == at


def test_an_entry_edited_with_its_hash_is_refused_by_the_root(copied):
    entries, level0 = copied.log_folder / "entries", copied.log_folder / "level0"
    at = entries.stat().st_size // 32 - 1
    edit(entries, at * 32, bytes(32))
    edit(level0, at * 32, hashlib.sha256(b"\x00\x01" + bytes(32)).digest())
    refuses(copied, "root" if (at + 1) % 256 else "level1")  # the last of a full tile has its hash one level up


def test_a_checkpoint_for_more_than_the_database_knows_is_refused(copied):
    """As after restoring an old backup of the database: what was signed for cannot be cut away."""
    size = LogState.objects.get(id=1).size
    text = checkpoints.Checkpoint(copied.origin, size + 1, bytes(32)).text
    (copied.log_folder / "checkpoint").write_bytes(notes.sign(text, [log_signer(copied)]))
    refuses(copied, "checkpoint")


def test_a_checkpoint_with_another_root_is_refused(copied):
    size = LogState.objects.get(id=1).size
    text = checkpoints.Checkpoint(copied.origin, size, bytes(32)).text
    (copied.log_folder / "checkpoint").write_bytes(notes.sign(text, [log_signer(copied)]))
    refuses(copied, "checkpoint")


def test_another_logs_name_is_refused(copied):
    refuses(dataclasses.replace(copied, origin="elsewhere.example/log"), "origin")
