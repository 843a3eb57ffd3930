"""`parcelward witness`: an independent witness of one or more logs."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where it listens, what it keeps and whom it watches."""
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--folder", type=Path, default=Path("witness"), help="its own key and state; never the log's")
    parser.add_argument("--name", default="witness.example", help="the name in its verifier key")
    parser.add_argument("--log", action="append", default=[], help="a log's vkey, or the address of its /log/vkey")


def run(options: argparse.Namespace) -> int:
    """Cosign until stopped."""
    import httpx

    from parcelward.custody.witness_server import serve_witness

    keys = []
    logs = options.log or ["http://localhost:8000/log/vkey"]
    for log in logs:
        if log.startswith(("http://", "https://")):
            try:
                keys += httpx.get(log, timeout=10).raise_for_status().text.splitlines()
            except httpx.HTTPError:
                sys.stderr.write(f"parcelward: no log answers at {log}. Start it first, or give its vkey with --log.\n")
                return 1
        else:
            keys.append(log)
    addresses = [log for log in logs if log.startswith(("http://", "https://"))]
    serve_witness(
        port=options.port,
        folder=options.folder,
        log_vkeys=keys,
        name=options.name,
        bind=options.bind,
        successions=lambda: _successions(addresses),
    )
    return 0


def _successions(addresses: Sequence[str]) -> Iterator[bytes]:
    """Give what each log answers about its keys; one that is away is asked again next time."""
    import httpx

    for address in addresses:
        with contextlib.suppress(httpx.HTTPError):
            yield httpx.get(f"{address.removesuffix('/vkey')}/succession", timeout=10).raise_for_status().content
