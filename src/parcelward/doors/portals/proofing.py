"""Proving who one is: one's level, a letter with a code, a barcode for the counter. One question a screen."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base.errors import Conflict, NotFound, TooMany
from parcelward.base.vault import VaultToken
from parcelward.doors.portals import proofing_words as words
from parcelward.doors.portals.accounts.guard import who_finds
from parcelward.doors.portals.codes_drawn import code128_svg
from parcelward.doors.portals.proofing_address import ADDRESS, NAME, Typed, known
from parcelward.doors.throttle import allow
from parcelward.people import actions as people
from parcelward.people import proofing
from parcelward.people.errors import BadCode
from parcelward.people.wire import CounterState, LetterState, Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy.errors import NotInVault

HOME: Final = "/app/proofing"
SAID: Final = "proofing_said"
"""Session key: what was just done, said once on the next page. No personal data."""
TRIES_PER_MINUTE: Final = 10
CODE_LENGTH_MAX: Final = 40
LETTER_OPEN: Final = frozenset({LetterState.REQUESTED, LetterState.PRINTED})
CHECK_OPEN: Final = frozenset({CounterState.PENDING, CounterState.IN_FRAUD_REVIEW})


def _done(request: HttpRequest, said: str, to: str = HOME) -> HttpResponse:
    request.session[SAID] = said
    return HttpResponseRedirect(to)


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show the level in words, what each opens, and what is under way."""
    person, now = who_finds(request, Task.PROVE_SELF), timezone.now()
    mine = proofing.mine(by=person, now=now)
    context = {
        "said": request.session.pop(SAID, ""),
        "headline": words.headline(mine.level),
        "levels": words.levels(mine.level),
        "letter": mine.letter,
        "letter_words": words.letter(mine.letter.state) if mine.letter else "",
        "letter_open": mine.letter is not None and mine.letter.state in LETTER_OPEN,
        "letter_printed": mine.letter is not None and mine.letter.state is LetterState.PRINTED,
        "check": mine.check,
        "check_words": words.check(mine.check.state) if mine.check else "",
        "check_open": mine.check is not None and mine.check.state in CHECK_OPEN,
        "check_pending": mine.check is not None and mine.check.state is CounterState.PENDING,
        "told": mine.told,
    }
    return render(request, "proofing/overview.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def letter(request: HttpRequest) -> HttpResponse:
    """Ask for a letter: name, address, and a last look before it goes out."""
    person, now = who_finds(request, Task.PROVE_SELF), timezone.now()
    mine = proofing.mine(by=person, now=now)
    if mine.letter and mine.letter.state in LETTER_OPEN:
        return _done(request, _("A letter is under way already."))
    try:
        proofing.require_may_ask(by=person, now=now)
    except TooMany as refused:
        return _done(request, _(refused.message))
    return _asked(request, person, "letter")


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def counter(request: HttpRequest) -> HttpResponse:
    """Begin a check at the counter: name and address as on the document, and a last look."""
    person, now = who_finds(request, Task.PROVE_SELF), timezone.now()
    mine = proofing.mine(by=person, now=now)
    if mine.check and mine.check.state in CHECK_OPEN:
        return _done(request, _("A check at the counter is under way already."))
    try:
        proofing.require_may_begin(by=person, now=now)
    except TooMany as refused:
        return _done(request, _(refused.message))
    return _asked(request, person, "counter")


def _asked(request: HttpRequest, person: Person, what: str) -> HttpResponse:
    """Ask one question after the other; what was typed travels with the form and is stored when all of it is right."""
    typed = Typed.parse(request.POST)
    if request.method == "POST":
        allow(request, "proofing", TRIES_PER_MINUTE * 3)
    step, problems = _step(request, typed)
    if step == "done":
        return _begun(request, person, what, typed)
    context = {"what": what, "step": step, "typed": typed.values, "problems": problems}
    return render(request, "proofing/ask.html", context, status=422 if problems else 200)


def _step(request: HttpRequest, typed: Typed) -> tuple[str, dict[str, str]]:
    """Return which question comes next, and what is wrong with its answer."""
    went, change = request.POST.get("went", ""), request.POST.get("change", "")
    if change in {"name", "address"}:
        return change, {}
    after = {"name": "address", "address": "check", "check": "done"}
    if went not in after:
        return "name", {}
    for name, fields in (("name", NAME), ("address", ADDRESS)):
        problems = typed.problems(fields)
        if problems:
            return name, problems
        if went == name:
            break
    return after[went], {}


def _begun(request: HttpRequest, person: Person, what: str, typed: Typed) -> HttpResponse:
    now = timezone.now()
    token = typed.put(owner=person, now=now)
    try:
        if what == "counter":
            proofing.start_check(token, by=person, now=now)
            return HttpResponseRedirect(f"{HOME}/counter/barcode")
        asked = proofing.request_letter(token, same=typed.same_address(about=str(token)), by=person, now=now)
    except (Conflict, TooMany) as refused:
        return _done(request, _(refused.message))
    for each in asked.notify:
        with contextlib.suppress(NotInVault):  # whoever erased their data is told no more
            privacy.send(each, "letter_asked", {}, by=people.machinery(), now=now)
    return _done(request, _("Your letter is asked for. It comes by post; the code in it holds for 30 days."))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Take the code from the letter."""
    person, now = who_finds(request, Task.PROVE_SELF), timezone.now()
    mine = proofing.mine(by=person, now=now)
    if mine.letter is None or mine.letter.state not in {LetterState.PRINTED, LetterState.CONFIRMED}:
        return _done(request, _("No letter with a code is on its way to you."))
    problem = ""
    if request.method == "POST":
        allow(request, "proofing_code", TRIES_PER_MINUTE)
        typed = request.POST.get("code", "")[:CODE_LENGTH_MAX]
        problem = _confirmed(typed, person, mine.letter.token)
        if not problem:
            return _done(request, _("Your address is proven."))
    return render(request, "proofing/code.html", {"problem": problem}, status=422 if problem else 200)


def _confirmed(typed: str, person: Person, token: VaultToken) -> str:
    """Try a code; return what is wrong with it, if anything."""
    if not typed.strip():
        return _("Enter the code from the letter.")
    try:
        proofing.confirm_letter(typed, by=person, now=timezone.now())
    except BadCode as refused:
        return _(refused.message)
    known(token)
    return ""


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, what: str) -> HttpResponse:
    """Ask once more, then give up a letter or a check."""
    person, now = who_finds(request, Task.PROVE_SELF), timezone.now()
    if request.method == "POST":
        if what == "letter":
            proofing.cancel_letter(by=person, now=now)
            return _done(request, _("Your letter is cancelled. If it still comes, throw it away."))
        proofing.cancel_check(by=person, now=now)
        return _done(request, _("The check at the counter is cancelled."))
    return render(request, "proofing/cancel.html", {"what": what})


def _pending(person: Person) -> proofing.Check:
    check = proofing.mine(by=person, now=timezone.now()).check
    if check is None or check.state is not CounterState.PENDING:
        raise NotFound("There is nothing here to show.")
    return check


@login_required
@never_cache
@require_safe
def barcode(request: HttpRequest) -> HttpResponse:
    """Show the barcode, until when it holds, and what to bring."""
    check = _pending(who_finds(request, Task.PROVE_SELF))
    context: dict[str, Any] = {"check": check, "reference": f"{check.reference[:5]} {check.reference[5:]}"}
    return render(request, "proofing/barcode.html", context)


@login_required
@never_cache
@require_safe
def barcode_picture(request: HttpRequest) -> HttpResponse:
    """Draw one's own barcode."""
    check = _pending(who_finds(request, Task.PROVE_SELF))
    return HttpResponse(code128_svg(check.reference), content_type="image/svg+xml")


urlpatterns = [
    path("app/proofing", overview, name="proofing"),
    path("app/proofing/letter", letter, name="proofing_letter"),
    path("app/proofing/letter/code", code, name="proofing_code"),
    path("app/proofing/letter/cancel", cancel, {"what": "letter"}, name="proofing_letter_cancel"),
    path("app/proofing/counter", counter, name="proofing_counter"),
    path("app/proofing/counter/barcode", barcode, name="proofing_barcode"),
    path("app/proofing/counter/barcode.svg", barcode_picture, name="proofing_barcode_picture"),
    path("app/proofing/counter/cancel", cancel, {"what": "counter"}, name="proofing_counter_cancel"),
]
