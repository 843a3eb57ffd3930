"""Ask risk about an order before money moves: by keyed hashes of who and where, and by plain numbers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any, Final

from parcelward.base import config
from parcelward.payments import queries as payments
from parcelward.payments.wire import CardSeen
from parcelward.people import queries as people
from parcelward.people.wire import Person
from parcelward.privacy.queries import link_mark
from parcelward.risk import actions as risk
from parcelward.risk.wire import Answer, Decision, Fact, Key, Kind, Observation, OrderFacts
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.order_rules import name_of
from parcelward.shipping.wire import PaidBy, Party, State

NOBODY: Final = CardSeen("", "", authenticated=False)


def judge_within(
    row: Order, items: Sequence[OrderItem], parties: Sequence[Party], *, proven: bool, by: Person
) -> Decision:
    """Return what risk says of an order, and note in it how it goes on and why; the caller saves it.

    `proven` is that whoever orders has just shown who they are; of a payment by card its bank says so.
    """
    card = NOBODY if row.intent is None else payments.card_of(row.intent, by=by)
    now = row.created_at
    facts = OrderFacts(
        order=row.id,
        at=now,
        keys=_keys(row, parties, card),
        amount_minor=row.total_minor,
        currency=row.currency,
        known=_known(row, items, card, proven=proven or card.authenticated, now=now),
    )
    said = risk.decide(facts, by=by)
    _note(row, said, proven=proven or card.authenticated)
    return said


def _keys(row: Order, parties: Sequence[Party], card: CardSeen) -> dict[Key, bytes]:
    """Return by what an order is counted: of several parcels, where the first one goes."""
    to = parties[0].address
    found = {
        Key.ACCOUNT: link_mark("account", row.owner.hex),
        Key.ADDRESS: link_mark("address", to.country, to.postcode, to.locality, *to.street_lines),
        Key.ADDRESSEE: link_mark("addressee", to.country, to.postcode, name_of(to)),
    }
    if card.fingerprint:
        found[Key.CARD] = link_mark("card", card.fingerprint)
    if row.network is not None:
        found[Key.NETWORK] = bytes(row.network)
    if row.device is not None:
        found[Key.DEVICE] = bytes(row.device)
    return found


def _known(
    row: Order, items: Sequence[OrderItem], card: CardSeen, *, proven: bool, now: dt.datetime
) -> dict[str, Fact]:
    since = people.known_since(row.owner)
    known: dict[str, Fact] = {
        "items": len(items),
        "weight_g": sum(one.weight_g for one in items),
        "declared_value_minor": sum(one.value_minor for one in items),
        "origin_country": config.get().country,
        "destination_country": items[0].country,
        "service": items[0].product,
        "first_order": not Order.objects.filter(owner=row.owner).exclude(pk=row.pk).exists(),
        "payment": row.paid_by,
        "authenticated": proven,
    }
    if since is not None:
        known["account_age_s"] = max(0, int((now - since).total_seconds()))
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
    """Let risk count that a payment was declined: many of them are somebody who tries cards."""
    card = NOBODY if row.intent is None else payments.card_of(row.intent, by=by)
    _observe(row, Kind.DECLINED, "declined", card, now)


def given_back_within(row: Order, *, now: dt.datetime) -> None:
    """Let risk count that money went back."""
    _observe(row, Kind.REFUND, "refund", NOBODY, now)


def _observe(row: Order, kind: Kind, what: str, card: CardSeen, now: dt.datetime) -> None:
    keys = {Key.ACCOUNT: link_mark("account", row.owner.hex)}
    if card.fingerprint:
        keys[Key.CARD] = link_mark("card", card.fingerprint)
    if row.network is not None:
        keys[Key.NETWORK] = bytes(row.network)
    if row.device is not None:
        keys[Key.DEVICE] = bytes(row.device)
    risk.observe_within([Observation(uuid.uuid5(row.id, what), kind, now, keys, row.total_minor)])
