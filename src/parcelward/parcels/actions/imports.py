"""Record what a file says happened: the same door as every scan, opened by the right to import."""

from __future__ import annotations

import datetime as dt

from parcelward.base.errors import ParcelwardError
from parcelward.parcels.actions.record import record_by_person
from parcelward.parcels.wire import Answer, Submission
from parcelward.people.queries import require
from parcelward.people.wire import Task


def import_scans(submission: Submission, *, now: dt.datetime) -> Answer:
    """Record one batch of a file and quarantine what is bad in it. The same batch again changes nothing."""
    require(submission.by, Task.IMPORT)
    answer = record_by_person(submission, now=now)
    if isinstance(answer, ParcelwardError):
        raise answer
    return answer
