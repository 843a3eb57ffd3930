"""The tracking page with many items behind it: server time, size over the wire, cost as the history grows.

Every event is recorded as always, through the API: the history is as long as it says.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import random
import time
from urllib.parse import urlsplit

import psutil
import psycopg
from benchmarks.ingest import SETTLE_S, load, percentile
from benchmarks.installation import ROLES, SEED, Installation, report, running, sample_world

from parcelward.base.postgres import Cluster

PAGES = 300
WINDOW = 250_000  # events recorded at each size, to see what one costs there
QUIET_PERCENT, QUIET_S, QUIET_WAIT_S = 15.0, 5, 900.0


def numbers(installation: Installation, count: int) -> list[str]:
    """Return random item numbers of the installation."""
    url = Cluster(installation.home / "postgres" / "main").url("parcelward")
    with psycopg.connect(url) as conn:
        rows = conn.execute(
            "SELECT number FROM parcels_itemalias TABLESAMPLE BERNOULLI (5) WHERE length(number) = 13"
        ).fetchall()
    found = [row[0] for row in rows]
    random.Random(SEED).shuffle(found)
    return found[:count]


def pages(installation: Installation, asked: list[str]) -> tuple[list[float], int, int]:
    """Return (milliseconds of each page, its bytes plain, its bytes gzipped)."""
    host = urlsplit(installation.url)
    connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=30)
    took_ms, plain = [], b""
    for nth, number in enumerate(asked):
        # Each page is somebody else's: one address alone would be throttled.
        headers = {"Accept-Encoding": "gzip", "X-Forwarded-For": f"198.51.100.{nth % 250}"}
        began = time.perf_counter()
        connection.request("GET", f"/track/{number}", headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        took_ms.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise SystemExit(f"a page answered {answer.status}")
        plain = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
    return took_ms, len(plain), len(gzip.compress(plain))


def look(installation: Installation, name: str) -> tuple[list[tuple[str, float, str]], int]:
    """Record WINDOW more events and ask for pages; return what both cost at this size, and how many were recorded."""
    before = installation.cpu_seconds()
    began = time.monotonic()
    seen = load(installation, seconds=3_600, rate=0, batch=500, devices=4, events_max=WINDOW)
    rate = seen["accepted"] / (time.monotonic() - began)
    time.sleep(SETTLE_S)
    after = installation.cpu_seconds()
    cost = {role: (after[role] - before[role]) / seen["accepted"] * 1e6 for role in ROLES}
    took_ms, plain, zipped = pages(installation, numbers(installation, PAGES))
    rows = [
        *((f"{name}: cpu_us_per_event {role}", cost[role], "us") for role in ROLES),
        (f"{name}: cpu_us_per_event", sum(cost.values()), "us"),
        (f"{name}: events_per_second", rate, "1/s"),
        (f"{name}: page_p50_ms", percentile(took_ms, 0.5), "ms"),
        (f"{name}: page_p95_ms", percentile(took_ms, 0.95), "ms"),
        (f"{name}: page bytes", float(plain), "B"),
        (f"{name}: page bytes gzipped", float(zipped), "B"),
        *((f"{name}: memory_mb {role}", mb, "MB") for role, mb in installation.memory_mb().items()),
    ]
    return rows, seen["accepted"]


def quiet(seconds_max: float = QUIET_WAIT_S) -> None:
    """Wait until the machine has little to do: the vacuum after the load is over, and nobody else computes."""
    deadline = time.monotonic() + seconds_max
    calm = 0
    while calm < QUIET_S and time.monotonic() < deadline:
        calm = calm + 1 if psutil.cpu_percent(interval=1) < QUIET_PERCENT else 0


def disk(installation: Installation, total: int, name: str) -> list[tuple[str, float, str]]:
    """Return how many bytes on disk an event takes, and where."""
    url = Cluster(installation.home / "postgres" / "main").url("parcelward")
    with psycopg.connect(url) as conn:
        size = conn.execute("SELECT pg_database_size('parcelward')").fetchone()
        items = conn.execute("SELECT count(*) FROM parcels_item").fetchone()
        events = conn.execute(
            "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits "
            "WHERE inhparent = 'parcels_scan_event'::regclass"
        ).fetchone()
    log_bytes = sum(f.stat().st_size for f in (installation.home / "log").iterdir())
    return [
        (f"{name}: events", float(total), ""),
        (f"{name}: items", float(items[0] if items else 0), ""),
        (f"{name}: database bytes per event", float(size[0] if size else 0) / total, "B"),
        (f"{name}: of which events and their indexes", float(events[0] if events else 0) / total, "B"),
        (f"{name}: log bytes per event", log_bytes / total, "B"),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="pages")
    parser.add_argument("--seconds", type=float, default=60, help="accepted for all benchmarks; the sizes decide here")
    parser.add_argument("--sizes", default="0.5,1", help="millions of events at which to look, rising")
    options = parser.parse_args()
    rows: list[tuple[str, float, str]] = []
    with running(PARCELWARD_TRUSTED_PROXIES="1") as installation:
        installation.know(sample_world())
        total = load(installation, seconds=5, rate=0, batch=500, devices=4)["accepted"]  # warm caches and partitions
        for size in options.sizes.split(","):
            missing = int(float(size) * 1_000_000) - WINDOW - total
            if missing > 0:
                total += load(installation, seconds=7_200, rate=0, batch=500, devices=4, events_max=missing)["accepted"]
            print(f"{total:,} events; waiting until the machine is quiet", flush=True)
            quiet()
            found, recorded = look(installation, f"{size} million")
            total += recorded
            rows += found + disk(installation, total, f"{size} million")
            print(*(f"  {figure:<44}{value:>14,.3f}  {unit}" for figure, value, unit in found), sep="\n", flush=True)
        first, last = options.sizes.split(",")[0], options.sizes.split(",")[-1]
        value = {figure: number for figure, number, _ in rows}
        rows += [
            (f"{what}, last to first", value[f"{last} million: {what}"] / value[f"{first} million: {what}"], "")
            for what in ("cpu_us_per_event", "page_p50_ms", "page_p95_ms")
        ]
    report("pages", rows)


if __name__ == "__main__":
    main()
