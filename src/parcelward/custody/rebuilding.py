"""Make the log's entries again from the database: for whoever lost `log/entries`, or its end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from django.db import connections, transaction

from parcelward.base import config
from parcelward.base.errors import Conflict
from parcelward.custody.errors import LogDiverged
from parcelward.custody.files import APPEND_MAX, COMMITMENT_BYTES, LogFiles
from parcelward.custody.models import LogState

_BATCHES_AT_ONCE = 500
_MISSING = (
    "SELECT l.first_index, b.commitments FROM custody_logbatch l "
    "JOIN custody_batch b ON b.record_time = l.record_time AND b.id = l.batch "
    "WHERE l.first_index + l.n > %s ORDER BY l.first_index"
)


def rebuild_entries(settings: config.Config, *, tell: Callable[[int], object] = lambda _: None) -> int:
    """Write the entries that the files lack behind those that are there; return how many.

    What is there is not written over: it is compared, by the root that the database knows. Doing it twice changes
    nothing. `tell` hears how many entries were just written.

    Raises Conflict for a log without entries, LogInUse while a worker holds the files, and LogDiverged when the files
    are not what the database says even then; nothing is signed or published here in any case.
    """
    with LogFiles(settings.log_folder) as files:
        state = LogState.objects.filter(id=1).first()  # read while nobody else can sequence
        if state is None or not state.size:
            raise Conflict("The log has no entry yet: there is nothing to make again", code="empty_log")
        had = files.size
        for packed in _missing(had, state.size):
            files.append(packed)
            tell(len(packed) // COMMITMENT_BYTES)
        files.truncate(state.size, root=bytes(state.root))
        return max(0, files.size - had)


def _missing(start: int, size: int) -> Iterator[bytes]:
    """Give the packed commitments from `start` to `size`, in parts that one append takes."""
    at, packed = start, bytearray()
    with transaction.atomic(), connections["default"].chunked_cursor() as cur:
        cur.execute(_MISSING, [start])
        for first, stored in itertools.chain.from_iterable(iter(lambda: cur.fetchmany(_BATCHES_AT_ONCE), [])):
            if first > at:
                raise LogDiverged(f"The database has no batch for entry {at}.", differs="batches", first=at)
            fresh = bytes(stored)[(at - first) * COMMITMENT_BYTES :]
            packed += fresh
            at += len(fresh) // COMMITMENT_BYTES
            if len(packed) >= APPEND_MAX // 2 * COMMITMENT_BYTES:
                yield bytes(packed)
                packed.clear()
    if at < size:
        raise LogDiverged(f"The database has no batch for entry {at}.", differs="batches", first=at)
    if packed:
        yield bytes(packed)
