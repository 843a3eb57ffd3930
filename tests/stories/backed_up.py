"""An installation with its backups, and what is done to them: for the restore drill."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from tests.faults.plant import Plant
from tests.scanner import Scanner, event, new_number

from parcelward.base.backups import sets
from parcelward.base.postgres import KEYS, MAIN, Cluster

ROOT = Path(__file__).parents[2]
ORIGIN = "drill.parcelward.example/log"


def command(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command on a machine that has no installation."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PARCELWARD_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", *words],
        env=clean | env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


class House:
    """One installation, its backups' folders, and the key that opens them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.plant = Plant(
            folder / "home",
            extra={
                "PARCELWARD_LOG_ORIGIN": ORIGIN,
                "PARCELWARD_ERASURE_WAIT_DAYS": "0",
                "PARCELWARD_WAL_TO": f"{self.at('main')}:{self.at('keys')}",
            },
        )
        try:
            self._begin()
        except BaseException:
            self.plant.close()
            raise

    def _begin(self) -> None:
        self.scanner = Scanner(self.plant)
        self.private = self.folder / "private" / "backup.key"
        self.private.parent.mkdir()
        made = command("backup-key", "make", str(self.private))
        assert made.returncode == 0, made.stderr
        trusted = self.plant.run("backup-key", "trust", made.stdout)
        assert trusted.returncode == 0, trusted.stderr
        self.log_key = ""  # as somebody wrote it down when the last backup was made
        self.acknowledged: list[str] = []
        self.numbers: list[str] = []

    def scan(self, count: int) -> None:
        """Record items; each event's id is kept as soon as it is acknowledged."""
        for _ in range(count):
            number = new_number()
            said = [
                event(number, "accepted", facility="FAULT-A"),
                event(number, "sorted", minutes=5, facility="FAULT-A"),
            ]
            self.scanner.send(*said)
            self.acknowledged += [each["event_id"] for each in said]
            self.numbers.append(number)

    def backup(self) -> str:
        done = self.plant.run(
            "backup", str(self.at("main")), "--keys", str(self.at("keys")), "--secrets", str(self.at("secrets"))
        )
        assert done.returncode == 0, done.stdout + done.stderr
        self.log_key = self.vkey()
        return done.stdout

    def at(self, kind: str) -> Path:
        return self.folder / "backups" / kind

    def newest(self, kind: Any) -> Path:
        return sets.newest(self.at(kind), kind)

    def restore(self, into: Path | None, **changed: str) -> subprocess.CompletedProcess[str]:
        """Restore; `changed` are other folders, another key, other words about the log's key, or more words."""
        words = [changed.get("main", str(self.at("main"))), "--keys", changed.get("keys", str(self.at("keys")))]
        words += ["--secrets", changed.get("secrets", str(self.at("secrets")))]
        words += ["--key", changed.get("key", str(self.private))]
        words += ["--into", str(into)] if into is not None else []
        words += changed.get("log", f"--log-key {self.log_key}").split()
        words += changed.get("more", "").split()
        return command("restore", *words)

    def vkey(self) -> str:
        return str(json.loads(self.plant.run("log-key", "list").stdout.splitlines()[-1])["vkey"])


@contextlib.contextmanager
def a_house(folder: Path) -> Iterator[House]:
    """Give a house, and take it away."""
    made = House(folder)
    try:
        yield made
    finally:
        made.plant.close()
        shutil.rmtree(folder, ignore_errors=True)


def events_in(home: Path) -> set[str]:
    """Start a home's databases for a moment and return the ids of its scan events."""
    cluster = Cluster(home / "postgres" / "main", settings=MAIN)
    cluster.start()
    try:
        with psycopg.connect(cluster.url("parcelward")) as database:
            return {str(row[0]) for row in database.execute("SELECT event_id FROM parcels_scan_event")}
    finally:
        cluster.stop()


def copied(house: House, folder: Path) -> dict[str, Path]:
    """Return a copy of the newest sets, to be hurt."""
    for kind in sets.KINDS:
        source = house.newest(kind)
        shutil.copytree(source, folder / kind / source.name)
        (folder / kind / sets.MARK).write_text(f"{kind}\n")
    return {kind: folder / kind for kind in sets.KINDS}


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


INSIDE = """
import sys, django
django.setup()
from tests.joined import joined
from parcelward.parcels import actions, queries
from parcelward.people import actions as people
from parcelward.people.wire import Role
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Kind
"""


def inside(house: House, script: str, *words: str) -> str:
    """Run a few lines in the house's own surroundings; return what they print."""
    env = house.plant._env | {"DJANGO_SETTINGS_MODULE": "parcelward.doors.settings"}
    done = subprocess.run(
        [sys.executable, "-c", INSIDE + script, *words],
        env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SHRED = """
erasure = actions.request_erasure(queries.find(sys.argv[1]), "asked to", by=joined(Role.ADMINISTRATOR))
actions.approve_erasure(erasure, by=joined(Role.ADMINISTRATOR))
"""


def shred(house: House, number: str) -> None:
    """Two people agree to an item's erasure, and it is done."""
    inside(house, SHRED, number)
    assert house.plant.run("shred", "execute").returncode == 0


def asked(home: Path, name: str, query: str, *values: Any) -> list[Any]:
    """Start one database of a home for a moment and return the first column of what it answers."""
    cluster = Cluster(home / "postgres" / name, settings=MAIN if name == "main" else KEYS)
    cluster.start()
    try:
        with psycopg.connect(cluster.url("parcelward")) as database:
            return [row[0] for row in database.execute(query, values)]
    finally:
        cluster.stop()


def ring(house: House) -> str:
    keys = json.loads((house.plant.home / "log" / "signers").read_bytes())["keys"]
    return str(keys[-1]["vkey"])
