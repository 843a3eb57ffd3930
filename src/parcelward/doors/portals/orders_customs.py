"""What customs needs to know of a parcel that leaves: its form, tariff codes by words, and the CN 22 or CN 23."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcelward.base.standards.addresses import tables
from parcelward.doors.portals import confirming, customs_form, customs_words, orders_new, orders_shown
from parcelward.doors.portals.customs_form import Typed
from parcelward.doors.portals.orders_shown import Choice
from parcelward.shipping import actions
from parcelward.shipping.actions import Declared
from parcelward.shipping.customs import paper, rules
from parcelward.shipping.customs.hs import suggest, words_of
from parcelward.shipping.customs.wire import LINES_MAX
from parcelward.shipping.errors import NotNow

DO_MAX: Final = 40


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def customs(request: HttpRequest, order_id: UUID, place: int) -> HttpResponse:
    """Show the form; keep what it says once nothing is missing, and go back to the order."""
    person = orders_new.orderer(request)
    said = actions.declared(order_id, place, by=person)
    if request.method != "POST":
        return _form(request, said, customs_form.first(said))
    typed, do = customs_form.typed(request.POST), request.POST.get("do", "")[:DO_MAX]
    what, _colon, about = do.partition(":")
    if what == "add":
        return _form(request, said, typed.with_line())
    if what == "find":
        return _form(request, said, typed, finding=_line_of(about, typed))
    if what == "take":
        line, _colon, code = about.partition(":")
        return _form(request, said, typed.changed(_line_of(line, typed) - 1, h=code[: customs_form.LINE["h"]]))
    typed = typed.without_blanks()
    read = customs_form.read(typed)
    wrong = customs_form.at_fields(customs_form.problems(read.customs, said), read.flaws)
    if wrong:
        return _form(request, said, typed, flaws=wrong)
    try:
        actions.give_customs(order_id, place, read.customs, by=person)
    except NotNow as refused:
        return _form(request, said, typed, problem=_words(refused))
    words = _("Customs has what it needs. Print the form, and put it on the parcel.")
    return confirming.done(request, words, reverse("order", args=[order_id]))


def _words(refused: NotNow) -> str:
    words = {
        "tendered": _("The parcel was handed in with what you had declared: it cannot be changed any more."),
        "forgotten": _("The data of somebody of this order were erased, so nothing can be declared."),
    }
    return words.get(refused.code, _("Nothing of this order is sent, so nothing is declared."))


def _line_of(text: str, typed: Typed) -> int:
    """Return which line is named, from 1; the first where none is."""
    return int(text) if text.isascii() and text.isdigit() and 1 <= int(text) <= len(typed.lines) else 1


def _form(
    request: HttpRequest,
    said: Declared,
    typed: Typed,
    *,
    flaws: Mapping[str, str] | None = None,
    finding: int = 0,
    problem: str = "",
) -> HttpResponse:
    at = dict(flaws or {})
    by_sender, by_addressee = customs_form.asked_contacts(said, typed)
    lines = [_line(nth, line, at, finding=finding) for nth, line in enumerate(typed.lines, 1)]
    context = {
        "order": said.order,
        "place": said.item.place,
        "number": said.item.number,
        "country": orders_shown.country_name(said.item.country),
        "country_code": said.item.country,
        "done": customs_form.is_done(said),
        "reasons": [
            Choice(one.value, str(words), one.value == typed.head["reason"])
            for one, words in customs_words.REASONS.items()
        ],
        "head": typed.head,
        "at": at,
        "flaws": [(f"{name}-1" if name == "reason" else name, at[name]) for name in sorted(at, key=_place_of)],
        "lines": lines,
        "may_add": len(lines) < LINES_MAX,
        "by_sender": by_sender or "sender_contact" in at,
        "by_addressee": by_addressee or "addressee_contact" in at,
        "more_open": bool(typed.head["sender_reference"] or typed.head["importer_reference"])
        or bool({"sender_reference", "importer_reference"} & at.keys()),
        "problem": problem,
    }
    return render(request, "orders/customs.html", context, status=422 if at else 409 if problem else 200)


def _place_of(name: str) -> tuple[int, int, int]:
    """Return where a field stands on the page."""
    if name[1:].isdigit():
        return 1, int(name[1:]), list(customs_form.LINE).index(name[0])
    return (0 if name in {"reason", "explanation", "currency"} else 2), 0, list(customs_form.HEAD).index(name)


def _line(nth: int, line: Mapping[str, str], at: Mapping[str, str], *, finding: int) -> dict[str, Any]:
    fields = {
        name: {"id": f"{name}{nth}", "label": customs_form.label(name), "value": line[name], "limit": limit}
        | {"flaw": at.get(f"{name}{nth}", "")}
        for name, limit in customs_form.LINE.items()
    }
    code = rules.bare_code(line["h"])
    return {
        "nth": nth,
        "f": fields,
        "origins": _origins(line["o"]),
        "code_words": words_of(code) if code else "",
        "found": suggest(line["d"]) if finding == nth else None,
    }


def _origins(chosen: str) -> list[Choice]:
    named = sorted((orders_shown.country_name(code), code) for code in tables.forms())
    return [Choice(code, name, code == chosen) for name, code in named]


@login_required
@never_cache
@require_POST
def hs_codes(request: HttpRequest) -> HttpResponse:
    """Show the codes that one line's words may mean: a part of the form. By POST: an address would say the words."""
    orders_new.orderer(request)
    typed = customs_form.typed(request.POST)
    nth = _line_of(request.POST.get("do", "")[:DO_MAX].partition(":")[2], typed)
    context = {"nth": nth, "found": suggest(request.POST.get(f"d{nth}", ""))}
    return render(request, "orders/_hs_codes.html", context)


@login_required
@never_cache
@require_safe
def form(request: HttpRequest, order_id: UUID, place: int) -> HttpResponse:
    """Give out a parcel's CN 22 or CN 23 as PDF."""
    person = orders_new.orderer(request)
    try:
        one = actions.customs_paper(order_id, place, by=person)
    except NotNow as refused:
        if refused.code == "customs_data":
            return HttpResponseRedirect(reverse("customs", args=[order_id, place]))
        raise
    answer = HttpResponse(paper.render([one]), content_type="application/pdf")
    how = "inline" if request.GET.get("show") else "attachment"
    answer["Content-Disposition"] = f'{how}; filename="{one.number}-{one.form.replace(" ", "")}.pdf"'
    return answer


urlpatterns = [
    path("app/orders/<uuid:order_id>/customs/<int:place>", customs, name="customs"),
    path("app/orders/<uuid:order_id>/customs/<int:place>/form", form, name="customs_form"),
    path("app/hs-codes", hs_codes, name="hs_codes"),
]
