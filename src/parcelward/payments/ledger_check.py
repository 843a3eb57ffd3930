"""Compare the ledger with the entries that each posting made, and its balances with its lines: part of `verify-log`.

Whoever can turn a row gives money away: by a line that grew, a posting that vanished, a balance with nothing behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from parcelward.base import db
from parcelward.custody.queries import Findings, told
from parcelward.payments.wire import CHART, Line, State

POSTED: Final = "payments.posted"

_POSTINGS: Final = (
    "SELECT p.id::text AS posting, p.state, p.ends_id::text AS ends, p.reason, p.about::text AS about, p.source AS by, "
    "coalesce(json_agg(json_build_array(a.kind, a.currency, a.owner::text, l.amount_minor) "
    "ORDER BY a.kind, a.currency, a.owner, l.amount_minor) FILTER (WHERE l.id IS NOT NULL), '[]') AS lines "
    "FROM payments_posting p LEFT JOIN payments_line l ON l.posting_id = p.id "
    "LEFT JOIN payments_account a ON a.number = l.account_id GROUP BY p.id"
)
# What each bounded account's lines add up to: posted, and held by what is pending and not ended.
_SUMS: Final = (
    "WITH own AS ("
    "  SELECT l.account_id, l.amount_minor * s.side AS amount, p.state, "
    "    EXISTS (SELECT FROM payments_posting e WHERE e.ends_id = p.id) AS ended "
    "  FROM payments_line l JOIN payments_posting p ON p.id = l.posting_id "
    "  JOIN payments_account a ON a.number = l.account_id "
    "  JOIN unnest(%s::text[], %s::int[]) AS s(kind, side) ON s.kind = a.kind) "
    "SELECT b.account_id, b.posted_minor, b.held_minor, "
    "  coalesce(sum(own.amount) FILTER (WHERE own.state = 'posted'), 0)::bigint, "
    "  coalesce(-sum(own.amount) FILTER (WHERE own.state = 'pending' AND NOT own.ended AND own.amount < 0), 0)::bigint "
    "FROM payments_balance b LEFT JOIN own ON own.account_id = b.account_id GROUP BY b.account_id ORDER BY 1"
)
_WITHOUT_BALANCE: Final = (
    "SELECT a.number FROM payments_account a LEFT JOIN payments_balance b ON b.account_id = a.number "
    "WHERE a.kind = ANY(%s) AND b.account_id IS NULL ORDER BY 1"
)


def said(
    posting: UUID, state: State, ends: UUID | None, *, reason: str, about: UUID | None, lines: Sequence[Line]
) -> dict[str, Any]:
    """Return what a posting's entry says of it."""
    return {
        "posting": str(posting),
        "state": state.value,
        "ends": None if ends is None else str(ends),
        "reason": reason,
        "about": None if about is None else str(about),
        "lines": sorted(
            ([a.kind.value, a.currency, None if a.owner is None else str(a.owner), amount] for a, amount in lines),
            key=_by_account,
        ),
    }


def _by_account(line: list[Any]) -> tuple[str, ...]:
    return tuple(str(part) for part in line[:3])


def check_ledger(findings: Findings) -> None:
    """Note every posting that is not as its entry says, and every balance that is not the sum of its lines."""
    with db.cursor() as cur:
        cur.execute(_POSTINGS)
        names = [column.name for column in cur.description or ()]
        rows = {row[0]: dict(zip(names, row, strict=True)) for row in cur.fetchall()}
    for _, entry, index in told(POSTED):
        row = rows.pop(entry["posting"], None)
        if row is None:
            findings.note(f"Posting {entry['posting']} was posted and is gone.", differs="ledger", index=index)
            continue
        row["lines"].sort(key=_by_account)
        differing = sorted(name for name, value in row.items() if entry[name] != value)
        if differing:
            what = f"Posting {entry['posting']} is not as it was posted: {', '.join(differing)}."
            findings.note(what, differs="ledger", index=index)
    for posting in rows:
        findings.note(f"Posting {posting} is in the ledger and no entry says so.", differs="ledger")
    _check_balances(findings)


def _check_balances(findings: Findings) -> None:
    bounded = {kind.value: int(account.side) for kind, account in CHART.items() if account.owned}
    with db.cursor() as cur:
        cur.execute(_SUMS, (list(bounded), list(bounded.values())))
        for number, posted, held, lines_posted, lines_held in cur.fetchall():
            if (posted, held) != (lines_posted, lines_held):
                findings.note(f"The balance of account {number} is not the sum of its lines.", differs="ledger")
        cur.execute(_WITHOUT_BALANCE, (list(bounded),))
        for (number,) in cur.fetchall():
            findings.note(f"Account {number} has no balance.", differs="ledger")
