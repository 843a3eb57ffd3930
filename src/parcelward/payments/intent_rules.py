"""How a payment goes on, from what its provider says of it: pure. A state never goes back, however late it is told."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from parcelward.base.errors import Invalid
from parcelward.base.standards import money
from parcelward.base.standards.money import Currency
from parcelward.payments import rules
from parcelward.payments.providers.wire import Payment, Seen
from parcelward.payments.rules import Lines
from parcelward.payments.wire import Price, Purpose, Standing, Verb

TOP_UP_MAX: Final = 10_000  # in major units, and the least is one
BEGUN_WITHIN: Final = dt.timedelta(hours=20)  # as long as a provider surely knows the key that it was asked with
LOOK_AGAIN_AFTER: Final = dt.timedelta(seconds=1)  # for whoever reloads the page of a payment
ANSWER_WITHIN_S: Final = 20.0  # what was begun by somebody is gone on with by the worker after this
AGAIN_AFTER_S: Final = (5.0, 15.0, 60.0, 300.0, 1800.0, 3600.0)  # the last one repeats
LOOK_AFTER_S: Final = (60.0, 300.0, 900.0, 3600.0)  # at a payment that waits for its payer, should no notice come

_RANK: Final = {
    Standing.CREATED: 0,
    Standing.WAITS: 1,
    Standing.DECLINED: 2,
    Standing.AUTHORISED: 3,
    Standing.VOIDED: 4,
    Standing.CAPTURED: 5,
}
_SEEN: Final = {
    Seen.WAITS: Standing.WAITS,
    Seen.DECLINED: Standing.DECLINED,
    Seen.AUTHORISED: Standing.AUTHORISED,
    Seen.VOIDED: Standing.VOIDED,
    Seen.CAPTURED: Standing.CAPTURED,
}
ENDED: Final = frozenset({Standing.DECLINED, Standing.VOIDED, Standing.CAPTURED})
_REACHED: Final = {
    Verb.NONE: frozenset(Standing),
    Verb.BEGIN: frozenset(Standing) - {Standing.CREATED},
    Verb.CAPTURE: ENDED,
    Verb.VOID: ENDED,
}
"""What the provider is asked -> the states in which it need not be asked any more."""


@dataclass(frozen=True, slots=True)
class Stood:
    """How a payment stands with us."""

    standing: Standing
    verb: Verb
    captured_minor: int = 0
    refunded_minor: int = 0


def after(stood: Stood, payment: Payment) -> Stood:
    """Return how a payment stands once its provider has said so; an older answer changes nothing."""
    seen = _SEEN[payment.seen]
    standing = seen if _RANK[seen] > _RANK[stood.standing] else stood.standing
    verb = Verb.NONE if standing in _REACHED[stood.verb] else stood.verb
    captured = max(stood.captured_minor, payment.captured_minor) if standing is Standing.CAPTURED else 0
    return Stood(standing, verb, captured, stood.refunded_minor)


def posting_id(about: UUID, what: str) -> UUID:
    """Return the id of the one posting that something may make: told again, it is the same."""
    return uuid5(about, what)


def top_up_amount(amount_minor: int, currency: Currency) -> int:
    """Return an amount that can be paid in. Raises Invalid."""
    unit = 10 ** money.MINOR_DIGITS[currency]
    if not unit <= amount_minor <= TOP_UP_MAX * unit:
        raise Invalid("Pay in from 1 to 10,000 at once", code="bad_amount")
    return amount_minor


def captured_lines(purpose: Purpose, price: Price, captured_minor: int, *, owner: UUID, owed_minor: int = 0) -> Lines:
    """Return what a capture posts. Of a purchase captured in part, the tax is in proportion.

    What is paid in goes first to what its owner owes.
    """
    if purpose is not Purpose.TOP_UP:
        return rules.purchase_lines(part_of(price, captured_minor))
    return rules.top_up_lines(captured_minor, price.currency, owner=owner, owed_minor=owed_minor)


def part_of(price: Price, part_minor: int) -> Price:
    """Return the price of a part."""
    return Price(part_minor, money.share(price.tax_minor, part_minor, price.total_minor), price.currency)


def again_at(now: dt.datetime, tries: int, *, waits: bool) -> dt.datetime:
    """Return when to ask, or look, next."""
    pauses = LOOK_AFTER_S if waits else AGAIN_AFTER_S
    return now + dt.timedelta(seconds=pauses[min(tries, len(pauses) - 1)])


class Reason(enum.StrEnum):
    """Why money goes back."""

    CANCELLED = "cancelled"  # before it was tendered
    SERVICE_FAILED = "service_failed"
    MISTAKE = "mistake"
    UNUSED = "unused"  # a balance that its owner wants back
