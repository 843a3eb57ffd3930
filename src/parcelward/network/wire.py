"""Places as other rooms see them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Final

FACILITY_KINDS: Final = ("office", "hub", "depot", "collection_point", "exchange", "customs")
LANE_DURATION_MAX_S: Final = 60 * 24 * 3600
ROUTES_MAX: Final = 50_000
ROUTING_CODE_MAX: Final = 12  # what a hub's part of a label holds
ANY_COUNTRY: Final = "*"


@dataclass(frozen=True, slots=True)
class FacilityRow:
    """One place. `number` is what events carry; `code` is what people and devices say."""

    number: int
    code: str
    name: str
    kind: str
    country: str
    time_zone: str
    coarse_place: str
    position: tuple[float, float] | None  # longitude, latitude
    simulated: bool
    gln: str = ""
    created_at: dt.datetime | None = None

    @property
    def version(self) -> str:
        """The description's tag: another one whenever anything in it changes."""
        return version_of(self.name, self.kind, self.country, self.time_zone, self.coarse_place, self.position,
                          self.gln, self.simulated)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LaneRow:
    """The usual way between two places."""

    origin: str  # facility codes
    destination: str
    mode: str
    usual_duration_s: int
    departures: tuple[str, ...]  # local times at the origin, HH:MM

    @property
    def version(self) -> str:
        """The description's tag: another one whenever anything in it changes."""
        return version_of(self.mode, self.usual_duration_s, self.departures)


@dataclass(frozen=True, slots=True, order=True)
class RouteRow:
    """Who delivers to an area. `country` may be `*` for every other one; `prefix` is how its postcodes begin."""

    country: str
    prefix: str
    office: str  # facility codes
    hub: str
    round_code: str

    @property
    def routing_code(self) -> str:
        """What a hub sorts by."""
        return f"{self.office} {self.round_code}"[:ROUTING_CODE_MAX].strip()


@dataclass(frozen=True, slots=True)
class Hours:
    """When a place is open on one weekday (1 Monday to 7 Sunday, ISO 8601), in its local time, HH:MM."""

    weekday: int
    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """When a place works: no hours means that nobody has said so."""

    hours: tuple[Hours, ...]  # in the order of the week
    closed_days: tuple[dt.date, ...]  # in order; of this place alone

    @property
    def version(self) -> str:
        """The calendar's tag: another one whenever anything in it changes."""
        hours = [(h.weekday, h.opens, h.closes) for h in self.hours]
        return version_of(hours, [day.isoformat() for day in self.closed_days])


@dataclass(frozen=True, slots=True)
class Opening:
    """A time that a place is open, both in its own zone."""

    opens: dt.datetime
    closes: dt.datetime


def version_of(*values: object) -> str:
    """Return a short text that is equal for equal values."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:20]
