"""The page that a device opens from its QR code: it makes a key pair of its own, and takes the code with it."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods

from parcelward.base.errors import Invalid, ParcelwardError
from parcelward.doors.api import problems
from parcelward.doors.portals import proof
from parcelward.doors.throttle import allow
from parcelward.people import actions

TRIES_PER_MINUTE: Final = 10
CODE_MAX: Final = 64
MODULES: Final = ("parcelward/device.js",)


@never_cache
@ensure_csrf_cookie
@require_http_methods(["GET", "HEAD", "POST"])
def device(request: HttpRequest) -> HttpResponse:
    """Show the page, whose script reads the code behind the #, which browsers never send; take what it posts."""
    if request.method != "POST":
        return render(request, "enrol.html", {"import_map": proof.import_map(MODULES)})
    allow(request, "enrol", TRIES_PER_MINUTE)
    try:
        taken = actions.take_enrolment(*_parts(request.body))
    except ParcelwardError as err:
        return problems.response(request, err)
    said = {
        "device_id": str(taken.device_id),
        "key_id": taken.key_id,
        "name": taken.name,
        "facility": taken.facility,
    }
    return JsonResponse(said, status=201)


def _parts(body: bytes) -> tuple[str, bytes, bytes]:
    """Return code, public key and signature. Raises Invalid."""
    try:
        said = json.loads(body)
        code = str(said["code"])[:CODE_MAX]
        key, signature = (base64.b64decode(said[name], validate=True) for name in ("public_key", "signature"))
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        raise Invalid("Send code, public_key and signature; the last two in base64", code="bad_request") from None
    return code, key, signature


urlpatterns = [path("enrol/device", device, name="enrol_itself")]
