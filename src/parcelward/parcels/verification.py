"""`verify-log`: recompute the log from the database and compare, this room's rows and everybody's below."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import connections, transaction

from parcelward.base import config, db
from parcelward.custody import queries as custody
from parcelward.custody.queries import CheckLog, Findings
from parcelward.network import queries as network
from parcelward.parcels import ruled_ids
from parcelward.parcels.actions import statuses as status_actions
from parcelward.parcels.epcis import verification as epcis
from parcelward.parcels.epcis.rows import BATCH_KIND
from parcelward.parcels.scan_check import ITEMS_AT_ONCE, ScanChecker
from parcelward.parcels.scan_check import statuses as statuses_of_items
from parcelward.people import queries as people
from parcelward.privacy import queries as privacy

Tell = Callable[[str, int, int], None]
"""Told (what is being checked, how many entries are done, of how many)."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked and held."""

    entries: int  # in the log, within the span
    events: int  # scans whose body was opened and compared
    emptied: int  # EPCIS events that named an erased item: counted, not opened
    closed: int  # scans whose item's secret was destroyed: counted, not opened
    signatures: int  # of devices, over the requests that these scans came in
    facts: int
    unchecked: dict[str, int]  # kind of entry that this installation cannot check -> how many
    statuses: int  # item statuses folded again; 0 unless asked for
    seconds: float


def verify_log(
    settings: config.Config,
    *,
    first: int = 0,
    end: int | None = None,
    statuses: bool = False,
    checkers: Mapping[str, custody.Checker] | None = None,
    rooms: Sequence[Callable[[Findings], None]] = (),
    tell: Tell = lambda *_: None,
) -> Report:
    """Recompute entries `first` to `end` (the whole log by default) from the database and compare.

    Raises EntryDiffers with the first entry that differs by log index; for what has no place in the log, without index.
    `checkers` add kinds of entries of other rooms, `rooms` compare the rows of those that this one does not know. Sees
    one moment of the database while the system runs on.
    """
    began = time.monotonic()
    scans, captured, findings = ScanChecker(), epcis.EpcisChecker(), Findings()
    signed = custody.published_now(settings)
    with _one_moment():
        span = custody.read_span(first=first, end=end)
        if not span.whole:
            scans.follow_items()
        kinds: dict[str, custody.Checker] = {
            "parcels.scan": scans,
            BATCH_KIND: captured,
            **(checkers or {}),
        }
        check = CheckLog(span, kinds, tell=tell)
        done = check.run(settings, signed, findings)
        if span.whole and findings.first is None:
            people.check_devices(findings)
            people.check_accounts(findings)
            people.check_memberships(findings)
            people.check_two_people(findings)
            people.check_authority(findings)
            people.check_proofs(findings)
            network.check_network(findings)
            privacy.check_privacy(findings)
            ruled_ids.check_hazmat_rules(findings)
            for check_room in rooms:
                check_room(findings)
        folded = 0
        if statuses and findings.first is None:
            folded = _check_statuses(findings, tell)
    findings.settle()
    return Report(
        entries=span.end - span.first,
        events=done.get("parcels.scan", 0),
        emptied=captured.emptied,
        closed=scans.closed,
        signatures=scans.sent.signatures,
        facts=done.get("fact", 0),
        unchecked=check.unchecked,
        statuses=folded,
        seconds=time.monotonic() - began,
    )


def _check_statuses(findings: Findings, tell: Tell) -> int:
    """Fold every item's events again and compare with its status."""
    done = 0
    for rows in statuses_of_items():
        items = [row[0] for row in rows]
        for at in range(0, len(items), ITEMS_AT_ONCE):
            some = items[at : at + ITEMS_AT_ONCE]
            for item, columns in status_actions.differing(some):
                findings.note(
                    f"The item's status is not what its events add up to: {columns}.", differs="status", item=item
                )
            done += len(some)
            tell("statuses", done, 0)
    return done


@contextlib.contextmanager
def _one_moment() -> Iterator[None]:
    """See one moment of the database; within a caller's transaction, what that sees."""
    if connections["default"].in_atomic_block:
        yield
        return
    with transaction.atomic():
        with db.cursor() as cur:
            cur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
