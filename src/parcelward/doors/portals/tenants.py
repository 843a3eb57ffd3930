"""An organisation and its people, all organisations for those who keep them, and what each role may do."""

from __future__ import annotations

import uuid
from typing import Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.doors.portals.accounts import guard
from parcelward.doors.portals.confirming import Question, confirmed, done, said_once
from parcelward.doors.portals.desk_words import role_name, role_says, training_name
from parcelward.doors.portals.tenant_words import kind_of_organisation, task_says
from parcelward.doors.portals.two_people import show_link
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.queries import may
from parcelward.people.wire import OrganisationKind, Person, Role, Task

NAME_MAX: Final = 80
REASON_MAX: Final = 200


def require_task(by: Person, task: Task) -> None:
    """Keep a page from being shown that could not be used; the action asks again."""
    if not may(by, task):
        raise NotFound("There is nothing here to show.")


def home(by: Person, organisation_id: UUID) -> str:
    """Return the address of an organisation's page for whoever asks."""
    return "/app/organisation" if by.organisation == organisation_id else f"/app/organisations/{organisation_id}"


@login_required
@never_cache
@require_safe
def organisation(request: HttpRequest, organisation_id: UUID | None = None) -> HttpResponse:
    """Show an organisation: who acts for it, and who was invited."""
    by = guard.person(request)
    require_task(by, Task.MANAGE_MEMBERS)
    found = who.organisation(organisation_id, by=by)
    context = {
        "said": said_once(request),
        "row": found.row,
        "kind": kind_of_organisation(found.row.kind),
        "members": [
            {"row": row, "role": role_name(row.role), "says": role_says(row.role), "me": row.person == by.id}
            for row in found.members
        ],
        "invitations": [{"row": row, "role": role_name(row.role)} for row in found.invitations],
        "home": home(by, found.row.id),
        "may_all": may(by, Task.MANAGE_ORGANISATIONS),
        "is_contractor": found.row.kind is OrganisationKind.CONTRACTOR,
        "is_operator": found.row.kind is OrganisationKind.OPERATOR,
    }
    return render(request, "tenants/organisation.html", context)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def invite(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Choose a role, then show the link that lets one person take it, once."""
    by = guard.person(request)
    require_task(by, Task.MANAGE_MEMBERS)
    found = who.organisation(organisation_id, by=by)
    back, role, problem, status = home(by, organisation_id), "", "", 200
    owned = any(row.owner for row in found.members) or found.row.kind is not OrganisationKind.SENDER
    from_outside = found.row.members > 0 and by.organisation != organisation_id
    if request.method == "POST":
        role = request.POST.get("role", "")
        try:
            chosen = role_in(role, found.roles)
            first = not owned and chosen is Role.SENDER_ADMIN
            asked = _uuid(request.POST.get("asked", ""))
            _id, code = people.invite(organisation_id, chosen, by=by, owner=first, invitation_id=asked)
        except (Invalid, Conflict) as refused:
            problem, status = _(refused.message), refused.status
        else:
            made = next(row for row in who.organisation(organisation_id, by=by).invitations if row.id == _id)
            return show_link(request, code, login=made.login, role=chosen, waits=made.waits, back=back)
    context = {
        "row": found.row,
        "roles": [
            {
                "value": one.value,
                "name": role_name(one),
                "says": role_says(one),
                "second": from_outside or one in who.NEED_SECOND,
            }
            for one in found.roles
        ],
        "chosen": role,
        "asked": uuid.uuid4(),
        "problem": problem,
        "back": back,
    }
    return render(request, "tenants/invite.html", context, status=status)


def role_in(text: str, roles: tuple[Role, ...]) -> Role:
    """Return the role that a form named, or raise Invalid for none of these."""
    found = next((role for role in roles if role.value == text), None)
    if found is None:
        raise Invalid(_("Choose a role."), code="bad_role")
    return found


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid(_("The form was not complete: open it again."), code="bad_form") from None


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, organisation_id: UUID, invitation_id: UUID) -> HttpResponse:
    """Ask, then make an invitation's link open nothing."""
    by = guard.person(request)
    require_task(by, Task.MANAGE_MEMBERS)
    found = who.organisation(organisation_id, by=by)
    row = next((one for one in found.invitations if one.id == invitation_id), None)
    if row is None:
        raise NotFound("No such invitation")
    question = Question(
        _("Withdraw this invitation?"),
        (_("Its link opens nothing from now on."),),
        _("Withdraw the invitation"),
        home(by, organisation_id),
        warns=True,
        about=((_("Id"), row.login), (_("Role"), role_name(row.role))),
    )
    act = people.withdraw_invitation
    said = _("The invitation is withdrawn.")
    return confirmed(request, question, lambda _r: act(invitation_id, by=by), said=said, to=question.back)


@login_required
@never_cache
@require_safe
def organisations(request: HttpRequest) -> HttpResponse:
    """Show all organisations to those who keep them."""
    by = guard.person(request)
    require_task(by, Task.MANAGE_ORGANISATIONS)
    context = {
        "said": said_once(request),
        "rows": [{"row": row, "kind": kind_of_organisation(row.kind)} for row in who.organisations(by=by)],
    }
    return render(request, "tenants/organisations.html", context)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    """Make an organisation, and go on to invite its first people."""
    by = guard.person(request)
    require_task(by, Task.MANAGE_ORGANISATIONS)
    name, kind, problem, status = "", "", "", 200
    if request.method == "POST":
        name, kind = request.POST.get("name", "")[: 2 * NAME_MAX].strip(), request.POST.get("kind", "")
        try:
            made = people.make_organisation(_kind(kind), name, by=by)
        except (Invalid, Conflict) as refused:
            problem, status = _(refused.message), refused.status
        else:
            return done(request, _("The organisation is made. Invite its first people."), f"/app/organisations/{made}")
    context = {
        "kinds": [(one.value, kind_of_organisation(one)) for one in OrganisationKind if one != "operator"],
        "kind": kind,
        "name": name,
        "name_max": NAME_MAX,
        "problem": problem,
    }
    return render(request, "tenants/make.html", context, status=status)


def _kind(text: str) -> OrganisationKind:
    if text not in set(OrganisationKind):
        raise Invalid(_("Choose what kind of organisation it is."), code="bad_kind")
    return OrganisationKind(text)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def suspend(request: HttpRequest, organisation_id: UUID) -> HttpResponse:
    """Ask, then let nobody act for an organisation; or let them act again."""
    by = guard.person(request)
    require_task(by, Task.MANAGE_ORGANISATIONS)
    row = who.organisation(organisation_id, by=by).row
    suspended = row.suspended_at is not None
    back = f"/app/organisations/{row.id}"
    question = Question(
        _("Let it act again?") if suspended else _("Suspend this organisation?"),
        (
            _("Its people and keys can act again at once.")
            if suspended
            else _("Its people are signed out of their roles, and its keys open nothing, until it is resumed."),
        ),
        _("Resume") if suspended else _("Suspend"),
        back,
        warns=not suspended,
        about=((_("Organisation"), row.name),),
    )
    act = people.resume_organisation if suspended else people.suspend_organisation
    said = _("It may act again.") if suspended else _("It is suspended.")
    return confirmed(request, question, lambda _r: act(row.id, by=by), said=said, to=back)


@login_required
@never_cache
@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """Show the table of roles itself, in words: it is the one that every action asks."""
    by = guard.person(request)
    table = [
        {
            "name": role_name(row.role),
            "says": role_says(row.role),
            "mine": row.role is by.role,
            "of": ", ".join(kind_of_organisation(kind) for kind in row.kinds),
            "tasks": [
                {"says": task_says(task), "two": two, "training": training_name(training) if training else ""}
                for task, two, training in row.tasks
            ],
        }
        for row in who.table_of_roles()
    ]
    return render(request, "tenants/roles.html", {"table": table, "role": role_name(by.role)})


_ONE: Final = "app/organisations/<uuid:organisation_id>"
urlpatterns = [
    path("app/roles", roles, name="roles"),
    path("app/organisation", organisation, name="organisation"),
    path("app/organisations", organisations, name="organisations"),
    path("app/organisations/make", make, name="make_organisation"),
    path(_ONE, organisation, name="one_organisation"),
    path(f"{_ONE}/invite", invite, name="invite"),
    path(f"{_ONE}/invitations/<uuid:invitation_id>/withdraw", withdraw, name="withdraw_invitation"),
    path(f"{_ONE}/suspend", suspend, name="suspend_organisation"),
]
