"""The counter's side: letters to print, a barcode to scan, a document to check; and the inspector's reviews.

Lists show masked values. The clear ones are opened by a press of a button, for one person, and stay in their trail.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcelward.base.errors import Conflict, NotFound
from parcelward.base.vault import VaultToken
from parcelward.doors.portals import proofing_letter
from parcelward.doors.portals import proofing_words as words
from parcelward.doors.portals.accounts.guard import who_finds
from parcelward.doors.portals.proofing_address import PLACE, known
from parcelward.people import proofing
from parcelward.people.queries import source_names
from parcelward.people.wire import CounterState, Document, Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Purpose

HOME: Final = "/app/counter/proofing"
REVIEWS: Final = "/app/reviews/proofing"
SAID: Final = "counter_said"
ROWS_MAX: Final = 50
TYPED_LENGTH_MAX: Final = 40
LAST_CHARS_MAX: Final = 4
LISTED: Final = (Field.NAME, Field.POSTCODE, Field.LOCALITY)
SEEN: Final = ("face", "name", "address", "holds", "whole")
BY_CLERK: Final = (CounterState.PASSED, CounterState.FAILED, CounterState.IN_FRAUD_REVIEW)
BY_INSPECTOR: Final = (CounterState.PASSED, CounterState.FAILED)


def _done(request: HttpRequest, said: str, to: str = HOME) -> HttpResponse:
    request.session[SAID] = said
    return HttpResponseRedirect(to)


def _masked(tokens: Collection[VaultToken], person: Person) -> dict[VaultToken, str]:
    """Return each person's line in a list; who was shredded meanwhile has an empty one."""
    kept = privacy.masked_many(set(tokens), LISTED, by=person) if tokens else {}
    lines = {token: ", ".join(values[f] for f in LISTED if f in values) for token, values in kept.items()}
    return {token: lines.get(token, "") for token in tokens}


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def queue(request: HttpRequest) -> HttpResponse:
    """Show the field for the barcode and the letters that wait; a reference leads to its check."""
    person, now, problem = who_finds(request, Task.PROVE_OTHERS), timezone.now(), ""
    typed = request.POST.get("reference", "")[:TYPED_LENGTH_MAX].strip()
    if request.method == "POST":
        try:
            found = proofing.find_check(typed, by=person, now=now)
        except NotFound as refused:
            problem = _(refused.message) if typed else _("Scan the barcode, or type the ten characters below it.")
        else:
            return HttpResponseRedirect(f"{HOME}/{found.check_id}")
    waiting = proofing.letters_to_print(by=person, now=now, limit=ROWS_MAX)
    printed = proofing.letters_printed(by=person, now=now, limit=ROWS_MAX)
    lines = _masked([each.token for each in (*waiting, *printed)], person)
    context = {
        "said": request.session.pop(SAID, ""),
        "problem": problem,
        "typed": typed,
        "waiting": [(each, lines[each.token]) for each in waiting],
        "printed": [(each, lines[each.token]) for each in printed],
    }
    return render(request, "proofing/queue.html", context, status=422 if problem else 200)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def print_letter(request: HttpRequest, letter_id: UUID) -> HttpResponse:
    """Ask before a second printing; give the letter as PDF. The address is opened for this moment only."""
    person, now = who_finds(request, Task.PROVE_OTHERS), timezone.now()
    letter = proofing.letter_to_print(letter_id, by=person, now=now)
    if request.method != "POST":
        return render(request, "proofing/print_again.html", {"letter": letter})
    if letter.printed and not request.POST.get("again"):  # somebody was quicker, or the button was pressed twice
        return HttpResponseRedirect(f"/app/counter/letters/{letter_id}/print")
    fields = (Field.NAME, *PLACE)
    with privacy.reveal(letter.token, fields, purpose=Purpose.LETTER, by=person, about=str(letter_id)) as opened:
        paper = proofing_letter.pdf(proofing.print_letter(letter_id, by=person, now=now), opened)
    response = HttpResponse(paper, content_type="application/pdf")
    response["Content-Disposition"] = 'inline; filename="letter.pdf"'
    return response


@login_required
@never_cache
@require_safe
def one(request: HttpRequest, check_id: UUID) -> HttpResponse:
    """Show the check, masked, and what the clerk is about to do."""
    person = who_finds(request, Task.PROVE_OTHERS)
    check = proofing.waiting_check(check_id, by=person, now=timezone.now())
    return render(request, "proofing/one.html", {"check": check, "line": _masked([check.token], person)[check.token]})


@login_required
@never_cache
@require_POST
def check(request: HttpRequest, check_id: UUID) -> HttpResponse:
    """Open the data, ask what was seen, have it confirmed, note it."""
    person, now = who_finds(request, Task.PROVE_OTHERS), timezone.now()
    given = _given(request)
    if "went" in request.POST and not given["problems"]:
        if not request.POST.get("sure"):
            proofing.waiting_check(check_id, by=person, now=now)
            return render(request, "proofing/sure.html", {**given, "back": f"{HOME}/{check_id}", "by_clerk": True})
        return _decided(request, check_id, given, person)
    found = proofing.waiting_check(check_id, by=person, now=now)
    fields = (Field.NAME, *PLACE)
    with privacy.reveal(found.token, fields, purpose=Purpose.COUNTER, by=person, about=str(check_id)) as opened:
        context = {
            **given,
            "problems": given["problems"] if "went" in request.POST else {},
            "check": found,
            "name": opened[Field.NAME].text if Field.NAME in opened else "",
            "lines": [line for f in PLACE if f in opened for line in opened[f].text.splitlines()],
            "documents": [(kind.value, words.document(kind)) for kind in Document],
            "decisions": [(state.value, words.decision(state)) for state in BY_CLERK],
        }
        return render(request, "proofing/check.html", context, status=422 if context["problems"] else 200)


def _given(request: HttpRequest) -> dict[str, Any]:
    """Read the clerk's form, and what is wrong with it."""
    post, problems = request.POST, {}
    decision, document = post.get("decision", ""), post.get("document", "")
    last = "".join(post.get("last", "").split())
    seen = [name for name in SEEN if post.get(name)]
    if decision not in [state.value for state in BY_CLERK]:
        problems["decision"] = _("Say what you decide.")
    if document not in {kind.value for kind in Document} and (document or decision == CounterState.PASSED):
        problems["document"] = _("Say which document you saw.")
    if decision == CounterState.PASSED and len(seen) < len(SEEN):
        problems["face"] = _("Who passes has all of this. Otherwise choose another decision.")
    if len(last) > LAST_CHARS_MAX or not (last.isascii() and (last == "" or last.isalnum())):
        problems["last"] = _("At most the last four letters or digits. Never the whole number.")
        last = ""
    said = words.decision(CounterState(decision)) if "decision" not in problems else ""
    return {
        "decision": decision,
        "decision_words": said,
        "document": document,
        "document_words": words.document(Document(document)) if document and "document" not in problems else "",
        "last": last,
        "seen": seen,
        "problems": problems,
    }


def _decided(request: HttpRequest, check_id: UUID, given: dict[str, Any], person: Person) -> HttpResponse:
    document = Document(given["document"]) if given["document"] else None
    try:
        done = proofing.decide_check(check_id, CounterState(given["decision"]), document, by=person, now=timezone.now())
    except Conflict as refused:
        return _done(request, _(refused.message))
    if given["last"] and document is not None:
        privacy.change(done.token, {Field.DOCUMENT: f"{document.value} {given['last']}"}, by=person)
    if done.state is CounterState.PASSED:
        known(done.token)
    return _done(request, _("Noted. The person is told in an hour, on their own page; you need not say anything."))


@login_required
@never_cache
@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """Show the checks where something is wrong."""
    person = who_finds(request, Task.REVIEW_PROOFS)
    rows = proofing.checks_in_review(by=person, now=timezone.now(), limit=ROWS_MAX)
    lines = _masked([each.token for each in rows], person)
    context = {"said": request.session.pop(SAID, ""), "rows": [(each, lines[each.token]) for each in rows]}
    return render(request, "proofing/reviews.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, check_id: UUID) -> HttpResponse:
    """Show one check in review; open its data when asked; have the decision confirmed, and note it."""
    person, now = who_finds(request, Task.REVIEW_PROOFS), timezone.now()
    found = proofing.check_in_review(check_id, by=person, now=now)
    wanted, problem = request.POST.get("decision", ""), ""
    if "went" in request.POST:
        if wanted not in [state.value for state in BY_INSPECTOR]:
            problem = _("Say what you decide.")
        elif not request.POST.get("sure"):
            said = words.decision(CounterState(wanted))
            asked = {"decision": wanted, "decision_words": said, "back": f"{REVIEWS}/{check_id}"}
            return render(request, "proofing/sure.html", asked)
        else:
            done = proofing.review_check(check_id, CounterState(wanted), by=person, now=now)
            if done.state is CounterState.PASSED:
                known(done.token)
            return _done(request, _("Noted. The person reads it on their own page."), REVIEWS)
    names = source_names([found.source]) if found.source else {}
    context: dict[str, Any] = {
        "check": found,
        "clerk": names.get(found.source or 0, ""),
        "document": words.document(Document(found.document)) if found.document else "",
        "line": _masked([found.token], person)[found.token],
        "decisions": [(state.value, words.decision(state)) for state in BY_INSPECTOR],
        "problem": problem,
    }
    if "open" in request.POST:
        fields = (Field.NAME, *PLACE)
        with privacy.reveal(
            found.token, fields, purpose=Purpose.INVESTIGATION, by=person, about=str(check_id)
        ) as opened:
            context["lines"] = [line for f in fields if f in opened for line in opened[f].text.splitlines()]
            return render(request, "proofing/review.html", context)
    return render(request, "proofing/review.html", context, status=422 if problem else 200)


urlpatterns = [
    path("app/counter/proofing", queue, name="counter_proofing"),
    path("app/counter/proofing/<uuid:check_id>", one, name="counter_proofing_one"),
    path("app/counter/proofing/<uuid:check_id>/check", check, name="counter_proofing_check"),
    path("app/counter/letters/<uuid:letter_id>/print", print_letter, name="counter_letter_print"),
    path("app/reviews/proofing", reviews, name="proof_reviews"),
    path("app/reviews/proofing/<uuid:check_id>", review, name="proof_review"),
]
