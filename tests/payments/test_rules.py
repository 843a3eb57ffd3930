"""What each kind of business posts adds up, and money given back was paid before."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelward.base.errors import Invalid
from parcelward.base.standards import money
from parcelward.payments import rules
from parcelward.payments.wire import Account, Balance, Kind, Line, Price, State

EUR, SHOP = money.currency("EUR"), uuid.uuid4()
AMOUNT = st.integers(1, 10**12)
OWNER = st.sampled_from([None, SHOP])


@st.composite
def prices(draw) -> Price:
    total = draw(AMOUNT)
    return Price(total, draw(st.integers(0, total)), EUR)


@given(AMOUNT, st.integers(0, 10**6), prices(), OWNER)
def test_all_lines_add_up_and_can_be_posted(amount, fee, price, owner):
    made = [
        rules.top_up_lines(amount, EUR, owner=SHOP),
        rules.purchase_lines(price, owner=owner),
        rules.refund_lines(price, price.total_minor, refunded_minor=0, owner=owner),
        rules.paid_out_lines(amount, fee, EUR),
        rules.dispute_lines(amount, fee, EUR),
        rules.dispute_won_lines(amount, EUR),
        rules.dispute_taken_lines(amount, EUR, owner=SHOP),
        rules.dispute_lost_lines(amount, EUR, owner=owner),
        rules.top_up_lines(amount, EUR, owner=SHOP, owed_minor=fee),
        rules.paid_back_lines(amount, EUR, owner=SHOP),
        rules.collected_lines(amount, EUR, owner=SHOP),
        rules.handed_in_lines(amount, EUR),
        rules.remitted_lines(amount, price, owner=SHOP),
        rules.claim_lines(amount, EUR, owner=SHOP),
        rules.claim_paid_lines(amount, EUR, owner=SHOP),
    ]
    assert [rules.problem(lines, State.POSTED) for lines in made] == [""] * len(made)


@given(prices(), st.lists(st.integers(1, 10**12), max_size=8), OWNER)
def test_refunds_give_back_what_was_paid_and_its_tax_and_no_more(price, wanted, owner):
    sums, refunded = dict.fromkeys((line.account for line in rules.purchase_lines(price, owner=owner)), 0), 0
    for account, amount in rules.purchase_lines(price, owner=owner):
        sums[account] += amount
    for refund in [min(each, price.total_minor) for each in wanted]:
        if refund > price.total_minor - refunded:
            with pytest.raises(Invalid):
                rules.refund_lines(price, refund, refunded_minor=refunded, owner=owner)
            continue
        for account, amount in rules.refund_lines(price, refund, refunded_minor=refunded, owner=owner):
            sums[account] += amount
        refunded += refund
    if refunded < price.total_minor:
        rest = price.total_minor - refunded
        for account, amount in rules.refund_lines(price, rest, refunded_minor=refunded, owner=owner):
            sums[account] += amount
    assert not any(sums.values()), "everything that the purchase moved is back, the tax too"


@pytest.mark.parametrize(("refund", "before"), [(0, 0), (-1, 0), (101, 0), (1, 100), (51, 50)])
def test_a_refund_of_more_than_is_left_is_refused(refund, before):
    with pytest.raises(Invalid) as refused:
        rules.refund_lines(Price(100, 19, EUR), refund, refunded_minor=before)
    assert refused.value.code == "bad_refund"


def test_tax_on_top_and_tax_within():
    assert rules.taxed(1000, 190_000, EUR) == Price(1190, 190, EUR)
    assert rules.tax_included(1190, 190_000, EUR) == Price(1190, 190, EUR)
    assert rules.tax_included(100, 0, EUR) == Price(100, 0, EUR)


@pytest.mark.parametrize(("total", "tax"), [(0, 0), (-1, 0), (10, 11), (10, -1), (money.AMOUNT_MINOR_MAX + 1, 0)])
def test_a_price_is_above_zero_and_its_tax_within_it(total, tax):
    with pytest.raises(Invalid):
        Price(total, tax, EUR)


BALANCE, INCOME = Account(Kind.POSTAGE_BALANCE, EUR, SHOP), Account(Kind.POSTAGE_INCOME, EUR)
USD_INCOME = Account(Kind.POSTAGE_INCOME, money.currency("USD"))


@pytest.mark.parametrize(
    ("lines", "state", "why"),
    [
        ((), State.POSTED, "has lines"),
        ((Line(BALANCE, 1),), State.VOIDED, "no lines"),
        ((Line(BALANCE, 5), Line(INCOME, -4)), State.POSTED, "add up"),
        ((Line(BALANCE, 5), Line(USD_INCOME, -5)), State.POSTED, "add up"),
        ((Line(BALANCE, 5), Line(BALANCE, -5)), State.POSTED, "once"),
        ((Line(BALANCE, 0),), State.POSTED, "more than nothing"),
        ((Line(INCOME._replace(owner=SHOP), 5), Line(BALANCE, -5)), State.POSTED, "owner"),
        ((Line(INCOME, 5), Line(BALANCE._replace(owner=None), -5)), State.POSTED, "owner"),
    ],
)
def test_what_cannot_be_a_posting_is_said(lines, state, why):
    assert why in rules.problem(lines, state)


def test_what_is_pending_is_held_and_what_it_gives_waits():
    taking = (Line(BALANCE, 70), Line(INCOME, -70))
    assert rules.changes(taking, State.PENDING) == {BALANCE: Balance(0, 70)}
    assert rules.changes(taking[:1], State.POSTED, taking) == {BALANCE: Balance(-70, -70)}
    assert rules.changes((), State.VOIDED, taking) == {BALANCE: Balance(0, -70)}
    giving = rules.top_up_lines(70, EUR, owner=SHOP)
    assert rules.changes(giving, State.PENDING) == {}
    assert rules.changes(giving, State.POSTED, giving) == {BALANCE: Balance(70, 0)}


def test_what_is_paid_in_goes_first_to_what_is_owed():
    owed = Account(Kind.OWED, EUR, SHOP)
    lines = dict(rules.top_up_lines(100, EUR, owner=SHOP, owed_minor=30))
    assert (lines[BALANCE], lines[owed]) == (-70, -30)
    assert BALANCE not in dict(rules.top_up_lines(100, EUR, owner=SHOP, owed_minor=130))
    assert dict(rules.dispute_lost_lines(70, EUR, owner=SHOP))[owed] == 70
