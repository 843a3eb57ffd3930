"""Rules of risk at the desk: which there are and how often each speaks, writing one, trying it, letting two people act.

What is asked and refused is in the room (risk/actions); here are only screens. What takes two people is agreed to where
everything is that does (two_people.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.doors.portals import confirming, rules_words
from parcelward.doors.portals.accounts.guard import fresh_proof, who_may
from parcelward.people import queries as who
from parcelward.people.wire import Task
from parcelward.risk import actions, queries
from parcelward.risk.wire import Answer, RuleSeen, Tried, Wrong

HOME: Final = "/app/rules"
CODE_MAX: Final = 40
ACTS, SHADOW, DRAFT, RETIRED = "active", "shadow", "draft", "retired"


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List every rule, those that act first, with how often each spoke."""
    person = who_may(request, Task.READ_DECISIONS)
    rows = queries.rules(by=person)
    names = _names(rows)
    groups = [
        {
            "name": rules_words.STAGES[stage],
            "key": stage,
            "lines": [_line(row, names) for row in rows if row.stage == stage],
        }
        for stage in (ACTS, SHADOW, DRAFT, RETIRED)
    ]
    context = {
        "groups": groups,
        "days": queries.HITS_DAYS,
        "may_write": who.may(person, Task.WRITE_RULES),
        "snoozes": len(queries.snoozes(by=person)),
        "said": confirming.said_once(request),
    }
    return render(request, "rules/overview.html", context)


def _names(rows: Iterable[RuleSeen]) -> dict[int, str]:
    return who.source_names({number for row in rows for number in (row.written_by, row.approved_by) if number})


def _line(row: RuleSeen, names: dict[int, str]) -> dict[str, Any]:
    return {
        "one": row,
        "words": _(row.words) if row.written_by == 0 else row.words,
        "answer": rules_words.ANSWERS[row.answer],
        "by": names.get(row.written_by, "") if row.written_by else _("shipped"),
        "approved": names.get(row.approved_by, "") if row.approved_by else "",
    }


@login_required
@never_cache
@require_safe
def one(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Show one version of a rule: what it asks, who let it act, and what can be done with it."""
    return _one(request, queries.rule(version_id, by=who_may(request, Task.READ_DECISIONS)))


def _one(request: HttpRequest, row: RuleSeen, *, tried: Tried | None = None) -> HttpResponse:
    person = who_may(request, Task.READ_DECISIONS)
    moves = queries.rule_moves(row.id, by=person)
    names = _names([row]) | who.source_names({move.by for move in moves})
    said = [{"words": rules_words.STAGES[move.stage], "by": names.get(move.by, ""), "at": move.at} for move in moves]
    context = {
        "line": _line(row, names),
        "read_back": queries.read_back(row.text),
        "stage": rules_words.STAGES[row.stage],
        "moves": said,
        "days": queries.HITS_DAYS,
        "may_write": who.may(person, Task.WRITE_RULES),
        "may_activate": who.may(person, Task.ACTIVATE_RULE),
        "may_snooze": who.may(person, Task.SNOOZE_RULE),
        "tried": None if tried is None else _tried(tried, row.answer),
        "said": confirming.said_once(request),
    }
    return render(request, "rules/one.html", context)


def _tried(found: Tried, answer: Answer) -> dict[str, Any]:
    """Return the sentence about a rule that was tried, and the numbers below it."""
    share = 100 * found.stopped / found.orders if found.orders else 0.0
    return {
        "words": queries.tried_words(found, answer)
        if found.orders
        else _("There are no past orders to try it on yet."),
        "orders": found.orders,
        "share": f"{share:.1f}",
        "disputed": found.disputed,
        "missed": found.disputed - found.stopped_disputed,
        "alone": found.stopped_alone,
    }


@login_required
@never_cache
@require_POST
def try_it(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Try a version on the past, and show what it would have done."""
    person = who_may(request, Task.WRITE_RULES)
    row = queries.rule(version_id, by=person)
    return _one(request, row, tried=actions.try_rule(version_id, by=person))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    """Write a rule, or the next version of one; try the text first, or keep it as a draft."""
    person, post = who_may(request, Task.WRITE_RULES), request.POST
    typed = {"code": "", "text": "", "words": "", "answer": Answer.REVIEW.value}
    after = request.GET.get("after", "")[:CODE_MAX]
    if request.method != "POST":
        known = [row for row in queries.rules(by=person) if row.rule == after]
        if known:
            typed = {"code": after, "text": known[-1].text, "words": known[-1].words, "answer": known[-1].answer.value}
        elif request.GET.get("text"):  # a step that follows from stated costs
            answer = request.GET.get("answer", "")
            typed |= {"text": request.GET["text"][: queries.RULE_TEXT_MAX], "answer": answer or typed["answer"]}
        return _form(request, typed, after=after if known else "")
    typed["code"] = (after or post.get("code", "").strip())[: CODE_MAX + 1]
    typed["text"] = post.get("text", "").replace("\r\n", "\n")[: queries.RULE_TEXT_MAX + 1]
    typed["words"] = post.get("words", "").strip()[: queries.RULE_WORDS_MAX + 1]
    typed["answer"] = post.get("answer", "")
    wrong = queries.wrong_with(typed["text"])
    if wrong:
        return _form(request, typed, after=after, wrong=wrong, status=Invalid.status)
    answer = next((one for one in rules_words.ANSWERS if one.value == typed["answer"]), Answer.REVIEW)
    if post.get("do") == "try":
        found = actions.try_text(typed["code"], typed["text"], by=person)
        return _form(request, typed, after=after, tried=_tried(found, answer))
    try:
        made = actions.write_rule(typed["code"], typed["text"], answer, typed["words"], by=person)
    except (Invalid, Conflict) as refused:
        return _form(request, typed, after=after, problem=_(refused.message), status=refused.status)
    return confirming.done(request, _("It is kept as a draft. Nobody's order is asked about it yet."), f"{HOME}/{made}")


def _form(
    request: HttpRequest,
    typed: dict[str, str],
    *,
    after: str,
    wrong: tuple[Wrong, ...] = (),
    problem: str = "",
    tried: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "typed": typed,
        "after": after,
        "wrong": wrong,
        "parts": list(_marked(typed["text"], wrong)),
        "problem": problem,
        "tried": tried,
        "read_back": queries.read_back(typed["text"]) if tried else "",
        "answers": [(one.value, words) for one, words in rules_words.ANSWERS.items() if one is not Answer.ALLOW],
        "fields": queries.fields(),
        "text_max": queries.RULE_TEXT_MAX,
        "words_max": queries.RULE_WORDS_MAX,
        "code_max": CODE_MAX,
    }
    return render(request, "rules/form.html", context, status=status)


def _marked(text: str, wrong: Iterable[Wrong]) -> Iterator[tuple[str, int]]:
    """Yield a text in its parts, each with the number of what is wrong there; 0 for what is right."""
    at = 0
    for nth, found in enumerate(wrong, 1):
        start, end = max(found.start, at), max(found.end, at)
        if start > at:
            yield text[at:start], 0
        yield text[start:end] or "…", nth
        at = end
    if at < len(text):
        yield text[at:], 0


@login_required
@never_cache
@require_POST
def watch(request: HttpRequest, version_id: UUID, to: str) -> HttpResponse:
    """Bring a draft into shadow, or take it out again: neither changes what is decided."""
    person = who_may(request, Task.WRITE_RULES)
    row = queries.rule(version_id, by=person)
    if row.stage not in {DRAFT, SHADOW}:
        raise NotFound("There is nothing here to show.")
    try:
        actions.move_rule(version_id, queries.Stage(to), by=person)
    except Conflict as refused:
        return confirming.done(request, _(refused.message), f"{HOME}/{version_id}")
    said = {
        SHADOW: _("It is in shadow: what it says is counted, and changes nothing."),
        DRAFT: _("It is a draft again: nobody's order is asked about it."),
    }
    return confirming.done(request, said[to], f"{HOME}/{version_id}")


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def take_back(request: HttpRequest, version_id: UUID, to: str) -> HttpResponse:
    """Take a rule back, once it was confirmed: into shadow, or for good. One person is enough."""
    person = who_may(request, Task.WRITE_RULES)
    row = queries.rule(version_id, by=person)
    if row.stage == RETIRED or (to == SHADOW and row.stage != ACTS):
        raise NotFound("There is nothing here to show.")
    for_good = to == RETIRED
    question = confirming.Question(
        title=_("Retire this rule?") if for_good else _("Let this rule only watch?"),
        words=(
            _("From now on no order is asked about it. It stays in the list, and can be written anew."),
            _("Orders that it stopped stay as they are."),
        )
        if for_good
        else (_("It stops nothing any more. What it would have said is still counted."),),
        button=_("Retire it") if for_good else _("Let it only watch"),
        back=f"{HOME}/{version_id}",
        warns=True,
        about=((_("Rule"), f"{row.rule} {row.number}"), (_("What the sender reads"), _line(row, {})["words"])),
    )
    said = _("It is retired.") if for_good else _("It only watches now.")
    return confirming.confirmed(
        request,
        question,
        lambda _reason: actions.move_rule(version_id, queries.Stage(to), by=person),
        said=said,
        to=f"{HOME}/{version_id}",
    )


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def activate(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """Ask a second person to let a version act that was in shadow, with what it would have done to past orders."""
    person = who_may(request, Task.ACTIVATE_RULE)
    row = queries.rule(version_id, by=person)
    if row.stage != SHADOW or row.request is not None:
        raise NotFound("There is nothing here to show.")
    reason, problem, code, status = "", "", "", 200
    if request.method == "POST":
        reason = request.POST.get("reason", "").strip()[: queries.REASON_MAX + 1]
        many = request.POST.get("many") == "yes"
        try:
            actions.ask_to_activate(version_id, reason, many_are_meant=many, by=person)
        except (Invalid, Conflict) as refused:
            problem, code, status = _(refused.message), refused.code, refused.status
        else:
            words = _("Asked: a second person, who did not write it, agrees on the list of what takes two people.")
            return confirming.done(request, words, f"{HOME}/{version_id}")
    context = {
        "line": _line(row, _names([row])),
        "reason": reason,
        "reason_max": queries.REASON_MAX,
        "problem": problem,
        "many": code == "stops_many",
        "days": queries.HITS_DAYS,
    }
    return render(request, "rules/activate.html", context, status=status)


urlpatterns = [
    path("app/rules", overview, name="rules"),
    path("app/rules/new", write, name="write_rule"),
    path("app/rules/<uuid:version_id>", one, name="rule"),
    path("app/rules/<uuid:version_id>/try", try_it, name="try_rule"),
    path("app/rules/<uuid:version_id>/shadow", watch, {"to": SHADOW}, name="rule_in_shadow"),
    path("app/rules/<uuid:version_id>/draft", watch, {"to": DRAFT}, name="rule_as_draft"),
    path("app/rules/<uuid:version_id>/only-watch", take_back, {"to": SHADOW}, name="rule_only_watches"),
    path("app/rules/<uuid:version_id>/retire", take_back, {"to": RETIRED}, name="retire_rule"),
    path("app/rules/<uuid:version_id>/activate", activate, name="activate_rule"),
]
