"""The secret that signs sessions and the like, and those before it, which are still believed for a time.

    home/keys/django          the one that signs (0600)
    home/keys/django-others   JSON: others that are believed, each until a time: those before it, and during a rotation
                              the next one, so that no process meets a signature whose key it has not heard of

Every process looks at the files once a second, so nothing is restarted and nobody is signed out.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from parcelward.base import db

NAME: Final = "django"
OTHERS: Final = "django-others"
LOOK_EVERY_S: Final = 1.0
HEARD_AFTER_S: Final = 3.0
"""By then every process has looked: three times as long as between two looks."""
OVERLAP: Final = dt.timedelta(days=30)
"""As long as answers to Idempotency-Keys are kept (people/once.py); sessions end long before."""


class Other(msgspec.Struct, frozen=True):
    """A secret that is believed and does not sign."""

    secret: str
    until: dt.datetime


@dataclass(slots=True)
class _Seen:
    looked_at: float
    files: tuple[int, int]


_seen = _Seen(float("-inf"), (0, 0))


def read(home: Path, now: dt.datetime) -> tuple[str, list[str]]:
    """Return the secret that signs, made at the first start, and the others that are believed now."""
    signs = db.secret_file(home / "keys" / NAME, lambda: secrets.token_urlsafe(64))
    return signs, [each.secret for each in others(home) if each.until > now and each.secret != signs]


def others(home: Path) -> list[Other]:
    """Return the other secrets, those whose time is over included."""
    try:
        return msgspec.json.decode((home / "keys" / OTHERS).read_bytes(), type=list[Other])
    except FileNotFoundError:
        return []


def refresh(home: Path) -> bool:
    """Let this process know what the files say; looks once a second at most. Return whether anything was new."""
    now = time.monotonic()
    if now - _seen.looked_at < LOOK_EVERY_S:
        return False
    _seen.looked_at = now
    files = (_changed(home / "keys" / NAME), _changed(home / "keys" / OTHERS))
    if files == _seen.files:
        return False
    from django.conf import settings  # noqa: PLC0415 -- the settings import this file

    _seen.files = files
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = read(home, dt.datetime.now(dt.UTC))
    return True


def announce(home: Path, *, now: dt.datetime, overlap: dt.timedelta) -> str:
    """Make the next secret and let everybody believe it; return it. It signs nothing yet."""
    made = secrets.token_urlsafe(64)
    _write(home, OTHERS, msgspec.json.encode([*_living(home, now), Other(made, now + overlap)]))
    return made


def promote(home: Path, made: str, *, now: dt.datetime, overlap: dt.timedelta) -> None:
    """Let the announced secret sign; the one before is believed until the overlap ends."""
    before = (home / "keys" / NAME).read_text().strip()
    after = [*(each for each in _living(home, now) if each.secret != made), Other(before, now + overlap)]
    _write(home, OTHERS, msgspec.json.encode([*after, Other(made, now + OVERLAP)]))
    _write(home, NAME, f"{made}\n".encode())
    _write(home, OTHERS, msgspec.json.encode(after))


def end_others(home: Path) -> None:
    """Believe none but the one that signs, from now on."""
    _write(home, OTHERS, msgspec.json.encode([]))


def _living(home: Path, now: dt.datetime) -> list[Other]:
    return [each for each in others(home) if each.until > now]


def _write(home: Path, name: str, data: bytes) -> None:
    """Replace a file: after a crash there is the old or the new, which only its owner can read."""
    folder = home / "keys"
    descriptor, mine = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    Path(mine).replace(folder / name)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _changed(path: Path) -> int:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0
    return found.st_mtime_ns ^ found.st_ino
