"""What is declared to customs is screened for dangerous goods as well: it may say more than the order did. Pure."""

from __future__ import annotations

import dataclasses
from typing import Final

from parcelward.parcels.hazmat.queries import screen
from parcelward.parcels.hazmat.wire import Answer, Declaration, Mode, OperatorRules, Screened
from parcelward.shipping.customs import rules
from parcelward.shipping.customs.wire import Customs

NO_RULES: Final[OperatorRules] = {}


def worst(
    said: Customs | None, declaration: Declaration, mode: Mode, operator: OperatorRules = NO_RULES
) -> Screened | None:
    """Return the most severe screening of what is declared, with the order's answers; None where nothing is."""
    found = [
        screen(_with(declaration, one.description, one.hs_code, one.net_weight_g), mode, operator)
        for one in (said.goods if said is not None else ())
        if one.description.strip()
    ]
    return max(found, key=lambda one: one.answer, default=None)


def _with(declaration: Declaration, description: str, hs_code: str, net_weight_g: int) -> Declaration:
    code = rules.bare_code(hs_code)
    return dataclasses.replace(declaration, description=description, hs_code=code, net_weight_g=net_weight_g or None)


def stops(found: Screened | None, mode: Mode, before: Answer) -> bool:
    """Return whether somebody has to look into a parcel for what was declared of it after it was sold."""
    if found is None or found.answer <= before:
        return False
    return found.answer >= Answer.INSPECT or (found.answer is Answer.ACCEPT_GROUND_ONLY and mode is Mode.AIR)
