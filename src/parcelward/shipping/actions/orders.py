"""Buy deliveries: in one transaction where a balance pays, in steps where a card does.

    checked, screened ─> REFUSED or REVIEW, and nothing is paid
      └─ by balance: decided; paid, items made, labels issued, all in the caller's transaction ─> BOUGHT
      └─ by card:    PAYING ─ the provider authorises, risk decides ─> items made, MAKING ─ it takes the money ─> BOUGHT
                        └─ declined, given up, too late ─> UNDONE

Whoever dies on the way leaves an order that the worker goes on with (`work.py`). A label is given out once its order is
bought, and not before.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.base.standards.money import Currency
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.network import queries as network
from parcelward.parcels import actions as parcels
from parcelward.payments import actions as payments
from parcelward.payments.queries import owner_of, purchase
from parcelward.payments.wire import Price, Standing
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Role, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Purpose
from parcelward.shipping import order_rules, party_text
from parcelward.shipping.actions import drafting, judging
from parcelward.shipping.actions.making import make_within
from parcelward.shipping.errors import BadOrder, NotNow
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.order_check import ORDER, said_of
from parcelward.shipping.wire import ENDED, OrderWanted, PaidBy, Party, State, Whence

NOWHERE: Final = Whence()
LOOK_AFTER: Final = dt.timedelta(seconds=20)  # the worker goes on with what nobody goes on with by then
LOOK_AGAIN: Final = (5.0, 30.0, 120.0, 600.0, 3600.0)  # seconds; the last one repeats
GIVEN_UP_AFTER: Final = dt.timedelta(hours=24)  # a payer who never came back


def place_within(order_id: UUID, wanted: OrderWanted, *, by: Person, whence: Whence = NOWHERE) -> UUID:
    """Buy what is wanted, or begin to, in the caller's transaction; return the order's id.

    The same order again changes nothing. Raises BadOrder with everything that is wrong, QuoteOver, NoTariff, NotEnough
    where the balance does not hold so much, OverCap where a key may not spend it. Then nothing is kept.
    """
    (bad,) = place_many_within([(order_id, wanted)], by=by, whence=whence)
    if bad is not None:
        raise bad
    return order_id


def place_many_within(
    wanted: Sequence[tuple[UUID, OrderWanted]], *, by: Person, whence: Whence = NOWHERE
) -> list[BadOrder | None]:
    """Buy each of several orders, in the caller's transaction; return for each what is wrong with it, or None.

    Those that are wrong are left out; the others are bought together or, as `place_within` raises, none of them.
    """
    require(by, Task.ORDER)
    now = timezone.now()
    there = Order.objects.filter(pk__in=[order_id for order_id, _ in wanted], owner=owner_of(by))
    known = set(there.values_list("pk", flat=True))
    outcomes: list[BadOrder | None] = []
    good: list[drafting.Good] = []
    for order_id, one in wanted:
        outcomes.append(None)
        if order_id in known:
            continue
        try:
            good.append(drafting.Good(order_id, one, *drafting.looked_at(one, by=by, now=now)))
        except BadOrder as bad:
            outcomes[-1] = bad
    if good:
        with transaction.atomic():
            _place(good, whence, by=by, now=now)
    return outcomes


@dataclass(frozen=True, slots=True, repr=False)
class _Placed:
    """An order that is stored, or about to be."""

    row: Order
    items: list[OrderItem]
    parties: Sequence[Party]
    back_url: str = ""


def _place(good: Sequence[drafting.Good], whence: Whence, *, by: Person, now: dt.datetime) -> None:
    """Keep the people, store the orders, have each judged, and begin with those that may: few statements for many."""
    tokens = iter(drafting.kept([sold for one in good for sold in one.looked.items], by=by))
    closed = network.closed_days(0)
    senders: dict[Party, VaultToken] = {}
    placed: list[_Placed] = []
    for one in good:
        row, sender = drafting.order_row(one, whence, by=by, now=now), one.wanted.sender
        if sender not in senders:
            senders[sender] = drafting.sender_kept(sender, one.looked.sender, owner=row.owner, by=by)
        row.sender = senders[sender]
        row.state, row.reasons = drafting.decided(order_rules.screening(one.looked.items))
        items = [
            drafting.item_row(row, place, sold, next(tokens), route, (now.date(), closed))
            for place, (sold, route) in enumerate(zip(one.looked.items, one.routes, strict=True))
        ]
        placed.append(_Placed(row, items, [drafting.as_kept(sold) for sold in one.looked.items], one.wanted.back_url))
    for some in (placed[:1], placed[1:]):  # somebody's first order is judged as such, and the others are not
        Order.objects.bulk_create([each.row for each in some])
        OrderItem.objects.bulk_create([item for each in some for item in each.items])
        for each in some:
            if each.row.state == State.PAYING and each.row.paid_by == PaidBy.BALANCE:
                judging.judge_within(each.row, each.items, each.parties, proven=whence.proven, by=by)
    _begin([each for each in placed if each.row.state == State.PAYING], by=by)
    Order.objects.bulk_update([each.row for each in placed], BEGUN)
    custody.record_facts(ORDER, [said_of(each.row, each.items) | {"by": by.source} for each in placed])


BEGUN: Final = ("state", "reasons", "look", "intent", "try_at")
"""What an order's beginning changes in its row."""


def _begin(placed: Sequence[_Placed], *, by: Person) -> None:
    """Pay out of the balance and make the items, or note that a card is to be asked. The caller saves the rows."""
    now = timezone.now()
    at_once = [each for each in placed if each.row.paid_by == PaidBy.BALANCE]
    by_card = [each for each in placed if each.row.paid_by != PaidBy.BALANCE]
    for some, settled in ((at_once, True), (by_card, False)):
        for currency in sorted({each.row.currency for each in some}):
            payable = [(each.row.id, each.row.total_minor) for each in some if each.row.currency == currency]
            people.spend_within(by, payable, currency, settled=settled)
    if at_once:
        parties = [party for each in at_once for party in each.parties]
        make_within([item for each in at_once for item in each.items], parties, by=by, now=now)
        for owner in sorted({each.row.owner for each in at_once}):  # last: a balance's lock is held shortest
            bought = [(each.row.id, price_of(each.row)) for each in at_once if each.row.owner == owner]
            payments.pay_many_from_balance(bought, owner=owner, by=by)
    for each in at_once:
        each.row.state = State.BOUGHT.value
    for each in by_card:
        row = each.row
        back_url = each.back_url or f"{config.get().public_url}/app/orders/{row.id}"
        row.intent = uuid.uuid5(row.id, "card")
        row.try_at = now + LOOK_AFTER
        payments.authorise_within(row.intent, price_of(row), about=row.id, owner=row.owner, back_url=back_url, by=by)


def price_of(row: Order) -> Price:
    """Return what an order costs."""
    return Price(row.total_minor, row.tax_minor, Currency(row.currency))


def record(row: Order, items: list[OrderItem], *, by: Person) -> None:
    """Make the entry of how an order stands now."""
    custody.record_fact(ORDER, said_of(row, items) | {"by": by.source})


def go_on(order_id: UUID, *, by: Person) -> State:
    """Ask the provider what is to be asked of an order by card, and go as far as it lets us. Safe to repeat, at once.

    Called by whoever placed the order, by the page to which a payer comes back, and by the worker.
    """
    require(by, Task.ORDER)
    if by.role is not Role.MACHINERY and not Order.objects.filter(pk=order_id, owner=owner_of(by)).exists():
        raise NotFound("No such order")
    for _ in range(3):
        row = Order.objects.get(pk=order_id)
        if row.intent is None or State(row.state) in ENDED:
            return State(row.state)
        payments.go_on(row.intent)
        before = row.state
        house = people.machinery()
        standing = purchase(row.intent, by=house).standing
        if standing is Standing.AUTHORISED and row.state == State.PAYING:
            _make(row, by=house)
        elif standing is Standing.CAPTURED:
            _bought(row.id, by=house)
        elif standing in {Standing.DECLINED, Standing.VOIDED}:
            _undone(row.id, standing, by=house)
        now_is = State(Order.objects.values_list("state", flat=True).get(pk=order_id))
        if now_is == before:
            return now_is
    return now_is


def _make(row: Order, *, by: Person) -> None:
    """Make the items of an order that was authorised, and have the money taken: both, or neither."""
    parties = opened([one.addressee for one in OrderItem.objects.filter(order=row).order_by("place")], by=by)
    with transaction.atomic():
        locked = Order.objects.select_for_update().get(pk=row.pk)
        if locked.state != State.PAYING or locked.intent is None:
            return
        items = list(OrderItem.objects.select_for_update().filter(order=locked).order_by("place"))
        judging.judge_within(locked, items, parties, proven=False, by=by)
        if locked.state == State.PAYING:
            _take(locked, items, parties, by=by)
            return
        if locked.state == State.REFUSED:
            payments.void_within(locked.intent, by=by)
            people.cancel_spent(locked.id)
        turn(locked, State(locked.state), by=by, items=items)


def _take(row: Order, items: list[OrderItem], parties: Sequence[Party], *, by: Person) -> None:
    """Make the items of an authorised order, and note that its money is to be taken."""
    if row.intent is None:
        raise ValueError("an order that a balance pays has no payment by card")  # the caller's bug
    make_within(items, parties, by=by, now=timezone.now())
    payments.capture_within(row.intent, by=by)
    turn(row, State.MAKING, by=by, items=items)


def let_go_on(row: Order, parties: Sequence[Party], *, by: Person) -> None:
    """Let an order that a person has looked at go on from where it stopped, in the caller's transaction."""
    house = people.machinery()
    items = list(OrderItem.objects.select_for_update().filter(order=row).order_by("place"))
    if row.intent is None:
        row.state = State.PAYING.value
        _begin([_Placed(row, items, parties)], by=house)
        turn(row, State(row.state), by=by, items=items)
    elif purchase(row.intent, by=house).standing is Standing.AUTHORISED:
        _take(row, items, parties, by=house)
    else:  # too late: what was authorised ended meanwhile, and `go_on` says so
        turn(row, State.PAYING, by=by, items=items)


def opened(tokens: Sequence[UUID], *, by: Person) -> list[Party]:
    """Return the people of an order as they are kept, to make their labels. Raises NotInVault for who is gone."""
    with privacy.reveal_many(
        [VaultToken(token) for token in tokens], party_text.KEPT, purpose=Purpose.LABEL, by=by
    ) as found:
        missing = [token for token in tokens if VaultToken(token) not in found]
        if missing:
            raise NotNow("An addressee of this order was forgotten meanwhile: it cannot be sent", code="forgotten")
        return [party_text.party_of(found[VaultToken(token)]) for token in tokens]


@transaction.atomic
def _bought(order_id: UUID, *, by: Person) -> None:
    row = Order.objects.select_for_update().get(pk=order_id)
    if row.state == State.MAKING:
        people.settle_spent(row.id)
        turn(row, State.BOUGHT, by=by)


@transaction.atomic
def _undone(order_id: UUID, standing: Standing, *, by: Person) -> None:
    row = Order.objects.select_for_update().get(pk=order_id)
    if State(row.state) in ENDED:
        return
    items = list(OrderItem.objects.filter(order=row).order_by("place"))
    made = [one.item for one in items if one.item is not None]
    for item in made:
        parcels.void_label(item, by=by, now=timezone.now())
    people.cancel_spent(row.id)
    code = "card_declined" if standing is Standing.DECLINED else "not_paid"
    if standing is Standing.DECLINED:
        judging.declined_within(row, by=by, now=timezone.now())
    row.reasons = [*row.reasons, {"code": code, "place": None, "details": {}}]
    turn(row, State.UNDONE, by=by, items=items)


def turn(row: Order, state: State, *, by: Person, items: list[OrderItem] | None = None) -> None:
    """Write how an order stands now, with its entry, in the caller's transaction."""
    now = timezone.now()
    row.state, row.changed_at, row.tries = state.value, now, 0
    row.try_at = None if state in ENDED or state is State.REVIEW else now + LOOK_AFTER
    row.save()
    record(row, items or list(OrderItem.objects.filter(order=row).order_by("place")), by=by)


def give_up(order_id: UUID, *, by: Person) -> State:
    """Close an order that was not paid yet. One that is paid meanwhile stays bought. Raises NotFound, NotNow."""
    require(by, Task.ORDER)
    row = Order.objects.filter(pk=order_id, owner=owner_of(by)).first()
    if row is None:
        raise NotFound("No such order")
    with transaction.atomic():
        row = Order.objects.select_for_update().get(pk=order_id)
        if row.state == State.REVIEW:
            if row.intent is not None:
                payments.void_within(row.intent, by=by)
            people.cancel_spent(row.id)
            row.reasons = [*row.reasons, {"code": "given_up", "place": None, "details": {}}]
            turn(row, State.UNDONE, by=by)
        elif row.state == State.PAYING and row.intent is not None:
            payments.void_within(row.intent, by=by)
        elif State(row.state) is State.MAKING:
            raise NotNow("This order is being paid at this moment: cancel it once it is bought")
    return go_on(order_id, by=by)
