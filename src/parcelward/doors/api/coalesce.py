"""Group commit: requests that arrive together are recorded in one transaction.

A database commit costs the same for one event as for five hundred, and a dozen statements the same for five hundred as
for two thousand. So one thread of the process records for all: it waits a few milliseconds for company (longer while
it keeps coming), takes what has arrived, records it, and lets each caller go with its own answer. Senders take turns,
so that one with many requests does not keep the others waiting; nor may it keep more than some of the process's threads
waiting for it.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence

from parcelward.base.errors import Busy, ParcelwardError, TooMany
from parcelward.parcels.errors import Contended
from parcelward.parcels.wire import Answer, Submission

log = logging.getLogger(__name__)

GATHER_S = 0.008  # how long the first of a group waits for others
PAUSES_MAX = 6  # so many times as long while others keep coming, and few events have: a dozen statements serve them all
FEW_EVENTS = 100
EVENTS_MAX = 2_000  # in one transaction; a single request has no more
WAITING_MAX = 2_000  # requests; beyond that the caller is told to come back
SOURCE_WAITING_MAX = 16  # of these of one sender, of a process's 32 to 96 threads: the others are for the others
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

    @property
    def size(self) -> int:
        """How many events it has, bad ones too: each becomes a row."""
        return len(self.submission.events) + len(self.submission.bad)

    def let_go(self, answer: Answer | Exception | None = None) -> None:
        """Let the caller go, with this answer if there is none yet; again changes nothing."""
        if self.answer is None:
            self.answer = answer
        if self.gate.locked():
            self.gate.release()


class Coalescer:
    """Records many small requests together. Each caller gets its own answer, after the commit that holds it."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._waiting: queue.SimpleQueue[_Ticket] = queue.SimpleQueue()
        self._lines: dict[int, collections.deque[_Ticket]] = {}  # by sender, whose turn is next in front
        self._lined_up = 0
        self._of_source: collections.Counter[int] = collections.Counter()  # who waits in `submit`
        self._counting = threading.Lock()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, submission: Submission) -> Answer:
        """Return the answer once it is durable. Raises what recording raised, or Busy when too many wait.

        Raises TooMany at once when SOURCE_WAITING_MAX requests of the same sender wait already.
        """
        source = submission.by.source
        with self._counting:
            if self._of_source[source] >= SOURCE_WAITING_MAX:
                raise TooMany("Too many requests of yours wait to be recorded; send it again", retry_after_s=1)
            self._of_source[source] += 1
        try:
            return self._wait(submission)
        finally:
            with self._counting:
                self._of_source[source] -= 1
                if not self._of_source[source]:
                    del self._of_source[source]

    def _wait(self, submission: Submission) -> Answer:
        if self._waiting.qsize() + self._lined_up >= WAITING_MAX:
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
        while True:
            taken = self._gather()
            try:
                self._settle(taken)
            finally:
                for ticket in taken:
                    ticket.let_go()

    def _gather(self) -> list[_Ticket]:
        """Return who is recorded together now: senders in turn, each in the order in which it sent."""
        if not self._lines:
            self._line_up(self._waiting.get())
        if self._waiting_events() < EVENTS_MAX:
            for _ in range(PAUSES_MAX):
                before = self._lined_up
                time.sleep(GATHER_S)
                self._line_up_all()
                if self._lined_up - before <= 1 or self._waiting_events() > FEW_EVENTS:
                    break
        self._line_up_all()
        taken: list[_Ticket] = []
        events, found = 0, True
        while found:
            found = False
            for source in list(self._lines):
                line = self._lines[source]
                if taken and events + line[0].size > EVENTS_MAX:
                    continue  # it stays in front: the next group begins with it
                del self._lines[source]
                taken.append(line.popleft())
                events, found = events + taken[-1].size, True
                if line:
                    self._lines[source] = line
        self._lined_up -= len(taken)
        return taken

    def _waiting_events(self) -> int:
        return sum(ticket.size for line in self._lines.values() for ticket in line)

    def _line_up_all(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._line_up(self._waiting.get_nowait())

    def _line_up(self, ticket: _Ticket) -> None:
        self._lines.setdefault(ticket.submission.by.source, collections.deque()).append(ticket)
        self._lined_up += 1

    def _settle(self, taken: Sequence[_Ticket]) -> None:
        taken = [ticket for ticket in taken if not ticket.given_up]
        if not taken:
            return
        try:
            answers = self._record([t.submission for t in taken])
        except Exception as err:  # noqa: BLE001 -- handed to the caller whose request it was, never swallowed
            if len(taken) == 1 or _is_for_all(err):
                for ticket in taken:
                    ticket.let_go(err)
                return
            # One request must not spoil the others: each is tried by itself, and only the guilty one fails.
            log.warning("a group of %d requests failed together (%s); recording them one by one", len(taken), type(err))
            self._settle_each(taken)
            return
        for ticket, answer in zip(taken, answers, strict=True):
            ticket.answer = answer

    def _settle_each(self, taken: Sequence[_Ticket]) -> None:
        """Record one by one, letting each caller go at once; who held us up once in this group has no second turn."""
        refused: dict[int, Exception] = {}
        away: Exception | None = None
        for ticket in taken:
            err = away or refused.get(ticket.submission.by.source)
            if err is not None:
                ticket.let_go(err)
                continue
            self._settle([ticket])
            ticket.let_go(ticket.answer)
            if isinstance(ticket.answer, Contended):
                refused[ticket.submission.by.source] = ticket.answer
            elif isinstance(ticket.answer, Exception) and _is_for_all(ticket.answer):
                away = ticket.answer


def _is_for_all(err: Exception) -> bool:
    """Return whether the database is away or overrun: trying each by itself would make all wait for it in turn."""
    return isinstance(err, Busy) and not isinstance(err, Contended)
