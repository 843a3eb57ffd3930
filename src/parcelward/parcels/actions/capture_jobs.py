"""Capture jobs: a document is received at once and captured now or by the worker, as far as it can be (EPCIS 2.0 12.6).

The work and how far it has come commit together, under a lock on the job's row: a kill leaves nothing stuck, and what
was captured stays captured. A job waits for as long as the moment is wrong, as when a database is away; one that breaks
its worker again and again is given up, and its document is kept for `run_again`.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Length
from django.utils import timezone

from parcelward.base import db
from parcelward.base.errors import Busy, Conflict, Invalid, NotFound, ParcelwardError, Problem
from parcelward.base.standards.epcis import parse
from parcelward.base.standards.epcis.event import Event, Refused
from parcelward.base.standards.epcis.query import read_query
from parcelward.custody import actions as custody
from parcelward.parcels import bodies
from parcelward.parcels.actions.capture import Incoming, capture, make_partitions
from parcelward.parcels.actions.items import new_item_id
from parcelward.parcels.models import CaptureJob, NamedQuery
from parcelward.people import queries as people
from parcelward.people.wire import Person, Role, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.errors import BodyGone

log = logging.getLogger(__name__)

CHUNK_EVENTS = 500  # captured in one transaction when the job goes on past errors
ERRORS_MAX = 200  # kept with a job
QUERIES_MAX = 1_000  # kept by one source
NAME_CHARS_MAX = 100
REQUEST_FIRST = dt.timedelta(seconds=2)  # a job is left to the request that opened it for so long
TRIES_MAX = 5  # a job that breaks its worker so often is given up
PAUSE_FIRST = dt.timedelta(seconds=2)  # before a job that broke off is tried again; doubles with each try
PAUSE_MAX = dt.timedelta(minutes=1)
GIVEN_UP = "internal"  # code of the error that says so
QUERY_KEPT = "parcels.query_kept"  # the log is told its number, never its name or words: they may name an item
QUERY_DELETED = "parcels.query_deleted"

_uncounted: set[UUID] = set()  # jobs whose last try here met a wrong moment, and the database could not be told

Behaviour = Literal["rollback", "proceed"]


def open_job(document: bytes, behaviour: Behaviour, *, by: Person, now: dt.datetime) -> tuple[UUID, int]:
    """Receive a document; return the job's id and how many events it has.

    Raises Refused when it is no EPCIS message, or when it has to be captured whole and one of its events is invalid.
    """
    people.require(by, Task.CAPTURE)
    results = parse.read_events(document)
    bad = [problem for result in results if isinstance(result, Refused) for problem in result.problems]
    if bad and behaviour == "rollback":
        raise Refused("Nothing was captured; each problem names its place.", problems=tuple(bad[:ERRORS_MAX]))
    [sealed] = privacy.seal_bodies(bodies.DOCUMENT, [document], now=now)
    job = CaptureJob.objects.create(
        id=new_item_id(now),
        source=by.source,
        by=by.id,
        role=by.role.value,
        simulated=by.simulated,
        created_at=now,
        behaviour=behaviour,
        document=sealed.sealed,
        document_key=sealed.key,
    )
    return job.id, len(results)


def run_job(job_id: UUID) -> bool:
    """Do a job from where it stands to its end; return False when another process is at it or it is done.

    Raises Busy when others write the same rows or a database is away: the job waits, and nothing counts against it.
    """
    begun = _begin(job_id)
    if begun is None:
        return False
    try:
        document = bodies.document(begun)
        return _forgotten(job_id) if document is None else _run(job_id, document, begun.behaviour)
    except Busy:
        _wait(job_id)
        raise
    except db.AWAY:
        db.drop_connections()
        _wait(job_id)
        raise Busy("The database cannot be written just now; the job waits", code="database_away") from None


def _run(job_id: UUID, document: bytes, behaviour: str) -> bool:
    results = parse.read_events(document)
    pointers = _pointers(document, len(results))
    make_partitions(
        _incoming(zip(pointers, results, strict=True)), now=timezone.now(), keep_going=behaviour == "proceed"
    )
    while True:
        with transaction.atomic():
            job = CaptureJob.objects.select_for_update(skip_locked=True).filter(pk=job_id, finished_at=None).first()
            if job is None:
                return False
            size = len(results) if job.behaviour == "rollback" else CHUNK_EVENTS
            part = range(job.next_event, min(job.next_event + size, len(results)))
            _do(job, [(pointers[i], results[i]) for i in part])
            job.next_event, job.tries, job.not_before = part.stop, 0, timezone.now() + PAUSE_FIRST
            if job.next_event >= len(results) or (not job.success and job.behaviour == "rollback"):
                bodies.forget_after_commit([job.document_key])
                job.finished_at, job.document, job.document_key = timezone.now(), b"", None
            job.save()
            if job.finished_at is not None:
                return True


def _begin(job_id: UUID) -> CaptureJob | None:
    """Count a try and return the job, or None for one that is taken, done, or had too many tries.

    The try is counted before it is made: whoever dies of it cannot count it afterwards.
    """
    with transaction.atomic():
        job = CaptureJob.objects.select_for_update(skip_locked=True).filter(pk=job_id, finished_at=None).first()
        if job is None:
            return None
        job.not_before = timezone.now() + PAUSE_FIRST * 2**job.tries
        job.tries += job_id not in _uncounted
        given_up = job.tries > TRIES_MAX
        if given_up:
            words = "Capturing broke off several times. The document is kept, and can be captured again."
            said = {"pointer": "", "code": GIVEN_UP, "message": words}
            job.finished_at, job.success, job.errors = timezone.now(), False, [*job.errors, said]
        job.save()
    _uncounted.discard(job_id)
    if given_up:
        log.error("capture job %s was given up; `parcelward rebuild --captures` tries it again", job_id)
        return None
    return job


@transaction.atomic
def _forgotten(job_id: UUID) -> bool:
    """End a job whose document nothing opens any more, as where an older keys database was restored."""
    job = CaptureJob.objects.select_for_update().filter(pk=job_id, finished_at=None).first()
    if job is not None:
        said = {"pointer": "", "code": BodyGone.default_code, "message": "The document is forgotten. Send it again."}
        job.finished_at, job.success, job.errors = timezone.now(), False, [*job.errors, said]
        job.document, job.document_key = b"", None
        job.save()
    return job is not None


def _incoming(results: Iterable[tuple[str, Event | Refused]]) -> list[Incoming]:
    return [Incoming(pointer, result) for pointer, result in results if isinstance(result, Event)]


def _wait(job_id: UUID) -> None:
    """Take the last try back: the moment was wrong, not the document. The longer it waits, the longer the pauses."""
    now = timezone.now()
    try:
        with transaction.atomic():
            waiting = CaptureJob.objects.filter(pk=job_id, finished_at=None)
            made_at = waiting.values_list("created_at", flat=True).first()
            if made_at is not None:
                pause = min(max((now - made_at) / 4, PAUSE_FIRST), PAUSE_MAX)
                waiting.filter(tries__gt=0).update(tries=F("tries") - 1, not_before=now + pause)
    except db.AWAY:
        db.drop_connections()
        _uncounted.add(job_id)


def run_again() -> int:
    """Let the jobs that were given up wait for the worker once more, with all their tries; return how many."""
    given_up = CaptureJob.objects.exclude(finished_at=None).annotate(size=Length("document")).filter(size__gt=0)
    done = 0
    for job_id in list(given_up.values_list("id", flat=True)):
        with transaction.atomic():
            job = CaptureJob.objects.select_for_update().get(pk=job_id)
            if job.finished_at is None:
                continue
            job.errors = [error for error in job.errors if error["code"] != GIVEN_UP]
            job.finished_at, job.success, job.tries, job.not_before = None, not job.errors, 0, None
            job.save()
        done += 1
    return done


def _do(job: CaptureJob, part: Sequence[tuple[str, Event | Refused]]) -> None:
    """Capture one part and note on the job what became of it."""
    scopes = people.key_scopes(job.source)
    by = Person(id=job.by, role=Role(job.role), source=job.source, name="", simulated=job.simulated, scopes=scopes)
    problems = [p for _, result in part if isinstance(result, Refused) for p in result.problems]
    try:
        with transaction.atomic():
            if by.source in people.revoked_among([by.source]):
                raise people.revoked()
            done = capture(_incoming(part), by=by, now=timezone.now(), keep_going=job.behaviour == "proceed")
    except Busy:
        raise  # the moment was wrong, not the document: the job waits for another try
    except ParcelwardError as err:
        problems += err.problems or [Problem("", err.code, err.message)]
    else:
        job.captured += done.captured
        job.duplicates += done.duplicates
        problems += done.refused
    if problems:
        job.success = False
        room = max(0, ERRORS_MAX - len(job.errors))
        job.errors = [*job.errors, *(msgspec.to_builtins(problem) for problem in problems[:room])]


def _pointers(document: bytes, count: int) -> list[str]:
    """Return where each event of a message stands."""
    raw: dict[str, Any] = msgspec.json.decode(document)
    body = raw.get("epcisBody")
    if not isinstance(body, dict):
        return [""] * count
    folder = "/epcisBody" if "eventList" in body else "/epcisBody/queryResults/resultsBody"
    return [f"{folder}/eventList/{index}" for index in range(count)]


def capture_jobs_once(*, at_most: int = 10) -> int:
    """Do jobs that wait; return how many. Safe to run any number of times, by any number of processes.

    A job that fails waits for its next turn behind the others.
    """
    now = timezone.now()
    waiting = CaptureJob.objects.filter(finished_at=None, created_at__lt=now - REQUEST_FIRST)
    waiting = waiting.filter(Q(not_before=None) | Q(not_before__lte=now))
    waiting = waiting.order_by(Coalesce("not_before", "created_at"))
    done = 0
    for job_id in list(waiting.values_list("id", flat=True)[:at_most]):
        try:
            done += run_job(job_id)
        except ParcelwardError as err:
            log.warning("a capture job waits: %s", err.code)  # busy: it is tried again
    return done


# Named queries --------------------------------------------------------------------------------------------------------


@transaction.atomic
def keep_query(name: str, query: dict[str, Any], *, by: Person) -> None:
    """Keep a question under a name of the caller's own. Raises Refused for a bad one and Conflict for a taken name."""
    people.require(by, Task.READ_EVENTS)
    if not 1 <= len(name) <= NAME_CHARS_MAX or "/" in name or not name.isprintable():
        problem = Problem("/name", "bad_name", f"A name has 1 to {NAME_CHARS_MAX} characters and no slash.")
        raise Refused("This query cannot be kept.", code="bad_name", problems=(problem,))
    read_query(query)
    if NamedQuery.objects.filter(source=by.source).count() >= QUERIES_MAX:
        raise Invalid(f"One source keeps at most {QUERIES_MAX} queries; delete some.", code="too_many")
    taken = Conflict("A query of yours has this name.", code="query_name_taken")
    if NamedQuery.objects.filter(source=by.source, name=name).exists():
        raise taken
    sealed = bodies.seal_query(query)
    said = {"sealed": sealed.sealed, "query_key": sealed.key, "created_at": timezone.now()}
    kept, made = NamedQuery.objects.get_or_create(source=by.source, name=name, defaults=said)
    if not made:
        raise taken
    custody.record_fact(QUERY_KEPT, {"query": str(kept.pk), "by": by.source})


@transaction.atomic
def delete_query(name: str, *, by: Person) -> None:
    """Forget a question. Raises NotFound when the caller has none of this name."""
    people.require(by, Task.READ_EVENTS)
    kept = NamedQuery.objects.select_for_update().filter(source=by.source, name=name).first()
    if kept is None:
        raise NotFound("You have no query of this name")
    custody.record_fact(QUERY_DELETED, {"query": str(kept.pk), "by": by.source})
    bodies.forget_after_commit([kept.query_key])
    kept.delete()
