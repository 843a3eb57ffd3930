"""The log's files when their writer is killed: nothing acknowledged is lost, and the lock is free again."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.custody import slow_tree

from parcelward.custody import tree
from parcelward.custody.errors import LogInUse
from parcelward.custody.files import LogFiles

WRITER = """
import hashlib, sys
from parcelward.custody.files import LogFiles
files = LogFiles(sys.argv[1])
while True:
    start = files.size
    count = 1 + start % 700
    packed = b"".join(hashlib.sha256(b"leaf killed %d" % i).digest() for i in range(start, start + count))
    files.append(packed)
    print(files.size, flush=True)
"""


def test_kill_at_any_instant_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """The writer is killed eight times; each next one goes on where the files end, as a sequencer would not even do."""
    dice = random.Random(20_260_101)
    acknowledged = 0
    for _ in range(8):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        first = writer.stdout.readline()
        time.sleep(dice.random() * 0.05)
        writer.kill()
        said = [first, *writer.stdout.read().split("\n")[:-1]]
        writer.stdout.close()
        writer.wait()
        acknowledged = int(said[-1])
        with LogFiles(tmp_path) as files:
            assert files.size >= acknowledged
            leaves = [tree.leaf_hash(b"\x01" + each) for each in slow_tree.leaves_of(files.size, "killed ")]
            assert files.root() == tree.root(len(leaves), slow_tree.StoredTree(leaves))
            files.check()
            files.truncate(acknowledged)
            assert files.root() == tree.root(acknowledged, slow_tree.StoredTree(leaves[:acknowledged]))
    assert acknowledged > 0


def test_a_dead_writers_lock_is_free_again(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    with pytest.raises(LogInUse):
        LogFiles(tmp_path)
    writer.kill()
    writer.stdout.close()
    writer.wait()
    LogFiles(tmp_path).close()
