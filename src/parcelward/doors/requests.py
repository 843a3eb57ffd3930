"""What every answer has, whoever gives it: an id, its length, the security headers, and a line in the log."""

from __future__ import annotations

import functools
import logging
import secrets
from collections.abc import Mapping

from django.conf import settings
from django.http import HttpResponse

log = logging.getLogger("parcelward.requests")

SLOW_S = 1.0
BARE_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy of what is no page."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


class WithoutAddress(logging.Filter):
    """Of the framework's lines only what has a traceback goes on, and without the address that was typed."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is written."""
        if not record.exc_info:
            return False  # `note` says it
        record.msg, record.args = "a request failed", ()
        return True


def new_id() -> str:
    """Return an id for a request."""
    return f"req_{secrets.token_hex(8)}"


def note(method: str, route: str, status: int, took_s: float, request_id: str) -> None:
    """Say in one line what failed or was slow; never what was typed."""
    if status >= 500 or took_s > SLOW_S:  # noqa: PLR2004 -- the HTTP status class
        method = method if method in _METHODS else "-"  # which is typed, too
        log.warning("%s %s %s in %.0f ms %s", method, route, status, took_s * 1000, request_id)


def complete(response: HttpResponse, request_id: str) -> None:
    """Add what every answer says in its head."""
    response.headers["X-Request-Id"] = request_id
    if not response.streaming:
        response.headers.setdefault("Content-Length", str(len(response.content)))  # or it would go in chunks


def security_headers(policy: str = BARE_POLICY) -> Mapping[str, str]:
    """Return the security headers of an answer with this Content-Security-Policy."""
    return {"Content-Security-Policy": policy} | _same_for_all(secure=settings.SECURE)


@functools.cache
def _same_for_all(*, secure: bool) -> dict[str, str]:
    found = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "X-Frame-Options": "DENY",
    }
    if secure:
        found["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains; preload"
    return found
