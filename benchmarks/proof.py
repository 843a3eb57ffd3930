"""Proofs from tiles at ten million entries, hashing beside pymerkle, and what verify-log checks in a second."""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pymerkle
from benchmarks.ingest import load, percentile
from benchmarks.installation import SEED, report, running, sample_world

from parcelward.custody import tree
from parcelward.custody.files import LogFiles

ENTRIES = 10_000_000
AT_ONCE = 50_000
PROOFS = 500
PYMERKLE_ENTRIES = 50_000


def proofs(entries: int) -> list[tuple[str, float, str]]:
    """Build a log of random entries in a temporary folder and prove random ones from its tiles."""
    rng = random.Random(SEED)
    with tempfile.TemporaryDirectory(dir=os.environ.get("PARCELWARD_BENCH_DIR")) as folder:
        files = LogFiles(Path(folder) / "log")
        began = time.process_time()
        for _ in range(0, entries, AT_ONCE):
            files.append(rng.randbytes(AT_ONCE * 32))
        us_per_leaf = (time.process_time() - began) / entries * 1e6
        root, size = files.root(), files.size
        took_ms = []
        for _ in range(PROOFS):
            index = rng.randrange(size)
            start = time.perf_counter()
            path = tree.inclusion_path(index, size, files.read_hashes)
            took_ms.append((time.perf_counter() - start) * 1000)
            tree.verify_inclusion(files.read_hashes(0, index, 1), index, size, path, root)
        files.close()
    return [
        ("entries", float(size), ""),
        ("cpu_us_per_leaf appended", us_per_leaf, "us"),
        ("inclusion_proof_p50_ms", percentile(took_ms, 0.5), "ms"),
        ("inclusion_proof_p99_ms", percentile(took_ms, 0.99), "ms"),
    ]


def hashing() -> list[tuple[str, float, str]]:
    """Append the same entries to our files and to pymerkle's in-memory tree, in this one run."""
    rng = random.Random(SEED)
    entries = [rng.randbytes(32) for _ in range(PYMERKLE_ENTRIES)]
    with tempfile.TemporaryDirectory() as folder:
        files = LogFiles(Path(folder) / "log")
        began = time.process_time()
        for at in range(0, PYMERKLE_ENTRIES, 500):
            files.append(b"".join(entries[at : at + 500]))
        files.root()
        ours = time.process_time() - began
        files.close()
    other = pymerkle.InmemoryTree(algorithm="sha256")
    began = time.process_time()
    for entry in entries:
        other.append_entry(b"\x01" + entry)
    other.get_state()
    theirs = time.process_time() - began
    return [
        ("ours cpu_us_per_leaf, on disk", ours / PYMERKLE_ENTRIES * 1e6, "us"),
        ("pymerkle cpu_us_per_leaf, in memory", theirs / PYMERKLE_ENTRIES * 1e6, "us"),
        ("ratio pymerkle / ours", theirs / ours, ""),
    ]


def verify_log(seconds: float) -> list[tuple[str, float, str]]:
    """Record for a while, then let verify-log recompute all of it."""

    with running() as installation:
        installation.know(sample_world())
        seen = load(installation, seconds=seconds, rate=0, batch=500, devices=4)
        time.sleep(3)
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "parcelward.doors.console", "verify-log"],
            env={**os.environ, "PARCELWARD_HOME": str(installation.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    return [("verify_log_events_per_second", seen["accepted"] / took, "1/s"), ("events", float(seen["accepted"]), "")]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="proof")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    options = parser.parse_args()
    report("proof", [*proofs(options.entries), *hashing(), *verify_log(options.seconds)])


if __name__ == "__main__":
    main()
