"""The parcels: how many are posted when, where they go, and what is printed on them. No person, no address."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parcelward.base.standards import s10
from parcelward.doors.simulator import local_time
from parcelward.doors.simulator.world import Facility, World, stream

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

TICK_S = 600  # posting is planned in steps of ten minutes
WEEK_S = 7 * local_time.DAY_S

# Shares of a day's posting by local hour: lunch breaks and the way home from work stand out.
HOURS = (0, 0, 0, 0, 0, 0, 0, 1, 5, 8, 9, 9, 10, 8, 8, 9, 12, 11, 6, 3, 1, 0, 0, 0)
# Shares by weekday, Monday first: what was bought over the weekend is posted on Monday.
WEEKDAYS = (1.4, 1.1, 1.05, 1.05, 1.1, 0.6, 0.3)

FAMILIES = (("CP", 70), ("CX", 12), ("RR", 10), ("EE", 8))  # S10 service indicators and their share in per cent
OUTWARD_SHARE = 0.03
INWARD_SHARE = 0.025
SERIALS = 10**s10.SERIAL_DIGITS


@dataclass(slots=True, eq=False)
class Item:
    """One parcel and where it is on its way."""

    number: str
    path: tuple[str, ...]  # facilities to pass, first to last
    home: tuple[float, float]  # where it is delivered: longitude, latitude
    weight_g: int
    size_mm: tuple[int, int, int]
    label_code: str
    leg: int = 0  # index in `path` of where it is or was last
    seen_at: int = 0  # instant of its newest scan, missed ones included
    ready_at: int = 0  # from when the next lane or round may take it
    abroad: str = ""  # country of the partner post it goes to or came from
    inward: bool = False
    going_back: bool = False
    tries: int = 0

    @property
    def place(self) -> str:
        """The facility it is at."""
        return self.path[self.leg]


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of time with its number of items: exactly `items` from `start` to `end`, or so many a week for ever.

    `floor` is the least that an hour has, as a share of the average hour: 0 for a post that sleeps at night.
    """

    start: int
    end: int | None
    items: int
    floor: float = 0.0


@dataclass(slots=True)
class Demand:
    """Who posts how much, by the clock of each office."""

    world: World
    phases: tuple[Phase, ...]
    until: int | None = None  # nothing is posted from here on; what was to come before it stays as it was
    _zones: dict[str, list[Facility]] = field(init=False)

    def __post_init__(self) -> None:
        self._zones = {}
        for office in self.world.offices:
            self._zones.setdefault(office.time_zone, []).append(office)

    @property
    def start(self) -> int:
        """The instant of the first tick."""
        return min(phase.start for phase in self.phases)

    def ticks(self) -> Iterator[tuple[int, dict[str, int]]]:
        """Yield (instant, items to post in the ten minutes after it by time zone), in order; zeros are left out."""
        for phase in sorted(self.phases, key=lambda p: p.start):
            for at, counts in self._phase_ticks(phase):
                if self.until is not None and at >= self.until:
                    return
                yield at, counts

    def _phase_ticks(self, phase: Phase) -> Iterator[tuple[int, dict[str, int]]]:
        shares = {zone: sum(o.weight for o in offices) for zone, offices in self._zones.items()}
        window_end = phase.end or phase.start + WEEK_S
        window = range(phase.start, window_end, TICK_S)
        total = sum(shares[zone] * self._weight(zone, at, phase.floor) for zone in shares for at in window)
        per_weight = phase.items / total if total else 0.0
        owed, given = 0.0, 0
        for at in window if phase.end else itertools.count(phase.start, TICK_S):
            counts: dict[str, int] = {}
            for zone, share in shares.items():
                owed += share * self._weight(zone, at, phase.floor) * per_weight
                count = int(owed + 1e-6) - given  # what rounding leaves is owed to the next tick
                given += count
                if count:
                    counts[zone] = count
            yield at, counts

    def _weight(self, zone: str, at: int, floor: float) -> float:
        clock = local_time.of(zone)
        weekday, hour = clock.hour_of_week(at)
        day: dt.date = clock.date(at)
        if not self.world.open_on(weekday, day.month, day.day):
            return 0.0
        average = sum(HOURS) / 24
        return max(WEEKDAYS[weekday] * HOURS[hour], floor * average)

    def offices(self, zone: str) -> list[Facility]:
        """Return the offices whose clock that is."""
        return self._zones[zone]


class Mint:
    """Makes items: numbers that do not repeat, and everything else at random from the seed."""

    def __init__(self, world: World, *, seed: int | str) -> None:
        self._world = world
        self._rng = stream(seed, "items")
        self._serial = self._rng.randrange(SERIALS)
        self._offices = world.offices
        self._cumulative = list(itertools.accumulate(office.weight for office in self._offices))
        self._families = tuple(name for name, _ in FAMILIES)
        self._family_weights = tuple(itertools.accumulate(weight for _, weight in FAMILIES))

    def make(self, origin: Facility, at: int) -> Item:
        """Return a new item posted at `origin` at that instant; a few go abroad, and a few in its place come in."""
        rng, world = self._rng, self._world
        destination = rng.choices(self._offices, cum_weights=self._cumulative)[0]
        chance = rng.random()
        abroad, inward = "", False
        if chance < OUTWARD_SHARE + INWARD_SHARE:
            abroad, inward = rng.choice(tuple(world.partners)), chance >= OUTWARD_SHARE
        if abroad and inward:
            path = _path(world, world.exchange, destination.code)
        elif abroad:
            path = _path(world, origin.code, world.exchange)
        else:
            path = _path(world, origin.code, destination.code)
        self._serial = (self._serial + 1) % SERIALS
        family = rng.choices(self._families, cum_weights=self._family_weights)[0]
        length = rng.randrange(120, 600)
        return Item(
            number=str(s10.make(family, self._serial, abroad if inward else world.country)),
            path=path,
            home=(
                round(destination.longitude + rng.uniform(-0.02, 0.02), 5),
                round(destination.latitude + rng.uniform(-0.015, 0.015), 5),
            ),
            weight_g=min(30_000, 80 + int(rng.expovariate(1 / 1_600))),
            size_mm=(length, int(length * rng.uniform(0.4, 0.9)), rng.randrange(20, 300)),
            label_code=f"{rng.getrandbits(48):012X}",
            seen_at=at - 1,
            abroad=abroad,
            inward=inward,
        )


def _path(world: World, origin: str, destination: str) -> tuple[str, ...]:
    """Return the facilities between two places: through the sorting centre of each, or the one they share."""
    first, last = world.facilities[origin].hub, world.facilities[destination].hub
    return (origin, first, destination) if first == last else (origin, first, last, destination)
