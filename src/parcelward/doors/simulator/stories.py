"""Seven things that can happen, told to the plan but not to the system. Each writes down who did what to which items.

A story is a function of a plan and the instant after which it waits for its occasion. It hooks in where a person could
act (before a departure, before a round, after a posting) and acts once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parcelward.doors.simulator import local_time
from parcelward.doors.simulator.world import device_name, staff_number, stream

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from parcelward.doors.simulator.delivery import Round
    from parcelward.doors.simulator.journeys import Journeys, Story
    from parcelward.doors.simulator.parcels import Item
    from parcelward.doors.simulator.transport import Receptacle, Trip
    from parcelward.doors.simulator.world import Role

STOLEN_BAG_ITEMS_MIN = 3
TRUCK_LOST_S = 24 * 3_600
FORGED_MAX = 4
FLOOD_FACTOR = 12
FLOOD_S = 3 * 3_600


def _who(journeys: Journeys, story: str) -> random.Random:
    return stream(journeys.seed, f"story {story}")


def _tell(journeys: Journeys, story: str, *, at: int, items: list[str], **facts: object) -> None:
    """Write the truth of a story: what, to which items, when (RFC 3339, UTC), by whom, where."""
    journeys.truth.record("story", story=story, when=local_time.of("UTC").text(at), items=items, **facts)


def _once(hooks: list[Callable[..., None]], act: Callable[[Any], bool]) -> None:
    """Add a hook that takes itself away after the first time `act` says that it has acted."""

    def hook(what: Any) -> None:
        if act(what):
            hooks.remove(hook)

    hooks.append(hook)


def normal_week(journeys: Journeys, after: int) -> None:
    """Let nothing unusual happen, and say so."""
    _tell(journeys, "normal_week", at=after, items=[], what="nothing unusual", by="", where="")


def _bags(trip: Trip) -> list[Receptacle]:
    return [bag for unit in trip.units for bag in (unit.bags or [unit]) if not bag.is_cage]


def stolen_bag(journeys: Journeys, after: int) -> None:
    """Let a driver take one sealed bag off the truck: it was handed over at the start and is not there at the end."""

    def act(trip: Trip) -> bool:
        fit = [bag for bag in _bags(trip) if len(bag.items) >= STOLEN_BAG_ITEMS_MIN]
        if trip.leaves < after or not fit:
            return False
        bag = max(fit, key=lambda b: len(b.items))
        trip.stolen.add(bag.number)
        _tell(journeys, "stolen_bag", at=trip.leaves + trip.lane.usual_duration_s // 2, items=_numbers(bag.items),
              what="the driver took a sealed bag off the truck", by=trip.lane.driver, receptacle=bag.number,
              where=f"{trip.lane.origin} to {trip.lane.destination}", truck=trip.lane.truck)  # fmt: skip
        for item in bag.items:
            # It is gone once it has left: the door of a sorting centre may still see it go.
            journeys.at(trip.leaves + 600, journeys.end, item, "stolen")
        return True

    _once(journeys.before_departure, act)


def broken_seal(journeys: Journeys, after: int) -> None:
    """Let somebody open a bag on the way, take the two heaviest items, and close it with another seal."""
    rng = _who(journeys, "broken_seal")

    def act(trip: Trip) -> bool:
        fit = [bag for bag in _bags(trip) if len(bag.items) >= STOLEN_BAG_ITEMS_MIN and bag.seal]
        if trip.leaves < after or not fit:
            return False
        bag = fit[0]
        taken = sorted(bag.items, key=lambda item: -item.weight_g)[:2]
        found = f"SL{rng.randrange(10**8):08d}"
        trip.broken[bag.number] = (found, taken)
        _tell(journeys, "broken_seal", at=trip.leaves + trip.lane.usual_duration_s // 2, items=_numbers(taken),
              what="the bag was opened on the way, two items taken, and another seal put on", by=staff_number(rng),
              receptacle=bag.number, seal_applied=bag.seal, seal_found=found, truck=trip.lane.truck,
              where=f"{trip.lane.origin} to {trip.lane.destination}")  # fmt: skip
        for item in taken:
            journeys.at(trip.leaves + 600, journeys.end, item, "stolen")
        return True

    _once(journeys.before_departure, act)


def lost_truck(journeys: Journeys, after: int) -> None:
    """Let a truck break down without a word: everything on it is silent for a day, then goes on."""

    def act(trip: Trip) -> bool:
        items = trip.all_items()
        if trip.leaves < after or len(items) < STOLEN_BAG_ITEMS_MIN:
            return False
        trip.delay_s = TRUCK_LOST_S
        _tell(journeys, "lost_truck", at=trip.leaves, items=_numbers(items), by=trip.lane.driver,
              what="the truck broke down and nobody was told for a day", truck=trip.lane.truck,
              where=f"{trip.lane.origin} to {trip.lane.destination}", silent_s=TRUCK_LOST_S)  # fmt: skip
        return True

    _once(journeys.before_departure, act)


def forged_scan(journeys: Journeys, after: int) -> None:
    """Let a courier record items as delivered that were never brought: one place, one minute, far from every door."""

    def record(item: Item, tour: Round, where: str) -> None:
        journeys.scribe.item(item, journeys.now, tour.device, "delivered", tour.office.code, where)
        journeys.end(item, "stolen")

    def act(tour: Round) -> bool:
        if tour.leaves < after or len(tour.items) < 2:  # noqa: PLR2004 -- somebody gets a parcel, too
            return False
        tour.forged = [item for item in tour.items if not item.inward][:FORGED_MAX]
        if not tour.forged:
            return False
        office = tour.office
        where = f',"position":[{office.longitude + 0.11:.5f},{office.latitude - 0.09:.5f}]'
        for order, item in enumerate(tour.forged):
            journeys.at(tour.leaves + 1_500 + 9 * order, record, item, tour, where)
        _tell(journeys, "forged_scan", at=tour.leaves + 1_500, items=_numbers(tour.forged), by=tour.courier,
              what="the courier recorded deliveries that did not take place and kept the items", device=tour.device,
              where=office.code)  # fmt: skip
        return True

    _once(journeys.before_round, act)


def cloned_label(journeys: Journeys, after: int) -> None:
    """Let a copy of a genuine label travel on another parcel: one number in two places at once."""
    rng = _who(journeys, "cloned_label")

    def act(item: Item) -> bool:
        if item.seen_at < after or item.abroad:
            return False
        others = [office for office in journeys.world.offices if office.code not in item.path]
        if not others:
            return False
        place = rng.choice(others)
        start = item.seen_at + 1_800
        label = f',"label_code":"{item.label_code}"'
        wrong_weight = f',"weight_g":{item.weight_g + 2_400}{label}'
        position = f',"position":[{place.longitude + 0.01:.5f},{place.latitude + 0.01:.5f}]'
        scans: tuple[tuple[int, Role, str, str], ...] = (
            (start, "counter", "at_delivery_office", wrong_weight),
            (start + 900, "courier", "out_for_delivery", ""),
            (start + 2_700, "courier", "delivered", position + label),
        )
        for at, role, step, more in scans:
            # The genuine item's own clock must not move with its double's.
            journeys.scribe.double(item, at, device_name(place.code, role), step, place.code, more)
        _tell(journeys, "cloned_label", at=start, items=[item.number], by=staff_number(rng),
              what="a copy of the label travelled on another parcel", where=place.code,
              genuine_at=item.place)  # fmt: skip
        return True

    _once(journeys.after_posting, act)


def flood(journeys: Journeys, after: int) -> None:
    """Let one office be flooded with posted items for three hours: twelve times the usual number, from one sender."""
    rng = _who(journeys, "flood")
    place = rng.choice(journeys.world.offices)
    posted: list[str] = []

    def hook(at: int, counts: dict[str, int]) -> None:
        if not after <= at < after + FLOOD_S:
            return
        count = counts.get(place.time_zone, 0) * FLOOD_FACTOR // len(journeys.world.offices) + FLOOD_FACTOR
        posted.extend(journeys.post(place, at + rng.randrange(600)).number for _ in range(count))

    def told() -> None:
        journeys.before_tick.remove(hook)
        _tell(journeys, "flood", at=after, items=posted, by=staff_number(rng), where=place.code,
              what="one sender posted far more than ever within three hours")  # fmt: skip

    journeys.before_tick.append(hook)
    journeys.at(after + FLOOD_S, told)


def _numbers(items: list[Item]) -> list[str]:
    return [item.number for item in items]


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (normal_week, stolen_bag, cloned_label, forged_scan, broken_seal, lost_truck, flood)
}
