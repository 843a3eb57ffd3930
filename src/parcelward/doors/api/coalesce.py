"""Group commit: requests that arrive together are recorded in one transaction.

A database commit costs the same for one event as for five hundred, and a dozen statements the same for five hundred as
for two thousand. So one thread of the process records for all: the event loop waits a few milliseconds for company
(longer while it keeps coming), has what has arrived recorded, and lets each caller go with its own answer. Senders take
turns, so that one with many requests does not keep the others waiting.
"""

from __future__ import annotations

import asyncio
import collections
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from parcelward.base.errors import Busy, ParcelwardError, TooMany
from parcelward.parcels.errors import Contended
from parcelward.parcels.wire import Answer, Submission

log = logging.getLogger(__name__)

GATHER_S = 0.008  # how long the first of a group waits for others
PAUSES_MAX = 6  # so many times as long while others keep coming, and few events have: a dozen statements serve them all
FEW_EVENTS = 100
EVENTS_MAX = 2_000  # in one transaction; a single request has no more
WAITING_MAX = 2_000  # requests; beyond that the caller is told to come back
EVENTS_WAITING_MAX = 40_000  # seconds of work, and some 200 MB
SOURCE_WAITING_MAX = 16  # of these of one sender: the others are for the others

Record = Callable[[Sequence[Submission]], list[Answer | ParcelwardError]]


class _Ticket:
    __slots__ = ("answer", "size", "submission")

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.size = len(submission.events) + len(submission.bad)  # bad ones too: each becomes a row
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def let_go(self, answer: Answer | Exception) -> None:
        """Let the caller go with this answer, in the event loop; who went already is left alone."""
        if self.answer.done():
            return
        if isinstance(answer, Answer):
            self.answer.set_result(answer)
        else:
            self.answer.set_exception(answer)


class Coalescer:
    """Records many small requests together. Each caller gets its own answer, after the commit that holds it.

    Everything but `_settle` and what it calls runs in one event loop.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._lines: dict[int, collections.deque[_Ticket]] = {}  # by sender, whose turn is next in front
        self._lined_up = 0
        self._events = 0  # of those lined up
        self._of_source: collections.Counter[int] = collections.Counter()  # who waits in `submit`
        self._recorder = ThreadPoolExecutor(1, "record")
        self._recording: asyncio.Task[None] | None = None

    async def submit(self, submission: Submission) -> Answer:
        """Return the answer once it is durable; who stops waiting may be recorded all the same.

        Raises what recording raised, Busy when too many wait, and TooMany at once when SOURCE_WAITING_MAX requests of
        the same sender wait already.
        """
        source = submission.by.source
        if self._of_source[source] >= SOURCE_WAITING_MAX:
            raise TooMany("Too many requests of yours wait to be recorded; send it again", retry_after_s=1)
        if self._lined_up >= WAITING_MAX or self._events >= EVENTS_WAITING_MAX:
            raise Busy("Too many requests wait to be recorded; send it again", retry_after_s=1)
        self._of_source[source] += 1
        try:
            ticket = _Ticket(submission)
            self._line_up(ticket)
            if self._recording is None or self._recording.done():
                self._recording = asyncio.create_task(self._run())
            return await ticket.answer
        finally:
            self._of_source[source] -= 1
            if not self._of_source[source]:
                del self._of_source[source]

    async def _run(self) -> None:
        """Record group after group, for as long as somebody waits."""
        loop = asyncio.get_running_loop()
        while self._lines:
            await self._company()
            taken = self._take()
            try:
                await loop.run_in_executor(self._recorder, self._settle, taken, loop)
            except Exception:
                log.exception("a group of %d requests was given up", len(taken))
            finally:
                for ticket in taken:
                    ticket.let_go(Busy("Not recorded; send the same batch again", retry_after_s=1))

    async def _company(self) -> None:
        """Wait for others, for as long as they keep coming and few events have."""
        if self._events >= EVENTS_MAX:
            return
        for _ in range(PAUSES_MAX):
            before = self._lined_up
            await asyncio.sleep(GATHER_S)
            if self._lined_up - before <= 1 or self._events > FEW_EVENTS:
                return

    def _take(self) -> list[_Ticket]:
        """Return who is recorded together now: senders in turn, each in the order in which it sent."""
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
        self._events -= events
        return taken

    def _line_up(self, ticket: _Ticket) -> None:
        self._lines.setdefault(ticket.submission.by.source, collections.deque()).append(ticket)
        self._lined_up += 1
        self._events += ticket.size

    def _settle(self, taken: Sequence[_Ticket], loop: asyncio.AbstractEventLoop) -> None:
        """Record these and let them go, in the recording thread."""
        taken = [ticket for ticket in taken if not ticket.answer.done()]  # who gave up waits no more
        if not taken:
            return
        try:
            answers: Sequence[Answer | Exception] = self._record([t.submission for t in taken])
        except Exception as err:  # noqa: BLE001 -- handed to the caller whose request it was, never swallowed
            if len(taken) > 1 and not _is_for_all(err):
                # One request must not spoil the others: each is tried by itself, and only the guilty one fails.
                log.warning("a group of %d requests failed together (%s); recording them singly", len(taken), type(err))
                self._settle_each(taken, loop)
                return
            answers = [err] * len(taken)
        loop.call_soon_threadsafe(_let_go, taken, answers)

    def _settle_each(self, taken: Sequence[_Ticket], loop: asyncio.AbstractEventLoop) -> None:
        """Record one by one, letting each caller go at once; who held us up once in this group has no second turn."""
        refused: dict[int, Exception] = {}
        away: Exception | None = None
        for ticket in taken:
            if ticket.answer.done():
                continue
            source = ticket.submission.by.source
            said: Answer | Exception | None = away or refused.get(source)
            if said is None:
                try:
                    said = self._record([ticket.submission])[0]
                except Exception as err:  # noqa: BLE001 -- handed to the caller
                    said = err
                if isinstance(said, Contended):
                    refused[source] = said
                elif isinstance(said, Exception) and _is_for_all(said):
                    away = said
            loop.call_soon_threadsafe(ticket.let_go, said)


def _let_go(taken: Sequence[_Ticket], answers: Sequence[Answer | Exception]) -> None:
    for ticket, answer in zip(taken, answers, strict=True):
        ticket.let_go(answer)


def _is_for_all(err: Exception) -> bool:
    """Return whether the database is away or overrun: trying each by itself would make all wait for it in turn."""
    return isinstance(err, Busy) and not isinstance(err, Contended)
