"""An installation that may be hurt: its own home and port, its processes by what they do."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from parcelward.base.postgres import Cluster
from parcelward.custody.files import LogFiles

START_WAIT_S = 180.0
KINDS = ("web_worker", "web", "worker", "backend", "database", "databases")
LIMIT_S = {"web_worker": 5, "web": 5, "worker": 5, "backend": 15, "database": 15, "databases": 15}
"""What we promise: back within so many seconds; a machine that others load is given more in CI."""
PLACE = {
    "name": "Fault office",
    "kind": "office",
    "country": "US",
    "time_zone": "America/Chicago",
    "coarse_place": "Springfield, IL",
    "position": [-89.65, 39.78],
    "simulated": True,
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], *, seconds: float, what: str) -> Any:
    """Return the condition's value as soon as it is true; raise TimeoutError with `what` was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(0.05)


class Plant:
    """A running Parcelward in `home`; `close` stops it."""

    def __init__(self, home: Path, *, extra: Mapping[str, str] = {}) -> None:
        self.home = home
        self.port, self.provider_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("PARCELWARD_")}
        self._env |= {
            "PARCELWARD_HOME": str(home),
            "PARCELWARD_PORT": str(self.port),
            "PARCELWARD_PROVIDER_PORT": str(self.provider_port),
            "PARCELWARD_LOG_ORIGIN": "faults.parcelward.example/log",
            **extra,
        }
        home.mkdir(parents=True, exist_ok=True)
        self._output = (home / "up.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "parcelward.doors.console", "up", "--empty"],
            env=self._env,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            until(self._ready, seconds=START_WAIT_S, what="the start")
            samples = json.loads((home / "samples.json").read_text())
            self.headers = {"Authorization": f"Bearer {samples['api_key']}"}
            self.put("/api/v1/facilities/FAULT-A", PLACE)
        except BaseException:
            self.close()
            raise

    def _ready(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError("the installation did not start:\n" + (self.home / "up.log").read_text()[-3000:])
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def put(self, path: str, body: dict[str, Any]) -> None:
        httpx.put(f"{self.url}{path}", json=body, headers=self.headers, timeout=60).raise_for_status()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the console on this installation."""
        return subprocess.run(
            [sys.executable, "-m", "parcelward.doors.console", *arguments],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def python(self, program: str) -> str:
        """Run a program with this installation's settings; return what it prints."""
        done = subprocess.run(
            [sys.executable, "-c", program], env=self._env, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-3000:])
        return done.stdout

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._output.close()

    # Looking behind the doors -----------------------------------------------------------------------------------------

    @property
    def log_folder(self) -> Path:
        return self.home / "log"

    def database(self) -> psycopg.Connection[Any]:
        return psycopg.connect(Cluster(self.home / "postgres" / "main").url("parcelward"), autocommit=True)

    def published_size(self) -> int:
        with LogFiles(self.log_folder, read_only=True) as files:
            head = files.published_head()
        return 0 if head is None else head.size

    def in_log(self, batch: int) -> bool:
        """Return whether a published checkpoint covers a batch; False while the database is away."""
        try:
            with self.database() as db:
                row = db.execute("SELECT first_index + n FROM custody_logbatch WHERE batch = %s", (batch,)).fetchone()
        except psycopg.Error:
            return False
        return row is not None and row[0] <= self.published_size()

    # Hurting ----------------------------------------------------------------------------------------------------------

    def kill(self, kind: str, rng: random.Random) -> str:
        """Kill -9 what `kind` names; return how many processes that was, or why none."""
        victims = getattr(self, f"_{kind}")(rng)
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        return f"{len(victims)} killed" if victims else "nothing to kill"

    def kill_everything(self) -> None:
        """Kill -9 the supervisor and all that it started, as far as a test can come to a power cut."""
        supervisor = psutil.Process(self._process.pid)
        victims = [supervisor, *supervisor.children(recursive=True)]
        victims += [psutil.Process(pid) for pid in self._databases(random.Random(0))]
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        self._process.wait()
        self._output.close()

    def _children(self, word: str) -> list[psutil.Process]:
        found = []
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children():
                with contextlib.suppress(psutil.NoSuchProcess):  # it ended while we looked
                    if word in child.cmdline():
                        found.append(child)
        return found

    def _web(self, _rng: random.Random) -> list[int]:
        return [child.pid for child in self._children("granian")]

    def _web_worker(self, rng: random.Random) -> list[int]:
        workers = []
        for child in self._children("granian"):
            with contextlib.suppress(psutil.NoSuchProcess):
                workers += [one.pid for one in child.children() if "resource_tracker" not in " ".join(one.cmdline())]
        return [rng.choice(workers)] if workers else []

    def _worker(self, _rng: random.Random) -> list[int]:
        return [child.pid for child in self._children("work")]

    def _provider(self, _rng: random.Random) -> list[int]:
        return [child.pid for child in self._children("provider")]

    def _postmaster(self, name: str) -> list[int]:
        try:
            pid = int((self.home / "postgres" / name / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return []
        return [pid] if psutil.pid_exists(pid) else []

    def _database(self, _rng: random.Random) -> list[int]:
        return self._postmaster("main")

    def _databases(self, _rng: random.Random) -> list[int]:
        return self._postmaster("main") + self._postmaster("keys")

    def _backend(self, rng: random.Random) -> list[int]:
        for server in (rng.choice(("main", "main", "keys")), "main"):  # the keys' may have nobody yet after a restart
            backends = []
            for pid in self._postmaster(server):
                with contextlib.suppress(psutil.NoSuchProcess):
                    children = psutil.Process(pid).children()
                    backends += [one.pid for one in children if " parcelward parcelward" in " ".join(one.cmdline())]
            if backends:
                return [rng.choice(backends)]
        return []
