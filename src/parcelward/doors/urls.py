"""Every address of the house; only `/api/v1/scans` is answered before this table is asked (see `asgi`)."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from parcelward.doors.api import health, log, payments
from parcelward.doors.api.v1 import api
from parcelward.doors.portals.reference import reference

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.live),
    path("readyz", health.ready),
    path("metrics", health.metrics),
    path("log/checkpoint", log.checkpoint),
    path("log/checkpoint/witnessed", log.witnessed),
    path("log/vkey", log.vkey),
    path("log/verifier", log.verifier),
    path("log/succession", log.succession),
    path("log/archive", log.archive),
    path("log/archive/<str:day>.tsr", log.timestamp),
    path("log/archive/<str:day>", log.archived),
    path("log/tile/<path:path>", log.tile),
    path("api/v1/docs", reference),
    path("api/v1/", api.urls),
    path("payments/notices", payments.take_notice),
    path("epcis/", include("parcelward.doors.api.epcis")),
    path("easypost/v2/", include("parcelward.doors.easypost.urls")),
    path("", include("parcelward.doors.portals.urls")),
]
handler400 = "parcelward.doors.portals.errors.bad_request"
handler403 = "parcelward.doors.portals.errors.forbidden"
handler404 = "parcelward.doors.portals.errors.not_found"
handler500 = "parcelward.doors.portals.errors.server_error"
