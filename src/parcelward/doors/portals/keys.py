"""API keys at a screen: see, make (the token is shown once), rotate, revoke, and let them spend up to a cap."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base import config
from parcelward.base.errors import ParcelwardError
from parcelward.doors.portals import held_shown
from parcelward.doors.portals.accounts.guard import fresh_proof
from parcelward.doors.portals.desk_words import role_name
from parcelward.doors.portals.devices import INPUT, SAID, asker, confirm, done, tabs, uuid_in
from parcelward.doors.portals.errors import in_words
from parcelward.people import actions, queries
from parcelward.people.queries import may, rights_of
from parcelward.people.wire import Person, Role, Task

HOME: Final = "/app/keys/"
ROWS_MAX: Final = 50
FOR_GOOD: Final = "0"
OVERLAPS_H: Final = (24, 7 * 24, 30 * 24, 0)


class KeyForm(forms.Form):
    """What a key is called, what it may do and for how long."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("The system that will use it, such as shop checkout. No names of people."),
        widget=forms.TextInput(attrs=INPUT),
        error_messages={"required": gettext_lazy("Give the key a name.")},
    )
    limited = forms.ChoiceField(required=False)
    scopes = forms.MultipleChoiceField(required=False)
    days = forms.ChoiceField(label=gettext_lazy("Valid for"), widget=forms.Select(attrs={"class": "pw-select"}))
    once = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)

    def __init__(self, *args: Any, role: Role, for_good: bool, **named: Any) -> None:
        super().__init__(*args, **named)
        tasks = sorted(rights_of(role, None), key=held_shown.task_name)
        fields: Any = self.fields
        fields["limited"].choices = [("no", ""), ("yes", "")]
        fields["scopes"].choices = [(task.value, held_shown.task_name(task)) for task in tasks]
        choices = [(str(n), _("%(n)s days") % {"n": n}) for n in (30, 90, 365)]
        fields["days"].choices = choices + ([(FOR_GOOD, _("until it is revoked"))] if for_good else [])
        fields["days"].initial = "365"


class GrantForm(forms.Form):
    """What a key may spend."""

    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        label=gettext_lazy("Currency"),
        help_text=gettext_lazy("Three letters, such as EUR."),
        widget=forms.TextInput(attrs=INPUT | {"autocapitalize": "characters", "spellcheck": "false"}),
        error_messages=dict.fromkeys(("invalid", "required"), gettext_lazy("Give the currency by its three letters.")),
    )
    payment = forms.IntegerField(
        label=gettext_lazy("At most, each payment"),
        min_value=1,
        max_value=10**15,
        help_text=gettext_lazy("In the currency's smallest unit: 2500 is 25.00 EUR."),
        widget=forms.TextInput(attrs=INPUT | {"inputmode": "numeric"}),
    )
    day = forms.IntegerField(
        label=gettext_lazy("At most, each day"),
        required=False,
        min_value=1,
        max_value=10**15,
        widget=forms.TextInput(attrs=INPUT | {"inputmode": "numeric"}),
    )
    month = forms.IntegerField(
        label=gettext_lazy("At most, each month"),
        required=False,
        min_value=1,
        max_value=10**15,
        help_text=gettext_lazy("Give one for the day, one for the month, or both. Days and months are in UTC."),
        widget=forms.TextInput(attrs=INPUT | {"inputmode": "numeric"}),
    )
    days = forms.IntegerField(
        label=gettext_lazy("Valid for how many days"),
        min_value=1,
        max_value=365,
        initial=30,
        widget=forms.TextInput(attrs=INPUT | {"inputmode": "numeric"}),
    )


@login_required
@never_cache
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """Show the list, and the one that was chosen with what it may spend."""
    person, now = asker(request, Task.MANAGE_KEYS), timezone.now()
    after, chosen = uuid_in(request.GET.get("after", "")), uuid_in(request.GET.get("key", ""))
    found = queries.keys(by=person, limit=ROWS_MAX + 1, after=after)
    rows = [
        held_shown.row(
            "key",
            each.id,
            each.name,
            _state(each, now) if each.state(now) != "valid" else f"{each.prefix}…",
            each.last_used_at,
            now=now,
            ended=each.state(now) != "valid",
            current=each.id == chosen,
            after=after,
        )
        for each in found[:ROWS_MAX]
    ]
    context = {
        "tabs": tabs(person, "keys"),
        "rows": rows,
        "older": f"?after={found[ROWS_MAX - 1].id}" if len(found) > ROWS_MAX else "",
        "newest": HOME if after else "",
        "said": request.session.pop(SAID, ""),
        **(_key_context(chosen, person, now) if chosen else {}),
    }
    return render(request, "keys.html", context)


def _state(key: queries.KeyShown, now: dt.datetime) -> str:
    said = {"valid": _("valid"), "revoked": _("revoked"), "expired": _("expired"), "suspended": _("suspended")}
    return said[key.state(now)]


def _key_context(key_id: UUID, person: Person, now: dt.datetime) -> dict[str, Any]:
    key = queries.key(key_id, by=person)
    may_do = sorted(held_shown.task_name(task) for task in rights_of(key.role, key.scopes))
    return {
        "key": key,
        "state": _state(key, now),
        "valid": key.state(now) == "valid",
        "role": role_name(key.role),
        "may_do": may_do,
        "former_runs": key.previous_ends_at is not None and key.previous_ends_at > now,
        "grants": queries.grants(key_id, by=person),
        "may_grant": may(person, Task.GRANT_SPENDING),
        "now": now,
    }


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    """Ask whose key with which role; then what it is called and may do; then show its token, this once."""
    person = asker(request, Task.MANAGE_KEYS)
    tenants = queries.tenants(by=person)
    asked = request.GET.get("role", "")
    tenant = next((each for each in tenants if each.ident == request.GET.get("organisation", "")), None)
    role = next((each for each in tenant.roles if each.value == asked), None) if tenant else None
    context: dict[str, Any] = {"tabs": tabs(person, "keys"), "back": HOME}
    if tenant is None or role is None:
        choices = [(each, [(one.value, role_name(one)) for one in each.roles]) for each in tenants]
        return render(request, "key_whose.html", context | {"choices": choices})
    form = KeyForm(request.POST or None, role=role, for_good=person.role is Role.ADMINISTRATOR)
    ticked = form["scopes"].value() or []
    context |= {
        "form": form,
        "role": role_name(role),
        "tenant": tenant,
        "limited": form["limited"].value() == "yes",
        "boxes": [
            {"value": task.value, "name": held_shown.task_name(task), "ticked": task.value in ticked}
            for task in sorted(rights_of(role, None), key=held_shown.task_name)
        ],
    }
    if request.method != "POST" or not form.is_valid():
        return render(request, "key_new.html", context, status=422 if form.is_bound else 200)
    said = form.cleaned_data
    try:
        made = actions.new_key(
            said["name"],
            role,
            by=person,
            mode=config.get().mode,
            scopes=[Task(each) for each in said["scopes"]] if said["limited"] == "yes" else None,
            organisation=tenant.id,
            lifetime=actions.FOR_GOOD if said["days"] == FOR_GOOD else dt.timedelta(days=int(said["days"])),
            key_id=said["once"],
        )
    except ParcelwardError as refused:
        form.add_error(None, in_words(refused, otherwise=_("This could not be done. Open the form anew.")))
        return render(request, "key_new.html", context, status=refused.status)
    return _shown_once(request, made, person)


def _shown_once(request: HttpRequest, made: actions.MadeKey, person: Person) -> HttpResponse:
    key = queries.key(made.id, by=person)
    context = {"tabs": tabs(person, "keys"), "token": made.token, "key": key, "back": f"{HOME}?key={made.id}"}
    return render(request, "key_shown.html", context)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Ask how long the old token goes on; then show the new one, this once."""
    person, now = asker(request, Task.MANAGE_KEYS), timezone.now()
    key = queries.key(key_id, by=person)
    problem, status = "", 200
    if request.method == "POST":
        hours = request.POST.get("hours", "")
        try:
            overlap = dt.timedelta(hours=int(hours) if hours in {str(each) for each in OVERLAPS_H} else -1)
            made = actions.rotate_key(key_id, overlap, by=person, mode=config.get().mode)
        except ParcelwardError as refused:
            problem = in_words(refused, otherwise=_("This could not be done. Open the form anew."))
            status = refused.status
        else:
            return _shown_once(request, made, person)
    running = key.previous_ends_at is not None and key.previous_ends_at > now
    words = {
        24: _("one day"),
        7 * 24: _("seven days"),
        30 * 24: _("thirty days"),
        0: _("not at all: it ends at once, because it may be in wrong hands"),
    }
    context = {
        "tabs": tabs(person, "keys"),
        "key": key,
        "choices": [(hours, words[hours]) for hours in OVERLAPS_H if hours == 0 or not running],
        "running": running,
        "problem": problem,
        "back": f"{HOME}?key={key_id}",
    }
    return render(request, "key_rotate.html", context, status=status)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Revoke a key, once it was confirmed."""
    person = asker(request, Task.MANAGE_KEYS)
    key = queries.key(key_id, by=person)
    if request.method == "POST":
        actions.revoke_key(key_id, by=person)
        return done(request, _("%(name)s is revoked.") % {"name": key.name}, f"{HOME}?key={key_id}")
    return confirm(
        request,
        tabs=tabs(person, "keys"),
        title=_("Revoke this key?"),
        what=f"{key.name} ({key.prefix}…)",
        words=_("Whatever uses it is refused from its next request on, and so is every key that was made by it. ")
        + _("It cannot be undone: make a new key then."),
        button=_("Revoke the key"),
        back=f"{HOME}?key={key_id}",
    )


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def grant(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Let a key spend in one currency, up to caps."""
    person = asker(request, Task.GRANT_SPENDING)
    key = queries.key(key_id, by=person)
    form = GrantForm(request.POST or None)
    back = f"{HOME}?key={key_id}"
    context = {"tabs": tabs(person, "keys"), "key": key, "form": form, "back": back}
    if request.method != "POST" or not form.is_valid():
        return render(request, "key_grant.html", context, status=422 if form.is_bound else 200)
    said = form.cleaned_data
    try:
        actions.grant_spending(
            key_id,
            currency=said["currency"],
            cap_payment_minor=said["payment"],
            cap_day_minor=said["day"],
            cap_month_minor=said["month"],
            lifetime=dt.timedelta(days=said["days"]),
            by=person,
        )
    except ParcelwardError as refused:
        form.add_error(None, in_words(refused, otherwise=_("This could not be done. Open the form anew.")))
        return render(request, "key_grant.html", context, status=refused.status)
    return done(request, _("%(name)s may spend now.") % {"name": key.name}, back)


@fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, key_id: UUID, grant_id: UUID) -> HttpResponse:
    """End a grant, once it was confirmed."""
    person = asker(request, Task.GRANT_SPENDING)
    key, back = queries.key(key_id, by=person), f"{HOME}?key={key_id}"
    if request.method == "POST":
        actions.withdraw_spending(grant_id, key_id=key_id, by=person)
        return done(request, _("%(name)s may spend nothing more under that grant.") % {"name": key.name}, back)
    return confirm(
        request,
        tabs=tabs(person, "keys"),
        title=_("End this grant?"),
        what=key.name,
        words=_("Its next payment is refused. What is reserved already can still be settled."),
        button=_("End the grant"),
        back=back,
    )


urlpatterns = [
    path("app/keys/", keys, name="keys"),
    path("app/keys/new", make, name="make_key"),
    path("app/keys/<uuid:key_id>/rotate", rotate, name="rotate_key"),
    path("app/keys/<uuid:key_id>/revoke", revoke, name="revoke_key"),
    path("app/keys/<uuid:key_id>/grants/new", grant, name="grant_spending"),
    path("app/keys/<uuid:key_id>/grants/<uuid:grant_id>/end", withdraw, name="withdraw_spending"),
]
