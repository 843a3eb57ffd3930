from __future__ import annotations

import datetime as dt
import itertools
import json
import time
from collections import Counter, defaultdict

from parcelward.base.standards import gs1, s10, steps
from parcelward.doors.simulator import load, world

START = dt.datetime(2026, 3, 2, 8, 0, tzinfo=dt.UTC)


def test_the_same_seed_gives_the_same_bytes(town: world.World) -> None:
    first, second, other = (list(load.load_plan(seed, 70, start=START, batch=30, world=town)) for seed in (1, 1, 2))
    assert first == second
    assert first != other


def test_every_item_makes_its_nine_steps_in_order_within_two_hours(town: world.World) -> None:
    batches = [json.loads(b) for b in load.load_plan(1, 700, start=START, batch=40, world=town)]
    assert all(1 <= len(b) <= 40 for b in batches)
    seen = defaultdict(list)
    for event in itertools.chain.from_iterable(batches):
        assert s10.fits(event["item_id"])
        assert event["step"] in steps.BY_WORD
        assert event["facility"] in town.facilities
        assert "receptacle" not in event or gs1.sscc_fits(event["receptacle"])
        seen[event["item_id"]].append((dt.datetime.fromisoformat(event["event_time"]), event["step"]))
    assert len(seen) == 700
    for scans in seen.values():
        assert len(scans) == load.STEPS_PER_ITEM
        assert scans == sorted(scans, key=lambda s: s[0])
        assert START <= scans[0][0] <= scans[-1][0] <= START + dt.timedelta(hours=2)
    ids = Counter(e["event_id"] for b in batches for e in b)
    assert len(ids) == 700 * load.STEPS_PER_ITEM


def test_planning_load_costs_less_than_20_microseconds_of_cpu_an_event(town: world.World) -> None:
    begun = time.process_time()
    events = sum(b.count(b'"event_id"') for b in load.load_plan(1, 10_000, start=START, world=town))
    assert (time.process_time() - begun) / events < 20e-6
