"""The log's entries made again from the database: all of them, or their end; never over what is there."""

from __future__ import annotations

import pytest
from tests.custody.test_sequencer import copied, flip, quiet
from tests.doors.test_bundle import console
from tests.scanner import Scanner, event, new_number

from parcelward.custody.actions import Sequencer
from parcelward.custody.errors import LogDiverged
from parcelward.custody.files import LogFiles
from parcelward.custody.models import LogBatch
from parcelward.custody.rebuilding import rebuild_entries

home = copied  # settings of a copy of the log's files and keys; the database is the installation's


@pytest.mark.parametrize("left", [0, 1, 7 * 32, 7 * 32 + 5])
def test_lost_entries_come_back_byte_for_byte(home, left):
    path, state = home.log_folder / "entries", quiet()
    honest = path.read_bytes()
    path.write_bytes(honest[:left])
    with pytest.raises(LogDiverged):
        Sequencer(home)
    told: list[int] = []
    assert rebuild_entries(home, tell=told.append) == state.size - left // 32 == sum(told)
    assert path.read_bytes() == honest
    Sequencer(home).close()
    assert rebuild_entries(home) == 0


@pytest.fixture(scope="module")
def batch(installation, facilities):
    """Return the log index of a batch of three entries."""
    Scanner(installation).send(*(event(new_number(), "accepted") for _ in range(3)))
    quiet()
    return LogBatch.objects.filter(n=3).latest("first_index").first_index


@pytest.mark.parametrize("more", [0, 1, 2])
def test_a_batch_of_which_a_part_is_lost_comes_back(batch, home, more):
    path = home.log_folder / "entries"
    honest = path.read_bytes()
    path.write_bytes(honest[: (batch + more) * 32])
    rebuild_entries(home)
    assert path.read_bytes() == honest


def test_all_files_but_the_keys_may_be_lost(home):
    state = quiet()
    for path in home.log_folder.glob("[el]*"):
        path.unlink()
    assert rebuild_entries(home) == state.size
    with LogFiles(home.log_folder) as files:
        files.check()
        assert files.root() == bytes(state.root)
    Sequencer(home).close()


def test_a_changed_entry_is_not_passed_over(home):
    path = home.log_folder / "entries"
    honest = path.read_bytes()
    flip(path, 32 * 3)
    path.write_bytes(path.read_bytes()[:-32])
    for level in home.log_folder.glob("level*"):
        level.unlink()
    with pytest.raises(LogDiverged) as caught:
        rebuild_entries(home)
    assert caught.value.differs == "root"
    path.unlink()
    rebuild_entries(home)
    assert path.read_bytes() == honest


def test_a_worker_that_holds_the_files_is_not_disturbed(installation, home):
    refused = console("rebuild", "--log")
    assert refused.returncode == 1
    assert "A worker holds the log's files: stop it" in refused.stderr
