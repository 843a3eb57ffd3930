"""Compare stations' keys and loans with the log's entries: part of `verify-log`.

Whoever can turn a row puts in a key of their own, brings back one that was destroyed, or lets a loan run on. Each must
be what the log's own entries say.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from uuid import UUID

from parcelward.custody.queries import Findings, told
from parcelward.privacy.models import Loan, StationKey
from parcelward.privacy.sealing import actions, rules

Week = tuple[str, int]
"""A facility, and an epoch."""


def check_labels(findings: Findings) -> None:
    """Note the first station key and the first loan that is not what the log's entries say."""
    _check_keys(findings)
    _check_loans(findings)


def _check_keys(findings: Findings) -> None:
    made: dict[Week, set[str]] = {}
    gone: set[Week] = set()
    where: dict[Week, int | None] = {}
    for kind, body, place in told(actions.KEYS_MADE, actions.KEYS_DESTROYED):
        for key in body["keys"]:
            week = key["facility"], key["epoch"]
            where[week] = place
            if kind == actions.KEYS_MADE:  # of two workers at once both said it, and the row has one of them
                made.setdefault(week, set()).add(key["key"])
            else:
                gone.add(week)
    stored = set()
    rows = StationKey.objects.order_by("facility", "epoch").values_list("facility", "epoch", "public_key", "wrapped")
    for facility, epoch, public, wrapped in rows.iterator():
        week = facility, epoch
        stored.add(week)
        wrong = ""
        if bytes(public).hex() not in made.get(week, ()):
            wrong = "is not one that the log says was made"
        elif wrapped and week in gone:
            wrong = "was destroyed and is there again"
        elif not wrapped and week not in gone:
            wrong = "is gone and no entry destroyed it"
        if wrong:
            _note(findings, week, wrong, where.get(week))
    for week in sorted(gone - stored):
        _note(findings, week, "was destroyed and its row is gone", where[week])


def _note(findings: Findings, week: Week, wrong: str, place: int | None) -> None:
    what = f"The key of {week[0]} for the week {rules.epoch_name(week[1])} {wrong}."
    findings.note(what, differs="station_key", index=place)


class _Loan(NamedTuple):
    device: UUID
    facility: str
    epoch: int
    round_name: str
    lent_by: int
    expires_at: dt.datetime
    ended: bool = False


def _check_loans(findings: Findings) -> None:
    said: dict[UUID, _Loan] = {}
    where: dict[UUID, int | None] = {}
    for kind, body, place in told(actions.LENT, actions.LOAN_ENDED):
        if kind == actions.LENT:
            until = dt.datetime.fromisoformat(body["expires_at"])
            device, facility = UUID(body["device"]), body["facility"]
            for each in body["loans"]:
                lent = _Loan(device, facility, each["epoch"], body["round"], body["by"], until)
                said[UUID(each["loan"])] = lent
                where[UUID(each["loan"])] = place
        elif UUID(body["loan"]) in said:
            loan = UUID(body["loan"])
            said[loan], where[loan] = said[loan]._replace(ended=True), place
    stored = {
        row.id: _Loan(
            *(row.device, row.facility, row.epoch, row.round_name, row.lent_by, row.expires_at),
            ended=row.ended_at is not None,
        )
        for row in Loan.objects.iterator()
    }
    for loan in said.keys() | stored.keys():
        if said.get(loan) != stored.get(loan):
            what = f"The loan {loan} is not what the log's entries say."
            findings.note(what, differs="loan", index=where.get(loan))
