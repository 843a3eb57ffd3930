"""Whom backups are encrypted for: public keys in files of the home, one a line. Changes are entries of the log.

home/backup-keys             for every set
home/backup-keys.<kind>      for sets of this kind instead, where somebody else is to open those
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from django.db import transaction

from parcelward.base import config
from parcelward.base.backups.recipients import RECIPIENTS_MAX, PublicKey, parse_public
from parcelward.base.errors import Conflict, NotFound
from parcelward.custody import backing_up
from parcelward.custody.backup_note import replace_file

TRUSTED_FILE: Final = "backup-keys"


def files(settings: config.Config) -> list[Path]:
    """Return the files that there are."""
    return sorted(settings.home.glob(f"{TRUSTED_FILE}*"))


def listed(settings: config.Config, kind: str = "") -> list[PublicKey]:
    """Return whom sets of a kind are for, or what is said for all; none before somebody named one."""
    own = _path(settings, kind)
    return _read(own if own.exists() else _path(settings, ""))


def trust(settings: config.Config, text: str, *, by: int, kind: str = "") -> str:
    """Encrypt for this key, too; return its id. Doing it twice changes nothing."""
    key, known = parse_public(text), _read(_path(settings, kind))
    if key in known:
        return key.id.hex()
    if len(known) >= RECIPIENTS_MAX:
        raise Conflict(f"Backups are encrypted for at most {RECIPIENTS_MAX} keys: distrust one first")
    _write(settings, kind, [*known, key], changed=key.id.hex(), trusted=True, by=by)
    return key.id.hex()


def distrust(settings: config.Config, key_id: str, *, by: int, kind: str = "") -> None:
    """Encrypt for this key no more. Raises NotFound for an unknown one, Conflict for the last."""
    known = _read(_path(settings, kind))
    left = [key for key in known if key.id.hex() != key_id]
    if left == known:
        raise NotFound("Backups are not encrypted for a key of this id")
    if not left and not kind:
        raise Conflict("This is the only key that backups are encrypted for: trust its successor first")
    _write(settings, kind, left, changed=key_id, trusted=False, by=by)


def _path(settings: config.Config, kind: str) -> Path:
    return settings.home / (f"{TRUSTED_FILE}.{kind}" if kind else TRUSTED_FILE)


def _read(path: Path) -> list[PublicKey]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [parse_public(line) for line in lines if line.strip() and not line.startswith("#")]


def _write(settings: config.Config, kind: str, keys: list[PublicKey], *, changed: str, trusted: bool, by: int) -> None:
    path = _path(settings, kind)
    with transaction.atomic():  # no key takes effect without its entry
        backing_up.record_trust(changed, what=kind or "all", trusted=trusted, by=by)
        if keys:
            replace_file(path, "".join(f"{key.text}\n" for key in keys).encode())
        else:
            path.unlink()
