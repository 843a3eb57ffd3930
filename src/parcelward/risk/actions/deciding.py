"""Decide about an order: within the caller's transaction, and as often as it is asked with the same answer.

Whoever orders calls this where the order, its payment and its items are written: what was rolled back was never
decided, nor counted. The caller has asked who may.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Final
from uuid import UUID

from django.db import transaction

from parcelward.base import db
from parcelward.custody import actions as custody
from parcelward.people.wire import Person
from parcelward.risk import here, rule_book, stored
from parcelward.risk.actions.observing import observe_within
from parcelward.risk.answering import PROOF, answered, customer_of, features_of
from parcelward.risk.decision_check import DECIDED
from parcelward.risk.errors import DecisionReused
from parcelward.risk.language.life import Snooze
from parcelward.risk.reach import owner_of
from parcelward.risk.wire import Answer, Decision, Key, OrderFacts

_NEWEST: Final = 'SELECT body, owner FROM risk_decision WHERE "order" = %s ORDER BY round DESC LIMIT 1'
_BOOK: Final = (
    f"SELECT book.revision, s.rule, s.until FROM (SELECT {rule_book.REVISION} AS revision) AS book "  # noqa: S608 -- our own names
    "LEFT JOIN risk_snooze s ON s.customer = %s AND s.until > %s AND s.ended_at IS NULL"
)
_KEEP: Final = (
    'INSERT INTO risk_decision (id, "order", round, owner, answer, at, body, salt) '
    'VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT ("order", round) DO NOTHING'
)


@transaction.atomic
def decide(facts: OrderFacts, *, by: Person) -> Decision:
    """Return what risk says of an order; it is counted and kept. Asked again with the same order, it is the same.

    Where that was `step_up` and the payer has proven more since (the fact `authenticated`), it is decided anew. Raises
    DecisionReused for another order under this id, Busy while a process that has just started reads the past.
    """
    owner = owner_of(by)
    known = _newest(facts, owner)
    if known is not None and not _goes_on(known, facts):
        return known
    made = _decided(facts, known)
    if not _keep(made, owner, by):  # somebody else asked the same at the same moment, and has it committed
        return _newest(facts, owner) or made
    if made.round == 1:
        observe_within([facts.observation, *facts.parcels])
    return made


def _newest(facts: OrderFacts, owner: UUID) -> Decision | None:
    with db.cursor() as cur:
        row = cur.execute(_NEWEST, (facts.order,)).fetchone()
    if row is None:
        return None
    found = stored.decision(row[0])
    same = (owner, facts.amount_minor, facts.currency)
    if (row[1], found.used.get("amount_minor"), found.used.get("currency")) != same:
        raise DecisionReused("This id stands for another order: take a new one")
    return found


def _goes_on(known: Decision, facts: OrderFacts) -> bool:
    """Return whether the payer has proven since what was asked for."""
    return known.answer is Answer.STEP_UP and facts.known.get(PROOF) is True and known.used.get(PROOF) is not True


def _decided(facts: OrderFacts, known: Decision | None) -> Decision:
    """Return the answer, made anew. It is counted once, at the moment when the order was first decided."""
    features = features_of(facts if known is None else replace(facts, at=known.at), here.read_for)
    revision, snoozes = _book(facts)
    nth = 1 if known is None else known.round + 1
    return answered(facts, features, rule_book.asked(revision), snoozes, revision=revision, nth=nth)


def _book(facts: OrderFacts) -> tuple[str, list[Snooze]]:
    """Return the revision of the rules, and which of them are snoozed for whoever orders."""
    account = facts.keys.get(Key.ACCOUNT)
    with db.cursor() as cur:
        rows = cur.execute(_BOOK, (account and UUID(bytes=account), facts.at)).fetchall()
    customer = customer_of(facts)
    snoozed = [Snooze(rule, customer, until, "", rule_book.someone(0)) for _, rule, until in rows if rule]
    return rows[0][0], snoozed


def _keep(made: Decision, owner: UUID, by: Person) -> bool:
    """Store a decision with its entry in the log; return whether it was not there yet."""
    text, salt = stored.body(made, owner=owner, by=by.source), secrets.token_bytes(16)
    values = (made.id, made.order, made.round, owner, made.answer.value, made.at, text, salt)
    with db.cursor() as cur:
        cur.execute(_KEEP, values)
        if not cur.rowcount:
            return False
    said = {"answer": made.answer.value, "by": by.source, "decision": str(made.id), "order": str(made.order)}
    custody.record_fact(DECIDED, {**said, "for": made.at.isoformat(), "seal": stored.seal(salt, text)})
    return True
