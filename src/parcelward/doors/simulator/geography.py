"""Real places to put simulated offices in: US ZIP codes with their city, position and time zone.

Source of the positions: the `zipcodes` package (public US postal and census data). Only the mainland, because the
simulated lanes are roads.
"""

from __future__ import annotations

import functools
import math
import zoneinfo
from typing import TYPE_CHECKING, NamedTuple

import zipcodes

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

_OFF_THE_ROADS = frozenset({"AK", "HI", "PR", "VI", "GU", "MP", "PW", "FM", "AS", "MH", "AE", "AP", "AA"})
EARTH_RADIUS_KM = 6371.0
ROAD_DETOUR = 1.3  # roads are about this much longer than the straight line
ANCHOR_TRIES_MAX = 2_000


class Place(NamedTuple):
    """One ZIP code's middle."""

    zip_code: str
    city: str
    state: str
    time_zone: str
    longitude: float
    latitude: float


class Partner(NamedTuple):
    """A post abroad that the world exchanges items with: its country and its office of exchange."""

    country: str
    city: str
    time_zone: str
    longitude: float
    latitude: float
    flight_h: float


PARTNERS = (
    Partner("CA", "Toronto", "America/Toronto", -79.63, 43.68, 4),
    Partner("GB", "London", "Europe/London", -0.45, 51.47, 9),
    Partner("DE", "Frankfurt", "Europe/Berlin", 8.57, 50.03, 10),
    Partner("MX", "Mexico City", "America/Mexico_City", -99.07, 19.44, 5),
    Partner("JP", "Tokyo", "Asia/Tokyo", 140.39, 35.77, 13),
)


@functools.cache
def mainland() -> tuple[Place, ...]:
    """Return every ordinary, active ZIP code of the US mainland that has a position and a known time zone."""
    zones = zoneinfo.available_timezones()
    return tuple(
        Place(z["zip_code"], z["city"], z["state"], z["timezone"], float(z["long"]), float(z["lat"]))
        for z in zipcodes.list_all()  # type: ignore[no-untyped-call]  # the package's stub names no types
        if z["zip_code_type"] == "STANDARD"
        and z["active"]
        and z["state"] not in _OFF_THE_ROADS
        and z["timezone"] in zones
        and z["lat"]
        and z["long"]
    )


def distance_km(a: Place | Partner, b: Place | Partner) -> float:
    """Return the straight distance on the globe (haversine)."""
    lat_a, lat_b = math.radians(a.latitude), math.radians(b.latitude)
    half_lat, half_lon = (lat_b - lat_a) / 2, math.radians(b.longitude - a.longitude) / 2
    h = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(h))


def around(middle: Place, *, radius_km: float, taken: frozenset[str] = frozenset()) -> list[Place]:
    """Return the places within the radius, nearest first, without those whose ZIP codes are taken."""
    tall = radius_km / 111.0
    near = (
        (distance_km(middle, p), p)
        for p in mainland()
        if abs(p.latitude - middle.latitude) <= tall and p.zip_code not in taken
    )
    return [p for km, p in sorted(pair for pair in near if pair[0] <= radius_km)]


def dense_place(rng: random.Random, *, neighbours: int, radius_km: float) -> Place:
    """Return a random place that has at least so many neighbours within the radius."""
    places = mainland()
    for _ in range(ANCHOR_TRIES_MAX):
        place = rng.choice(places)
        if len(around(place, radius_km=radius_km)) > neighbours:
            return place
    raise ValueError(f"no place has {neighbours} neighbours within {radius_km:g} km")


def spread(rng: random.Random, among: Sequence[Place], *, count: int, apart_km: float) -> list[Place]:
    """Return `count` random places that keep their distance; the distance shrinks where there is not enough room."""
    chosen: list[Place] = []
    while len(chosen) < count:
        for _ in range(ANCHOR_TRIES_MAX):
            place = rng.choice(among)
            if all(distance_km(place, other) >= apart_km for other in chosen):
                chosen.append(place)
                break
        else:
            apart_km *= 0.8
    return chosen
