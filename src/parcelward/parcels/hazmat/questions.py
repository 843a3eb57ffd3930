"""Which question to ask next, as a shop owner understands it: one at a time, and none whose answer changes nothing.

The words of each question stand in `words`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from parcelward.parcels.hazmat.battery_rules import chemistry, place
from parcelward.parcels.hazmat.facts import BATTERIES, FLAMMABLE, POWERED, Facts
from parcelward.parcels.hazmat.wire import Answer, Asked, Finding

YES_NO: Final = ("true", "false")
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "battery": (
        *("none", "lithium_ion", "lithium_metal", "sodium_ion", "dry", "lead_acid_sealed", "lead_acid_filled"),
        *("other", "unknown"),
    ),
    "battery_place": ("in_device", "beside_device", "alone"),
    "battery_is": ("cell", "battery"),
    "condition": ("new", "used", "refurbished_by_maker"),
    "aerosol_gas": ("flammable", "non_flammable", "unknown"),
    "magnet": ("none", "small", "strong"),
    "fuel": ("none", "purged", "residue", "fuelled"),
    "emptied": ("never_filled", "cleaned", "not_cleaned"),
    "sample": ("none", "exempt", "category_b", "category_a", "unknown"),
    **dict.fromkeys(
        (
            "battery_damaged",
            "battery_sealed",
            "liquid",
            "flammable",
            "aerosol",
            "pressurised",
            "mercury",
            "radioactive",
        ),
        YES_NO,
    ),
}
"""What may be answered; a field that is not here takes a number."""

NUMBERS: Final = frozenset(
    {"battery_number", "watt_hours", "lithium_g", "flash_point_c", "alcohol_percent", "active_percent", "dry_ice_kg"}
    | {"magnet_field_ut_at_2_1_m", "magnet_field_ut_at_4_6_m"}
)

Wanted = tuple[str, Callable[[Facts], bool]]


def _lithium(f: Facts) -> bool:
    return chemistry(f) in {"lithium_ion", "lithium_metal"}


def _may_have_battery(f: Facts) -> bool:
    return not f.understood or f.has(*BATTERIES, *POWERED)


def _may_be_liquid(f: Facts) -> bool:
    return f.has(*FLAMMABLE, "chemical", "cosmetics", "corrosive") or not f.understood


_ORDER: Final[tuple[Wanted, ...]] = (
    ("battery", _may_have_battery),
    ("battery_damaged", lambda f: _lithium(f) and f.answers.condition == "used"),
    ("battery_place", lambda f: _lithium(f) and not place(f)),
    ("watt_hours", lambda f: chemistry(f) == "lithium_ion" and f.watt_hours is None),
    ("lithium_g", lambda f: chemistry(f) == "lithium_metal"),
    ("battery_is", _lithium),
    ("battery_number", _lithium),
    ("battery_sealed", lambda f: _lithium(f) and place(f) == "alone"),
    ("condition", lambda f: _lithium(f) and place(f) != "alone"),
    ("emptied", lambda f: "empty" in f.states and bool(f.kinds)),
    ("fuel", lambda f: f.has("engine")),
    ("mercury", lambda f: f.has("barometer")),
    ("sample", lambda f: f.has("infectious")),
    ("dry_ice_kg", lambda f: f.has("dry_ice")),
    ("magnet", lambda f: f.has("magnet")),
    ("magnet_field_ut_at_2_1_m", lambda f: f.answers.magnet == "strong"),
    ("magnet_field_ut_at_4_6_m", lambda f: (f.answers.magnet_field_ut_at_2_1_m or 0) > 0),
    ("liquid", _may_be_liquid),
    ("aerosol", lambda f: f.has("aerosol", "cosmetics")),
    ("flammable", lambda f: f.has("paint", "cosmetics", "chemical") or f.answers.liquid is True),
    ("alcohol_percent", lambda f: f.has("perfume", "alcohol") and f.answers.flammable is not True),
    ("flash_point_c", lambda f: f.has(*FLAMMABLE) and f.answers.flammable is not False),
    ("active_percent", lambda f: f.has("corrosive", "acetic", "oxidizer", "hydrogen_peroxide", "toxic")),
)


def following(f: Facts, found: Sequence[Finding]) -> Asked | None:
    """Return the next question, or None where it is accepted or refused, or nothing is left to ask."""
    worst = found[0].answer
    if worst in {Answer.ACCEPT, Answer.REFUSE}:
        return None
    if worst is Answer.ACCEPT_GROUND_ONLY and all(one.answer <= worst for one in found):
        return None
    if any(one.rule in _NO_QUESTION for one in found):
        return None
    for name, wanted in _ORDER:
        if getattr(f.answers, name) is None and wanted(f):
            return Asked(name, CHOICES.get(name, ()))
    return None


_NO_QUESTION: Final = frozenset(
    {"id-unknown", "id-unreadable", "id-contradiction", "tariff-contradiction", "declared-harmless", "sodium-ion"}
    | {"dry-ice-contradiction"}
)
"""What no answer of the shop can settle: a person decides."""
