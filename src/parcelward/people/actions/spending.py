"""What an API key may spend: granted by a person up to a cap, reserved before a payment, settled or given back after.

A reservation locks its grant, so the caps hold however many are asked for at once. Granting and withdrawing are
entries in the log; what was paid is the ledger's to say.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from parcelward.base import db
from parcelward.base.errors import Conflict, Invalid, NotAllowed, NotFound
from parcelward.custody import actions as custody
from parcelward.people import reach
from parcelward.people.actions.keys import require_theirs
from parcelward.people.errors import MayNot
from parcelward.people.key_check import SPENDING_GRANTED, SPENDING_WITHDRAWN
from parcelward.people.models import ApiKey, SpendGrant, Spending, SpentDay
from parcelward.people.queries import revoked_among
from parcelward.people.roles import require
from parcelward.people.wire import Person, Task

GRANT_FOR_MAX: Final = dt.timedelta(days=365)
CAP_MAX: Final = 10**15  # minor units: far from what a bigint's sum could not hold
_CURRENCY: Final = re.compile(r"[A-Z]{3}")  # ISO 4217
REUSED_WORDS: Final = "This id stands for another payment, or one that was given up"
RESERVED: Final = "reserved"
SETTLED: Final = "settled"
CANCELLED: Final = "cancelled"


_GRANTS: Final = (
    "SELECT g.key_id, g.currency, g.id, g.cap_payment_minor, g.cap_day_minor, g.cap_month_minor, k.source_id "
    "FROM people_spendgrant g JOIN people_apikey k ON k.id = g.key_id "
    "JOIN unnest(%s::uuid[], %s::text[]) AS w(key, currency) ON w.key = g.key_id AND w.currency = g.currency "
    "WHERE g.withdrawn_at IS NULL AND g.expires_at > %s ORDER BY g.id FOR UPDATE OF g"
)
_RESERVED: Final = (
    "SELECT s.id, g.key_id, g.currency, s.reserved_minor, s.state FROM people_spending s "
    "JOIN people_spendgrant g ON g.id = s.grant_id WHERE s.id = ANY(%s)"
)
_USED: Final = (
    "SELECT grant_id, sum(amount_minor) FILTER (WHERE day = %s), sum(amount_minor) FROM people_spentday "
    "WHERE grant_id = ANY(%s) AND day >= %s AND day <= %s GROUP BY grant_id"
)
_COUNT: Final = (
    "INSERT INTO people_spentday AS d (grant_id, day, amount_minor) SELECT u.of, %s, u.amount "
    "FROM unnest(%s::uuid[], %s::bigint[]) AS u(of, amount) "
    "ON CONFLICT (grant_id, day) DO UPDATE SET amount_minor = d.amount_minor + excluded.amount_minor"
)
_SPEND: Final = (
    "INSERT INTO people_spending (id, grant_id, amount_minor, reserved_minor, state, ended_at, day, reserved_at) "
    "SELECT u.id, u.of, u.amount, u.amount, u.state, u.ended, %s, %s "
    "FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::text[], %s::timestamptz[]) "
    "AS u(id, of, amount, state, ended)"
)


class Spend(NamedTuple):
    """A payment that somebody asks for: by which key, under which id of the caller's, and how much."""

    key: UUID
    reservation: UUID
    amount_minor: int
    currency: str
    settled: bool = False  # it is made in the same transaction


class _Grant(NamedTuple):
    id: UUID
    cap_payment_minor: int
    cap_day_minor: int | None
    cap_month_minor: int | None
    source: int


class OverCap(NotAllowed):
    """The payment is more than the key's grant leaves."""

    default_code = "over_cap"


@transaction.atomic
def grant_spending(
    key_id: UUID,
    *,
    currency: str,
    cap_payment_minor: int,
    cap_day_minor: int | None,
    cap_month_minor: int | None,
    lifetime: dt.timedelta,
    by: Person,
) -> UUID:
    """Let a key spend in one currency, up to caps; return the grant's id. Raises Conflict while it has one there.

    A key grants nothing to itself and to what it made. Raises MayNot for that, and for another tenant's key.
    """
    require(by, Task.GRANT_SPENDING)
    caps = [cap_payment_minor, *(cap for cap in (cap_day_minor, cap_month_minor) if cap is not None)]
    if len(caps) == 1:
        raise Invalid("A grant has a cap for each day or each month", code="no_cap")
    if not _CURRENCY.fullmatch(currency) or not all(0 < cap <= CAP_MAX for cap in caps):
        raise Invalid("A grant names a currency by its three letters, and caps above zero", code="bad_cap")
    if not dt.timedelta() < lifetime <= GRANT_FOR_MAX:
        raise Invalid(f"A grant is valid for 1 to {GRANT_FOR_MAX.days} days", code="bad_lifetime")
    key, now = _key(key_id, by=by), timezone.now()
    if by.id in {key.id, key.maker_id}:
        raise MayNot("A key cannot let itself spend, nor a key that it made: sign in", code="own_grant")
    if key.organisation is not None:
        require_theirs(key.organisation, by=by)
    if key.source_id in revoked_among([key.source_id]):
        raise Conflict("This key is no longer valid", code="key_ended")
    running = SpendGrant.objects.filter(key=key, currency=currency, withdrawn_at=None).first()
    if running is not None and running.expires_at > now:
        raise Conflict("This key may spend in this currency already: withdraw that grant first", code="granted")
    if running is not None:
        running.withdrawn_at = running.expires_at  # it ended by itself
        running.save(update_fields=["withdrawn_at"])
    grant = SpendGrant.objects.create(
        key=key,
        currency=currency,
        cap_payment_minor=cap_payment_minor,
        cap_day_minor=cap_day_minor,
        cap_month_minor=cap_month_minor,
        granted_by_id=by.source,
        granted_at=now,
        expires_at=now + lifetime,
    )
    said = {
        "by": by.source,
        "cap_day_minor": cap_day_minor,
        "cap_month_minor": cap_month_minor,
        "cap_payment_minor": cap_payment_minor,
        "currency": currency,
        "expires_at": grant.expires_at.isoformat(),
        "grant": str(grant.id),
        "key": str(key.id),
    }
    custody.record_fact(SPENDING_GRANTED, said)
    return grant.id


@transaction.atomic
def withdraw_spending(grant_id: UUID, *, by: Person, key_id: UUID | None = None) -> None:
    """Let a key spend nothing more under a grant. Doing it twice changes nothing; what is reserved can be settled."""
    require(by, Task.GRANT_SPENDING)
    key = SpendGrant.objects.filter(pk=grant_id).values_list("key_id", flat=True).first()
    named = key_id in {None, key}  # the address says whose grant it is, and must say it right
    if key is None or not named or not ApiKey.objects.filter(reach.within(by), pk=key).exists():
        raise NotFound("No such grant")
    grant = SpendGrant.objects.select_for_update().get(pk=grant_id)
    if grant.withdrawn_at is None:
        grant.withdrawn_at = timezone.now()
        grant.save(update_fields=["withdrawn_at"])
        said = {"by": by.source, "grant": str(grant.id), "withdrawn_at": grant.withdrawn_at.isoformat()}
        custody.record_fact(SPENDING_WITHDRAWN, said)


def _key(key_id: UUID, *, by: Person) -> ApiKey:
    key = ApiKey.objects.select_for_update(of=("self",)).filter(reach.within(by), pk=key_id).first()
    if key is None:
        raise NotFound("No such key")
    return key


def reserve_spend(
    key_id: UUID, amount_minor: int, currency: str, *, reservation: UUID, now: dt.datetime | None = None
) -> None:
    """Count a payment against a key's grant before it is made. `reservation` is the caller's id for the payment.

    Asked again with the same id, it changes nothing. Raises OverCap where a cap would be exceeded, where there is no
    grant and where the key is no longer valid; Conflict where the id stands for another payment.
    """
    _reserve([Spend(key_id, reservation, amount_minor, currency)], now=now or timezone.now())


@transaction.atomic
def _reserve(wanted: Sequence[Spend], *, now: dt.datetime) -> None:
    """Count payments, all or none."""
    if any(one.amount_minor <= 0 for one in wanted):
        raise Invalid("A payment is more than nothing", code="bad_amount")
    grants = _grants(wanted, now)
    known = _known([one.reservation for one in wanted])
    new: list[tuple[Spend, _Grant]] = []
    for one in wanted:
        before = known.get(one.reservation)
        if before is None:
            grant = grants.get((one.key, one.currency))
            if grant is None:
                raise OverCap("This key has no grant to spend in this currency")
            if one.amount_minor > grant.cap_payment_minor:
                raise OverCap("This payment is more than the key may make at once")
            new.append((one, grant))
        elif before != (one.key, one.currency, one.amount_minor):
            raise Conflict(REUSED_WORDS, code="reservation_reused")
    if new:
        today = now.astimezone(dt.UTC).date()
        more: Counter[_Grant] = Counter()
        for one, grant in new:
            more[grant] += one.amount_minor
        _require_room(more, today)
        _store(new, today, now=now)
        with db.cursor() as cur:
            cur.execute(_COUNT, (today, [grant.id for grant in more], list(more.values())))


def _grants(wanted: Sequence[Spend], now: dt.datetime) -> dict[tuple[UUID, str], _Grant]:
    """Lock the grants of keys that may still spend, in one order for everybody, and return them.

    The lock makes reservations of one grant take turns: each sees what those before it counted.
    """
    pairs = sorted({(one.key, one.currency) for one in wanted})
    with db.cursor() as cur:
        cur.execute(_GRANTS, ([key for key, _ in pairs], [currency for _, currency in pairs], now))
        found = {(row[0], row[1]): _Grant(*row[2:]) for row in cur.fetchall()}
    revoked = revoked_among({grant.source for grant in found.values()})
    return {pair: grant for pair, grant in found.items() if grant.source not in revoked}


def _known(reservations: Sequence[UUID]) -> dict[UUID, tuple[UUID, str, int]]:
    """Return of which key, in which currency and how much was reserved before; what was given up is of no amount."""
    with db.cursor() as cur:
        cur.execute(_RESERVED, (list(reservations),))
        return {row[0]: (row[1], row[2], 0 if row[4] == CANCELLED else row[3]) for row in cur.fetchall()}


def _require_room(more: Mapping[_Grant, int], today: dt.date) -> None:
    """Raise OverCap where a day's or a month's cap does not hold so much more."""
    with db.cursor() as cur:
        cur.execute(_USED, (today, [grant.id for grant in more], today.replace(day=1), today))
        used = {row[0]: row[1:] for row in cur.fetchall()}
    for grant, amount in more.items():
        day, month = used.get(grant.id, (0, 0))
        for cap, spent in ((grant.cap_day_minor, day), (grant.cap_month_minor, month)):
            if cap is not None and (spent or 0) + amount > cap:
                raise OverCap("With this payment the key would spend more than it was granted")


def _store(new: Sequence[tuple[Spend, _Grant]], today: dt.date, *, now: dt.datetime) -> None:
    columns = (
        [one.reservation for one, _ in new],
        [grant.id for _, grant in new],
        [one.amount_minor for one, _ in new],
        [SETTLED if one.settled else RESERVED for one, _ in new],
        [now if one.settled else None for one, _ in new],
    )
    with db.cursor() as cur:
        cur.execute(_SPEND, (today, now, *columns))


def settle_spend(reservation: UUID, amount_minor: int | None = None) -> None:
    """Say that a payment was made, of what was reserved or less. Doing it twice changes nothing."""
    _end(reservation, SETTLED, amount_minor)


def cancel_spend(reservation: UUID) -> None:
    """Give back what was reserved for a payment that was not made. Doing it twice changes nothing."""
    _end(reservation, CANCELLED, 0)


@transaction.atomic
def _end(reservation: UUID, state: str, amount_minor: int | None) -> None:
    row = Spending.objects.select_for_update().filter(pk=reservation).first()
    if row is None:
        raise NotFound("No such reservation")
    amount = row.reserved_minor if amount_minor is None else amount_minor
    if not 0 <= amount <= row.reserved_minor:
        raise Invalid("A payment is settled with what was reserved for it, or less", code="bad_amount")
    if row.state != RESERVED:
        if (row.state, row.amount_minor) != (state, amount):
            raise Conflict("This payment was ended otherwise", code="ended")
        return
    SpentDay.objects.filter(grant=row.grant_id, day=row.day).update(
        amount_minor=F("amount_minor") - (row.amount_minor - amount)
    )
    row.state, row.amount_minor, row.ended_at = state, amount, timezone.now()
    row.save(update_fields=["state", "amount_minor", "ended_at"])


def spend_within(wanted: Sequence[Spend]) -> None:
    """Count payments against the grants of the keys that ask for them, in the caller's transaction: all, or none.

    `key` may be a person's id: whoever is no key has no cap. Raises OverCap, and Conflict as `reserve_spend`.
    """
    keys = set(ApiKey.objects.filter(pk__in={one.key for one in wanted}).values_list("pk", flat=True))
    some = [one for one in wanted if one.key in keys]
    if some:
        _reserve(some, now=timezone.now())


def settle_spent(reservation: UUID) -> None:
    """Say that a payment was made, if a key reserved it. Doing it twice changes nothing."""
    if Spending.objects.filter(pk=reservation).exists():
        settle_spend(reservation)


def cancel_spent(reservation: UUID) -> None:
    """Give back what a key reserved for a payment, if one did. Doing it twice changes nothing."""
    if Spending.objects.filter(pk=reservation).exists():
        cancel_spend(reservation)
