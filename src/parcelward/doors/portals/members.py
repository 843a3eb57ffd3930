"""One member of an organisation: their role, how it changes and ends, and what they were trained in."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.doors.portals.accounts import guard
from parcelward.doors.portals.confirming import Question, confirmed, done, said_once
from parcelward.doors.portals.desk_words import role_name, role_says, training_name
from parcelward.doors.portals.tenants import home, require_task, role_in
from parcelward.doors.portals.two_people import LIST
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.queries import may
from parcelward.people.wire import CERTIFIED, OrganisationKind, Person, Role, Task

REASON_MAX: Final = 200


def _member(request: HttpRequest, membership: UUID) -> tuple[who.MemberRow, Person, str]:
    by = guard.person(request)
    require_task(by, Task.MANAGE_MEMBERS)
    row = who.member(membership, by=by)
    return row, by, home(by, row.organisation_id)


@login_required
@never_cache
@require_safe
def member(request: HttpRequest, membership: UUID) -> HttpResponse:
    """Show one person's role, and what can be done about it."""
    row, by, back = _member(request, membership)
    return render(request, "tenants/member.html", _member_context(request, row, by, back))


def _may_hand_over(row: who.MemberRow, by: Person) -> bool:
    """Return whether the member's organisation has an owner, and who asks is that owner or of the operator."""
    if row.kind is not OrganisationKind.SENDER:
        return False
    mine = [] if by.role is Role.ADMINISTRATOR else who.memberships(by=by)
    return by.role is Role.ADMINISTRATOR or any(m.owner and m.organisation_id == row.organisation_id for m in mine)


def _member_context(request: HttpRequest, row: who.MemberRow, by: Person, back: str) -> dict[str, Any]:
    today = timezone.now().date()
    of_operator = row.kind is OrganisationKind.OPERATOR
    certifies = may(by, Task.CERTIFY) and row.kind is not OrganisationKind.SENDER
    noted = who.certificates_of(row.person, by=by, today=today) if certifies else []
    return {
        "said": said_once(request),
        "row": row,
        "role": role_name(row.role),
        "says": role_says(row.role),
        "back": back,
        "me": row.person == by.id,
        "may_change": of_operator and may(by, Task.CHANGE_ROLES) and row.person != by.id,
        "may_hand_over": not row.owner and _may_hand_over(row, by),
        "may_end": of_operator or not row.owner,
        "certifies": certifies,
        "certificates": [{"row": one, "training": training_name(one.training)} for one in noted],
    }


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, membership: UUID) -> HttpResponse:
    """Ask, then end a role."""
    row, by, back = _member(request, membership)
    question = Question(
        _("End this role?"),
        (_("It ends at once: they are signed out of it, and what they had invited opens nothing."),),
        _("End the role"),
        f"/app/organisation/members/{row.id}",
        warns=True,
        about=((_("Id"), row.login), (_("Role"), role_name(row.role))),
    )
    to = "/app/" if row.person == by.id else back
    return confirmed(
        request, question, lambda _r: people.end_membership(row.id, by=by), said=_("The role has ended."), to=to
    )


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest, membership: UUID) -> HttpResponse:
    """Ask, then make somebody else the owner."""
    row, by, _back = _member(request, membership)
    if not _may_hand_over(row, by):
        raise NotFound("There is nothing here to show.")
    question = Question(
        _("Hand %(organisation)s over?") % {"organisation": row.organisation},
        (
            _("They become the owner, with every right of one. Whoever owned it stays a member, without those rights."),
            _("Invitations that the old owner made are withdrawn, and they are signed out of their role."),
            _("API keys that manage keys, members or spending are revoked: make new ones afterwards."),
        ),
        _("Hand it over"),
        f"/app/organisation/members/{row.id}",
        warns=True,
        about=((_("New owner"), row.login),),
    )
    said = _("The organisation has another owner.")
    to = f"/app/organisations/{row.organisation_id}" if by.role is Role.ADMINISTRATOR else "/app/"
    return confirmed(request, question, lambda _r: people.hand_over(row.id, by=by), said=said, to=to)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def change_role(request: HttpRequest, membership: UUID) -> HttpResponse:
    """Ask for another role of a colleague; another person must agree."""
    row, by, _back = _member(request, membership)
    if row.kind is not OrganisationKind.OPERATOR or not may(by, Task.CHANGE_ROLES):
        raise NotFound("There is nothing here to show.")
    roles = tuple(role for role in who.organisation(row.organisation_id, by=by).roles if role is not row.role)
    role, reason, problem, status = "", "", "", 200
    if request.method == "POST":
        role, reason = request.POST.get("role", ""), request.POST.get("reason", "")[: 2 * REASON_MAX].strip()
        try:
            people.ask_for_role(row.id, role_in(role, roles), reason, by=by)
        except (Invalid, Conflict) as refused:
            problem, status = _(refused.message), refused.status
        else:
            return done(request, _("The role changes when another person agrees."), LIST)
    context = {
        "row": row,
        "role": role_name(row.role),
        "roles": [{"value": one.value, "name": role_name(one), "says": role_says(one)} for one in roles],
        "chosen": role,
        "reason": reason,
        "reason_max": REASON_MAX,
        "problem": problem,
        "back": f"/app/organisation/members/{row.id}",
    }
    return render(request, "tenants/change_role.html", context, status=status)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def certify(request: HttpRequest, membership: UUID) -> HttpResponse:
    """Note that somebody passed a training."""
    row, by, _back = _member(request, membership)
    require_task(by, Task.CERTIFY)
    here, problem, status = f"/app/organisation/members/{row.id}", "", 200
    typed = {"from": timezone.now().date().isoformat(), "until": ""}
    if request.method == "POST":
        typed = {"from": request.POST.get("from", "")[:10], "until": request.POST.get("until", "")[:10]}
        try:
            first, last = _day(typed["from"]), _day(typed["until"])
            people.certify(row.person, request.POST.get("training", ""), valid_from=first, valid_until=last, by=by)
        except (Invalid, Conflict) as refused:
            problem, status = _(refused.message), refused.status
        else:
            return done(request, _("The training is noted."), here)
    context = {
        "row": row,
        "trainings": [(one, training_name(one)) for one in sorted(set(CERTIFIED.values()))],
        "typed": typed,
        "problem": problem,
        "back": here,
    }
    return render(request, "tenants/certify.html", context, status=status)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid(_("Give both days, such as 2027-03-31."), code="bad_dates") from None


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, membership: UUID, certificate_id: UUID) -> HttpResponse:
    """Ask, then let a certificate count no more."""
    row, by, _back = _member(request, membership)
    require_task(by, Task.CERTIFY)
    noted = who.certificates_of(row.person, by=by, today=timezone.now().date())
    if not any(one.id == certificate_id for one in noted):
        raise NotFound("No such certificate")
    here = f"/app/organisation/members/{row.id}"
    question = Question(
        _("Revoke this certificate?"),
        (_("It counts no more from now on. What they may do with it, they may no longer."),),
        _("Revoke the certificate"),
        here,
        warns=True,
        about=((_("Id"), row.login),),
    )
    said = _("The certificate is revoked.")
    return confirmed(request, question, lambda _r: people.revoke_certificate(certificate_id, by=by), said=said, to=here)


_MEMBER: Final = "app/organisation/members/<uuid:membership>"
urlpatterns = [
    path(_MEMBER, member, name="member"),
    path(f"{_MEMBER}/end", end, name="end_membership"),
    path(f"{_MEMBER}/hand-over", hand_over, name="hand_over"),
    path(f"{_MEMBER}/role", change_role, name="change_role"),
    path(f"{_MEMBER}/certificates", certify, name="certify"),
    path(f"{_MEMBER}/certificates/<uuid:certificate_id>/revoke", revoke, name="revoke_certificate"),
]
