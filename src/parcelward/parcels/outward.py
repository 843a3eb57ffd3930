"""What outsiders may be told of an item after each of its events: for whoever follows the log and passes it on.

Part of the room's queries. It is what the public journey shows, made from the same rules: never more than was observed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from django.utils import translation

from parcelward.base import db
from parcelward.base.standards import identify
from parcelward.base.standards.steps import Step
from parcelward.custody import queries as custody
from parcelward.custody.wire import open_body
from parcelward.parcels import canon, rules, told
from parcelward.parcels.models import Item, ItemAlias
from parcelward.parcels.rules import Seen
from parcelward.parcels.wire import Told, ToldAfter

FOLDED_MAX: Final = 300
"""Events of one item that are folded again for each new one; of an item with more only what all add up to is told."""


def items_in(batches: Sequence[int]) -> list[UUID]:
    """Return the items that the events of these batches are about."""
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT DISTINCT item FROM parcels_scan_event WHERE batch = ANY(%s)",
            (db.bigint_array(batches),),
            binary=True,
        )
        return [row[0] for row in cur]


def told_after(items: Collection[UUID], batches: Collection[int]) -> list[ToldAfter]:
    """Return what may be told of these items after each event of these batches, in the order of recording.

    An event that comes late, and a correction, change what all events add up to: so each is told as of all before it.
    """
    wanted = sorted(items)
    recorded: defaultdict[UUID, list[tuple[Seen, int, int]]] = defaultdict(list)
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT item, event_time, source, sequence, position, event_id, step, facility, flags, receptacle, "
            "corrects, batch, item_seq FROM parcels_scan_event WHERE item = ANY(%s::uuid[]) ORDER BY item_seq",
            (db.uuid_array([item.bytes for item in wanted]),),
            binary=True,
        )
        for item, *seen, batch, item_seq in cur:
            recorded[item].append((Seen._make((*seen, None)), batch, item_seq))
    numbers = dict(
        ItemAlias.objects.filter(item__in=wanted).order_by("-valid_from").values_list("item", "number")
    )  # the first one stays: the last that is written
    simulated = set(Item.objects.filter(item__in=wanted, simulated=True).values_list("item", flat=True))
    return [
        ToldAfter(
            item=item,
            number=numbers.get(item) or identify.item_id(item),
            simulated=item in simulated,
            event_id=seen.event_id,
            step=Step(seen.step),
            event_time=seen.event_time,
            corrects=seen.corrects,
            told=_told(item, before),
        )
        for item in wanted
        for seen, before in _each_new(recorded[item], frozenset(batches))
    ]


def _each_new(recorded: Sequence[tuple[Seen, int, int]], batches: frozenset[int]) -> Iterator[tuple[Seen, list[Seen]]]:
    """Give each event of the batches with all that were recorded up to it."""
    new = [at for at, (_, batch, _) in enumerate(recorded) if batch in batches]
    if len(recorded) > FOLDED_MAX:
        new = new[-1:]
    for at in new:
        yield recorded[at][0], [seen for seen, *_ in recorded[: at + 1]]


def _told(item: UUID, events: Sequence[Seen]) -> Told:
    """Return what these events add up to, as outsiders may read it."""
    status, void = rules.fold(events), rules.voided(events)
    step = Step(status.step)
    observed = any(
        seen.step and seen.step not in rules.AT_THE_DESK and seen.corrects is None and seen[:5] not in void
        for seen in events
    )
    stopped = told.stopped_by(status.flags, step)
    with translation.override("en"):  # a program reads it
        action = told.action(step)
    return Told(
        status=told.tracker_of(status.step, status.flags, observed=observed),
        status_detail="" if step is Step.UNKNOWN else step.word,
        reason=told.reason(stopped, scanned_reason(item, sorted(events, key=lambda seen: seen[:5]), void, stopped)),
        action_required=action,
    )


def scanned_reason(item: UUID, events: Iterable[Seen], void: Collection[Any], step: Step | None) -> str:
    """Return the reason that the newest scan of that step carried; empty where none did, or nobody can open it.

    `events` are in the order of the world.
    """
    scans = (seen for seen in reversed(list(events)) if seen.step == step and seen.corrects is None)
    last = next((seen for seen in scans if seen[:5] not in void), None)
    if step is None or last is None:
        return ""
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT body FROM parcels_scan_event WHERE item = %s AND event_time = %s AND event_id = %s",
            (item, last.event_time, last.event_id),
            binary=True,
        )
        row = cur.fetchone()
    keys = custody.item_keys([item]).get(item)
    if row is None or keys is None:
        return ""
    try:
        return canon.scanned_reason(open_body(keys, last.event_id.bytes, bytes(row[0])).groups["operations"])
    except InvalidTag:  # its bytes were changed: verify-log says so
        return ""
