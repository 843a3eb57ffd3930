"""The simulated network: offices, hubs, lanes with timetables, trucks, devices, cages. The same seed, the same world.

town     a same-day city post: two hubs, lanes every twenty minutes around the clock, rounds all day
    region   an overnight parcel post: hubs in one part of the country, two pick-ups, afternoon and evening
nation   the same over the whole mainland
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

from parcelward.base.standards import gs1
from parcelward.doors.simulator import geography
from parcelward.doors.simulator.geography import Partner, Place

Size = Literal["town", "region", "nation"]
Kind = Literal["office", "hub", "collection_point", "exchange", "customs"]
Role = Literal["counter", "courier", "sorter", "door", "driver", "gateway"]

COMPANY_PREFIX = "9521234"  # 952 is the GS1 prefix for demonstrations: never issued to anyone
CAGE_ASSET_TYPE = "00001"
CAGES_PER_LANE = 8
CAGE_SERIALS = 10**9
LANE_SHORTEST_S = 300


@dataclass(frozen=True, slots=True)
class Scale:
    """What one size of world means by default."""

    offices: int
    hubs: int
    speed_km_h: float
    stop_s: int  # gates, docks, parking: added to every lane
    couriers: int  # rounds per office and departure
    same_day: bool


SCALES: dict[Size, Scale] = {
    "town": Scale(offices=12, hubs=2, speed_km_h=32, stop_s=240, couriers=1, same_day=True),
    "region": Scale(offices=120, hubs=4, speed_km_h=65, stop_s=1_200, couriers=3, same_day=False),
    "nation": Scale(offices=2_000, hubs=40, speed_km_h=70, stop_s=1_800, couriers=3, same_day=False),
}
OFFICES_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Facility:
    """A place where items are handled, and what its API record says."""

    code: str
    name: str
    kind: Kind
    country: str
    time_zone: str
    longitude: float
    latitude: float
    coarse_place: str
    hub: str = ""  # the sorting centre that serves it; a hub serves itself
    weight: float = 0.0  # its share of what is posted and delivered; offices only

    def record(self) -> dict[str, object]:
        """Return the body of `PUT /api/v1/facilities/{code}`."""
        return {
            "name": self.name,
            "kind": self.kind,
            "country": self.country,
            "time_zone": self.time_zone,
            "position": [self.longitude, self.latitude],
            "coarse_place": self.coarse_place,
            "simulated": True,
        }


@dataclass(frozen=True, slots=True)
class Lane:
    """A usual way from one facility to another, with its timetable in minutes after local midnight at the start."""

    origin: str
    destination: str
    usual_duration_s: int
    departures: tuple[int, ...]
    mode: Literal["road", "air"] = "road"
    truck: str = ""
    driver: str = ""  # an opaque staff number

    def record(self) -> dict[str, object]:
        """Return the body of `PUT /api/v1/lanes/{from}/{to}`."""
        times = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in self.departures]
        return {"usual_duration_s": self.usual_duration_s, "departures": times, "mode": self.mode}


@dataclass(frozen=True, slots=True)
class Device:
    """What scans. A driver's handheld belongs to no facility."""

    name: str
    role: Role
    facility: str


@dataclass(slots=True)
class World:
    """Everything that stays the same while parcels travel."""

    seed: int | str
    size: Size
    scale: Scale
    country: str
    facilities: dict[str, Facility] = field(default_factory=dict)
    lanes: dict[tuple[str, str], Lane] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    exchange: str = ""
    customs: str = ""
    partners: dict[str, str] = field(default_factory=dict)  # country -> code of its office of exchange
    rounds: tuple[int, ...] = ()  # when couriers set out, minutes after local midnight
    cage_count: int = 0  # roll cages; each plan numbers its own (`cages`)

    @property
    def offices(self) -> list[Facility]:
        """The post offices, in the order they were made."""
        return [f for f in self.facilities.values() if f.kind == "office"]

    @property
    def hubs(self) -> list[Facility]:
        """The sorting centres."""
        return [f for f in self.facilities.values() if f.kind == "hub"]

    @property
    def routes(self) -> list[dict[str, str]]:
        """The rows of `PUT /api/v1/routes`: each office delivers its own ZIP code, the first one all that is left."""
        first = self.offices[0]
        rows = [(self.country, "", first.code, first.hub), ("*", "", self.exchange, self.facilities[self.exchange].hub)]
        rows += [(self.country, office.code.removeprefix("PO"), office.code, office.hub) for office in self.offices]
        return [
            {"country": country, "prefix": prefix, "office": office, "hub": hub, "round_code": f"R{1 + at % 3}"}
            for at, (country, prefix, office, hub) in enumerate(rows)
        ]

    def open_on(self, weekday: int, month: int, day: int) -> bool:
        """Tell whether counters and rounds work: an overnight post rests on Sundays and three holidays."""
        return self.scale.same_day or not (weekday == 6 or (month, day) in {(1, 1), (7, 4), (12, 25)})  # noqa: PLR2004 -- Sunday


def stream(seed: int | str, purpose: str) -> random.Random:
    """Return the random numbers of one purpose: more draws for one never change another."""
    return random.Random(f"{seed}/{purpose}")  # noqa: S311 -- a game of chance on purpose; no secret is drawn here


def staff_number(rng: random.Random) -> str:
    """Return an opaque staff number, `S048213`: simulated people have no names."""
    return f"S{rng.randrange(1_000_000):06d}"


def build(
    seed: int | str, *, offices: int | None = None, hubs: int | None = None, size: Size = "town", country: str = "US"
) -> World:
    """Return the world of a seed. `offices` and `hubs` replace the size's own numbers."""
    scale = SCALES[size]
    count = offices or scale.offices
    hub_count = min(hubs or scale.hubs, count)
    if not 1 <= count <= OFFICES_MAX:
        raise ValueError(f"a world has 1 to {OFFICES_MAX} offices")
    rng = stream(seed, "places")
    world = World(seed=seed, size=size, scale=scale, country=country)
    anchors = _anchors(rng, size, count=hub_count, offices=count)
    _add_facilities(world, rng, anchors, count)
    _add_exchange(world, anchors[0])
    _add_lanes(world, stream(seed, "lanes"))
    world.rounds = tuple(range(7, 24 * 60, 40)) if scale.same_day else (8 * 60 + 30,)
    world.cage_count = CAGES_PER_LANE * len(world.lanes)
    return world


def cages(seed: int | str, count: int) -> tuple[str, ...]:
    """Return the GRAIs of a plan's roll cages.

    Two plans on one installation must not share a cage: each would find the other's seal on it, and a broken seal that
    is none hides the one that is.
    """
    first = stream(seed, "cages").randrange(CAGE_SERIALS)
    return tuple(cage_number((first + n) % CAGE_SERIALS) for n in range(count))


def cage_number(serial: int) -> str:
    """Return a roll cage's GRAI as an element string."""
    body = f"{COMPANY_PREFIX}{CAGE_ASSET_TYPE}"
    return f"(8003)0{body}{gs1.check_digit(body)}C{serial:09d}"


def _anchors(rng: random.Random, size: Size, *, count: int, offices: int) -> list[Place]:
    """Return where the hubs stand."""
    if size == "nation":
        return geography.spread(rng, geography.mainland(), count=count, apart_km=180)
    if size == "region":
        middle = geography.dense_place(rng, neighbours=max(offices, 150), radius_km=160)
        return geography.spread(rng, geography.around(middle, radius_km=260), count=count, apart_km=110)
    middle = geography.dense_place(rng, neighbours=offices + 20, radius_km=18)
    return geography.spread(rng, geography.around(middle, radius_km=12), count=count, apart_km=9)


def _add_facilities(world: World, rng: random.Random, anchors: list[Place], offices: int) -> None:
    taken: set[str] = set()
    for number, anchor in enumerate(anchors, 1):
        hub = _facility(world, f"SC{anchor.zip_code}", f"{anchor.city} sorting centre {number}", "hub", anchor)
        world.facilities[hub.code] = hub
        _add_devices(world, hub.code, ("sorter", 2), ("door", 2))
    for number, anchor in enumerate(anchors):
        wanted = offices // len(anchors) + (number < offices % len(anchors))
        radius_km = 25.0
        while len(near := geography.around(anchor, radius_km=radius_km, taken=frozenset(taken))) < wanted:
            radius_km *= 2
        spaced = near if len(near) < 3 * wanted else near[:: len(near) // wanted]
        for place in spaced[:wanted]:
            taken.add(place.zip_code)
            name = f"{place.city} {place.zip_code} post office"
            weight = rng.paretovariate(1.6)  # a few big offices and many small ones
            office = _facility(world, f"PO{place.zip_code}", name, "office", place, f"SC{anchor.zip_code}", weight)
            world.facilities[office.code] = office
            _add_devices(world, office.code, ("counter", 1), ("courier", world.scale.couriers), ("door", 1))
            shop = _facility(world, f"CP{place.zip_code}", f"{place.city} {place.zip_code} collection point",
                             "collection_point", place, f"SC{anchor.zip_code}")  # fmt: skip
            world.facilities[shop.code] = shop
            _add_devices(world, shop.code, ("counter", 1))


def _facility(
    world: World, code: str, name: str, kind: Kind, place: Place, hub: str = "", weight: float = 0.0
) -> Facility:
    return Facility(
        code=code,
        name=name,
        kind=kind,
        country=world.country,
        time_zone=place.time_zone,
        longitude=round(place.longitude, 4),
        latitude=round(place.latitude, 4),
        coarse_place=f"{place.city}, {place.state}",
        hub=hub or code,
        weight=round(weight, 4),
    )


def _add_devices(world: World, facility: str, *kinds: tuple[Role, int]) -> None:
    for role, count in kinds:
        for number in range(1, count + 1):
            name = device_name(facility, role, number)
            world.devices[name] = Device(name, role, facility)


def device_name(facility: str, role: Role, number: int = 1) -> str:
    """Return a device's name; the prefix marks it as simulated for every reader."""
    return f"sim {facility} {role} {number}"


def _add_exchange(world: World, anchor: Place) -> None:
    """Add the office of exchange, the customs beside it, and the partners' offices of exchange abroad."""
    hub = f"SC{anchor.zip_code}"
    near = geography.around(anchor, radius_km=120)[:6][-1]  # a little way off, or where the hub is
    for code, name, kind in (
        (f"EX{near.zip_code}", f"{near.city} office of exchange", "exchange"),
        (f"CU{near.zip_code}", f"{near.city} customs", "customs"),
    ):
        world.facilities[code] = _facility(world, code, name, kind, near, hub)  # type: ignore[arg-type]  # the literals above
        _add_devices(world, code, ("counter", 1))
    world.exchange, world.customs = f"EX{near.zip_code}", f"CU{near.zip_code}"
    for partner in geography.PARTNERS:
        code = f"EX{partner.country}1"
        world.partners[partner.country] = code
        world.facilities[code] = _partner_facility(code, partner)
        _add_devices(world, code, ("gateway", 1))


def _partner_facility(code: str, partner: Partner) -> Facility:
    return Facility(
        code=code,
        name=f"{partner.city} office of exchange",
        kind="exchange",
        country=partner.country,
        time_zone=partner.time_zone,
        longitude=partner.longitude,
        latitude=partner.latitude,
        coarse_place=f"{partner.city}, {partner.country}",
    )


def _add_lanes(world: World, rng: random.Random) -> None:
    same_day = world.scale.same_day

    def times(*overnight: int) -> tuple[int, ...]:
        late = rng.randrange(20)
        return tuple(range(late, 24 * 60, 20)) if same_day else tuple(minute + late for minute in overnight)

    for place in list(world.facilities.values()):
        if place.kind == "office":
            _add_lane(world, rng, place.code, place.hub, times(15 * 60 + 10, 18 * 60))
            _add_lane(world, rng, place.hub, place.code, times(4 * 60 + 20))
        elif place.kind == "hub":
            for other in world.hubs:
                if other.code != place.code:
                    _add_lane(world, rng, place.code, other.code, times(20 * 60 + 40, 23 * 60 + 30))
    hub = world.facilities[world.exchange].hub
    _add_lane(world, rng, hub, world.exchange, times(6 * 60, 22 * 60))
    _add_lane(world, rng, world.exchange, hub, times(5 * 60, 18 * 60))
    for partner in geography.PARTNERS:
        abroad = world.partners[partner.country]
        for origin, destination in ((world.exchange, abroad), (abroad, world.exchange)):
            duration_s, minute = int(partner.flight_h * 3600), rng.randrange(600, 1_300)
            world.lanes[origin, destination] = Lane(origin, destination, duration_s, (minute,), "air")


def _add_lane(world: World, rng: random.Random, origin: str, destination: str, departures: tuple[int, ...]) -> None:
    a, b = world.facilities[origin], world.facilities[destination]
    straight_km = geography.distance_km(_place(a), _place(b))
    drive_s = straight_km * geography.ROAD_DETOUR / world.scale.speed_km_h * 3600 + world.scale.stop_s
    number = len(world.lanes) // 2 + 1  # one truck goes there and back
    truck = f"T{number:05d}"
    name = device_name(truck, "driver")
    world.devices.setdefault(name, Device(name, "driver", ""))
    duration_s = max(LANE_SHORTEST_S, round(drive_s / 60) * 60)
    world.lanes[origin, destination] = Lane(
        origin, destination, duration_s, departures, truck=truck, driver=staff_number(rng)
    )


def _place(facility: Facility) -> Place:
    return Place("", "", "", facility.time_zone, facility.longitude, facility.latitude)
