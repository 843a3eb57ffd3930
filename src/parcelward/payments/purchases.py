"""Postage that is bought: out of a balance at once, or by card in steps that whoever sells it decides between.

Whoever sells calls these within its own transaction, so a purchase and what was bought stand or fall together. What a
provider is asked is noted there and asked after it (`drive`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, NotAllowed
from parcelward.payments import givebacks, intent_rules, intents, ledger, queries, rules
from parcelward.payments.errors import IntentReused
from parcelward.payments.ledger import Posting
from parcelward.payments.models import Intent
from parcelward.payments.providers.chosen import provider
from parcelward.payments.wire import Price, Purpose, Standing, Verb
from parcelward.people.queries import require
from parcelward.people.wire import Person, Role, Task

PURCHASE: Final = "purchase"
REFUND: Final = "refund"


class Bought(NamedTuple):
    """Something that is paid out of a balance: its id, what it costs, whose balance, and who bought it."""

    purchase: UUID
    price: Price
    owner: UUID
    by: Person


def pay_from_balance(purchase: UUID, price: Price, *, owner: UUID, by: Person) -> None:
    """Take what something costs out of its buyer's balance, once for a purchase. Raises NotEnough."""
    pay_many_from_balance([Bought(purchase, price, owner, by)])


def pay_many_from_balance(purchases: Sequence[Bought]) -> None:
    """Take what things cost out of their buyers' balances, once for each purchase. Raises NotEnough for all of them."""
    for one in purchases:
        _require_theirs(one.owner, one.by)
    ledger.post_many(
        [
            Posting(
                intent_rules.posting_id(one.purchase, PURCHASE),
                rules.purchase_lines(one.price, owner=one.owner),
                one.purchase,
                one.by,
            )
            for one in purchases
        ],
        reason=PURCHASE,
    )


def give_back_to_balance(
    refund: UUID, purchase: UUID, price: Price, amount_minor: int, *, refunded_minor: int, owner: UUID, by: Person
) -> None:
    """Give back a part of what a purchase took out of a balance, `refunded_minor` of it before; once for a refund."""
    _require_theirs(owner, by)
    lines = rules.refund_lines(price, amount_minor, refunded_minor=refunded_minor, owner=owner)
    ledger.post(intent_rules.posting_id(refund, REFUND), lines, reason=REFUND, about=purchase, by=by)


@transaction.atomic
def give_back_to_card(refund: UUID, intent: UUID, amount_minor: int, *, by: Person) -> None:
    """Note that a part of what a card paid is to go back; `drive_refund` asks for it. Once for a refund."""
    queries.purchase(intent, by=by)
    givebacks.ask_within(refund, intent, amount_minor, reason=intent_rules.Reason.CANCELLED, by=by)


@transaction.atomic
def authorise_within(intent: UUID, price: Price, *, about: UUID, owner: UUID, back_url: str, by: Person) -> None:
    """Note that a purchase is to be authorised by card; `drive` asks the provider. Taken only by `capture_within`."""
    _require_theirs(owner, by)
    now = timezone.now()
    wanted = {
        "owner": owner,
        "purpose": Purpose.PURCHASE.value,
        "about": about,
        "amount_minor": price.total_minor,
        "tax_minor": price.tax_minor,
        "currency": price.currency,
    }
    row, new = Intent.objects.get_or_create(
        pk=intent,
        defaults={
            **wanted,
            "provider": provider().name,
            "state": Standing.CREATED.value,
            "verb": Verb.BEGIN.value,
            "back_url": back_url,
            "source": by.source,
            "created_at": now,
            "changed_at": now,
            "try_at": now + dt.timedelta(seconds=intent_rules.ANSWER_WITHIN_S),
        },
    )
    if any(getattr(row, name) != value for name, value in wanted.items()):
        raise IntentReused("This id stands for another payment: take a new one")
    if new:
        intents.record(row, by=by.source)


@transaction.atomic
def capture_within(intent: UUID, *, by: Person) -> None:
    """Note that what was authorised is to be taken, whole; once. Raises Conflict where it cannot."""
    require(by, Task.ORDER)
    _want(intent, Verb.CAPTURE, frozenset({Standing.AUTHORISED}), by=by)


@transaction.atomic
def void_within(intent: UUID, *, by: Person) -> None:
    """Note that a purchase is not to be paid: its page is closed, or what was authorised given back."""
    require(by, Task.ORDER)
    _want(intent, Verb.VOID, frozenset({Standing.WAITS, Standing.AUTHORISED}), by=by)


def _want(intent: UUID, verb: Verb, of: frozenset[Standing], *, by: Person) -> None:
    row = Intent.objects.select_for_update().get(pk=intent, purpose=Purpose.PURCHASE.value)
    standing = Standing(row.state)
    if standing in intent_rules.ENDED or row.verb == verb:
        return
    if standing not in of or row.verb:
        raise Conflict("The payment does not stand so: look at it again", code="payment_not_so", retry_after_s=1)
    now = timezone.now()
    row.verb, row.verb_minor, row.tries = verb.value, row.amount_minor, 0
    row.changed_at, row.try_at = now, now + dt.timedelta(seconds=intent_rules.ANSWER_WITHIN_S)
    row.save()
    intents.record(row, by=by.source)


def _require_theirs(owner: UUID, by: Person) -> None:
    """Raise MayNot or NotAllowed unless `by` buys for themselves, or is the house going on with what was ordered."""
    require(by, Task.ORDER)
    if by.role is not Role.MACHINERY and owner != queries.owner_of(by):
        raise NotAllowed("You buy for your own organisation alone", code="tenant")
