"""The sample town that `make up` shows: a few days of history at first, then parcels in real time.

A restart goes on where it stopped. After a longer rest the parcels that were under way are left where they were seen
last, and a new chapter begins: the same town, other parcels.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import time
from typing import TYPE_CHECKING

from parcelward.doors.simulator import stories, world
from parcelward.doors.simulator.api import FOR_EVER, Stopped
from parcelward.doors.simulator.fleet import Fleet, PlanState
from parcelward.doors.simulator.journeys import Journeys
from parcelward.doors.simulator.local_time import DAY_S, HOUR_S
from parcelward.doors.simulator.parcels import TICK_S, WEEK_S, Demand, Phase
from parcelward.doors.simulator.plan import Truth
from parcelward.doors.simulator.player import Player, RealTime

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from parcelward.doors.simulator.plan import Planned

HISTORY_S = 4 * DAY_S
HISTORY_ITEMS = 300
WARM_UP_S = 150 * 60  # about what a parcel takes through the town: after that, every step happens all the time
ITEMS_AN_HOUR = 560  # about two events a second
NIGHT_FLOOR = 1.6  # of the average hour: the town does not sleep, so that something can be seen at any hour
REST_MAX_S = 2 * HOUR_S  # after a longer rest a new chapter begins
CHAPTER_MAX_S = 2 * DAY_S  # a longer chapter takes too long to plan again up to where it stopped
STORY_EVERY_S = 5 * HOUR_S
SAMPLES = {  # what is worth looking at, and how many of each
    "delivered": 2,
    "out_for_delivery": 2,
    "at_collection_point": 1,
    "held": 1,
    "in a roll cage": 2,
    "in a bag": 1,
    "presented_to_customs": 1,
    "returned": 1,
}
SOON_S = 20  # a reader needs about so long to open a page
SOON_ITEMS = 3  # of each kind: those that move next, and those that are delivered next
REFRESHED_EVERY_S = 60  # what was about to happen has happened a minute later
TOLD = ("stolen_bag", "cloned_label", "forged_scan", "broken_seal", "lost_truck")


class Watch:
    """Remembers where the newest items were seen last, to find some worth looking at."""

    ITEMS_MAX = 5_000

    def __init__(self) -> None:
        self._last: dict[str, tuple[int, str]] = {}

    def see(self, planned: Sequence[Planned]) -> None:
        """Take note of scans that were sent."""
        for scan in planned:
            if b'"item_id"' not in scan.line:
                continue
            what = scan.step
            if what == "loaded":
                what = "in a roll cage" if b"(8003)" in scan.line else "in a bag"
            if scan.event_time >= self._last.get(scan.subject, (0, ""))[0]:
                self._last.pop(scan.subject, None)  # the newest stand last
                self._last[scan.subject] = scan.event_time, what
        while len(self._last) > self.ITEMS_MAX:
            self._last.pop(next(iter(self._last)))

    def _soon(self, coming: Sequence[Planned], *, now: int) -> list[dict[str, str]]:
        """Return the items of which a reader who opens them now sees something next, the soonest first."""
        ahead = [p for p in coming if p.upload_at >= now + SOON_S and p.subject in self._last]
        moving = list(dict.fromkeys(p.subject for p in ahead))[:SOON_ITEMS]
        delivered = dict.fromkeys(p.subject for p in ahead if p.step == "delivered" and p.subject not in moving)
        rows = [{"item": number, "why": "about to move"} for number in moving]
        return rows + [{"item": number, "why": "soon delivered"} for number in list(delivered)[:SOON_ITEMS]]

    def samples(self, truth: Truth, coming: Sequence[Planned], *, now: int) -> list[dict[str, str]]:
        """Return `{"item", "why"}` rows: what moves next, the newest of each kind, one of each story that happened."""
        rows = self._soon(coming, now=now)
        taken = {row["item"] for row in rows}  # else the next to be delivered would be all that are out for delivery
        for what, count in SAMPLES.items():
            found = [one for one, (_, last) in reversed(self._last.items()) if last == what and one not in taken]
            rows += [{"item": number, "why": what.replace("_", " ")} for number in found[:count]]
        for story in truth.stories:
            items, when = story["items"], dt.datetime.fromisoformat(str(story["when"])).timestamp()
            if isinstance(items, list) and items and items[0] in self._last and when <= now:
                rows.append({"item": str(items[0]), "why": f"story: {str(story['story']).replace('_', ' ')}"})
        first: dict[str, dict[str, str]] = {}
        for row in rows:
            first.setdefault(row["item"], row)
        return list(first.values())


def live_town(
    url: str,
    api_key: str,
    folder: Path,
    seed: int,
    stop: threading.Event,
    *,
    on_ready: Callable[[list[dict[str, str]]], None] | None = None,
) -> None:
    """Play the sample town until `stop` is set. Blocks; meant for a thread or a process of its own.

    `folder` keeps the state, `items.json` (rows of `{"item", "why"}`, written when the history has been sent, and again
    every minute) and `truth-N.ndjson`, one a chapter. `on_ready` is called with the same rows. The key needs the
    administrator's role.
    Raises Refused when the installation refuses to know the town.
    """
    town = world.build(seed, size="town")
    fleet = Fleet(folder)
    player = Player(town, url=url, api_key=api_key, fleet=fleet, stop=stop, tries_max=FOR_EVER)
    number, state = _chapter(fleet, int(time.time()))
    watch, truth = Watch(), Truth(folder / f"truth-{number}.ndjson")
    journeys = journeys_of(town, seed, number, state, truth)
    written_at = 0

    def caught_up() -> None:
        nonlocal written_at
        now = int(time.time())
        if now - written_at >= REFRESHED_EVERY_S:
            written_at = now
            rows = watch.samples(truth, journeys.scribe.coming(), now=now)
            _write_items(folder, rows)
            if on_ready is not None:
                on_ready(rows)

    # Asked to stop before the installation knew the town: nothing was sent, nothing is lost.
    with contextlib.closing(player), contextlib.closing(truth), contextlib.suppress(Stopped):
        player.register()
        plan = _seen(journeys, state.position, watch)
        player.play(plan, state, pace=RealTime(), on_sent=watch.see, on_wait=caught_up)


def _seen(plan: Journeys, count: int, watch: Watch) -> Iterator[Planned]:
    """Pass a plan on, and show the watch what an earlier run has sent of it."""
    for position, planned in enumerate(plan):
        if position < count:
            watch.see((planned,))
        yield planned


def _chapter(fleet: Fleet, now: int) -> tuple[int, PlanState]:
    """Return the number and state of the chapter to play: the last one, or a new one when that is too far back."""
    number = len(fleet.plans) - 1
    if number >= 0:
        last = fleet.plans[f"chapter {number}"]
        rested_s = now - max(last.sent_until, last.facts["made_at"])
        if rested_s <= REST_MAX_S and now - last.facts["made_at"] <= CHAPTER_MAX_S:
            return number, last
    number += 1
    history_s = HISTORY_S if number == 0 else 0
    warm_at = (now - WARM_UP_S) // TICK_S * TICK_S
    state = PlanState(start=warm_at - history_s, facts={"history_s": history_s, "made_at": now})
    fleet.plans[f"chapter {number}"] = state
    return number, state


def journeys_of(town: world.World, seed: int, number: int, state: PlanState, truth: Truth) -> Journeys:
    """Return a chapter's plan: the same state gives the same plan."""
    warm_at = state.start + state.facts["history_s"]
    phases = [Phase(warm_at, None, ITEMS_AN_HOUR * WEEK_S // HOUR_S, NIGHT_FLOOR)]
    if state.facts["history_s"]:
        phases.append(Phase(state.start, warm_at, HISTORY_ITEMS))
    told = []
    for turn, name in enumerate(TOLD):
        # One of each within the warm-up, so that there is something to find, and each again in its turn.
        told.append((stories.STORIES[name], warm_at - state.start + 1_800 + 600 * turn))
        told += [
            (stories.STORIES[name], warm_at - state.start + later + STORY_EVERY_S * (turn + 1))
            for later in range(0, CHAPTER_MAX_S * 2, STORY_EVERY_S * len(TOLD))
        ]
    return Journeys(town, Demand(town, tuple(phases)), seed=f"{seed}/{number}", truth=truth, stories=told)


def _write_items(folder: Path, rows: list[dict[str, str]]) -> None:
    fresh = folder / "items.new"
    fresh.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    fresh.replace(folder / "items.json")
