"""Orders that come together are bought together: one transaction, and its statements and its commit, serve them all.

Who comes first leads: they buy for themselves and for whoever came while the ones before were bought; then the next
one leads. An order waits for nobody where nobody else buys, and the more buy at once, the less each costs. Where they
cannot be bought together, because one balance is too small or somebody asks the same twice, each is bought alone.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import db
from parcelward.base.errors import ParcelwardError
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Once, Task
from parcelward.shipping.actions import orders
from parcelward.shipping.actions.drafting import Asked
from parcelward.shipping.queries.orders import order
from parcelward.shipping.wire import OrderSeen, State

log = logging.getLogger("parcelward.orders")

ORDERS_MAX: Final = 32  # in one transaction: beyond that each costs no less, and all wait longer
ITEMS_MAX: Final = 200
WAIT_MS: Final = 300  # for a grant or a balance that somebody else holds


class _Ticket:
    """An order whose buyer waits for it."""

    __slots__ = ("asked", "leads", "once", "outcome", "turn")

    def __init__(self, asked: Asked, once: Once) -> None:
        self.asked = asked
        self.once = once
        self.turn = threading.Event()  # they lead now, or have their outcome
        self.leads = False
        self.outcome: OrderSeen | ParcelwardError | None = None

    @property
    def name(self) -> tuple[int, str]:
        """What is bought once."""
        return self.once.source, self.once.key


_lock: Final = threading.Lock()
_waiting: Final[deque[_Ticket]] = deque()  # where nobody leads, nobody waits
_led: Final = threading.Event()


def buy_once(asked: Asked, key: str, digest: bytes, before: Sequence[bytes] = ()) -> OrderSeen:
    """Buy an order, once under an Idempotency-Key (as `people.once`), and go as far with it as a card lets us.

    Sent again, it is the same order as it stands then. Raises MayNot, and as `orders.place_within`.
    """
    require(asked.by, Task.ORDER)
    require(asked.by, Task.READ_ORDERS)  # what is bought is shown, now and when it is sent again
    people.require_key(key)
    seen = _together(asked, key, digest)
    if seen is not None and seen.state is not State.PAYING:
        return seen

    def alone() -> tuple[int, bytes]:
        return people.OK, orders.place_within(asked.id, asked.wanted, by=asked.by, whence=asked.whence).bytes

    _, answer = people.once(key, digest, alone, by=asked.by, now=timezone.now(), before=before)
    found = UUID(bytes=answer)
    orders.go_on(found, by=asked.by)
    return order(found, by=asked.by)


def _together(asked: Asked, key: str, digest: bytes) -> OrderSeen | None:
    """Buy with whoever buys at this moment; None where it is to be done alone."""
    ticket = _Ticket(asked, Once(asked.by.source, key, digest, asked.id.bytes))
    with _lock:
        _waiting.append(ticket)
        if not _led.is_set():
            _led.set()
            ticket.leads = True
            ticket.turn.set()
    ticket.turn.wait()
    if ticket.leads:
        _lead()
    if isinstance(ticket.outcome, ParcelwardError):
        raise ticket.outcome
    return ticket.outcome


def _lead() -> None:
    """Buy for those who wait, and let the first of those who came meanwhile lead."""
    taken: list[_Ticket] = []
    try:
        with _lock:
            taken = _take()
        _settle(taken)
    finally:
        with _lock:
            following = _waiting[0] if _waiting else None
            if following is None:
                _led.clear()
            else:
                following.leads = True
        for ticket in taken:
            ticket.turn.set()
        if following is not None:
            following.turn.set()


def _take() -> list[_Ticket]:
    """Return who is served now; who asks for what another asks for at the same moment is taken, and served alone."""
    taken = [_waiting.popleft()]
    items = len(taken[0].asked.wanted.items)
    while _waiting and len(taken) < ORDERS_MAX:
        items += len(_waiting[0].asked.wanted.items)
        if items > ITEMS_MAX:
            break
        taken.append(_waiting.popleft())
    return taken


def _settle(taken: Sequence[_Ticket]) -> None:
    """Give each its outcome, or none."""
    some = list({ticket.name: ticket for ticket in reversed(taken)}.values())
    try:
        found = _buy(some)
    except ParcelwardError as refused:
        if len(taken) == 1:
            taken[0].outcome = refused
        return
    except db.AWAY:
        return  # whoever is alone finds it out, and says it
    except Exception as err:  # noqa: BLE001 -- alone, each says what it was; its words here may repeat what was typed
        log.warning("%d orders could not be bought together: %s", len(some), type(err).__name__)
        return
    for ticket in some:
        ticket.outcome = found.get(ticket.name)


@transaction.atomic
def _buy(some: Sequence[_Ticket]) -> dict[tuple[int, str], OrderSeen | ParcelwardError | None]:
    """Buy what was not bought before; what cannot be sold is forgotten again."""
    new = people.take_many_within([ticket.once for ticket in some], now=timezone.now())
    with db.cursor() as cur:  # whoever waits for long for somebody else does so alone, and keeps nobody waiting
        cur.execute(f"SET LOCAL lock_timeout = {WAIT_MS}")
    mine = [ticket for ticket in some if ticket.name in new]
    outcomes = orders.place_many_within([ticket.asked for ticket in mine])
    found = {ticket.name: outcome for ticket, outcome in zip(mine, outcomes, strict=True)}
    people.give_back_within(name for name, outcome in found.items() if isinstance(outcome, ParcelwardError))
    return found
