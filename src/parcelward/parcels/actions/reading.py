"""Which requests are new, which of their events can be recorded, and which items they are about."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from parcelward.base import db
from parcelward.base.errors import Busy
from parcelward.base.standards import identify, s10, steps
from parcelward.base.standards.errors import BadItemNumber
from parcelward.custody import actions as custody
from parcelward.custody import queries as custody_queries
from parcelward.custody.wire import GROUP_SIZE_MAX
from parcelward.network import queries as network
from parcelward.network.wire import FacilityRow
from parcelward.parcels import canon, rows, rules
from parcelward.parcels.actions import items
from parcelward.parcels.actions import submissions as sent
from parcelward.parcels.actions.kept import Kept
from parcelward.parcels.actions.work import Born, Thing, Wanted, Work
from parcelward.parcels.errors import SequenceReused, SequenceTooOld
from parcelward.parcels.models import ItemKind
from parcelward.parcels.rules import PackedStatus, State, Status
from parcelward.parcels.wire import TOO_DEEP, Answer, ScanIn, too_deep
from parcelward.people import queries as people
from parcelward.people.wire import Task

TOO_MANY_EVENTS = (
    "too_many_events",
    "This item has too many events to add one that comes late, corrects or follows a correction. Tell your supervisor.",
)
_new = tuple.__new__  # see record.py
_canonical = functools.lru_cache(maxsize=50_000)(identify.canonical)  # an item is scanned again within hours
_LOADING = frozenset({int(steps.Step.LOADED), int(steps.Step.UNLOADED)})
_ACCEPTED = int(steps.Step.ACCEPTED)
_SIMULATED = int(State.SIMULATED)
_SHREDDED, _REUSED, _CORRECTED, _LET_GO = (
    int(flag) for flag in (State.SHREDDED, State.REUSED, State.CORRECTED, State.LET_GO)
)
_ITEM, _RECEPTACLE = int(ItemKind.ITEM), int(ItemKind.RECEPTACLE)


def admit(work: Work) -> list[int]:
    """Return which requests are new; give the others their stored answer or their refusal."""
    revoked = people.revoked_among({s.by.source for s in work.submissions})
    stored, high = sent.stored_answers([s for s in work.submissions if s.sequence])
    open_: list[int] = []
    seen_here: set[tuple[int, int]] = set()
    for i, submission in enumerate(work.submissions):
        key = submission.by.source, submission.sequence
        before = stored.get(key)
        if submission.by.source in revoked:
            work.answers[i] = people.revoked()
        elif before is not None and before[0] == submission.digest:
            work.answers[i] = Answer(before[1])
        elif before is not None:
            work.answers[i] = SequenceReused(
                "This sequence was used before for another batch. Check the device: two may share a key.",
            )
        elif submission.sequence and key in seen_here:
            work.answers[i] = Busy("The same batch is being recorded right now; send it again", retry_after_s=1)
        elif submission.sequence and submission.sequence <= high.get(submission.by.source, 0) - rules.SEQUENCE_WINDOW:
            work.answers[i] = SequenceTooOld("Send these events again under the next sequence; nothing was lost.")
        else:
            seen_here.add(key)
            open_.append(i)
    return open_


class _Bad(Exception):
    """One event cannot be recorded; never leaves this file."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def wanted_events(work: Work, open_: Iterable[int]) -> list[Wanted]:
    """Return the events that can be recorded; the others are noted as bad, with what is wrong and their bytes."""
    places = network.facilities().by_code
    limits = db.pg_micros(rules.EVENT_TIME_MIN), db.pg_micros(work.now + rules.CLOCK_AHEAD_MAX)
    numbers: dict[str, str] = {}  # as sent -> canonical
    codes: dict[str, int] = {}  # step as sent -> number
    looked = False  # the places are read anew once a transaction at most, however many unknown codes it names
    wanted = []
    for i in open_:
        submission = work.submissions[i]
        work.bad.extend((i, bad) for bad in submission.bad)
        for position, scan in submission.events:
            step = codes.get(scan.step)
            if step is None:
                step = codes[scan.step] = int(steps.parse(scan.step))
            place = places.get(scan.facility)
            if place is None and not looked:
                looked, places = True, network.facilities(missing=scan.facility).by_code
                place = places.get(scan.facility)
            try:
                wanted.append(_wanted(i, position, scan, step, place, limits, numbers))
            except (_Bad, BadItemNumber) as err:
                work.refuse(i, position, scan, (err.code, err.message))
    return wanted


def _wanted(
    i: int,
    position: int,
    scan: ScanIn,
    step: int,
    place: FacilityRow | None,
    limits: tuple[int, int],
    numbers: dict[str, str],
) -> Wanted:
    """Return the event checked; `limits` are the earliest and latest time it may have. Raises _Bad, BadItemNumber."""
    text = scan.item_id if scan.item_id is not None else scan.receptacle_id
    if text is None or (scan.item_id is not None and scan.receptacle_id is not None):
        raise _Bad("one_number", "Give either item_id or receptacle_id.")
    event_us = db.pg_micros(scan.event_time)
    if event_us > limits[1]:
        raise _Bad("clock_ahead", "The event's time is more than 5 minutes ahead. Set the device's clock.")
    if event_us < limits[0]:
        raise _Bad("too_old", "The event's time is before the year 2000. Set the device's clock.")
    if place is None:
        raise _Bad("unknown_facility", "This facility code is not known here. Describe it, then resubmit.")
    if not step or scan.seal is not None or scan.handover is not None or scan.sensors:
        _require_storable(scan, step)
    inside = scan.receptacle
    if step in _LOADING and inside is None:
        raise _Bad("no_receptacle", "Loaded and unloaded need the receptacle's number.")
    number = numbers.get(text)
    if number is None:
        number = numbers[text] = _canonical(text)
    receptacle = ""
    if inside is not None:
        receptacle = numbers.get(inside, "")
        if not receptacle:
            receptacle = numbers[inside] = _canonical(inside)
            if s10.fits(receptacle) or any(own.fits(receptacle) for own in identify.OWN_FORMATS):
                del numbers[inside]
                raise _Bad("not_a_receptacle", "This is a parcel's number. Scan the receptacle that it goes into.")
        if receptacle == number:
            raise _Bad("inside_itself", "Nothing can be loaded into itself.")
    return _new(Wanted, (i, position, scan, event_us, number, receptacle, step, place.number))


def _require_storable(scan: ScanIn, step: int) -> None:
    """Raise _Bad for what would make the whole transaction fail: PostgreSQL's text cannot hold a NUL character."""
    texts = [] if step else [scan.step]
    if scan.seal is not None:
        texts += [scan.seal.number, scan.seal.replaces]
    if scan.handover is not None:
        texts += [scan.handover.id, scan.handover.party]
    if any("\0" in text for text in texts):
        raise _Bad("bad_character", "A text has a NUL character (U+0000). Send it without.")
    if scan.sensors:
        if too_deep(scan.sensors):
            raise _Bad("too_deep", TOO_DEEP)
        if len(canon.restricted(scan)) > GROUP_SIZE_MAX:
            raise _Bad("sensors_too_large", f"Sensor readings of one event have at most {GROUP_SIZE_MAX} bytes.")


def find_things(work: Work, wanted: list[Wanted], born: Born, *, kept: Kept | None, lock: bool) -> None:
    """Find every item and receptacle named; make the ones that nobody has told us about. `kept` may know them already.

    With `lock` their rows are locked in key order, so that transactions that meet queue up. New ones are made before
    that, as always: who holds a row and waits for a number would deadlock with who does it the other way round.
    Raises db.LostRace when a number went to another item meanwhile.
    """
    named: dict[str, tuple[int, int]] = {}  # number -> kind, first request that names it
    for i, _, scan, _, number, receptacle, _, _ in wanted:
        if number not in named:
            named[number] = _RECEPTACLE if scan.item_id is None else _ITEM, i
        if receptacle and receptacle not in named:
            named[receptacle] = _RECEPTACLE, i
    if not named:
        return
    by_number = [n for n in named if not n.startswith(identify.ITEM_PREFIX)]
    by_id = [bytes.fromhex(n[len(identify.ITEM_PREFIX) :]) for n in named if n.startswith(identify.ITEM_PREFIX)]
    same: dict[bytes, Thing] = {}  # one item may be named by several numbers in one batch
    unknown = by_number
    if kept is not None:
        # What is only loaded into is not written, so nothing would say that what is remembered of it is wrong.
        unknown = _remembered(work, by_number, {event.number for event in wanted}, kept, same)
    _read_things(work, unknown, by_id, same)
    _end_recycled(work, wanted, born)
    by_id += _give_to_the_one_before(work, wanted, same)
    fresh = [n for n in by_number if n not in work.things]
    if fresh:
        _make_things(work, fresh, named, born)
    if lock:
        _lock_things(work, [n for n in by_number if not work.things[n].is_new], by_id)
    alive = [t for t in work.things.values() if not t.is_new and not t.status.flags & _SHREDDED]
    keys = custody_queries.keys_of_living([t.item for t in alive])
    for thing in alive:
        thing.keys = keys.get(thing.item)


def _remembered(work: Work, numbers: list[str], scanned: set[str], kept: Kept, same: dict[bytes, Thing]) -> list[str]:
    """Take what is remembered of those that are scanned; return the numbers that must be read."""
    unknown = []
    for number in numbers:
        thing = kept.take(number) if number in scanned else None
        if thing is None:
            unknown.append(number)
        else:
            work.things[number] = same.setdefault(thing.item, thing)
    return unknown


def _read_things(
    work: Work, by_number: list[str], by_id: list[bytes], same: dict[bytes, Thing], *, more: str = ""
) -> None:
    found: list[tuple[str, bytes]] = []
    with db.cursor(binary=True) as cur:
        if by_number:
            cur.execute(rows.FIND + more, (db.text_array(by_number),), binary=True)
            found += cur.fetchall()
        if by_id:
            cur.execute(rows.FIND_BY_ITEM + more, (db.uuid_array(by_id),), binary=True)
            found += cur.fetchall()
    for number, row in found:
        item, kind, status = rows.status_from(row)
        thing = same.get(item)
        if thing is None:
            thing = Thing(number, item, kind, status, status.item_seq, bool(status.flags & _SIMULATED))
            same[item] = thing
        work.things[number] = thing


def _lock_things(work: Work, by_number: list[str], by_id: list[bytes]) -> None:
    """Read and lock what was read before. Raises db.LostRace when a number went to another item meanwhile.

    Who waited for a row sees it as it is now, but its number as it was before.
    """
    before = {n: work.things[n] for n in by_number}
    _read_things(work, by_number, by_id, {}, more=rows.LOCKED)
    for number, was in before.items():
        now = work.things[number]
        if now is was or now.item != was.item or (now.status.flags ^ was.status.flags) & _LET_GO:
            raise db.LostRace


def _give_to_the_one_before(work: Work, wanted: list[Wanted], same: dict[bytes, Thing]) -> list[bytes]:
    """Point late events of a number that was another item's at their time to that item; return the items they go to."""
    reused = {n for n, thing in work.things.items() if thing.status.flags & _REUSED} | work.ended.keys()
    if not reused:
        return []
    before: dict[str, list[tuple[int, bytes]]] = {}
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT number, valid_to, uuid_send(item) FROM parcels_itemalias "
            "WHERE number = ANY(%s::text[]) AND valid_to IS NOT NULL ORDER BY valid_to",
            (db.text_array(sorted(reused)),),
            binary=True,
        )
        for number, until, item in cur:
            before.setdefault(number, []).append((db.pg_micros(until), item))
    moved: set[bytes] = set()
    for nth, event in enumerate(wanted):
        owner = next((item for until, item in before.get(event.number, ()) if event.event_us < until), None)
        if owner is not None:
            moved.add(owner)
            wanted[nth] = event._replace(number=identify.ITEM_PREFIX + owner.hex())
    if moved:
        _read_things(work, [], sorted(moved), same)
    return sorted(moved)


def _end_recycled(work: Work, wanted: list[Wanted], born: Born) -> None:
    """Let go of items whose number has come back long after delivery: it names another item.

    Noted in `work.ended`: by then the acceptance that takes the number over may yet be refused (`require_taken_over`).
    """
    for event in wanted:
        number = event.number
        if event.step != _ACCEPTED or number not in work.things or event.scan.corrects is not None:
            continue
        if number.startswith(identify.ITEM_PREFIX) or number in born.staying:
            continue
        thing = work.things[number]
        if not rules.is_recycled(thing.status, step=event.step, event_us=event.event_us):
            continue
        if items.end_alias(number, thing.item, at=event.scan.event_time, seen=thing.status.item_seq):
            del work.things[number]
            work.ended[number] = event


def require_taken_over(work: Work, born: Born) -> None:
    """Raise db.LostRace when an acceptance that took a number over was refused: its item then keeps the number."""
    if not work.ended:
        return
    taken = {(e.thing.item, e.seen.event_time) for e in work.events if e.seen.step == _ACCEPTED}
    staying = {n for n, event in work.ended.items() if (work.things[n].item, event.event_us) not in taken}
    if staying:
        born.staying |= staying
        raise db.LostRace


def _make_things(work: Work, fresh: list[str], named: dict[str, tuple[int, int]], born: Born) -> None:
    unborn = [n for n in fresh if n not in born.items]
    made = items.new_item_ids(len(unborn), now=work.now)
    born.items.update(zip(unborn, made, strict=True))
    born.keys.update(custody_queries.keep_keys(custody.make_secrets(made)))
    for number in fresh:
        item = born.items[number]
        kind, i = named[number]
        taker = work.ended.get(number)
        if taker is not None:
            kind, i = _RECEPTACLE if taker.scan.item_id is None else _ITEM, taker.submission
        simulated = work.submissions[i].by.simulated
        status: PackedStatus = Status(flags=(_SIMULATED if simulated else 0) | (0 if taker is None else _REUSED))
        work.things[number] = Thing(number, item, kind, status, rows.NEW, simulated, keys=born.keys[item], is_new=True)
    items.insert_items([work.things[n] for n in fresh], now=work.now)


def foldable(work: Work, wanted: list[Wanted], known: dict[bytes, tuple[int, int]], *, careful: bool) -> list[Wanted]:
    """Set aside what would fold an item of FOLDED_EVENTS_MAX events from the first, and return the other events.

    One late event or correction reads them all while everybody waits. What is in order costs nothing more however many
    there are; nor does a repeat, which only the careful way knows. Who may correct anybody's event is never kept out.
    Raises db.LostRace to be done again carefully.
    """
    newest = {t.item: t.status.last for t in work.things.values() if t.status.item_seq >= rules.FOLDED_EVENTS_MAX}
    if not newest:
        return wanted
    kept = []
    for event in wanted:
        thing, by, event_id = work.things.get(event.number), work.submissions[event.submission].by, event.scan.event_id
        if thing is None or thing.item not in newest or thing.item + event_id.bytes in known:
            kept.append(event)
            continue
        order = event.event_us, by.source, work.submissions[event.submission].sequence, event.position, event_id.bytes
        last = newest[thing.item]
        if event.scan.corrects is None and not thing.status.flags & _CORRECTED and (last is None or order > last):
            newest[thing.item] = order
            kept.append(event)
        elif people.may(by, Task.CORRECT):
            kept.append(event)
        elif not careful:
            raise db.LostRace
        else:
            work.refuse(event.submission, event.position, event.scan, TOO_MANY_EVENTS)
    return kept


def known_events(work: Work, wanted: list[Wanted]) -> dict[bytes, tuple[int, int]]:
    """Return which of the events are recorded already: {its item and event id, 32 bytes together: (step, facility)}."""
    asked = [(work.things[e.number].item, e) for e in wanted if e.number in work.things]
    if not asked:
        return {}
    with db.cursor(binary=True) as cur:
        cur.execute(
            rows.KNOWN_EVENTS,
            (
                db.uuid_array([item for item, _ in asked]),
                [event.scan.event_time for _, event in asked],
                db.uuid_array([event.scan.event_id.bytes for _, event in asked]),
            ),
            binary=True,
        )
        return {item + event_id: (step, facility) for item, event_id, step, facility in cur}
