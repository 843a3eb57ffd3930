"""Group commit: requests that arrive together are recorded in one transaction.

A database commit costs the same for one event as for five hundred, and a dozen statements the same for five hundred as
for two thousand. So one thread of the process records for all: it waits a few milliseconds for company, takes what has
arrived, records it, and lets each caller go with its own answer.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from parcelward.base.errors import Busy, ParcelwardError
from parcelward.parcels.wire import Answer, Submission

log = logging.getLogger(__name__)

GATHER_S = 0.008  # how long the first of a group waits for others
EVENTS_MAX = 2_000  # in one transaction; a single request has no more
WAITING_MAX = 2_000  # requests; beyond that the caller is told to come back
PATIENCE_S = 30.0

Record = Callable[[Sequence[Submission]], list[Answer | ParcelwardError]]


class _Ticket:
    __slots__ = ("answer", "gate", "given_up", "submission")

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.gate = threading.Lock()  # closed until there is an answer; an Event would cost ten times as much
        self.gate.acquire()
        self.answer: Answer | Exception | None = None
        self.given_up = False


class Coalescer:
    """Records many small requests together. Each caller gets its own answer, after the commit that holds it."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._waiting: queue.SimpleQueue[_Ticket] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, submission: Submission) -> Answer:
        """Return the answer once it is durable. Raises what recording raised, or Busy when too many wait."""
        if self._waiting.qsize() >= WAITING_MAX:
            raise Busy("Too many requests wait to be recorded; send it again", retry_after_s=1)
        ticket = _Ticket(submission)
        self._waiting.put(ticket)
        if self._thread is None or not self._thread.is_alive():
            self._start()
        if not ticket.gate.acquire(timeout=PATIENCE_S):
            ticket.given_up = True  # it may be recorded all the same: sent again, it is known
            raise Busy("Recording takes too long; send the same batch again", retry_after_s=2)
        if isinstance(ticket.answer, Answer):
            return ticket.answer
        raise ticket.answer or Busy("Not recorded; send the same batch again", retry_after_s=1)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="record", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        """Record group after group, for as long as the process lives."""
        first = self._waiting.get()
        while True:
            taken, left_over = self._gather(first)
            try:
                self._settle([ticket for ticket in taken if not ticket.given_up])
            finally:
                for ticket in taken:
                    ticket.gate.release()
            first = left_over or self._waiting.get()

    def _gather(self, first: _Ticket) -> tuple[list[_Ticket], _Ticket | None]:
        """Return what is recorded together with `first`, and one that is too large to join."""
        taken, events = [first], len(first.submission.events)
        if events < EVENTS_MAX:
            time.sleep(GATHER_S)
        while True:
            try:
                ticket = self._waiting.get_nowait()
            except queue.Empty:
                return taken, None
            events += len(ticket.submission.events)
            if events > EVENTS_MAX:
                return taken, ticket
            taken.append(ticket)

    def _settle(self, taken: Sequence[_Ticket]) -> None:
        if not taken:
            return
        try:
            answers = self._record([t.submission for t in taken])
        except Busy as err:  # the database is away or overrun: trying each by itself would make all wait for it in turn
            for ticket in taken:
                ticket.answer = err
            return
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
