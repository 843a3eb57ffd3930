"""What a backup needs of the log: its files as of one checkpoint, its signature, an entry that says so.

Custody asks nobody: the callers authorise.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Final

from parcelward.base import config
from parcelward.base.backups.archives import Packed
from parcelward.custody import archive, checkpoints, durable, keyring, notes, tree
from parcelward.custody.actions import record_fact
from parcelward.custody.errors import LogDiverged, NotInLog
from parcelward.custody.files import CHECKPOINT, CHECKPOINT_WITNESSED, COMMITMENT_BYTES, LogFiles
from parcelward.custody.models import Fact

KIND: Final = "custody.backup"
TRUSTED: Final = "custody.backup_key"
FOLDER: Final = "log"


@dataclass(frozen=True, slots=True)
class Head:
    """How long the log was by its published checkpoint, and its root."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Files:
    """The log's files as of one published checkpoint; what derives from them is left out."""

    head: Head
    packed: tuple[Packed, ...]


def files(settings: config.Config) -> Files:
    """Return what to keep of the log's folder, to be read at leisure: nothing of it changes any more.

    The database must be copied after this: it is then as long as the checkpoint, or longer.
    """
    held = LogFiles(settings.log_folder, read_only=True)
    try:
        # The older one first: what is read later covers more.
        found = {name: held.published(name) for name in (CHECKPOINT_WITNESSED, CHECKPOINT)}
    finally:
        held.close()
    newest = found[CHECKPOINT]
    head = Head(0, tree.EMPTY_ROOT)
    packed = [Packed(config.ORIGIN_FILE, f"{settings.origin}\n".encode())]
    if newest is not None:
        said = checkpoints.parse(notes.parse(newest).text)
        head = Head(said.size, said.root)
        entries = settings.log_folder / "entries"
        packed.append(Packed(f"{FOLDER}/entries", entries, head.size * COMMITMENT_BYTES))
    packed += [Packed(f"{FOLDER}/{name}", data) for name, data in found.items() if data is not None]
    known = keyring.written(settings)
    if known is not None:
        packed.append(Packed(f"{FOLDER}/{keyring.SIGNERS}", known))
    folder = settings.log_folder / archive.FOLDER
    days = sorted(folder.iterdir()) if folder.is_dir() else []
    packed += [Packed(f"{FOLDER}/{archive.FOLDER}/{path.name}", path) for path in days if path.name[:1] != "."]
    return Files(head, tuple(packed))


def sign(settings: config.Config, text: str) -> bytes:
    """Return a manifest as a note of each of the log's keys that signs now."""
    return notes.sign(text, keyring.signers_here(settings))


def record(what: str, *, set_name: str, note: bytes, head: Head, by: int) -> None:
    """Make the entry that says that a backup was made: which set, how long the log was, and its manifest's hash."""
    record_fact(
        KIND,
        {
            "by": by,
            "log_size": head.size,
            "manifest_sha256": hashlib.sha256(note).hexdigest(),
            "set": set_name,
            "what": what,
        },
    )


def record_trust(key_id: str, *, what: str, trusted: bool, by: int) -> None:
    """Make the entry that says for which key backups are encrypted from now on, or no more."""
    record_fact(TRUSTED, {"by": by, "key": key_id, "trusted": trusted, "what": what})


def newest(what: str) -> dt.datetime | None:
    """Return when the newest backup of this kind was recorded, or None."""
    for row in Fact.objects.filter(kind=KIND).order_by("-record_time", "-batch").values_list("body", "record_time"):
        if json.loads(bytes(row[0])).get("what") == what:
            return row[1]
    return None


def require_restored(settings: config.Config, head: Head) -> int:
    """Return how many entries the restored log has; raise LogDiverged unless the backup's own checkpoint is in it."""
    held = LogFiles(settings.log_folder, read_only=True)
    try:
        size, root = held.size, held.root(head.size)
    except NotInLog:
        raise LogDiverged(f"The restored log has fewer than {head.size} entries.", differs="entries") from None
    finally:
        held.close()
    if root != head.root:
        raise LogDiverged(f"The restored log's first {head.size} entries are not those of the backup.", differs="root")
    return size


def stand_still(settings: config.Config, newer: bytes) -> None:
    """Publish nothing any more: put a checkpoint there that covers more than the database has.

    After a restore that lost published entries the log must not go on under its name, or there are two histories.
    """
    durable.write_file(settings.log_folder / CHECKPOINT, newer)
