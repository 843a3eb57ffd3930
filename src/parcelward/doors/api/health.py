"""Liveness, readiness and figures for the operator's monitoring."""

from __future__ import annotations

from django.db import connections
from django.db.utils import Error
from django.http import HttpRequest, HttpResponse, JsonResponse

from parcelward.base import config
from parcelward.custody import queries as custody
from parcelward.doors import outage

BEHIND_MAX = 200_000  # entries that may wait before we say that we are not ready


def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer that the process runs."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer whether the database answers and the log keeps up."""
    try:
        with connections["default"].cursor() as cur:
            cur.execute("SELECT 1")
        head = custody.head(config.get())
    except Error:
        answer = JsonResponse({"ready": False, "database": False}, status=503)
        answer["Retry-After"] = str(outage.RETRY_AFTER_S)
        return answer
    good = head.pending <= BEHIND_MAX
    body = {"ready": good, "database": True, "log_size": head.published_size, "log_behind": head.pending}
    answer = JsonResponse(body, status=200 if good else 503)
    if not good:
        answer["Retry-After"] = str(outage.RETRY_AFTER_S)
    return answer


def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 -- Django's signature
    """Answer Prometheus' text format."""
    head = custody.head(config.get())
    lines = [
        "# TYPE parcelward_log_entries gauge",
        f"parcelward_log_entries {head.published_size}",
        "# TYPE parcelward_log_waiting gauge",
        f"parcelward_log_waiting {head.pending}",
        "# TYPE parcelward_log_witnessed gauge",
        f"parcelward_log_witnessed {head.witnessed_size}",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4")
