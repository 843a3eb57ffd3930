"""A payer disputes an order at their bank: risk learns it through the log, of that moment, once, and again the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
from tests.laws.tampering import change, sequenced
from tests.payments.provided import pay, simulated
from tests.people.staffing import facts
from tests.scanner import until
from tests.shipping import shop as shops
from tests.shipping.shop import Shop, order

from parcelward.custody.models import Cursor
from parcelward.payments import givebacks
from parcelward.payments.models import Dispute, Intent
from parcelward.payments.providers.wire import DisputeSeen
from parcelward.risk import disputes
from parcelward.risk.models import Outcome


@pytest.fixture(scope="module")
def mine(installation: Any) -> Shop:
    shops.open_shop()
    return shops.shop(installation)


def disputed(mine: Shop) -> tuple[uuid.UUID, Dispute]:
    """Buy an order by a card whose payer disputes it at once."""
    key, body = str(uuid.uuid4()), order(paid_by="card")
    said = mine.buy(body, key).json()
    pay(said["pay_url"], payment_method="pm_card_createDispute")
    until(lambda: mine.buy(body, key).json()["state"] == "bought")
    bought = uuid.UUID(said["id"].removeprefix("ord_"))
    intent = Intent.objects.get(about=bought)
    until(lambda: Dispute.objects.filter(intent=intent).exists())
    return bought, Dispute.objects.get(intent=intent)


def learnt(bought: uuid.UUID) -> list[tuple[bool, dt.datetime]]:
    return list(Outcome.objects.filter(observation=bought).order_by("at").values_list("fraud", "at"))


def ends(dispute: Dispute, seen: DisputeSeen, **more: Any) -> None:
    told = simulated().look_dispute(dispute.reference)
    givebacks.fold_dispute(dispute.intent_id, dataclasses.replace(told, seen=seen, **more))


def followed() -> None:
    """Wait until risk has looked at all that is in the log now."""
    sequenced()
    end = Cursor.objects.get(name="parcels").index
    until(lambda: (disputes.catch_up(), Cursor.objects.get(name=disputes.FOLLOWER).index >= end)[1])


def test_an_opened_dispute_is_fraud_from_its_entry_on_and_a_won_one_is_not(mine: Shop) -> None:
    bought, dispute = disputed(mine)
    until(lambda: len(learnt(bought)) == 1)
    entry = facts("payments.dispute", dispute=dispute.reference)[0]
    assert learnt(bought) == [(True, dt.datetime.fromisoformat(entry["at"]))], "known from its entry on, not before"
    ends(dispute, DisputeSeen.WON)
    until(lambda: len(learnt(bought)) == 2)
    assert [fraud for fraud, _ in learnt(bought)] == [True, False]


def test_the_log_read_again_from_its_beginning_teaches_nothing_twice(mine: Shop) -> None:
    bought, dispute = disputed(mine)
    ends(dispute, DisputeSeen.LOST)
    until(lambda: len(learnt(bought)) == 2)
    followed()
    before, said = list(Outcome.objects.order_by("id").values_list("id", "at")), len(facts("risk.outcome"))
    change("UPDATE custody_cursor SET index = 0 WHERE name = %s", disputes.FOLLOWER)
    followed()
    assert list(Outcome.objects.order_by("id").values_list("id", "at")) == before
    assert len(facts("risk.outcome")) == said


def test_what_is_about_our_books_says_nothing_of_who_ordered(mine: Shop) -> None:
    bought, dispute = disputed(mine)
    until(lambda: len(learnt(bought)) == 1)
    change(
        "UPDATE payments_dispute SET reason = 'duplicate', state = 'needs_evidence' WHERE reference = %s",
        dispute.reference,
    )
    ends(dispute, DisputeSeen.LOST)
    last = facts("payments.dispute", dispute=dispute.reference)[-1]
    assert (last["state"], last["reason"]) == ("lost", "duplicate")
    followed()
    assert len(learnt(bought)) == 1
