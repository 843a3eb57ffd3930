"""`POST /api/v1/scans`: parse and check a batch, find out who sent it, have it recorded, answer.

The one address that does not go through the API framework: at 10,000 events a second its parser would be the bill.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence

import msgspec
from django.http import HttpRequest, HttpResponse

from parcelward.base.errors import Invalid, NotKnown, ParcelwardError, TooLarge
from parcelward.base.standards.signed_request import SCANS_PATH
from parcelward.doors import intake, outage
from parcelward.doors.api import problems
from parcelward.doors.api.coalesce import Coalescer
from parcelward.parcels import actions as parcels
from parcelward.parcels.wire import (
    BATCH_BYTES_MAX,
    BATCH_EVENTS_MAX,
    RAW_KEPT_MAX,
    TOO_DEEP,
    Answer,
    BadScan,
    ScanIn,
    Submission,
    split_events,
    too_deep,
)
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task

PATH = SCANS_PATH
MESSAGE_MAX = 300  # characters of what is wrong with it: a name that we do not know may be long

_BATCH = msgspec.json.Decoder(list[ScanIn])
_ONE = msgspec.json.Decoder(ScanIn)
_NUL = rb"\u0000"
_NUL_CHARACTER = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # an escaped backslash before u0000 is text
_HEADERS = {
    "signature-input": "HTTP_SIGNATURE_INPUT",
    "signature": "HTTP_SIGNATURE",
    "content-digest": "HTTP_CONTENT_DIGEST",
    "device-sequence": "HTTP_DEVICE_SEQUENCE",
}


class LengthRequired(Invalid):
    """The server reads bodies by their length alone."""

    status = 411
    default_code = "length_required"


def _record(submissions: Sequence[Submission]) -> list[Answer | ParcelwardError]:
    """Record; raise Busy while the database is away or cannot write.

    The first failure may be of a connection that died while nobody used it, so one more is made. A commit whose answer
    was lost is found again by its sequence or its event ids: recording twice changes nothing.
    """
    for again in (True, False):
        try:
            return parcels.record_scans(submissions, now=dt.datetime.now(dt.UTC))
        except outage.ERRORS:
            outage.drop_connections()
            if not again:
                raise outage.busy() from None
    raise AssertionError("unreachable")  # pragma: no cover -- the loop returns or raises


_coalescer = Coalescer(_record)


def view(request: HttpRequest) -> HttpResponse:
    """Answer one batch; every refusal is a problem document."""
    try:
        if request.method != "POST":
            answer = problems.of_status(request, 405)
            answer["Allow"] = "POST"
            return answer
        _require_known(request)
        body = _body(request)
        person, sequence, digest, created_s, signature = _sender(request, body)
        ndjson = "ndjson" in (request.content_type or "").lower()
        events, bad = parse(body, ndjson=ndjson)
        people.require(person, Task.SCAN)  # before it joins others, whom its refusal would slow down
        submission = Submission(person, sequence, digest, events, bad, body, ndjson, created_s, signature)
        given = _coalescer.submit(submission)
    except ParcelwardError as err:
        return problems.response(request, err)
    except outage.ERRORS:
        outage.drop_connections()
        return problems.response(request, outage.busy())
    return HttpResponse(given.body, content_type="application/json", status=given.status)


def _require_known(request: HttpRequest) -> None:
    """Raise NotKnown for a stranger before a byte of the body is waited for."""
    if not request.META.get("HTTP_AUTHORIZATION", "").startswith("Bearer "):
        if "HTTP_SIGNATURE_INPUT" not in request.META:
            raise NotKnown("Sign the request as a device (RFC 9421), or send an API key as a bearer token")
        people.require_enrolled(request.META["HTTP_SIGNATURE_INPUT"])
    else:
        people.key_holder(request.META["HTTP_AUTHORIZATION"][7:])


def _body(request: HttpRequest) -> bytes:
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise Invalid("Send the body uncompressed", code="no_encoding")
    if "CONTENT_LENGTH" not in request.META and "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequired("Say how long the body is with Content-Length; send no chunks")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > BATCH_BYTES_MAX:
        raise TooLarge(f"A batch has at most {BATCH_BYTES_MAX} bytes; send it in parts")
    return intake.read(request)


def _sender(request: HttpRequest, body: bytes) -> tuple[Person, int, bytes, int, bytes]:
    """Return who sent the batch, its sequence (0: not numbered), its digest; when a device signed it, and how."""
    authorization = request.META.get("HTTP_AUTHORIZATION", "")
    if authorization.startswith("Bearer "):
        holder = people.key_holder(authorization[7:])
        sequence = request.META.get("HTTP_DEVICE_SEQUENCE", "0")
        if not (sequence.isascii() and sequence.isdigit()) or len(sequence) > 15:  # noqa: PLR2004 -- fits what every JSON reader can hold
            raise Invalid("Device-Sequence must be a whole number, rising by one with each batch", code="bad_sequence")
        return holder, int(sequence), hashlib.sha256(body).digest(), 0, b""
    headers = {name: request.META.get(key, "") for name, key in _HEADERS.items()}
    who, signed = people.signer_of(method="POST", path=PATH, headers=headers, body=body)
    return who, signed.sequence, signed.digest, signed.created_s, signed.signature


def parse(body: bytes, *, ndjson: bool) -> tuple[list[tuple[int, ScanIn]], list[BadScan]]:
    """Return the good events with their positions, and the bad ones with their bytes.

    The whole batch is read in one go; only when that fails is each event read by itself, so that one bad event costs
    nobody else anything. Raises Invalid when the body is not a batch at all.
    """
    try:
        events = _BATCH.decode(b"[" + b",".join(body.splitlines()) + b"]") if ndjson else _BATCH.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raws = _split(body, ndjson=ndjson)
    else:
        _require_size(len(events))
        if _NUL not in body and not any(event.sensors and too_deep(event.sensors) for event in events):
            return list(enumerate(events)), []
        raws = _split(body, ndjson=ndjson)
    _require_size(len(raws))
    return _one_by_one(raws)


def _one_by_one(raws: Sequence[bytes]) -> tuple[list[tuple[int, ScanIn]], list[BadScan]]:
    """Read each event by itself; a bad one keeps its bytes."""
    good: list[tuple[int, ScanIn]] = []
    bad: list[BadScan] = []
    for position, raw in enumerate(raws):
        try:
            event = _ONE.decode(raw)
        except msgspec.ValidationError as err:
            bad.append(BadScan(position, "bad_event", _safe(str(err)), raw[:RAW_KEPT_MAX]))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            bad.append(BadScan(position, "not_json", "This is not one JSON object.", raw[:RAW_KEPT_MAX]))
        else:
            wrong = _unfit(event, raw)
            if wrong is None:
                good.append((position, event))
            else:
                bad.append(BadScan(position, *wrong, raw[:RAW_KEPT_MAX]))
    return good, bad


def _unfit(event: ScanIn, raw: bytes) -> tuple[str, str] | None:
    """Return what makes a well-formed event harmful to record, as (code, message), or None."""
    if _NUL_CHARACTER.search(raw):
        return "bad_character", "A text has a NUL character (U+0000). Send it without."
    if event.sensors and too_deep(event.sensors):
        return "too_deep", TOO_DEEP
    return None


def _split(body: bytes, *, ndjson: bool) -> list[bytes]:
    try:
        return split_events(body, ndjson=ndjson)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Invalid(
            "The body is not a JSON array of events. For one event per line say Content-Type: application/x-ndjson.",
            code="not_a_batch",
        ) from None


def _require_size(count: int) -> None:
    if not count:
        raise Invalid("A batch has at least one event", code="empty_batch")
    if count > BATCH_EVENTS_MAX:
        raise TooLarge(f"A batch has 1 to {BATCH_EVENTS_MAX} events; this one has {count}")


_SAID = (  # how msgspec begins, and what a person is told instead
    ("Expected `datetime` with a timezone", "give a time with its offset, such as 2026-11-25T10:15:00Z"),
    ("Invalid RFC3339", "give a time as RFC 3339, such as 2026-11-25T10:15:00Z"),
    ("Invalid UUID", "give a UUID, such as 0f8fad5b-d9cd-469f-a165-70867728950e"),
    ("Invalid enum value", "this word is not one of those allowed here"),
)
_NAMED = re.compile(r"Object (missing required|contains unknown) field `([^`]*)`")


def _safe(message: str) -> str:
    """Return msgspec's sentence for people: the place first, then what to do. It quotes no value that was sent."""
    said, _, place = message.rpartition(" - at `$")
    said, place = (said, place.rstrip("`").lstrip(".")) if said else (message, "")
    found = _NAMED.match(said)
    if found:
        inside = f"{place}." if place else ""
        todo = "is missing" if found[1] == "missing required" else "is not a field of an event: leave it out"
        words = f"{inside}{found[2]} {todo}."
    else:
        told = next((words for begin, words in _SAID if said.startswith(begin)), said[:1].lower() + said[1:])
        words = f"{place}: {told}." if place else f"{told[:1].upper()}{told[1:]}."
    return "".join(c if c.isprintable() else "?" for c in words[:MESSAGE_MAX])
