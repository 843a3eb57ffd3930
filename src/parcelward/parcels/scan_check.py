"""Compare every stored scan with what the log commits to: a part of `verify-log`.

Each event's body is opened with its item's secret and its commitment recomputed; then every clear column must be what
the committed groups say, and each item's events must be numbered 1, 2, 3 ... and each name the one before.

The chain is checked without keeping anything per item: for each event a keyed hash of (item, number, commitment) is
added and one of (item, number before, commitment before) taken away. What remains of an item is the hash of its last
event, which its status names. Sums are kept in CHAIN_SUMS parts, so that a broken chain is found among few items.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from parcelward.base import db
from parcelward.custody import queries as custody
from parcelward.custody.queries import Findings, Logged, Span
from parcelward.parcels import event_check, handover_check
from parcelward.parcels.label_check import check_labels
from parcelward.parcels.number_check import check_numbers
from parcelward.parcels.quarantine_check import check_quarantine
from parcelward.parcels.sent_check import SentChecker

CHAIN_SUMS = 4_096
ITEMS_AT_ONCE = 500
STATUSES_AT_ONCE = 20_000
_MODULUS = 1 << 128


class ScanChecker:
    """Entries of kind parcels.scan. One object checks one span once."""

    def __init__(self) -> None:
        self.closed = 0
        self.sent = SentChecker()
        self._handovers = handover_check.HandoverChecker()
        self._touched: set[UUID] | None = None  # of a part of the log only
        self._shut: set[UUID] = set()  # items whose secret was destroyed
        self._sums = [0] * CHAIN_SUMS
        self._key = os.urandom(16)

    def follow_items(self) -> None:
        """Remember which items are met: a part of the log is too short for the sums to add up."""
        self._touched = set()

    def check(self, batches: Sequence[Logged], findings: Findings) -> int:
        """Compare each event of these batches with its commitment; return how many were opened."""
        rows = _rows(batches)
        context = event_check.context(row for mine in rows.values() for row in mine)
        opened = 0
        sights: list[handover_check.Sight] = []
        for one in batches:
            leaves: dict[tuple[int, int], int] = {}
            for row in self._matched(one, rows.get(one.batch, []), findings):
                leaves.setdefault((row.source, row.sequence), row.leaf)
                opened += self._check_event(one, row, context, sights, findings)
            self.sent.check(one, leaves, findings)
        self._handovers.check(sights, findings)
        return opened

    @staticmethod
    def _matched(one: Logged, rows: list[event_check.Row], findings: Findings) -> Iterator[event_check.Row]:
        """Give the rows that stand for an entry; note entries without a row, and rows without an entry."""
        leaf = 0
        for row in rows:
            if row.leaf < leaf or row.leaf >= one.n:
                known = "is stored twice" if 0 <= row.leaf < one.n else "is beyond the end of its batch"
                _note(findings, one, row, f"An event {known}.", "added")
                continue
            if row.leaf > leaf:
                _missing(one, leaf, findings)
            leaf = row.leaf + 1
            yield row
        if leaf < one.n:
            _missing(one, leaf, findings)

    def _check_event(
        self,
        one: Logged,
        row: event_check.Row,
        context: event_check.Context,
        sights: list[handover_check.Sight],
        findings: Findings,
    ) -> int:
        if self._touched is not None:
            self._touched.add(row.item)
        keys = context.keys.get(row.item)
        if keys is None:
            if row.item in context.tombstones or custody.shredded_now(row.item):
                self._shut.add(row.item)
                self.closed += 1
            else:
                _note(findings, one, row, "The item's secret is missing and nobody erased it.", "secret")
            return 0
        commitment = one.commitment(row.leaf)
        try:
            previous = event_check.require_same(row, keys, context, commitment=commitment, recorded=one.record_time)
        except event_check.Differs as err:
            _note(findings, one, row, str(err), err.differs)
            return 1
        seen = handover_check.sight(row, keys, recorded=one.record_time, place=one.place(row.leaf))
        if seen is not None:
            sights.append(seen)
        part = row.item.int % CHAIN_SUMS
        self._sums[part] += self._number(row.item, row.item_seq, commitment)
        if row.item_seq > 1:
            self._sums[part] -= self._number(row.item, row.item_seq - 1, previous)
        return 1

    def _number(self, item: UUID, item_seq: int, commitment: bytes) -> int:
        said = b"%b%d:%b" % (item.bytes, item_seq, commitment)
        return int.from_bytes(hashlib.blake2b(said, key=self._key, digest_size=16).digest(), "big")

    def finish(self, span: Span, findings: Findings) -> None:
        """Find events that no batch knows and chains that are broken."""
        _check_strays(span, findings)
        if findings.first is not None:
            return  # batches after it were passed over, so nothing adds up
        if not span.whole:
            _check_chains(sorted(self._touched or ()), findings)
            return
        bad = self._unbalanced()
        if bad:
            for items in _items_of(bad):
                _check_chains(items, findings)
            if findings.first is None:
                findings.note("The events of some item do not follow each other.", differs="chain")
        _check_tombstones(findings)
        if findings.first is None:
            check_numbers(findings)
            check_quarantine(findings)
            check_labels(findings)
            self._handovers.finish(findings)
            self.sent.finish(findings)

    def _unbalanced(self) -> frozenset[int]:
        """Take away each item's last event, as its status names it; return the parts in which something remains."""
        for rows in statuses():
            for item, item_seq, head in rows:
                if item_seq and item not in self._shut:
                    self._sums[item.int % CHAIN_SUMS] -= self._number(item, item_seq, bytes(head))
        return frozenset(i for i, total in enumerate(self._sums) if total % _MODULUS)


def _note(findings: Findings, one: Logged, row: event_check.Row, what: str, differs: str) -> None:
    findings.note(what, differs=differs, index=one.place(row.leaf), item=row.item, event=row.event_id)


def _missing(one: Logged, leaf: int, findings: Findings) -> None:
    findings.note(
        f"Entry {leaf} of batch {one.batch} has no event: it was removed.", differs="removed", index=one.place(leaf)
    )


def _rows(batches: Sequence[Logged]) -> dict[int, list[event_check.Row]]:
    """Return the events of these batches, in the order of leaves. The range lets the index on `batch` be read once."""
    numbers = [b.batch for b in batches]
    found: dict[int, list[event_check.Row]] = {}
    with db.cursor(binary=True) as cur:
        cur.execute(
            f"SELECT {event_check.COLUMNS} FROM parcels_scan_event WHERE batch BETWEEN %s AND %s "  # noqa: S608 -- our own column names
            "AND batch = ANY(%s) ORDER BY batch, leaf",
            (min(numbers), max(numbers), numbers),
            binary=True,
        )
        for row in cur:
            one = event_check.Row(*row)
            found.setdefault(one.batch, []).append(one)
    return found


def _check_strays(span: Span, findings: Findings) -> None:
    """Find an event whose batch is not one of scans, neither in the log nor waiting."""
    with db.cursor() as cur:
        cur.execute(
            "SELECT coalesce(min(batch), 0), coalesce(max(batch), 0) FROM custody_logbatch "
            "WHERE first_index >= %s AND first_index < %s",
            (span.first, span.end),
        )
        row = cur.fetchone()
        low, high = (-(2**62), 2**62) if span.whole or row is None else row
        cur.execute(
            "SELECT e.item, e.event_id, e.batch FROM parcels_scan_event e WHERE e.batch BETWEEN %s AND %s "
            "AND NOT EXISTS (SELECT FROM custody_logbatch l WHERE l.batch = e.batch AND l.kind = 'parcels.scan') "
            "AND NOT EXISTS (SELECT FROM custody_pendingbatch p WHERE p.batch = e.batch AND p.kind = 'parcels.scan') "
            "ORDER BY e.batch LIMIT 1",
            (low, high),
        )
        stray = cur.fetchone()
    if stray:
        what = f"An event belongs to batch {stray[2]}, which the log does not have: it was added."
        findings.note(what, differs="added", item=stray[0], event=stray[1])


def statuses() -> Iterator[list[tuple[UUID, int, bytes]]]:
    """Give (item, events recorded, commitment of the last) of every item."""
    after = UUID(int=0)
    while True:
        with db.cursor(binary=True) as cur:
            cur.execute(
                "SELECT item, item_seq, head FROM parcels_item_status WHERE item > %s ORDER BY item LIMIT %s",
                (after, STATUSES_AT_ONCE),
                binary=True,
            )
            rows = cur.fetchall()
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def _items_of(parts: frozenset[int]) -> Iterator[list[UUID]]:
    """Give the items of some parts, also those that have events and no status."""
    for rows in statuses():
        items = [item for item, _, _ in rows if item.int % CHAIN_SUMS in parts]
        for at in range(0, len(items), ITEMS_AT_ONCE):
            yield items[at : at + ITEMS_AT_ONCE]
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT DISTINCT item FROM parcels_scan_event e "
            "WHERE NOT EXISTS (SELECT FROM parcels_item_status s WHERE s.item = e.item) LIMIT %s",
            (ITEMS_AT_ONCE,),
        )
        yield [row[0] for row in cur]


def _check_chains(items: Sequence[UUID], findings: Findings) -> None:
    """Walk these items' events by number and find the first that does not follow."""
    for at in range(0, len(items), ITEMS_AT_ONCE):
        some = list(items[at : at + ITEMS_AT_ONCE])
        if not some:
            continue
        keys = custody.item_keys(some)
        by_item: dict[UUID, list[tuple[Any, ...]]] = {item: [] for item in some}
        with db.cursor(binary=True) as cur:
            cur.execute(
                "SELECT e.item, e.item_seq, e.event_id, e.body, l.first_index + e.leaf, "
                "substring(b.commitments FROM e.leaf * 32 + 1 FOR 32) FROM parcels_scan_event e "
                "LEFT JOIN custody_logbatch l ON l.batch = e.batch "
                "LEFT JOIN custody_pendingbatch p ON p.batch = e.batch LEFT JOIN custody_batch b "
                "ON b.id = e.batch AND b.record_time = coalesce(l.record_time, p.record_time) "
                "WHERE e.item = ANY(%s) ORDER BY e.item, e.item_seq, e.batch, e.leaf",
                (some,),
                binary=True,
            )
            for row in cur:
                by_item[row[0]].append(row[1:])
            cur.execute(
                "SELECT item, item_seq, head FROM parcels_item_status WHERE item = ANY(%s)", (some,), binary=True
            )
            heads = {row[0]: (row[1], bytes(row[2])) for row in cur}
        for item in some:
            _check_chain(item, by_item[item], heads.get(item), keys.get(item), findings)


def _check_chain(
    item: UUID, rows: Sequence[tuple[Any, ...]], head: tuple[int, bytes] | None, keys: Any, findings: Findings
) -> None:
    before, index, number = bytes(32), None, 0
    for item_seq, event_id, body, at, commitment in rows:
        number, index = number + 1, at
        if commitment is None:
            what = "An event belongs to a batch that the log does not have: it was added."
            findings.note(what, differs="added", item=item, event=event_id)
            return
        if item_seq != number:
            what = (
                f"The item's event {number} is missing."
                if item_seq > number
                else f"The item has two events {item_seq}."
            )
            findings.note(what, differs="chain", index=at, item=item, event=event_id)
            return
        if keys is not None and event_check.previous_of(keys, event_id, bytes(body)) != before:
            what = f"Event {number} of the item does not name the one before it."
            findings.note(what, differs="chain", index=at, item=item, event=event_id)
            return
        before = bytes(commitment)
    if head != (number, before) and (rows or head is not None):
        what = f"The item's status names another last event than number {number}."
        findings.note(what, differs="status", index=index, item=item)


def _check_tombstones(findings: Findings) -> None:
    """See that every erased item still has as many events as its tombstone, in table and log, says."""
    entries = custody.tombstone_facts()
    for rows in custody.tombstones():
        with db.cursor() as cur:
            cur.execute(
                "SELECT item, count(*), max(item_seq) FROM parcels_scan_event WHERE item = ANY(%s) GROUP BY item",
                ([item for item, _ in rows],),
            )
            there = {item: (int(n), int(last)) for item, n, last in cur.fetchall()}
        for item, events in rows:
            if entries.pop(item, None) != events:
                findings.note("An erased item's tombstone is not the one in the log.", differs="tombstone", item=item)
            if there.get(item, (0, 0)) != (events, events):
                what = f"An erased item should have {events} events and has {there.get(item, (0, 0))[0]}."
                findings.note(what, differs="tombstone", item=item)
    for item in entries:
        findings.note(
            "The log says that an item was erased, and its tombstone is gone.", differs="tombstone", item=item
        )
