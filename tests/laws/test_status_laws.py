"""Laws of the status: what events add up to does not depend on when they arrive, how often, or in what batches."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import uuid

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.scanner import Scanner, new_number, new_receptacle

from parcelward.base.standards.steps import CODES, Step
from parcelward.parcels import rules
from parcelward.parcels.rules import Mark, Seal, Seen, Status

START = dt.datetime(2026, 11, 20, 8, tzinfo=dt.UTC)
STEPS = sorted(int(step) for step in CODES)
BAGS = [uuid.UUID(int=0xBA60 + i) for i in range(2)]

seals = st.builds(
    Seal,
    did=st.sampled_from(["applied", "checked", "broken", "replaced"]),
    number=st.sampled_from(["S1", "S2"]),
    replaces=st.sampled_from(["", "S1"]),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Seen]:
    """Events of one item: ties of time are common, corrections may aim at anything, also at corrections.

    Now and then somebody uses another event's id again, at another time: the two are different events.
    """
    events: list[Seen] = []
    taken: set[tuple[int, uuid.UUID]] = set()
    for n in range(draw(st.integers(1, 9))):
        step = draw(st.sampled_from([*STEPS, int(Step.DELIVERED), int(Step.HELD), int(Step.RELEASED)]))
        target = draw(st.sampled_from([None, None, None, *(e.event_id for e in events), uuid.UUID(int=99)]))
        seal = draw(st.none() | seals)
        flags = (Mark.SEAL if seal else 0) | draw(st.sampled_from([0, int(Mark.AUTHORISED)]))
        minute = draw(st.integers(0, 5))
        event_id = draw(st.sampled_from([uuid.UUID(int=1000 + n)] * 4 + [e.event_id for e in events]))
        if (minute, event_id) in taken:
            event_id = uuid.UUID(int=1000 + n)
        taken.add((minute, event_id))
        events.append(
            Seen(
                START + dt.timedelta(minutes=minute),
                draw(st.integers(1, 2)),
                draw(st.integers(0, 2)),
                draw(st.integers(0, 2)),
                event_id,
                step,
                draw(st.integers(0, 2)),
                int(flags),
                draw(st.sampled_from(BAGS)) if step in {int(Step.LOADED), int(Step.UNLOADED)} else None,
                target,
                seal,
            )
        )
    return events


def arrive(batches: list[list[Seen]]) -> Status[dt.datetime, uuid.UUID]:
    """Record batches as the actions do: in order one by one, else all again from the first; repeats are known."""
    known: dict[tuple[dt.datetime, uuid.UUID], Seen] = {}
    status: Status[dt.datetime, uuid.UUID] = Status()
    for batch in batches:
        refold = False
        for seen in batch:
            if (seen.event_time, seen.event_id) in known:
                continue
            known[seen.event_time, seen.event_id] = seen
            if refold or not rules.in_order(status, seen):
                refold = True
            else:
                rules.advance(status, seen)
        if refold:
            status = rules.fold(known.values())
    return status


@settings(max_examples=400, deadline=None)
@given(histories(), st.data())
def test_any_arrival_gives_the_same_status(events: list[Seen], data: st.DataObject) -> None:
    sent = data.draw(st.permutations(events)) + data.draw(st.lists(st.sampled_from(events), max_size=4))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(sent)), max_size=4)))
    batches = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert dataclasses.asdict(arrive(batches)) == dataclasses.asdict(rules.fold(events))


@settings(max_examples=200, deadline=None)
@given(histories())
def test_only_a_correction_takes_a_delivery_back(events: list[Seen]) -> None:
    plain = [seen for seen in events if seen.corrects is None]
    if any(seen.step == Step.DELIVERED for seen in plain):
        assert rules.fold(plain).step == Step.DELIVERED


def secured(seen: Seen) -> bool:
    """Say whether a hold is one that only the desk takes back."""
    return seen.step == Step.HELD and bool(seen.flags & Mark.AUTHORISED)


@settings(max_examples=400, deadline=None)
@given(histories())
def test_only_its_own_source_or_who_may_takes_an_event_back(events: list[Seen]) -> None:
    void = rules.voided(events)
    for seen in events:
        by = [
            c
            for c in events
            if c.corrects == seen.event_id
            and (c.flags & Mark.AUTHORISED or (c.source == seen.source and not secured(seen)))
            and (c.step == Step.HELD or not secured(seen))
        ]
        effective = [c for c in by if c[:5] not in void]
        if seen[:5] in void:
            assert by, "somebody who may says so"
        else:
            assert not effective, "what somebody who may declares wrong counts no more"


@settings(max_examples=200, deadline=None)
@given(histories())
def test_a_status_knows_its_first_and_last_event(events: list[Seen]) -> None:
    """Reads look between these two: an event outside would be invisible."""
    status = rules.fold(events)
    assert status.last == max(seen[:5] for seen in events)
    assert status.first_time is not None
    assert status.first_time <= min(seen.event_time for seen in events)


def _scans(number: str, rnd: random.Random) -> list[dict[str, object]]:
    """Return a lively history of one item, as a scanner sends it."""
    bag = new_receptacle()
    start = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=5)
    steps = ["accepted", "loaded", "unloaded", "held", "released", "sealed", "out_for_delivery", "delivered", "wobbled"]
    made: list[dict[str, object]] = []
    for step in rnd.choices(steps, k=8):
        one: dict[str, object] = {
            "event_id": str(uuid.UUID(int=rnd.getrandbits(128))),
            "event_time": (start + dt.timedelta(minutes=rnd.randrange(240))).isoformat(),
            "step": step,
            "facility": rnd.choice(["TEST-A", "TEST-B"]),
            "item_id": number,
        }
        if step in {"loaded", "unloaded"}:
            one["receptacle"] = bag
        if step == "sealed":
            one["seal"] = {"number": rnd.choice(["S1", "S2"]), "did": rnd.choice(["applied", "broken", "checked"])}
        if made and rnd.random() < 0.25:
            target = rnd.choice(made)["event_id"]
            one["corrects"] = {"event_id": target, "declares": "did_not_occur", "reason": "mistake"}
        made.append(one)
    return made


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_stored_statuses_follow_from_the_events_whatever_the_arrival(installation, facilities, seed):
    """Through the real recording: arrivals in disorder, repeated, in several batches."""
    from parcelward.parcels import queries
    from parcelward.parcels.actions.statuses import differing

    rnd = random.Random(seed)
    scanner = Scanner(installation)
    numbers = [new_number() for _ in range(3)]
    events = [one for number in numbers for one in _scans(number, rnd)]
    sent = [*events, *rnd.sample(events, 5)]
    rnd.shuffle(sent)
    while sent:
        size = rnd.randint(1, 12)
        scanner.send(*sent[:size])
        del sent[:size]
    items = [queries.find(number) for number in numbers]
    assert None not in items
    assert differing([item for item in items if item]) == []
    assert [queries.journey(item).events_total for item in items if item] == [8, 8, 8]
