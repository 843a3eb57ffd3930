"""Models of fraud at the desk: what each was learnt from, how good it is, which one scores; letting one score."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base.errors import NotFound
from parcelward.doors.portals import confirming
from parcelward.doors.portals.accounts.guard import fresh_proof, who_may
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.risk import actions, queries
from parcelward.risk.wire import ModelSeen, ModelStage

HOME: Final = "/app/rules/models"
STAGES: Final = {
    ModelStage.CHAMPION: gettext_lazy("Scores every order"),
    ModelStage.CHALLENGER: gettext_lazy("Learnt, scores nothing"),
    ModelStage.RETIRED: gettext_lazy("Retired"),
}
assert STAGES.keys() == set(ModelStage), "every stage has its words"  # noqa: S101 -- a hole must stop the start


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List the models, the newest first."""
    person = who_may(request, Task.READ_DECISIONS)
    rows = queries.models(by=person)
    names = who.source_names({row.moved_by for row in rows if row.moved_by is not None})
    context = {
        "lines": [_line(row, names) for row in rows],
        "scores": any(row.stage is ModelStage.CHAMPION for row in rows),
        "may_choose": who.may(person, Task.CHOOSE_MODEL),
        "said": confirming.said_once(request),
    }
    return render(request, "rules/models.html", context)


def _line(row: ModelSeen, names: dict[int, str]) -> dict[str, Any]:
    measured, against = row.card.get("measured", {}), row.card.get("against")
    return {
        "one": row,
        "name": row.digest[:12],
        "stage": STAGES[row.stage],
        "by": names.get(row.moved_by or 0, ""),
        "orders": row.card.get("learnt", {}).get("rows", 0),
        "frauds": row.card.get("learnt", {}).get("frauds", 0),
        "measured": measured,
        "from": _moment(measured.get("from")),
        "until": _moment(measured.get("until")),
        "precision": _share(measured.get("average_precision")),
        "auc": _share(measured.get("auc")),
        "error": _share(measured.get("calibration_error")),
        "champion": "" if not against else _share(against["champion"]),
        "chooses": row.stage is ModelStage.CHALLENGER and row.no_worse,
    }


def _moment(micros: int | None) -> dt.datetime | None:
    return None if micros is None else dt.datetime.fromtimestamp(micros / 1_000_000, dt.UTC)


def _share(number: float | None) -> str:
    return "" if number is None else f"{number:.3f}"


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def choose(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Let a challenger score every order, once it was confirmed."""
    person, row = _one(request, model_id)
    if row.stage is not ModelStage.CHALLENGER:
        raise NotFound("There is nothing here to show.")
    question = confirming.Question(
        title=_("Let this model score every order?"),
        words=(
            _("Rules may ask about its score; by itself it decides nothing."),
            _("A model that scores now is retired."),
        ),
        button=_("Let it score"),
        back=HOME,
        about=((_("Model"), row.digest[:12]),),
    )
    return confirming.confirmed(
        request, question, lambda _reason: actions.choose_model(model_id, by=person), said=_("It scores."), to=HOME
    )


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def retire(request: HttpRequest, model_id: UUID) -> HttpResponse:
    """Take a model away, once it was confirmed: rules decide without it."""
    person, row = _one(request, model_id)
    if row.stage is ModelStage.RETIRED:
        raise NotFound("There is nothing here to show.")
    question = confirming.Question(
        title=_("Retire this model?"),
        words=(_("Rules that ask for its score are silent then. All others go on."),),
        button=_("Retire it"),
        back=HOME,
        warns=True,
        about=((_("Model"), row.digest[:12]),),
    )
    return confirming.confirmed(
        request, question, lambda _reason: actions.retire_model(model_id, by=person), said=_("It is retired."), to=HOME
    )


def _one(request: HttpRequest, model_id: UUID) -> tuple[Person, ModelSeen]:
    person = who_may(request, Task.CHOOSE_MODEL)
    row = next((one for one in queries.models(by=person) if one.id == model_id), None)
    if row is None:
        raise NotFound("There is nothing here to show.")
    return person, row


urlpatterns = [
    path("app/rules/models", overview, name="fraud_models"),
    path("app/rules/models/<uuid:model_id>/choose", choose, name="choose_model"),
    path("app/rules/models/<uuid:model_id>/retire", retire, name="retire_model"),
]
