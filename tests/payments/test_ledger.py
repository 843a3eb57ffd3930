"""The ledger on a real database: one id posts once, an account is never overdrawn, and nothing posted is changed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from functools import partial

import pytest
from django.db import DatabaseError, connections, transaction
from tests.at_once import at_once
from tests.laws.tampering import change, rows, sequenced, undone

from parcelward.base import config
from parcelward.base.standards import money
from parcelward.custody.errors import EntryDiffers
from parcelward.doors.verification import verify_log
from parcelward.payments import ledger, rules
from parcelward.payments.errors import NotEnough, PostingEnded, PostingReused
from parcelward.payments.wire import Account, Balance, Kind, Line, Price
from parcelward.people import actions as people

pytestmark = pytest.mark.usefixtures("installation")
EUR = money.currency("EUR")
INCOME = Account(Kind.POSTAGE_INCOME, EUR)


@pytest.fixture
def shop() -> uuid.UUID:
    return uuid.uuid4()


@pytest.fixture
def by(installation):
    return people.machinery()


def postage(owner) -> Account:
    return Account(Kind.POSTAGE_BALANCE, EUR, owner)


def paid_in(owner, amount, *, by) -> uuid.UUID:
    posting = uuid.uuid4()
    ledger.post(posting, rules.top_up_lines(amount, EUR, owner=owner), reason="top_up", by=by)
    return posting


def bought(owner, amount):
    return rules.purchase_lines(Price(amount, 0, EUR), owner=owner)


def entries(posting) -> int:
    return len(rows("SELECT 1 FROM custody_fact WHERE position(%s::bytea in body) > 0", str(posting).encode()))


def test_a_purchase_out_of_a_balance_and_its_refund(shop, by):
    before, order = ledger.balance(INCOME), uuid.uuid4()
    paid_in(shop, 1_000, by=by)
    price = rules.tax_included(595, 190_000, EUR)
    ledger.post(uuid.uuid4(), rules.purchase_lines(price, owner=shop), reason="purchase", about=order, by=by)
    assert ledger.balance(postage(shop)) == Balance(405)
    assert ledger.balance(INCOME).posted_minor == before.posted_minor + 500
    back = rules.refund_lines(price, 595, refunded_minor=0, owner=shop)
    ledger.post(uuid.uuid4(), back, reason="refund", about=order, by=by)
    assert ledger.balance(postage(shop)) == Balance(1_000)
    assert ledger.balance(INCOME) == before


def test_the_same_posting_again_changes_nothing_and_another_under_its_id_is_refused(shop, by):
    posting = paid_in(shop, 500, by=by)
    for _ in range(2):
        ledger.post(posting, rules.top_up_lines(500, EUR, owner=shop), reason="top_up", by=by)
    for lines, reason in (
        (rules.top_up_lines(501, EUR, owner=shop), "top_up"),
        (rules.top_up_lines(500, EUR, owner=shop), "gift"),
        (rules.top_up_lines(500, EUR, owner=shop, paid_into=Kind.BANK), "top_up"),
    ):
        with pytest.raises(PostingReused):
            ledger.post(posting, lines, reason=reason, by=by)
    assert ledger.balance(postage(shop)) == Balance(500)
    assert entries(posting) == 1


def test_an_account_is_never_overdrawn_and_nothing_of_the_posting_stays(shop, by):
    paid_in(shop, 100, by=by)
    posting = uuid.uuid4()
    with pytest.raises(NotEnough):
        ledger.post(posting, bought(shop, 101), reason="purchase", by=by)
    assert ledger.balance(postage(shop)) == Balance(100)
    assert not rows("SELECT 1 FROM payments_posting WHERE id = %s", posting)
    assert entries(posting) == 0
    ledger.post(posting, bought(shop, 100), reason="purchase", by=by)
    assert ledger.balance(postage(shop)) == Balance(0)


def test_what_is_pending_is_held_until_it_is_posted_or_given_back(shop, by):
    paid_in(shop, 100, by=by)
    first, second = uuid.uuid4(), uuid.uuid4()
    ledger.hold(first, bought(shop, 60), reason="purchase", by=by)
    assert ledger.balance(postage(shop)) == Balance(100, 60)
    with pytest.raises(NotEnough):
        ledger.hold(second, bought(shop, 41), reason="purchase", by=by)
    ledger.hold(second, bought(shop, 40), reason="purchase", by=by)
    settled, voided = uuid.uuid4(), uuid.uuid4()
    for _ in range(2):
        ledger.settle(settled, first, bought(shop, 25), by=by)
        ledger.void(voided, second, by=by)
    assert ledger.balance(postage(shop)) == Balance(75)
    for wrong in (lambda: ledger.void(uuid.uuid4(), first, by=by), lambda: ledger.settle(uuid.uuid4(), second, by=by)):
        with pytest.raises(PostingEnded):
            wrong()
    assert ledger.balance(postage(shop)) == Balance(75)


def test_no_more_than_was_pending_is_posted(shop, by):
    paid_in(shop, 100, by=by)
    pending = uuid.uuid4()
    ledger.hold(pending, bought(shop, 60), reason="purchase", by=by)
    other = (Line(postage(shop), 10), Line(Account(Kind.BANK, EUR), -10))
    for lines in (bought(shop, 61), other, rules.refund_lines(Price(10, 0, EUR), 10, refunded_minor=0, owner=shop)):
        with pytest.raises(ValueError, match="no more than was pending"):
            ledger.settle(uuid.uuid4(), pending, lines, by=by)
    assert ledger.balance(postage(shop)) == Balance(100, 60)


def test_of_many_equal_requests_at_once_one_posts(shop, by):
    paid_in(shop, 1_000, by=by)
    posting = uuid.uuid4()
    said = at_once(*[lambda: ledger.post(posting, bought(shop, 300), reason="purchase", by=by)] * 8)
    assert said == [None] * 8
    assert ledger.balance(postage(shop)) == Balance(700)
    assert entries(posting) == 1


def test_of_many_purchases_at_once_only_those_that_can_be_paid_are_posted(shop, by):
    paid_in(shop, 1_000, by=by)
    said = at_once(*[lambda: ledger.post(uuid.uuid4(), bought(shop, 300), reason="purchase", by=by)] * 8)
    assert sorted(str(type(each).__name__) for each in said) == ["NoneType"] * 3 + ["NotEnough"] * 5
    assert ledger.balance(postage(shop)) == Balance(100)


def test_a_pending_posting_ends_once_whoever_is_first(shop, by):
    paid_in(shop, 1_000, by=by)
    pending = uuid.uuid4()
    ledger.hold(pending, bought(shop, 300), reason="purchase", by=by)
    works = [lambda: ledger.settle(uuid.uuid4(), pending, by=by), lambda: ledger.void(uuid.uuid4(), pending, by=by)] * 4
    said = at_once(*works)
    assert [type(each) for each in said if each is not None] == [PostingEnded] * 7
    assert ledger.balance(postage(shop)) in {Balance(700), Balance(1_000)}


@pytest.mark.parametrize("seed", range(5))
def test_balances_are_what_a_plain_count_says_after_any_run(by, seed):
    """Random business of three shops, repeated and refused."""
    draw, shops = random.Random(seed), [uuid.uuid4() for _ in range(3)]
    have = dict.fromkeys(shops, 0)
    held: dict[uuid.UUID, tuple[uuid.UUID, int]] = {}
    done: list[Callable[[], None]] = []
    for _ in range(60):
        owner, amount, posting = draw.choice(shops), draw.randint(1, 100), uuid.UUID(int=draw.getrandbits(128))
        free = have[owner] - sum(part for whose, part in held.values() if whose == owner)
        match draw.choice(["pay_in", "buy", "hold", "settle", "void", "again"]):
            case "pay_in":
                lines = rules.top_up_lines(amount, EUR, owner=owner)
                done.append(partial(ledger.post, posting, lines, reason="top_up", by=by))
                have[owner] += amount
            case "buy" if amount <= free:
                done.append(partial(ledger.post, posting, bought(owner, amount), reason="purchase", by=by))
                have[owner] -= amount
            case "hold" if amount <= free:
                done.append(partial(ledger.hold, posting, bought(owner, amount), reason="purchase", by=by))
                held[posting] = owner, amount
            case "settle" if held:
                pending = draw.choice(list(held))
                whose, part = held.pop(pending)
                taken = draw.randint(1, part)
                done.append(partial(ledger.settle, posting, pending, bought(whose, taken), by=by))
                have[whose] -= taken
            case "void" if held:
                pending = draw.choice(list(held))
                del held[pending]
                done.append(partial(ledger.void, posting, pending, by=by))
            case "again" if done:
                done.append(draw.choice(done))
            case _:
                with pytest.raises(NotEnough):
                    ledger.post(posting, bought(owner, free + amount), reason="purchase", by=by)
                continue
        done[-1]()
    for owner in shops:
        waiting = sum(part for whose, part in held.values() if whose == owner)
        assert ledger.balance(postage(owner)) == Balance(have[owner], waiting)


_TWO_LINES = (
    "INSERT INTO payments_line (posting_id, account_id, currency, amount_minor) "
    "SELECT %({posting})s, number, '{currency}', CASE nth WHEN 1 THEN 5 ELSE {second} END FROM ("
    "SELECT number, row_number() OVER () AS nth FROM payments_account a WHERE a.currency = 'EUR' AND NOT EXISTS ("
    "SELECT FROM payments_line l WHERE l.posting_id = %({posting})s AND l.account_id = a.number) LIMIT 2) AS two"
)
_BARE = "INSERT INTO payments_posting (id, state, reason, source, recorded_at) VALUES (%(q)s, 'posted', 'x', 1, now())"
# What is tried -> (the statements, what the database says).
REFUSED = {
    "an amount that grew": ("UPDATE payments_line SET amount_minor = 9 WHERE posting_id = %(p)s", "never changed"),
    "a line that goes": ("DELETE FROM payments_line WHERE posting_id = %(p)s", "never changed"),
    "a posting that goes": ("DELETE FROM payments_posting WHERE id = %(p)s", "never changed"),
    "another reason": ("UPDATE payments_posting SET reason = 'gift' WHERE id = %(p)s", "never changed"),
    "an account of another": ("UPDATE payments_account SET owner = gen_random_uuid()", "never changed"),
    "everything": ("TRUNCATE payments_line", "never changed"),
    "a balance below nothing": ("UPDATE payments_balance SET posted_minor = -1", "balance_not_overdrawn"),
    "more held than there is": ("UPDATE payments_balance SET held_minor = posted_minor + 1", "balance_not_overdrawn"),
    "lines that do not add up": (
        f"{_BARE}; {_TWO_LINES.format(posting='q', currency='EUR', second=-4)}",
        "add up to nothing",
    ),
    "more lines of an old posting": (
        _TWO_LINES.format(posting="p", currency="EUR", second=-5),
        "has its lines already",
    ),
    "a line in another currency": (
        f"{_BARE}; {_TWO_LINES.format(posting='q', currency='USD', second=-5)}",
        "line_in_accounts_currency",
    ),
    "a posting without lines": (f"{_BARE}; SET CONSTRAINTS ALL IMMEDIATE", "has lines unless"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_database_itself_refuses(shop, by, what):
    posting = paid_in(shop, 100, by=by)
    paid_in(uuid.uuid4(), 100, by=by)
    paid_in(uuid.uuid4(), 100, by=by)
    statements, words = REFUSED[what]
    with pytest.raises(DatabaseError, match=words), transaction.atomic():
        change(statements, {"p": posting, "q": uuid.uuid4()})
    assert ledger.balance(postage(shop)) == Balance(100)


TURNED = {
    "lines that grew": "UPDATE payments_line SET amount_minor = amount_minor * 2 WHERE posting_id = %(p)s",
    "another reason": "UPDATE payments_posting SET reason = 'gift' WHERE id = %(p)s",
    "another author": "UPDATE payments_posting SET source = source + 1 WHERE id = %(p)s",
    "gone": "DELETE FROM payments_line WHERE posting_id = %(p)s",
    "another owner": "UPDATE payments_account SET owner = gen_random_uuid() WHERE owner = %(o)s",
    "a balance that grew": (
        "UPDATE payments_balance SET posted_minor = posted_minor + 1 "
        "WHERE account_id = (SELECT number FROM payments_account WHERE owner = %(o)s)"
    ),
    "something held": (
        "UPDATE payments_balance SET held_minor = 1 "
        "WHERE account_id = (SELECT number FROM payments_account WHERE owner = %(o)s)"
    ),
    "no balance": (
        "DELETE FROM payments_balance WHERE account_id = (SELECT number FROM payments_account WHERE owner = %(o)s)"
    ),
    "a posting that no entry knows": (
        "INSERT INTO payments_posting (id, state, reason, source, recorded_at) "
        "VALUES (gen_random_uuid(), 'posted', 'gift', 1, now())"
    ),
}


@pytest.mark.parametrize("what", TURNED)
def test_who_turns_the_books_is_found(shop, by, what):
    posting = paid_in(shop, 100, by=by)
    pending = uuid.uuid4()
    ledger.hold(pending, bought(shop, 30), reason="purchase", by=by)
    ledger.void(uuid.uuid4(), pending, by=by)
    sequenced()
    with undone():
        verify_log(config.get())
        with connections["default"].cursor() as cur:  # whoever has the database turns its guards off
            for table in ("posting", "line", "account"):
                cur.execute(f"ALTER TABLE payments_{table} DISABLE TRIGGER USER")
        change(TURNED[what], {"p": posting, "o": shop})
        with pytest.raises(EntryDiffers) as found:
            verify_log(config.get())
    assert found.value.differs == "ledger"
