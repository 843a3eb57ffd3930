"""The log over HTTP exactly as C2SP tlog-tiles says: from flat files, never from the database."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

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
    return response


def checkpoint(request: HttpRequest) -> HttpResponse:
    """Answer the newest signed checkpoint."""
    return _checkpoint(request, witnessed=False)


def witnessed(request: HttpRequest) -> HttpResponse:
    """Answer the newest checkpoint with enough cosignatures."""
    return _checkpoint(request, witnessed=True)


def _checkpoint(request: HttpRequest, *, witnessed: bool) -> HttpResponse:
    data = custody.published(config.get(), witnessed=witnessed)
    if data is None:
        return problems.response(request, NotFound("No such checkpoint has been published yet"))
    return _open_to_all(HttpResponse(data, content_type="text/plain; charset=utf-8"), _BRIEFLY)


def tile(request: HttpRequest, path: str) -> HttpResponse:
    """Answer a tile or an entry bundle; what no checkpoint covers yet is not shown."""
    try:
        data = custody.tile(config.get(), f"tile/{path}")
    except (Invalid, NotFound):
        return problems.response(request, NotFound("The log has no such tile"))
    return _open_to_all(HttpResponse(data, content_type="application/octet-stream"), _FOREVER)


def vkey(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer the log's verifier keys, one a line, in signed-note form."""
    lines = "".join(f"{key}\n" for key in custody.vkeys(config.get()))
    return _open_to_all(HttpResponse(lines, content_type="text/plain; charset=utf-8"), _BRIEFLY)
