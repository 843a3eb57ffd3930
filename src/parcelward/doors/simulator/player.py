"""Plays a plan through the public API: signed batches from every device, at the world's pace or as fast as it goes."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parcelward.doors.simulator.api import TRIES_MAX, Api, Refused, Stopped
from parcelward.doors.simulator.fleet import Enrolled, Fleet, PlanState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from parcelward.doors.simulator.plan import Planned
    from parcelward.doors.simulator.world import World

RENUMBERED_MAX = 20
SLICE_EVENTS = 4_000  # sent, answered and noted together; a slice is cut at the same places in every run
BATCH_EVENTS_MAX = 1_000  # the API takes 2,000
BATCH_BYTES_MAX = 1_500_000  # the API takes 2 MB
TICK_S = 1.0  # at the world's own pace, what is due within a second goes together
SENDERS = 3  # devices that send at the same time
REFUSALS_MAX = 20  # after so many refused batches in a row something is wrong that no going on will heal


@dataclass(slots=True)
class Report:
    """What came of a plan."""

    sent: int = 0
    batches: int = 0
    sent_again: int = 0  # batches that had to be sent more than once
    accepted: int = 0
    duplicates: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)  # by code
    instructions: Counter[str] = field(default_factory=Counter)  # by what to do
    errors: Counter[str] = field(default_factory=Counter)  # refused batches by code

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {
            "sent": self.sent,
            "batches": self.batches,
            "sent_again": self.sent_again,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "quarantined": dict(self.quarantined),
            "instructions": dict(self.instructions),
            "errors": dict(self.errors),
        }

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Report:
        """Return the report that `as_dict` wrote."""
        report = cls(**{n: plain.get(n, 0) for n in ("sent", "batches", "sent_again", "accepted", "duplicates")})
        for name in ("quarantined", "instructions", "errors"):
            getattr(report, name).update(plain.get(name, {}))
        return report


class Pace(Protocol):
    """When a scan is sent."""

    def wait_s(self, upload_at: int) -> float:
        """Return how long to wait from now; nothing or less: send it."""


class AtOnce:
    """As fast as possible."""

    def wait_s(self, upload_at: int) -> float:  # noqa: ARG002 -- the protocol's
        """Never wait."""
        return 0.0


class RealTime:
    """When it happens; what has happened already goes at once."""

    def wait_s(self, upload_at: int) -> float:
        """Wait for the instant itself."""
        return upload_at - time.time()


class Faster:
    """`factor` times as fast as the world, from the first scan on."""

    def __init__(self, factor: float) -> None:
        self._factor = factor
        self._origin: tuple[int, float] | None = None

    def wait_s(self, upload_at: int) -> float:
        """Wait until as much of our time has passed as the factor leaves of the world's."""
        now = time.monotonic()
        if self._origin is None:
            self._origin = upload_at, now
        first, begun = self._origin
        return begun + (upload_at - first) / self._factor - now


class Player:
    """Sends what a world's devices scanned. One player at a time for one folder."""

    def __init__(
        self,
        world: World,
        *,
        url: str,
        api_key: str,
        fleet: Fleet,
        stop: threading.Event,
        tries_max: int = TRIES_MAX,
    ) -> None:
        self.world, self.fleet, self.stop = world, fleet, stop
        self._api = Api(url, api_key, stop, tries_max=tries_max)
        self._refused_in_a_row = 0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def register(self) -> None:
        """Make facilities, lanes and routes known; doing it again changes nothing. Raises Refused."""
        with ThreadPoolExecutor(SENDERS) as senders:
            list(senders.map(self._api.put_facility, self.world.facilities.values()))
            list(senders.map(self._api.put_lane, self.world.lanes.values()))
        self._api.put_routes(self.world.routes)

    def play(
        self,
        plan: Iterable[Planned],
        state: PlanState,
        *,
        pace: Pace,
        on_sent: Callable[[Sequence[Planned]], None] | None = None,
        on_wait: Callable[[], None] | None = None,
    ) -> Report:
        """Play a plan from where it stopped, until its end or until somebody asks to stop; return the whole report.

        `on_sent` is called after each slice, `on_wait` whenever everything that is due has been sent.
        """
        report = Report.from_dict(state.report)
        due: list[Planned] = []

        def flush() -> None:
            if not due:
                return
            self._send_slice(due, report)
            state.position += len(due)
            state.sent_until = due[-1].upload_at
            state.report = report.as_dict()
            self.fleet.save()
            if on_sent is not None:
                on_sent(due)
            due.clear()

        try:
            for planned in itertools.islice(plan, state.position, None):
                if (wait_s := pace.wait_s(planned.upload_at)) > 0:
                    flush()
                    if on_wait is not None:
                        on_wait()
                    self._pause(max(wait_s, TICK_S))
                due.append(planned)
                if len(due) >= SLICE_EVENTS:
                    flush()
                if self.stop.is_set():
                    break
            else:
                flush()
                state.finished = True
        except Stopped:
            pass  # what was not answered is sent again next time, with the same event ids
        finally:
            self.fleet.save()
        return report

    def _pause(self, seconds: float) -> None:
        if self.stop.wait(seconds):
            raise Stopped

    def _send_slice(self, planned: Sequence[Planned], report: Report) -> None:
        """Send every device's part of a slice; devices go side by side, each one's batches one after the other."""
        by_device: dict[str, list[Planned]] = {}
        for scan in planned:
            by_device.setdefault(scan.device, []).append(scan)
        for name in by_device:
            if name not in self.fleet.devices:
                self._enrol(name)
        with ThreadPoolExecutor(min(SENDERS, len(by_device))) as senders:
            list(senders.map(lambda name: self._send_all(name, by_device[name], report), by_device))

    def _enrol(self, name: str) -> Enrolled:
        """Enrol a device. Raises Refused."""
        key = Ed25519PrivateKey.generate()
        try:
            device_id, key_id = self._api.enrol(self.world.devices[name], key)
        except Refused as no:
            if no.status != 409:  # noqa: PLR2004 -- the key is known: it was enrolled and the answer got lost
                raise
            key = Ed25519PrivateKey.generate()
            device_id, key_id = self._api.enrol(self.world.devices[name], key)
        enrolled = Enrolled(device_id, key_id, key)
        self.fleet.add(name, enrolled)
        return enrolled

    def _send_all(self, name: str, scans: list[Planned], report: Report) -> None:
        for lines in _batches(scans):
            if self.stop.is_set():
                raise Stopped
            self._send(name, lines, report)

    def _send(self, name: str, lines: list[bytes], report: Report) -> None:
        """Send one batch. A device that is no longer known enrols again; a number that is taken is left out."""
        body = b"\n".join(lines) + b"\n"
        enrolled_again, renumbered = False, 0
        while True:
            # A number that a killed run has used is passed in ever longer steps: gaps are allowed, repeats are not.
            sequence = self.fleet.sequences.get(name, 0) + (1 << max(0, renumbered - 1))
            self.fleet.sequences[name] = sequence
            try:
                answer, again = self._api.send(self.fleet.devices[name], body, sequence)
            except Refused as no:
                if no.status == 401 and not enrolled_again:  # noqa: PLR2004 -- the installation was set up anew
                    enrolled_again = True
                    with self._lock:
                        self._enrol(name)
                    continue
                if no.status == 409 and renumbered < RENUMBERED_MAX:  # noqa: PLR2004 -- sent, then killed before it was noted
                    renumbered += 1
                    continue
                self._refused(no, report)
                return
            except Stopped:
                self.fleet.sequences[name] = sequence - 1  # nobody answered: the same number goes out next time
                raise
            with self._lock:
                _add(report, answer, lines=len(lines), again=again)
                self._refused_in_a_row = 0
                self.fleet.receipt(name, sequence, str(answer.get("receipt", "")))
            return

    def _refused(self, no: Refused, report: Report) -> None:
        with self._lock:
            report.errors[no.code] += 1
            self._refused_in_a_row += 1
            if no.status == 401 or self._refused_in_a_row > REFUSALS_MAX:  # noqa: PLR2004 -- not known, twice
                raise no


def _batches(scans: list[Planned]) -> Iterator[list[bytes]]:
    """Cut one device's scans into what one request may carry."""
    lines: list[bytes] = []
    size = 0
    for scan in scans:
        if lines and (len(lines) >= BATCH_EVENTS_MAX or size + len(scan.line) >= BATCH_BYTES_MAX):
            yield lines
            lines, size = [], 0
        lines.append(scan.line)
        size += len(scan.line) + 1
    yield lines


def _add(report: Report, answer: dict[str, Any], *, lines: int, again: int) -> None:
    report.sent += lines
    report.batches += 1
    report.sent_again += again > 0
    report.accepted += int(answer.get("accepted", 0))
    report.duplicates += int(answer.get("duplicates", 0))
    report.quarantined.update(str(row.get("code", "")) for row in answer.get("quarantined", ()))
    report.instructions.update(str(row.get("do", "")) for row in answer.get("instructions", ()))
