"""Write to the log: secrets before events, batches with their rows, then a place, a tree and a signature."""

from __future__ import annotations

import datetime as dt
import json
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from django.db import connections, transaction
from django.utils import timezone

from parcelward.base import config, db, partitions
from parcelward.custody import archive, checkpoints, keyring, notes
from parcelward.custody.errors import LogDiverged
from parcelward.custody.files import CHECKPOINT, LogFiles
from parcelward.custody.models import Cursor, LogState
from parcelward.custody.wire import Published, fact_commitment

log = logging.getLogger(__name__)

ENTRIES_AT_ONCE_MAX = 50_000  # in one turn of the sequencer: 65 ms of hashing
BATCHES_AT_ONCE_MAX = 5_000
BATCHES_FOLLOWED_MAX = 256
FACT = "fact"  # the kind of batches whose entries are facts
_FACTS: Final = (
    "INSERT INTO custody_fact (batch, leaf, record_time, kind, body, salt) "
    "SELECT %s, u.place - 1, %s, u.kind, u.body, u.salt "
    "FROM unnest(%s::text[], %s::bytea[], %s::bytea[]) WITH ORDINALITY AS u(kind, body, salt, place)"
)


class _Together(NamedTuple):
    """Entries that are made as one batch: of which moment, and (kind, body) of each."""

    at: dt.datetime
    told: list[tuple[str, bytes]]


_together: ContextVar[_Together | None] = ContextVar("facts_together", default=None)


def make_secrets(items: Iterable[bytes]) -> dict[bytes, bytes]:
    """Make the secrets of items (16 bytes each), durable before anything is encrypted; an orphan is harmless."""
    fresh = {item: secrets.token_bytes(32) for item in items}
    if fresh:
        with db.cursor("keys") as cur, transaction.atomic(using="keys"):
            cur.execute(
                "WITH made AS (INSERT INTO custody_itemsecret (item, secret, made_at) "  # noqa: S608 -- DURABILITY is our own
                f"SELECT i, s, now() FROM unnest(%s::uuid[], %s::bytea[]) AS u(i, s)) SELECT {db.DURABILITY}",
                (db.uuid_array(list(fresh)), db.bytea_array(list(fresh.values()))),
            )
            db.require_durable_commit(*cur.fetchall()[0])
    return fresh


def add_batch(kind: str, commitments: Sequence[bytes], *, now: dt.datetime, signed: bytes = b"") -> int:
    """Store packed commitments in the caller's transaction and return the batch's number. Commit is the promise.

    Everything that is recorded passes here: raises NotDurable where that commit could be lost.
    `signed` are the devices' signatures of the requests that the entries came in (`wire.pack_signed`).
    """
    with db.cursor() as cur:
        cur.execute(
            "WITH b AS (INSERT INTO custody_batch (record_time, kind, n, commitments, signed) "  # noqa: S608 -- the same
            "VALUES (%s, %s, %s, %s, %s) RETURNING id, record_time, n, kind) "
            "INSERT INTO custody_pendingbatch (batch, record_time, n, kind) SELECT id, record_time, n, kind FROM b "
            f"RETURNING batch, {db.DURABILITY}",
            (now, kind, len(commitments), b"".join(commitments), signed),
            binary=True,
        )
        row = cur.fetchone()
    if row is None:  # INSERT ... RETURNING gives a row or raises
        raise LogDiverged("The batch was not stored.", differs="batch")
    batch, *durability = row
    db.require_durable_commit(*durability)
    return int(batch)


def record_fact(kind: str, body: dict[str, Any]) -> None:
    """Make an entry of something that is not a scan, in the caller's transaction. No personal data in `body`."""
    record_facts(kind, [body])


def record_facts(kind: str, bodies: Sequence[dict[str, Any]]) -> None:
    """Make an entry for each of several things of one kind, as one batch. As `record_fact`; of none it makes none."""
    if any(body.keys() & {"at", "kind"} for body in bodies):
        raise ValueError("a fact's time and kind are not its body's to say")  # a caller's bug, not input
    together = _together.get()
    at = timezone.now() if together is None else together.at
    said = [{"at": at.isoformat(), "kind": kind, **body} for body in bodies]
    told = [(kind, json.dumps(each, sort_keys=True, separators=(",", ":")).encode()) for each in said]
    if together is None:
        _write_facts(told, at)
    else:
        together.told.extend(told)


@contextmanager
def facts_together() -> Iterator[None]:
    """Make the entries of all that is recorded within as one batch, at the end, in the caller's transaction.

    They are of the moment at which this began. An error that comes out of here must end that transaction, and one that
    is caught within must have come before anything was recorded: what is recorded in a savepoint that is rolled back
    would be told all the same.
    """
    if not connections["default"].in_atomic_block:
        raise ValueError("entries that are made together need one transaction")  # a caller's bug, not input
    if _together.get() is not None:  # those of whoever began
        yield
        return
    together = _Together(timezone.now(), [])
    before = _together.set(together)
    try:
        yield
    finally:
        _together.reset(before)
    _write_facts(together.told, together.at)


def _write_facts(told: Sequence[tuple[str, bytes]], now: dt.datetime) -> None:
    if not told:
        return
    kinds, canons = zip(*told, strict=True)
    salts = [secrets.token_bytes(32) for _ in canons]
    committed = [fact_commitment(salt, canon) for salt, canon in zip(salts, canons, strict=True)]
    with transaction.atomic(savepoint=False):
        batch = _add_batch_with_partition(FACT, committed, now)
        with db.cursor() as cur:
            cur.execute(_FACTS, (batch, now, db.text_array(kinds), db.bytea_array(canons), db.bytea_array(salts)))


def _add_batch_with_partition(kind: str, commitments: Sequence[bytes], now: dt.datetime) -> int:
    partitions.ensure("custody_batch", now.date())
    return add_batch(kind, commitments, now=now)


class Sequencer:
    """Gives committed batches their place in the log. One process at a time holds the files; any number may try.

    Raises LogInUse at once when another process holds them, NotDurable when the database could lose a commit, and
    LogDiverged when files, checkpoint and database disagree: then nothing is written until a person has looked.
    """

    def __init__(self, settings: config.Config) -> None:
        self._settings = settings
        self._origin = settings.origin
        self._ring: keyring.Ring
        self._archived: dt.date | None = None
        self._files = LogFiles(settings.log_folder)
        try:
            self._settle()
        except BaseException:
            self._files.close()
            raise

    def close(self) -> None:
        """Let another process take over."""
        self._files.close()

    @property
    def files(self) -> LogFiles:
        """The log's files, for whoever asks witnesses."""
        return self._files

    def _settle(self) -> None:
        """Bring the files to what the database says, and publish what was not yet published; once a connection."""
        with db.cursor() as cur:
            cur.execute(f"SELECT {db.DURABILITY}")
            db.require_durable_commit(*cur.fetchall()[0])
        state, _ = LogState.objects.get_or_create(
            id=1, defaults={"origin": self._origin, "size": 0, "root": self._files.root(0)}
        )
        if state.origin != self._origin:
            raise LogDiverged(
                f"The log is named {state.origin} and this process {self._origin}. Set PARCELWARD_LOG_ORIGIN to the "
                "log's own name; it does not change with the address.",
                differs="origin",
            )
        self._learn_keys()
        self._files.truncate(state.size, root=bytes(state.root))
        self._publish(state.size, bytes(state.root))

    def _learn_keys(self) -> None:
        """Read which keys sign, and tell the other processes before anything is signed with a new one."""
        self._ring = keyring.from_entries(self._settings)
        keyring.write(self._settings, self._ring)

    def _publish(self, size: int, root: bytes) -> None:
        text = checkpoints.Checkpoint(self._origin, size, root).text
        signers = keyring.signers(self._settings, self._ring, timezone.now())
        self._files.publish(CHECKPOINT, notes.sign(text, signers))

    def _keep_archive(self) -> None:
        """Keep the published checkpoint as the day's archive checkpoint, once a day."""
        now = timezone.now()
        if self._archived == now.date():
            return
        head = self._files.published_head()
        if head is None or head.size == 0:
            return
        archive.keep(
            self._settings.log_folder,
            head,
            signers=keyring.signers(self._settings, self._ring, now),
            archive=keyring.archive_signer(self._settings),
            now=now,
        )
        self._archived = now.date()

    def once(self) -> int:
        """Sequence what is waiting; return how many entries were published.

        Files first, then one transaction whose compare-and-swap on the size is the fence, then the checkpoint.

        The order is that of the batches' numbers: each is drawn after what its entries follow was committed. Times do
        not order them so, where a clock stepped back or two machines' clocks differ.
        """
        self._keep_archive()
        with connections["default"].cursor() as cur:
            cur.execute(
                "SELECT p.batch, p.record_time, p.n, p.kind, b.commitments FROM custody_pendingbatch p "
                "JOIN custody_batch b ON b.record_time = p.record_time AND b.id = p.batch "
                "ORDER BY p.batch LIMIT %s",
                [BATCHES_AT_ONCE_MAX],
            )
            waiting = cur.fetchall()
        if not waiting:
            return 0
        taken: list[tuple[Any, ...]] = []
        total = 0
        for row in waiting:
            if total + row[2] > ENTRIES_AT_ONCE_MAX and taken:
                break
            taken.append(row)
            total += row[2]
        try:
            first = self._files.append(b"".join(bytes(row[4]) for row in taken))
            root = self._files.root()
            self._commit(first, root, taken)
        except Exception:
            # Any doubt: the database says how long the log is, and the files follow.
            log.exception("sequencing stopped; settling the files to the database's size")
            connections["default"].close()
            self._settle()
            raise
        if any(row[3] == FACT for row in taken):  # it may name a new key, which then signs this very checkpoint
            self._learn_keys()
        self._publish(first + total, root)
        return total

    @transaction.atomic
    def _commit(self, first: int, root: bytes, taken: Sequence[Any]) -> None:
        starts, at = [], first
        for row in taken:
            starts.append(at)
            at += row[2]
        with db.cursor() as cur:
            cur.execute(
                "INSERT INTO custody_logbatch (first_index, batch, record_time, n, kind) "
                "SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::int[], %s::text[])",
                (starts, [r[0] for r in taken], [r[1] for r in taken], [r[2] for r in taken], [r[3] for r in taken]),
            )
            cur.execute("DELETE FROM custody_pendingbatch WHERE batch = ANY(%s)", ([r[0] for r in taken],))
            cur.execute(
                "UPDATE custody_logstate SET size = %s, root = %s WHERE id = 1 AND size = %s", (at, root, first)
            )
            if cur.rowcount != 1:
                raise LogDiverged("Another process has grown the log meanwhile.", differs="size", first=first)


def follow(name: str, kind: str, look_at: Callable[[Sequence[Published]], None]) -> int:
    """Give the next published batches of `kind` to `look_at`; its work and the cursor commit together.

    Returns how many entries were passed. Safe to run any number of times, by any number of processes.
    """
    Cursor.objects.get_or_create(name=name)
    with transaction.atomic(), connections["default"].cursor() as cur:
        cur.execute('SELECT "index" FROM custody_cursor WHERE name = %s FOR UPDATE SKIP LOCKED', [name])
        row = cur.fetchone()
        if row is None:
            return 0  # another process is at it
        start = row[0]
        cur.execute(
            "SELECT first_index, batch, record_time, n, kind FROM custody_logbatch WHERE first_index >= %s "
            "ORDER BY first_index LIMIT %s",
            [start, BATCHES_FOLLOWED_MAX],
        )
        found = [Published(*r) for r in cur.fetchall()]
        if not found:
            return 0
        mine = [p for p in found if p.kind == kind]
        if mine:
            look_at(mine)
        end = found[-1].first_index + found[-1].n
        cur.execute('UPDATE custody_cursor SET "index" = %s WHERE name = %s', [end, name])
    return int(end - start)
