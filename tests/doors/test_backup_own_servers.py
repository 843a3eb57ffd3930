"""A backup of servers of the operator's own: dumps by our own role, brought back into empty databases or embedded."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psycopg
import pytest
from tests.faults.plant import until

from parcelward.base.postgres import KEYS, Cluster

pytestmark = pytest.mark.slow
WORDS = {"PARCELWARD_LOG_ORIGIN": "own.parcelward.example/log"}


@pytest.fixture
def server(tmp_path):
    """Stands for the operator's server: we only know its addresses."""
    cluster = Cluster(tmp_path / "theirs", settings=KEYS)
    cluster.start()
    for name in ("app", "keys", "app2", "keys2"):
        cluster.ensure_database(name)
    yield cluster
    cluster.stop()


def run(server, home, *words, names=("app", "keys")):
    urls = (
        {"PARCELWARD_DATABASE_URL": server.url(names[0]), "PARCELWARD_KEYS_URL": server.url(names[1])} if names else {}
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PARCELWARD_")}
    return subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", *words],
        env=clean | WORDS | {"PARCELWARD_HOME": str(home)} | urls,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def good(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_dumps_come_back_into_empty_databases_and_into_embedded_ones(server, tmp_path):
    home, at = tmp_path / "home", tmp_path / "backups"
    good(run(server, home, "install"))
    good(run(server, home, "key", "add", "a system", "--role", "administrator"))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PARCELWARD_")}
    urls = {"PARCELWARD_DATABASE_URL": server.url("app"), "PARCELWARD_KEYS_URL": server.url("keys")}
    with subprocess.Popen(
        [sys.executable, "-m", "parcelward.doors.console", "work"],
        env=clean | WORDS | urls | {"PARCELWARD_HOME": str(home)},
    ) as worker:
        until((home / "log" / "checkpoint").exists, seconds=60, what="the log")
        worker.terminate()
    vkey = json.loads(good(run(server, home, "log-key", "list")).splitlines()[-1])["vkey"]
    public = good(run(server, home, "backup-key", "make", str(tmp_path / "private.key"), names=None))
    good(run(server, home, "backup-key", "trust", public))
    said = good(
        run(server, home, "backup", str(at / "main"), "--keys", str(at / "keys"), "--secrets", str(at / "secrets"))
    )
    assert said.count("as stored") == 3
    words = ["restore", str(at / "main"), "--keys", str(at / "keys"), "--secrets", str(at / "secrets")]
    words += ["--key", str(tmp_path / "private.key"), "--log-key", vkey]

    full = run(server, home, *words, "--into", str(tmp_path / "full"))
    assert full.returncode == 1
    assert "has tables already: nothing is written over" in full.stderr
    assert not (tmp_path / "full").exists()
    assert "The record and the log agree" in good(
        run(server, home, *words, "--into", str(tmp_path / "second"), names=("app2", "keys2"))
    )
    with psycopg.connect(server.url("app")) as one, psycopg.connect(server.url("app2")) as other:
        count = "SELECT count(*), max(id) FROM custody_batch"
        first, second = one.execute(count).fetchone(), other.execute(count).fetchone()
    assert first
    assert second
    assert second[0] >= first[0] - 3, "all but the entries that say that the backups were made"

    assert "The record and the log agree" in good(
        run(server, home, *words, "--into", str(tmp_path / "embedded"), names=None)
    )
    assert (tmp_path / "embedded" / "postgres" / "main" / "PG_VERSION").exists()
    manifest = next((at / "main").glob("main-*")) / "manifest.note"
    assert json.loads(manifest.read_text().splitlines()[1])["database"] == "dump"
