"""Between facilities: bags packed and sealed, roll cages handed to a truck and on, items unloaded and sorted again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parcelward.doors.simulator import abroad, local_time
from parcelward.doors.simulator.world import Lane, device_name

if TYPE_CHECKING:
    from parcelward.doors.simulator.journeys import Journeys
    from parcelward.doors.simulator.parcels import Item
    from parcelward.doors.simulator.world import Role

TRIP_ITEMS_MAX = 3_000
TRIP_ITEMS_MIN = 4  # in a same-day world, whose trucks leave every twenty minutes
PATIENCE_S = 2 * 3_600
BAG_ITEMS_MAX = 25
CAGE_ITEMS_MAX = 120
CAGE_BAGS_MAX = 8
DEPARTURES_SEARCHED_DAYS_MAX = 3
HELD_SHARE = 0.004
HELD_FOR_GOOD_SHARE = 0.2  # of the held ones: handed to the authorities
DAMAGED_SHARE = 0.0006
OFFLINE_TRIP_SHARE = 0.03  # trips on which the driver's handheld finds no connection until the evening


@dataclass(slots=True, eq=False)
class Receptacle:
    """A bag or roll cage on one trip, with what is really in it."""

    number: str
    seal: str
    items: list[Item] = field(default_factory=list)
    bags: list[Receptacle] = field(default_factory=list)

    @property
    def is_cage(self) -> bool:
        """True for a roll cage, which is used again."""
        return self.number.startswith("(8003)")

    def all_items(self) -> list[Item]:
        """Return the items in it and in the bags in it."""
        return [*self.items, *(item for bag in self.bags for item in bag.items)]


@dataclass(slots=True, eq=False)
class Trip:
    """One truck's run on one lane. A story may change `delay_s`, `stolen` and `broken` before it leaves."""

    lane: Lane
    leaves: int
    handover: str
    units: list[Receptacle]  # the outermost ones: bags from an office, roll cages from a hub
    late_s: int = 0  # how much later the driver's handheld uploads
    delay_s: int = 0
    stolen: set[str] = field(default_factory=set)  # numbers of receptacles that vanish on the way
    broken: dict[str, tuple[str, list[Item]]] = field(default_factory=dict)  # number -> (seal found, items taken)

    def all_items(self) -> list[Item]:
        """Return every item on the truck."""
        return [item for unit in self.units for item in unit.all_items()]


def plan_departure(journeys: Journeys, lane: Lane, after: int) -> None:
    """Put the closing of the lane's next departure on the agenda."""
    clock = local_time.of(journeys.world.facilities[lane.origin].time_zone)
    lead_s = _lead_s(journeys)
    leaves = clock.next_instant(lane.departures, after + lead_s, DEPARTURES_SEARCHED_DAYS_MAX)
    if leaves is not None:
        journeys.at(leaves - lead_s, _close, journeys, lane, leaves)


def _lead_s(journeys: Journeys) -> int:
    """How long before a departure its bags are closed."""
    return 420 if journeys.world.scale.same_day else 1_800


def _close(journeys: Journeys, lane: Lane, leaves: int) -> None:
    """Pack what is ready, seal it, hand it to the driver, and see it leave."""
    if journeys.busy:
        plan_departure(journeys, lane, journeys.now)
    queue = journeys.queues[lane.origin, lane.destination]
    ready = [item for item in queue if item.ready_at <= journeys.now][:TRIP_ITEMS_MAX]
    if not ready or _worth_waiting(journeys, ready):
        return
    taken = set(map(id, ready))
    queue[:] = [item for item in queue if id(item) not in taken]
    rng = journeys.rng
    late_s = rng.randrange(3_600, 6 * 3_600) if rng.random() < OFFLINE_TRIP_SHARE else 0
    trip = Trip(lane, leaves, f"HO{rng.getrandbits(48):012X}", _pack(journeys, lane, ready, leaves), late_s)
    for hook in tuple(journeys.before_departure):
        hook(trip)
    _hand_over(journeys, trip, lane.origin, leaves - 60, giver_is_driver=False, units=trip.units)
    if journeys.world.facilities[lane.origin].kind == "hub":
        door = device_name(lane.origin, "door", 2)
        for order, item in enumerate(ready):
            journeys.scribe.item(item, leaves + order // 4, door, "left_sorting", lane.origin)
    duration_s = int(lane.usual_duration_s * rng.uniform(0.92, 1.2))
    journeys.at(leaves + duration_s + trip.delay_s, _arrive, journeys, trip)


def _worth_waiting(journeys: Journeys, ready: list[Item]) -> bool:
    """Tell whether a city truck that would leave nearly empty lets a departure pass; nobody waits for hours."""
    patient = journeys.now - ready[0].ready_at < PATIENCE_S
    return journeys.world.scale.same_day and len(ready) < TRIP_ITEMS_MIN and patient


def _pack(journeys: Journeys, lane: Lane, items: list[Item], leaves: int) -> list[Receptacle]:
    """Load the items into bags or roll cages, a long haul's bags into cages, and seal them; return the outermost."""
    kinds = journeys.world.facilities
    from_hub, to_hub = kinds[lane.origin].kind == "hub", kinds[lane.destination].kind == "hub"
    into_cages = from_hub and not to_hub
    size = CAGE_ITEMS_MAX if into_cages else BAG_ITEMS_MAX
    device = device_name(lane.origin, "sorter" if from_hub else "counter")
    scribe, start = journeys.scribe, journeys.now + 5
    span_s = leaves - 180 - start
    packed: list[Receptacle] = []
    for first in range(0, len(items), size):
        number = journeys.take_cage() if into_cages else journeys.bag_number()
        unit = Receptacle(number, f"SL{journeys.rng.randrange(10**8):08d}", items[first : first + size])
        more = f',"receptacle":"{number}"'
        for order, item in enumerate(unit.items, first):
            scribe.item(item, start + span_s * order // len(items), device, "loaded", lane.origin, more)
        seal = f',"seal":{{"number":"{unit.seal}",{_sealing(journeys, unit)}}}'
        scribe.receptacle(number, leaves - 150, device, "sealed", lane.origin, seal)
        packed.append(unit)
    if not (from_hub and to_hub):
        return packed
    cages: list[Receptacle] = []
    for first in range(0, len(packed), CAGE_BAGS_MAX):
        cage = Receptacle(journeys.take_cage(), "", bags=packed[first : first + CAGE_BAGS_MAX])
        for bag in cage.bags:
            scribe.receptacle(bag.number, leaves - 120, device, "loaded", lane.origin,
                              f',"receptacle":"{cage.number}"')  # fmt: skip
        cages.append(cage)
    return cages


def _sealing(journeys: Journeys, unit: Receptacle) -> str:
    """Say what was done with a new seal: a bag gets its first, a roll cage another in place of its last trip's."""
    if not unit.is_cage:
        return '"did":"applied"'
    before = journeys.cage_seals.get(unit.number, "")
    journeys.cage_seals[unit.number] = unit.seal
    return f'"did":"replaced","replaces":"{before}"' if before else '"did":"applied"'


def _hand_over(
    journeys: Journeys, trip: Trip, place: str, at: int, *, giver_is_driver: bool, units: list[Receptacle]
) -> None:
    """Both sides scan every unit: the facility at its door, the driver with a handheld. Each counts what it sees."""
    door, driver = device_name(place, *_door(journeys, place)), device_name(trip.lane.truck, "driver")
    end = "B" if giver_is_driver else "A"  # one trip has two handovers
    for side, is_driver in (("giver", giver_is_driver), ("receiver", not giver_is_driver)):
        device, party = (driver, trip.lane.truck) if is_driver else (door, place)
        more = f',"handover":{{"id":"{trip.handover}{end}","side":"{side}","count":{len(units)},"party":"{party}"}}'
        when = at if side == "giver" else at + 30
        for unit in units:
            journeys.scribe.receptacle(
                unit.number, when, device, "handed_over", place, more, trip.late_s if is_driver else 0
            )


def _door(journeys: Journeys, place: str) -> tuple[Role, int]:
    """Return which of a facility's devices stands at its dock."""
    return ("counter", 1) if journeys.world.facilities[place].kind == "exchange" else ("door", 1)


def _arrive(journeys: Journeys, trip: Trip) -> None:
    """Take over from the driver what is there, check its seals, and unload it."""
    place, at, scribe = trip.lane.destination, journeys.now, journeys.scribe
    here = [unit for unit in trip.units if unit.number not in trip.stolen]
    _hand_over(journeys, trip, place, at + 30, giver_is_driver=True, units=here)
    device = device_name(place, "sorter" if journeys.world.facilities[place].kind == "hub" else "counter")
    when = at + 120
    for unit in here:
        if unit.is_cage:
            journeys.cages.append(unit.number)
        for bag in unit.bags:
            if bag.number not in trip.stolen:
                scribe.receptacle(bag.number, when, device, "unloaded", place, f',"receptacle":"{unit.number}"')
        for opened in unit.bags or [unit]:
            if opened.number not in trip.stolen:
                when = _open(journeys, trip, opened, when + 10, device)


def _open(journeys: Journeys, trip: Trip, unit: Receptacle, at: int, device: str) -> int:
    """Check a bag's or cage's seal and unload its items; return when that was done."""
    place, scribe = trip.lane.destination, journeys.scribe
    found, missing = trip.broken.get(unit.number, (unit.seal, []))
    did = "broken" if unit.number in trip.broken else "checked"
    scribe.receptacle(unit.number, at, device, "sealed", place, f',"seal":{{"number":"{found}","did":"{did}"}}')
    each_s = 1 if journeys.world.facilities[place].kind == "hub" else 3
    more = f',"receptacle":"{unit.number}"'
    for item in unit.items:
        if item in missing:
            continue
        at += each_s
        scribe.item(item, at, device, "unloaded", place, more)
        _go_on(journeys, item, at + 30)
    return at


def _go_on(journeys: Journeys, item: Item, at: int) -> None:
    """Decide what an item does where it was just unloaded: wait for the next lane, be held, or come to its end."""
    item.leg += 1
    place = item.place
    if item.leg < len(item.path) - 1:
        chance = journeys.rng.random()
        if chance < DAMAGED_SHARE:
            more = ',"reason":"carrier_damaged"'
            journeys.scribe.item(item, at, device_name(place, "sorter", 2), "damaged", place, more)
            journeys.end(item, "damaged")
        elif chance < DAMAGED_SHARE + HELD_SHARE:
            _hold(journeys, item, at)
        else:
            journeys.enqueue(item, at)
    elif place == journeys.world.exchange:
        abroad.leave_for(journeys, item, at)
    elif item.going_back:
        journeys.scribe.item(item, at + 1_200, device_name(place, "counter"), "returned", place)
        journeys.end(item, "returned")
    else:
        journeys.scribe.item(item, at, device_name(place, "counter"), "at_delivery_office", place)
        item.ready_at = item.seen_at
        journeys.shelves[place].append(item)


def _hold(journeys: Journeys, item: Item, at: int) -> None:
    """Have the item kept to be looked at; most go on within the day. Not for security: no machine lets that go."""
    place, rng = item.place, journeys.rng
    device = device_name(place, "sorter", 2)
    journeys.scribe.item(item, at, device, "held", place, ',"reason":"carrier_check"')
    if rng.random() < HELD_FOR_GOOD_SHARE:
        journeys.end(item, "held")
        return
    after_s = rng.randrange(1_200, 7_200) if journeys.world.scale.same_day else rng.randrange(7_200, 72_000)
    journeys.at(item.seen_at + after_s, _release, journeys, item, device)


def _release(journeys: Journeys, item: Item, device: str) -> None:
    journeys.scribe.item(item, journeys.now, device, "released", item.place, ',"reason":"carrier_check"')
    journeys.enqueue(item, journeys.now + 60)
