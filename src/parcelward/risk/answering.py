"""From what is known of an order to the answer: features, score, rules. No database, and the same again for the same.

What a rule or a model cannot do here is stop the house: one that fails is set aside, and the others decide.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from typing import Final

from parcelward.risk import facts as fact_table
from parcelward.risk import scoring
from parcelward.risk.features.store import Values
from parcelward.risk.language import deciding
from parcelward.risk.language.deciding import Decided, RuleSet
from parcelward.risk.language.life import Snooze
from parcelward.risk.wire import Answer, Decision, Key, Observation, OrderFacts, Reason, strictest

log = logging.getLogger("parcelward.risk")

PROOF: Final = "authenticated"
"""The fact that a payer has proven who they are: what a step up asks for."""
_WHERE: Final = (Key.ADDRESS, Key.ADDRESSEE)


def features_of(facts: OrderFacts, read_for: Callable[[Observation], Values]) -> Values:
    """Return an order's features: of where its parcels go to the worst, whichever parcel it is of."""
    found = read_for(facts.observation)
    seen = {tuple(facts.keys.get(key) for key in _WHERE)}
    for parcel in facts.parcels:
        where = tuple(parcel.keys.get(key) for key in _WHERE)
        if where in seen:
            continue
        seen.add(where)
        for name, value in read_for(parcel).items():
            if value is not None:
                before = found[name]
                found[name] = value if before is None else max(before, value)
    return found


def answered(
    facts: OrderFacts, features: Values, rules: RuleSet, snoozes: Sequence[Snooze], *, revision: str, nth: int
) -> Decision:
    """Return the decision about an order, the `nth` about it. Raises ValueError for a fact that nobody knows of."""
    score, scorer = scoring.scored(features)
    used = fact_table.used(facts, features, None if score is None else score.probability)
    found = deciding.decide(rules, used, snoozes, facts.at, customer=customer_of(facts))
    answer, reasons, proven = _answer(found, proves=facts.known.get(PROOF) is True)
    for aside in found.set_aside:
        log.error("rule %s, version %d, was set aside: %s", aside.rule, aside.number, aside.why)
    return Decision(
        id=uuid.uuid4(),
        order=facts.order,
        round=nth,
        answer=answer,
        at=facts.at,
        reasons=reasons,
        proven=proven,
        shadow=found.shadow_reasons,
        snoozed=found.snoozed,
        set_aside=tuple(each.rule for each in found.set_aside),
        used=used,
        missing=found.missing,
        revision=revision,
        scorer=scorer,
        score_reasons=() if score is None else score.reasons,
    )


def customer_of(facts: OrderFacts) -> str:
    """Return whom a snooze names; empty where nobody knows which account orders."""
    return facts.keys.get(Key.ACCOUNT, b"").hex()


def _answer(found: Decided, *, proves: bool) -> tuple[Answer, tuple[Reason, ...], tuple[Reason, ...]]:
    """Return the answer, its reasons, and those that asked for proof which was given."""
    if not proves:
        return found.answer, found.reasons, ()
    left = tuple(reason for reason in found.reasons if reason.answer is not Answer.STEP_UP)
    proven = tuple(reason for reason in found.reasons if reason.answer is Answer.STEP_UP)
    return strictest(reason.answer for reason in left), left, proven
