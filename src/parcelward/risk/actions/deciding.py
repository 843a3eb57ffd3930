"""Decide about an order: within the caller's transaction, and as often as it is asked with the same answer.

Whoever orders calls this where the order, its payment and its items are written: what was rolled back was never
decided, nor counted. The caller has asked who may.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
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
from parcelward.risk.language.deciding import RuleSet
from parcelward.risk.language.life import Snooze
from parcelward.risk.reach import owner_of
from parcelward.risk.wire import Answer, Decision, Key, OrderFacts

_NEWEST: Final = (
    'SELECT DISTINCT ON ("order") "order", body, owner FROM risk_decision WHERE "order" = ANY(%s) '
    'ORDER BY "order", round DESC'
)
_BOOK: Final = (
    f"SELECT book.revision, s.customer, s.rule, s.until FROM (SELECT {rule_book.REVISION} AS revision) AS book "  # noqa: S608 -- our own names
    "LEFT JOIN risk_snooze s ON s.customer = ANY(%s) AND s.until > %s AND s.ended_at IS NULL"
)
_KEEP: Final = (
    'INSERT INTO risk_decision (id, "order", round, owner, answer, at, spoke, body, salt) '
    "SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::uuid[], %s::text[], %s::timestamptz[], %s::text[], "
    '%s::text[], %s::bytea[]) ON CONFLICT ("order", round) DO NOTHING RETURNING id'
)


def decide(facts: OrderFacts, *, by: Person) -> Decision:
    """Return what risk says of an order; it is counted and kept. Asked again with the same order, it is the same.

    Where that was `step_up` and the payer has proven more since (the fact `authenticated`), it is decided anew. Raises
    DecisionReused for another order under this id, Busy while a process that has just started reads the past.
    """
    return decide_many([(facts, by)])[0]


@transaction.atomic(savepoint=False)
def decide_many(asked: Sequence[tuple[OrderFacts, Person]]) -> list[Decision]:
    """Return what risk says of several orders, each asked by its own buyer; as `decide`, in the same few statements.

    None of them counts in the answer to another: what is decided together happened at once.
    """
    newest = _newest([facts for facts, _ in asked])
    known = [_same(newest.get(facts.order), facts, owner_of(by)) for facts, by in asked]
    anew = [at for at, (facts, _) in enumerate(asked) if (had := known[at]) is None or _goes_on(had, facts)]
    if not anew:
        return [each for each in known if each is not None]
    revision, snoozes = _book([asked[at][0] for at in anew])
    rules = rule_book.asked(revision)
    made = {at: _decided(asked[at][0], known[at], rules, snoozes, revision) for at in anew}
    kept = _keep([(made[at], asked[at][1]) for at in anew])
    if len(kept) < len(made):  # somebody else asked the same at the same moment, and has it committed
        newest = _newest([asked[at][0] for at in anew])
    first = [asked[at][0] for at in anew if made[at].id in kept and made[at].round == 1]
    if first:
        observe_within([one for facts in first for one in (facts.observation, *facts.parcels)])
    answers = []
    for at, (facts, by) in enumerate(asked):
        fresh = made.get(at)
        settled = known[at] if fresh is None else fresh
        if fresh is not None and fresh.id not in kept:
            settled = _same(newest.get(facts.order), facts, owner_of(by)) or fresh
        if settled is None:
            raise AssertionError("what is not known was decided")  # pragma: no cover -- see `anew`
        answers.append(settled)
    return answers


def _newest(some: Sequence[OrderFacts]) -> dict[UUID, tuple[str, UUID]]:
    """Return (body, whose) of the newest decision about each of these orders."""
    with db.cursor() as cur:
        cur.execute(_NEWEST, ([facts.order for facts in some],))
        return {row[0]: (row[1], row[2]) for row in cur.fetchall()}


def _same(row: tuple[str, UUID] | None, facts: OrderFacts, owner: UUID) -> Decision | None:
    """Return the decision that a row says. Raises DecisionReused where it is about another order."""
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


def _decided(
    facts: OrderFacts, known: Decision | None, rules: RuleSet, snoozes: Sequence[Snooze], revision: str
) -> Decision:
    """Return the answer, made anew. It is counted once, at the moment when the order was first decided."""
    features = features_of(facts if known is None else replace(facts, at=known.at), here.read_for)
    nth = 1 if known is None else known.round + 1
    return answered(facts, features, rules, snoozes, revision=revision, nth=nth)


def _book(some: Sequence[OrderFacts]) -> tuple[str, list[Snooze]]:
    """Return the revision of the rules, and which of them are snoozed for those who order."""
    accounts = {account: customer_of(facts) for facts in some if (account := facts.keys.get(Key.ACCOUNT)) is not None}
    with db.cursor() as cur:
        cur.execute(_BOOK, ([UUID(bytes=account) for account in accounts], min(facts.at for facts in some)))
        rows = cur.fetchall()
    return rows[0][0], [
        Snooze(rule, accounts[customer.bytes], until, "", rule_book.someone(0))
        for _, customer, rule, until in rows
        if rule
    ]


def _keep(made: Sequence[tuple[Decision, Person]]) -> set[UUID]:
    """Store decisions, each with its entry in the log; return the ids of those that were not there yet."""
    owners, salts = [owner_of(by) for _, by in made], [secrets.token_bytes(16) for _ in made]
    texts = [stored.body(one, owner=owner, by=by.source) for (one, by), owner in zip(made, owners, strict=True)]
    columns = (
        db.uuid_array([one.id.bytes for one, _ in made]),
        db.uuid_array([one.order.bytes for one, _ in made]),
        db.int_array([one.round for one, _ in made]),
        db.uuid_array([owner.bytes for owner in owners]),
        db.text_array([one.answer.value for one, _ in made]),
        [one.at for one, _ in made],
        db.text_array([one.spoke for one, _ in made]),
        db.text_array(texts),
        db.bytea_array(salts),
    )
    with db.cursor() as cur:
        cur.execute(_KEEP, columns)
        kept = {row[0] for row in cur.fetchall()}
    custody.record_facts(
        DECIDED,
        [
            {"answer": one.answer.value, "by": by.source, "decision": str(one.id), "order": str(one.order)}
            | {"for": one.at.isoformat(), "seal": stored.seal(salt, text)}
            for (one, by), text, salt in zip(made, texts, salts, strict=True)
            if one.id in kept
        ],
    )
    return kept
