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

from parcelward.base import config, db
from parcelward.base.errors import NotFound, ParcelwardError
from parcelward.base.standards.money import Currency
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.network import queries as network
from parcelward.parcels import actions as parcels
from parcelward.payments import actions as payments
from parcelward.payments.queries import owner_of, purchase
from parcelward.payments.wire import Price, Standing
from parcelward.people import actions as people
from parcelward.people.queries import key_of, require
from parcelward.people.wire import Person, Role, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Purpose
from parcelward.shipping import order_rules, party_text
from parcelward.shipping.actions import customs, drafting, judging
from parcelward.shipping.actions.drafting import Asked
from parcelward.shipping.actions.making import MADE, make_within
from parcelward.shipping.errors import BadOrder, NoTariff, NotNow, QuoteOver
from parcelward.shipping.models import Order, OrderItem
from parcelward.shipping.order_check import ORDER, said_of
from parcelward.shipping.queries.orders import declared, seen
from parcelward.shipping.wire import ENDED, OrderSeen, OrderWanted, PaidBy, Party, State, Whence

LOOK_AFTER: Final = dt.timedelta(seconds=20)  # the worker goes on with what nobody goes on with by then
LOOK_AGAIN: Final = (5.0, 30.0, 120.0, 600.0, 3600.0)  # seconds; the last one repeats
GIVEN_UP_AFTER: Final = dt.timedelta(hours=24)  # a payer who never came back


def place_within(order_id: UUID, wanted: OrderWanted, *, by: Person, whence: Whence = drafting.NOWHERE) -> UUID:
    """Buy what is wanted, or begin to, in the caller's transaction; return the order's id.

    The same order again changes nothing. Raises BadOrder with everything that is wrong, QuoteOver, NoTariff, NotEnough
    where the balance does not hold so much, OverCap where a key may not spend it. Then nothing is kept.
    """
    (outcome,) = place_many_within([Asked(order_id, wanted, by, whence)])
    if isinstance(outcome, ParcelwardError):
        raise outcome
    return order_id


def place_many_within(asked: Sequence[Asked]) -> list[OrderSeen | ParcelwardError | None]:
    """Buy each of several orders, of any buyers, in the caller's transaction.

    Return how each stands then, why it cannot be sold, or None for one that was placed before. Those that cannot be
    sold are left out; the others are bought together or, as `place_within` raises, none of them.
    """
    for one in asked:
        require(one.by, Task.ORDER)
    now = timezone.now()
    there = dict(Order.objects.filter(pk__in=[one.id for one in asked]).values_list("pk", "owner"))
    outcomes: list[OrderSeen | ParcelwardError | None] = []
    good: dict[int, drafting.Good] = {}
    for at, one in enumerate(asked):
        outcomes.append(None)
        if there.get(one.id) == owner_of(one.by):
            continue
        try:
            good[at] = drafting.Good(one, *drafting.looked_at(one.wanted, by=one.by, now=now))
        except (BadOrder, QuoteOver, NoTariff) as bad:
            outcomes[-1] = bad
    if good:
        with transaction.atomic(savepoint=False), custody.facts_together():
            for at, placed in zip(good, _place(list(good.values()), now=now), strict=True):
                outcomes[at] = seen(placed.row, placed.items, "", declared(placed.items))
    return outcomes


@dataclass(frozen=True, slots=True, repr=False)
class _Placed:
    """An order that is stored, or about to be."""

    row: Order
    items: list[OrderItem]
    parties: Sequence[Party]
    by: Person
    proven: bool = False
    back_url: str = ""

    @property
    def begins(self) -> bool:
        """Whether it is to be paid now."""
        return self.row.state == State.PAYING

    @property
    def at_once(self) -> bool:
        """Whether a balance pays it, in the same transaction."""
        return self.row.paid_by == PaidBy.BALANCE


def _place(good: Sequence[drafting.Good], *, now: dt.datetime) -> list[_Placed]:
    """Keep the people, have each order judged, begin with those that may, and store all: few statements for many."""
    closed = network.closed_days(0)
    placed: list[_Placed] = []
    for one, tokens, sender in zip(good, drafting.kept(good), drafting.senders_kept(good), strict=True):
        row, looked = drafting.order_row(one, now=now), one.looked.items
        row.sender = sender
        row.state, row.reasons = drafting.decided(order_rules.screening(looked))
        items = [
            drafting.item_row(row, place, sold, token, route, (now.date(), closed))
            for place, (sold, token, route) in enumerate(zip(looked, tokens, one.routes, strict=True))
        ]
        parties, asked = [drafting.as_kept(sold) for sold in looked], one.asked
        placed.append(_Placed(row, items, parties, asked.by, asked.whence.proven, asked.wanted.back_url))
    judged = [each for each in placed if each.begins and each.at_once]
    if judged:
        judging.judge_within(
            [judging.Judged(each.row, each.items, each.parties, each.proven, each.by) for each in judged]
        )
    _begin([each for each in placed if each.begins])
    db.insert_rows([each.row for each in placed])
    db.insert_rows([item for each in placed for item in each.items])
    customs.note_within(good, [each.items for each in placed], now=now)
    _pay(placed)
    custody.record_facts(ORDER, [said_of(each.row, each.items) | {"by": each.by.source} for each in placed])
    return placed


def _begin(placed: Sequence[_Placed]) -> None:
    """Make the items that balances pay for, or note that cards are to be asked. The caller saves the rows, and pays."""
    now = timezone.now()
    at_once = [each for each in placed if each.at_once]
    by_card = [each for each in placed if not each.at_once]
    if placed:
        people.spend_within([_spend(each) for each in placed])
    if at_once:
        parties = [party for each in at_once for party in each.parties]
        make_within([item for each in at_once for item in each.items], parties, now=now)
    for each in at_once:
        each.row.state = State.BOUGHT.value
    for each in by_card:
        row = each.row
        back_url = each.back_url or f"{config.get().public_url}/app/orders/{row.id}"
        row.intent = uuid.uuid5(row.id, "card")
        row.try_at = now + LOOK_AFTER
        price = price_of(row)
        payments.authorise_within(row.intent, price, about=row.id, owner=row.owner, back_url=back_url, by=each.by)


def _spend(placed: _Placed) -> people.Spend:
    """Return what counts against the grant of the key that ordered, whoever lets the order go on."""
    row, who = placed.row, placed.by
    key = who.id if who.source == placed.row.source else key_of(row.source) or who.id
    return people.Spend(key, row.id, row.total_minor, row.currency, settled=placed.at_once)


def _pay(placed: Sequence[_Placed]) -> None:
    """Take what was bought out of its buyers' balances: last, for their locks are then held shortest."""
    bought = [each for each in placed if each.row.state == State.BOUGHT]
    if bought:
        payments.pay_many_from_balance(
            [payments.Bought(each.row.id, price_of(each.row), each.row.owner, each.by) for each in bought]
        )


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
        judging.judge_within([judging.Judged(locked, items, parties, proven=False, by=by)])
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
    make_within(items, parties, now=timezone.now())
    OrderItem.objects.bulk_update(items, MADE)
    payments.capture_within(row.intent, by=by)
    turn(row, State.MAKING, by=by, items=items)


def let_go_on(row: Order, parties: Sequence[Party], *, by: Person) -> None:
    """Let an order that a person has looked at go on from where it stopped, in the caller's transaction."""
    house = people.machinery()
    items = list(OrderItem.objects.select_for_update().filter(order=row).order_by("place"))
    if row.intent is None:
        row.state = State.PAYING.value
        placed = [_Placed(row, items, parties, house)]
        _begin(placed)
        OrderItem.objects.bulk_update(items, MADE)
        _pay(placed)
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
