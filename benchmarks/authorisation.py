"""What does it cost to ask who asks and whether they may? In a request with a key, and on the scan path per event.

The look-up of a key is one statement, and proves who asks. That they may is decided in memory: role, scopes, tenant.
The scan path is measured in one process, on both ends of its connection, in turns: a group of batches as they are, a
group with `require`, the note of who was heard and the look for suspended tenants taken out, and so on.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.installation import SEED, Installation, report, running, sample_world
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parcelward.doors.simulator import signing
from parcelward.doors.simulator.load import load_plan

BATCH = 500
WARM = 60  # batches before what counts
GROUP = 5  # batches in a turn
CALLS = 20_000
LOOK_UPS = 3_000


def _cpu_us(function: Callable[[], object], times: int) -> float:
    """Return the CPU microseconds of one call in this thread: the best of five rounds."""
    rounds = []
    for _ in range(5):
        began = time.thread_time()
        for _ in range(times // 5):
            function()
        rounds.append((time.thread_time() - began) / (times // 5) * 1e6)
    return min(rounds)


def _server_s() -> float:
    from parcelward.base import db

    return int(Path(f"/proc/{db.raw().info.backend_pid}/schedstat").read_text().split()[0]) / 1e9


def _of_a_key(token: str) -> list[tuple[str, float, str]]:
    """Measure the parts of a request with a key that ask who, and whether."""
    from parcelward.base import db
    from parcelward.doors import throttle
    from parcelward.people import queries as people
    from parcelward.people import tokens
    from parcelward.people.wire import Task

    holder = people.key_holder(token)
    digest = tokens.digest(token)
    bare = "SELECT source_id, role, expires_at FROM people_apikey WHERE digest = %s AND revoked_at IS NULL"

    def look_up() -> None:  # the least that any look-up of a token costs
        with db.cursor() as cur:
            cur.execute(bare, (digest,), prepare=True)
            cur.fetchone()

    for _ in range(200):
        people.key_holder(token)
        look_up()
    server = _server_s()
    whole = _cpu_us(lambda: people.key_holder(token), LOOK_UPS)
    server_whole = (_server_s() - server) / LOOK_UPS * 1e6
    server = _server_s()
    least = _cpu_us(look_up, LOOK_UPS)
    server_least = (_server_s() - server) / LOOK_UPS * 1e6
    require = _cpu_us(lambda: people.require(holder, Task.SCAN), CALLS)
    throttled = _cpu_us(lambda: throttle.take("benchmark", holder.source, 10**9), CALLS)
    heard = _cpu_us(lambda: throttle.require_heard("192.0.2.1"), CALLS)
    added = whole - least + require + throttled + heard
    return [
        ("key_holder: here", whole, "us"),
        ("key_holder: database", server_whole, "us"),
        ("the barest look-up of a token: here", least, "us"),
        ("the barest look-up of a token: database", server_least, "us"),
        ("require, of a key with scopes", require, "us"),
        ("limit of the key", throttled, "us"),
        ("is the address banned", heard, "us"),
        ("authorisation_us_per_request, beyond the barest look-up", added, "us"),
        ("authorisation_us_per_request, database", max(0.0, server_whole - server_least), "us"),
    ]


_WITHOUT_TENANTS = (
    "SELECT s.number FROM people_source s LEFT JOIN people_device d ON d.source_id = s.number "
    "LEFT JOIN people_apikey k ON k.source_id = s.number LEFT JOIN people_user u ON u.source_id = s.number "
    "WHERE s.number = ANY(%s::int[]) AND (d.revoked_at IS NOT NULL OR k.revoked_at IS NOT NULL "
    "OR k.expires_at <= %s OR NOT u.is_active)"
)


@contextlib.contextmanager
def _taken_out() -> Iterator[None]:
    """Take out what this measures: `require`, who was heard, and the look at tenants beside that at revocations."""
    from parcelward.base import db
    from parcelward.people import queries as people
    from parcelward.people import seen

    def revoked_among(sources: Any) -> frozenset[int]:
        with db.cursor() as cur:
            cur.execute(_WITHOUT_TENANTS, (db.int_array(list(sources)), dt.datetime.now(dt.UTC)))
            return frozenset(row[0] for row in cur)

    def nothing(*_: object) -> None:
        return

    with (
        mock.patch.object(people, "require", nothing),
        mock.patch.object(people, "revoked_among", revoked_among),
        mock.patch.object(seen, "note", nothing),
    ):
        yield


def _of_scans(installation: Installation, pairs: int) -> list[tuple[str, float, str]]:
    """Measure the scan path with authorisation and without, in turns; from the signed request to the commit."""
    from parcelward.doors.api import scans
    from parcelward.parcels import actions as parcels
    from parcelward.people import queries as people

    device = installation.device("authorisation")
    plan = load_plan(SEED, 10_000_000, start=dt.datetime.now(dt.UTC) - dt.timedelta(hours=2), world=sample_world())
    sequence = 0

    def turn(batches: int) -> float:
        """Record so many batches; return the CPU microseconds of an event on both ends."""
        nonlocal sequence
        requests = []
        for _ in range(batches):
            sequence, body = sequence + 1, next(plan)
            requests.append((body, _signed(device.key, device.key_id, body, sequence)))
        here, there = time.thread_time(), _server_s()
        for body, sent in requests:
            named = sent[b"signature-input"].decode()
            known = people.remembered_device(named) or people.enrolled_device(named)
            submission = scans._submission(sent, known, None, body)  # noqa: SLF001 -- the door without HTTP
            parcels.record_scans([submission], now=dt.datetime.now(dt.UTC))
        return (time.thread_time() - here + _server_s() - there) / (batches * BATCH) * 1e6

    turn(WARM)
    with_it, without, ratios = [], [], []
    for nth in range(pairs):
        order = (True, False) if nth % 2 else (False, True)
        found = {}
        for real in order:
            with contextlib.nullcontext() if real else _taken_out():
                found[real] = turn(GROUP)
        with_it.append(found[True])
        without.append(found[False])
        ratios.append(found[False] / found[True])
    return [
        ("scan_us_per_event, with authorisation", statistics.median(with_it), "us"),
        ("scan_us_per_event, without", statistics.median(without), "us"),
        ("ratio_without_to_with, median of pairs", statistics.median(ratios), ""),
        ("pairs of turns", float(pairs), ""),
        ("events in a turn", float(GROUP * BATCH), ""),
    ]


def _signed(key: Ed25519PrivateKey, key_id: str, body: bytes, sequence: int) -> dict[bytes, bytes]:
    headers = signing.headers(key, key_id=key_id, body=body, sequence=sequence, created=int(time.time()))
    return {name.lower().encode(): value.encode() for name, value in headers.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="authorisation")
    parser.add_argument("--seconds", type=float, default=0, help="accepted for all benchmarks; --pairs decides here")
    parser.add_argument("--pairs", type=int, default=40)
    options = parser.parse_args()
    with running() as installation:
        installation.know(sample_world())
        os.environ |= {
            "PARCELWARD_HOME": str(installation.home),
            "PARCELWARD_PORT": installation.url.rsplit(":", 1)[1],
            "PARCELWARD_WEB_WORKERS": "1",  # as in the ingest benchmark: what was written is remembered
            "DJANGO_SETTINGS_MODULE": "parcelward.doors.settings",
        }
        import parcelward.doors.asgi  # noqa: F401 -- sets Django and the garbage collector up as in the web process
        from parcelward.people import actions as people
        from parcelward.people.wire import Role, Task

        made = people.new_key(
            "sim benchmark", Role.PARTNER, by=people.installer(), mode="test", simulated=True, scopes=[Task.SCAN]
        )
        rows = _of_a_key(made.token)
        rows += _of_scans(installation, options.pairs)
    report("authorisation", rows)


if __name__ == "__main__":
    main()
