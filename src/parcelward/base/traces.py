"""Remove what deleted keys left in the files of the embedded keys database: its tables, statistics and WAL.

A deleted row is gone for whoever asks the database, and not for whoever reads its files. A plain VACUUM leaves bytes
in the free part of a page, ANALYZE keeps values of its own in pg_statistic, and WAL has every row as it was written. So
the tables are written anew, the statistics too, and then the WAL from before is deleted; `wal_recycle` is off there, or
an old segment would only get another name. A table is locked while it is written: about two seconds a million rows.

Every round does all of it, so one that was killed, or found another at work, is made good by the next. The worker
begins one a day: what was done within DONE_S is not done again because it was started anew.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from parcelward.base import config, disk
from parcelward.base.postgres import SUPERUSER, Cluster

log = logging.getLogger(__name__)

Server = psycopg.Connection[Any]

LOCK: Final = 0x7077_6B65  # "pwke": whoever removes traces holds it
REWRITTEN_BYTES_MAX: Final = 2_000_000_000  # a table with its indexes: half a minute of waiting for whoever asks
COPIES: Final = 3  # of a table, on the disk at once: the old one, the new one, and the new one in WAL
LOCK_WAIT_S: Final = 2  # everybody queues behind a lock that waits
WAIT_S: Final = 10.0
TURN_S: Final = 300.0  # what another round may take
POLL_S: Final = 0.25
FULL: Final = "the disk is nearly full"
DONE_S: Final = 72_000.0  # less than a day, so that a daily round is always due
NOBODYS_S: Final = 86_400.0  # no transaction that makes a table takes so long
_RELATION: Final = re.compile(r"(\d+)(_fsm|_vm|_init)?(\.\d+)?", re.ASCII)


def is_due(settings: config.Config) -> bool:
    """Return whether no round ended well of late."""
    try:
        return abs(time.time() - _done(settings).stat().st_mtime) > DONE_S
    except FileNotFoundError:
        return True


def _done(settings: config.Config) -> Path:
    return settings.home / "postgres" / "keys-traces-removed"


def remove(settings: config.Config) -> bool:
    """Return whether nothing is left of keys that were deleted before; if not, the log says why. Safe to repeat.

    A server of the operator's own is the operator's to look after (docs/operating/README.md).
    """
    if settings.keys_url:
        return False
    folder = settings.home / "postgres" / "keys"
    try:
        with _connect(folder) as server:
            left = _remove(server, folder)
    except (psycopg.Error, OSError) as err:
        left = type(err).__name__
    if not left:
        _done(settings).touch()
    else:
        log.warning("deleted keys may still be in the files of the keys database, until the next day: %s", left)
    return not left


def _connect(folder: Path) -> Server:
    return psycopg.connect(Cluster(folder).url("parcelward", role=SUPERUSER), autocommit=True)


def _remove(server: Server, folder: Path) -> str:
    """Do all of it; return what stood in the way."""
    # Asked again and again: whoever waits within a statement has a snapshot, which would keep deleted rows.
    if not _becomes(lambda: server.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone() == (True,), TURN_S):
        return "another round is at work"
    if not _has_room(folder, 0):
        return FULL
    server.execute("SELECT set_config('lock_timeout', %s, false)", (f"{LOCK_WAIT_S}s",))
    rows = server.execute("SELECT relid::regclass::text, relid, pg_total_relation_size(relid) FROM pg_stat_user_tables")
    tables = rows.fetchall()
    too_large = []
    for name, _, size in sorted(tables):
        if size > REWRITTEN_BYTES_MAX or not _has_room(folder, COPIES * size):
            too_large.append(f"{name} is too large to be written anew")
            continue
        if not _rewritten(server, name):
            return "a transaction began long ago"
    server.execute("DELETE FROM pg_statistic WHERE starelid = ANY(%s)", ([relid for _, relid, _ in tables],))
    if not _rewritten(server, "pg_statistic"):
        return "a transaction began long ago"
    # Whoever connects first now writes what the server knows of its catalogue to a file anew. Were the disk full by
    # then, nobody could connect any more.
    _connect(folder).close()
    for name, _, _ in tables:
        server.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name)))
    if not _has_room(folder, 0):
        return FULL
    if not _without_old_wal(server):
        return "WAL is kept for a backup that has not fetched it"
    _unlink_nobodys(server, folder)
    return "; ".join(too_large)


def _has_room(folder: Path, size: int) -> bool:
    """Return whether so much can be written: a server that finds no room for its next piece of WAL goes down."""
    return disk.free_bytes(folder) > size + disk.FREE_BYTES_MIN


def _rewritten(server: Server, table: str) -> bool:
    """Write a table and its indexes anew, once no snapshot and no writer is left that would keep deleted rows in it."""
    mine = server.execute("SELECT pg_current_xact_id()::xid::text").fetchall()[0][0]

    def nobody_sees_them() -> bool:
        older = server.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND greatest(age(backend_xmin), age(backend_xid)) > age(%s::xid)",
            (mine,),
        )
        return not older.fetchall()

    if not _becomes(nobody_sees_them):
        return False
    server.execute(sql.SQL("VACUUM (FULL, FREEZE) {}").format(sql.Identifier(table)))
    return True


def _without_old_wal(server: Server) -> bool:
    """Delete the WAL that was written so far; False where a backup still waits for it."""
    last = server.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchall()[0][0]

    def gone() -> bool:
        server.execute("CHECKPOINT")
        old = server.execute("SELECT FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' AND name <= %s", (last,))
        return not old.fetchall()

    return _becomes(gone)


def _unlink_nobodys(server: Server, folder: Path) -> None:
    """Delete what a server left that was killed while it wrote a table anew: PostgreSQL never does."""
    row = server.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchall()[0]
    old: dict[int, list[Path]] = {}
    for path in (folder / "base" / str(row[0])).iterdir():
        named = _RELATION.fullmatch(path.name)
        if named is not None and time.time() - path.stat().st_mtime > NOBODYS_S:
            old.setdefault(int(named[1]), []).append(path)
    nobodys = server.execute(
        "SELECT node FROM unnest(%s::oid[]) AS node WHERE pg_filenode_relation(0, node) IS NULL", (list(old),)
    )
    for (node,) in nobodys.fetchall():
        for path in old[node]:
            log.warning("%s of the keys database belongs to no table and is deleted", path.name)
            path.unlink()


def _becomes(true: Callable[[], bool], wait_s: float | None = None) -> bool:
    deadline = time.monotonic() + (WAIT_S if wait_s is None else wait_s)
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True
