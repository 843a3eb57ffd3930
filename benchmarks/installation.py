"""A fresh installation to measure, and the CPU and memory of each of its parts as the kernel counts them."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parcelward.doors.simulator.world import World, build

SEED = 20261122
ROLES = ("web", "database", "worker")


@dataclasses.dataclass(frozen=True)
class Device:
    """An enrolled device."""

    key: Ed25519PrivateKey
    key_id: str


@dataclasses.dataclass(frozen=True)
class Installation:
    """A running Parcelward in a folder of its own."""

    url: str
    home: Path
    api_key: str
    process: subprocess.Popen[bytes]

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the administrator's API key."""
        return {"Authorization": f"Bearer {self.api_key}"}

    def device(self, name: str) -> Device:
        """Enrol a device over HTTP."""
        key = Ed25519PrivateKey.generate()
        body = {
            "name": f"sim {name}",
            "public_key_ed25519_base64": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
            "simulated": True,
        }
        headers = {**self.headers, "Idempotency-Key": str(uuid.uuid4())}
        answer = httpx.post(f"{self.url}/api/v1/devices", json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return Device(key, answer.json()["key_id"])

    def know(self, world: World) -> None:
        """Describe the world's facilities."""
        with httpx.Client(base_url=self.url, headers=self.headers, timeout=60) as client:
            for facility in world.facilities.values():
                client.put(
                    f"/api/v1/facilities/{facility.code}",
                    json={
                        "name": facility.code,
                        "kind": facility.kind,
                        "country": world.country,
                        "time_zone": facility.time_zone,
                        "coarse_place": facility.code,
                        "position": [facility.longitude, facility.latitude],
                        "simulated": True,
                    },
                ).raise_for_status()

    def by_role(self) -> dict[str, list[psutil.Process]]:
        """Return the running processes of each part."""
        found: dict[str, list[psutil.Process]] = {role: [] for role in ROLES}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                words = " ".join(child.cmdline())
                name = child.name()
                if "postgres" in name:
                    found["database"].append(child)
                elif "granian" in words or "granian" in name:
                    found["web"].append(child)
                elif words.endswith(" work"):
                    found["worker"].append(child)
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """Return CPU seconds used so far by each part, children that ended included."""
        used = dict.fromkeys(ROLES, 0.0)
        for role, processes in self.by_role().items():
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    used[role] += times.user + times.system
        return used

    def memory_mb(self) -> dict[str, float]:
        """Return memory used by each part: unique set size, so that shared buffers count once per role at most."""
        used = dict.fromkeys(ROLES, 0.0)
        for role, processes in self.by_role().items():
            for process in processes:
                with contextlib.suppress(psutil.Error):
                    used[role] += process.memory_full_info().uss / 1e6
        return used


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(**settings: str) -> Iterator[Installation]:
    """Start a fresh installation; stop it and remove its data afterwards."""
    home = Path(tempfile.mkdtemp(prefix="pw-bench-", dir=os.environ.get("PARCELWARD_BENCH_DIR")))
    port = _free_port()
    env = {k: v for k, v in os.environ.items() if not k.startswith("PARCELWARD_")}
    env |= {"PARCELWARD_HOME": str(home), "PARCELWARD_PORT": str(port), **settings}
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "parcelward.doors.console", "up", "--empty"], stdout=log, stderr=log, env=env
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process, home)
            key = json.loads((home / "samples.json").read_text())["api_key"]
            yield Installation(url, home, key, process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
            if not os.environ.get("PARCELWARD_BENCH_KEEP"):
                shutil.rmtree(home, ignore_errors=True)


def _wait(url: str, process: subprocess.Popen[bytes], home: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise SystemExit("the installation did not start:\n" + (home / "up.log").read_text()[-3000:])


def machine() -> str:
    """Describe this machine in a line, without its name."""
    cpu = next(
        (line.split(": ")[1] for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    memory_gib = psutil.virtual_memory().total / 2**30
    return f"{os.cpu_count()} x {cpu.strip()}, {memory_gib:.0f} GiB, Python {platform.python_version()}"


def commit() -> str:
    """Return the commit that is measured."""
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def report(name: str, rows: list[tuple[str, float, str]], **more: Any) -> None:
    """Print a table and write it to $PARCELWARD_HOME/bench/NAME.json."""
    print(f"\n{name}   {machine()}   seed {SEED}   commit {commit()}")
    for figure, value, unit in rows:
        print(f"  {figure:<46}{value:>14,.3f}  {unit}")
    folder = Path(os.environ.get("PARCELWARD_HOME") or "var") / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    out = {
        "name": name,
        "machine": machine(),
        "seed": SEED,
        "commit": commit(),
        "rows": [{"figure": f, "value": v, "unit": u} for f, v, u in rows],
        **more,
    }
    (folder / f"{name}.json").write_text(json.dumps(out, indent=2))


def sample_world() -> World:
    """Return the world that all benchmarks use."""
    return build(SEED)
