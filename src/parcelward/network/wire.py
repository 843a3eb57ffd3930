"""Places as other rooms see them."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Final

FACILITY_KINDS: Final = ("office", "hub", "depot", "collection_point", "exchange", "customs")
LANE_DURATION_MAX_S: Final = 60 * 24 * 3600


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


def version_of(*values: object) -> str:
    """Return a short text that is equal for equal values."""
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:20]
