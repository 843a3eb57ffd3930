"""Batches for load: many waves of items on their way at once, written as bytes with next to no work per event.

Less lifelike than `journeys` (no mishaps, no timetable) and several times cheaper, so that a load generator spends its
time on sending. Same events, same seed, same bytes.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from parcelward.base.standards import gs1, s10
from parcelward.doors.simulator.parcels import SERIALS
from parcelward.doors.simulator.world import COMPANY_PREFIX, World, build, stream

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from parcelward.doors.simulator.world import Facility

STEPS_PER_ITEM = 9
WAVES_AT_ONCE = 12  # waves of items that are under way at the same time
STEP_APART_S = 600

_PLACES = ("accepted", "loaded", "unloaded", "loaded", "left_sorting", "unloaded", "at_delivery_office",
           "out_for_delivery", "delivered")  # fmt: skip
_WHERE = (0, 0, 1, 1, 1, 2, 2, 2, 2)  # index of the place in the wave's path
_BAG = ("", "first", "first", "second", "", "second", "", "", "")
assert len(_PLACES) == len(_WHERE) == len(_BAG) == STEPS_PER_ITEM, "every step has its place"  # noqa: S101 -- see above


class _Wave(NamedTuple):
    """Items that go the same way together."""

    numbers: list[str]
    path: tuple[Facility, Facility, Facility]
    bags: dict[str, str]
    start: dt.datetime


def load_plan(
    seed: int, items: int, *, start: dt.datetime, batch: int = 500, world: World | None = None
) -> Iterator[bytes]:
    """Yield JSON arrays of at most `batch` scan events: nine for each of `items` items, each item's in order.

    `start` is the aware instant of the first scans; the whole plan takes about 100 minutes of event time, whatever the
    number of items, so a start two hours ago is never ahead of a clock. Facilities are those of `world`, by default
    `world.build(seed)`, and must be known to the installation.
    """
    network = world or build(seed)
    rng = stream(seed, "load")
    serial = rng.randrange(SERIALS)
    utc = start.astimezone(dt.UTC)
    under_way: list[Iterator[bytes]] = []
    left = items
    while left > 0 or under_way:
        while left > 0 and len(under_way) < WAVES_AT_ONCE:
            count = min(batch, left)
            under_way.append(_events(_wave(network, rng, serial, count, utc), rng))
            serial = (serial + count) % SERIALS
            left -= count
        wave = under_way.pop(0)
        body = next(wave, None)
        if body is not None:
            under_way.append(wave)
            yield body


def _wave(world: World, rng: random.Random, serial: int, count: int, start: dt.datetime) -> _Wave:
    offices = world.offices
    origin, destination = rng.choice(offices), rng.choice(offices)
    hub = world.facilities[origin.hub]
    numbers = [str(s10.make("CP", (serial + n) % SERIALS, world.country)) for n in range(count)]
    bags = {name: gs1.make_sscc(4, COMPANY_PREFIX, rng.randrange(10**9)).value for name in ("first", "second")}
    return _Wave(numbers, (origin, hub, destination), bags | {"": ""}, start)


def _events(wave: _Wave, rng: random.Random) -> Iterator[bytes]:
    """Yield one batch for each step of a wave."""
    for order, step in enumerate(_PLACES):
        place = wave.path[_WHERE[order]]
        at = wave.start + dt.timedelta(seconds=STEP_APART_S * order)
        bag = wave.bags[_BAG[order]]
        more = f',"receptacle":"{bag}"' if bag else ""
        if step == "delivered":
            more = f',"position":[{place.longitude},{place.latitude}]'
        clock, rest = at.strftime("%Y-%m-%dT%H:%M:"), f'","step":"{step}","facility":"{place.code}"{more}}}'
        second = at.second
        bits = rng.getrandbits
        yield (
            "["
            + ",".join(
                [
                    f'{{"event_id":"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}",'
                    f'"event_time":"{clock}{second:02d}.{n % 1000:03d}Z","item_id":"{number}{rest}'
                    for n, number in enumerate(wave.numbers)
                    for h in (f"{bits(128):032x}",)
                ]
            )
            + "]"
        ).encode("ascii")
