"""The order of the rules: batteries, classes, numbers, then what is left; the most severe finding is the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from parcelward.parcels.hazmat import battery_rules, goods_rules, id_rules, table
from parcelward.parcels.hazmat.facts import BATTERIES, FLAMMABLE, GASES, POWERED, Facts
from parcelward.parcels.hazmat.wire import Answer, Finding, OperatorRules

SODIUM_ION: Final = frozenset({"UN3551", "UN3552"})

_PLAINLY_DANGEROUS: Final = (
    BATTERIES - {"battery", "battery_dry"} | FLAMMABLE - {"paint"} | GASES | {"explosive", "oxidizer", "corrosive"}
    | {"matches", "strike_anywhere", "flammable_solid", "organic_peroxide", "toxic", "mercury", "radioactive"}
    | {"acid_strong", "poison_strong", "flash_low", "tear_gas", "pathogen", "medical_waste", "dry_ice", "vape", "fuse"}
)  # fmt: skip


def findings(f: Facts, operator_rules: OperatorRules) -> tuple[Finding, ...]:
    """Return all that applies, the most severe first; never empty."""
    found = [*battery_rules.findings(f)]
    for rule in goods_rules.RULES:
        found += rule(f)
    found += id_rules.findings(f, operator_rules)
    if any(un in operator_rules for un in SODIUM_ION & set(f.uns)):  # no row of the table, but the operator's word
        found = [one for one in found if one.rule != "sodium-ion"]
    found += _declared_harmless(f, found)
    found += _left_over(f, found)
    found.sort(key=lambda one: -one.answer)  # a stable sort: of equals, the first rule speaks
    return tuple(found)


def _declared_harmless(f: Facts, found: list[Finding]) -> Iterator[Finding]:
    """Yield that somebody ticked "nothing dangerous in it" and the text or an answer says otherwise."""
    regulated = any(one.answer is not Answer.ACCEPT for one in found)
    words = f.words(*sorted(_PLAINLY_DANGEROUS & f.kinds.keys()))
    if f.answers.declared_harmless and regulated and words:
        yield Finding("declared-harmless", Answer.HOLD, "49 CFR 173.22", words)


def _left_over(f: Facts, found: list[Finding]) -> Iterator[Finding]:
    """Yield the answer where no rule has spoken: accepted when it is understood, or plainly answered."""
    if not f.readable:
        yield Finding("unreadable", Answer.INSPECT, "49 CFR 173.22")
        return
    if not found and any(table.rows_of(un) for un in f.uns):  # a number of the table, and all else says no
        yield Finding("id-contradiction", Answer.HOLD, f"49 CFR 172.101, {f.uns[0]}", f.uns)
        return
    said = f.answers
    dull = said.battery in {"none", "dry"} and said.liquid is False
    flashes = said.flash_point_c is not None  # above the limit, or a rule had spoken
    fine = f.understood or dull or flashes or _battery_settled(f)
    if not found:
        yield Finding("harmless", Answer.ACCEPT, "49 CFR 171.8") if fine else _NOT_UNDERSTOOD


def _battery_settled(f: Facts) -> bool:
    """Return whether it is a device, and an answer or the text says that nothing but a dry battery is in it."""
    none = f.answers.battery in {"none", "dry"} or bool(f.denied & BATTERIES)
    return bool(f.kinds) and none and f.kinds.keys() <= POWERED | {"battery", "battery_dry"}


_NOT_UNDERSTOOD: Final = Finding("not-understood", Answer.INSPECT, "49 CFR 173.22")
