"""Group commit: requests that arrive together are recorded in one transaction.

A database commit costs the same for one event as for five hundred. So the first request that arrives leads: it waits a
few milliseconds for others, records them all, and hands the lead to one that arrived meanwhile. No thread of its own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from parcelward.base.errors import Busy, ParcelwardError
from parcelward.parcels.wire import Answer, Submission

log = logging.getLogger(__name__)

GATHER_S = 0.004  # how long the first waits for company
EVENTS_MAX = 500
WAITING_MAX = 2_000  # requests; beyond that the caller is told to come back
PATIENCE_S = 30.0

Record = Callable[[Sequence[Submission]], list[Answer | ParcelwardError]]


class _Ticket:
    __slots__ = ("answer", "leads", "ready", "submission")

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.ready = threading.Event()
        self.answer: Answer | Exception | None = None
        self.leads = False


class Coalescer:
    """Records many small requests together. Each caller gets its own answer, after the commit that holds it."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._waiting: list[_Ticket] = []
        self._busy = False

    def submit(self, submission: Submission) -> Answer:
        """Return the answer once it is durable. Raises what recording raised, or Busy when too many wait."""
        ticket = _Ticket(submission)
        with self._lock:
            if len(self._waiting) >= WAITING_MAX:
                raise Busy("Too many requests wait to be recorded; send it again", retry_after_s=1)
            self._waiting.append(ticket)
            ticket.leads = not self._busy
            self._busy = True
        if ticket.leads:
            time.sleep(GATHER_S)
            self._lead()
        else:
            if not ticket.ready.wait(PATIENCE_S):
                self._give_up(ticket)
            if ticket.leads and ticket.answer is None:
                self._lead()
        if isinstance(ticket.answer, Answer):
            return ticket.answer
        raise ticket.answer or Busy("Not recorded; send the same batch again", retry_after_s=1)

    def _give_up(self, ticket: _Ticket) -> None:
        """Leave the queue, or raise nothing when the lead was handed over at the last moment: then it must be taken."""
        with self._lock:
            if ticket.leads:
                return
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        raise Busy("Recording takes too long; send the same batch again", retry_after_s=2)

    def _lead(self) -> None:
        """Record what waits, then hand the lead on."""
        with self._lock:
            taken: list[_Ticket] = []
            events = 0
            while self._waiting and (not taken or events + len(self._waiting[0].submission.events) <= EVENTS_MAX):
                taken.append(self._waiting.pop(0))
                events += len(taken[-1].submission.events)
        try:
            self._settle(taken)
        finally:
            with self._lock:
                if self._waiting:
                    heir = self._waiting[0]
                    heir.leads = True
                    heir.ready.set()
                else:
                    self._busy = False
            for ticket in taken:
                ticket.ready.set()

    def _settle(self, taken: Sequence[_Ticket]) -> None:
        try:
            answers = self._record([t.submission for t in taken])
        except Exception as err:  # noqa: BLE001 -- handed to the caller whose request it was, never swallowed
            if len(taken) == 1:
                taken[0].answer = err
                return
            # One request must not spoil the others: each is tried by itself, and only the guilty one fails.
            log.warning("a group of %d requests failed together (%s); recording them one by one", len(taken), type(err))
            for ticket in taken:
                self._settle([ticket])
            return
        for ticket, answer in zip(taken, answers, strict=True):
            ticket.answer = answer
