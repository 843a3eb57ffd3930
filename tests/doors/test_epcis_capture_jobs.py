"""What becomes of a document that was acknowledged: whatever goes wrong, it is captured or kept."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from tests.epcis_partner import Partner, document, event, item
from tests.scanner import new_number, until

if TYPE_CHECKING:
    from parcelward.parcels.models import CaptureJob


@pytest.fixture(scope="module")
def partner(installation, facilities):
    return Partner(installation)


def test_a_killed_job_goes_on_where_it_stood(partner, installation):
    """A worker that dies in the middle leaves a job half done: what it captured stays, the rest follows once."""
    from django.utils import timezone

    from parcelward.parcels.actions import capture_jobs
    from parcelward.parcels.models import CaptureJob
    from parcelward.people import queries as people

    by = people.key_holder(partner.key)
    numbers = [new_number() for _ in range(3)]
    body = json.dumps(document(*(event(item(n)) for n in numbers))).encode()
    partner.capture(event(item(numbers[0])))
    job = CaptureJob.objects.create(
        id=uuid.uuid4(),
        source=by.source,
        by=by.id,
        role=by.role.value,
        simulated=False,
        created_at=timezone.now(),
        behaviour="proceed",
        next_event=1,
        captured=1,
        document=body,
    )
    capture_jobs.run_job(job.id)  # the worker may be quicker: either way the job is done once
    deadline = time.monotonic() + 20
    while CaptureJob.objects.get(pk=job.id).finished_at is None and time.monotonic() < deadline:
        time.sleep(0.1)
    job.refresh_from_db()
    assert (job.captured, job.success, bytes(job.document)) == (3, True, b"")
    assert [len(partner.events(MATCH_epc=item(n))) for n in numbers] == [1, 1, 1]


def test_a_job_that_breaks_its_worker_is_given_up(installation):
    from django.utils import timezone

    from parcelward.parcels.actions import capture_jobs
    from parcelward.parcels.models import CaptureJob

    job = CaptureJob.objects.create(
        id=uuid.uuid4(),
        source=1,
        by=uuid.uuid4(),
        role="partner",
        simulated=False,
        created_at=timezone.now(),
        behaviour="proceed",
        tries=capture_jobs.TRIES_MAX,
        document=b"{}",
    )
    assert capture_jobs.run_job(job.id) is False
    job.refresh_from_db()
    assert (job.finished_at is not None, job.success) == (True, False)
    assert bytes(job.document) == b"{}", "what was acknowledged is kept"
    job.delete()


def acknowledged(number: str, **changed: Any) -> CaptureJob:
    """Return a job that the installation's own worker leaves alone."""
    from django.utils import timezone

    from parcelward.parcels.models import CaptureJob

    said = {
        "id": uuid.uuid4(),
        "source": 1,
        "by": uuid.uuid4(),
        "role": "partner",
        "simulated": True,
        "created_at": timezone.now() + dt.timedelta(minutes=5),
        "behaviour": "rollback",
        "document": json.dumps(document(event(item(number)))).encode(),
    }
    return CaptureJob.objects.create(**{**said, **changed})


def wrong_moment(kind: str) -> Exception:
    import psycopg
    from django.db.utils import OperationalError

    from parcelward.base.errors import Busy

    return {
        "busy": Busy("Too many others write the same items", retry_after_s=1),
        "keys database away": OperationalError("connection refused"),
        "cut off": psycopg.InterfaceError("the connection is lost"),
    }[kind]


@pytest.mark.parametrize("kind", ["busy", "keys database away", "cut off"])
def test_a_job_waits_for_as_long_as_the_moment_is_wrong(installation, monkeypatch, number, kind):
    from parcelward.base.errors import Busy
    from parcelward.parcels.actions import capture_jobs

    job = acknowledged(number)

    def fail(*_args, **_more):
        raise wrong_moment(kind)

    with monkeypatch.context() as moment:
        moment.setattr(capture_jobs, "capture", fail)
        for _ in range(capture_jobs.TRIES_MAX + 3):
            with pytest.raises(Busy):
                capture_jobs.run_job(job.id)
    job.refresh_from_db()
    assert (job.finished_at, job.success, job.errors, job.tries) == (None, True, [], 0)
    assert capture_jobs.run_job(job.id) is True
    job.refresh_from_db()
    assert (job.captured, job.success, bytes(job.document)) == (1, True, b"")


def test_a_try_that_cannot_be_taken_back_at_once_is_not_counted_afterwards(installation, monkeypatch, number):
    """The database itself goes away while the job is done: it learns only later that nothing counts."""
    from django.db import transaction
    from django.db.utils import OperationalError

    from parcelward.base.errors import Busy
    from parcelward.parcels.actions import capture_jobs

    job = acknowledged(number)
    begin = transaction.atomic

    def away(*_args, **_more):
        raise OperationalError("connection refused")

    def fail(*_args, **_more):
        moment.setattr(transaction, "atomic", away)
        raise OperationalError("the server ended the connection")

    with monkeypatch.context() as moment:
        moment.setattr(capture_jobs, "capture", fail)
        for _ in range(capture_jobs.TRIES_MAX + 3):
            moment.setattr(transaction, "atomic", begin)
            with pytest.raises(Busy):
                capture_jobs.run_job(job.id)
    job.refresh_from_db()
    assert (job.finished_at, job.tries) == (None, 1)
    assert capture_jobs.run_job(job.id) is True


def test_what_broke_its_worker_is_kept_and_tried_again_when_somebody_says_so(installation, monkeypatch, number):
    from django.utils import timezone

    from parcelward.parcels.actions import capture_jobs

    job = acknowledged(number)

    def fail(*_args, **_more):
        raise ZeroDivisionError

    with monkeypatch.context() as moment:
        moment.setattr(capture_jobs, "capture", fail)
        for _ in range(capture_jobs.TRIES_MAX):
            with pytest.raises(ZeroDivisionError):
                capture_jobs.run_job(job.id)
        assert capture_jobs.run_job(job.id) is False
    job.refresh_from_db()
    assert (job.finished_at is not None, job.success, [e["code"] for e in job.errors]) == (True, False, ["internal"])
    job.created_at = timezone.now()
    job.save()
    command = [sys.executable, "-m", "parcelward.doors.console", "rebuild", "--captures"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "1 capture jobs were given up" in done.stdout

    def finished():
        job.refresh_from_db()
        return job.finished_at

    until(finished, seconds=20)
    assert (job.captured, job.success, job.errors, bytes(job.document)) == (1, True, [], b"")


def test_a_job_that_fails_lets_the_others_have_their_turn(installation, monkeypatch):
    """The oldest first, and behind the others once it failed: neither for a wrong moment nor for a broken worker."""
    from parcelward.parcels.actions import capture_jobs
    from parcelward.parcels.actions.capture import capture

    poison, good = new_number(), new_number()
    jobs = [acknowledged(each) for each in (poison, good)]
    begun = []

    def fail_one(incoming, **how):
        begun.append(incoming[0].event.epcs[0])
        if begun[-1] == item(poison):
            raise ZeroDivisionError
        return capture(incoming, **how)

    monkeypatch.setattr(capture_jobs, "capture", fail_one)
    monkeypatch.setattr(capture_jobs, "REQUEST_FIRST", -dt.timedelta(minutes=10))
    with pytest.raises(ZeroDivisionError):
        capture_jobs.capture_jobs_once()
    assert capture_jobs.capture_jobs_once() == 1
    assert begun == [item(poison), item(good)]
    for job in jobs:
        job.refresh_from_db()
    assert [job.finished_at is not None for job in jobs] == [False, True]
    jobs[0].delete()
