"""Recompute the log from the database and compare it with the files, the log's state and the signed checkpoint.

Two walks. By log index: batches follow each other without gap or overlap, and their packed commitments are the files'
entries and leaf hashes; from those the tree, the root and the checkpoints are recomputed. By batch number: whoever
keeps what an entry commits to compares its rows with the commitments (`Checker`). Custody's own are the facts.

Memory stays bounded: at most ENTRIES_AT_ONCE_MAX entries and their rows are held at a time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from parcelward.base import config, db
from parcelward.custody import keyring, tiles, tree
from parcelward.custody.errors import EntryDiffers, LogDiverged, NotInLog
from parcelward.custody.files import CHECKPOINT, CHECKPOINT_WITNESSED, LogFiles, leaf_hashes, parents

ENTRIES_AT_ONCE_MAX = 20_000
BATCHES_AT_ONCE_MAX = 5_000
PARENTS_AT_ONCE = 4_096  # a megabyte of hashes
SIZE = tree.HASH_BYTES


class Logged(NamedTuple):
    """A batch as it stands in the log, or, with `first_index` None, as it waits for its place."""

    first_index: int | None
    batch: int
    record_time: dt.datetime
    n: int
    kind: str
    commitments: bytes
    signed: bytes = b""  # devices' signatures, packed; read only for whoever checks the rows

    def place(self, leaf: int) -> int | None:
        """Return the log index of an entry of the batch."""
        return None if self.first_index is None else self.first_index + leaf

    def commitment(self, leaf: int) -> bytes:
        """Return the packed commitment of an entry; empty bytes beyond the batch's end."""
        return self.commitments[leaf * SIZE : leaf * SIZE + SIZE] if leaf >= 0 else b""


class Span(NamedTuple):
    """What to check: entries `first` to `end - 1`; `whole` when that is the whole log and what waits for it."""

    first: int
    end: int
    whole: bool


class Findings:
    """Keeps the difference with the lowest log index; what has no place in the log comes last."""

    def __init__(self) -> None:
        self.first: EntryDiffers | None = None

    @property
    def bound(self) -> int:
        """The log index below which it is worth looking further."""
        return tree.SIZE_MAX if self.first is None or self.first.first is None else self.first.first

    def note(
        self, what: str, *, differs: str, index: int | None = None, item: UUID | None = None, event: UUID | None = None
    ) -> None:
        """Remember a difference if it comes before what is known."""
        if self.first is None or (index is not None and index < self.bound):
            self.first = EntryDiffers(what, differs=differs, first=index, item=item, event=event)

    def settle(self) -> None:
        """Raise the first difference, if there is any."""
        if self.first is not None:
            raise self.first


class Checker(Protocol):
    """Compares the rows behind one kind of batch with what was committed to."""

    def check(self, batches: Sequence[Logged], findings: Findings) -> int:
        """Compare all rows of these batches; return how many entries were looked at."""
        ...

    def finish(self, span: Span, findings: Findings) -> None:
        """Compare what only the whole shows: rows that belong to no batch, chains over batches."""
        ...


Tell = Callable[[int], None]
"""Told how many entries were just checked."""


def read_span(*, first: int = 0, end: int | None = None) -> Span:
    """Return the span to check, widened to whole batches."""
    with db.cursor() as cur:
        cur.execute("SELECT size FROM custody_logstate WHERE id = 1")
        row = cur.fetchone()
        size = int(row[0]) if row else 0
        if first <= 0 and end is None:
            return Span(0, size, whole=True)
        asked = size if end is None else min(end, size)
        cur.execute(
            "SELECT coalesce((SELECT max(first_index) FROM custody_logbatch WHERE first_index <= %s), 0), "
            "greatest(%s, (SELECT first_index + n FROM custody_logbatch WHERE first_index < %s "
            "ORDER BY first_index DESC LIMIT 1))",
            (first, asked, asked),
        )
        row = cur.fetchone()
    return Span(int(row[0]), int(row[1]), whole=False) if row else Span(0, 0, whole=False)


def published(settings: config.Config) -> dict[str, bytes | None]:
    """Return the checkpoints and the keys as published now: read before the database, which is never behind them."""
    files = LogFiles(settings.log_folder, read_only=True)
    try:
        found = {name: files.published(name) for name in (CHECKPOINT, CHECKPOINT_WITNESSED)}
        return {keyring.SIGNERS: keyring.written(settings), **found}
    finally:
        files.close()


def check_log(settings: config.Config, span: Span, findings: Findings, tell: Tell) -> None:
    """Compare every batch of the span with the files; for the whole log also the tree, and what waits for its place."""
    files = LogFiles(settings.log_folder, read_only=True)
    try:
        end = _check_batches(files, span, findings, tell)
        if end < span.end:
            findings.note(f"The batches end at entry {end} of {span.end}.", differs="log_batch", index=end)
        if span.whole:
            _check_levels(files, span.end, findings)
            _check_waiting(findings)
    except (LogDiverged, NotInLog) as err:  # a file ends too early
        findings.note(str(err), differs="files", index=getattr(err, "first", None) or min(files.size, span.end))
    finally:
        files.close()


def _check_batches(files: LogFiles, span: Span, findings: Findings, tell: Tell) -> int:
    """Walk by log index; return where the unbroken part ends."""
    at = span.first
    while at < span.end:
        batches = _read_logged(at, span.end)
        if not batches:
            return at
        for one, said in batches:
            if one.first_index != at:
                where = (
                    "overlaps the one before"
                    if one.first_index is not None and one.first_index < at
                    else "leaves a gap"
                )
                findings.note(f"Batch {one.batch} {where} at entry {at}.", differs="log_batch", index=at)
                return at
            if said != (one.n, one.kind) or len(one.commitments) != one.n * SIZE or one.n < 1:
                findings.note(f"Batch {one.batch} is missing or not as it was logged.", differs="batch", index=at)
            else:
                _compare(files, one, at, findings)
            at += max(one.n, 1)
            tell(one.n)
    return at


def _read_logged(start: int, end: int) -> list[tuple[Logged, tuple[int | None, str | None]]]:
    """Return the next batches by log index, each with what its own row says of size and kind."""
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT l.first_index, l.batch, l.record_time, l.n, l.kind, b.commitments, b.n, b.kind FROM "
            "(SELECT * FROM custody_logbatch WHERE first_index >= %s AND first_index < %s "
            "ORDER BY first_index LIMIT 200) l "
            "LEFT JOIN custody_batch b ON b.record_time = l.record_time AND b.id = l.batch ORDER BY l.first_index",
            (start, end),
            binary=True,
        )
        return [
            (Logged(first, batch, at, n, kind, bytes(packed or b"")), (said_n, said_kind))
            for first, batch, at, n, kind, packed, said_n, said_kind in cur
        ]


def _compare(files: LogFiles, one: Logged, at: int, findings: Findings) -> None:
    for name, stored, derived in (
        ("entries", files.commitments(at, one.n), one.commitments),
        ("level0", files.read_hashes(0, at, one.n), leaf_hashes(one.commitments)),
    ):
        if stored != derived:
            leaf = next(
                i for i in range(one.n) if stored[i * SIZE : i * SIZE + SIZE] != derived[i * SIZE : i * SIZE + SIZE]
            )
            findings.note(f"The commitment in batch {one.batch} is not the log's.", differs=name, index=at + leaf)
            return


def _check_levels(files: LogFiles, size: int, findings: Findings) -> None:
    """Recompute each level above the leaves from the one below."""
    level = 1
    while (count := tiles.hashes_at(level, size)) > 0:
        for at in range(0, count, PARENTS_AT_ONCE):
            here = min(PARENTS_AT_ONCE, count - at)
            derived = parents(files.read_hashes(level - 1, at * tree.TILE_WIDTH, here * tree.TILE_WIDTH))
            if files.read_hashes(level, at, here) != derived:
                index = at << (tree.TILE_HEIGHT * level)
                findings.note(
                    f"Level {level} of the tree does not follow from the one below.", differs="tree", index=index
                )
                return
        level += 1


def _check_waiting(findings: Findings) -> None:
    """See that every batch has its place or waits for it, once."""
    with db.cursor() as cur:
        cur.execute(
            "SELECT b.id FROM custody_batch b WHERE NOT EXISTS (SELECT FROM custody_logbatch l WHERE l.batch = b.id) "
            "AND NOT EXISTS (SELECT FROM custody_pendingbatch p WHERE p.batch = b.id) ORDER BY b.id LIMIT 1"
        )
        lost = cur.fetchone()
        cur.execute(
            "SELECT p.batch FROM custody_pendingbatch p "
            "LEFT JOIN custody_batch b ON b.record_time = p.record_time AND b.id = p.batch "
            "WHERE b.id IS NULL OR b.n <> p.n OR b.kind <> p.kind OR length(b.commitments) <> b.n * %s "
            "OR EXISTS (SELECT FROM custody_logbatch l WHERE l.batch = p.batch) ORDER BY p.batch LIMIT 1",
            (SIZE,),
        )
        odd = cur.fetchone()
    if lost:
        findings.note(f"Batch {lost[0]} has no place in the log and does not wait for one.", differs="batch")
    if odd:
        findings.note(f"Waiting batch {odd[0]} is not as it was recorded.", differs="pending")


def batches_of(kind: str, span: Span, findings: Findings) -> Iterator[list[Logged]]:
    """Give the batches of a kind by batch number, ENTRIES_AT_ONCE_MAX entries at a time; waiting ones too when whole.

    Once something was found, only batches that begin before it are given.
    """
    after = -1
    while True:
        with db.cursor(binary=True) as cur:
            cur.execute(
                "SELECT batch, n, first_index, record_time FROM ("
                "SELECT batch, n, first_index, record_time FROM custody_logbatch WHERE kind = %s "
                "AND first_index >= %s AND first_index < %s UNION ALL "
                "SELECT batch, n, NULL, record_time FROM custody_pendingbatch WHERE kind = %s AND %s) AS known "
                "WHERE batch > %s ORDER BY batch LIMIT %s",
                (kind, span.first, min(span.end, findings.bound), kind, span.whole, after, BATCHES_AT_ONCE_MAX),
            )
            rows = cur.fetchall()
        if not rows:
            return
        taken: list[tuple[Any, ...]] = []
        total = 0
        for row in rows:
            if taken and total + row[1] > ENTRIES_AT_ONCE_MAX:
                break
            taken.append(row)
            total += row[1]
        after = taken[-1][0]
        yield _with_commitments(kind, taken)


def _with_commitments(kind: str, rows: Sequence[tuple[Any, ...]]) -> list[Logged]:
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT b.id, b.commitments, b.signed FROM unnest(%s::bigint[], %s::timestamptz[]) AS u(id, at) "
            "JOIN custody_batch b ON b.record_time = u.at AND b.id = u.id",
            ([row[0] for row in rows], [row[3] for row in rows]),
            binary=True,
        )
        packed = {row[0]: (bytes(row[1]), bytes(row[2])) for row in cur}
    return [Logged(first, batch, at, n, kind, *packed.get(batch, (b"", b""))) for batch, n, first, at in rows]


def kinds_in(span: Span) -> dict[str, int]:
    """Return how many entries of each kind the span has, waiting ones included when it is whole."""
    with db.cursor() as cur:
        cur.execute(
            "SELECT kind, sum(n) FROM ("
            "SELECT kind, n FROM custody_logbatch WHERE first_index >= %s AND first_index < %s "
            "UNION ALL SELECT kind, n FROM custody_pendingbatch WHERE %s) AS known GROUP BY kind",
            (span.first, span.end, span.whole),
        )
        return {kind: int(n) for kind, n in cur.fetchall()}
