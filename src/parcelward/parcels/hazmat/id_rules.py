"""The rules for UN numbers and tariff numbers: whether they are known, what they mean, and whether the rest agrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from parcelward.parcels.hazmat import table
from parcelward.parcels.hazmat.facts import BATTERIES, NEVER_EMPTY, VESSELS, Facts, kind_of, related
from parcelward.parcels.hazmat.wire import Answer, Finding, OperatorRules

_LIMITED: Final[Mapping[str, Mapping[str, float]]] = {
    "3": {"I": 500, "II": 1000, "III": 5000},
    "4.1": {"II": 1000, "III": 5000},
    "4.3": {"II": 500, "III": 1000},
    "5.1": {"II": 1000, "III": 5000},
    "6.1": {"II": 100, "III": 5000},
    "8": {"II": 1000, "III": 5000},
    "9": {"II": 1000, "III": 5000},
}
"""Class -> packing group -> what an inner container may hold as a limited quantity, in ml or g."""

_SECTIONS: Final = {
    "3": "173.150",
    "4.1": "173.151",
    "4.3": "173.151",
    "5.1": "173.152",
    "5.2": "173.152",
    "6.1": "173.153",
    "8": "173.154",
    "9": "173.155",
}
_NOT_LIMITED: Final = (
    BATTERIES
    | {"dry_ice", "magnet", "big_battery_vehicle", "engine", "matches"}
    | {
        "explosive",
        "infectious",
        "radioactive",
    }
)
"""Kinds with limits of their own."""

_PLACE: Final = {"UN3480": "alone", "UN3090": "alone", "UN3551": "alone"}
_CHEMISTRY: Final = {
    "UN3480": "lithium_ion",
    "UN3481": "lithium_ion",
    "UN3090": "lithium_metal",
    "UN3091": "lithium_metal",
}
_ALLOWED_ABROAD: Final = frozenset({"UN3481", "UN3091", "UN3373", "UN1845", "UN2911", "UN2910"})


def findings(f: Facts, operator_rules: OperatorRules) -> Iterator[Finding]:
    """Yield what the numbers say, and where they contradict the rest."""
    if f.un_said and not table.canonical(f.un_said):
        yield Finding("id-unreadable", Answer.HOLD, "49 CFR 172.101", (f.un_said,))
    for un in f.uns:
        rows = table.rows_of(un)
        if rows:
            yield from _known(f, un, rows)
        elif un in operator_rules:
            rule = operator_rules[un]
            yield Finding("operator-rule", rule.answer, rule.source, (un,))
        else:
            yield Finding("id-unknown", Answer.HOLD, f"49 CFR 172.101 of {table.date()}", (un,))
    if f.hs_kind:
        yield from _tariff(f)


def _known(f: Facts, un: str, rows: Sequence[table.Row]) -> Iterator[Finding]:
    kind, clause = kind_of(un), f"49 CFR 172.101, {un}"
    others = set(f.kinds)
    agrees = any(related(kind, other) for other in others) or _nothing_else_read(f)
    if not agrees and un != "ID8000":
        yield Finding("id-contradiction", Answer.HOLD, clause, (un,))
        return
    if kind not in others | BATTERIES and f.text_kinds and not any(related(kind, k) for k in f.text_kinds):
        yield Finding("id-contradiction", Answer.HOLD, clause, (un,))
    yield from _battery(f, un, clause)
    if f.answers.flammable is False and kind in {"paint", "perfume", "flammable_liquid", "alcohol"}:
        yield Finding("id-contradiction", Answer.HOLD, clause, (un, "flammable"))
    if un == "UN1845" and f.answers.dry_ice_kg == 0:
        yield Finding("id-contradiction", Answer.HOLD, clause, (un, "dry_ice_kg"))
    if f.international and un not in _ALLOWED_ABROAD and kind not in {"class_9", "big_battery_vehicle", "engine"}:
        yield Finding("id-abroad", Answer.REFUSE, f"IMM 136.1; {clause}", (un,))
    if all(row.division[:1] == "1" or row.division == "2.3" for row in rows) or un in {"UN2814", "UN2900"}:
        yield Finding("id-never", Answer.REFUSE, clause, (un,))
    elif kind not in f.kinds and kind not in BATTERIES:
        yield Finding("id-by-class", Answer.HOLD, clause, (un,))
    yield from _limited(f, un)
    if f.air and all(table.limit_of(row.passenger).forbidden for row in rows):
        yield Finding("id-not-by-air", Answer.ACCEPT_GROUND_ONLY, f"{clause}, column 9A", (un,))


def _nothing_else_read(f: Facts) -> bool:
    """Return whether nothing was read that the number could contradict: a chemical's name that we do not know."""
    return not f.understood and not f.kinds


def _battery(f: Facts, un: str, clause: str) -> Iterator[Finding]:
    said = f.answers
    kind = _CHEMISTRY.get(un)
    wrong = kind is not None and said.battery not in {None, kind}
    wrong = wrong or (un in _PLACE and said.battery_place not in {None, _PLACE[un]})
    wrong = wrong or (un in {"UN3481", "UN3091", "UN3552"} and said.battery_place == "alone")
    if wrong:
        yield Finding("id-contradiction", Answer.HOLD, clause, (un, "battery"))


def _limited(f: Facts, un: str) -> Iterator[Finding]:
    """Yield what is more than a limited quantity; where the packing group is not known, by the rows together."""
    if kind_of(un) in _NOT_LIMITED:
        return
    amount = f.volume_ml
    if amount is None and f.net_weight_g is not None:
        amount = f.net_weight_g / f.number
    over = [_over(row, amount) for row in table.rows_of(un)]
    clause = f"49 CFR 172.101 column 8A, {un}; {_SECTIONS.get(table.rows_of(un)[0].division, '173.306')}"
    if all(over):
        yield Finding("limited-quantity", Answer.REFUSE, clause, (un,))
    elif any(over):
        yield Finding("packing-group-not-said", Answer.HOLD, clause, (un,))


def _over(row: table.Row, amount: float | None) -> bool:
    """Return whether a row has no limited quantities, or an inner container is above them."""
    if row.exceptions in {"", "None"}:
        return True
    if row.division not in _LIMITED:
        return False
    most = _LIMITED[row.division].get(row.packing_group)
    return most is None or (amount is not None and amount > most)


_LOOK: Final = frozenset({"device", "maybe_battery", "chemical", "paint", "engine", "magnet", "cosmetics"})
"""What a tariff number only makes likely."""


def _tariff(f: Facts) -> Iterator[Finding]:
    kind, clause = f.hs_kind, f"tariff number {f.hs_code}; 49 CFR 173.22"
    if any(related(kind, other) for other in f.kinds) or f.denied & {kind}:
        return
    if kind in _LOOK:
        settled = {
            "device": f.answers.battery is not None or bool(f.denied & BATTERIES),
            "maybe_battery": f.answers.battery is not None or bool(f.denied & BATTERIES),
            "engine": f.answers.fuel is not None,
            "magnet": f.answers.magnet is not None,
        }
        if not settled.get(kind, f.answers.liquid is False or f.answers.flammable is False):
            yield Finding("tariff-look", Answer.INSPECT, clause, (f.hs_code,))
        return
    same = kind in BATTERIES and f.answers.battery in {"dry", kind} and kind in {"battery", "battery_dry"}
    if f.answers.emptied == "never_filled" and kind in VESSELS - NEVER_EMPTY:
        yield Finding("tariff-look", Answer.INSPECT, clause, (f.hs_code,))
    elif not same:
        yield Finding("tariff-contradiction", Answer.HOLD, clause, (f.hs_code,))
