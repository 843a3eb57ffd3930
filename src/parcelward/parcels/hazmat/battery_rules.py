"""The rules for batteries: 49 CFR 173.185 and Publication 52, section 349, the stricter of the two.

What the regulation lets a carrier take by road beyond the postal limits (100 to 300 Wh) is not mail.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from parcelward.parcels.hazmat.facts import BATTERIES, LITHIUM, Facts
from parcelward.parcels.hazmat.wire import Answer, Finding

CELL_WH_MAX: Final = 20.0  # 49 CFR 173.185(c)(1)(i)
BATTERY_WH_MAX: Final = 100.0
CELL_LITHIUM_G_MAX: Final = 1.0  # 49 CFR 173.185(c)(1)(ii)
BATTERY_LITHIUM_G_MAX: Final = 2.0
CELLS_MAX: Final = 8  # Pub 52 349, in one parcel
BATTERIES_MAX: Final = 2
CELLS_ABROAD_MAX: Final = 4  # IMM 135.6
CELLS_UNMARKED_MAX: Final = 4  # 49 CFR 173.185(c)(3): no mark with so few, installed
ALONE_NET_G_MAX: Final = 2268  # Pub 52 349: 5 pounds

_185C: Final = "49 CFR 173.185(c)(1); Pub 52 349"
_ABROAD: Final = "IMM 135.6; Pub 52 349"


def findings(f: Facts) -> Iterator[Finding]:
    """Yield what the rules say about batteries in it."""
    kind = chemistry(f)
    because = f.words(*BATTERIES, "device", "maybe_battery", "powered", "big_battery_vehicle") or _answered(f)
    yield from _contradictions(f, because)
    if f.has("vape"):
        yield Finding("vape", Answer.REFUSE, "Pub 52 472", f.words("vape"))
    if f.answers.battery_damaged or (kind not in {"", "none", "dry"} and "damaged" in f.states):
        yield Finding("battery-damaged", Answer.REFUSE, "49 CFR 173.185(f); Pub 52 349", because)
    if kind == "sodium_ion":
        yield Finding("sodium-ion", Answer.HOLD, "49 CFR 172.101: UN3551 and UN3552 are not in the table", because)
    elif kind in {"lithium_ion", "lithium_metal"}:
        yield from _lithium(f, kind, because)
    elif kind == "lithium":
        answer = Answer.HOLD if place(f) != "in_device" else Answer.INSPECT
        yield Finding("lithium-unknown", answer, "49 CFR 173.185", because)
    elif kind == "lead_acid_filled":
        yield Finding("battery-wet", Answer.REFUSE, "Pub 52 348.21", because)
    elif kind == "lead_acid_sealed":
        answer = Answer.HOLD if f.international else Answer.ACCEPT_GROUND_ONLY
        yield Finding("battery-nonspillable", answer, "49 CFR 173.159a; Pub 52 348.21", because, "815")
    elif kind == "lead_acid":
        yield Finding("battery-lead-unknown", Answer.HOLD, "49 CFR 173.159; Pub 52 348.21", because)
    elif kind == "unknown":
        answer = Answer.HOLD if f.has("power_bank") else Answer.INSPECT
        yield Finding("battery-unknown", answer, "49 CFR 173.185", because)
    elif kind == "" and f.has("big_battery_vehicle"):
        yield Finding("vehicle-unknown", Answer.HOLD, "49 CFR 173.220; Pub 52 349", because)
    elif kind == "" and f.has("device", "maybe_battery", "powered"):
        yield Finding("battery-not-said", Answer.INSPECT, "49 CFR 173.185", because)


def _answered(f: Facts) -> tuple[str, ...]:
    return ("battery",) if f.answers.battery not in {None, "none"} else ()


def chemistry(f: Facts) -> str:
    """Return the battery's kind by answer, then by text; empty: nobody says; none: there is none."""
    said = f.answers.battery
    if said == "none":
        return "none"
    if said in {"unknown", "other"}:
        return "sodium_ion" if f.has("sodium_ion") else "unknown"
    if said is not None:
        return said
    for kind, meaning in _BY_WORD.items():
        if f.has(kind):
            return meaning
    return "none" if BATTERIES & f.denied else ""


_BY_WORD: Final = {
    "sodium_ion": "sodium_ion",
    "lithium_ion": "lithium_ion",
    "lithium_metal": "lithium_metal",
    "power_bank": "lithium_ion",
    "lithium": "lithium",
    "battery_wet": "lead_acid",
    "battery_dry": "dry",
    "battery": "unknown",
}
"""What a battery is by the words of the text, the one that says most first."""


def place(f: Facts) -> str:
    """Return where it is; a power bank is a battery alone, whatever it is called."""
    if f.has("power_bank"):
        return "alone"
    return f.answers.battery_place or ""


def _contradictions(f: Facts, because: tuple[str, ...]) -> Iterator[Finding]:
    said = f.answers.battery
    clause = "49 CFR 173.22"
    if said == "none" and f.has("power_bank", "battery_wet", "sodium_ion", *LITHIUM):
        yield Finding("battery-contradiction", Answer.HOLD, clause, because)
    elif said == "none" and f.has("battery", "battery_dry"):
        yield Finding("battery-contradiction", Answer.INSPECT, clause, because)
    elif said == "dry" and f.has("power_bank", "battery_wet", "sodium_ion", *LITHIUM):
        yield Finding("battery-contradiction", Answer.HOLD, clause, because)
    elif said == "lithium_ion" and f.has("sodium_ion"):
        yield Finding("sodium-ion", Answer.HOLD, clause, because)
    elif said == "lithium_metal" and f.has("power_bank"):
        yield Finding("battery-contradiction", Answer.HOLD, clause, because)
    wh, told = f.answers.watt_hours, f.watt_hours_said
    if wh is not None and told is not None and told > BATTERY_WH_MAX >= wh and not f.has("sodium_ion"):
        yield Finding("battery-contradiction", Answer.HOLD, clause, because)


def _within(f: Facts, kind: str) -> bool | None:
    """Return whether one cell or battery is within its limit; None: what decides it was not said."""
    amount, cell, battery = (
        (f.watt_hours, CELL_WH_MAX, BATTERY_WH_MAX)
        if kind == "lithium_ion"
        else (f.answers.lithium_g, CELL_LITHIUM_G_MAX, BATTERY_LITHIUM_G_MAX)
    )
    if amount is None:
        return None
    if amount <= cell:
        return amount >= 0
    if amount > battery or f.answers.battery_is == "cell":
        return False
    return True if f.answers.battery_is == "battery" or f.has("power_bank") else None


def _few(f: Facts, cells_max: int) -> bool | None:
    """Return whether there are few enough of them; one where nobody said a number of one article."""
    number = f.answers.battery_number
    if number is None:
        return None if f.number > 1 else True
    if number <= BATTERIES_MAX:
        return True
    if number > cells_max or f.answers.battery_is == "battery":
        return False
    return True if f.answers.battery_is == "cell" else None


def _lithium(f: Facts, kind: str, because: tuple[str, ...]) -> Iterator[Finding]:
    where, within = place(f), _within(f, kind)
    few = _few(f, CELLS_ABROAD_MAX if f.international else CELLS_MAX)
    clause = _ABROAD if f.international else _185C
    if f.international and where in {"alone", "beside_device"}:
        yield Finding("lithium-abroad-not-installed", Answer.REFUSE, _ABROAD, because)
    if within is False:
        yield Finding("lithium-too-large", Answer.REFUSE, clause, because)
    elif within is None:
        alone = where != "in_device" or f.has("big_battery_vehicle")
        yield Finding("lithium-size-not-said", Answer.HOLD if alone else Answer.INSPECT, clause, because)
    if few is False:
        yield Finding("lithium-too-many", Answer.REFUSE, clause, because)
    elif few is None:
        yield Finding("lithium-number-not-said", Answer.INSPECT, clause, because)
    if not where:
        yield Finding(
            "lithium-place-not-said", Answer.INSPECT, "49 CFR 172.101, UN3480, UN3481, UN3090, UN3091", because
        )
    elif where == "alone":
        yield from _alone(f, because)
    else:
        yield from _with_equipment(f, where, because)


def _alone(f: Facts, because: tuple[str, ...]) -> Iterator[Finding]:
    clause = "49 CFR 172.101 column 9A, UN3480 and UN3090; Pub 52 349"
    if f.answers.battery_sealed is False or f.answers.condition == "used":
        yield Finding("lithium-alone-opened", Answer.REFUSE, clause, because)
    elif f.answers.battery_sealed is None:
        yield Finding("lithium-alone-seal-not-said", Answer.INSPECT, clause, because)
    if f.net_weight_g is not None and f.net_weight_g > ALONE_NET_G_MAX:
        yield Finding("lithium-alone-too-heavy", Answer.REFUSE, clause, because)
    yield Finding("lithium-alone", Answer.ACCEPT_GROUND_ONLY, clause, because, "816")


def _with_equipment(f: Facts, where: str, because: tuple[str, ...]) -> Iterator[Finding]:
    used = f.answers.condition == "used" or ("used" in f.states and f.answers.condition is None)
    if used:
        answer = Answer.HOLD if f.international else Answer.ACCEPT_GROUND_ONLY
        yield Finding("lithium-used", answer, "Pub 52 349 (87 FR 34197)", because, "817")
    number = f.answers.battery_number or 1
    few = number <= (CELLS_UNMARKED_MAX if f.answers.battery_is == "cell" else BATTERIES_MAX)
    code = "820" if where == "in_device" and few else "818"
    if not used:
        yield Finding("lithium-with-device", Answer.ACCEPT, "49 CFR 173.185(c); Pub 52 349", because, code)
