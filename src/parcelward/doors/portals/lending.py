"""The office's page: lend this week's keys to a courier's device for a round, see what is lent, end it early."""

from __future__ import annotations

import datetime as dt
from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from parcelward.base import config
from parcelward.base.errors import Invalid, NotFound, ParcelwardError
from parcelward.doors.portals import assets
from parcelward.doors.portals.errors import in_words
from parcelward.people import queries as people
from parcelward.people.queries import may, person_of
from parcelward.people.wire import Person, Task
from parcelward.privacy.sealing import actions, queries

HOURS_USUAL: Final = 8
WEEKS_LENT: Final = (1, 2, 4)  # this week alone, and late parcels' weeks before it
TYPED_LENGTH_MAX: Final = 40
SAID: Final = "lending_said"
"""Session key: what was just done, said once on the next page."""


def _lender(request: HttpRequest) -> Person:
    person = person_of(request.user)
    if not may(person, Task.LEND_KEYS):
        raise NotFound("There is nothing here to show.")  # the action asks again
    return person


def _typed(request: HttpRequest, name: str) -> str:
    return (request.POST.get(name) or request.GET.get(name, ""))[:TYPED_LENGTH_MAX].strip()


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def lend(request: HttpRequest) -> HttpResponse:
    """Show an office's devices and loans; lend on POST. Sent twice it is one loan."""
    person, facility, problem, status = _lender(request), _typed(request, "facility").upper(), "", 200
    if request.method == "POST":
        try:
            return _lent(request, person, facility)
        except ParcelwardError as refused:
            problem = in_words(refused, otherwise=_("Nothing was lent. Look at what you chose, and try again."))
            status = refused.status
    now = timezone.now()
    names = {device.device_id: device.name for device in people.standing_devices(facility)} if facility else {}
    loans = queries.running_loans([facility], by=person, now=now) if facility else []
    context = {
        "css": assets.named("parcelward/label.css"),
        "said": request.session.pop(SAID, ""),
        "problem": problem,
        "facility": facility,
        "devices": names.items(),
        "typed": {name: _typed(request, name) for name in ("device", "round", "hours", "weeks")},
        "hours_usual": HOURS_USUAL,
        "weeks": WEEKS_LENT,
        "loans": [
            {"row": row, "device": names.get(row.device, row.device), "week": queries.epoch_name(row.epoch)}
            for row in loans
        ],
    }
    return render(request, "office_lend.html", context, status=status)


def _lent(request: HttpRequest, person: Person, facility: str) -> HttpResponse:
    try:
        device = UUID(_typed(request, "device"))
        hours, weeks = int(_typed(request, "hours")), int(_typed(request, "weeks"))
    except ValueError:
        raise Invalid(_("Choose a device, and for how many hours and weeks.")) from None
    if weeks not in WEEKS_LENT:
        raise Invalid(_("Choose a device, and for how many hours and weeks."))
    now = timezone.now()
    this = queries.epoch_of(now)
    epochs = queries.epochs_with_keys(facility, range(this + 1 - weeks, this + 1), by=person)
    claim = dt.timedelta(days=config.get().label_claim_days)
    actions.lend(
        facility, epochs or [this], device, _typed(request, "round"), hours=hours, claim=claim, by=person, now=now
    )
    request.session[SAID] = _("Lent. On the device, open the page of labels and fetch the keys.")
    return HttpResponseRedirect(_here(facility))


@login_required
@never_cache
@require_POST
def end(request: HttpRequest, loan_id: UUID) -> HttpResponse:
    """End a loan before its round does."""
    actions.end_loan(loan_id, by=_lender(request), now=timezone.now())
    request.session[SAID] = _("Ended. The device gets this key no more, and deletes it when it asks again.")
    return HttpResponseRedirect(_here(_typed(request, "facility")))


def _here(facility: str) -> str:
    return f"{reverse('office_lend')}?{urlencode({'facility': facility})}"


urlpatterns = [
    path("app/office/lend", lend, name="office_lend"),
    path("app/office/loans/<uuid:loan_id>/end", end, name="office_loan_end"),
]
