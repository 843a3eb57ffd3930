"""Let no set of the keys database grow old where backups are made: what was shredded would live on in the last one.

The worker does so every night, so that it does not hang on the next backup, which may never come. It knows the folders
that a backup of the keys was made in, and the one that WAL is shipped to.

home/backup-places    those folders, one a line
"""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from typing import Final

from parcelward.base import config
from parcelward.base.backups import sets
from parcelward.base.backups.errors import BadPlace
from parcelward.custody.backup_note import replace_file
from parcelward.doors.backups import wal

log = logging.getLogger(__name__)

PLACES_FILE: Final = "backup-places"
KEYS_KEPT: Final = dt.timedelta(days=6)
"""What is older goes in the next night, or with the next backup: none gets over 7 days old."""


def remember(settings: config.Config, folder: Path) -> None:
    """Note a folder that sets of the keys database lie in."""
    known = places(settings)
    if folder not in known:
        text = "".join(f"{each}\n" for each in [*known, folder])
        replace_file(settings.home / PLACES_FILE, text.encode())


def places(settings: config.Config) -> list[Path]:
    """Return the folders that sets of the keys database may lie in."""
    path = settings.home / PLACES_FILE
    noted = [Path(line) for line in path.read_text().splitlines()] if path.exists() else []
    shipped_to = [settings.wal_to[1].resolve()] if settings.wal_to else []
    return list(dict.fromkeys([*noted, *shipped_to]))


def forget_old(settings: config.Config, now: dt.datetime) -> list[str]:
    """Delete the sets of the keys database that are too old, also the last one; return their names. Safe to repeat.

    A folder that is not to be reached is tried again the next night, and said in the log until then.
    """
    gone: list[str] = []
    for folder in places(settings):
        try:
            gone += _forget(folder, now - KEYS_KEPT)
        except (BadPlace, OSError) as err:
            log.warning("old backups of the keys database are not deleted in one of their folders: %s", err)
    if gone:
        log.info("%d backups of the keys database were older than %d days and are deleted", len(gone), KEYS_KEPT.days)
    return gone


def _forget(folder: Path, before: dt.datetime) -> list[str]:
    if not (folder / sets.MARK).exists() or (folder / sets.MARK).read_text().strip() != "keys":
        raise BadPlace(f"{folder} is no folder for backups of the keys database any more, or is not to be reached.")
    with sets.alone(folder):  # or a backup is being made, which deletes them itself
        gone = sets.forget(folder, "keys", before=before)
        wal.forget(folder, "keys", older_than=before)
    if gone and not sets.complete(folder, "keys"):
        log.error("there is no backup of the keys database any more that is younger than %d days", KEYS_KEPT.days)
    return gone
