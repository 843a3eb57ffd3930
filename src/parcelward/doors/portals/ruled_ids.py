"""The operator's rules for dangerous goods whose id the law's table does not have: the list, and asking for one."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.doors.portals import moments
from parcelward.doors.portals.accounts import guard
from parcelward.doors.portals.confirming import done
from parcelward.doors.portals.two_people import LIST
from parcelward.parcels import actions, queries
from parcelward.parcels.hazmat.wire import Answer
from parcelward.people.queries import may
from parcelward.people.wire import Task

FIELDS: Final = {"un": 10, "answer": 20, "clause": 80, "source": 400, "from": 10, "reason": 200}
"""What is typed, and how long it may be."""


def _answers() -> dict[Answer, str]:
    return {
        Answer.REFUSE: _("It may not be posted"),
        Answer.HOLD: _("It is held until a person decides"),
        Answer.INSPECT: _("A person looks at the counter"),
        Answer.ACCEPT_GROUND_ONLY: _("It may go by road only"),
        Answer.ACCEPT: _("It may go by road and by air"),
    }


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def hazmat_rules(request: HttpRequest) -> HttpResponse:
    """Show the rules, and ask a second colleague for another one."""
    by = guard.person(request)
    if not may(by, Task.WRITE_HAZMAT_RULES):
        raise NotFound("There is nothing here to show.")
    typed = dict.fromkeys(FIELDS, "") | {"from": timezone.now().date().isoformat()}
    problem, status = "", 200
    if request.method == "POST":
        typed = {name: request.POST.get(name, "")[: longest + 1].strip() for name, longest in FIELDS.items()}
        try:
            actions.ask_for_hazmat_rule(
                typed["un"],
                _answer(typed["answer"]),
                clause=typed["clause"],
                source=typed["source"],
                valid_from=_day(typed["from"]),
                reason=typed["reason"],
                by=by,
            )
        except (Invalid, Conflict) as refused:
            problem, status = _(refused.message), refused.status
        else:
            return done(request, _("A second colleague must agree. Until then the id stays held."), LIST)
    words = _answers()
    context: dict[str, Any] = {
        "rules": [
            {"row": row, "answer": words[row.answer], "from": moments.day(row.valid_from)}
            for row in queries.hazmat_rules(by=by)
        ],
        "answers": [(answer.name.lower(), text) for answer, text in words.items()],
        "typed": typed,
        "problem": problem,
        "back": LIST,
    }
    return render(request, "tenants/hazmat_rules.html", context, status=status)


def _answer(text: str) -> Answer:
    found = next((one for one in Answer if one.name.lower() == text), None)
    if found is None:
        raise Invalid("Choose what may be done with it", code="bad_answer")
    return found


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid("Give the day from which the rule holds", code="bad_day") from None


urlpatterns = [path("app/desk/hazmat-rules", hazmat_rules, name="hazmat_rules")]
