"""Two independent witnesses, as processes of their own, see the log only grow; a forked log gets at most one."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import subprocess
import sys

import httpx
import pytest
from tests.scanner import until

from parcelward.base import config
from parcelward.custody import checkpoints, keys, notes, witnessing
from parcelward.custody.files import CHECKPOINT, CHECKPOINT_WITNESSED, LogFiles

ORIGIN = "forked.example/log"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def signer():
    return keys.Signer(keys.key_name(ORIGIN), keys.SignatureType.ED25519, os.urandom(32))


@contextlib.contextmanager
def started(signer, folders):
    """Run a witness in each folder; give them as PARCELWARD_WITNESSES would name them."""
    with contextlib.ExitStack() as stack:
        found = []
        for n, folder in enumerate(folders, start=1):
            port = free_port()
            argv = [sys.executable, "-m", "parcelward.doors.console", "witness", "--port", str(port)]
            argv += ["--folder", str(folder), "--name", f"w{n}.example", "--log", signer.verifier.vkey]
            process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 10)
            stack.callback(process.terminate)
            url = f"http://127.0.0.1:{port}"

            def vkey(url: str = url) -> str:
                with contextlib.suppress(httpx.HTTPError):
                    return httpx.get(f"{url}/vkey", timeout=2).text.strip()
                return ""

            found.append(f"{until(vkey, seconds=60)}={url}")
        yield tuple(found)


@pytest.fixture(scope="module")
def witnesses(signer, tmp_path_factory):
    with started(signer, [tmp_path_factory.mktemp("witness") for _ in range(2)]) as names:
        yield names


class Log:
    """A log of our own that we can fork: same name, same key, other entries."""

    def __init__(self, folder, signer, witnesses):
        self.files, self.signer = LogFiles(folder), signer
        self.settings = dataclasses.replace(config.get(), witnesses=witnesses, witness_quorum=2, origin=ORIGIN)

    def grow(self, commitments: bytes) -> None:
        self.files.append(commitments)
        text = checkpoints.Checkpoint(ORIGIN, self.files.size, self.files.root()).text
        self.files.publish(CHECKPOINT, notes.sign(text, [self.signer]))

    def ask(self, *, only: int | None = None) -> int:
        settings = self.settings
        if only is not None:
            settings = dataclasses.replace(settings, witnesses=(settings.witnesses[only],))
        return witnessing.ask_all(settings, self.files)

    def witnessed(self) -> int:
        """Return the size that both witnesses cosigned, checked with their keys."""
        note = self.files.published(CHECKPOINT_WITNESSED)
        if note is None:
            return 0
        known = [keys.parse_vkey(each.partition("=http")[0]) for each in self.settings.witnesses]
        signed = notes.open_checkpoint(note, logs=[self.signer.verifier], witnesses=known)
        assert len(signed.verified_by(known)) == 2
        return signed.checkpoint.size


def test_both_witnesses_follow_the_log_and_a_fork_gets_at_most_one(signer, witnesses, tmp_path):
    shared = os.urandom(32 * 300)
    log, fork = (Log(tmp_path / name, signer, witnesses) for name in ("log", "fork"))
    log.grow(shared)
    assert log.ask() == 2
    assert log.witnessed() == 300
    log.grow(os.urandom(32 * 45))
    assert log.ask() == 2
    assert log.witnessed() == 345
    assert log.ask() == 0, "nothing is new, so nobody is asked"

    fork.grow(shared + os.urandom(32 * 45))
    fork.grow(os.urandom(32 * 10))
    assert fork.ask() == 0, "both have seen another history"
    assert fork.witnessed() == 0


def test_a_fork_shown_to_each_separately_is_never_witnessed(signer, witnesses, tmp_path):
    left, right = (Log(tmp_path / name, signer, witnesses) for name in ("left", "right"))
    for log in (left, right):
        log.grow(os.urandom(32 * 400))
    # Both witnesses already hold the log of the story before, so neither new history may get a cosignature at all.
    assert left.ask(only=0) + right.ask(only=1) + left.ask(only=1) + right.ask(only=0) == 0
    assert left.witnessed() == right.witnessed() == 0


def test_two_histories_from_the_start_get_one_witness_each_and_no_quorum(tmp_path):
    signer = keys.Signer(keys.key_name(ORIGIN), keys.SignatureType.ED25519, os.urandom(32))
    with started(signer, [tmp_path / "w1", tmp_path / "w2"]) as names:
        left, right = (Log(tmp_path / name, signer, names) for name in ("left", "right"))
        for log in (left, right):
            log.grow(os.urandom(32 * 20))
        assert (left.ask(only=0), right.ask(only=1)) == (1, 1)
        assert (left.ask(only=1), right.ask(only=0)) == (0, 0)
        assert left.witnessed() == right.witnessed() == 0
