"""Make backups: the main database with the log, the keys database, and the secrets, each a set of its own.

The order is part of it. The log's files come before the main database, so that the database is never shorter than the
published checkpoint; the keys database comes after the main one, because an item's secret is made before its events.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

import parcelward
from parcelward.base import config
from parcelward.base.backups import programs, sets
from parcelward.base.backups.archives import Packed, pack
from parcelward.base.backups.errors import BadPlace
from parcelward.base.backups.recipients import PublicKey
from parcelward.base.backups.sets import BASE, DUMP, LOG, SECRETS, Kind, Making, Manifest, Tell
from parcelward.base.postgres import SUPERUSER, Cluster
from parcelward.custody import backing_up
from parcelward.custody.backup_note import plain
from parcelward.doors.backups import forgetting, trusted, wal

KEYS_FOLDER: Final = "keys"
KEYS_KEPT: Final = forgetting.KEYS_KEPT
NO_HEAD: Final = backing_up.Head(0, hashlib.sha256(b"").digest())


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made."""

    kind: Kind
    folder: Path
    content_bytes: int
    sealed_bytes: int
    head: backing_up.Head
    forgotten: tuple[str, ...]


def recipients(settings: config.Config, kind: str) -> list[PublicKey]:
    """Return the keys that sets of a kind are encrypted for. Raises BadPlace when nobody named one."""
    found = trusted.listed(settings, kind)
    if not found:
        raise BadPlace(
            "Nobody has said whom backups are for. On another machine: `parcelward backup-key make FILE`; "
            "then here: `parcelward backup-key trust`, with the public line that it printed."
        )
    return found


def make_all(
    settings: config.Config, places: Mapping[Kind, Path], *, by: int, clock: Callable[[], dt.datetime], tell: Tell
) -> Iterator[Made]:
    """Make the sets that were asked for, in the order that fits; give each when it is whole and recorded."""
    wanted = {kind: sets.claim(places[kind], kind, home=settings.home) for kind in sets.KINDS if kind in places}
    to = {kind: recipients(settings, kind) for kind in wanted}
    if "keys" in wanted:
        forgetting.remember(settings, wanted["keys"])
    for kind, folder in wanted.items():
        yield _make(settings, kind, folder, to[kind], by=by, now=clock(), tell=tell)


def _make(
    settings: config.Config, kind: Kind, folder: Path, to: Sequence[PublicKey], *, by: int, now: dt.datetime, tell: Tell
) -> Made:
    content = 0

    def told(count: int) -> None:
        nonlocal content
        content += count
        tell(kind, count)

    with sets.making(folder, kind, recipients=to, now=now, tell=told) as made:
        head, database, major, wal_from = _FILL[kind](settings, made)
        manifest = Manifest(
            object="parcelward_backup",
            kind=kind,
            set=made.name,
            made_at=made.made_at,
            version=parcelward.__version__,
            origin=settings.origin,
            log_size=head.size,
            log_root=head.root.hex(),
            database=database,  # type: ignore[arg-type]  # one of the three, said below
            server_major=major,
            wal_from=wal_from,
            keys=tuple(each.id.hex() for each in to),
            files=tuple(made.files),
        )
        note = made.finish(manifest, lambda text: backing_up.sign(settings, text))
        # An older set goes only now: there is a newer whole one.
        gone = sets.forget(folder, kind, before=now - KEYS_KEPT) if kind == "keys" else []
        wal.forget(folder, kind, older_than=now - KEYS_KEPT if kind == "keys" else None)
    backing_up.record(kind, set_name=made.name, note=note, head=head, by=by)
    sealed = sum(each.bytes for each in manifest.files)
    return Made(kind, folder / made.name, content, sealed, head, tuple(gone))


_Filled = tuple[backing_up.Head, str, int, str]


def _fill_main(settings: config.Config, made: Making) -> _Filled:
    log = backing_up.files(settings)
    with made.file(LOG) as out:
        pack(out, log.packed)
    return (log.head, *_database(settings, made, "main", settings.database_url))


def _fill_keys(settings: config.Config, made: Making) -> _Filled:
    head = backing_up.files(settings).head
    return (head, *_database(settings, made, "keys", settings.keys_url))


def _fill_secrets(settings: config.Config, made: Making) -> _Filled:
    folder = settings.home / KEYS_FOLDER
    held = [Packed(f"{KEYS_FOLDER}/{path.name}", path) for path in sorted(folder.iterdir()) if plain(path)]
    held += [Packed(path.name, path) for path in trusted.files(settings)]
    with made.file(SECRETS) as out:
        pack(out, held)
    return backing_up.files(settings).head, "none", 0, ""


_FILL: Final[Mapping[str, Callable[[config.Config, Making], _Filled]]] = {
    "main": _fill_main,
    "keys": _fill_keys,
    "secrets": _fill_secrets,
}
assert tuple(_FILL) == sets.KINDS, "every kind of set is made, main before keys"  # noqa: S101 -- a table is complete


def _database(settings: config.Config, made: Making, name: str, url: str) -> tuple[str, int, str]:
    """Write one database: a base backup of an embedded server, a dump of one of the operator's own."""
    if url:
        with made.file(DUMP) as out:
            programs.dump(url, out, home=settings.home)
        return "dump", 0, ""
    cluster = Cluster(settings.home / "postgres" / name)
    with _wal_kept(cluster) as wal_from, made.file(BASE) as out:
        programs.base_backup(cluster, out)
    return "base", int((cluster.folder / "PG_VERSION").read_text()), wal_from


@contextlib.contextmanager
def _wal_kept(cluster: Cluster) -> Iterator[str]:
    """Keep the server from removing WAL that the base backup will end with; give the segment that it is writing."""
    with psycopg.connect(cluster.url("postgres", role=SUPERUSER), autocommit=True) as server:
        # Temporary: it ends with this connection, however we end.
        name = f"parcelward_base_{threading.get_native_id()}"
        server.execute("SELECT pg_create_physical_replication_slot(%s, true, true)", (name,))
        row = server.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
        yield str(row[0]) if row else ""
