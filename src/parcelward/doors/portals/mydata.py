"""My data: what is held, who looked, and what one may ask of it. One question a screen, and a proof before each."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base.errors import NotFound, ParcelwardError
from parcelward.base.vault import VaultToken
from parcelward.doors import own_data
from parcelward.doors.portals import mydata_words as words
from parcelward.doors.portals.accounts.guard import fresh_proof, who_finds
from parcelward.doors.throttle import allow
from parcelward.people import queries as who
from parcelward.people.wire import Level, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries
from parcelward.privacy.wire import Field, Purpose, Right, Subject

HOME: Final = "/app/my-data"
SAID: Final = "mydata_said"
"""Session key: what was just done, said once on the next page. No personal data."""
LOOKS_SHOWN_MAX: Final = 200
TRIES_PER_MINUTE: Final = own_data.DEEDS_PER_MINUTE


def _done(request: HttpRequest, said: str) -> HttpResponse:
    request.session[SAID] = said
    return HttpResponseRedirect(HOME)


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show what is held, masked; what was asked; and what can be asked."""
    person, now = who_finds(request, Task.OWN_DATA), timezone.now()
    kept = own_data.entries(person)
    masked = privacy.masked_many([each.token for each in kept], list(Field), by=person) if kept else {}
    entries = [
        {
            "title": words.entry_title(each.kind, each.fields),
            "values": [(words.field_name(f), masked[each.token][f]) for f in each.fields if each.token in masked],
            "made_at": each.made_at,
            "expires_at": each.expires_at,
        }
        for each in kept
    ]
    requests = [words.request_line(one, now=now) for one in queries.requests_of(by=person)]
    context = {
        "said": request.session.pop(SAID, ""),
        "entries": entries,
        "requests": [one for one in requests if one.asked.right not in {Right.EXPORT, Right.CORRECT}][:20],
        "looks": len(queries.looks(queries.of_account(person.id), by=person, limit=LOOKS_SHOWN_MAX)),
    }
    return render(request, "mydata/overview.html", context)


@fresh_proof
@require_safe
def held(request: HttpRequest) -> HttpResponse:
    """Show all that is held, in full. It is a look like any other, and stands in the trail as one's own."""
    person = who_finds(request, Task.OWN_DATA)
    kept = own_data.entries(person)
    shown = []
    tokens = [each.token for each in kept]
    with privacy.reveal_many(tokens, list(Field), purpose=Purpose.OWN_DATA, by=person, about="page") as opened:
        for each in kept:
            values = [(words.field_name(f), value.text) for f, value in opened.get(each.token, {}).items()]
            shown.append({"title": words.entry_title(each.kind, each.fields), "values": values, "kept": each})
    return render(request, "mydata/held.html", {"entries": shown})


@login_required
@never_cache
@require_safe
def looks(request: HttpRequest) -> HttpResponse:
    """Show who looked at one's data, in words."""
    person = who_finds(request, Task.OWN_DATA)
    rows = queries.looks(queries.of_account(person.id), by=person, limit=LOOKS_SHOWN_MAX)
    lines = [words.look_line(row, own_source=person.source) for row in rows]
    others = request.GET.get("others") == "1"
    context = {
        "lines": [line for line in lines if not (others and line.own)],
        "others": others,
        "full": len(rows) == LOOKS_SHOWN_MAX,
    }
    return render(request, "mydata/looks.html", context)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def correct(request: HttpRequest) -> HttpResponse:
    """Ask which entry, then for the right value, then whether it is meant; then write it."""
    person, post = who_finds(request, Task.OWN_DATA), request.POST
    kept = {each.token: each for each in own_data.entries(person)}
    masked = privacy.masked_many(list(kept), list(Field), by=person) if kept else {}
    choices = [
        (f"{token}:{part}", words.entry_title(each.kind, each.fields), _part_name(part), _line(masked[token], fields))
        for token, each in kept.items()
        for part, fields in own_data.PARTS.items()
        if token in masked and set(fields) & set(each.fields)
    ]
    chosen = next((one for one in choices if one[0] == post.get("what")), None)
    if chosen is None:
        problem = _("Choose what is wrong.") if request.method == "POST" else ""
        asked = {"choices": choices, "problem": problem}
        return render(request, "mydata/correct.html", asked, status=422 if problem else 200)
    raw, _sep, part = chosen[0].partition(":")
    token = VaultToken(UUID(raw))
    typed = {field: post.get(field.value, "").strip()[: own_data.TEXT_MAX] for field in own_data.PARTS[part]}
    empty = "typed" in post and not all(typed[field] for field in own_data.needed(typed))
    proven = any(one.token == token and one.level >= Level.ADDRESS for one in own_data.proven(person))
    context: dict[str, Any] = {
        "what": chosen[0],
        "part": part,
        "part_name": _part_name(part),
        "fields": [(f.value, words.field_name(f), typed[f], f is Field.ADDRESS) for f in own_data.PARTS[part]],
        "problem": _("Fill in every line.") if empty else "",
        "loses_proof": proven and part != "phone",
        "sure": "typed" in post and not empty and "change" not in post,
    }
    if context["sure"] and post.get("sure"):
        allow(request, "mydata", TRIES_PER_MINUTE)
        try:
            privacy.correct(token, typed, by=person)
        except ParcelwardError as refused:
            return render(
                request,
                "mydata/correct_type.html",
                {**context, "sure": False, "problem": _(refused.message)},
                status=422,
            )
        return _done(request, _("It is corrected, and the correction is on record."))
    return render(request, "mydata/correct_type.html", context, status=422 if empty else 200)


def _part_name(part: str) -> str:
    return {"name": _("Name"), "phone": _("Telephone number"), "address": _("Address")}[part]


def _line(masked: Any, fields: tuple[Field, ...]) -> str:
    return " ".join(masked[field] for field in fields if masked.get(field))


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def export(request: HttpRequest) -> HttpResponse:
    """Say what the download holds; then give it as one file."""
    person = who_finds(request, Task.OWN_DATA)
    if request.method != "POST":
        return render(request, "mydata/export.html", {})
    allow(request, "mydata", TRIES_PER_MINUTE)
    try:
        given = own_data.document(person)
    except ParcelwardError as refused:
        return render(request, "mydata/export.html", {"problem": _(refused.message)}, status=refused.status)
    answer = JsonResponse(given, json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return answer


def _ask(request: HttpRequest, name: str, context: dict[str, Any], deed: Any, said: str) -> HttpResponse:
    """Show a page that asks whether it is meant; do it when it is."""
    if request.method == "POST":
        allow(request, "mydata", TRIES_PER_MINUTE)
        try:
            deed()
        except ParcelwardError as refused:
            context = {**context, "problem": _(refused.message)}
            return render(request, f"mydata/{name}.html", context, status=refused.status)
        return _done(request, said)
    return render(request, f"mydata/{name}.html", context)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def restrict(request: HttpRequest) -> HttpResponse:
    """Have one's data left alone."""
    person = who_finds(request, Task.OWN_DATA)
    said = _("Your data is left alone from now on.")
    return _ask(request, "restrict", {}, lambda: privacy.restrict(by=person), said)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def object_to(request: HttpRequest) -> HttpResponse:
    """Object to one use of one's data."""
    person = who_finds(request, Task.OWN_DATA)
    offered = [(one.value, words.subject_name(one), words.subject_says(one)) for one in Subject if one]
    wanted = request.POST.get("subject", "")
    if request.method == "POST" and wanted not in {one[0] for one in offered}:
        context = {"subjects": offered, "problem": _("Choose what you object to.")}
        return render(request, "mydata/object.html", context, status=422)
    said = _("Your objection is noted. You find the answer here within 30 days.")
    return _ask(request, "object", {"subjects": offered}, lambda: privacy.object_to(Subject(wanted), by=person), said)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest) -> HttpResponse:
    """Ask that everything be erased, after a last look at what that means."""
    person = who_finds(request, Task.OWN_DATA)
    holds = queries.holds_on(person.id, by=person)
    context = {"hold_says": words.hold_says(holds), "roles": who.memberships(by=person)}
    if request.method == "POST" and request.POST.get("sure") != "yes":
        problem = _("Tick the box if you want everything to be erased.")
        return render(request, "mydata/erase.html", {**context, "problem": problem}, status=422)
    said = _("Your request is noted. You find the answer here within 30 days.")
    return _ask(request, "erase", context, lambda: privacy.ask_erasure(by=person, strong=own_data.strong(person)), said)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Call a request off, or end what is in force."""
    person = who_finds(request, Task.OWN_DATA)
    asked = queries.request(request_id, by=person)
    if asked.account != person.id:
        raise NotFound("No such request")
    line = words.request_line(asked, now=timezone.now())
    return _ask(
        request, "end", {"line": line}, lambda: privacy.withdraw_request(request_id, by=person), _("It is ended.")
    )


@never_cache
@require_safe
def erased(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Say to whoever has the number what is left of an account that was erased, and why. No sign-in is left to ask."""
    allow(request, "erased", TRIES_PER_MINUTE)
    asked = queries.what_is_left(request_id)
    line = words.request_line(asked, now=timezone.now())
    return render(request, "mydata/erased.html", {"asked": asked, "line": line, "done": asked.state.value == "done"})


urlpatterns = [
    path("app/my-data", overview, name="my_data"),
    path("app/my-data/held", held, name="my_data_held"),
    path("app/my-data/looks", looks, name="my_data_looks"),
    path("app/my-data/correct", correct, name="my_data_correct"),
    path("app/my-data/export", export, name="my_data_export"),
    path("app/my-data/restrict", restrict, name="my_data_restrict"),
    path("app/my-data/object", object_to, name="my_data_object"),
    path("app/my-data/erase", erase, name="my_data_erase"),
    path("app/my-data/requests/<uuid:request_id>/end", end, name="my_data_end"),
    path("my-data/erased/<uuid:request_id>", erased, name="my_data_erased"),
]
