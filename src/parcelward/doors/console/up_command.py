"""`parcelward up`: everything on one machine, under one supervisor."""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.request
from pathlib import Path
from urllib.error import URLError

from parcelward.base import config
from parcelward.base.postgres import KEYS, MAIN, Cluster
from parcelward.base.supervisor import Part, Program, Service, Supervisor, say

SEED = 1
WAL_STOP_WAIT_S = 60.0  # its last words are what was recorded last


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the one choice."""
    parser.add_argument("--empty", action="store_true", help="without the sample town")


def run(options: argparse.Namespace) -> int:
    """Start the parts and keep them running until Ctrl-C."""
    settings = config.get()
    settings.home.mkdir(mode=0o755, parents=True, exist_ok=True)  # whatever the umask: nobody else writes there
    me = [sys.executable, "-m", "parcelward.doors.console"]
    town = not options.empty and not settings.production
    parts: list[Part] = []
    if not settings.database_url:
        parts.append(_database(settings.home, "main"))
    if not settings.keys_url:
        parts.append(_database(settings.home, "keys"))
    parts.append(Program("install", [*me, "install"], once=True))
    if not settings.production:
        parts.append(Program("samples", [*me, "samples"], once=True))
    if not settings.production and not settings.stripe_key:
        parts.append(Program("provider", [*me, "provider"], ready=lambda: _answers(settings.provider_port)))
    parts.append(Program("web", [*me, "serve"], ready=lambda: _answers(settings.port)))
    parts.append(Program("worker", [*me, "work"]))
    if settings.wal_to:
        main, keys = map(str, settings.wal_to)
        parts.append(Program("wal", [*me, "backup", main, "--keys", keys, "--wal"], stop_wait_s=WAL_STOP_WAIT_S))
    if town:
        parts.append(Program("town", [*me, "town", "--seed", str(SEED)]))
    return Supervisor(parts, lock=settings.home / "up.lock").run(on_ready=_welcome)


def _database(home: Path, name: str) -> Service:
    cluster = Cluster(home / "postgres" / name, settings=KEYS if name == "keys" else MAIN)

    def start() -> None:
        cluster.start()
        cluster.ensure_database("parcelward")

    return Service(f"db {name}", start, cluster.stop, cluster.alive)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{config.get().bind}:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)  # noqa: PLR2004 -- the HTTP status is the name
    except (URLError, OSError):
        return False


def _welcome() -> None:
    settings = config.get()
    samples = settings.home / "samples.json"
    lines = [
        "",
        f"  Parcelward runs at    {settings.public_url}",
        f"  API and its page      {settings.public_url}/api/v1/docs",
        f"  The log               {settings.public_url}/log/checkpoint",
        f"  Data lives in         {settings.home}",
    ]
    if not settings.production and samples.exists():
        lines.append("  Sample people, one link each, good once (the ordinary way in: a passkey on this device):")
        for person in json.loads(samples.read_text())["people"]:
            lines += [f"    {person['role'].replace('_', ' '):<16}{person['sign_in']}  {person['at']}".rstrip()]
        lines.append(f"  Simulated mail        {settings.home / 'mail'} (an addressee's code is in the newest file)")
        lines.append(f"  Keys and numbers      {samples}")
        lines.append("  Everything in the sample town is simulated.")
    lines += ["  Ctrl-C stops all.", ""]
    for line in lines:
        say(line)


def write_samples(home: Path, value: dict[str, object]) -> None:
    """Write samples.json so that a reader sees the old or the new, and only the owner sees either."""
    path = home / "samples.json"
    mine = path.with_suffix(".new")
    with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(value, out, indent=2)
        out.flush()
        os.fsync(out.fileno())
    mine.replace(path)
