"""Secrets in a file of strict rights, several versions of each: one a line, oldest first.

    <version> <when made, ISO 8601> <32 bytes in base64>

A line that is 32 bytes in hexadecimal alone is a secret from before there were versions: the first one.
A file is read again when it changed, so no process needs a restart. Only the service's user may read it: looser rights
are refused, with what to type.
"""

from __future__ import annotations

import base64
import datetime as dt
import fcntl
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from parcelward.base.config import BadSetting
from parcelward.custody.durable import write_file
from parcelward.privacy.cipher import KEY_BYTES
from parcelward.privacy.errors import KeysAway

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_BEFORE_VERSIONS: Final = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a secret. Its `repr` shows nothing of it."""

    number: int
    made_at: dt.datetime
    secret: bytes = field(repr=False)


class KeyFile:
    """A versioned secret in a file. `in_use` says whether something was made with it already.

    Raises BadSetting when others may read the file, and KeysAway when it is gone or broken though it is in use: a new
    secret would open nothing that was closed with the lost one.
    """

    def __init__(self, path: Path, *, in_use: Callable[[], bool]) -> None:
        self._path = path
        self._in_use = in_use
        self._seen: tuple[int, int, int] | None = None
        self._versions: dict[int, Version] = {}

    def versions(self) -> dict[int, Version]:
        """Return all versions by number, making the first one where there was never any."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._make_first()
            found = self._path.stat()
        mark = (found.st_mtime_ns, found.st_ino, found.st_size)
        if mark != self._seen:
            if stat.S_IMODE(found.st_mode) & _OTHERS:
                raise BadSetting(f"others may read {self._path}: run `chmod 600 {self._path}`, and see who could")
            self._versions, self._seen = self._read(), mark
        return self._versions

    def newest(self) -> Version:
        """Return the version that new things are made with."""
        known = self.versions()
        return known[max(known)]

    def add(self, *, now: dt.datetime) -> Version:
        """Make one version more, durable."""
        with self._turn():
            known = self.versions()
            made = Version(max(known) + 1, now, secrets.token_bytes(KEY_BYTES))
            self._write({**known, made.number: made})
        return made

    def remove(self, number: int) -> None:
        """Take a version out of the file; whoever asks has seen that nothing uses it."""
        with self._turn():
            self._write({n: each for n, each in self.versions().items() if n != number})

    def _make_first(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._turn():
            if self._path.exists():
                return
            if self._in_use():
                raise KeysAway(
                    f"keys/{self._path.name} is not here, and what is kept was closed with it: copy it from the backup"
                )
            self._write({1: Version(1, dt.datetime.now(dt.UTC), secrets.token_bytes(KEY_BYTES))})

    def _turn(self) -> _Turn:
        return _Turn(self._path.with_name(f".{self._path.name}.lock"))

    def _read(self) -> dict[int, Version]:
        try:
            read = [_parsed(line.split()) for line in self._path.read_text().splitlines() if line.strip()]
            found = {each.number: each for each in read}
        except (ValueError, TypeError, OSError):
            found = {}
        if not found or any(len(each.secret) != KEY_BYTES for each in found.values()):
            raise KeysAway(f"keys/{self._path.name} is not as it was written: copy it from the backup")
        return found

    def _write(self, versions: dict[int, Version]) -> None:
        lines = [
            f"{each.number} {each.made_at.isoformat()} {base64.b64encode(each.secret).decode()}\n"
            for _, each in sorted(versions.items())
        ]
        write_file(self._path, "".join(lines).encode(), mode=0o600)
        self._seen = None


def _parsed(words: list[str]) -> Version:
    if len(words) == 1:
        return Version(1, _BEFORE_VERSIONS, bytes.fromhex(words[0]))
    number, made_at, secret = words
    return Version(int(number), dt.datetime.fromisoformat(made_at), base64.b64decode(secret, validate=True))


class _Turn:
    """Lets one process at a time write a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
