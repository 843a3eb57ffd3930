"""Partitions come to be while others read and write, whoever makes them, and are what PARTITION OF would have made."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections, transaction
from tests.at_once import at_once
from tests.scanner import Scanner, event, new_number

from parcelward.base import db, partitions
from parcelward.base.errors import Busy
from parcelward.custody import actions as custody

TABLES = "parcels_scan_event", "parcels_epcis_event", "custody_batch"
SOON_S = 30.0  # a machine may be slow; who waits for the reader is refused after LOCK_WAIT, and makes nothing


@pytest.fixture(autouse=True)
def _installed(installation):
    """Every test here is about its tables."""


def partition_names(table: str) -> list[str]:
    with db.cursor() as cur:
        cur.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1", (table,)
        )
        return [row[0] for row in cur.fetchall()]


def free_day(table: str, *, used: set[dt.date] = set()) -> dt.date:  # noqa: B006 -- a month is given out once
    """Return a day of a past month that has no partition, and that no other test is given."""
    names = partition_names(table)
    for back in range(24, 290):
        first = dt.date(2026 - back // 12, back % 12 + 1, 1)
        if first not in used and not any(re.search(rf"_[dm]{first:%Y%m}", name) for name in names):
            used.add(first)
            return first.replace(day=13)
    raise AssertionError("no free month is left")


@contextlib.contextmanager
def another() -> Iterator[psycopg.Connection[object]]:
    """A connection of somebody else's to the same database."""
    with contextlib.closing(psycopg.connect(db.raw().info.dsn)) as connection:
        yield connection


@contextlib.contextmanager
def a_long_reader() -> Iterator[None]:
    """Somebody reads everything in one transaction, as verify-log and pg_dump do."""
    with another() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        for table in TABLES:
            connection.execute(f"SELECT count(*) FROM {table}")
        yield


def in_time(post, limit_s: float = SOON_S) -> float:
    """Return how long `post` took, which must be less than the limit; it goes on in its thread when it is not."""
    began = time.monotonic()
    thread = threading.Thread(target=post, daemon=True)
    thread.start()
    thread.join(limit_s)
    assert not thread.is_alive(), "it waits for the reader"
    return time.monotonic() - began


def test_a_scan_of_a_month_without_a_partition_waits_for_no_reader_and_nobody_waits_for_it(installation, facilities):
    first, second = Scanner(installation, name="late"), Scanner(installation, name="early")
    day = free_day("parcels_scan_event")
    late = event(new_number(), "accepted", event_time=f"{day}T09:00:00+00:00")
    with a_long_reader():
        answers: list[dict[str, object]] = []
        threads = [
            threading.Thread(target=lambda by=by, what=what: answers.append(by.send(what)), daemon=True)
            for by, what in ((first, late), (second, event(new_number(), "accepted")))
        ]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SOON_S)
        assert [answer["accepted"] for answer in answers] == [1, 1]
        assert time.monotonic() - began < SOON_S
    assert f"parcels_scan_event_m{day:%Y%m}" in partition_names("parcels_scan_event")


@pytest.mark.parametrize("table", TABLES)
def test_a_partition_is_made_beside_a_long_reader(table):
    day = free_day(table)

    def make() -> None:
        partitions.ensure(table, day)
        connections.close_all()

    with a_long_reader():
        assert in_time(make) < SOON_S
    assert partitions.ensure(table, day) is False
    assert partitions.ensure(table, day.replace(day=28)) is False, "the month is covered"


ABOUT = {
    "columns": "SELECT attname, format_type(atttypid, atttypmod), attnotnull, attstorage::text, attcompression::text, "
    "attislocal, attinhcount, attidentity::text, attgenerated::text, pg_get_expr(adbin, adrelid) "
    "FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
    "WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
    "indexes": "SELECT pg_get_indexdef(indexrelid), indisprimary, indisunique, indisvalid, reloptions, "
    "inhparent::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid "
    "LEFT JOIN pg_inherits ON inhrelid = indexrelid WHERE indrelid = %s::regclass ORDER BY 1",
    "constraints": "SELECT conname, contype::text, pg_get_constraintdef(oid), conislocal, coninhcount, "
    "conparentid <> 0, convalidated FROM pg_constraint WHERE conrelid = %s::regclass ORDER BY 1",
    "table": "SELECT reloptions, relispartition, relpersistence::text, relowner, relacl, reltablespace, relam, "
    "relhasindex, relreplident::text FROM pg_class WHERE oid = %s::regclass",
}


def described(partition: str) -> dict[str, list[str]]:
    with db.cursor() as cur:
        found = {}
        for what, asked in ABOUT.items():
            cur.execute(asked, (partition,))
            found[what] = [str(row).replace(partition, "PARTITION") for row in cur.fetchall()]
        return found


@pytest.mark.parametrize("table", TABLES)
def test_it_is_what_partition_of_makes(table):
    ours, theirs = free_day(table), free_day(table)
    with transaction.atomic():
        assert partitions.ensure(table, ours) is True
        end = (theirs.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        with db.cursor() as cur:
            name = f"{table}_m{theirs:%Y%m}"
            cur.execute(
                f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES "
                f"FROM ('{theirs.replace(day=1)} 00:00:00+00') TO ('{end} 00:00:00+00')"
            )
        assert described(f"{table}_m{ours:%Y%m}") == described(name)
        transaction.set_rollback(True)


def test_a_batch_gets_its_number_through_the_parent():
    day = free_day("custody_batch")
    with transaction.atomic():
        partitions.ensure("custody_batch", day)
        then = dt.datetime.combine(day, dt.time(12), dt.UTC)
        numbers = [custody.add_batch("fact", [bytes(32)], now=then) for _ in range(2)]
        with db.cursor() as cur:
            cur.execute(f"SELECT id FROM custody_batch_m{day:%Y%m} ORDER BY id")
            assert [row[0] for row in cur.fetchall()] == numbers
        transaction.set_rollback(True)
    assert numbers[0] < numbers[1]


def test_of_many_who_make_the_same_one_makes_it_and_the_others_find_it(monkeypatch):
    monkeypatch.setattr(partitions, "LOCK_WAIT", "30s")  # on a slow machine four take longer than two seconds
    day = free_day("parcels_scan_event")
    made = at_once(*[lambda: partitions.ensure("parcels_scan_event", day)] * 4)
    assert sorted(made) == [False, False, False, True]


def test_one_that_stands_there_unattached_is_taken_up():
    day = free_day("parcels_epcis_event")
    with db.cursor() as cur:
        cur.execute(f"CREATE TABLE parcels_epcis_event_m{day:%Y%m} (LIKE parcels_epcis_event)")
    assert partitions.ensure("parcels_epcis_event", day) is True
    assert partitions.ensure("parcels_epcis_event", day) is False
    indexes = described(f"parcels_epcis_event_m{day:%Y%m}")["indexes"]
    parents = described("parcels_epcis_event")["indexes"]
    assert len(indexes) == len(parents) > 5, "with every index of its parent's"


def test_a_month_that_was_begun_by_the_day_goes_on_by_the_day():
    day = free_day("parcels_scan_event")
    with transaction.atomic(), db.cursor() as cur:
        cur.execute(
            f"CREATE TABLE parcels_scan_event_d{day:%Y%m%d} PARTITION OF parcels_scan_event "
            f"FOR VALUES FROM ('{day} 00:00:00+00') TO ('{day + dt.timedelta(days=1)} 00:00:00+00')"
        )
        next_day = day + dt.timedelta(days=1)
        assert partitions.ensure("parcels_scan_event", next_day) is True
        assert f"parcels_scan_event_d{next_day:%Y%m%d}" in partition_names("parcels_scan_event")
        transaction.set_rollback(True)


def test_one_of_the_operators_own_is_enough():
    day = free_day("parcels_scan_event")
    with transaction.atomic(), db.cursor() as cur:
        cur.execute(
            "CREATE TABLE parcels_scan_event_old PARTITION OF parcels_scan_event "
            f"FOR VALUES FROM ('{day} 00:00:00+00') TO ('{day + dt.timedelta(days=2)} 00:00:00+00')"
        )
        assert partitions.ensure("parcels_scan_event", day) is False
        cur.execute("SELECT 1")  # and the caller's transaction goes on
        transaction.set_rollback(True)


def test_who_holds_the_table_makes_it_busy_soon_and_the_callers_patience_is_its_own_again():
    day = free_day("parcels_scan_event")
    with another() as somebody, transaction.atomic(), db.cursor() as cur:
        cur.execute("SET LOCAL lock_timeout = '7s'")
        somebody.execute("LOCK TABLE ONLY parcels_scan_event IN SHARE UPDATE EXCLUSIVE MODE")  # as ANALYZE does
        began = time.monotonic()
        with pytest.raises(Busy):
            partitions.ensure("parcels_scan_event", day)
        assert 1.5 < time.monotonic() - began < 7, "its own patience, not the caller's"
        somebody.rollback()
        for _ in range(2):
            cur.execute("SHOW lock_timeout")
            assert cur.fetchone() == ("7s",)
            partitions.ensure("parcels_scan_event", day)
        transaction.set_rollback(True)


@pytest.mark.parametrize("table", TABLES)
def test_nobody_makes_one_far_ahead(table):
    today, before = dt.datetime.now(dt.UTC).date(), partition_names(table)
    for day in (today + dt.timedelta(days=42), dt.date(9999, 12, 31)):
        with pytest.raises(ValueError, match="40 days"):
            partitions.ensure(table, day)
    assert partition_names(table) == before
