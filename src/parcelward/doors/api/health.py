"""Liveness, readiness and figures for the operator's monitoring."""

from __future__ import annotations

from django.db import connections
from django.db.utils import Error
from django.http import HttpRequest, HttpResponse, JsonResponse

from parcelward.base import config
from parcelward.custody import queries as custody
from parcelward.doors import outage
from parcelward.parcels import queries as parcels

BEHIND_MAX = 200_000  # entries that may wait before we say that we are not ready
WAIT_S_MAX = 10.0  # how long one may: what every receipt promises

_AWAY = {
    "default": "The database does not answer.",
    "keys": "The keys database, with the items' secrets, does not answer.",
}
_BEHIND = f"More than {BEHIND_MAX} entries wait for their place in the log: the worker does not keep up."
_STANDS_STILL = (
    "For {waits_s:.0f} s recorded entries have waited for their place in the log, and receipts promise it within "
    "{max_s:.0f} s. No worker runs, or it does not keep up: its last lines say which."
)
_DISAGREES = (
    "The log stands still: its files and the database disagree ({differs}). {message} Scans are recorded, and get "
    "their place when a person has looked."
)


def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer that the process runs."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer whether both databases answer and the log keeps up."""
    alias = "default"
    try:
        for alias in _AWAY:
            with connections[alias].cursor() as cur:
                cur.execute("SELECT 1")
        alias = "default"
        head = custody.head(config.get())
        standstill = parcels.standstill()
    except Error:
        answer = JsonResponse({"ready": False, "database": False, "reason": _AWAY[alias]}, status=503)
        answer["Retry-After"] = str(outage.RETRY_AFTER_S)
        return answer
    reason = _reason(head, standstill)
    body = {
        "ready": not reason,
        "database": True,
        "log_size": head.published_size,
        "log_behind": head.pending,
        "log_waits_s": round(head.waits_s, 1),
        "reason": reason,
    }
    answer = JsonResponse(body, status=503 if reason else 200)
    if reason:
        answer["Retry-After"] = str(outage.RETRY_AFTER_S)
    return answer


def _reason(head: custody.LogHead, standstill: tuple[str, str] | None) -> str:
    """Return why the log is not ready, in words; empty if it is."""
    if standstill is not None:
        return _DISAGREES.format(differs=standstill[0], message=standstill[1])
    if head.waits_s > WAIT_S_MAX:
        return _STANDS_STILL.format(waits_s=head.waits_s, max_s=WAIT_S_MAX)
    return _BEHIND if head.pending > BEHIND_MAX else ""


def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer Prometheus' text format."""
    head = custody.head(config.get())
    lines = [
        "# TYPE parcelward_log_entries gauge",
        f"parcelward_log_entries {head.published_size}",
        "# TYPE parcelward_log_waiting gauge",
        f"parcelward_log_waiting {head.pending}",
        "# TYPE parcelward_log_waiting_seconds gauge",
        f"parcelward_log_waiting_seconds {head.waits_s:.1f}",
        "# TYPE parcelward_log_witnessed gauge",
        f"parcelward_log_witnessed {head.witnessed_size}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")
