"""The rules for all but batteries, class by class: 49 CFR parts 172 and 173, Publication 52, sections 341 to 349.

Each rule is a function that looks at what is known and yields what it finds; none makes another's finding milder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from parcelward.parcels.hazmat.facts import ALCOHOL_PERCENT_FREE, FLASH_POINT_C_MAX, Facts
from parcelward.parcels.hazmat.wire import Answer, Finding

FLASH_POINT_C_MIN: Final = -6.0  # Pub 52 343.21: 20 F is -6.7 C; half a degree for what is rounded
FLAMMABLE_FLASH_POINT_C_MAX: Final = 38.0  # above 100 F it is a combustible liquid
PINT_ML: Final = 473.0  # Pub 52 343.21: 1 pint, or 1 quart in metal
QUART_ML: Final = 946.0
GALLON_ML: Final = 3785.0
AEROSOL_ML_MAX: Final = 1000.0  # 49 CFR 173.306(a)(3)
REFILL_ML_MAX: Final = 118.0  # 4 fl oz: 49 CFR 173.306(a)(1)
CORROSIVE_PERCENT_MAX: Final = 15.0  # Pub 52 348.2, liquid
CORROSIVE_SOLID_PERCENT_MAX: Final = 10.0
CORROSIVE_SOLID_G_MAX: Final = 4536.0  # 10 pounds
ACETIC_PERCENT_FREE: Final = 10.0  # 49 CFR 172.101, UN2790: more than 10 percent
PEROXIDE_PERCENT_FREE: Final = 8.0  # 49 CFR 172.101, UN2984: not less than 8 percent
DRY_ICE_AIR_KG_MAX: Final = 2.26  # 5 pounds
FIELD_FREE_UT: Final = 0.2  # 0.002 gauss at 7 feet
FIELD_AIR_UT_MAX: Final = 0.525  # 0.00525 gauss at 15 feet: 49 CFR 173.21(d)

_ABROAD: Final = "IMM 136.1; Pub 52 {}"

Rule = Callable[[Facts], Iterator[Finding]]


def _abroad(f: Facts, rule: str, section: str, because: tuple[str, ...]) -> Iterator[Finding]:
    if f.international:
        yield Finding(rule, Answer.REFUSE, _ABROAD.format(section), because)


def _explosives(f: Facts) -> Iterator[Finding]:
    if f.has("explosive"):
        yield Finding("explosive", Answer.REFUSE, "Pub 52 341", f.words("explosive"))


def _gases(f: Facts) -> Iterator[Finding]:
    for kind in ("aerosol", "gas_flammable", "gas", "lighter"):
        if f.has(kind):
            yield from _abroad(f, "gas-abroad", "342", f.words(kind))
    for kind in ("gas_toxic", "tear_gas"):
        if f.has(kind):
            yield Finding("gas-toxic", Answer.REFUSE, "49 CFR 172.101 column 9A; Pub 52 342", f.words(kind))
    if f.has("aerosol"):
        yield _aerosol(f)
    if f.has("gas_flammable") and not f.answers.aerosol:
        yield _flammable_gas(f)
    if f.has("gas"):
        yield Finding("gas", Answer.HOLD, "49 CFR 173.306; Pub 52 342", f.words("gas"))
    if f.has("lighter"):
        look = "empty" in f.states or f.answers.emptied == "cleaned"
        answer = Answer.INSPECT if look else Answer.REFUSE if f.air else Answer.HOLD
        yield Finding("lighter", answer, "49 CFR 173.308; Pub 52 342", f.words("lighter"), "830")


def _aerosol(f: Facts) -> Finding:
    because, clause = f.words("aerosol"), "49 CFR 173.306(a)(3); Pub 52 342"
    if f.volume_ml is not None and f.volume_ml > AEROSOL_ML_MAX:
        return Finding("aerosol-too-large", Answer.REFUSE, clause, because)
    if f.volume_ml is None or "empty" in f.states:
        return Finding("aerosol-size-not-said", Answer.INSPECT, clause, because)
    return Finding("aerosol", Answer.ACCEPT_GROUND_ONLY, clause, because, "831")


def _flammable_gas(f: Facts) -> Finding:
    because, clause = f.words("gas_flammable"), "49 CFR 173.306(a)(1); Pub 52 342"
    if f.volume_ml is None:
        return Finding("gas-flammable-size-not-said", Answer.REFUSE if f.air else Answer.HOLD, clause, because)
    if f.volume_ml > REFILL_ML_MAX:
        return Finding("gas-flammable", Answer.REFUSE, clause, because)
    return Finding("gas-flammable-small", Answer.ACCEPT_GROUND_ONLY, clause, because, "831")


def _liquids(f: Facts) -> Iterator[Finding]:
    if f.has("liquor") and not _without_alcohol(f, most=0.5):
        yield Finding("liquor", Answer.REFUSE, "Pub 52 421 (18 USC 1716(f))", f.words("liquor"))
    definite = [k for k in ("perfume", "alcohol", "nail_polish", "flammable_liquid") if f.has(k)]
    because = f.words(*definite, "flash_low")
    if f.has("flash_low"):
        yield from _low(f, because)
    elif definite and not _not_flammable(f):
        yield from _flammable(f, because)
    elif definite and not _settled(f):
        yield Finding("liquid-contradiction", Answer.INSPECT, "49 CFR 173.120", because)
    if f.has("paint") and not definite and not f.has("flash_low"):
        yield from _paint(f)


def _low(f: Facts, because: tuple[str, ...]) -> Iterator[Finding]:
    """Yield for what flashes below the limit whatever is said of it: acetone, petrol, lighter fluid."""
    if _not_flammable(f):
        yield Finding("liquid-contradiction", Answer.HOLD, "49 CFR 173.120", because)
    else:
        yield Finding("flash-point-low", Answer.REFUSE, "Pub 52 343.21", because)


def _settled(f: Facts) -> bool:
    """Return whether more than a word says that it does not burn: a flash point, its alcohol, that it is solid."""
    solid = f.answers.liquid is False and not f.has("alcohol", "nail_polish", "flammable_liquid")
    return f.answers.flash_point_c is not None or _without_alcohol(f, most=ALCOHOL_PERCENT_FREE) or solid


def _paint(f: Facts) -> Iterator[Finding]:
    flash = f.answers.flash_point_c
    if (flash is not None and flash <= FLASH_POINT_C_MAX) or f.answers.flammable or f.has("flammable_word"):
        yield from _flammable(f, f.words("paint"))
    elif not _not_flammable(f) and f.answers.liquid is not False and not f.denied & {"flammable_liquid", "alcohol"}:
        yield Finding("paint-not-said", Answer.INSPECT, "49 CFR 173.120; Pub 52 343", f.words("paint"))


def _without_alcohol(f: Facts, *, most: float) -> bool:
    return f.answers.alcohol_percent is not None and f.answers.alcohol_percent <= most


def _not_flammable(f: Facts) -> bool:
    """Return whether an answer takes it out of Class 3: its flash point, its alcohol, or that it does not burn."""
    flash, said = f.answers.flash_point_c, f.answers
    if flash is not None:
        return flash > FLASH_POINT_C_MAX
    if said.flammable:
        return False
    aqueous = _without_alcohol(f, most=ALCOHOL_PERCENT_FREE) and f.has("perfume", "alcohol")
    return aqueous or said.flammable is False


def _flammable(f: Facts, because: tuple[str, ...]) -> Iterator[Finding]:
    clause = "Pub 52 343.21; 49 CFR 173.150"
    flash, volume = f.answers.flash_point_c, f.volume_ml
    yield from _abroad(f, "flammable-abroad", "343.21", because)
    if flash is not None and flash <= FLASH_POINT_C_MIN:
        yield Finding("flash-point-low", Answer.REFUSE, "Pub 52 343.21", because)
    elif flash is None and f.has("flammable_liquid") and not f.has("perfume", "alcohol", "nail_polish"):
        yield Finding("flash-point-not-said", Answer.HOLD, "Pub 52 343.21", because)
    most = GALLON_ML if flash is not None and flash > FLAMMABLE_FLASH_POINT_C_MAX else QUART_ML
    if volume is None:
        yield Finding("flammable-size-not-said", Answer.INSPECT, clause, because)
    elif volume > most:
        yield Finding("flammable-too-large", Answer.REFUSE, clause, because)
    elif volume > PINT_ML and most == QUART_ML:
        yield Finding("flammable-metal-only", Answer.INSPECT, clause, because)
    yield Finding("flammable", Answer.ACCEPT_GROUND_ONLY, clause, because, "812")


def _solids(f: Facts) -> Iterator[Finding]:
    for kind, rule in (("matches", "matches"), ("strike_anywhere", "matches"), ("flammable_solid", "flammable-solid")):
        if f.has(kind):
            yield from _abroad(f, f"{rule}-abroad", "344", f.words(kind))
    if f.has("strike_anywhere"):
        yield Finding("matches-other", Answer.REFUSE, "Pub 52 344; 49 CFR 173.186", f.words("strike_anywhere"))
    elif f.has("matches"):
        yield Finding("matches", Answer.ACCEPT_GROUND_ONLY, "Pub 52 344; 49 CFR 173.186", f.words("matches"), "822")
    if f.has("flammable_solid"):
        yield Finding("flammable-solid", Answer.HOLD, "Pub 52 344; 49 CFR 173.151", f.words("flammable_solid"))
    if f.has("fire_steel"):
        yield Finding("fire-steel", Answer.INSPECT, "49 CFR 172.102, special provision 59", f.words("fire_steel"))


def _oxidizers(f: Facts) -> Iterator[Finding]:
    percent = f.answers.active_percent
    weak = f.has("hydrogen_peroxide") and percent is not None and percent < PEROXIDE_PERCENT_FREE
    if f.has("oxidizer", "hydrogen_peroxide") and not weak:
        because = f.words("oxidizer", "hydrogen_peroxide")
        yield from _abroad(f, "oxidizer-abroad", "345", because)
        yield Finding("oxidizer", Answer.REFUSE if f.air else Answer.HOLD, "Pub 52 345; 49 CFR 173.152", because)
    if f.has("organic_peroxide"):
        because = f.words("organic_peroxide")
        yield from _abroad(f, "oxidizer-abroad", "345", because)
        yield Finding("organic-peroxide", Answer.HOLD, "Pub 52 345; 49 CFR 173.152, 173.165", because)


def _toxic(f: Facts) -> Iterator[Finding]:
    if f.has("poison_strong"):
        yield Finding("poison", Answer.REFUSE, "Pub 52 346; 49 CFR 173.133", f.words("poison_strong"))
    if f.has("toxic"):
        because = f.words("toxic")
        yield from _abroad(f, "toxic-abroad", "346", because)
        answer = Answer.HOLD if f.air or f.answers.liquid else Answer.INSPECT
        yield Finding("toxic", answer, "49 CFR 173.132, 173.133; Pub 52 346", because)


def _infectious(f: Facts) -> Iterator[Finding]:
    sample, clause = f.answers.sample, "49 CFR 173.134; Pub 52 346"
    because = f.words("infectious", "pathogen", "medical_waste")
    if f.has("medical_waste"):  # that it is no sample does not make it clean
        look = sample in {"none", "exempt"}
        yield Finding("medical-waste", Answer.INSPECT if look else Answer.REFUSE, "49 CFR 173.197; Pub 52 346", because)
    if sample == "category_a":
        yield Finding("infectious-a", Answer.REFUSE, clause, because)
    elif f.has("pathogen"):
        yield Finding("infectious", Answer.HOLD, clause, because)
    elif sample == "category_b":
        yield Finding("infectious-b", Answer.HOLD if f.international else Answer.INSPECT, clause, because, "826")
    elif f.has("infectious") and sample == "exempt":
        yield Finding("sample-exempt", Answer.ACCEPT, "49 CFR 173.134(b); Pub 52 346.12d", because)
    elif f.has("infectious") and sample != "none":
        yield Finding("sample-not-said", Answer.INSPECT, clause, because)


def _radioactive(f: Facts) -> Iterator[Finding]:
    if f.has("radioactive"):
        because = f.words("radioactive")
        yield from _abroad(f, "radioactive-abroad", "347", because)
        answer = Answer.INSPECT if f.has("maybe_battery") else Answer.HOLD  # a smoke detector says so on its label
        yield Finding("radioactive", answer, "Pub 52 347; 49 CFR 173.424", because, "813")


def _corrosive(f: Facts) -> Iterator[Finding]:
    percent, clause = f.answers.active_percent, "Pub 52 348.2; 49 CFR 173.154"
    weak = f.has("acetic") and percent is not None and percent <= ACETIC_PERCENT_FREE
    because = f.words("corrosive", "acetic", "acid_strong")
    if f.has("mercury"):
        yield Finding("mercury", Answer.REFUSE, "Pub 52 348.21; 49 CFR 173.164", f.words("mercury"))
    if f.has("barometer") and f.answers.mercury is None:
        yield Finding("mercury-not-said", Answer.INSPECT, "Pub 52 348.21", f.words("barometer"))
    if f.has("corrosive", "acid_strong") or (f.has("acetic") and not weak):
        yield from _abroad(f, "corrosive-abroad", "348.2", because)
        if f.has("acid_strong"):
            yield Finding("corrosive-strong", Answer.REFUSE, "Pub 52 348.21", because)
        solid = f.answers.liquid is False or (f.answers.liquid is None and f.volume_ml is None)
        most = CORROSIVE_SOLID_PERCENT_MAX if solid else CORROSIVE_PERCENT_MAX
        too_much = f.volume_ml is not None and f.volume_ml > PINT_ML
        heavy = solid and f.net_weight_g is not None and f.net_weight_g > CORROSIVE_SOLID_G_MAX
        if percent is None:
            yield Finding("corrosive-strength-not-said", Answer.INSPECT, clause, because)
        elif percent > most or too_much or heavy:
            yield Finding("corrosive-strong", Answer.REFUSE, clause, because)
        elif f.volume_ml is None and f.net_weight_g is None:
            yield Finding("corrosive-size-not-said", Answer.INSPECT, clause, because)
        yield Finding("corrosive", Answer.ACCEPT_GROUND_ONLY, clause, because, "831")


def _class_9(f: Facts) -> Iterator[Finding]:
    if f.has("dry_ice"):
        because, kg = f.words("dry_ice"), f.answers.dry_ice_kg
        if kg is None and f.net_weight_g is not None:
            kg = f.net_weight_g / 1000
        clause = "49 CFR 173.217; Pub 52 349"
        if f.international:
            yield Finding("dry-ice-abroad", Answer.REFUSE, "IMM 136.1; Pub 52 349", because)
        if kg is None:
            yield Finding("dry-ice-not-said", Answer.INSPECT, clause, because)
        elif kg <= 0:
            yield Finding("dry-ice-contradiction", Answer.HOLD, "49 CFR 173.22", because)
        elif kg > DRY_ICE_AIR_KG_MAX:
            yield Finding("dry-ice-much", Answer.ACCEPT_GROUND_ONLY, clause, because, "819")
        else:
            yield Finding("dry-ice", Answer.ACCEPT, clause, because, "819")
    if f.has("magnet"):
        yield from _magnet(f)
    if f.has("asbestos"):
        yield Finding("asbestos", Answer.REFUSE, "49 CFR 173.216", f.words("asbestos"))
    if f.has("class_9"):
        yield Finding("class-9", Answer.HOLD, "49 CFR 173.155; Pub 52 349", f.words("class_9"))


def _magnet(f: Facts) -> Iterator[Finding]:
    near, far, because = f.answers.magnet_field_ut_at_2_1_m, f.answers.magnet_field_ut_at_4_6_m, f.words("magnet")
    clause = "49 CFR 173.21(d); Pub 52 349"
    if far is not None and far > FIELD_AIR_UT_MAX:
        yield Finding("magnet-strong", Answer.ACCEPT_GROUND_ONLY, clause, because, "821")
    elif near is not None and near > FIELD_FREE_UT:
        if f.international:
            yield Finding("magnet-abroad", Answer.REFUSE, "IMM 136.1; Pub 52 349", because)
        elif far is None:
            yield Finding("magnet-not-measured", Answer.INSPECT, clause, because)
        else:
            yield Finding("magnet", Answer.ACCEPT, clause, because, "821")
    elif near is None and far is None and f.answers.magnet not in {"none", "small"}:
        yield Finding("magnet-not-measured", Answer.INSPECT, clause, because)
    if far is not None and far > FIELD_AIR_UT_MAX and f.international:
        yield Finding("magnet-abroad", Answer.REFUSE, "IMM 136.1; Pub 52 349", because)


def _engines(f: Facts) -> Iterator[Finding]:
    if not f.has("engine"):
        return
    because, fuel = f.words("engine"), f.answers.fuel
    if fuel in {"fuelled", "residue"}:
        yield Finding("fuel-in-it", Answer.REFUSE, "49 CFR 173.220; Pub 52 343.21", because)
    elif fuel != "none":
        yield Finding("fuel-not-said", Answer.INSPECT, "49 CFR 173.220", because)


def _containers(f: Facts) -> Iterator[Finding]:
    if f.answers.emptied == "not_cleaned":
        yield Finding("residue", Answer.REFUSE, "49 CFR 173.29", ("emptied",))
    if f.has("empty_said"):
        yield Finding("empty-not-asked", Answer.INSPECT, "49 CFR 173.29", f.words("empty_said"))
    if f.has("cleaned"):
        yield Finding("cleaned", Answer.INSPECT, "49 CFR 173.29(b)", f.words("cleaned"))


_LOOKED_AT: Final = {
    "chemical": "chemical",
    "cosmetics": "cosmetics",
    "fluorescent": "lamp",
    "fuse": "fuse",
    "doubtful": "in-doubt",
    "inflating": "in-doubt",
}
"""Kind -> its rule: a word that decides nothing."""


def _vague(f: Facts) -> Iterator[Finding]:
    dull = f.answers.flammable is False or f.answers.liquid is False or f.answers.flash_point_c is not None
    if f.has("substance") and not dull and len(f.kinds) == 1:
        yield Finding("substance", Answer.INSPECT, "49 CFR 173.22", f.words("substance"))
    for kind, rule in _LOOKED_AT.items():
        if f.has(kind):
            answer = Answer.HOLD if kind == "chemical" and "vague" in f.states else Answer.INSPECT
            yield Finding(rule, answer, "49 CFR 173.22", f.words(kind))


RULES: Final[tuple[Rule, ...]] = (
    _explosives,
    _gases,
    _liquids,
    _solids,
    _oxidizers,
    _toxic,
    _infectious,
    _radioactive,
    _corrosive,
    _class_9,
    _engines,
    _containers,
    _vague,
)
