"""Across the border: offices of exchange, customs, and what the partner post tells us of the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parcelward.doors.simulator import geography
from parcelward.doors.simulator.world import device_name

if TYPE_CHECKING:
    from parcelward.doors.simulator.journeys import Journeys
    from parcelward.doors.simulator.parcels import Item

HELD_BY_CUSTOMS_SHARE = 0.12
FLIGHT_S = {partner.country: int(partner.flight_h * 3_600) for partner in geography.PARTNERS}


def _customs(journeys: Journeys, item: Item, at: int) -> int:
    """Present an item to customs; return when customs let it go."""
    place, rng = journeys.world.customs, journeys.rng
    device = device_name(place, "counter")
    journeys.scribe.item(item, at, device, "presented_to_customs", place)
    if rng.random() < HELD_BY_CUSTOMS_SHARE:
        more = ',"reason":"customs_documents"'
        journeys.scribe.item(item, at + rng.randrange(1_800, 7_200), device, "held_by_customs", place, more)
        return item.seen_at + rng.randrange(6 * 3_600, 48 * 3_600)
    return item.seen_at + rng.randrange(1_800, 4 * 3_600)


def leave_for(journeys: Journeys, item: Item, at: int) -> None:
    """Export an item that reached our office of exchange; the partner post reports the rest."""
    place, rng = journeys.world.exchange, journeys.rng
    there = journeys.world.partners[item.abroad]
    counter, gateway = device_name(place, "counter"), device_name(there, "gateway")
    scribe = journeys.scribe
    scribe.item(item, at, counter, "arrived_outward_office", place)
    cleared_at = _customs(journeys, item, at + 900)
    scribe.item(item, cleared_at + rng.randrange(3_600, 12 * 3_600), counter, "left_outward_office", place)
    scribe.item(item, item.seen_at + FLIGHT_S[item.abroad], gateway, "arrived_inward_office", there)
    scribe.item(item, item.seen_at + rng.randrange(3_600, 24 * 3_600), gateway, "left_inward_office", there)
    scribe.item(item, item.seen_at + rng.randrange(12 * 3_600, 72 * 3_600), gateway, "delivered", there)
    journeys.end(item, "delivered_abroad")


def arrive_from(journeys: Journeys, item: Item, at: int) -> None:
    """Import an item: it leaves the partner's office of exchange at `at`, lands, is cleared, and takes the road."""
    place = journeys.world.exchange
    there = journeys.world.partners[item.abroad]
    counter, gateway = device_name(place, "counter"), device_name(there, "gateway")
    scribe = journeys.scribe
    scribe.item(item, at, gateway, "left_outward_office", there)
    more = f',"weight_g":{item.weight_g},"label_code":"{item.label_code}"'
    landed_at = at + int(FLIGHT_S[item.abroad] * journeys.rng.uniform(1.0, 1.3))
    scribe.item(item, landed_at, counter, "arrived_inward_office", place, more)
    cleared_at = _customs(journeys, item, landed_at + 1_800)
    scribe.item(item, cleared_at, counter, "left_inward_office", place)
    journeys.at(item.seen_at + 300, journeys.enqueue, item, item.seen_at + 300)
