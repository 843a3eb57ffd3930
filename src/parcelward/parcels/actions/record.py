"""Record scans: from parsed requests to durable events, statuses and commitments, in one transaction.

The fast way assumes that nothing was seen before: events go in by COPY, and the unique key or the compare-and-swap on
an item's event sequence says when that was wrong. Then the whole transaction is done again, carefully. Who sent known
events a moment ago is not believed to send new ones: with one such sender, careful is the first try.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import random
import time
from collections.abc import Sequence
from operator import attrgetter

import msgspec
import psycopg
from django.db import transaction

from parcelward.base import config, db, partitions
from parcelward.base.errors import Busy, ParcelwardError
from parcelward.base.standards import steps
from parcelward.custody import actions as custody
from parcelward.custody import queries as custody_queries
from parcelward.custody.wire import NONCE_SIZE
from parcelward.network import queries as network
from parcelward.parcels import canon, rows, rules
from parcelward.parcels.actions import afterwards, items, label_scans, marks, nesting, reading, repeats
from parcelward.parcels.actions import kept as remembered
from parcelward.parcels.actions import submissions as sent
from parcelward.parcels.actions.kept import Kept
from parcelward.parcels.actions.work import Born, Nested, Recorded, Thing, Wanted, Work
from parcelward.parcels.errors import Contended
from parcelward.parcels.models import ItemKind
from parcelward.parcels.quarantine_check import QUARANTINED
from parcelward.parcels.rules import Mark, Observed, PackedSeen, Seal, State
from parcelward.parcels.wire import Answer, BadScan, ScanIn, Submission
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task

TRIES_MAX = 10
RETRY_PAUSE_S = 0.02
LOCK_WAIT_MS = 3_000  # for what somebody else holds: others wait behind us
PROMISE_S = 10  # the receipt's promise: in the log within so many seconds

_STEP_WORDS = {int(step): step.word for step in steps.Step}
_HELD, _RELEASED, _LOADED = (int(s) for s in (steps.Step.HELD, steps.Step.RELEASED, steps.Step.LOADED))
_ITEM, _RECEPTACLE = int(ItemKind.ITEM), int(ItemKind.RECEPTACLE)
_HELD_F, _AFTER_F = int(State.HELD), int(State.AFTER_DELIVERY)
_AUTHORISED_M, _UNKNOWN_M = int(Mark.AUTHORISED), int(Mark.UNKNOWN_STEP)
_AGAIN = (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)
_item = attrgetter("item")
_new = tuple.__new__  # makes a NamedTuple at a third of what calling its class costs: three of them a scan
_RECEPTACLE_PROBLEM = "not_a_receptacle", "No receptacle has this number or id. Scan what the item goes into."
_ID_REUSED = (
    "event_id_reused",
    "Another event has this id already, with another step or place. Give each event its own.",
)
_ON_HOLD = "This item is on hold. Set it aside and tell your supervisor."


def record_scans(submissions: Sequence[Submission], *, now: dt.datetime) -> list[Answer | ParcelwardError]:
    """Record every good event of every request and quarantine every bad one; answers in the order of `submissions`.

    One transaction, however many requests: when this returns, what the answers say is durable. A request that was
    refused as a whole has a ParcelwardError in its place. Raises Contended when it keeps losing races, or
    waits too long for what somebody else holds.
    """
    for submission in submissions:
        people.require(submission.by, Task.SCAN)
    # Within a caller's transaction nothing is sure yet; and where several processes record, each knows too little. Of
    # other machines nothing is known here: the operating page asks for two processes on each.
    alone = config.get().web_workers == 1 and not transaction.get_connection().in_atomic_block
    return _record(submissions, now=now, remember=alone)


def record_by_person(
    submission: Submission, *, now: dt.datetime, keep_bad: bool = True, with_rights: bool = True
) -> Answer | ParcelwardError:
    """Record what a person at the desk does, an import or an EPCIS event; the caller has asked for the right to do it.

    With `keep_bad=False` a bad event is only named, not kept once more. Without rights it does no more than a scan may.
    """
    return _record([submission], now=now, keep_bad=keep_bad, with_rights=with_rights)[0]


def _record(
    submissions: Sequence[Submission],
    *,
    now: dt.datetime,
    keep_bad: bool = True,
    remember: bool = False,
    with_rights: bool = False,
) -> list[Answer | ParcelwardError]:
    born, careful = Born(), repeats.expected_of(s.by.source for s in submissions)
    kept = remembered.of(db.raw()) if remember else None
    for _ in range(TRIES_MAX):
        work = Work(submissions, now, keep_bad=keep_bad, with_rights=with_rights)
        try:
            with transaction.atomic():
                db.raw().execute(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS}")
                _do(work, born, kept=kept, careful=careful)
        except (*_AGAIN, db.LostRace) as err:
            careful = True
            if kept is not None and isinstance(err, db.LostRace):
                kept.doubt()
            time.sleep(random.uniform(0, RETRY_PAUSE_S))  # noqa: S311 -- keeps two losers from meeting again, no secret
        except psycopg.errors.LockNotAvailable:
            break
        except psycopg.errors.CheckViolation:
            _make_partitions(work)
        else:
            if kept is not None:
                kept.keep(work.things.values())
            if careful:
                repeats.note(_who_repeats(work))
            return [work.answers[i] for i in range(len(submissions))]
    raise Contended("Others hold or write the same items; send the batch again", retry_after_s=1)


def _who_repeats(work: Work) -> set[int]:
    """Return the sources that sent an event whose id was known, or that had to be looked for among those known."""
    looked_for = _ID_REUSED[0], reading.TOO_MANY_EVENTS[0]
    again = {i for i, bad in work.bad if bad.code in looked_for} | work.duplicates.keys()
    return {work.submissions[i].by.source for i in again}


def _make_partitions(work: Work) -> None:
    """Make what was missing. Raises Contended, not Busy: batches of other days need not wait for it."""
    try:
        for day in {db.from_micros(event.seen.event_time).date() for event in work.events}:
            partitions.ensure("parcels_scan_event", day)
        partitions.ensure("custody_batch", work.now.date())
    except Busy as err:
        raise Contended(err.message, retry_after_s=err.retry_after_s) from err


def _do(work: Work, born: Born, *, kept: Kept | None, careful: bool) -> None:
    """Do it all, in the caller's transaction; a fixed number of statements whatever the number of events."""
    open_ = reading.admit(work)
    wanted = reading.wanted_events(work, open_)
    reading.find_things(work, wanted, born, kept=None if careful else kept, lock=careful)
    known = reading.known_events(work, wanted) if careful else {}
    wanted = reading.foldable(work, wanted, known, careful=careful)
    _commit_events(work, wanted, known)
    reading.require_taken_over(work, born)
    batch = 0
    if work.events:
        signed = sent.signatures(work.submissions[i] for i in open_)
        batch = custody.add_batch("parcels.scan", [e.commitment for e in work.events], now=work.now, signed=signed)
        rows.copy_events(db.raw(), _packed(work.events, batch))
    _write_statuses(work)
    if work.nested:
        nesting.note_cycles(work)
    if work.labels:
        label_scans.check(work)
    afterwards.write(work.after, now=work.now)
    _answer(work, open_, batch, born)


def _packed(events: Sequence[Recorded], batch: int) -> list[bytes]:
    """Return the events' rows in the order of their ids: two batches of the same events queue instead of meeting."""
    keys = [event.thing.item + event.seen.event_id for event in events]
    packed = []
    for leaf in sorted(range(len(events)), key=keys.__getitem__):
        _, thing, seen, item_seq, body, _ = events[leaf]
        packed.append(rows.event_row(thing.item, seen, batch=batch, leaf=leaf, item_seq=item_seq, body=body))
    return packed


def _commit_events(work: Work, wanted: list[Wanted], seen_before: dict[bytes, tuple[int, int]]) -> None:
    """Encrypt and commit to each new event and fold it into its item's status; `seen_before` grows by what is new."""
    codes = {number: place.code for number, place in network.facilities().by_number.items()}
    senders, things, nonces = _senders(work), work.things, os.urandom(NONCE_SIZE * len(wanted))
    for nth, (i, position, scan, event_us, number, receptacle, step, facility) in enumerate(wanted):
        thing = things.get(number)
        if thing is None or thing.keys is None or thing.kind != (_ITEM if scan.item_id is not None else _RECEPTACLE):
            work.refuse(i, position, scan, _thing_problem(thing))
            continue
        if thing.number != number:
            work.named[i, thing.item] = number
        inside = None
        if receptacle:
            outer = things.get(receptacle)
            if outer is None or outer.kind != _RECEPTACLE:
                work.refuse(i, position, scan, _RECEPTACLE_PROBLEM)
                continue
            inside = outer.item
            if thing.kind == _RECEPTACLE and step == _LOADED and scan.corrects is None:
                work.nested.append(_new(Nested, (thing, outer, event_us, scan.event_id.bytes, facility)))
        key = thing.item + (event_id := scan.event_id.bytes)
        if key in seen_before:
            _seen_again(work, wanted[nth], thing, same=seen_before[key] == (step, facility))
            continue
        seen_before[key] = step, facility
        source, sequence, common, flags = senders[i]
        seal = scan.seal
        if flags or not step or step == _HELD or seal is not None or scan.handover is not None:
            flags = marks.of(scan, step, flags, at_the_desk=work.with_rights)
        sealed = None if seal is None else Seal(seal.did, seal.number, seal.replaces)
        corrects = None if scan.corrects is None else scan.corrects.event_id.bytes
        seen: PackedSeen = _new(
            Observed,
            (event_us, source, sequence, position, event_id, step, facility, flags, inside, corrects, sealed),
        )
        item_seq = (status := thing.status).item_seq + 1
        commitment, body = thing.keys.commit(
            event_id,
            nonces[nth * NONCE_SIZE : (nth + 1) * NONCE_SIZE],
            canon.public(
                event_us=event_us,
                item_seq=item_seq,
                event_id=event_id,
                item=number,
                place=codes[facility],
                previous=status.head,
                step=_STEP_WORDS[step],
                correction=None if corrects is None else (corrects, bool(flags & _AUTHORISED_M)),
            ),
            canon.addressee(scan),
            canon.operations(
                scan,
                position=position,
                common=common,
                unknown_step="" if step else scan.step,
                authorised=bool(flags & _AUTHORISED_M),
            ),
            canon.restricted(scan),
        )
        status.item_seq, status.head, thing.touched = item_seq, commitment, True
        seal_before = status.seal
        if scan.label_code is not None:
            label_scans.note(work, thing, wanted[nth])
        if thing.refold or not rules.in_order(status, seen):
            thing.refold = True
        else:
            rules.advance(status, seen)
        work.events.append(_new(Recorded, (i, thing, seen, item_seq, body, commitment)))
        if seen.flags or status.flags:
            _note(work, i, thing, seen, scan, seal_before)


def _seen_again(work: Work, event: Wanted, thing: Thing, *, same: bool) -> None:
    """Count a duplicate, and say again what the first answer said, for it may never have arrived.

    What says something else under a known id is no duplicate: it is set aside.
    """
    if not same:
        work.refuse(event.submission, event.position, event.scan, _ID_REUSED)
        return
    work.duplicates[event.submission] = work.duplicates.get(event.submission, 0) + 1
    if thing.status.flags & _HELD_F and event.step != _HELD:
        work.instruct(event.submission, thing, "HOLD", _ON_HOLD)
    label_scans.note(work, thing, event, again=True)


def _senders(work: Work) -> list[tuple[int, int, str, int]]:
    """Return (source, sequence, common part of the operations group, mark of the right to correct) of each request."""
    recorded = canon.instant(work.now)
    return [
        (
            s.by.source,
            s.sequence,
            canon.common_operations(recorded=recorded, sequence=s.sequence, source=s.by.source),
            _AUTHORISED_M if _authorised(s.by, work) else 0,
        )
        for s in work.submissions
    ]


def _authorised(by: Person, work: Work) -> bool:
    """Return whether what they record counts against others' events.

    Who holds the certificate lets dangerous goods go on: the desk asks for it before this.
    """
    return people.may(by, Task.CORRECT) or (work.with_rights and people.may(by, Task.ACCEPT_HAZMAT))


def _thing_problem(thing: Thing | None) -> tuple[str, str]:
    if thing is None:
        return "unknown_item", "No item has this id. Use the number on the label."
    if thing.keys is None:
        return "shredded", "This item's record was erased; nothing more can be recorded of it."
    return "wrong_kind", "This number is known as the other kind: check item_id against receptacle_id."


def _note(work: Work, i: int, thing: Thing, seen: PackedSeen, scan: ScanIn, seal_before: str) -> None:
    """Note what the hand that scanned and the desk should know of this event."""
    flags = thing.status.flags
    if flags & _HELD_F and seen.step != _HELD:
        work.instruct(i, thing, "HOLD", _ON_HOLD)
        if seen.step == _RELEASED and not thing.refold:
            work.after.alert("release_refused", thing.item, seen.event_id, seen.facility, {})
    if flags & _AFTER_F and not thing.refold and seen.step != _RELEASED:
        work.instruct(i, thing, "STOP", "This item was delivered already. Set it aside: its label may be a copy.")
        work.after.alert("after_delivery", thing.item, seen.event_id, seen.facility, {"step": seen.step})
    if seen.flags & _UNKNOWN_M:
        work.after.alert("unknown_step", thing.item, seen.event_id, seen.facility, {"word": scan.step})
    if seen.seal is not None and not thing.refold:
        why = rules.seal_problem(seal_before, seen.seal)
        if why:
            _seal_is_wrong(work, i, thing, seen, why)
    if scan.handover is not None:
        work.after.handover(scan.handover, thing.item, seen)


def _seal_is_wrong(work: Work, i: int, thing: Thing, seen: PackedSeen, why: str) -> None:
    work.instruct(i, thing, "SEAL_MISMATCH", f"{why} Do not open it; tell your supervisor.")
    work.after.alert("seal_mismatch", thing.item, seen.event_id, seen.facility, {"why": why})


def _write_statuses(work: Work) -> None:
    touched = sorted({t.item: t for t in work.things.values() if t.touched}.values(), key=_item)
    again = [t for t in touched if t.refold]
    if again:
        _refold(work, again)
    named = [t for t in work.things.values() if t.is_new and not t.touched]
    if named:
        inside = {event.seen.receptacle for event in work.events}
        items.insert_blank_statuses([t for t in named if t.item in inside])
        items.unmake([t for t in named if t.item not in inside])  # nothing of it was recorded: it was never seen
        work.things = {n: t for n, t in work.things.items() if t.touched or not t.is_new or t.item in inside}
    new = [rows.status_row(t.item, t.kind, t.status) for t in touched if t.is_new]
    if new:
        rows.insert_statuses(db.raw(), new)
    old = [t for t in touched if not t.is_new]
    if old:
        packed = [rows.status_row(t.item, t.kind, t.status) for t in old]
        rows.update_statuses(db.raw(), packed, [t.seq_before for t in old])


def _refold(work: Work, things: list[Thing]) -> None:
    """Fold these items' events again from the first: one came late, or one was declared wrong."""
    recorded = items.packed_events({t.item: t.keys for t in things})
    for thing in things:
        before = thing.status
        events = recorded[thing.item]
        status = rules.fold(events)
        status.item_seq, status.head = before.item_seq, before.head
        status.flags |= before.flags & rules.NOT_BY_EVENTS
        thing.status = status
        mine = [event for event in work.events if event.thing is thing]
        orders = rules.voided(events)
        label_scans.refolded(work, thing, (event for event in events if event[:5] not in orders))
        void = {event_id for *_, event_id in orders}
        for event in mine:
            if event.seen.corrects is not None and event.seen.corrects not in void:
                work.after.alert("idle_correction", thing.item, event.seen.event_id, event.seen.facility, {})
        if status.flags & _HELD_F:
            for i in {event.submission for event in mine}:
                work.instruct(i, thing, "HOLD", _ON_HOLD)
        if any(event.seen.seal for event in mine):
            wrong = rules.seal_problems(events)
            for event in mine:
                if event.seen.event_id in wrong:
                    _seal_is_wrong(work, event.submission, thing, event.seen, wrong[event.seen.event_id])
        if status.flags & _AFTER_F and not before.flags & _AFTER_F:
            work.after.alert("after_delivery", thing.item, "late", status.facility, {})


def _answer(work: Work, open_: list[int], batch: int, born: Born) -> None:
    """Make each new request's answer and keep it in the same transaction, so that a repeat gets the same bytes."""
    settings, recorded = config.get(), canon.instant(work.now)
    packed: dict[int, list[bytes]] = {}
    for event in work.events:
        packed.setdefault(event.submission, []).append(event.commitment)
    bad: dict[int, list[BadScan]] = {}
    keep: list[tuple[Submission, BadScan]] = []
    for i, one in work.bad:
        bad.setdefault(i, []).append(one)
    promises = []
    for i in open_:
        submission, accepted = work.submissions[i], packed.get(i, [])
        promises.append(
            f"{settings.origin}/receipt\nbatch {batch}\nsource {submission.by.id}\nsequence {submission.sequence}\n"
            f"body {submission.digest.hex()}\ncount {len(accepted)}\n"
            f"commitments {hashlib.sha256(b''.join(accepted)).hexdigest()}\n"
            f"recorded {recorded}\npromise in the log within {PROMISE_S} s\n"
        )
    for i, receipt in zip(open_, custody_queries.sign_receipts(settings, promises), strict=True):
        submission = work.submissions[i]
        refused = sorted(bad.get(i, []))
        body = {
            "accepted": len(packed.get(i, [])),
            "duplicates": work.duplicates.get(i, 0),
            "quarantined": [{"index": b.position, "code": b.code, "message": b.message} for b in refused],
            "instructions": list(work.instructions.get(i, {}).values()),
            "receipt": receipt,
        }
        work.answers[i] = Answer(msgspec.json.encode(body))
        if work.keep_bad:
            keep += [(submission, one) for one in refused]
    if keep and (kept := sent.quarantine(keep, now=work.now, sealed=born.bodies)):
        custody.record_fact(QUARANTINED, {"rows": kept})
    sent.store_answers(
        [(work.submissions[i], answer) for i in open_ if isinstance(answer := work.answers[i], Answer)], now=work.now
    )
