"""The front of the room: screen one declaration, say why, and ask the next question. No database, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from parcelward.parcels.hazmat import questions, rules, table, words
from parcelward.parcels.hazmat.facts import gather
from parcelward.parcels.hazmat.wire import Declaration, Mode, OperatorRules, Screened

GENERAL_CODE: Final = "857"
"""USPS: hazardous materials, where no code of 810 to 832 is for this kind."""

NO_RULES: Final[OperatorRules] = {}
_NO_CODE: Final = frozenset({"harmless", "sample-exempt", "operator-rule"})


def screen(declaration: Declaration, mode: Mode, operator_rules: OperatorRules = NO_RULES) -> Screened:
    """Return what may be done with a parcel, by which rule, and what to ask next.

    Any text and any answers give a result; whoever accepts dangerous goods needs a certificate, which the caller asks.
    """
    facts = gather(declaration, mode)
    found = rules.findings(facts, operator_rules)
    worst = found[0]
    meaning, change = words.RULES[worst.rule]
    code = worst.service_code or next((one.service_code for one in found if one.service_code), "")
    if not code and worst.rule not in _NO_CODE and worst.answer.travels:
        code = GENERAL_CODE
    return Screened(
        answer=worst.answer,
        rule=worst.rule,
        clause=worst.clause,
        because=worst.because,
        words=meaning,
        what_to_change=change,
        appeal=words.APPEAL,
        service_code=code if worst.answer.travels else "",
        findings=found,
        ask=questions.following(facts, found),
        table_date=table.date(),
    )


def question(field: str) -> Any:
    """Return the words of a question, translated when they are shown."""
    return words.QUESTIONS[field]


SERVICE_CODES: Final[Mapping[str, str]] = {
    "810": "Air Eligible Ethanol",
    "811": "Class 1: Toy Propellant or Safety Fuse",
    "812": "Class 3: Flammable and Combustible Liquids",
    "813": "Class 7: Radioactive Materials",
    "814": "Class 8: Air Eligible Corrosive Materials",
    "815": "Class 8: Nonspillable Wet Batteries",
    "816": "Class 9: Lithium Batteries, Marked, Ground Only",
    "817": "Class 9: Lithium Batteries, Returns",
    "818": "Class 9: Lithium Batteries, Marked",
    "819": "Class 9: Dry Ice",
    "820": "Class 9: Lithium Batteries, Unmarked",
    "821": "Class 9: Magnetized Materials",
    "822": "Division 4.1: Flammable Solids, Safety Matches",
    "823": "Division 5.1: Oxidizers",
    "824": "Division 5.2: Organic Peroxides",
    "825": "Division 6.1: Toxic Materials",
    "826": "Division 6.2: Biological Materials",
    "827": "Excepted Quantity",
    "828": "Ground Only",
    "829": "ID8000 Consumer Commodity, Air Eligible",
    "830": "Lighters",
    "831": "Limited Quantity, Ground",
    "832": "Small Quantity, Markings Required",
    "857": "Hazardous Materials",
}
"""As USPS names its extra services (Publication 199 and the API of its labels)."""
