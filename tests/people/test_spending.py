"""What a key may spend: reserved, settled or given back, each any number of times, and never beyond a cap."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from tests.people.tenants import organisation, suspended, token_of

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.people import actions as people
from parcelward.people.models import Spending, SpentDay
from parcelward.people.wire import Role

pytestmark = pytest.mark.usefixtures("installation")
NOON = dt.datetime.now(dt.UTC).replace(hour=12, minute=0, second=0, microsecond=0)


def spender(*, day=1_000, month=None, payment=400, days=300):
    by = people.installer()
    made = people.new_key("spends", Role.PARTNER, by=by, mode="test", simulated=True)
    grant = people.grant_spending(
        made.id,
        currency="EUR",
        cap_payment_minor=payment,
        cap_day_minor=day,
        cap_month_minor=month,
        lifetime=dt.timedelta(days=days),
        by=by,
    )
    return made, grant


def reserve(key, amount, now=NOON, currency="EUR", reservation=None):
    reservation = reservation or uuid.uuid4()
    people.reserve_spend(key.id, amount, currency, reservation=reservation, now=now)
    return reservation


def counted(grant):
    found = sum(Spending.objects.filter(grant=grant).values_list("amount_minor", flat=True))
    assert found == sum(SpentDay.objects.filter(grant=grant).values_list("amount_minor", flat=True))
    return found


def test_a_payment_counts_once_and_what_was_not_spent_is_given_back():
    key, grant = spender()
    first, second = reserve(key, 400), reserve(key, 400)
    reserve(key, 400, reservation=first)  # a retry
    assert counted(grant) == 800
    with pytest.raises(people.OverCap):
        reserve(key, 400)
    for _ in range(2):
        people.settle_spend(first, 150)
        people.cancel_spend(second)
    assert counted(grant) == 150
    reserve(key, 400)
    reserve(key, 400)
    with pytest.raises(people.OverCap):
        reserve(key, 51)
    reserve(key, 50)
    assert counted(grant) == 1_000


@pytest.mark.asvs("2.3.2")
def test_no_payment_is_more_than_the_cap_of_each():
    key, grant = spender(payment=400)
    with pytest.raises(people.OverCap):
        reserve(key, 401)
    for nothing in (0, -1):
        with pytest.raises(Invalid):
            reserve(key, nothing)
    assert counted(grant) == 0


def test_a_day_begins_anew_and_a_month_counts_all_its_days():
    first = NOON.replace(day=1)
    key, _ = spender(day=400, month=1_000, days=365)
    for day in (1, 2):
        reserve(key, 400, now=first.replace(day=day))
        with pytest.raises(people.OverCap):
            reserve(key, 1, now=first.replace(day=day))
    with pytest.raises(people.OverCap):
        reserve(key, 201, now=first.replace(day=3))
    reserve(key, 200, now=first.replace(day=3))
    reserve(key, 400, now=(first + dt.timedelta(days=32)).replace(day=1))


def test_a_key_without_a_grant_in_the_currency_spends_nothing():
    key, _ = spender(days=1)
    bare = people.new_key("bare", Role.PARTNER, by=people.installer(), mode="test", simulated=True)
    for asked in (
        lambda: reserve(bare, 1),
        lambda: reserve(key, 1, currency="USD"),
        lambda: reserve(key, 1, now=NOON + dt.timedelta(days=2)),
    ):
        with pytest.raises(people.OverCap):
            asked()
    people.revoke_key(key.id, by=people.installer())
    with pytest.raises(people.OverCap):
        reserve(key, 1)


def test_a_suspended_tenants_key_spends_nothing():
    tenant = organisation()
    key = token_of(tenant)
    people.grant_spending(
        key.id,
        currency="EUR",
        cap_payment_minor=5,
        cap_day_minor=5,
        cap_month_minor=None,
        lifetime=dt.timedelta(days=30),
        by=people.installer(),
    )
    with suspended(tenant), pytest.raises(people.OverCap):
        reserve(key, 1)
    reserve(key, 1)


def test_one_id_is_one_payment():
    key, grant = spender()
    first = reserve(key, 100)
    with pytest.raises(Conflict):
        reserve(key, 101, reservation=first)
    with pytest.raises(Invalid):
        people.settle_spend(first, 101)
    people.settle_spend(first)
    for otherwise in (lambda: people.cancel_spend(first), lambda: people.settle_spend(first, 50)):
        with pytest.raises(Conflict):
            otherwise()
    given_up = reserve(key, 100)
    people.cancel_spend(given_up)
    with pytest.raises(Conflict):
        reserve(key, 100, reservation=given_up)
    with pytest.raises(NotFound):
        people.settle_spend(uuid.uuid4())
    assert counted(grant) == 100


def test_a_withdrawn_grant_lets_what_is_reserved_be_settled_and_nothing_more():
    key, grant = spender()
    first = reserve(key, 100)
    for _ in range(2):
        people.withdraw_spending(grant, by=people.installer())
    with pytest.raises(people.OverCap):
        reserve(key, 1)
    people.settle_spend(first)
    assert counted(grant) == 100
