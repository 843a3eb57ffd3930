"""A photo at the counter: the marks on it are read, and a parcel that was declared otherwise is stopped."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from parcelward.base.errors import NotFound, ParcelwardError
from parcelward.base.standards.errors import BadItemNumber
from parcelward.doors.portals.accounts import guard
from parcelward.people.queries import may
from parcelward.people.wire import Task
from parcelward.shipping import actions

NUMBER_MAX: Final = 80


def _words(mark: str) -> str:
    said = {
        "lithium": _("lithium batteries"),
        "1": _("explosives"),
        "2": _("gases"),
        "3": _("liquids that burn"),
        "4": _("solids that burn"),
        "5": _("what makes fires fiercer"),
        "6.1": _("poison"),
        "6.2": _("infectious samples"),
        "7": _("what radiates"),
        "8": _("acids and lyes"),
        "9": _("other dangerous goods"),
        "dry_ice": _("dry ice"),
        "limited": _("a limited quantity of dangerous goods"),
        "no_aircraft": _("not by air"),
    }
    return said.get(mark, mark)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def photo(request: HttpRequest) -> HttpResponse:
    """Take a number and a photo; say what was read. The photo goes when the answer is given."""
    by = guard.person(request)
    if not may(by, Task.PHOTOGRAPH):
        raise NotFound("There is nothing here to show.")
    context: dict[str, Any] = {"number": "", "problem": "", "read": None, "number_max": NUMBER_MAX}
    status = 200
    if request.method == "POST":
        context["number"] = request.POST.get("number", "")[:NUMBER_MAX]
        file = request.FILES.get("photo")
        try:
            found = actions.photograph(context["number"], file.read() if file else b"", by=by)
        except BadItemNumber:
            context["problem"], status = _("This is no number of a parcel."), 422
        except ParcelwardError as refused:
            context["problem"], status = _(refused.message), refused.status
        else:
            context["read"] = {
                "marks": [_words(one) for one in found.marks],
                "stopped": [_words(one) for one in found.uncovered],
            }
    return render(request, "photo.html", context, status=status)


urlpatterns = [path("app/counter/photo", photo, name="counter_photo")]
