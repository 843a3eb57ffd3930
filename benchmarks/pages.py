"""The tracking page with many items behind it: server time, size over the wire, cost as the history grows."""

from __future__ import annotations

import argparse
import gzip
import http.client
import random
import time
from urllib.parse import urlsplit

import psycopg
from benchmarks.ingest import load, percentile
from benchmarks.installation import ROLES, SEED, Installation, report, running, sample_world

from parcelward.base.postgres import Cluster

PAGES = 300


def numbers(installation: Installation, count: int) -> list[str]:
    """Return random item numbers of the installation."""
    url = Cluster(installation.home / "postgres" / "main").url("parcelward")
    with psycopg.connect(url) as conn:
        rows = conn.execute(
            "SELECT number FROM parcels_itemalias TABLESAMPLE BERNOULLI (5) WHERE length(number) = 13 LIMIT %s",
            (count * 20,),
        ).fetchall()
    found = [row[0] for row in rows]
    random.Random(SEED).shuffle(found)
    return found[:count]


def pages(installation: Installation, asked: list[str]) -> tuple[list[float], int, int]:
    """Return (milliseconds of each page, its bytes plain, its bytes gzipped); throttled ones are asked again."""
    host = urlsplit(installation.url)
    connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=30)
    took_ms, plain = [], b""
    for number in asked:
        while True:
            began = time.perf_counter()
            connection.request("GET", f"/track/{number}", headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 429:
                time.sleep(float(answer.headers["Retry-After"]))
                continue
            took_ms.append((time.perf_counter() - began) * 1000)
            plain = gzip.decompress(body) if answer.headers.get("Content-Encoding") == "gzip" else body
            break
    return took_ms, len(plain), len(gzip.compress(plain))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="pages")
    parser.add_argument("--seconds", type=float, default=60, help="how long to record before each look")
    parser.add_argument("--steps", type=int, default=3, help="how many times to record and look")
    options = parser.parse_args()
    rows: list[tuple[str, float, str]] = []
    with running() as installation:
        installation.know(sample_world())
        total = 0
        for step in range(options.steps):
            before = installation.cpu_seconds()
            seen = load(installation, seconds=options.seconds, rate=0, batch=500, devices=4)
            total += seen["accepted"]
            time.sleep(3)
            after = installation.cpu_seconds()
            cost = sum(after[r] - before[r] for r in ROLES) / seen["accepted"] * 1e6
            took_ms, plain, zipped = pages(installation, numbers(installation, PAGES))
            rows += [
                (f"{step} events so far", float(total), ""),
                (f"{step} cpu_us_per_event", cost, "us"),
                (f"{step} page_p50_ms", percentile(took_ms, 0.5), "ms"),
                (f"{step} page_p95_ms", percentile(took_ms, 0.95), "ms"),
            ]
        url = Cluster(installation.home / "postgres" / "main").url("parcelward")
        with psycopg.connect(url) as conn:
            size = conn.execute("SELECT pg_database_size('parcelward')").fetchone()
            items = conn.execute("SELECT count(*) FROM parcels_item").fetchone()
        log_bytes = sum(f.stat().st_size for f in (installation.home / "log").iterdir())
        rows += [
            ("items", float(items[0] if items else 0), ""),
            ("database bytes per event", (size[0] if size else 0) / total, "B"),
            ("log bytes per event", log_bytes / total, "B"),
            ("page bytes", float(plain), "B"),
            ("page bytes gzipped", float(zipped), "B"),
        ]
    report("pages", rows)


if __name__ == "__main__":
    main()
