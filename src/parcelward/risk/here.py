"""The features of this process: one copy, which a thread makes at first and then leads on every second.

The thread has a connection of its own, so that it never reads what a caller has not committed. What this process itself
commits counts from the commit (`observed`); what others commit counts a turn later.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.utils import timezone

from parcelward.base import db
from parcelward.risk import champion
from parcelward.risk.features.store import Values
from parcelward.risk.follows import Copy
from parcelward.risk.wire import Observation

log = logging.getLogger("parcelward.risk")

TURN_S: Final = 1.0
FIRST_WAIT_S: Final = 5.0  # for the first reading; after that, whoever asks is told to come again

_copy: Final = Copy()
_begun: Final = threading.Lock()
_read_once: Final = threading.Event()
_over: Final = threading.Event()
_threads: Final[list[threading.Thread]] = []


def start() -> None:
    """Begin to read, in a thread that ends with the process. Again, it changes nothing."""
    with _begun:
        if not _threads:
            thread = threading.Thread(target=_run, name="risk", daemon=True)
            _threads.append(thread)
            thread.start()


def stop() -> None:
    """Read no more, and wait until the thread has ended: before a database goes away that a process outlives."""
    _over.set()
    for thread in _threads:
        thread.join()


def read_for(seen: Observation) -> Values:
    """Return the features that an observation is decided by. Raises Busy while the past is still being read."""
    if not _read_once.is_set():
        start()
        _read_once.wait(FIRST_WAIT_S)
    return _copy.read_for(seen)


def observed_when_committed(seen: Sequence[Observation]) -> None:
    """Let what is observed count in this process from the moment when the caller's transaction commits."""
    if _threads:
        some = tuple(seen)
        transaction.on_commit(lambda: _take_over(some))


def _take_over(seen: Sequence[Observation]) -> None:
    for one in seen:
        _copy.observed(one)


def _run() -> None:
    while not _over.is_set():
        try:
            _copy.catch_up(timezone.now())
            champion.take_up()
            _read_once.set()
        except Exception as err:  # noqa: BLE001 -- whatever it was, what is known stays known, and the next turn tries again
            log.warning("features wait: %s", type(err).__name__)
            db.drop_connections()
        _over.wait(TURN_S)
    db.drop_connections()
