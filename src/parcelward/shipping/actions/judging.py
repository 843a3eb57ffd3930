"""Ask risk about an order before money moves: by keyed hashes of who and where, and by plain numbers."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from parcelward.base import config, db
from parcelward.base.errors import NotFound
from parcelward.payments import queries as payments
from parcelward.payments.wire import CardSeen
from parcelward.people import queries as people
from parcelward.people.queries import may
from parcelward.people.wire import Person, Task
from parcelward.privacy.queries import link_mark
from parcelward.risk import actions as risk
from parcelward.risk import queries as decided
from parcelward.risk.wire import Answer, Decision, Fact, Key, Kind, Observation, OrderFacts
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.order_rules import name_of
from parcelward.shipping.wire import PaidBy, Party, State

NOBODY: Final = CardSeen("", "", authenticated=False)
_ORDERED: Final = (
    "SELECT w.owner FROM unnest(%s::uuid[]) AS w(owner) "
    "WHERE EXISTS (SELECT FROM shipping_order o WHERE o.owner = w.owner AND o.id <> ALL(%s::uuid[]))"
)


class Judged(NamedTuple):
    """An order that risk is asked about: its row, which the caller saves, its parcels and who gets them.

    `proven` is that whoever orders has just shown who they are; of a payment by card its bank says so.
    """

    row: Order
    items: Sequence[OrderItem]
    parties: Sequence[Party]
    proven: bool
    by: Person


def judge_within(asked: Sequence[Judged]) -> None:
    """Have risk decide about orders, and note in their rows how they go on and why; the caller saves them.

    The first one of a buyer who never ordered is judged as such, and those behind it are not.
    """
    new = _without_orders({one.row.owner for one in asked}, [one.row.id for one in asked])
    since = people.known_since({one.row.owner for one in asked})
    questions, proofs = [], []
    for one in asked:
        row = one.row
        card = NOBODY if row.intent is None else payments.card_of(row.intent, by=one.by)
        proven = one.proven or card.authenticated
        first = row.owner in new
        new.discard(row.owner)
        known = _known(one, card, since.get(row.owner), proven=proven, first=first)
        facts = OrderFacts(
            order=row.id,
            at=row.created_at,
            keys=_keys(row, one.parties, card),
            amount_minor=row.total_minor,
            currency=row.currency,
            known=known,
            further=tuple(_where_to(party) for party in one.parties[1:]),
        )
        # Whoever goes on with an order decides for its owner, who may read it and contest it.
        questions.append((facts, dataclasses.replace(one.by, organisation=row.owner)))
        proofs.append(proven)
    for one, proven, said in zip(asked, proofs, risk.decide_many(questions), strict=True):
        _note(one.row, said, proven=proven)


def _without_orders(owners: Collection[UUID], apart_from: Sequence[UUID]) -> set[UUID]:
    """Return who of these has ordered nothing, apart from these orders."""
    with db.cursor() as cur:
        cur.execute(_ORDERED, (list(owners), list(apart_from)))
        return set(owners) - {row[0] for row in cur.fetchall()}


def _keys(row: Order, parties: Sequence[Party], card: CardSeen) -> dict[Key, bytes]:
    """Return by what an order is counted: of several parcels, where the first one goes."""
    return _of_payer(row, card) | _where_to(parties[0])


def _where_to(party: Party) -> dict[Key, bytes]:
    to = party.address
    return {
        Key.ADDRESS: link_mark("address", to.country, to.postcode, to.locality, *to.street_lines),
        Key.ADDRESSEE: link_mark("addressee", to.country, to.postcode, name_of(to)),
    }


def _of_payer(row: Order, card: CardSeen) -> dict[Key, bytes]:
    found = {Key.ACCOUNT: link_mark("account", row.owner.hex)}
    if card.fingerprint:
        found[Key.CARD] = link_mark("card", card.fingerprint)
    if row.network is not None:
        found[Key.NETWORK] = bytes(row.network)
    if row.device is not None:
        found[Key.DEVICE] = bytes(row.device)
    return found


def _known(asked: Judged, card: CardSeen, since: dt.datetime | None, *, proven: bool, first: bool) -> dict[str, Fact]:
    row, items = asked.row, asked.items
    known: dict[str, Fact] = {
        "items": len(items),
        "weight_g": sum(one.weight_g for one in items),
        "declared_value_minor": sum(one.value_minor for one in items),
        "origin_country": config.get().country,
        "destination_country": items[0].country,
        "service": items[0].product,
        "first_order": first,
        "payment": row.paid_by,
        "authenticated": proven,
    }
    if since is not None:
        known["account_age_s"] = max(0, int((row.created_at - since).total_seconds()))
    if card.country:
        known["card_country"] = card.country
    return known


def _note(row: Order, said: Decision, *, proven: bool) -> None:
    """Write into an order what risk said of it. Who has yet to prove something, and cannot here, is looked at."""
    row.look = row.look or said.answer is not Answer.ALLOW
    if said.answer in {Answer.ALLOW, Answer.REVIEW} or (said.answer is Answer.STEP_UP and proven):
        return
    held = said.answer is Answer.HOLD or (said.answer is Answer.STEP_UP and row.paid_by == PaidBy.BALANCE)
    row.state = (State.REVIEW if held else State.REFUSED).value
    rules = [{"code": reason.code, "words": reason.words} for reason in said.reasons if reason.answer is said.answer]
    row.reasons = [*row.reasons, _reason(f"risk_{said.answer.value}", rules)]


def _reason(code: str, rules: list[dict[str, str]]) -> dict[str, Any]:
    return {"code": code, "place": None, "details": {"rules": rules}}


def declined_within(row: Order, *, by: Person, now: dt.datetime) -> None:
    """Let risk count that a payment was declined: many of them are somebody who tries cards.

    Nobody asked risk about such an order, for it asks once a card is known; so it is counted by itself.
    """
    card = NOBODY if row.intent is None else payments.card_of(row.intent, by=by)
    ident = uuid.uuid5(row.id, "declined")
    risk.observe_within([Observation(ident, Kind.DECLINED, now, _of_payer(row, card), row.total_minor)])


def given_back_within(row: Order, *, now: dt.datetime) -> None:
    """Let risk count that the money of an order went back."""
    ident = uuid.uuid5(row.id, "given back")
    risk.observe_of_order_within(Kind.REFUND, row.id, ident, now, amount_minor=row.total_minor)


def person_said(row: Order, *, allow: bool, fraud: bool, because: str, by: Person) -> None:
    """Tell risk what a person decided about an order that it was asked about, and whether that was fraud."""
    if may(by, Task.REVIEW_DECISION):
        with contextlib.suppress(NotFound):
            asked = decided.decision(row.id, by=by)
            risk.review(asked.decision.id, Answer.ALLOW if allow else Answer.REFUSE, because, by=by)
            if fraud and may(by, Task.LEARN_OUTCOME):
                risk.outcome_of_order(row.id, fraud=True, at=row.changed_at, by=by)
