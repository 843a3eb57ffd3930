"""Post to the ledger: within the caller's transaction, any number of times, never more than an account holds.

The room's actions decide what is posted and who may; they alone call this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import db
from parcelward.base.standards.money import Currency
from parcelward.custody import actions as custody
from parcelward.payments import rules
from parcelward.payments.errors import NotEnough, PostingEnded, PostingReused
from parcelward.payments.ledger_check import POSTED, said
from parcelward.payments.rules import Lines
from parcelward.payments.wire import CHART, Account, Balance, Kind, Line, State
from parcelward.people.wire import Person

_INSERT: Final = (
    "INSERT INTO payments_posting (id, state, ends_id, reason, about, source, recorded_at) "
    "SELECT u.id, %s, %s, %s, u.about, u.by, %s FROM unnest(%s::uuid[], %s::uuid[], %s::int[]) AS u(id, about, by) "
    "ON CONFLICT DO NOTHING RETURNING id"
)
_LINES: Final = (
    "SELECT a.kind, a.currency, a.owner, l.amount_minor FROM payments_line l "
    "JOIN payments_account a ON a.number = l.account_id WHERE l.posting_id = %s ORDER BY l.id"
)
_ACCOUNTS: Final = (
    "SELECT a.number, a.kind, a.currency, a.owner FROM payments_account a "
    "JOIN unnest(%s::text[], %s::text[], %s::uuid[]) AS w(kind, currency, owner) "
    "ON a.kind = w.kind AND a.currency = w.currency AND a.owner IS NOT DISTINCT FROM w.owner"
)
_OPEN: Final = (
    "INSERT INTO payments_account (kind, currency, owner, opened_at) "
    "SELECT * FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::timestamptz[]) ON CONFLICT DO NOTHING"
)


class Posting(NamedTuple):
    """What is posted: under which id of the caller's, which lines, what it is about, and who says so."""

    id: UUID
    lines: Lines
    about: UUID | None
    by: Person


@transaction.atomic
def post(posting: UUID, lines: Lines, *, reason: str, by: Person, about: UUID | None = None) -> None:
    """Post lines at once. The same posting again changes nothing.

    Raises NotEnough where a bounded account holds too little, PostingReused where the id stands for another posting.
    """
    _post([Posting(posting, lines, about, by)], State.POSTED, None, reason=reason)


@transaction.atomic(savepoint=False)
def post_many(postings: Sequence[Posting], *, reason: str) -> None:
    """Post several at once. As `post`, all of them or none."""
    _post(postings, State.POSTED, None, reason=reason)


@transaction.atomic
def hold(posting: UUID, lines: Lines, *, reason: str, by: Person, about: UUID | None = None) -> None:
    """Hold what lines take, until `settle` or `void`. The same posting again changes nothing. Raises as `post`."""
    _post([Posting(posting, lines, about, by)], State.PENDING, None, reason=reason)


@transaction.atomic
def settle(posting: UUID, pending: UUID, lines: Lines | None = None, *, by: Person) -> None:
    """Post what was pending, whole or in part; what is left of it is given back. Again, it changes nothing.

    Raises PostingEnded where it was ended otherwise, PostingReused as `post`; ValueError for more than was pending.
    """
    reason, about, held = _pending(pending)
    _post([Posting(posting, held if lines is None else lines, about, by)], State.POSTED, pending, reason=reason)


@transaction.atomic
def void(posting: UUID, pending: UUID, *, by: Person) -> None:
    """Give back what was pending. Again, it changes nothing. Raises PostingEnded and PostingReused as `settle`."""
    reason, about, _ = _pending(pending)
    _post([Posting(posting, (), about, by)], State.VOIDED, pending, reason=reason)


def balance(account: Account) -> Balance:
    """Return what an account holds now; of the house's, the sum of its lines."""
    statement = (
        "SELECT b.posted_minor, b.held_minor FROM payments_balance b "
        "JOIN payments_account a ON a.number = b.account_id WHERE a.kind = %s AND a.currency = %s AND a.owner = %s"
    )
    values: list[object] = [account.kind.value, account.currency, account.owner]
    if not CHART[account.kind].owned:
        statement = (
            "SELECT coalesce(sum(l.amount_minor), 0)::bigint * %s, 0 FROM payments_line l "
            "JOIN payments_posting p ON p.id = l.posting_id JOIN payments_account a ON a.number = l.account_id "
            "WHERE p.state = 'posted' AND a.kind = %s AND a.currency = %s"
        )
        values = [int(CHART[account.kind].side), account.kind.value, account.currency]
    with db.cursor() as cur:
        row = cur.execute(statement, values).fetchone()
    return Balance(0) if row is None else Balance(*row)


def _pending(posting: UUID) -> tuple[str, UUID | None, Lines]:
    with db.cursor() as cur:
        cur.execute("SELECT reason, about FROM payments_posting WHERE id = %s AND state = 'pending'", (posting,))
        row = cur.fetchone()
    if row is None:
        raise ValueError("nothing is pending under this id")  # a caller's bug, not input
    return row[0], row[1], _lines_of(posting)


def _lines_of(posting: UUID) -> Lines:
    with db.cursor() as cur:
        cur.execute(_LINES, (posting,))
        return tuple(Line(_account(*row[:3]), row[3]) for row in cur.fetchall())


def _account(kind: str, currency: str, owner: UUID | None) -> Account:
    return Account(Kind(kind), Currency(currency), owner)


def _post(postings: Sequence[Posting], state: State, ends: UUID | None, *, reason: str) -> None:
    """Write postings, their lines, what they change and their entries: the same few statements for many as for one."""
    for wrong in filter(None, (rules.problem(one.lines, state) for one in postings)):
        raise ValueError(wrong)  # the rules' bug, not input
    columns = [one.id for one in postings], [one.about for one in postings], [one.by.source for one in postings]
    with db.cursor() as cur:
        cur.execute(_INSERT, (state.value, ends, reason, timezone.now(), *columns))
        new = {row[0] for row in cur.fetchall()}
    fresh = []
    for one in postings:
        if one.id in new:
            fresh.append(one)
        else:
            _require_same(one, state, ends, reason=reason)
    if not fresh:
        return
    every = [(one.id, line) for one in fresh for line in one.lines]
    together = tuple(line for _, line in every)
    held = () if ends is None else _lines_of(ends)
    if ends is not None and not rules.within(together, held):
        raise ValueError("a posting takes no more than was pending")  # a caller's bug, not input
    numbers = _numbers(list(dict.fromkeys(line.account for line in together)))
    if every:
        with db.cursor() as cur:
            cur.execute(
                "INSERT INTO payments_line (posting_id, account_id, currency, amount_minor) "
                "SELECT * FROM unnest(%s::uuid[], %s::int[], %s::text[], %s::bigint[])",
                (
                    [posting for posting, _ in every],
                    [numbers[line.account] for line in together],
                    [line.account.currency for line in together],
                    [line.amount_minor for line in together],
                ),
            )
    wanted = rules.changes(together, state, held)
    if wanted:
        _change(wanted, numbers | _numbers([account for account in wanted if account not in numbers]))
    custody.record_facts(
        POSTED,
        [
            said(one.id, state, ends, reason=reason, about=one.about, lines=one.lines) | {"by": one.by.source}
            for one in fresh
        ],
    )


def _require_same(one: Posting, state: State, ends: UUID | None, *, reason: str) -> None:
    """Raise PostingReused or PostingEnded unless the posting that is there is this one."""
    with db.cursor() as cur:
        cur.execute("SELECT state, ends_id, reason, about FROM payments_posting WHERE id = %s", (one.id,))
        row = cur.fetchone()
    if row is None:
        raise PostingEnded("This was posted or given back before, otherwise")
    if row != (state.value, ends, reason, one.about) or sorted(_lines_of(one.id)) != sorted(one.lines):
        raise PostingReused("This id stands for another posting: take a new one")


def _numbers(accounts: Sequence[Account]) -> dict[Account, int]:
    """Return the numbers of accounts, opening those that are new."""
    if not accounts:
        return {}
    known = _known(accounts)
    new = sorted(set(accounts) - known.keys(), key=str)
    if new:
        with db.cursor() as cur:
            cur.execute(_OPEN, (*_columns(new), [timezone.now()] * len(new)))
        known |= (opened := _known(new))
        bounded = [number for account, number in opened.items() if CHART[account.kind].owned]
        with db.cursor() as cur:
            cur.execute(
                "INSERT INTO payments_balance (account_id, posted_minor, held_minor) "
                "SELECT number, 0, 0 FROM unnest(%s::int[]) AS number ON CONFLICT DO NOTHING",
                (bounded,),
            )
    return known


def _known(accounts: Iterable[Account]) -> dict[Account, int]:
    with db.cursor() as cur:
        cur.execute(_ACCOUNTS, _columns(accounts))
        return {_account(*row[1:]): row[0] for row in cur.fetchall()}


def _columns(accounts: Iterable[Account]) -> tuple[list[str], list[str], list[UUID | None]]:
    some = list(accounts)
    return [a.kind.value for a in some], [a.currency for a in some], [a.owner for a in some]


def _change(wanted: Mapping[Account, Balance], numbers: Mapping[Account, int]) -> None:
    """Lock the balances in the order of their numbers, and change them. Raises NotEnough, having changed none."""
    by_number = {numbers[account]: change for account, change in wanted.items()}
    with db.cursor() as cur:
        cur.execute(
            "SELECT account_id, posted_minor, held_minor FROM payments_balance WHERE account_id = ANY(%s) "
            "ORDER BY account_id FOR NO KEY UPDATE",
            (sorted(by_number),),
        )
        new = {number: rules.after(Balance(posted, held), by_number[number]) for number, posted, held in cur.fetchall()}
        if None in new.values():
            raise NotEnough("The account holds less than this takes. Pay in first, or take less")
        some = {number: after for number, after in new.items() if after is not None}
        cur.execute(
            "UPDATE payments_balance b SET posted_minor = n.posted, held_minor = n.held "
            "FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS n(number, posted, held) "
            "WHERE b.account_id = n.number",
            (list(some), [one.posted_minor for one in some.values()], [one.held_minor for one in some.values()]),
        )
