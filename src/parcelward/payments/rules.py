"""What each kind of business posts, and what a posting does to balances: pure, in integers of the minor unit.

Every function that returns lines returns them balanced. Amounts are above zero unless said otherwise; the ledger
refuses a line of nothing, so what is nothing gives no line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from parcelward.base.errors import Invalid
from parcelward.base.standards import money
from parcelward.base.standards.money import Currency
from parcelward.payments.wire import CHART, Account, Balance, Kind, Line, Price, State

Lines = tuple[Line, ...]


def balanced(lines: Iterable[Line]) -> bool:
    """Return whether the lines of each currency add up to nothing."""
    sums: dict[Currency, int] = {}
    for account, amount in lines:
        sums[account.currency] = sums.get(account.currency, 0) + amount
    return not any(sums.values())


def problem(lines: Sequence[Line], state: State) -> str:
    """Return why lines cannot be a posting's; empty if they can."""
    if state is State.VOIDED:
        return "a void has no lines" if lines else ""
    if not lines:
        return "a posting has lines"
    if any(CHART[account.kind].owned != (account.owner is not None) for account, _ in lines):
        return "an account has an owner where its kind has, and none otherwise"
    if len({account for account, _ in lines}) != len(lines):
        return "an account is in a posting once"
    if not all(0 < abs(amount) <= money.AMOUNT_MINOR_MAX for _, amount in lines):
        return "a line is of more than nothing, and of no more than the largest amount"
    return "" if balanced(lines) else "the lines of a currency add up to nothing"


def within(lines: Iterable[Line], pending: Iterable[Line]) -> bool:
    """Return whether lines take and give no more than was pending, on the same sides."""
    held = dict(pending)
    return all(0 < amount * _sign(held.get(account, 0)) <= abs(held.get(account, 0)) for account, amount in lines)


def _sign(amount: int) -> int:
    return (amount > 0) - (amount < 0)


def changes(lines: Iterable[Line], state: State, pending: Iterable[Line] = ()) -> dict[Account, Balance]:
    """Return by how much each bounded account's balance changes; `pending` is what the posting ends.

    A pending line that takes holds its amount; one that gives can be spent only once it is posted.
    """
    found: dict[Account, Balance] = {}
    for account, amount in pending:
        if (taken := _on_its_side(account, amount)) < 0:
            _add(found, account, Balance(0, taken))
    for account, amount in lines:
        given = _on_its_side(account, amount)
        if state is State.POSTED:
            _add(found, account, Balance(given))
        elif given < 0:
            _add(found, account, Balance(0, -given))
    return {account: change for account, change in found.items() if CHART[account.kind].owned}


def _on_its_side(account: Account, amount: int) -> int:
    return amount * CHART[account.kind].side


def _add(found: dict[Account, Balance], account: Account, change: Balance) -> None:
    known = found.get(account, Balance(0))
    found[account] = Balance(known.posted_minor + change.posted_minor, known.held_minor + change.held_minor)


def _lines(*parts: tuple[Account, int]) -> Lines:
    """Return the parts that are not nothing, one of each account."""
    sums: dict[Account, int] = {}
    for account, amount in parts:
        sums[account] = sums.get(account, 0) + amount
    return tuple(Line(account, amount) for account, amount in sums.items() if amount)


def taxed(net_minor: int, rate_millionths: int, currency: Currency) -> Price:
    """Return the price of what costs `net_minor` before a tax of so many millionths (190,000 is 19 %)."""
    tax = money.share(net_minor, rate_millionths, 1_000_000)
    return Price(net_minor + tax, tax, currency)


def tax_included(total_minor: int, rate_millionths: int, currency: Currency) -> Price:
    """Return the price whose whole is `total_minor` and whose tax is in it."""
    return Price(total_minor, money.share(total_minor, rate_millionths, 1_000_000 + rate_millionths), currency)


def top_up_lines(
    amount_minor: int, currency: Currency, *, owner: UUID, paid_into: Kind = Kind.PROVIDER, owed_minor: int = 0
) -> Lines:
    """Return what a sender pays in by a provider, at a counter, or to the bank: first to what they owe."""
    settled = min(amount_minor, max(owed_minor, 0))
    return _lines(
        (Account(paid_into, currency), amount_minor),
        (Account(Kind.OWED, currency, owner), -settled),
        (Account(Kind.POSTAGE_BALANCE, currency, owner), settled - amount_minor),
    )


def paid_back_lines(amount_minor: int, currency: Currency, *, owner: UUID, paid_from: Kind = Kind.PROVIDER) -> Lines:
    """Return what a sender gets back out of their balance."""
    return _lines(
        (Account(Kind.POSTAGE_BALANCE, currency, owner), amount_minor), (Account(paid_from, currency), -amount_minor)
    )


def provider_fee_lines(fee_minor: int, currency: Currency) -> Lines:
    """Return what a provider keeps for its work; below nothing, what it gives back of that."""
    return _lines((Account(Kind.PROVIDER_FEES, currency), fee_minor), (Account(Kind.PROVIDER, currency), -fee_minor))


def purchase_lines(price: Price, *, owner: UUID | None = None, paid_into: Kind = Kind.PROVIDER) -> Lines:
    """Return what sold postage moves: out of the balance of `owner`, or else paid into one of the house's accounts."""
    source = Account(Kind.POSTAGE_BALANCE, price.currency, owner) if owner else Account(paid_into, price.currency)
    return _lines(
        (source, price.total_minor),
        (Account(Kind.POSTAGE_INCOME, price.currency), price.tax_minor - price.total_minor),
        (Account(Kind.TAX_PAYABLE, price.currency), -price.tax_minor),
    )


def refund_lines(
    price: Price, refund_minor: int, *, refunded_minor: int, owner: UUID | None = None, paid_from: Kind = Kind.PROVIDER
) -> Lines:
    """Return what gives back a part of a purchase, `refunded_minor` of it before; never more than was paid.

    The tax of all refunds together is the tax of their sum, so many small ones give back no more and no less of it
    than one large one. Raises Invalid.
    """
    left = price.total_minor - refunded_minor
    if not 0 < refund_minor <= left:
        raise Invalid("A refund is above zero, and with those before it no more than was paid", code="bad_refund")
    before, after = (
        money.share(price.tax_minor, given, price.total_minor)
        for given in (refunded_minor, refunded_minor + refund_minor)
    )
    tax = after - before
    source = Account(Kind.POSTAGE_BALANCE, price.currency, owner) if owner else Account(paid_from, price.currency)
    return _lines(
        (source, -refund_minor),
        (Account(Kind.POSTAGE_INCOME, price.currency), refund_minor - tax),
        (Account(Kind.TAX_PAYABLE, price.currency), tax),
    )


def paid_out_lines(amount_minor: int, fee_minor: int, currency: Currency) -> Lines:
    """Return what a provider pays out to the bank of what it held, less its fee. Either may be nothing."""
    return _lines(
        (Account(Kind.BANK, currency), amount_minor),
        (Account(Kind.PROVIDER_FEES, currency), fee_minor),
        (Account(Kind.PROVIDER, currency), -(amount_minor + fee_minor)),
    )


def dispute_lines(amount_minor: int, fee_minor: int, currency: Currency) -> Lines:
    """Return what a card's bank takes back until it has decided; the provider's fee is gone in any case."""
    return _lines(
        (Account(Kind.DISPUTED, currency), amount_minor),
        (Account(Kind.PROVIDER_FEES, currency), fee_minor),
        (Account(Kind.PROVIDER, currency), -(amount_minor + fee_minor)),
    )


def dispute_won_lines(amount_minor: int, currency: Currency) -> Lines:
    """Return what the bank gives back when it decides for us."""
    return _lines((Account(Kind.PROVIDER, currency), amount_minor), (Account(Kind.DISPUTED, currency), -amount_minor))


def dispute_taken_lines(amount_minor: int, currency: Currency, *, owner: UUID) -> Lines:
    """Return what a disputed top-up takes out of the balance that it was paid into, if the bank decides against us."""
    return _lines(
        (Account(Kind.POSTAGE_BALANCE, currency, owner), amount_minor),
        (Account(Kind.DISPUTED, currency), -amount_minor),
    )


def dispute_lost_lines(amount_minor: int, currency: Currency, *, owner: UUID | None = None) -> Lines:
    """Return who bears it when the bank decides against us: a chargeback.

    Of a top-up (`owner`) the sender owes what their balance did not hold; of a purchase by card the house bears it.
    """
    bears = Account(Kind.CHARGEBACKS, currency) if owner is None else Account(Kind.OWED, currency, owner)
    return _lines((bears, amount_minor), (Account(Kind.DISPUTED, currency), -amount_minor))


def collected_lines(amount_minor: int, currency: Currency, *, owner: UUID) -> Lines:
    """Return what a courier collects at a door for a sender."""
    return _lines(
        (Account(Kind.COURIER_CASH, currency), amount_minor),
        (Account(Kind.REMITTANCES, currency, owner), -amount_minor),
    )


def handed_in_lines(amount_minor: int, currency: Currency, *, paid_into: Kind = Kind.DRAWER) -> Lines:
    """Return what a courier hands in of what was collected."""
    return _lines((Account(paid_into, currency), amount_minor), (Account(Kind.COURIER_CASH, currency), -amount_minor))


def remitted_lines(amount_minor: int, fee: Price, *, owner: UUID) -> Lines:
    """Return what goes to a sender's bank of what was collected for them, less the fee and its tax."""
    return _lines(
        (Account(Kind.REMITTANCES, fee.currency, owner), amount_minor),
        (Account(Kind.REMITTANCE_FEES, fee.currency), fee.tax_minor - fee.total_minor),
        (Account(Kind.TAX_PAYABLE, fee.currency), -fee.tax_minor),
        (Account(Kind.BANK, fee.currency), fee.total_minor - amount_minor),
    )


def claim_lines(amount_minor: int, currency: Currency, *, owner: UUID) -> Lines:
    """Return what a granted claim makes us owe."""
    return _lines(
        (Account(Kind.CLAIMS, currency), amount_minor), (Account(Kind.CLAIMS_PAYABLE, currency, owner), -amount_minor)
    )


def claim_paid_lines(amount_minor: int, currency: Currency, *, owner: UUID, paid_from: Kind = Kind.BANK) -> Lines:
    """Return what is paid out of a granted claim."""
    return _lines(
        (Account(Kind.CLAIMS_PAYABLE, currency, owner), amount_minor), (Account(paid_from, currency), -amount_minor)
    )


def after(balance: Balance, change: Balance) -> Balance | None:
    """Return the balance after a change; None where it would hold less than nothing, or less than is held of it.

    Giving back what was held, and adding, is never refused.
    """
    new = Balance(balance.posted_minor + change.posted_minor, balance.held_minor + change.held_minor)
    return None if new.available_minor < 0 or new.held_minor < 0 else new
