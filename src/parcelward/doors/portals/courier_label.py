"""The courier's page, which opens its part of a label in the browser, and what hands it the keys lent to its device.

The page needs a network to be loaded and to fetch keys, and none to open labels. What it opens never comes back here.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

import msgspec
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from parcelward.base.errors import Invalid, NotFound
from parcelward.doors import requests
from parcelward.doors.portals import assets, proof
from parcelward.doors.throttle import allow
from parcelward.people.queries import may, person_of
from parcelward.people.wire import Task
from parcelward.privacy.sealing import actions, queries
from parcelward.privacy.sealing.wire import HandedOut

ASKED_PER_MINUTE: Final = 20
KEY_LETTERS_MAX: Final = 100
MODULES: Final = ("parcelward/device.js", "parcelward/label.js")


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the page sends: binary values in base64url."""

    device_key: str
    reader_key: str
    at_ms: int
    signature: str


@login_required
@never_cache
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the page; of all pages this one may ask for the camera."""
    if not may(person_of(request.user), Task.OPEN_LABEL):
        raise NotFound("There is nothing here to show.")
    context = {
        "texts": texts(),
        "script": assets.named("parcelward/label-page.js"),
        "css": assets.named("parcelward/label.css"),
        "import_map": proof.import_map(MODULES),
        "session_stays": True,  # it works without a network, and so without a session: then it only forgets
    }
    response = render(request, "courier_label.html", context)
    policy = requests.security_headers()["Permissions-Policy"]
    response["Permissions-Policy"] = policy.replace("camera=()", "camera=(self)")
    return response


@login_required
@never_cache
@require_POST
def keys(request: HttpRequest) -> HttpResponse:
    """Hand out what is lent to the device that signed, encrypted to the key that it named."""
    by = person_of(request.user)
    if not may(by, Task.OPEN_LABEL):
        raise NotFound("There is nothing here to show.")
    allow(request, "label-keys", ASKED_PER_MINUTE)
    try:
        asked = msgspec.json.decode(request.body, type=Asking)
        device_key, reader_key, signature = map(_bytes, (asked.device_key, asked.reader_key, asked.signature))
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        raise Invalid("This is not what the page sends", code="bad_asking") from None
    handed = actions.hand_out(device_key, reader_key, asked.at_ms, signature, by=by, now=timezone.now())
    return JsonResponse({"loans": [_shown(each) for each in handed]})


def _bytes(text: str) -> bytes:
    if len(text) > KEY_LETTERS_MAX:
        raise ValueError("longer than any key")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _shown(handed: HandedOut) -> dict[str, object]:
    loan = handed.loan
    return {
        "loan": str(loan.loan_id),
        "device": str(loan.device),
        "facility": loan.facility,
        "epoch": loan.epoch,
        "week": queries.epoch_name(loan.epoch),
        "round": loan.round_name,
        "expires_at": int(loan.expires_at.timestamp()),
        "public": base64.urlsafe_b64encode(handed.public_key).rstrip(b"=").decode(),
        "sealed": base64.urlsafe_b64encode(handed.sealed).rstrip(b"=").decode(),
    }


def texts() -> dict[str, str]:
    """Return every sentence that the page's program may say, translated; `{name}` is filled in by the program."""
    return {
        "loan": _("{facility}, week {week}, round {round}: until {until}"),
        "loan_ended": _("{facility}, week {week}, round {round}: ended {until}"),
        "fetched": _("The keys are here. You can go offline."),
        "nothing_lent": _("Nothing is lent to this device now. Ask at the office."),
        "not_fetched": _("No key was fetched"),
        "not_opened": _("Not opened"),
        "no_item": _("Enter the number on the parcel."),
        "no_code": _("Scan the square code first."),
        "no_label": _("This is no sealed label of ours. Scan the square code again."),
        "cut_label": _("The code is damaged or was not read to its end. Scan it again."),
        "other_item": _(
            "This code belongs to another item, {label}. Do not deliver the parcel: take it back to the office."
        ),
        "other_office": _("No key on this device opens it: it is for another office, or of week {week}."),
        "loan_over": _("The key for week {week} ended with its round. Ask the office for a new one."),
        "changed": _("The label was changed, or put together from two. Do not deliver the parcel: take it back."),
        "clock_back": _("The clock of this device went backwards. Set it right, then try again."),
        "clock_off": _("The clock of this device is more than five minutes off. Set it right, then try again."),
        "no_network": _("There is no network. What you fetched before still opens labels."),
        "signed_out": _("Sign in again, then fetch the keys."),
        "not_enrolled": _(
            "This device is not enrolled yet. Scan the office's QR code, or show it the key below, under This device."
        ),
        "revoked": _("This device was revoked. Its keys are deleted. Hand it in at the office."),
        "bad_signature": _("The key of this device is not the one that was enrolled. Ask at the office."),
        "not_given": _("The office gave no key. Ask there."),
        "not_this_device": _("A key came that was not for this device. Fetch again."),
        "no_camera": _("The camera cannot be used. Scan or type the code instead."),
        "old_browser": _("This browser cannot open labels. A newer one can."),
        "failed": _("That did not work. Reload the page and try again."),
    }


urlpatterns = [
    path("app/courier/label", page, name="courier_label"),
    path("app/courier/label/keys", keys, name="courier_label_keys"),
]
