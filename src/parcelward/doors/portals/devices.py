"""Devices at the desk: who was last heard, whose clock is off, enrol one by a QR code, revoke one."""

from __future__ import annotations

import uuid
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base import config
from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.doors.portals import held_shown, qr
from parcelward.doors.portals.accounts.guard import fresh_proof
from parcelward.doors.portals.errors import in_words
from parcelward.people import actions, queries
from parcelward.people.queries import may, person_of
from parcelward.people.wire import Person, Task

HOME: Final = "/app/desk/devices/"
ROWS_MAX: Final = 50
POLL_S: Final = 2
FIND_MAX: Final = 80
"""As long as a device's name can be."""
SAID: Final = "held_said"
"""Session key: what was just done, said once on the next page."""
INPUT: Final = {"class": "govuk-input", "autocomplete": "off"}


class EnrolForm(forms.Form):
    """What a device will be called, and where it belongs."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("What staff call it, such as dock scanner 4. No names of people."),
        widget=forms.TextInput(attrs=INPUT),
        error_messages={"required": gettext_lazy("Give the device a name.")},
    )
    facility = forms.RegexField(
        r"^[A-Z0-9][A-Z0-9._-]{1,19}$",
        label=gettext_lazy("Place"),
        required=False,
        help_text=gettext_lazy("The code of the place it belongs to. Empty: anywhere."),
        widget=forms.TextInput(attrs=INPUT | {"autocapitalize": "characters", "spellcheck": "false"}),
        error_messages={"invalid": gettext_lazy("A place's code has capital letters, digits, dots or hyphens.")},
    )
    once = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


def asker(request: HttpRequest, task: Task) -> Person:
    """Return who asks. Raises NotFound for whom the page has nothing; the action asks again."""
    person = person_of(request.user)
    if not may(person, task):
        raise NotFound("There is nothing here to show.")
    return person


def tabs(person: Person, current: str) -> list[dict[str, Any]]:
    """Return the ways to the screens beside this one that are this person's."""
    all_of_them = (
        ("desk", "/app/desk/", _("Desk"), Task.READ_DESK),
        ("devices", HOME, _("Devices"), Task.ENROL_DEVICE),
        ("keys", "/app/keys/", _("API keys"), Task.MANAGE_KEYS),
    )
    return [
        {"href": href, "name": name, "current": key == current}
        for key, href, name, task in all_of_them
        if may(person, task)
    ]


def uuid_in(text: str) -> UUID | None:
    """Return the UUID that an address names; None for what is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


@login_required
@never_cache
@require_safe
def devices(request: HttpRequest) -> HttpResponse:
    """Show the list, and the one that was chosen."""
    person, now = asker(request, Task.ENROL_DEVICE), timezone.now()
    after, chosen = uuid_in(request.GET.get("after", "")), uuid_in(request.GET.get("device", ""))
    find = request.GET.get("find", "").strip()[:FIND_MAX]
    found = queries.devices(by=person, limit=ROWS_MAX + 1, after=after, named=find)
    rows = [
        held_shown.row(
            "device",
            each.id,
            each.name,
            _("revoked") if each.revoked_at else each.facility,
            each.last_seen_at,
            now=now,
            ended=each.revoked_at is not None,
            current=each.id == chosen,
            after=after,
            find=find,
        )
        for each in found[:ROWS_MAX]
    ]
    device = queries.device(chosen, by=person) if chosen else None
    asked: dict[str, Any] = {"find": find} if find else {}
    context = {
        "tabs": tabs(person, "devices"),
        "rows": rows,
        "find": find,
        "find_max": FIND_MAX,
        "older": f"?{urlencode(asked | {'after': found[ROWS_MAX - 1].id})}" if len(found) > ROWS_MAX else "",
        "newest": f"{HOME}?{urlencode(asked)}".rstrip("?") if after else "",
        "device": device,
        "clock": held_shown.clock(device.clock_ahead_s) if device else None,
        "said": request.session.pop(SAID, ""),
        "missing": request.GET.get("device", "") if chosen is None else "",
    }
    return render(request, "devices.html", context)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Ask for a name and a place; then show the code, this once, and wait for the device."""
    person = asker(request, Task.ENROL_DEVICE)
    form = EnrolForm(request.POST or None)
    context = {"tabs": tabs(person, "devices"), "form": form, "back": HOME}
    if request.method != "POST" or not form.is_valid():
        return render(request, "enrol_device.html", context, status=422 if form.is_bound else 200)
    said = form.cleaned_data
    try:
        opened = actions.open_enrolment(said["name"], by=person, facility=said["facility"], enrolment_id=said["once"])
    except (Invalid, Conflict) as refused:
        form.add_error(None, in_words(refused, otherwise=_("This could not be done. Open the form anew.")))
        return render(request, "enrol_device.html", context, status=refused.status)
    address = f"{config.get().public_url}/enrol/device#code={opened.code}"
    context |= {
        "address": address,
        "qr": qr.svg(address, label=_("QR code with the address that enrols the device")),
        **_waiting(opened.id, by=person),
    }
    return render(request, "enrolment.html", context)


def _waiting(enrolment_id: UUID, *, by: Person) -> dict[str, Any]:
    now, enrolment = timezone.now(), queries.enrolment(enrolment_id, by=by)
    left_s = max(0, int((enrolment.expires_at - now).total_seconds()))
    over = enrolment.withdrawn or (left_s == 0 and enrolment.device is None)
    return {
        "enrolment": enrolment,
        "left_min": -(-left_s // 60),
        "over": over,
        "poll_s": 0 if over or enrolment.device else POLL_S,
    }


@login_required
@never_cache
@require_safe
def enrolment(request: HttpRequest, enrolment_id: UUID) -> HttpResponse:
    """Say whether the device has come: to the page that waits, or as a page of its own."""
    person = asker(request, Task.ENROL_DEVICE)
    context = {"tabs": tabs(person, "devices"), "back": HOME, **_waiting(enrolment_id, by=person)}
    return render(request, "_enrolment.html" if request.headers.get("HX-Request") else "enrolment.html", context)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, enrolment_id: UUID) -> HttpResponse:
    """Let nobody take a code any more, once it was confirmed."""
    person = asker(request, Task.ENROL_DEVICE)
    found = queries.enrolment(enrolment_id, by=person)
    if request.method == "POST":
        actions.withdraw_enrolment(enrolment_id, by=person)
        return done(request, _("The code opens nothing any more."), HOME)
    return confirm(
        request,
        tabs=tabs(person, "devices"),
        title=_("Withdraw this code?"),
        what=found.name,
        words=_("A device that has not taken it yet cannot take it then. You can make another code at any time."),
        button=_("Withdraw the code"),
        back=f"{HOME}enrolments/{enrolment_id}",
    )


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, device_id: UUID) -> HttpResponse:
    """Revoke a device, once it was confirmed."""
    person = asker(request, Task.ENROL_DEVICE)
    device = queries.device(device_id, by=person)
    if request.method == "POST":
        actions.revoke_device(device_id, by=person)
        return done(request, _("%(name)s is revoked.") % {"name": device.name}, f"{HOME}?device={device_id}")
    return confirm(
        request,
        tabs=tabs(person, "devices"),
        title=_("Revoke this device?"),
        what=device.name,
        words=_(
            "Its next batch is refused, and what it has not sent yet stays on it. It cannot be undone: a device "
            "that comes back is enrolled anew."
        ),
        button=_("Revoke the device"),
        back=f"{HOME}?device={device_id}",
    )


def confirm(request: HttpRequest, **context: Any) -> HttpResponse:
    """Ask on a page of its own whether it is meant."""
    return render(request, "confirm_deed.html", context)


def done(request: HttpRequest, said: str, to: str) -> HttpResponse:
    """Go on to a page that says once what was done."""
    request.session[SAID] = said
    return HttpResponseRedirect(to)


urlpatterns = [
    path("app/desk/devices/", devices, name="devices"),
    path("app/desk/devices/enrol", enrol, name="enrol_device"),
    path("app/desk/devices/enrolments/<uuid:enrolment_id>", enrolment, name="enrolment"),
    path("app/desk/devices/enrolments/<uuid:enrolment_id>/withdraw", withdraw, name="withdraw_enrolment"),
    path("app/desk/devices/<uuid:device_id>/revoke", revoke, name="revoke_device"),
]
