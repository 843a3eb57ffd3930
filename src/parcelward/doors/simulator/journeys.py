"""Parcels on their way: an agenda of postings, departures, arrivals and rounds that yields scans in order of upload.

    accepted - loaded - sealed - handed_over - [left_sorting ...] - at_delivery_office - out_for_delivery
        - delivered | delivery_failed - at_collection_point - delivered | returning - ... - returned

The world's clock is the agenda's: nothing here looks at the machine's. Stories hook in where a person could act.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, deque
from typing import TYPE_CHECKING, Any

from parcelward.base.standards import gs1
from parcelward.doors.simulator import abroad, delivery, local_time, transport
from parcelward.doors.simulator.parcels import TICK_S, Demand, Item, Mint
from parcelward.doors.simulator.plan import Planned, Scribe, Truth
from parcelward.doors.simulator.world import (
    CAGE_SERIALS,
    COMPANY_PREFIX,
    World,
    cage_number,
    cages,
    device_name,
    stream,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from parcelward.doors.simulator.world import Facility

    Hook = Callable[..., None]
    Story = Callable[["Journeys", int], None]

SSCC_SERIALS = 10**9  # what an extension digit and our seven-digit prefix leave of 17 digits
ROUNDS_SEARCHED_MAX = 1_000  # a month of rounds every forty minutes: no post rests so long


class Journeys:
    """One plan. Iterate it once: the same arguments give the same bytes.

    `seed` may differ from the world's: the town stays and other parcels travel. `until` ends the plan at an instant;
    else it ends when the last parcel has come to its end.
    """

    def __init__(
        self,
        world: World,
        demand: Demand,
        *,
        seed: int | str,
        truth: Truth | None = None,
        stories: Sequence[tuple[Story, int]] = (),
        until: int | None = None,
    ) -> None:
        self.world = world
        self.seed = seed
        self.truth = truth or Truth()
        self.scribe = Scribe(world, seed=seed, truth=self.truth)
        self.rng = stream(seed, "journeys")
        self.mint = Mint(world, seed=seed)
        self.now = demand.start
        self.queues: dict[tuple[str, str], list[Item]] = {lane: [] for lane in world.lanes}
        self.shelves: dict[str, list[Item]] = {office.code: [] for office in world.offices}
        self.cages = deque(cages(seed, world.cage_count))
        self.cage_seals: dict[str, str] = {}  # the newest seal on each roll cage
        self.afoot = 0  # items that have not come to their end
        self.fates: Counter[str] = Counter()
        # Where a story may act: each hook is called with what is about to happen, and may change it.
        self.before_departure: list[Hook] = []
        self.before_round: list[Hook] = []
        self.after_posting: list[Hook] = []
        self.before_tick: list[Hook] = []
        self._until = until
        self._demand = demand
        self._ticks = demand.ticks()
        self._posting = True
        self._agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._entries = itertools.count()
        self._bag_serial = stream(seed, "bags").randrange(SSCC_SERIALS)
        self._started = False
        for story, after_s in stories:
            story(self, demand.start + after_s)

    def __iter__(self) -> Iterator[Planned]:
        """Yield the plan in order of upload."""
        if self._started:
            raise RuntimeError("a plan is played once; make another from the same seed")
        self._started = True
        self._start()
        scribe, agenda, until = self.scribe, self._agenda, self._until
        while agenda and (until is None or agenda[0][0] < until):
            yield from scribe.due_before(agenda[0][0])
            self.now, _, act, what = heapq.heappop(agenda)
            act(*what)
        yield from scribe.rest() if until is None else scribe.due_before(until)

    def at(self, instant: int, act: Callable[..., None], *what: Any) -> None:
        """Put something on the agenda; the past is now."""
        heapq.heappush(self._agenda, (max(instant, self.now), next(self._entries), act, what))

    @property
    def busy(self) -> bool:
        """True while anything can still happen: what recurs goes on only as long."""
        return self._posting or self.afoot > 0

    def end(self, item: Item, fate: str) -> None:
        """Note how an item really ended: it will not be seen again."""
        self.afoot -= 1
        self.fates[fate] += 1
        self.truth.record("item", item=item.number, fate=fate, at=item.seen_at, facility=item.place)

    def enqueue(self, item: Item, ready_at: int) -> None:
        """Let an item wait for the next departure to the next place on its path."""
        item.ready_at = ready_at
        self.queues[item.place, item.path[item.leg + 1]].append(item)

    def bag_number(self) -> str:
        """Return the SSCC of a new bag."""
        self._bag_serial = (self._bag_serial + 1) % SSCC_SERIALS
        return gs1.make_sscc(3, COMPANY_PREFIX, self._bag_serial).value

    def take_cage(self) -> str:
        """Return a roll cage that stands empty; a new one where all are under way."""
        return self.cages.popleft() if self.cages else cage_number(self.rng.randrange(CAGE_SERIALS))

    def _start(self) -> None:
        for lane in self.world.lanes.values():
            if lane.mode == "road":
                transport.plan_departure(self, lane, self.now)
        for office in self.world.offices:
            self.plan_round(office, self.now)
        self._tick()

    def plan_round(self, office: Facility, after: int) -> None:
        """Put the office's next round after an instant on the agenda."""
        clock = local_time.of(office.time_zone)
        for _ in range(ROUNDS_SEARCHED_MAX):
            found = clock.next_instant(self.world.rounds, after, 2)
            if found is None:
                return
            day = clock.date(found)
            if self.world.open_on(day.weekday(), day.month, day.day):
                self.at(found, delivery.set_out, self, office)
                return
            after = found

    def _tick(self) -> None:
        """Post ten minutes' items, and come back for the next ten."""
        tick = next(self._ticks, None)
        if tick is None:
            self._posting = False
            return
        at, counts = tick
        for hook in tuple(self.before_tick):
            hook(at, counts)
        for zone, count in counts.items():
            offices = self._demand.offices(zone)
            weights = [office.weight for office in offices]
            for origin in self.rng.choices(offices, weights=weights, k=count):
                self.post(origin, at + self.rng.randrange(TICK_S))
        self.at(at + TICK_S, self._tick)

    def post(self, origin: Facility, at: int) -> Item:
        """Accept one item at a counter, or see it arrive from abroad."""
        item = self.mint.make(origin, at)
        self.afoot += 1
        if item.inward:
            abroad.arrive_from(self, item, at)
        else:
            size = ",".join(map(str, item.size_mm))
            more = f',"weight_g":{item.weight_g},"size_mm":[{size}],"label_code":"{item.label_code}"'
            self.scribe.item(item, at, device_name(item.place, "counter"), "accepted", item.place, more)
            self.enqueue(item, item.seen_at + 60)
        for hook in tuple(self.after_posting):  # a story that has acted takes its hook away
            hook(item)
        return item
