"""The log's files in the hands of two threads: one appends, one publishes, and one gives them back."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from tests.custody.test_files import checkpoint, packed

from parcelward.custody import durable
from parcelward.custody.errors import LogInUse
from parcelward.custody.files import CHECKPOINT, CHECKPOINT_WITNESSED, LogFiles


def test_a_thread_that_publishes_waits_for_one_that_appends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writing, go_on, sync = threading.Event(), threading.Event(), os.fdatasync

    def slow(descriptor: int) -> None:
        writing.set()
        assert go_on.wait(10)
        sync(descriptor)

    with LogFiles(tmp_path) as files:
        files.append(packed(0, 300))
        monkeypatch.setattr(os, "fdatasync", slow)
        appending = threading.Thread(target=files.append, args=(packed(300, 400),), daemon=True)
        appending.start()
        assert writing.wait(10)
        threading.Timer(0.2, go_on.set).start()
        files.publish(CHECKPOINT_WITNESSED, checkpoint(300))  # on disk long ago: no reason to refuse it
        appending.join(10)
        assert files.published(CHECKPOINT_WITNESSED) == checkpoint(300)
        assert files.size == 400


def test_files_are_given_back_when_nobody_publishes_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a thread would go on with the numbers of closed files, which the next file that is opened gets."""
    writing, go_on, write = threading.Event(), threading.Event(), durable.write_file

    def slow(path: Path, data: bytes) -> None:
        writing.set()
        assert go_on.wait(10)
        write(path, data)

    files = LogFiles(tmp_path)
    files.append(packed(0, 300))
    monkeypatch.setattr(durable, "write_file", slow)
    publishing = threading.Thread(target=files.publish, args=(CHECKPOINT, checkpoint(300)), daemon=True)
    publishing.start()
    assert writing.wait(10)
    closing = threading.Thread(target=files.close, daemon=True)
    closing.start()
    closing.join(0.3)
    assert closing.is_alive(), "it did not wait"
    go_on.set()
    closing.join(10)
    publishing.join(10)
    assert (tmp_path / CHECKPOINT).read_bytes() == checkpoint(300)
    with pytest.raises(LogInUse):
        files.publish(CHECKPOINT, checkpoint(300))
