"""What was erased is in no file of the keys database any more: tables, indexes, statistics, WAL."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.utils import timezone
from tests.doors.test_bundle import console
from tests.privacy.conftest import person

from parcelward.base import config, disk, traces
from parcelward.base.postgres import SUPERUSER, Cluster
from parcelward.base.vault import VaultToken
from parcelward.doors.console import work_command
from parcelward.people.wire import Role
from parcelward.privacy import actions, keys
from parcelward.privacy.models import PersonKey
from parcelward.privacy.wire import Field, Kind

PERSONS = 6


@pytest.fixture
def server(installation) -> Iterator[psycopg.Connection]:
    address = Cluster(installation.home / "postgres" / "keys").url("parcelward", role=SUPERUSER)
    with psycopg.connect(address, autocommit=True) as one:
        yield one


@pytest.fixture
def files(installation) -> Path:
    return Path(installation.home, "postgres", "keys")


def kept(machinery, n=PERSONS):
    """Keep people; return their tokens and wrapped keys."""
    tokens = [actions.put({Field.NAME: f"Anna {i}"}, kind=Kind.ADDRESSEE, by=machinery) for i in range(n)]
    return {row.person: bytes(row.wrapped) for row in PersonKey.objects.filter(person__in=tokens)}


def shredded(tokens: Iterable[UUID]) -> None:
    for token in map(VaultToken, tokens):
        request = actions.ask_to_shred(token, "asked for", by=person(Role.INSPECTOR, source=921_001))
        actions.agree_to_shred(request, by=person(Role.ADMINISTRATOR, source=922_001))
    actions.shred_due(timezone.now() + dt.timedelta(days=config.get().erasure_wait_days + 1))


def found(files: Path, wrapped: bytes) -> set[str]:
    """Return the folders in whose files a half of a wrapped key is: a page may end between the halves."""
    half = len(wrapped) // 2
    return {
        path.relative_to(files).parts[0]
        for path in files.rglob("*")
        if path.is_file() and (wrapped[:half] in (read := _read(path)) or wrapped[half:] in read)
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a segment that the server has deleted meanwhile
        return b""


def in_statistics(server, wrapped: bytes) -> bool:
    said = server.execute("SELECT histogram_bounds::text FROM pg_stats WHERE tablename = 'privacy_personkey'")
    return any(wrapped.hex() in (bounds or "") for (bounds,) in said.fetchall())


def sampled(server) -> None:
    """Let the database take every row into its statistics, and write its pages to their files."""
    server.execute("SET default_statistics_target = 10000")
    server.execute("ANALYZE privacy_personkey")
    server.execute("CHECKPOINT")


def test_the_worker_removes_them_every_night_and_its_followers_do_not_wait(installation, monkeypatch):
    started, stop, may_go_on = threading.Event(), threading.Event(), threading.Event()

    def remove(settings) -> bool:
        started.set()
        return may_go_on.wait(60)

    monkeypatch.setattr(traces, "remove", remove)
    monkeypatch.setattr(traces, "is_due", lambda _: True)
    follower = threading.Thread(target=work_command._follow, args=(stop,), daemon=True)
    follower.start()
    try:
        assert started.wait(60)
        stop.set()
        follower.join(30)
        assert not follower.is_alive()
    finally:
        stop.set()
        may_go_on.set()


def test_a_round_that_ended_well_is_not_made_again_at_the_next_start(installation, monkeypatch, tmp_path):
    done = tmp_path / "done"
    monkeypatch.setattr(traces, "_done", lambda _: done)  # the worker of the installation has its own round
    with monkeypatch.context() as small:
        small.setattr(traces, "REWRITTEN_BYTES_MAX", 0)
        assert not traces.remove(config.get())
    assert traces.is_due(config.get()), "something was left"
    assert traces.remove(config.get())
    assert not traces.is_due(config.get())
    yesterday = time.time() - traces.DONE_S - 60
    os.utime(done, (yesterday, yesterday))
    assert traces.is_due(config.get())


@pytest.mark.asvs("14.2.4")
def test_an_erased_persons_key_is_in_no_file_of_the_keys_database(installation, machinery, server, files):
    server.execute("SELECT pg_advisory_lock(%s)", (traces.LOCK,))  # the installation's own worker has a round, too
    gone, stay = kept(machinery), kept(machinery, 1)
    sampled(server)
    shredded(gone)
    server.execute("CHECKPOINT")
    before = [found(files, wrapped) for wrapped in gone.values()]
    assert all("pg_wal" in folders for folders in before), "a deleted row is in the files"
    assert any("base" in folders for folders in before), "but where another row was moved onto it"
    assert any(in_statistics(server, wrapped) for wrapped in gone.values())
    server.execute("SELECT pg_advisory_unlock(%s)", (traces.LOCK,))

    assert json.loads(console("retention", "--run").stdout)["traces_of_keys_removed"]
    for _ in range(2):
        assert [found(files, wrapped) for wrapped in gone.values()] == [set()] * len(gone)
        assert not any(in_statistics(server, wrapped) for wrapped in gone.values())
        assert traces.remove(config.get()), "any number of times"
    server.execute("CHECKPOINT")
    assert [found(files, wrapped) >= {"base"} for wrapped in stay.values()] == [True]
    assert set(keys.held(list(stay))) == set(stay), "who was not erased is opened as before"


def test_while_something_still_sees_the_row_it_is_said_and_done_the_next_time(
    installation, machinery, server, files, monkeypatch, caplog
):
    monkeypatch.setattr(traces, "WAIT_S", 0.5)
    gone = kept(machinery, 1)
    address = Cluster(files).url("parcelward", role=SUPERUSER)
    with psycopg.connect(address) as old:
        old.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        old.execute("SELECT count(*) FROM privacy_personkey")
        shredded(gone)
        assert not traces.remove(config.get())
        assert "a transaction began long ago" in caplog.text
    slot = "kept_by_a_test"
    server.execute("SELECT pg_create_physical_replication_slot(%s, true)", (slot,))
    try:
        assert not traces.remove(config.get())
        assert "WAL is kept for a backup" in caplog.text
        assert [found(files, wrapped) for wrapped in gone.values()] == [{"pg_wal"}]
    finally:
        server.execute("SELECT pg_drop_replication_slot(%s)", (slot,))
    monkeypatch.undo()  # patient again: something else may see the row for a moment
    assert traces.remove(config.get())
    assert [found(files, wrapped) for wrapped in gone.values()] == [set()]


def test_a_writer_between_two_statements_keeps_the_row_too_and_it_is_said(
    installation, machinery, files, monkeypatch, caplog
):
    """It sees nothing by itself, and yet nothing that ended after it began is given up to be removed."""
    monkeypatch.setattr(traces, "WAIT_S", 0.5)
    gone = kept(machinery, 1)
    with psycopg.connect(Cluster(files).url("parcelward", role=SUPERUSER)) as idle:
        idle.execute("SELECT pg_current_xact_id()")
        shredded(gone)
        assert not traces.remove(config.get())
        assert "a transaction began long ago" in caplog.text
    monkeypatch.undo()  # as above
    assert traces.remove(config.get())
    assert [found(files, wrapped) for wrapped in gone.values()] == [set()]


def test_two_at_once_do_not_disturb_each_other(installation, machinery, files):
    gone = kept(machinery, 1)
    shredded(gone)
    with ThreadPoolExecutor(2) as apart:
        assert list(apart.map(traces.remove, [config.get()] * 2)) == [True, True]
    assert [found(files, wrapped) for wrapped in gone.values()] == [set()]


def test_a_table_that_is_too_large_to_be_locked_is_named(installation, monkeypatch, caplog):
    monkeypatch.setattr(traces, "REWRITTEN_BYTES_MAX", 0)
    assert not traces.remove(config.get())
    assert "privacy_personkey is too large" in caplog.text


def test_on_a_disk_that_is_nearly_full_nothing_is_written_and_it_is_said(installation, server, monkeypatch, caplog):
    """A keys database that finds no room for its WAL goes down, and with it whatever opens an address."""
    monkeypatch.setattr(disk, "free_bytes", lambda _: disk.FREE_BYTES_MIN)
    files_of = (
        "SELECT relname, pg_relation_filenode(oid) FROM pg_class WHERE relname IN ('privacy_personkey', 'pg_statistic')"
    )
    before = server.execute(files_of).fetchall()
    assert not traces.remove(config.get())
    assert "the disk is nearly full" in caplog.text
    assert server.execute(files_of).fetchall() == before


def test_a_disk_that_is_full_by_the_end_of_a_round_lets_who_connects_in(installation, server, files):
    """The first to connect after a catalogue's table was written anew writes a file, or is sent away."""
    oid = server.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchall()[0][0]
    assert traces.remove(config.get())
    assert (files / "base" / str(oid) / "pg_internal.init").exists()


def test_what_a_killed_server_left_half_written_goes_after_a_day(installation, machinery, server, files):
    """PostgreSQL keeps the files of a table that it was writing when it was killed, for ever."""
    wrapped = next(iter(kept(machinery, 1).values()))
    server.execute("CHECKPOINT")
    ((path,),) = server.execute("SELECT pg_relation_filepath('privacy_personkey')").fetchall()
    half_written, young = ((files / path).with_name(name) for name in ("99999998", "99999999"))
    for copy in (half_written, young):
        shutil.copy(files / path, copy)
    long_ago = time.time() - traces.NOBODYS_S - 60
    every = [one for one in half_written.parent.iterdir() if one != young]
    for one in every:
        os.utime(one, (long_ago, long_ago))
    try:
        assert traces.remove(config.get())
        assert not half_written.exists()
        assert young.exists()
    finally:
        young.unlink()
    lost = server.execute(
        "SELECT relname FROM pg_class WHERE pg_relation_filepath(oid) LIKE 'base/%' "
        "AND pg_stat_file(pg_relation_filepath(oid), true) IS NULL"
    )
    assert lost.fetchall() == []
    assert found(files, wrapped) >= {"base"}
