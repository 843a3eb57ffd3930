"""Declare an event wrong at the desk: the event stays, struck through, and a new one says why and who said so."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.doors.portals import desk, desk_shown, shown
from parcelward.parcels import actions, queries
from parcelward.people.queries import may, person_of
from parcelward.people.wire import Task


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest, item_id: str, event_key: str) -> HttpResponse:
    """Ask what is wrong with the event and why; then record the correction."""
    person = person_of(request.user)
    if not may(person, Task.CORRECT):
        raise NotFound("There is nothing here to show.")
    item = desk.item_of(item_id)
    journey = queries.journey(item)
    rows = desk_shown.event_rows(queries.story(item, by=person), (), now=timezone.now())
    event = next((row for row in rows if row.key == event_key and row.story), None)
    if event is None or event.story is None or event.story.entry.event_id is None:
        raise NotFound("There is nothing here to show.")
    reason, declares, problem, status = "", "", "", 200
    if request.method == "POST":
        reason = request.POST.get("reason", "").strip()
        declares = request.POST.get("declares", "")
        try:
            _require_all(declares, reason)
            actions.correct(item, event.story.entry.event_id, declares, reason, by=person)
        except (Invalid, Conflict) as refused:
            problem, status = _(refused.message), refused.status
        else:
            request.session[desk.SAID] = _("The event is declared wrong.")
            return HttpResponseRedirect(desk_shown.link(item=journey.public_id))
    context = {
        "journey": journey,
        "number": shown.grouped(journey.number),
        "event": event,
        "reason": reason,
        "reason_max": desk.REASON_LENGTH_MAX,
        "declares": declares,
        "problem": problem,
        "back": desk_shown.link(item=journey.public_id),
        "person": person,
    }
    return render(request, "correct.html", context, status=status)


def _require_all(declares: str, reason: str) -> None:
    """Raise Invalid unless both questions were answered."""
    if not declares:
        raise Invalid(_("Say what is wrong with it."), code="bad_declaration")
    if not 1 <= len(reason) <= desk.REASON_LENGTH_MAX:
        raise Invalid(_("Give a reason of 1 to 40 characters: it is kept for good."), code="bad_reason")
