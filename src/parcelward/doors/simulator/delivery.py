"""The last mile: rounds, doors that stay closed, collection points, and the way back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parcelward.doors.simulator.world import Facility, device_name, staff_number, stream

if TYPE_CHECKING:
    from parcelward.doors.simulator.journeys import Journeys
    from parcelward.doors.simulator.parcels import Item

FAILED_SHARE = 0.07
REFUSED_SHARE = 0.1  # of the failed ones
UNCOLLECTED_SHARE = 0.12  # of what waits at a collection point
OFFLINE_ROUND_SHARE = 0.06  # rounds whose handheld uploads only in the evening


@dataclass(frozen=True, slots=True)
class Habits:
    """How long things take, in seconds."""

    round_items_max: int
    round_s: int
    loading_s: int
    collected_within_s: int
    kept_s: int  # at the collection point, until it goes back


SAME_DAY = Habits(round_items_max=30, round_s=2_100, loading_s=240, collected_within_s=30_000, kept_s=86_400)
OVERNIGHT = Habits(
    round_items_max=110, round_s=6 * 3_600, loading_s=1_500, collected_within_s=3 * 86_400, kept_s=5 * 86_400
)


@dataclass(slots=True, eq=False)
class Round:
    """One courier's stops. A story may put items into `forged`: recorded as delivered, yet never brought."""

    office: Facility
    device: str
    courier: str  # an opaque staff number
    leaves: int
    items: list[Item]
    forged: list[Item] = field(default_factory=list)


def habits(journeys: Journeys) -> Habits:
    """Return how this world delivers."""
    return SAME_DAY if journeys.world.scale.same_day else OVERNIGHT


def set_out(journeys: Journeys, office: Facility) -> None:
    """Give the couriers of an office what is on its shelf, and let them go."""
    if journeys.busy:
        journeys.plan_round(office, journeys.now)
    shelf, usual = journeys.shelves[office.code], habits(journeys)
    ready = [item for item in shelf if item.ready_at <= journeys.now]
    if not ready:
        return
    couriers = journeys.world.scale.couriers
    ready = ready[: usual.round_items_max * couriers]
    taken = set(map(id, ready))
    shelf[:] = [item for item in shelf if id(item) not in taken]
    ready.sort(key=lambda item: item.home)  # neighbours are on the same round
    size = -(-len(ready) // couriers)
    for number, first in enumerate(range(0, len(ready), size), 1):
        courier = staff_number(stream(journeys.world.seed, f"courier {office.code} {number}"))
        device = device_name(office.code, "courier", number)
        leaves = journeys.now + usual.loading_s
        _walk(journeys, Round(office, device, courier, leaves, ready[first : first + size]), usual)


def _walk(journeys: Journeys, tour: Round, usual: Habits) -> None:
    """Scan every item out, then stop at every door."""
    for hook in tuple(journeys.before_round):
        hook(tour)
    scribe, rng, place = journeys.scribe, journeys.rng, tour.office.code
    late_s = rng.randrange(3_600, 5 * 3_600) if rng.random() < OFFLINE_ROUND_SHARE else 0
    count = len(tour.items)
    for order, item in enumerate(tour.items):
        out_at = journeys.now + usual.loading_s * order // count
        scribe.item(item, out_at, tour.device, "out_for_delivery", place)
    for order, item in enumerate(tour.items, 1):
        if item in tour.forged:
            continue
        at = tour.leaves + usual.round_s * order // count - rng.randrange(1, 60)
        longitude, latitude = item.home
        more = f',"position":[{longitude:.5f},{latitude:.5f}]'
        item.tries += 1
        if rng.random() >= FAILED_SHARE:
            more += f',"label_code":"{item.label_code}"'
            scribe.item(item, at, tour.device, "delivered", place, more, late_s)
            journeys.end(item, "delivered")
        elif rng.random() < REFUSED_SHARE and not item.inward:
            more += ',"reason":"addressee_refused"'
            scribe.item(item, at, tour.device, "delivery_failed", place, more, late_s)
            journeys.at(tour.leaves + usual.round_s + 600, _send_back, journeys, item, place)
        else:
            more += ',"reason":"addressee_absent"'
            scribe.item(item, at, tour.device, "delivery_failed", place, more, late_s)
            journeys.at(tour.leaves + usual.round_s + 900, _bring_to_shop, journeys, item, usual)


def _bring_to_shop(journeys: Journeys, item: Item, usual: Habits) -> None:
    """Leave an item at the collection point, where it is fetched or not."""
    rng, shop = journeys.rng, _shop(item)
    journeys.scribe.item(item, journeys.now, device_name(shop, "counter"), "at_collection_point", shop)
    if rng.random() >= UNCOLLECTED_SHARE or item.inward:
        journeys.at(item.seen_at + rng.randrange(900, usual.collected_within_s), _collected, journeys, item)
    else:
        journeys.at(item.seen_at + usual.kept_s, _send_back, journeys, item, shop)


def _collected(journeys: Journeys, item: Item) -> None:
    shop = _shop(item)
    more = f',"label_code":"{item.label_code}"'
    journeys.scribe.item(item, journeys.now, device_name(shop, "counter"), "delivered", shop, more)
    journeys.end(item, "collected")


def _send_back(journeys: Journeys, item: Item, place: str) -> None:
    """Turn an item round: the same places in the other order."""
    reason = "addressee_refused" if place == item.place else "addressee_did_not_collect"
    more = f',"reason":"{reason}"'
    journeys.scribe.item(item, journeys.now, device_name(place, "counter"), "returning", place, more)
    item.path, item.leg, item.going_back = item.path[::-1], 0, True
    journeys.enqueue(item, item.seen_at + 300)


def _shop(item: Item) -> str:
    """Return the collection point beside the item's delivery office."""
    return f"CP{item.place[2:]}"
