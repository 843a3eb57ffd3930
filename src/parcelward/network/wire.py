"""Places as other rooms see them."""

from __future__ import annotations

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
