"""Everything that waits for a second person, in one list; each is settled on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base import config
from parcelward.base.errors import Conflict, Invalid, NotFound, ParcelwardError
from parcelward.base.standards import identify
from parcelward.doors.portals import moments, shown
from parcelward.doors.portals.accounts import guard
from parcelward.doors.portals.confirming import Question, confirmed, done, said_once
from parcelward.doors.portals.desk_shown import link
from parcelward.doors.portals.desk_words import role_name
from parcelward.doors.portals.tenant_words import document_name
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries as items
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.queries import may
from parcelward.people.wire import Person, Role, Task
from parcelward.risk import actions as risk

LIST: Final = "/app/desk/two-people"
TASKS: Final = (
    Task.CHANGE_ROLES,
    Task.RE_ENROL,
    Task.RELEASE_SECURITY,
    Task.SHRED,
    Task.ACTIVATE_RULE,
    Task.WRITE_HAZMAT_RULES,
)
DOCUMENTS: Final = ("passport", "identity_card", "driving_licence", "staff_card")
LOGIN_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that waits, and what may be done about it: the last part of an address, and its word."""

    title: str
    detail: str
    asked_by: str
    until: datetime | None
    href: str
    deeds: tuple[tuple[str, str], ...]
    item: str = ""  # the address of its story
    note: str = ""


def _require(by: Person, task: Task) -> None:
    """Show nothing to who may not: the action asks again."""
    if not may(by, task):
        raise NotFound("There is nothing here to show.")


def _require_a_task(by: Person) -> None:
    if not any(may(by, task) for task in TASKS):
        raise NotFound("There is nothing here to show.")


@login_required
@never_cache
@require_safe
def two_people(request: HttpRequest) -> HttpResponse:
    """Show all that waits for a second person and that this one may see."""
    by = guard.person(request)
    _require_a_task(by)
    context = {
        "said": said_once(request),
        "lines": [_request_line(row) for row in who.waiting_requests(by=by)],
        "invitations": [_invitation_line(row) for row in _invitations(by)],
        "erasures": [_erasure_line(row, by) for row in _erasures(by)],
        "holds": [_hold_line(row) for row in (items.legal_holds(by=by) if may(by, Task.SHRED) else [])],
        "may_re_enrol": may(by, Task.RE_ENROL),
        "may_hazmat": may(by, Task.WRITE_HAZMAT_RULES),
        "may_shred": may(by, Task.SHRED),
        "may_roles": may(by, Task.CHANGE_ROLES),
        "may_desk": may(by, Task.READ_DESK),
    }
    return render(request, "tenants/two_people.html", context)


def _invitations(by: Person) -> list[who.WaitingInvitation]:
    return who.waiting_invitations(by=by) if may(by, Task.CHANGE_ROLES) else []


def _erasures(by: Person) -> list[items.WaitingErasure]:
    return items.waiting_erasures(by=by) if may(by, Task.SHRED) else []


def waiting(by: Person) -> int:
    """Return how much of all this waits for this very person."""
    return who.waiting_count(by=by) + sum(1 for row in _erasures(by) if not row.mine and not row.agreed_by)


def _agree_or_not(*, mine: bool) -> tuple[tuple[str, str], ...]:
    return (("withdraw", _("Withdraw")),) if mine else (("agree", _("Agree")), ("refuse", _("Refuse")))


def _request_line(row: who.WaitingRow) -> Line:
    deeds = () if row.concerns_me else _agree_or_not(mine=row.mine)
    note = _("It is about you: another person must agree.") if row.concerns_me else ""
    title, detail = _request_words(row)
    item = link(item=identify.item_id(UUID(row.about["item"]))) if "item" in row.about else ""
    if row.task is Task.ACTIVATE_RULE:
        item = f"/app/rules/{row.about['version']}"
    href = f"{LIST}/requests/{row.id}"
    return Line(title, detail, row.asked_by, row.expires_at, href, deeds, item, note)


def _request_words(row: who.WaitingRow) -> tuple[str, str]:
    """Return what was asked for, and why."""
    if row.task is Task.CHANGE_ROLES:
        words = {"who": row.who, "was": role_name(Role(row.about["from"])), "new": role_name(Role(row.about["to"]))}
        return _("Make %(who)s, %(was)s until now, %(new)s") % words, row.reason
    if row.task is Task.RE_ENROL:
        seen = _("Seen at the counter: %(document)s") % {"document": document_name(row.about["document"])}
        return _("Replace the lost passkey of %(who)s") % {"who": row.who}, seen
    if row.task is Task.RELEASE_SECURITY:
        number = shown.grouped(items.number_of(UUID(row.about["item"])))
        return _("Release %(number)s, which is held for security") % {"number": number}, row.reason
    if row.task is Task.ACTIVATE_RULE:
        words = {"rule": row.about["rule"], "number": row.about["number"]}
        return _("Let version %(number)s of the rule %(rule)s decide about orders") % words, row.reason
    if row.task is Task.WRITE_HAZMAT_RULES:
        return _("Let the rule for %(un)s stand, as the page of dangerous goods rules shows it") % row.about, row.reason
    return row.task.replace("_", " ").capitalize(), row.reason


def _invitation_line(row: who.WaitingInvitation) -> Line:
    words = {"login": row.login, "role": role_name(row.role), "organisation": row.organisation}
    title = _("Invite %(login)s as %(role)s of %(organisation)s") % words
    href = f"{LIST}/invitations/{row.id}"
    deeds, note = _agree_or_not(mine=row.mine), ""
    if row.agreed:
        deeds = (("agree", _("Make a fresh code")), ("withdraw", _("Withdraw")))
        note = _("You agreed. Whoever comes needs the code that you were shown.")
    return Line(title, "", row.made_by, row.expires_at, href, deeds, note=note)


def _erasure_line(row: items.WaitingErasure, by: Person) -> Line:
    title = _("Erase the record of %(number)s") % {"number": shown.grouped(row.number)}
    deeds = _agree_or_not(mine=row.mine)
    note = ""
    if row.agreed_by:
        deeds = (("withdraw", _("Withdraw")),)
        values = {"who": row.agreed_by, "when": moments.element(row.not_before)}
        note = moments.sentence(_("%(who)s agreed. It is erased after %(when)s."), values)
    if row.held_for:
        deeds = (("withdraw", _("Withdraw")),) if row.mine else (("refuse", _("Refuse")),)
        note = _("A legal hold keeps it: %(reason)s") % {"reason": row.held_for}
    item = link(item=identify.item_id(row.item)) if may(by, Task.READ_DESK) else ""
    return Line(title, row.reason, row.asked_by, None, f"{LIST}/erasures/{row.id}", deeds, item, note)


def _hold_line(row: items.StandingHold) -> Line:
    title = shown.grouped(row.number)
    href = f"/app/desk/items/{identify.item_id(row.item)}/legal-hold"
    return Line(title, row.reason, row.placed_by, row.placed_at, href, (("", _("Lift")),))


def _question(line: Line, what: str) -> Question:
    """Return what is asked before somebody agrees, refuses or withdraws."""
    if what not in {deed for deed, _word in line.deeds}:
        raise NotFound("There is nothing here to show.")
    at_once = _("It is done at once, in both your names. The log keeps who asked and who agreed.")
    title, words, button = {
        "agree": (_("Agree to this?"), at_once, _("Agree")),
        "refuse": (_("Refuse this?"), _("Nothing is done. Whoever asked can ask again."), _("Refuse")),
        "withdraw": (_("Withdraw this?"), _("Nothing is done. It can be asked for again."), _("Withdraw")),
    }[what]
    about = [(_("What"), line.title), (_("Why"), line.detail), (_("Asked by"), line.asked_by)]
    shown_words = (words, line.note) if line.note else (words,)
    return Question(
        title, shown_words, button, LIST, warns=what != "agree", about=tuple(pair for pair in about if pair[1])
    )


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def settle(request: HttpRequest, request_id: UUID, what: str) -> HttpResponse:
    """Ask, then agree to a request, refuse or withdraw it."""
    by = guard.person(request)
    row = who.waiting_request(request_id, by=by)
    if row.outcome:
        return done(request, _("Somebody has settled this already."), LIST)
    deeds: dict[str, Callable[[], HttpResponse | None]] = {
        "agree": lambda: _agree(request, row, by),
        "refuse": lambda: people.refuse_request(request_id, by=by),
        "withdraw": lambda: people.withdraw_request(request_id, by=by),
    }
    question = _question(_request_line(row), what)
    return confirmed(request, question, lambda _reason: deeds[what](), said=_said(what), to=LIST)


def _said(what: str) -> str:
    return {"agree": _("Agreed, and done."), "refuse": _("Refused."), "withdraw": _("Withdrawn.")}[what]


def _agree(request: HttpRequest, row: who.WaitingRow, by: Person) -> HttpResponse | None:
    if row.task is Task.CHANGE_ROLES:
        people.agree_to_role(row.id, by=by)
    elif row.task is Task.RELEASE_SECURITY:
        parcels.agree_to_release(row.id, by=by)
    elif row.task is Task.ACTIVATE_RULE:
        risk.agree_to_rule(row.id, by=by)
    elif row.task is Task.WRITE_HAZMAT_RULES:
        parcels.agree_to_hazmat_rule(row.id, by=by)
    elif row.task is Task.RE_ENROL:
        code = people.agree_to_re_enrol(row.id, by=by)
        if code is not None:
            return show_link(request, code, login=row.who, role=None, waits=False, back=LIST)
    else:
        raise NotFound("There is nothing here to show.")
    return None


def show_link(
    request: HttpRequest, code: str, *, login: str, role: Role | None, waits: bool, back: str
) -> HttpResponse:
    """Show the link that lets somebody in, this once."""
    context = {
        "link": f"{config.get().public_url}{reverse('join')}#code={code}",
        "login": login,
        "role": "" if role is None else role_name(role),
        "waits": waits,
        "back": back,
    }
    return render(request, "tenants/invited.html", context)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def settle_invitation(request: HttpRequest, invitation_id: UUID, what: str) -> HttpResponse:
    """Ask, then agree to an invitation, or make its link open nothing."""
    by = guard.person(request)
    _require(by, Task.CHANGE_ROLES)
    row = who.waiting_invitation(invitation_id, by=by)

    def act(_reason: str) -> HttpResponse | None:
        if what != "agree":
            people.withdraw_invitation(invitation_id, by=by)
            return None
        code = people.agree_to_invitation(invitation_id, by=by)
        context = {"second": f"{code[:4]}-{code[4:]}", "login": row.login, "role": role_name(row.role), "back": LIST}
        return render(request, "tenants/agreed.html", context)

    question = _question(_invitation_line(row), what)
    if what == "agree":
        words = _("You will be shown a code, once. The link opens only with it: give it to the person who comes.")
        if row.agreed:
            words = _("You are shown another code, once. The one that you were shown before opens nothing then.")
        title = _("Make a fresh code?") if row.agreed else question.title
        button = _("Make the code") if row.agreed else question.button
        question = Question(title, (words,), button, LIST, about=question.about)
    return confirmed(request, question, act, said=_said(what), to=LIST)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def settle_erasure(request: HttpRequest, erasure_id: int, what: str) -> HttpResponse:
    """Ask, then agree to the erasure of an item's record, or call it off."""
    by = guard.person(request)
    _require(by, Task.SHRED)
    row = items.waiting_erasure(erasure_id, by=by)

    def act(_reason: str) -> None:
        if what == "agree":
            parcels.approve_erasure(erasure_id, by=by)
        else:
            parcels.withdraw_erasure(erasure_id, by=by)

    question = _question(_erasure_line(row, by), what)
    if what == "agree":
        days = config.get().erasure_wait_days
        words = _(
            "The record is erased for good after %(n)s days, unless somebody withdraws it or a legal hold is placed."
        )
        question = Question(
            question.title, (words % {"n": days},), question.button, LIST, warns=True, about=question.about
        )
    said = _("Agreed: it is erased after the wait.") if what == "agree" else _said(what)
    return confirmed(request, question, act, said=said, to=LIST)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def re_enrol(request: HttpRequest) -> HttpResponse:
    """Ask for a new passkey for a colleague at the counter, whose document was seen."""
    by = guard.person(request)
    if not may(by, Task.RE_ENROL):
        raise NotFound("There is nothing here to show.")
    login, document, problem, status = "", "", "", 200
    if request.method == "POST":
        login = request.POST.get("login", "")[:LOGIN_MAX].strip()
        document = request.POST.get("document", "")
        try:
            people.ask_to_re_enrol(login, document, by=by)
        except (Invalid, Conflict, NotFound) as refused:
            problem, status = _(refused.message), _status(refused)
        else:
            return done(request, _("A second colleague must see them, and agree here."), LIST)
    context = {
        "login": login,
        "document": document,
        "documents": [(one, document_name(one)) for one in DOCUMENTS],
        "problem": problem,
        "back": LIST,
        "login_max": LOGIN_MAX,
    }
    return render(request, "tenants/re_enrol.html", context, status=status)


def _status(refused: ParcelwardError) -> int:
    return Invalid.status if isinstance(refused, NotFound) else refused.status  # the page is there; the id is not


_DEEDS: Final = ("agree", "refuse", "withdraw")
urlpatterns = [
    path("app/desk/two-people", two_people, name="two_people"),
    path("app/desk/re-enrol", re_enrol, name="re_enrol"),
    *(
        path(f"app/desk/two-people/{kind}/{deed}", view, {"what": deed}, name=f"{view.__name__}_{deed}")
        for kind, view in (
            ("requests/<uuid:request_id>", settle),
            ("invitations/<uuid:invitation_id>", settle_invitation),
            ("erasures/<int:erasure_id>", settle_erasure),
        )
        for deed in _DEEDS
    ),
]
