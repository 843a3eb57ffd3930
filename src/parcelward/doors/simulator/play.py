"""`parcelward simulate`: plays a postal network through the public API and reports what came of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from parcelward.doors.simulator import player, stories, world
from parcelward.doors.simulator.api import Refused, Stopped
from parcelward.doors.simulator.fleet import Fleet, PlanState
from parcelward.doors.simulator.journeys import Journeys
from parcelward.doors.simulator.local_time import DAY_S
from parcelward.doors.simulator.parcels import Demand, Phase
from parcelward.doors.simulator.plan import Truth

if TYPE_CHECKING:
    import argparse

DAYS_MAX = 366
ITEMS_MAX = 50_000_000  # half of what one service indicator's serials number


def _number(least: int, most: int) -> Any:
    """Return an argparse type: a whole number within limits."""

    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise ValueError
        return value

    number.__name__ = f"whole number from {least} to {most}"  # what argparse says when it does not fit
    return number


def _speed(text: str) -> str:
    if text not in {"real", "max"} and not float(text) > 0:
        raise ValueError
    return text


_speed.__name__ = "speed (real, max, or a factor such as 60)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `parcelward simulate`."""
    home = Path(os.environ.get("PARCELWARD_HOME") or "var")
    port = os.environ.get("PARCELWARD_PORT") or "8000"
    add = parser.add_argument
    add(
        "--seed",
        type=_number(0, 2**31),
        default=1,
        help="the same seed gives the same world; with the same days, stories and start the same parcels (1)",
    )
    add("--days", type=_number(1, DAYS_MAX), default=7, help="days to play (7)")
    add("--items", type=_number(1, ITEMS_MAX), default=1_000, help="parcels posted in all (1000)")
    add("--story", action="append", default=[], choices=sorted(stories.STORIES), help="what happens; may be repeated")
    add("--size", choices=sorted(world.SCALES), default="region", help="the kind of network (region)")
    add("--offices", type=_number(1, world.OFFICES_MAX), help="post offices, instead of the size's own number")
    add("--start", type=dt.date.fromisoformat, help="first day, YYYY-MM-DD, UTC (so that the last day is yesterday)")
    add("--url", default=f"http://localhost:{port}", help="the installation to play on")
    add("--api-key", help="an administrator's key (PARCELWARD_API_KEY, or the one in samples.json)")
    add("--speed", type=_speed, default="max", help="real, max, or how many times faster than the world (max)")
    add("--truth", type=Path, help="write what really happened to this NDJSON file; it is never sent")
    add("--home", type=Path, default=home, help="where the simulator keeps its devices' keys (PARCELWARD_HOME)")
    add("--again", action="store_true", help="send a plan again that has been played to its end")


def main(options: argparse.Namespace) -> int:
    """Play, print the report as JSON on standard output, and return the exit code: 1 when not all was taken."""
    api_key = options.api_key or os.environ.get("PARCELWARD_API_KEY") or _sample_key(options.home)
    if not api_key:
        say("Give an administrator's key with --api-key or in PARCELWARD_API_KEY.")
        return 2
    stop = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        report = run(options, api_key=api_key, stop=stop)
    except Refused as no:
        say(f"The installation refused: {no}")
        return 1
    finally:
        signal.signal(signal.SIGINT, before)
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    return 0 if report["finished"] and not (report["errors"] or report["quarantined"]) else 1


def say(words: str) -> None:
    """Tell the person at the console, beside the report."""
    sys.stderr.write(words + "\n")


def run(options: argparse.Namespace, *, api_key: str, stop: threading.Event) -> dict[str, Any]:
    """Play what the options describe until its end or until `stop`; return the report as plain values."""
    network = world.build(options.seed, offices=options.offices, size=options.size)
    name = (
        f"{options.size}-{options.seed}-{len(network.offices)}-{hashlib.sha256(options.url.encode()).hexdigest()[:8]}"
    )
    fleet = Fleet(options.home / "simulator" / name)
    state = _state(options, fleet)
    if state.finished:
        say("This plan has been played to its end. Another --seed or --start gives another; --again sends it again.")
        return {**state.report, "finished": True}
    truth = Truth(options.truth)
    plan = journeys_of(options, network, state, truth)
    playing = player.Player(network, url=options.url, api_key=api_key, fleet=fleet, stop=stop)
    try:
        playing.register()
        with tqdm(initial=state.position, unit=" events", disable=None, file=sys.stderr) as bar:
            report = playing.play(plan, state, pace=_pace(options.speed), on_sent=lambda sent: _advance(bar, len(sent)))
    except Stopped:
        return {**state.report, "finished": False}
    finally:
        playing.close()
        truth.close()
    return {**report.as_dict(), "finished": state.finished, "truth": dict(truth.kinds), "stories": truth.stories}


def _advance(bar: tqdm[Any], count: int) -> None:
    bar.update(count)


def journeys_of(options: argparse.Namespace, network: world.World, state: PlanState, truth: Truth) -> Journeys:
    """Return the plan that the options describe: `days` days from the state's start; who is under way then stays so."""
    end = state.start + options.days * DAY_S
    demand = Demand(network, (Phase(state.start, end, options.items),))
    # Stories wait for a third of the time, so that there is a usual before the unusual.
    told = [(stories.STORIES[name], options.days * DAY_S // 3) for name in options.story]
    # Another story or another week has parcels of its own: on one installation each number travels only once.
    seed = "/".join((str(options.seed), str(state.start), *sorted(options.story)))
    return Journeys(network, demand, seed=seed, truth=truth, stories=told, until=end)


def _state(options: argparse.Namespace, fleet: Fleet) -> PlanState:
    """Return how far this very plan got, or a new state that starts so that the plan ends before today (UTC)."""
    asked = [options.days, options.items, sorted(options.story), str(options.start or "")]
    name = json.dumps(asked)
    known = fleet.plans.get(name)
    if known is not None and not (known.finished and options.again):
        return known
    if known is not None:
        start = known.start
    elif options.start is not None:
        start = int(dt.datetime.combine(options.start, dt.time(), dt.UTC).timestamp())
    else:
        today = int(dt.datetime.now(dt.UTC).timestamp()) // DAY_S * DAY_S
        start = today if options.speed == "real" else today - options.days * DAY_S
    return fleet.plans.setdefault(name, PlanState(start)) if known is None else _anew(fleet, name, start)


def _anew(fleet: Fleet, name: str, start: int) -> PlanState:
    fleet.plans[name] = PlanState(start)
    return fleet.plans[name]


def _pace(speed: str) -> player.Pace:
    if speed == "max":
        return player.AtOnce()
    return player.RealTime() if speed == "real" else player.Faster(float(speed))


def _sample_key(home: Path) -> str:
    """Return the key of the sample installation, when this home is one."""
    path = home / "samples.json"
    return str(json.loads(path.read_text(encoding="utf-8")).get("api_key", "")) if path.is_file() else ""
