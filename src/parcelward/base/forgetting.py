"""Rows that go by age: found, counted and deleted a few at a time, in every room the same way.

Each few are a transaction of their own, with whatever the room records of it: who is killed goes on where they were.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Min, QuerySet

AT_ONCE: Final = 500

Rows = QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Sweep:
    """One table's rows of one class that go once they are older than a moment."""

    kept_class: str  # what the table of retention calls it
    older: Callable[[dt.datetime], Rows]  # rows whose time was over before this moment
    moment: str  # the column that says how old the oldest is
    forget: Callable[[Rows], None] | None = None  # what is done instead of deleting


@dataclass(frozen=True, slots=True)
class Due:
    """What would go of one class: how many rows, and when the oldest is from."""

    kept_class: str
    country: str
    n: int
    oldest: dt.datetime | None


def due(sweep: Sweep, before: dt.datetime, country: str) -> Due:
    """Return what would go; changes nothing."""
    rows = sweep.older(before)
    return Due(sweep.kept_class, country, rows.count(), rows.aggregate(oldest=Min(sweep.moment))["oldest"])


def forget(sweep: Sweep, before: dt.datetime, note: Callable[[int], None]) -> int:
    """Forget what is older than `before`; `note` is told how many, in the transaction of each few."""
    done = 0
    while some := _some(sweep, before, note):
        done += some
    return done


@transaction.atomic
def _some(sweep: Sweep, before: dt.datetime, note: Callable[[int], None]) -> int:
    rows = sweep.older(before)
    locked = rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:AT_ONCE]
    keys = [row.pk for row in locked]
    if not keys:
        return 0
    mine = rows.model._default_manager.filter(pk__in=keys)  # noqa: SLF001 -- Django's public name for a model's rows
    if sweep.forget is None:
        mine.delete()
    else:
        sweep.forget(mine)
    note(len(keys))
    return len(keys)


def due_of(sweeps: Iterable[Sweep], kept_class: str, before: dt.datetime, country: str) -> list[Due]:
    """Return what would go of a class; nothing where these sweeps have no such class."""
    return [due(sweep, before, country) for sweep in sweeps if sweep.kept_class == kept_class]


def forget_of(sweeps: Iterable[Sweep], kept_class: str, before: dt.datetime, tell: Callable[[int], None]) -> int:
    """Forget what is older than `before` of a class; return how many rows. As `forget`."""
    return sum(forget(sweep, before, tell) for sweep in sweeps if sweep.kept_class == kept_class)
