"""`parcelward town`: the sample town, played live through the public API. Test mode only."""

from __future__ import annotations

import argparse
import json
import signal
import threading

import httpx

from parcelward.base import config
from parcelward.base.errors import NotAllowed
from parcelward.doors.console.up_command import write_samples

SHOWN = 10  # addresses printed: what moves next, what is delivered soon, and some that have arrived


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the seed."""
    parser.add_argument("--seed", type=int, default=1)


def addressee_link(address: str, api_key: str, number: str) -> str:
    """Return the link that opens what only the parcel's addressee may see; nothing while nobody answers."""
    asked = {"Authorization": f"Bearer {api_key}"}
    try:
        answer = httpx.post(f"{address}/api/v1/items/{number}/links", headers=asked, timeout=10)
        return str(answer.raise_for_status().json()["url"])
    except httpx.HTTPError:
        return ""


def run(options: argparse.Namespace) -> int:
    """Play until asked to stop."""
    from parcelward.doors.simulator.live import live_town

    settings = config.get()
    if settings.production:
        raise NotAllowed("The simulated town is for test mode only", code="production")
    samples = json.loads((settings.home / "samples.json").read_text())
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    told = False

    def ready(rows: list[dict[str, str]]) -> None:
        nonlocal told
        samples["items"] = [row["item"] for row in rows]
        write_samples(settings.home, samples)
        if told:
            return
        told = True
        print(f"the town has its history; {len(rows)} items worth looking at are in samples.json", flush=True)
        for row in rows[:SHOWN]:
            print(f"  {settings.public_url}/track/{row['item']}   {row['why']}", flush=True)
        if link := addressee_link(address, samples["api_key"], rows[0]["item"]):
            print(f"the first of them as its addressee may prove it:\n  {link}", flush=True)

    address = f"http://{settings.bind}:{settings.port}"
    live_town(address, samples["api_key"], settings.home / "town", options.seed, stop, on_ready=ready)
    return 0
