"""What is known of one parcel: the declaration, its words, its tariff number and its UN number, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any, Final, TypeVar

from parcelward.parcels.hazmat import table
from parcelward.parcels.hazmat.lexicon import lexicon
from parcelward.parcels.hazmat.text import Reading, read
from parcelward.parcels.hazmat.wire import Answers, Declaration, Mode

T = TypeVar("T", Declaration, Answers)

LITHIUM: Final = frozenset({"lithium_ion", "lithium_metal", "lithium"})
BATTERIES: Final = LITHIUM | {"battery", "power_bank", "sodium_ion", "battery_dry", "battery_wet"}
POWERED: Final = frozenset({"device", "maybe_battery", "powered", "big_battery_vehicle", "vape"})
FLAMMABLE: Final = frozenset({"perfume", "alcohol", "nail_polish", "flammable_liquid", "paint", "liquor"})
GASES: Final = frozenset({"aerosol", "gas_flammable", "gas", "gas_toxic", "lighter"})
VESSELS: Final = (
    FLAMMABLE
    | GASES
    | {
        "engine",
        "flash_low",
        "acid_strong",
        "flammable_word",
        "corrosive",
        "oxidizer",
        "toxic",
        "chemical",
        "infectious",
        "explosive",
    }
)
"""What a container is named by that may be empty."""

NEVER_EMPTY: Final = frozenset({"infectious", "explosive"})
"""What a word in the text does not make empty: a case with its primer, a sampling kit."""

_NEW_AT_ONCE: Final = FLAMMABLE | {"aerosol", "lighter", "engine", "flammable_word"}
"""What is nothing when it was never filled and the text names its container; of worse goods somebody looks."""

_CONTAINERS: Final = frozenset({"lighter", "engine"})
"""What is itself a container."""

_KIND_OF_ID: Final = {
    "UN1266": "perfume", "UN1263": "paint", "UN1133": "paint", "UN3066": "corrosive", "UN1170": "alcohol",
    "UN1219": "alcohol", "UN1230": "alcohol", "UN1987": "alcohol", "UN3065": "liquor", "UN1950": "aerosol",
    "UN1057": "lighter", "UN2037": "gas_flammable", "UN1944": "matches", "UN1331": "strike_anywhere",
    "UN1945": "strike_anywhere", "UN2254": "strike_anywhere", "UN3480": "lithium_ion", "UN3481": "lithium_ion",
    "UN3090": "lithium_metal", "UN3091": "lithium_metal", "UN3496": "battery_dry", "UN2794": "battery_wet",
    "UN2795": "battery_wet", "UN2800": "battery_wet", "UN3028": "battery_wet", "UN3292": "sodium_ion",
    "UN1845": "dry_ice", "UN2809": "mercury", "UN3506": "mercury", "UN2212": "asbestos", "UN2590": "asbestos",
    "UN3171": "big_battery_vehicle", "UN3268": "explosive", "UN3166": "engine", "UN3528": "engine", "UN3529": "engine",
    "UN3530": "engine",
}  # fmt: skip
_KIND_OF_CLASS: Final = {
    "2.1": "gas_flammable", "2.2": "gas", "2.3": "gas_toxic", "3": "flammable_liquid", "Comb liq": "flammable_liquid",
    "4.1": "flammable_solid", "4.2": "flammable_solid", "4.3": "flammable_solid", "5.1": "oxidizer",
    "5.2": "organic_peroxide", "6.1": "toxic", "6.2": "infectious", "7": "radioactive", "8": "corrosive",
    "9": "class_9",
}  # fmt: skip
_FAMILIES: Final = (
    FLAMMABLE,
    GASES,
    BATTERIES | POWERED,
    frozenset({"matches", "strike_anywhere", "flammable_solid"}),
    frozenset({"oxidizer", "organic_peroxide"}),
    frozenset({"corrosive", "mercury"}),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rules look at."""

    answers: Answers
    kinds: Mapping[str, tuple[str, ...]]  # what it is or may be -> by which words, ids or answers
    denied: frozenset[str]
    states: frozenset[str]
    understood: bool
    readable: bool
    uns: tuple[str, ...]  # canonical ids
    un_said: str  # as the shop wrote it
    hs_kind: str  # what the tariff number says; empty where it says nothing
    hs_code: str
    text_kinds: frozenset[str]
    air: bool
    international: bool
    volume_ml: float | None
    net_weight_g: float | None
    number: int
    watt_hours: float | None  # the larger of what was answered and what the text says
    watt_hours_said: float | None  # by the text

    def has(self, *kinds: str) -> bool:
        """Return whether one of these kinds is in it."""
        return any(kind in self.kinds for kind in kinds)

    def words(self, *kinds: str) -> tuple[str, ...]:
        """Return what these kinds were read from."""
        return tuple(dict.fromkeys(word for kind in kinds for word in self.kinds.get(kind, ())))


def kind_of(un: str) -> str:
    """Return the kind that the rows of an id are, by the id or by its class; empty where the table has none."""
    rows = table.rows_of(un)
    if not rows:
        return ""
    if un in _KIND_OF_ID:
        return _KIND_OF_ID[un]
    division = rows[0].division
    return "explosive" if division.startswith("1") else _KIND_OF_CLASS.get(division, "class_9")


def related(kind: str, other: str) -> bool:
    """Return whether two kinds may be names of the same thing."""
    return kind == other or any(kind in family and other in family for family in _FAMILIES)


def _measured(said: T) -> T:
    """Return what was said without numbers that nobody can have measured, such as -1 or NaN: they say nothing."""
    numbers = ((each.name, getattr(said, each.name)) for each in fields(said))
    none: dict[str, Any] = {
        name: None
        for name, value in numbers
        if isinstance(value, float | int) and not (isfinite(value) and (value >= 0 or name == "flash_point_c"))
    }
    return replace(said, **none) if none else said


def gather(declaration: Declaration, mode: Mode) -> Facts:
    """Return all that is known."""
    declaration = replace(_measured(declaration), answers=_measured(declaration.answers))
    said, reading = declaration.answers, read(declaration.description, declaration.language)
    kinds = {k: v for k, v in reading.kinds.items() if not k.startswith("un:")}
    for named in (k.removeprefix("un:") for k in reading.kinds if k.startswith("un:")):
        kind = kind_of(named)
        kinds[kind] = (*kinds.get(kind, ()), *reading.kinds[f"un:{named}"])
    if reading.watt_hours and not (BATTERIES | POWERED) & kinds.keys():
        kinds["battery"] = (f"{reading.watt_hours:g} Wh",)
    if "flammable_word" in kinds and not (FLAMMABLE | GASES) & kinds.keys():
        kinds["flammable_liquid"] = kinds["flammable_word"]
    of_a_device = {word for kind in POWERED & kinds.keys() for word in kinds[kind]}
    if "battery" in kinds and of_a_device.issuperset(kinds["battery"]):  # Akkuschrauber: a device, by one word
        del kinds["battery"]
    together = kinds.pop("life_vest", ()), kinds.pop("automatic", ())
    if all(together) and said.pressurised is not False:  # each is harmless alone
        kinds["gas"] = (*kinds.get("gas", ()), *together[0], *together[1])
    text_kinds = frozenset(kinds)
    un = table.canonical(declaration.un)
    uns = tuple(dict.fromkeys(one for one in (un, *reading.uns) if one))
    hs = "".join(c for c in declaration.hs_code if c.isdigit())
    full = said.liquid or said.flammable or said.pressurised or said.aerosol
    if reading.naming <= 1 and not full:  # of several things, who knows which one is empty
        _take_out_empty(said, reading, kinds)
    for kind, because in _by_answers(said, kinds):
        kinds[kind] = (*kinds.get(kind, ()), because)
    told = (said.liquid, said.flammable, said.aerosol, said.pressurised, said.radioactive, said.mercury, uns)
    if not any(told):
        doubtful = reading.doubtful & kinds.keys() - BATTERIES - POWERED
        words = tuple(word for kind in sorted(doubtful) for word in kinds.pop(kind))
        kinds.update({"doubtful": words} if words else {})
    _take_out(said, kinds)
    both = [wh for wh in (said.watt_hours, reading.watt_hours) if wh is not None]
    return Facts(
        answers=said,
        kinds=kinds,
        denied=reading.denied,
        states=reading.states,
        understood=reading.understood,
        readable=reading.readable,
        uns=uns,
        un_said=declaration.un.strip(),
        hs_kind=next((lexicon().hs[hs[:n]] for n in (6, 4) if hs[:n] in lexicon().hs), ""),
        hs_code=hs,
        text_kinds=text_kinds,
        air=mode is Mode.AIR,
        international=declaration.international,
        volume_ml=declaration.volume_ml if declaration.volume_ml is not None else reading.volume_ml,
        net_weight_g=declaration.net_weight_g,
        number=max(1, declaration.number or 1),
        watt_hours=max(both) if both else None,
        watt_hours_said=reading.watt_hours,
    )


def _by_answers(said: Answers, kinds: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Return the kinds that the answers say are there, whatever the text does."""
    found = []
    flammable = said.flammable or (said.flash_point_c is not None and said.flash_point_c <= FLASH_POINT_C_MAX)
    if flammable and not FLAMMABLE & kinds.keys() and not GASES & kinds.keys():
        found.append(("flammable_liquid", "flammable"))
    if (
        said.alcohol_percent is not None
        and said.alcohol_percent > ALCOHOL_PERCENT_FREE
        and not FLAMMABLE & kinds.keys()
    ):
        found.append(("alcohol", "alcohol_percent"))
    if said.aerosol:
        found.append(("aerosol", "aerosol"))
    if said.pressurised and not GASES & kinds.keys():
        found.append(("gas", "pressurised"))
    if said.mercury and "fluorescent" not in kinds:
        found.append(("mercury", "mercury"))
    if said.radioactive:
        found.append(("radioactive", "radioactive"))
    if said.dry_ice_kg:
        found.append(("dry_ice", "dry_ice_kg"))
    if (
        said.magnet == "strong"
        or said.magnet_field_ut_at_2_1_m is not None
        or said.magnet_field_ut_at_4_6_m is not None
    ):
        found.append(("magnet", "magnet"))
    if said.fuel in {"residue", "fuelled"}:
        found.append(("engine", "fuel"))
    if said.sample not in {None, "none"}:
        found.append(("infectious", "sample"))
    return found


def _take_out(said: Answers, kinds: dict[str, tuple[str, ...]]) -> None:
    """Take out what an answer settles: a thermometer without mercury."""
    for kind, no in (("mercury", said.mercury is False), ("radioactive", said.radioactive is False)):
        if no and kind in kinds and "maybe_battery" in kinds:  # a thermometer, a smoke alarm
            del kinds[kind]


def _take_out_empty(said: Answers, reading: Reading, kinds: dict[str, tuple[str, ...]]) -> None:
    """Take out what only names a container: never filled, it is nothing; else somebody looks."""
    looked_at = ""
    named: AbstractSet[str] = frozenset()
    if said.emptied == "cleaned":
        looked_at, named = "cleaned", VESSELS & kinds.keys()
    elif said.emptied is None and "empty" in reading.states:
        looked_at, named = "empty_said", (VESSELS - NEVER_EMPTY) & kinds.keys()
    elif said.emptied == "never_filled":
        named = (VESSELS - {"explosive"}) & kinds.keys()
        new = _NEW_AT_ONCE if reading.container else _CONTAINERS
        looked_at = "" if named <= new else "empty_said"
    words = tuple(word for kind in sorted(named) for word in kinds.pop(kind))
    if words and looked_at:
        kinds[looked_at] = words


FLASH_POINT_C_MAX: Final = 93.0
"""Pub 52 343.1: what flashes above 200 F is no combustible liquid."""

ALCOHOL_PERCENT_FREE: Final = 24.0
"""49 CFR 173.150(e): an aqueous solution of not more than 24 percent alcohol by volume."""
