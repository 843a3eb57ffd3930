"""Where the microseconds of a scan go: each part of recording in one process, on both ends of its connection.

No HTTP: batches are parsed and recorded here, beside a running installation whose database and worker do their part.
The measuring itself (a look at two clocks around every part) is in the figures.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import hashlib
import os
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.installation import SEED, Installation, report, running, sample_world

from parcelward.base.standards import signed_request
from parcelward.doors.simulator.load import load_plan

BATCH = 500
WARM = 150  # batches before what counts: statements get prepared, items get known
PARTS = {  # what a part does: the functions whose own time, without that of parts inside, is counted under it
    "may it, was it sent before": ("reading.admit", "submissions.stored_answers"),
    "check events, canonical numbers": ("reading.wanted_events",),
    "find items and statuses": ("reading.find_things",),
    "keys of items": ("queries.keys_of_living", "queries.keep_keys"),
    "make new items": ("reading._make_things", "actions.make_secrets", "items.insert_items", "rows.insert_statuses"),
    "encrypt, commit, fold": ("record._commit_events",),
    "store the batch": ("actions.add_batch",),
    "pack and copy events": ("record._do", "record._packed", "rows.copy_events"),
    "write statuses": ("record._write_statuses", "rows.update_statuses"),
    "receipt and answer": ("record._answer", "submissions.store_answers"),
}


class _Clock:
    """Own CPU time of every part, here and in the server process of this connection."""

    def __init__(self) -> None:
        self.here: defaultdict[str, float] = defaultdict(float)
        self.there: defaultdict[str, float] = defaultdict(float)
        self._inside = [(0.0, 0.0)]
        self._server: Path | None = None

    def server_s(self) -> float:
        """Return the CPU seconds that the server process has used."""
        if self._server is None:
            from parcelward.base import db

            self._server = Path(f"/proc/{db.raw().info.backend_pid}/schedstat")
        return int(self._server.read_text().split()[0]) / 1e9

    def watch(self, module: Any, name: str) -> None:
        """Count what a function uses."""
        function: Callable[..., Any] = getattr(module, name)
        label = f"{module.__name__.rsplit('.', 1)[-1]}.{name}"

        @functools.wraps(function)
        def counted(*args: Any, **named: Any) -> Any:
            self._inside.append((0.0, 0.0))
            here, there = time.thread_time(), self.server_s()
            try:
                return function(*args, **named)
            finally:
                here, there = time.thread_time() - here, self.server_s() - there
                inner = self._inside.pop()
                outer = self._inside[-1]
                self._inside[-1] = outer[0] + here, outer[1] + there
                self.here[label] += here - inner[0]
                self.there[label] += there - inner[1]

        setattr(module, name, counted)


def _measure(installation: Installation, batches: int) -> tuple[_Clock, float, float, float]:
    """Return (the parts, CPU seconds of parsing, of all that is done here, of the server process)."""
    from parcelward.custody import actions as custody
    from parcelward.custody import queries as custody_queries
    from parcelward.doors.api import scans
    from parcelward.parcels import actions as parcels
    from parcelward.parcels import rows
    from parcelward.parcels.actions import items, reading, record, submissions
    from parcelward.parcels.wire import Submission
    from parcelward.people import queries as people

    device = installation.device("where")
    named = signed_request.parameters(created_s=1_800_000_000, key_id=device.key_id)
    person = people.enrolled_device(f"sig1={named}").person
    plan = load_plan(SEED, 10_000_000, start=dt.datetime.now(dt.UTC) - dt.timedelta(hours=2), world=sample_world())
    bodies = [next(plan) for _ in range(batches + WARM)]
    clock, parsing = _Clock(), 0.0
    for nth, body in enumerate(bodies):
        if nth == WARM:
            modules = (reading, submissions, record, rows, items, custody, custody_queries)
            by_name = {module.__name__.rsplit(".", 1)[-1]: module for module in modules}
            for functions in PARTS.values():
                for function in functions:
                    module, name = function.split(".")
                    clock.watch(by_name[module], name)
            began, server_began, parsing = time.thread_time(), clock.server_s(), 0.0
        start = time.thread_time()
        events, bad = scans.parse(body, ndjson=False)
        digest = hashlib.sha256(body).digest()
        parsing += time.thread_time() - start
        parcels.record_scans([Submission(person, nth + 1, digest, events, bad, body)], now=dt.datetime.now(dt.UTC))
    return clock, parsing, time.thread_time() - began, clock.server_s() - server_began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="where")
    parser.add_argument("--seconds", type=float, default=0, help="accepted for all benchmarks; --batches decides here")
    parser.add_argument("--batches", type=int, default=300)
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

        clock, parsing, here, there = _measure(installation, options.batches)
    to_us = 1e6 / (options.batches * BATCH)
    rows = [("parse: here", parsing * to_us, "us")]
    for part, functions in PARTS.items():
        rows.append((f"{part}: here", sum(clock.here[f] for f in functions) * to_us, "us"))
        rows.append((f"{part}: database", sum(clock.there[f] for f in functions) * to_us, "us"))
    rows += [
        ("begin, commit, the rest: here", (here - parsing - sum(clock.here.values())) * to_us, "us"),
        ("begin, commit, the rest: database", (there - sum(clock.there.values())) * to_us, "us"),
        ("all: here", here * to_us, "us"),
        ("all: database", there * to_us, "us"),
    ]
    report("where", rows)


if __name__ == "__main__":
    main()
