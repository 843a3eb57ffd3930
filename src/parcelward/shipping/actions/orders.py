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
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import NotFound, Problem
from parcelward.base.standards.money import Currency
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.network import queries as network
from parcelward.network.wire import RouteRow
from parcelward.parcels import actions as parcels
from parcelward.payments import actions as payments
from parcelward.payments.queries import owner_of, purchase
from parcelward.payments.wire import Price, Standing
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Role, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries as vault
from parcelward.privacy.wire import Kind, Purpose
from parcelward.shipping import order_rules, party_text
from parcelward.shipping.actions import judging, quotes
from parcelward.shipping.actions.making import make_within
from parcelward.shipping.errors import BadOrder, NotNow, QuoteOver
from parcelward.shipping.models import Order, OrderItem, SenderAddress
from parcelward.shipping.order_check import ORDER, said_of
from parcelward.shipping.order_rules import Checked, Sold
from parcelward.shipping.queries import tariffs
from parcelward.shipping.wire import ENDED, OrderWanted, PaidBy, Party, State, Whence, Why

NOWHERE: Final = Whence()
LOOK_AFTER: Final = dt.timedelta(seconds=20)  # the worker goes on with what nobody goes on with by then
LOOK_AGAIN: Final = (5.0, 30.0, 120.0, 600.0, 3600.0)  # seconds; the last one repeats
GIVEN_UP_AFTER: Final = dt.timedelta(hours=24)  # a payer who never came back


def place_within(order_id: UUID, wanted: OrderWanted, *, by: Person, whence: Whence = NOWHERE) -> UUID:
    """Buy what is wanted, or begin to, in the caller's transaction; return the order's id.

    The same order again changes nothing. Raises BadOrder with everything that is wrong, QuoteOver, NoTariff, NotEnough
    where the balance does not hold so much, OverCap where a key may not spend it. Then nothing is kept.
    """
    require(by, Task.ORDER)
    if Order.objects.filter(pk=order_id, owner=owner_of(by)).exists():
        return order_id
    now = timezone.now()
    number, looked, routes = _looked_at(wanted, by=by, now=now)
    stopped = order_rules.screening(looked.items)
    with transaction.atomic():
        row = _order(order_id, wanted, number, looked, whence, by=by, now=now)
        tokens = _keep(looked, by=by)
        row.sender = _sender(wanted.sender, looked, owner=row.owner, by=by)
        row.state, row.reasons = _decided(stopped)
        row.save(force_insert=True)
        closed = network.closed_days(0)
        items = [
            _item(row, place, sold, token, route, closed, now=now)
            for place, (sold, token, route) in enumerate(zip(looked.items, tokens, routes, strict=True))
        ]
        OrderItem.objects.bulk_create(items)
        if row.state == State.PAYING:
            parties = [_as_kept(one) for one in looked.items]
            if wanted.paid_by is PaidBy.BALANCE:
                judging.judge_within(row, items, parties, proven=whence.proven, by=by)
            if row.state == State.PAYING:
                _begin(row, items, parties, back_url=wanted.back_url, by=by)
            row.save()
        record(row, items, by=by)
    return order_id


def _looked_at(wanted: OrderWanted, *, by: Person, now: dt.datetime) -> tuple[int, Checked, list[RouteRow]]:
    """Return by which tariff, what can be sold, and who delivers each. Raises BadOrder with all that is wrong."""
    number, tariff = tariffs.tariff_in_force(now)
    quoted = None if wanted.quote is None else quotes.held(wanted.quote, by=by)
    if wanted.quote is not None:
        if quoted is None or quoted.expires_at < now or len(wanted.items) != 1:
            raise QuoteOver("This quote holds no longer, or is of another parcel: ask for a new one")
        number, tariff = quoted.tariff_id, tariffs.tariff(quoted.tariff_id)
    looked = order_rules.checked(wanted, tariff, {})
    problems = list(looked.problems)
    routes = []
    for place, sold in enumerate(looked.items):
        route = network.route_to(sold.to.country, sold.to.postcode)
        if route is None:
            problems.append(Problem(f"/items/{place}/to/address", "no_route", "We do not deliver to there yet"))
        else:
            routes.append(route)
    if problems:
        raise BadOrder("This order cannot be sold as it is; nothing was bought", problems=tuple(problems))
    if quoted is not None:
        (sold,) = looked.items
        same = (sold.wanted.weight_g, list(sold.wanted.sides_mm), sold.to.country, sold.offer.zone)
        if same != (quoted.weight_g, quoted.sides_mm, quoted.country, quoted.zone) or set(sold.wanted.extras) != set(
            quoted.extras
        ):
            raise QuoteOver("This quote is of another parcel: ask for a new one")
    return number, looked, routes


def _order(
    order_id: UUID,
    wanted: OrderWanted,
    number: int,
    looked: Checked,
    whence: Whence,
    *,
    by: Person,
    now: dt.datetime,
) -> Order:
    return Order(
        id=order_id,
        owner=owner_of(by),
        source=by.source,
        paid_by=wanted.paid_by.value,
        tariff_id=number,
        currency=tariffs.tariff(number).currency,
        total_minor=looked.total_minor,
        tax_minor=looked.tax_minor,
        network=vault.link_mark("network", whence.network) if whence.network else None,
        device=vault.link_mark("device", whence.device) if whence.device else None,
        reference=wanted.reference,
        simulated=by.simulated,
        created_at=now,
        changed_at=now,
    )


def _keep(looked: Checked, *, by: Person) -> tuple[VaultToken, ...]:
    """Put the addressees into the vault, with what is in their parcels."""
    people_kept = [party_text.kept(one.wanted.to, one.to, one.wanted.declaration) for one in looked.items]
    return privacy.put_many(people_kept, kind=Kind.ADDRESSEE, by=by)


def _sender(sender: Party, looked: Checked, *, owner: UUID, by: Person) -> VaultToken:
    """Return the token of a sender's own address: the same one is kept once."""
    fields = party_text.kept(sender, looked.sender)
    mark = vault.link_mark("sender", *(f"{name}={text}" for name, text in sorted(fields.items())))
    known = SenderAddress.objects.filter(owner=owner, mark=mark).values_list("token", flat=True).first()
    if known is not None and vault.is_kept(VaultToken(known)):
        return VaultToken(known)
    token = privacy.put(fields, kind=Kind.SENDER, by=by)
    SenderAddress.objects.update_or_create(owner=owner, mark=mark, defaults={"token": token})
    return token


def _decided(stopped: Sequence[Why]) -> tuple[str, list[dict[str, Any]]]:
    """Return how an order begins, by what was found in it."""
    reasons = [{"code": one.code, "place": one.place, "details": dict(one.details)} for one in stopped]
    if any(one.code in {"hazmat_refuse", "hazmat_accept_ground_only"} for one in stopped):
        return State.REFUSED.value, reasons
    return (State.REVIEW.value if stopped else State.PAYING.value), reasons


def _item(
    row: Order,
    place: int,
    sold: Sold,
    token: VaultToken,
    route: RouteRow,
    closed: Collection[dt.date],
    *,
    now: dt.datetime,
) -> OrderItem:
    offer, wanted = sold.offer, sold.wanted
    first, last = order_rules.promised(offer, now.date(), closed)
    return OrderItem(
        order=row,
        place=place,
        addressee=token,
        product=offer.product,
        service=offer.words,
        s10_mark=sold.product.s10,
        weight_g=wanted.weight_g,
        sides_mm=list(wanted.sides_mm),
        country=sold.to.country,
        zone=offer.zone,
        extras=list(wanted.extras),
        parts=[[part.code, part.words, part.amount_minor] for part in offer.parts],
        tax_minor=offer.tax_minor,
        total_minor=offer.total_minor,
        promised_from=first,
        promised_to=last,
        value_minor=wanted.value_minor,
        screened=int(sold.screened.answer),
        hazmat_rule=sold.screened.rule,
        service_code=sold.screened.service_code,
        reference=wanted.reference,
        office=route.office,
        hub=route.hub,
        round_code=route.round_code,
    )


def _as_kept(sold: Sold) -> Party:
    """Return an addressee with the address in its usual form."""
    return Party(sold.to, sold.wanted.to.email, sold.wanted.to.phone, sold.wanted.to.note)


def _begin(
    row: Order,
    items: list[OrderItem],
    parties: Sequence[Party],
    *,
    back_url: str,
    by: Person,
) -> None:
    """Pay out of the balance and make the items, or note that a card is to be asked. The caller saves the row."""
    now, of_balance = timezone.now(), row.paid_by == PaidBy.BALANCE
    people.spend_within(by, row.total_minor, row.currency, reservation=row.id, settled=of_balance)
    if of_balance:
        make_within(items, parties, by=by, now=now)
        payments.pay_from_balance(row.id, price_of(row), owner=row.owner, by=by)  # last: its lock is held shortest
        row.state = State.BOUGHT.value
        return
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
        _begin(row, items, parties, back_url="", by=house)
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
