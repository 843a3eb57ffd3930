"""A PostgreSQL of the operator's own: every release that is promised will do, and none that could lose a commit."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys

import httpx
import psycopg
import pytest
from tests.scanner import until

from parcelward.base import config, db, postgres_programs
from parcelward.base.config import BadSetting
from parcelward.base.postgres import KEYS, Cluster

SYSTEM = [str(folder) for folder in postgres_programs._system() if postgres_programs._complete(folder)]


@pytest.fixture
def server(tmp_path):
    """Stands for the operator's server: we only know its addresses."""
    left_to_them = {name: value for name, value in KEYS.items() if name not in {"fsync", "synchronous_commit"}}
    cluster = Cluster(tmp_path / "theirs", settings=left_to_them)
    cluster.start()
    for name in ("app", "keys"):
        cluster.ensure_database(name)
    yield cluster
    cluster.stop()


def _settings(server):
    return dataclasses.replace(config.get(), database_url=server.url("app"), keys_url=server.url("keys"))


def _run(command, server, home, *more):
    return subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", command, *more],
        env={
            **os.environ,
            "PARCELWARD_HOME": str(home),
            "PARCELWARD_DATABASE_URL": server.url("app"),
            "PARCELWARD_KEYS_URL": server.url("keys"),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("programs", ["", *SYSTEM], ids=lambda folder: folder.replace("/", " ").strip() or "wheel")
def test_every_postgresql_at_hand_takes_the_tables_and_takes_them_twice(tmp_path, monkeypatch, programs):
    if programs:
        monkeypatch.setenv("PG_BIN", programs)
    theirs = Cluster(tmp_path / "theirs", settings=KEYS)
    theirs.start()
    try:
        for name in ("app", "keys"):
            theirs.ensure_database(name)
        for _ in range(2):
            told = _run("install", theirs, tmp_path / "home")
            assert (told.returncode, told.stdout, told.stderr) == (0, "", "")
        with psycopg.connect(theirs.url("app")) as connection:
            stored = connection.execute(
                "SELECT DISTINCT attstorage::text FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid "
                "WHERE (relname LIKE 'custody_batch%' AND attname = 'commitments') "
                "OR (relname LIKE 'parcels_scan_event%' AND attname = 'body')"
            ).fetchall()
            assert stored == [("e",)], "packed bytes are stored as they are, in every partition"
        assert not (tmp_path / "home" / "postgres").exists(), "no server of our own beside theirs"
    finally:
        theirs.stop()


def test_a_durable_server_is_taken(server):
    db.require_durable(_settings(server))


@pytest.mark.parametrize("setting", ["fsync", "synchronous_commit"])
@pytest.mark.parametrize("command", ["install", "serve", "work"])
def test_a_server_that_could_lose_a_commit_is_refused_by_each_command(server, tmp_path, setting, command):
    with psycopg.connect(server.url("postgres", role="postgres"), autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
        connection.execute("SELECT pg_reload_conf(), pg_sleep(0.3)")
    told = subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", command],
        env={**os.environ, "PARCELWARD_HOME": str(tmp_path / "home"), "PARCELWARD_DATABASE_URL": server.url("app")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 1
    assert told.stderr == (
        f"parcelward: PARCELWARD_DATABASE_URL leads to a server with {setting} = off, "
        "so a commit could be lost: set it to on there\n"
    )


def test_the_secrets_server_is_held_to_the_same(server):
    with psycopg.connect(server.url("keys", role="postgres"), autocommit=True) as connection:
        connection.execute("ALTER DATABASE keys SET synchronous_commit = off")
    with pytest.raises(BadSetting, match=r"PARCELWARD_KEYS_URL .* synchronous_commit"):
        db.require_durable(_settings(server))


@pytest.mark.parametrize("command", ["install", "verify-log", "rebuild"])
def test_a_server_that_is_away_is_told_in_one_line(server, tmp_path, command):
    server.stop()
    told = _run(command, server, tmp_path / "home")
    assert told.returncode == 1
    assert told.stderr.startswith("parcelward: the database does not answer: ")
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize("prepared", [False, True], ids=["no tables", "the keys' tables gone"])
def test_a_worker_without_tables_says_in_one_line_what_to_run(server, tmp_path, prepared):
    """Else it would write the same errors for ever, and nothing would ever be sequenced."""
    if prepared:
        assert _run("install", server, tmp_path / "home").returncode == 0
        with psycopg.connect(server.url("keys"), autocommit=True) as keys:
            keys.execute("DROP SCHEMA public CASCADE")
            keys.execute("CREATE SCHEMA public")
    told = _run("work", server, tmp_path / "home")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.count("\n") == 1, told.stderr
    assert "run `parcelward install` once" in told.stderr
    assert ("`keys`" if prepared else "`default`") in told.stderr


def _away(server, change):
    """Let nobody in, and change the settings meanwhile."""
    with psycopg.connect(server.url("postgres", role="postgres"), autocommit=True) as connection:
        connection.execute("ALTER DATABASE app ALLOW_CONNECTIONS false")
        connection.execute(change.encode())


def _back(server):
    with psycopg.connect(server.url("postgres", role="postgres"), autocommit=True) as connection:
        connection.execute("ALTER DATABASE app ALLOW_CONNECTIONS true")


@contextlib.contextmanager
def _started(command, server, home, **more):
    told = {"PARCELWARD_DATABASE_URL": server.url("app"), "PARCELWARD_KEYS_URL": server.url("keys"), **more}
    with subprocess.Popen(
        [sys.executable, "-m", "parcelward.doors.console", command],
        env={**os.environ, "PARCELWARD_HOME": str(home), **told},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_a_worker_refuses_a_server_that_was_away_at_the_start(server, tmp_path):
    assert _run("install", server, tmp_path / "home").returncode == 0
    _away(server, "ALTER DATABASE app SET synchronous_commit = off")
    with _started("work", server, tmp_path / "home") as worker:
        assert "waits for the database" in worker.stderr.readline()
        _back(server)
        assert worker.wait(120) == 1
        assert "synchronous_commit = off, so a commit could be lost" in worker.stderr.read()


def test_a_web_process_records_nothing_on_a_server_that_came_back_less_durable(server, tmp_path):
    home = tmp_path / "home"
    assert _run("install", server, home).returncode == 0
    made = _run("key", server, home, "add", "a system", "--role", "administrator")
    key = json.loads(made.stdout)["api_key"]
    _away(server, "ALTER ROLE parcelward IN DATABASE app SET synchronous_commit = off")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    with _started("serve", server, home, PARCELWARD_PORT=port, PARCELWARD_WEB_WORKERS="1"):
        until(lambda: _status(port, "/healthz") == 200, seconds=120)
        _back(server)
        until(lambda: _status(port, "/api/v1/calendar", key) == 200, seconds=120)
        place = {
            "name": "TEST-A office",
            "kind": "office",
            "country": "US",
            "time_zone": "America/Chicago",
            "simulated": True,
        }
        told = httpx.put(
            f"http://127.0.0.1:{port}/api/v1/facilities/TEST-A",
            json={**place, "coarse_place": "Springfield, IL", "position": [-89.65, 39.78]},
            headers={"Authorization": f"Bearer {key}"},
            timeout=30,
        )
        assert (told.status_code, told.json().get("code"), told.headers.get("Retry-After")) == (
            503,
            "not_durable",
            "30",
        )
        assert _status(port, "/api/v1/facilities/TEST-A", key) == 404, "nothing was kept"


def _status(port, path, key=""):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=10).status_code
    except httpx.HTTPError:
        return 0
