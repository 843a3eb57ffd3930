"""Partitions of our own tables: a day each, or a month of what is old, made without holding up who reads or writes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import psycopg
from django.db import transaction

from parcelward.base import db
from parcelward.base.errors import Busy

DAILY_FOR = dt.timedelta(days=60)  # older events are few: a month of them shares one partition
AHEAD_MAX = dt.timedelta(days=40)  # what is made stays; no clock that we believe is so far ahead
LOCK_WAIT = "2s"  # for who makes another partition, or for a maintenance command of the operator's


def partition_for(day: dt.date, today: dt.date) -> tuple[str, dt.date, dt.date]:
    """Return the suffix and bounds of the partition that `day` belongs in when none covers it yet."""
    if today - day <= DAILY_FOR:
        return _of_the_day(day)
    first = day.replace(day=1)
    return f"m{day:%Y%m}", first, (first + dt.timedelta(days=32)).replace(day=1)


def ensure(table: str, day: dt.date) -> bool:
    """Make the partition of `table` (one of our own) that holds `day`; return whether it had to be made.

    The table is made by itself and then attached: PARTITION OF would lock the whole of `table` against everybody, and
    behind one long reader all would wait. Within a caller's transaction only others who make one wait for its end.
    Raises Busy when the lock is not to be had soon, and ValueError for a day far ahead, which is the caller's bug.
    """
    today = dt.datetime.now(dt.UTC).date()
    if day > today + AHEAD_MAX:
        raise ValueError(f"a partition of {table} is made at most {AHEAD_MAX.days} days ahead")
    with db.cursor() as cur:
        if _covered(cur, table, day):
            return False
    try:
        with transaction.atomic(), db.cursor() as cur:
            cur.execute("SELECT current_setting('lock_timeout'), set_config('lock_timeout', %s, true)", (LOCK_WAIT,))
            before = cur.fetchall()[0][0]
            # What attaching takes anyway, taken first: who makes one looks again when the one before has committed.
            cur.execute(f"LOCK TABLE ONLY {table} IN SHARE UPDATE EXCLUSIVE MODE")
            made = not _covered(cur, table, day)
            if made:
                _make(cur, table, day, today)
            cur.execute("SELECT set_config('lock_timeout', %s, true)", (before,))
            return made
    except psycopg.errors.LockNotAvailable as err:
        raise Busy("A partition cannot be made just now; send it again", retry_after_s=1) from err
    except psycopg.errors.InvalidObjectDefinition:
        return False  # a partition of the operator's own making covers it


def _of_the_day(day: dt.date) -> tuple[str, dt.date, dt.date]:
    return f"d{day:%Y%m%d}", day, day + dt.timedelta(days=1)


def _covered(cur: psycopg.Cursor[Any], table: str, day: dt.date) -> bool:
    cur.execute(
        "SELECT 1 FROM pg_class WHERE relname IN (%s, %s) AND relispartition",
        (f"{table}_d{day:%Y%m%d}", f"{table}_m{day:%Y%m}"),
    )
    return cur.fetchone() is not None


def _make(cur: psycopg.Cursor[Any], table: str, day: dt.date, today: dt.date) -> None:
    suffix, first, end = partition_for(day, today)
    cur.execute(
        "SELECT 1 FROM pg_class WHERE relname LIKE %s AND relispartition AND relkind = 'r'", (f"{table}_d{day:%Y%m}%",)
    )
    if cur.fetchone() is not None:  # the month was begun by the day; it goes on by the day
        suffix, first, end = _of_the_day(day)
    # One that stands there unattached is taken up as it is: begun by hand, or detached while its events go on coming.
    cur.execute(f"CREATE TABLE IF NOT EXISTS {table}_{suffix} (LIKE {table} INCLUDING ALL EXCLUDING IDENTITY)")
    cur.execute(
        f"ALTER TABLE {table} ATTACH PARTITION {table}_{suffix} "
        f"FOR VALUES FROM ('{first} 00:00:00+00') TO ('{end} 00:00:00+00')",
    )
