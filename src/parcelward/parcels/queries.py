"""Read journeys, stories and what needs a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django.db import connections

from parcelward.base import config, db
from parcelward.base.standards import identify
from parcelward.base.standards.errors import BadItemNumber
from parcelward.base.standards.steps import Step
from parcelward.custody import queries as custody
from parcelward.custody.wire import EVENTS_AT_ONCE_MAX, ItemKeys, Opened, open_body
from parcelward.network import queries as network
from parcelward.network.wire import FacilityRow
from parcelward.parcels import (
    attention,
    containment,
    erasures,
    outward,
    ruled_ids,
    rules,
    security_holds,
    told,
    verification,
)
from parcelward.parcels.models import Item, ItemAlias, ItemKind, ItemStatus, Manifest, ScanEvent
from parcelward.parcels.photos import marks as photo_marks
from parcelward.parcels.photos import reading
from parcelward.parcels.proofs import first_number, proven_before, shown_events
from parcelward.parcels.proofs import proofs as proofs_of
from parcelward.parcels.receipts import receipt_proof as receipt_proof_of
from parcelward.parcels.rules import Seen, State
from parcelward.parcels.wire import (
    Contents,
    EventStory,
    Held,
    Journey,
    Place,
    Throughput,
    TimelineEntry,
)
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task

proofs = proofs_of
receipt_proof = receipt_proof_of
items_in, told_after = outward.items_in, outward.told_after
verify_log = verification.verify_log
Report = verification.Report
Tell = verification.Tell
alerts, alert, open_by_kind = attention.alerts, attention.alert, attention.open_by_kind
quarantined, quarantined_event = attention.quarantined, attention.quarantined_event
standstill = attention.standstill
held_for_security = security_holds.held_for_security
waiting_erasures, waiting_erasure = erasures.erasures, erasures.erasure
WaitingErasure = erasures.WaitingErasure
StandingHold = erasures.StandingHold
number_of = erasures.number_of
photos_are_read, marks_on, uncovered = reading.available, reading.marks_on, photo_marks.uncovered
operator_rules, hazmat_rules = ruled_ids.operator_rules, ruled_ids.hazmat_rules
legal_holds, legal_hold = erasures.legal_holds, erasures.legal_hold


def find(identifier: str) -> UUID | None:
    """Return the item that a number or `itm_...` names now, or None. Raises BadItemNumber for what is neither."""
    number = identify.canonical(identifier)
    if number.startswith(identify.ITEM_PREFIX):
        item = UUID(hex=number[len(identify.ITEM_PREFIX) :])
        return item if Item.objects.filter(item=item).exists() else None
    return ItemAlias.objects.filter(number=number, valid_to=None).values_list("item", flat=True).first()


def is_item(text: str) -> bool:
    """Return whether `text` names an item that there is; what can be no number names none."""
    try:
        return find(text) is not None
    except BadItemNumber:
        return False


def handed_in(item: UUID) -> bool:
    """Return whether anybody has had this item in hand: what is held before it comes has been in nobody's."""
    return ScanEvent.objects.filter(item=item).exclude(step__in=rules.AT_THE_DESK).exists()


def on_hold(items: Collection[UUID]) -> frozenset[UUID]:
    """Return those of these items that are held, wherever they have been seen since: no more than anybody may know."""
    flags = ItemStatus.objects.filter(item__in=items).values_list("item", "flags")
    return frozenset(item for item, each in flags if each & State.HELD)


def place_of(row: FacilityRow | None) -> Place | None:
    """Return a facility as the public may see it: its position rounded to about a kilometre."""
    if row is None:
        return None
    at = None if row.position is None else (round(row.position[0], 2), round(row.position[1], 2))
    return Place(row.code, row.name, row.coarse_place, row.time_zone, at, row.simulated)


def journey(item: UUID) -> Journey:
    """Return the public journey of an item. Raises ItemStatus.DoesNotExist for one that `find` did not give."""
    settings = config.get()
    status = ItemStatus.objects.get(item=item)
    announced = Item.objects.get(item=item)
    events = shown_events(item, status)
    places = network.facilities(numbers={seen.facility for seen, *_ in events}).by_number
    at = custody.places(batch for _, batch, _, _ in events)
    size = custody.published_size(settings)
    proven = {seen[:5] for seen, batch, leaf, _ in events if batch in at and at[batch].first_index + leaf < size}
    void = rules.voided(seen for seen, *_ in events)
    lines = [
        TimelineEntry(
            event_id=seen.event_id,
            step=Step(seen.step),
            event_time=seen.event_time,
            place=place_of(places.get(seen.facility)),
            source="observed",
            receptacle="",
            corrected=seen[:5] in void,
            proven=seen[:5] in proven,
        )
        for seen, *_ in events
        if seen.corrects is None
    ]
    lines += _derived([seen for seen, *_ in events if seen[:5] not in void], places)
    older = status.item_seq - len(events)
    accepted = older > 0 or any(seen.step == Step.ACCEPTED for seen, *_ in events)
    lines += _assumed(item, places, seen_accepted=accepted)
    lines.sort(key=lambda line: line.event_time, reverse=True)
    step = Step(status.step)
    stopped = told.stopped_by(status.flags, step)
    return Journey(
        item=item,
        public_id=identify.item_id(item),
        number=first_number(item) or identify.item_id(item),
        step=step,
        tracker=told.tracker(status, lines),
        headline=told.headline(status, step, lines),
        next_step="" if status.flags & State.SHREDDED else told.next_step(step, lines),  # nothing more is recorded
        reason=told.reason(stopped, outward.scanned_reason(item, [seen for seen, *_ in events], void, stopped)),
        stage=told.stage(step, lines),
        action_required=told.action(step),
        timeline=tuple(lines),
        unannounced=announced.announced_at is None,
        simulated=announced.simulated,
        receptacle=announced.kind == ItemKind.RECEPTACLE,
        mode=settings.mode,
        held=bool(status.flags & State.HELD),
        shredded=bool(status.flags & State.SHREDDED),
        events_total=status.item_seq,
        events_proven=len(proven) + proven_before(item, older, size),
        created_at=announced.made_at,
        updated_at=status.last_time,
    )


def _derived(events: Sequence[Seen], places: dict[int, FacilityRow]) -> list[TimelineEntry]:
    """Return what was seen of the receptacles that the item was inside: computed now, never stored."""
    found = containment.sightings(events)
    return [
        TimelineEntry(
            event_id=None,
            step=Step(sight.step),
            event_time=sight.event_time,
            place=place_of(places.get(sight.facility)),
            source="derived",
            receptacle=sight.number,
            corrected=False,
            proven=False,
        )
        for sight in found
    ]


def _assumed(item: UUID, places: dict[int, FacilityRow], *, seen_accepted: bool) -> list[TimelineEntry]:
    if seen_accepted:
        return []
    # Older versions took times that no page can show, and that Python cannot even hold.
    row = Manifest.objects.filter(item=item, event_time__gte=rules.EVENT_TIME_MIN).order_by("event_time").first()
    if row is None:
        return []
    place = place_of(places.get(row.facility))
    return [TimelineEntry(None, Step.ACCEPTED, row.event_time, place, "assumed", "", corrected=False, proven=False)]


def inside(item: UUID, *, by: Person) -> Contents:
    """Return what a receptacle holds now, as it follows from loadings and unloadings; nothing for an item."""
    people.require(by, Task.READ_DESK)
    found, more = containment.inside(item)
    return Contents(tuple(Held(number or identify.item_id(one), since) for one, number, since in found), more)


def story(item: UUID, *, by: Person) -> tuple[EventStory, ...]:
    """Return every event of an item as staff see it, newest first: its source, its place in the log, its details."""
    people.require(by, Task.READ_DESK)
    settings = config.get()
    keys = custody.item_keys([item]).get(item)
    size = custody.published_size(settings)
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT event_time, source, sequence, position, event_id, step, facility, flags, receptacle, corrects, "
            "batch, leaf, body FROM parcels_scan_event WHERE item = %s "
            "ORDER BY event_time DESC, source DESC, sequence DESC, position DESC LIMIT %s",
            (item, EVENTS_AT_ONCE_MAX),
            binary=True,
        )
        rows = [(Seen._make((*row[:10], None)), row[10], row[11], bytes(row[12])) for row in cur]
    at = custody.places(batch for _, batch, _, _ in rows)
    names = people.source_names(seen.source for seen, *_ in rows)
    void = rules.voided(seen for seen, *_ in rows)
    places = network.facilities(numbers={seen.facility for seen, *_ in rows}).by_number
    numbers = dict(
        ItemAlias.objects.filter(item__in={seen.receptacle for seen, *_ in rows if seen.receptacle}).values_list(
            "item", "number"
        ),
    )
    found = []
    for seen, batch, leaf, body in rows:
        place = at.get(batch)
        index = None if place is None else place.first_index + leaf
        opened = _opened(keys, seen.event_id, body)
        details = "" if opened is None else opened.groups["operations"].decode()
        found.append(
            EventStory(
                entry=TimelineEntry(
                    event_id=seen.event_id,
                    step=Step(seen.step),
                    event_time=seen.event_time,
                    place=place_of(places.get(seen.facility)),
                    source="observed",
                    receptacle=numbers.get(seen.receptacle, "") if seen.receptacle else "",
                    corrected=seen[:5] in void,
                    proven=index is not None and index < size,
                ),
                device_name=names.get(seen.source, ""),
                device_sequence=seen.sequence,
                position=seen.position,
                record_time=place.record_time if place else seen.event_time,
                log_index=index,
                corrects=seen.corrects,
                operations=details,
                commitment_hex="" if opened is None else opened.commitment.hex(),
            )
        )
    return tuple(found)


def _opened(keys: ItemKeys | None, event_id: UUID, body: bytes) -> Opened | None:
    """Return what an event's body holds; None when its secret was destroyed or its bytes were changed."""
    if keys is None:
        return None
    try:
        return open_body(keys, event_id.bytes, body)
    except InvalidTag:
        return None


WINDOW_S = 600
BUCKET_S = 10


def throughput(*, by: Person) -> Throughput:
    """Return the desk's live figures."""
    people.require(by, Task.READ_DESK)
    settings = config.get()
    now = dt.datetime.now(dt.UTC)
    with connections["default"].cursor() as cur:
        cur.execute(
            "SELECT floor(extract(epoch FROM %s - record_time) / %s)::int, sum(n) FROM custody_logbatch "
            "WHERE record_time > %s AND kind = 'parcels.scan' GROUP BY 1",
            [now, BUCKET_S, now - dt.timedelta(seconds=WINDOW_S)],
        )
        buckets = dict(cur.fetchall())
        cur.execute(
            "SELECT coalesce(sum(n), 0) FROM custody_logbatch WHERE record_time >= date_trunc('day', %s) "
            "AND kind = 'parcels.scan'",
            [now],
        )
        row = cur.fetchone()
    head = custody.head(settings)
    return Throughput(
        events_per_second=tuple(
            round(float(buckets.get(i, 0)) / BUCKET_S, 1) for i in reversed(range(WINDOW_S // BUCKET_S))
        ),
        events_today=int(row[0]) if row else 0,
        log_size=head.published_size,
        log_behind=head.pending,
        checkpoint_age_s=custody.checkpoint_age_s(settings),
        witnessed_size=head.witnessed_size,
        open_by_kind=open_by_kind(),
    )
