"""What a plan is made of: planned scans as the system will see them, and the truth that it never sees."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, TextIO

from parcelward.doors.simulator import local_time
from parcelward.doors.simulator.world import stream

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from parcelward.doors.simulator.parcels import Item
    from parcelward.doors.simulator.world import World

# How often each automatic or hurried scan is missed. A step that is not here is one that a person must do to go on.
MISSED = {
    "loaded": 0.02,
    "unloaded": 0.03,
    "left_sorting": 0.04,
    "at_delivery_office": 0.03,
    "out_for_delivery": 0.01,
}
RETRIED_SHARE = 0.004  # scans that a device sends again in a later batch


class Planned(NamedTuple):
    """One scan event that a device will send. Instants are whole seconds since 1970-01-01 UTC."""

    upload_at: int  # when the device has a connection; never before event_time
    event_time: int
    device: str  # name of the device in the world
    subject: str  # number of the item or receptacle
    step: str
    facility: str
    line: bytes  # the event as JSON, without a line end


class Truth:
    """Writes what really happened, one JSON object a line, apart from all that the system sees. It is never sent."""

    def __init__(self, path: Path | None = None) -> None:
        self.kinds: Counter[str] = Counter()
        self.stories: list[dict[str, object]] = []
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8")

    def record(self, kind: str, **facts: object) -> None:
        """Note one true fact: `kind` is item, missed_scan, late_upload, repeated_scan or story."""
        self.kinds[kind] += 1
        if kind == "story":
            self.stories.append(facts)
        if self._file is not None:
            self._file.write(json.dumps({"kind": kind, **facts}, sort_keys=True) + "\n")

    def close(self) -> None:
        """Close the file; more truths are counted but no longer written."""
        if self._file is not None:
            self._file.close()
            self._file = None


class Scribe:
    """Turns what happens into planned scans: some are missed, some arrive late, some twice."""

    def __init__(self, world: World, *, seed: int | str, truth: Truth) -> None:
        self._places = world.facilities
        self._clock = {code: local_time.of(f.time_zone) for code, f in world.facilities.items()}
        self._chance: random.Random = stream(seed, "mishaps")
        self._ids: random.Random = stream(seed, "event ids")
        self._truth = truth
        self._due: list[tuple[int, int, Planned]] = []
        self._made = 0

    def item(self, item: Item, at: int, device: str, step: str, place: str, more: str = "", late_s: int = 0) -> None:
        """Plan one scan of an item at `at`, or at the second after its last one if that is later.

        `more` is further JSON members, each with a comma in front; `late_s` is how much later the device uploads.
        """
        if at <= item.seen_at:
            at = item.seen_at + 1
        item.seen_at = at
        chance = self._chance.random()
        if chance < MISSED.get(step, 0.0):
            self._truth.record("missed_scan", item=item.number, step=step, facility=place, at=at, device=device)
            return
        self._plan(f'"item_id":"{item.number}"', item.number, at, device, step, place, more, late_s)
        if chance > 1 - RETRIED_SHARE:
            _, _, planned = self._newest
            again = planned._replace(upload_at=planned.upload_at + 30 + int(chance * 1e7) % 900)
            self._push(again)
            self._truth.record("repeated_scan", item=item.number, step=step, facility=place, at=at, device=device)
        if late_s:
            self._truth.record("late_upload", item=item.number, step=step, facility=place, at=at, late_s=late_s)

    def double(self, item: Item, at: int, device: str, step: str, place: str, more: str = "") -> None:
        """Plan one scan of another thing that carries the item's number; the item's own course stays as it is."""
        self._plan(f'"item_id":"{item.number}"', item.number, at, device, step, place, more, 0)

    def receptacle(
        self, number: str, at: int, device: str, step: str, place: str, more: str = "", late_s: int = 0
    ) -> None:
        """Plan one scan of a bag or roll cage."""
        self._plan(f'"receptacle_id":"{number}"', number, at, device, step, place, more, late_s)

    def _plan(
        self, subject: str, number: str, at: int, device: str, step: str, place: str, more: str, late_s: int
    ) -> None:
        bits = f"{self._ids.getrandbits(128):032x}"
        # A random UUID (RFC 9562, version 4): the 13th digit is 4 and the 17th says variant 10.
        event_id = f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"
        line = (
            f'{{"event_id":"{event_id}","event_time":"{self._clock[place].text(at)}",{subject},'
            f'"step":"{step}","facility":"{place}"{more}}}'
        ).encode("ascii")
        self._push(Planned(at + late_s, at, device, number, step, place, line))

    def _push(self, planned: Planned) -> None:
        self._made += 1
        self._newest = planned.upload_at, self._made, planned
        heapq.heappush(self._due, self._newest)

    def coming(self) -> list[Planned]:
        """Return what is planned and not yet due, in order of upload: only what has been decided already."""
        return [planned for _, _, planned in sorted(self._due)]

    def due_before(self, instant: int) -> Iterator[Planned]:
        """Yield, in order of upload, everything that uploads before the instant."""
        due = self._due
        while due and due[0][0] < instant:
            yield heapq.heappop(due)[2]

    def rest(self) -> Iterator[Planned]:
        """Yield what is left, in order of upload."""
        while self._due:
            yield heapq.heappop(self._due)[2]
