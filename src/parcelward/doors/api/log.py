"""The log over HTTP exactly as C2SP tlog-tiles says: from flat files, never from the database.

Beside it, what belongs to the log and not to the standard: its keys, and the entry that names verify.html, in clear.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

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
    response["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
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
    """Answer the log's verifier keys, one a line, in signed-note form."""
    lines = "".join(f"{key}\n" for key in custody.vkeys(config.get()))
    return _open_to_all(HttpResponse(lines, content_type="text/plain; charset=utf-8"), _BRIEFLY)
