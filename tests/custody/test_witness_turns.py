"""The worker asks witnesses beside its other work: one that keeps the line open delays nobody."""

from __future__ import annotations

import dataclasses
import shutil
import socket
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.custody.test_sequencer import quiet
from tests.scanner import Scanner, event, new_number, until

from parcelward.base import config
from parcelward.custody.files import LogFiles
from parcelward.custody.keys import SignatureType, Signer, key_name
from parcelward.doors.console import work_command
from parcelward.parcels import follows


@pytest.fixture
def silent() -> Iterator[tuple[str, list[socket.socket]]]:
    """A witness that takes the request and never answers: its setting, and who has called."""
    callers: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    callers.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        vkey = Signer(key_name("silent.example"), SignatureType.COSIGNATURE, bytes(32)).verifier.vkey
        yield f"{vkey}=http://127.0.0.1:{server.getsockname()[1]}", callers
        for caller in callers:
            caller.close()


def test_a_silent_witness_delays_no_follower(
    installation: Any,
    facilities: Any,
    silent: tuple[str, list[socket.socket]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    setting, callers = silent
    Scanner(installation).send(event(new_number(), "accepted"))
    quiet()
    shutil.copytree(installation.home / "log", tmp_path / "log", ignore=shutil.ignore_patterns(".*"))
    settings = dataclasses.replace(config.get(), witnesses=(setting,), witness_quorum=1)
    followed: list[float] = []
    monkeypatch.setattr(config, "get", lambda: settings)

    def catch_up() -> int:
        followed.append(time.monotonic())
        return 0

    monkeypatch.setattr(follows, "catch_up", catch_up)
    monkeypatch.setattr(work_command, "HOUSEKEEPING_S", float("inf"))  # none: its first round may take seconds
    stop = threading.Event()
    with LogFiles(tmp_path / "log") as files:
        held: list[Any] = [types.SimpleNamespace(files=files)]
        threads = [
            threading.Thread(target=work_command._ask_witnesses, args=(stop, held), daemon=True),
            threading.Thread(target=work_command._follow, args=(stop,), daemon=True),
        ]
        for thread in threads:
            thread.start()
        until(callers.copy)
        asked, before = time.monotonic(), len(followed)
        until(lambda: len(followed) >= before + 5)
        assert time.monotonic() - asked < 8, "the followers waited for the witness"
        assert threads[0].is_alive()
        stop.set()
        for caller in callers:
            caller.close()
        for thread in threads:
            thread.join(15)
