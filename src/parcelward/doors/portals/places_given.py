"""The places of a contractor: which the operator gave it, to enrol devices at, and takes back."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.doors.portals.accounts import guard
from parcelward.doors.portals.confirming import done, said_once
from parcelward.doors.portals.tenants import require_task
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.wire import OrganisationKind, Task

CODE_MAX = 20


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def places(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Show a contractor's places; give one more, or take one back."""
    by = guard.person(request)
    require_task(by, Task.MANAGE_ORGANISATIONS)
    row = who.organisation(organisation_id, by=by).row
    if row.kind is not OrganisationKind.CONTRACTOR:
        raise NotFound("There is nothing here to show.")
    given, typed, problem, status = who.places_of(row.id, by=by), "", "", 200
    if request.method == "POST":
        typed = request.POST.get("facility", "")[: 2 * CODE_MAX].strip().upper()
        back = next((grant for grant, _code in given if str(grant) == request.POST.get("back", "")), None)
        try:
            if back is not None:
                people.take_facility_back(back, by=by)
            elif "back" not in request.POST:  # one that was taken back already is sent a second time: that is done
                people.give_facility(row.id, typed, by=by)
        except (Invalid, Conflict) as refused:
            problem, status = _(refused.message), refused.status
        else:
            return done(request, _("The places were changed."), f"/app/organisations/{row.id}/places")
    context = {"row": row, "given": given, "typed": typed, "problem": problem, "code_max": CODE_MAX}
    return render(request, "tenants/places.html", context | {"said": said_once(request)}, status=status)


urlpatterns = [path("app/organisations/<uuid:organisation_id>/places", places, name="places_given")]
