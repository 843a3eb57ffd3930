"""What others may read of money, as frozen values: each sees their own, the operator's people with the right all."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from parcelward.base import db
from parcelward.base.errors import NotFound
from parcelward.base.standards.money import Currency
from parcelward.payments import intent_check, ledger_check
from parcelward.payments.errors import NoProvider
from parcelward.payments.models import Intent as Row
from parcelward.payments.providers.chosen import provider
from parcelward.payments.wire import CHART, Balance, CardSeen, Entry, Intent, Kind, Purpose, Standing, Verb
from parcelward.people.queries import may, require
from parcelward.people.wire import Person, Role, Task

check_ledger = ledger_check.check_ledger
check_intents = intent_check.check_intents
DISPUTE = intent_check.DISPUTE

_BALANCES = (
    "SELECT a.currency, b.posted_minor, b.held_minor FROM payments_balance b "
    "JOIN payments_account a ON a.number = b.account_id WHERE a.kind = %s AND a.owner = %s ORDER BY a.currency"
)
# The newest lines of an owner's account, with what was in it after each: of postings that moved something.
_ENTRIES = (
    "SELECT l.id, p.recorded_at, p.reason, p.about, l.amount_minor * %(side)s, b.posted_minor - coalesce(("
    "  SELECT sum(n.amount_minor) * %(side)s FROM payments_line n JOIN payments_posting q ON q.id = n.posting_id "
    "  WHERE n.account_id = l.account_id AND n.id > l.id AND q.state = 'posted'), 0)::bigint "
    "FROM payments_line l JOIN payments_posting p ON p.id = l.posting_id "
    "JOIN payments_account a ON a.number = l.account_id JOIN payments_balance b ON b.account_id = a.number "
    "WHERE a.kind = %(kind)s AND a.owner = %(owner)s AND a.currency = %(currency)s AND p.state = 'posted' "
    "AND (%(before)s::bigint IS NULL OR l.id < %(before)s) ORDER BY l.id DESC LIMIT %(limit)s"
)


def owner_of(by: Person) -> UUID:
    """Return whose money somebody moves: their organisation's, or their own."""
    return by.organisation or by.id


def intent(intent_id: UUID, *, by: Person) -> Intent:
    """Return a payment of one's own; the operator's people with the right see any. Raises NotFound."""
    row = Row.objects.filter(_theirs(by), pk=intent_id).first()
    if row is None:
        raise NotFound("No such payment")
    return _seen(row)


def purchase(intent_id: UUID, *, by: Person) -> Intent:
    """Return a purchase by card, for its buyer or the house that goes on with it. Raises NotFound."""
    require(by, Task.ORDER)
    mine = Q() if by.role is Role.MACHINERY else Q(owner=owner_of(by))
    row = Row.objects.filter(mine, pk=intent_id, purpose=Purpose.PURCHASE.value).first()
    if row is None:
        raise NotFound("No such payment")
    return _seen(row)


def card_of(intent_id: UUID, *, by: Person) -> CardSeen:
    """Return what is known of the card that pays a purchase. Raises NotFound."""
    purchase(intent_id, by=by)
    return CardSeen(*Row.objects.values_list("card", "card_country", "authenticated").get(pk=intent_id))


def intents(*, by: Person, limit: int = 50) -> tuple[Intent, ...]:
    """Return the newest payments that somebody may see."""
    if not may(by, Task.READ_MONEY):
        require(by, Task.READ_BALANCE)
    return tuple(_seen(row) for row in Row.objects.filter(_theirs(by)).order_by("-created_at")[:limit])


def balances(*, by: Person) -> dict[Currency, Balance]:
    """Return what is in one's own postage balances."""
    require(by, Task.READ_BALANCE)
    with db.cursor() as cur:
        cur.execute(_BALANCES, (Kind.POSTAGE_BALANCE.value, owner_of(by)))
        return {Currency(code): Balance(posted, held) for code, posted, held in cur.fetchall()}


def statement(currency: Currency, *, by: Person, before: int | None = None, limit: int = 50) -> tuple[Entry, ...]:
    """Return what moved in one's own postage balance, the newest first; `before` is the number of the last one seen."""
    require(by, Task.READ_BALANCE)
    values = {
        "before": before,
        "currency": currency,
        "kind": Kind.POSTAGE_BALANCE.value,
        "limit": limit,
        "owner": owner_of(by),
        "side": int(CHART[Kind.POSTAGE_BALANCE].side),
    }
    with db.cursor() as cur:
        cur.execute(_ENTRIES, values)
        return tuple(Entry(*row) for row in cur.fetchall())


def _theirs(by: Person) -> Q:
    """Return the condition of the payments that somebody may see."""
    return Q() if may(by, Task.READ_MONEY) else Q(owner=owner_of(by))


def _seen(row: Row) -> Intent:
    return Intent(
        row.id,
        row.owner,
        Purpose(row.purpose),
        row.about,
        row.amount_minor,
        Currency(row.currency),
        Standing(row.state),
        Verb(row.verb),
        row.captured_minor,
        row.refunded_minor,
        row.url,
        row.decline_code,
        row.created_at,
        simulated=row.provider == "simulated",
    )


def pages_at() -> str:
    """Return the origin of the pages where payers pay; empty where nobody takes payments."""
    try:
        return provider().pages_at
    except NoProvider:
        return ""
