"""Places as other rooms see them."""

from __future__ import annotations

from dataclasses import dataclass


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
