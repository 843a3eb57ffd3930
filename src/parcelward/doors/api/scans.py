"""`POST /api/v1/scans`: parse and check a batch, find out who sent it, have it recorded, answer.

The one address that does not go through the API framework: at 10,000 events a second its parser would be the bill. It
is answered in the event loop, which asks no database: what must be asked of it, a thread asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import functools
import hashlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from django.http import HttpRequest, HttpResponse

from parcelward.base import disk
from parcelward.base.errors import Busy, Invalid, NotFound, NotKnown, ParcelwardError, TooLarge
from parcelward.base.standards.signed_request import SCANS_PATH
from parcelward.doors import outage, refusals, requests, threads, throttle
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

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

log = logging.getLogger(__name__)

PATH = SCANS_PATH
AT_ONCE_MAX = 4_096  # bytes of a body that the event loop checks itself; a thread takes a larger one
UNDER_WAY_MAX = 32_000_000  # bytes of larger bodies that come or wait: they cannot fill the memory
PATIENCE_S = 30  # from the header to the answer
MESSAGE_MAX = 300  # characters of what is wrong with it: a name that we do not know may be long

_BATCH = msgspec.json.Decoder(list[ScanIn])
_ONE = msgspec.json.Decoder(ScanIn)
_NUL = rb"\u0000"
_NUL_CHARACTER = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # an escaped backslash before u0000 is text
_SIGNED = [(name, name.encode()) for name in ("signature-input", "signature", "content-digest", "device-sequence")]
_T = TypeVar("_T")

_under_way = 0  # bytes of larger bodies that were announced and are not answered yet
# Apart from the pages' threads: whoever waits for a row here makes no page wait.
_asking, _checking = ThreadPoolExecutor(4, "sender"), ThreadPoolExecutor(2, "check")


class LengthRequired(Invalid):
    """The server reads bodies by their length alone."""

    status = 411
    default_code = "length_required"


class TooSlow(Invalid):
    """The body took too long (RFC 9110 section 15.5.9)."""

    status = 408
    default_code = "too_slow"


class OtherMethod(ParcelwardError):
    """Only POST is answered here."""


def _record(submissions: Sequence[Submission]) -> list[Answer | ParcelwardError]:
    """Record; raise Busy while the database is away or cannot write.

    A commit whose answer was lost is found again by its sequence or its event ids: recording twice changes nothing.
    """
    return _twice(lambda: parcels.record_scans(submissions, now=dt.datetime.now(dt.UTC)))


def _twice(ask: Callable[[], _T]) -> _T:
    """Ask the database, and once more when that failed: the connection may have died while nobody used it."""
    for again in (True, False):
        try:
            return ask()
        except outage.ERRORS:
            outage.drop_connections()
            if not again:
                raise outage.busy() from None
    raise AssertionError("unreachable")  # pragma: no cover -- the loop returns or raises


_coalescer = Coalescer(_record)


async def door(scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer one batch; every refusal is a problem document."""
    request_id, began = requests.new_id(), time.monotonic()
    try:
        given = await _answer(scope, receive)
    except Exception as err:  # noqa: BLE001 -- each has its answer, and what is not foreseen its line in the log
        response = _refusal(err, request_id)
        requests.complete(response, request_id)
        for name, value in requests.security_headers().items():
            response.headers.setdefault(name, value)
        head, body = threads.head_of(response), response.content
        if isinstance(err, ParcelwardError) and err.status in refusals.STATUSES:
            refusals.note(err.code, PATH, err.status, request_id)
    else:
        body = given.body
        length, number = b"%d" % len(body), request_id.encode()
        head = given.status, [*_ours(), (b"content-length", length), (b"x-request-id", number)]
    requests.note(scope["method"], PATH, head[0], time.monotonic() - began, request_id)
    await threads.say(send, head, body)


@functools.cache
def _ours() -> Sequence[tuple[bytes, bytes]]:
    said = {"Content-Type": "application/json", **requests.security_headers()}
    return [(name.lower().encode(), value.encode()) for name, value in said.items()]


def _refusal(err: Exception, request_id: str) -> HttpResponse:
    request = HttpRequest()  # an empty one: what a refusal says, it says of this id
    request.request_id = request_id  # type: ignore[attr-defined]  # read by problems
    if isinstance(err, OtherMethod):
        answer = problems.of_status(request, 405)
        answer["Allow"] = "POST"
        return answer
    if isinstance(err, ParcelwardError):
        return problems.response(request, err)
    log.error("POST %s failed %s", PATH, request_id, exc_info=err)
    return problems.of_status(request, 500)


async def _answer(scope: HTTPScope, receive: ASGIReceiveCallable) -> Answer:
    if scope["method"] != "POST":
        raise OtherMethod("POST only")
    if b"%00" in scope["query_string"]:
        raise NotFound("There is nothing here")
    disk.require_space()
    sent = _headers(scope)
    waits_for_body = False
    try:
        async with asyncio.timeout(PATIENCE_S):
            device, holder = await _sender(sent, _address(scope, sent))  # before a byte of the body is waited for
            with _promised(sent) as length:
                waits_for_body = True
                body = await _body(receive) if length else b""
                waits_for_body = False
                if length > AT_ONCE_MAX:
                    submission = await _in_thread(_checking, _submission, sent, device, holder, body)
                else:
                    submission = _submission(sent, device, holder, body)
                return await _coalescer.submit(submission)
    except TimeoutError:
        if waits_for_body:
            raise TooSlow(f"The body did not come within {PATIENCE_S} s; send it again") from None
        # It may be recorded all the same: sent again, it is known.
        raise Busy("Recording takes too long; send the same batch again", retry_after_s=2) from None


def _holder(token: str, address: str) -> Person:
    return throttle.key_holder(token, address, per_minute=throttle.BATCHES_PER_MINUTE)


def _headers(scope: HTTPScope) -> dict[bytes, bytes]:
    """Return the header fields; one that was sent twice is joined (RFC 9110 section 5.3)."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        found[name] = found[name] + b", " + value if name in found else value
    return found


async def _in_thread(pool: ThreadPoolExecutor, function: Callable[..., _T], *args: Any) -> _T:
    """Call what asks the database, or takes long. Raises Busy while the database is away."""
    return await asyncio.get_running_loop().run_in_executor(pool, _twice, lambda: function(*args))


def _address(scope: HTTPScope, sent: dict[bytes, bytes]) -> str:
    client = scope.get("client")
    return throttle.address_of(client[0] if client else "", sent.get(b"x-forwarded-for", b"").decode("latin-1"))


async def _sender(sent: dict[bytes, bytes], address: str) -> tuple[people.EnrolledDevice | None, Person | None]:
    """Return the device that is named, or who holds the key that was sent.

    Raises NotKnown or BadSignature; Banned for an address, and TooMany for a key, that is not heard now.
    """
    throttle.require_heard(address)
    authorization = sent.get(b"authorization", b"").decode("latin-1")
    if authorization.startswith("Bearer "):
        return None, await _in_thread(_asking, _holder, authorization[7:], address)
    if b"signature-input" not in sent:
        raise NotKnown("Sign the request as a device (RFC 9421), or send an API key as a bearer token")
    named = sent[b"signature-input"].decode("latin-1")
    return people.remembered_device(named) or await _in_thread(_asking, people.enrolled_device, named), None


@contextlib.contextmanager
def _promised(sent: dict[bytes, bytes]) -> Iterator[int]:
    """Give the body's length, and count a large one for as long as it is in memory.

    Raises Invalid, TooLarge, or Busy while too much is under way.
    """
    global _under_way  # noqa: PLW0603 -- one count of the process
    if sent.get(b"content-encoding", b"identity") != b"identity":
        raise Invalid("Send the body uncompressed", code="no_encoding")
    said = sent.get(b"content-length", b"")
    if not said and b"transfer-encoding" in sent:
        raise LengthRequired("Say how long the body is with Content-Length; send no chunks")
    length = threads.length_of(said)
    if length > BATCH_BYTES_MAX:
        raise TooLarge(f"A batch has at most {BATCH_BYTES_MAX} bytes; send it in parts")
    large = length if length > AT_ONCE_MAX else 0
    if large and _under_way + large > UNDER_WAY_MAX:
        raise Busy("Too many requests are being received; send it again", retry_after_s=1)
    _under_way += large
    try:
        yield length
    finally:
        _under_way -= large


async def _body(receive: ASGIReceiveCallable) -> bytes:
    came: list[bytes] = []
    more = True
    while more:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise Invalid("The connection ended before the body did", code="cut_off")
        came.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(came)


def _submission(
    sent: dict[bytes, bytes], device: people.EnrolledDevice | None, holder: Person | None, body: bytes
) -> Submission:
    """Return the batch with who sent it; when a device signed it, and how. Raises what is wrong with it as a whole."""
    if device is not None:
        headers = {name: sent.get(raw, b"").decode("latin-1") for name, raw in _SIGNED}
        signed = people.signed_by(device, method="POST", path=PATH, headers=headers, body=body)
        person, sequence, digest = device.person, signed.sequence, signed.digest
        created_s, signature = signed.created_s, signed.signature
    elif holder is not None:
        number = sent.get(b"device-sequence", b"0")  # 0: not numbered
        if not number.isdigit() or len(number) > 15:  # noqa: PLR2004 -- fits what every JSON reader can hold
            raise Invalid("Device-Sequence must be a whole number, rising by one with each batch", code="bad_sequence")
        person, sequence, digest = holder, int(number), hashlib.sha256(body).digest()
        created_s, signature = 0, b""
    else:
        raise NotKnown("Say who sends")
    ndjson = b"ndjson" in sent.get(b"content-type", b"").lower()
    events, bad = parse(body, ndjson=ndjson)
    people.require(person, Task.SCAN)  # before it joins others, whom its refusal would slow down
    return Submission(person, sequence, digest, events, bad, body, ndjson, created_s, signature)


def parse(body: bytes, *, ndjson: bool) -> tuple[list[tuple[int, ScanIn]], list[BadScan]]:
    """Return the good events with their positions, and the bad ones with their bytes.

    An array is read in one go; only when that fails is each event read by itself, so that one bad event costs nobody
    else anything. Lines are never joined: several that are JSON only together would pass, and an event's position
    would not say whose bytes are whose. Raises Invalid when the body is not a batch at all.
    """
    try:
        events = _lines(body) if ndjson else _BATCH.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raws = _split(body, ndjson=ndjson)
    else:
        _require_size(len(events))
        if _NUL not in body and not any(event.sensors and too_deep(event.sensors) for event in events):
            return list(enumerate(events)), []
        raws = _split(body, ndjson=ndjson)
    _require_size(len(raws))
    return _one_by_one(raws)


def _lines(body: bytes) -> list[ScanIn]:
    lines = _split(body, ndjson=True)
    _require_size(len(lines))
    return list(map(_ONE.decode, lines))


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
