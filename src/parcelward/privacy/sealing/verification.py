"""Compare stations' keys and loans with the log's entries: part of `verify-log`.

Whoever can turn a row puts in a key of their own, brings back one that was destroyed, or lets a loan run on. Each must
be what the log's own entries say.
"""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connections

from parcelward.custody.queries import Findings, told
from parcelward.privacy.models import Loan, StationKey
from parcelward.privacy.sealing import actions, rules

Week = tuple[str, int]
"""A facility, and an epoch."""
LOOKS_AGAIN: Final = 2
AGAIN_S: Final = 0.5  # between an entry and its row there are milliseconds


def check_labels(findings: Findings) -> None:
    """Note the first station key and the first loan that is not what the log's entries say."""
    _check_keys(findings)
    _check_loans(findings)


@dataclass(slots=True)
class _Said:
    """What entries say of stations' keys."""

    made: dict[Week, set[str]] = field(default_factory=dict)  # of two workers at once both said it; a row has one
    gone: set[Week] = field(default_factory=set)
    where: dict[Week, int | None] = field(default_factory=dict)

    def hear(self) -> None:
        """Add what the log says as this thread's connection sees it."""
        for kind, body, place in told(actions.KEYS_MADE, actions.KEYS_DESTROYED):
            for key in body["keys"]:
                week = key["facility"], key["epoch"]
                self.where[week] = place
                if kind == actions.KEYS_MADE:
                    self.made.setdefault(week, set()).add(key["key"])
                else:
                    self.gone.add(week)

    def hear_newer(self) -> None:
        """Add what was said since: this transaction sees one moment, another connection the present."""

        def hear() -> None:
            try:
                self.hear()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(1) as apart:
            apart.submit(hear).result()


def _check_keys(findings: Findings) -> None:
    said = _Said()
    said.hear()
    wrong = _wrong(said)
    for _ in range(LOOKS_AGAIN):
        if not wrong:
            return
        # The keys are in another database and seen later than the log: one may have been made or destroyed meanwhile.
        # Its entry comes first, so what is still wrong after another look at both was changed without one.
        time.sleep(AGAIN_S)
        said.hear_newer()
        wrong = _wrong(said)
    for week, what in sorted(wrong.items()):
        _note(findings, week, what, said.where.get(week))


def _wrong(said: _Said) -> dict[Week, str]:
    """Return what is wrong with which key."""
    wrong, stored = {}, set()
    rows = StationKey.objects.order_by("facility", "epoch").values_list("facility", "epoch", "public_key", "wrapped")
    for facility, epoch, public, wrapped in rows.iterator():
        week = facility, epoch
        stored.add(week)
        if bytes(public).hex() not in said.made.get(week, ()):
            wrong[week] = "is not one that the log says was made"
        elif wrapped and week in said.gone:
            wrong[week] = "was destroyed and is there again"
        elif not wrapped and week not in said.gone:
            wrong[week] = "is gone and no entry destroyed it"
    return wrong | dict.fromkeys(said.gone - stored, "was destroyed and its row is gone")


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
