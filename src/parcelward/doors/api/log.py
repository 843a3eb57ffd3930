"""The log over HTTP exactly as C2SP tlog-tiles says: from flat files, never from the database.

Beside it, what belongs to the log and not to the standard: its keys, and the entry that names verify.html, in clear.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from parcelward import doors
from parcelward.base import config
from parcelward.base.errors import Invalid, NotFound
from parcelward.custody import queries as custody
from parcelward.doors.api import problems

_FOREVER = "public, max-age=31536000, immutable"
_BRIEFLY = "no-cache"


def _open_to_all(response: HttpResponse, cache: str) -> HttpResponse:
    response["Cache-Control"] = cache
    response["Access-Control-Allow-Origin"] = "*"  # anybody's browser may check the log
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["Content-Security-Policy"] = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    return response


def _only_read(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Refuse whatever would change a static resource."""

    @csrf_exempt
    @functools.wraps(view)
    def answer(request: HttpRequest, **named: str) -> HttpResponse:
        if request.method in {"GET", "HEAD"}:
            return view(request, **named)
        refused = problems.of_status(request, 405)
        refused["Allow"] = "GET, HEAD"
        return refused

    return answer


@_only_read
def checkpoint(request: HttpRequest) -> HttpResponse:
    """Answer the newest signed checkpoint."""
    return _checkpoint(request, witnessed=False)


@_only_read
def witnessed(request: HttpRequest) -> HttpResponse:
    """Answer the newest checkpoint with enough cosignatures."""
    return _checkpoint(request, witnessed=True)


def _checkpoint(request: HttpRequest, *, witnessed: bool) -> HttpResponse:
    data = custody.published(config.get(), witnessed=witnessed)
    if data is None:
        return problems.response(request, NotFound("No such checkpoint has been published yet"))
    return _open_to_all(HttpResponse(data, content_type="text/plain; charset=utf-8"), _BRIEFLY)


@_only_read
def tile(request: HttpRequest, path: str) -> HttpResponse:
    """Answer a tile or an entry bundle; what no checkpoint covers yet is not shown."""
    try:
        data = custody.tile(config.get(), f"tile/{path}")
    except (Invalid, NotFound):
        return problems.response(request, NotFound("The log has no such tile"))
    return _open_to_all(HttpResponse(data, content_type="application/octet-stream"), _FOREVER)


@_only_read
def verifier(request: HttpRequest) -> HttpResponse:
    """Answer the entry that names verify.html's hash, opened and proven; `parcelward verify` checks it offline."""
    settings = config.get()
    page = Path(doors.__path__[0]) / "static" / "parcelward" / "verify.html"
    digest = hashlib.sha256(page.read_bytes()).hexdigest()
    entry, note = custody.verifier_entry(digest), custody.published(settings)
    proof = None
    if entry is not None and note is not None:
        proof = custody.entry_proof(settings, entry, note, custody.size_of(note))
    if entry is None or proof is None:
        return problems.response(request, NotFound("The log does not name this version of verify.html yet"))
    opened = {
        "object": "opened_entry",
        "origin": settings.origin,
        "vkeys": list(custody.vkeys(settings)),
        "body": entry.body.decode(),
        "salt": entry.salt.hex(),
        "proof": proof.decode(),
    }
    return _open_to_all(HttpResponse(json.dumps(opened), content_type="application/json"), _BRIEFLY)


@_only_read
def vkey(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer the verifier keys that sign now, one a line in signed-note form and nothing else, the ML-DSA-44 key last.

    Any reader of such keys can take them as they are. Since when they sign, and which signed before: /log/succession.
    """
    known, now = custody.log_keys(config.get()), dt.datetime.now(dt.UTC)
    signing = [key.vkey for key in known.keys if key.until is None or key.signs(now)]
    lines = "".join(f"{line}\n" for line in (*signing, known.archive_vkey))
    return _open_to_all(HttpResponse(lines, content_type="text/plain; charset=utf-8"), _BRIEFLY)


@_only_read
def succession(request: HttpRequest) -> HttpResponse:
    """Answer which key followed which: each entry, opened and proven; `parcelward verify --succession` takes it."""
    settings = config.get()
    note = custody.published(settings)
    if note is None:
        return problems.response(request, NotFound("No checkpoint has been published yet"))
    found = custody.opened_successions(settings, note, custody.vkeys(settings))
    return _open_to_all(HttpResponse(msgspec.json.encode(found), content_type="application/json"), _BRIEFLY)


@_only_read
def archive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer the days that have an archive checkpoint, newest first."""
    settings = config.get()
    rows = [
        {
            "day": day,
            "path": f"/log/archive/{day}",
            "timestamp": f"/log/archive/{day}.tsr" if custody.archive_timestamp(settings, day) else None,
        }
        for day in custody.archive_days(settings)
    ]
    listed = json.dumps({"object": "archive", "data": rows})
    return _open_to_all(HttpResponse(listed, content_type="application/json"), _BRIEFLY)


@_only_read
def archived(request: HttpRequest, day: str) -> HttpResponse:
    """Answer a day's archive checkpoint, signed with Ed25519 and ML-DSA-44; it never changes."""
    try:
        note = custody.archived(config.get(), day)
    except NotFound as err:
        return problems.response(request, err)
    return _open_to_all(HttpResponse(note, content_type="text/plain; charset=utf-8"), _FOREVER)


@_only_read
def timestamp(request: HttpRequest, day: str) -> HttpResponse:
    """Answer the RFC 3161 timestamp of a day's archive checkpoint; it never changes."""
    answer = custody.archive_timestamp(config.get(), day)
    if not answer:
        return problems.response(request, NotFound("The log has no timestamp of this day"))
    return _open_to_all(HttpResponse(answer, content_type="application/timestamp-reply"), _FOREVER)
