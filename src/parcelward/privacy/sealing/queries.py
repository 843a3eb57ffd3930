"""What is known of labels, keys and loans. Reads only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from parcelward.people.wire import Person
from parcelward.privacy.models import Loan, StationKey
from parcelward.privacy.sealing import keybox, rules
from parcelward.privacy.sealing.actions import loan_row, require_lender
from parcelward.privacy.sealing.wire import LoanRow

epoch_of = rules.epoch_of
epoch_name = rules.epoch_name

LOANS_SHOWN_MAX = 100


def bind(said: bytes) -> tuple[int, bytes]:
    """Return (version of the key, code) of a label that is issued now, over what its issuer says it is bound to."""
    known = keybox.binding_versions()
    newest = max(known)
    return newest, rules.binding(known[newest], newest, said)


def codes_of(asked: Iterable[tuple[int, bytes]]) -> list[bytes]:
    """Return the codes of labels by (version of the key, what they are bound to); empty where a key is not believed.

    What is asked at each scan that brings a code: microseconds, no database.
    """
    known = keybox.binding_versions()
    return [rules.binding(known[version], version, said) if version in known else b"" for version, said in asked]


def running_loans(facilities: Iterable[str], *, by: Person, now: dt.datetime) -> list[LoanRow]:
    """Return the loans of these offices that have not ended, the newest first."""
    require_lender(by)
    rows = Loan.objects.filter(facility__in=set(facilities), ended_at=None, expires_at__gt=now).order_by(
        "-lent_at", "id"
    )
    return [loan_row(row) for row in rows[:LOANS_SHOWN_MAX]]


def epochs_with_keys(facility: str, epochs: Iterable[int], *, by: Person) -> list[int]:
    """Return those weeks of which the facility has a key that was not destroyed."""
    require_lender(by)
    rows = StationKey.objects.filter(facility=facility, epoch__in=set(epochs), destroyed_at=None)
    return sorted(rows.values_list("epoch", flat=True))
