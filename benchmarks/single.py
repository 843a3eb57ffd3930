"""Single events, one a request, each signed: what group commit makes of them, beside the server's empty endpoint."""

from __future__ import annotations

import argparse
import http.client
import threading
import time
from urllib.parse import urlsplit

from benchmarks.ingest import SETTLE_S, load, percentile
from benchmarks.installation import ROLES, Installation, report, running, sample_world

SENDERS = 256


def empty_endpoint(installation: Installation, seconds: float) -> float:
    """Return answers a second of /healthz from as many senders."""
    host = urlsplit(installation.url)
    counts = [0] * SENDERS
    until = time.monotonic() + seconds

    def ask(nth: int) -> None:
        connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=30)
        while time.monotonic() < until:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            counts[nth] += 1

    threads = [threading.Thread(target=ask, args=(nth,)) for nth in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="single")
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    with running() as installation:
        installation.know(sample_world())
        load(installation, seconds=3, rate=0, batch=1, devices=SENDERS)
        time.sleep(SETTLE_S)
        before = installation.cpu_seconds()
        seen = load(installation, seconds=options.seconds, rate=0, batch=1, devices=SENDERS)
        time.sleep(SETTLE_S)
        after = installation.cpu_seconds()
        empty = empty_endpoint(installation, min(10.0, options.seconds))
        events = seen["accepted"]
        answers_ms = [a * 1000 for a in seen["answers"]]
        cpu = {role: (after[role] - before[role]) / events * 1e6 for role in ROLES}
        rows = [
            ("events_per_second", events / seen["seconds"], "1/s"),
            ("requests_failed", float(seen["failed"]), ""),
            ("answer_p50_ms", percentile(answers_ms, 0.5), "ms"),
            ("answer_p99_ms", percentile(answers_ms, 0.99), "ms"),
            *((f"cpu_us_per_event {role}", cpu[role], "us") for role in ROLES),
            ("cpu_us_per_event", sum(cpu.values()), "us"),
            ("empty_endpoint_per_second", empty, "1/s"),
            ("events for each answer of the empty endpoint", events / seen["seconds"] / empty, ""),
        ]
        report("single", rows)


if __name__ == "__main__":
    main()
