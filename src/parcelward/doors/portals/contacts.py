"""Write to the other side of a parcel: open a masked contact, see its address and its end, and close it again."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from parcelward.base.errors import Invalid, ParcelwardError
from parcelward.base.standards import identify
from parcelward.base.standards.errors import BadItemNumber
from parcelward.base.vault import VaultToken
from parcelward.doors.portals import confirming, moments, shown
from parcelward.doors.portals.accounts.guard import who_finds
from parcelward.doors.throttle import allow
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries as kept
from parcelward.privacy.wire import ContactShown, Field, Kind, Purpose, Sender

HOME: Final = "/app/contacts"
TRIES_PER_MINUTE: Final = 20
TYPED_LENGTH_MAX: Final = 320  # of a number; of an e-mail address RFC 3696 allows no more


def _line(one: ContactShown) -> dict[str, Any]:
    """Return a contact with its words."""
    now = timezone.now()
    if one.closed_at is not None:
        state = moments.sentence(_("Closed on %(at)s."), {"at": moments.element(one.closed_at)})
    elif one.until <= now:
        state = moments.sentence(_("It ended on %(at)s."), {"at": moments.element(one.until)})
    else:
        state = moments.sentence(_("Open until %(at)s."), {"at": moments.element(one.until)})
    return {
        "contact": one,
        "to": _("the addressee") if one.side is Kind.SENDER else _("the sender"),
        "item": _number(one.item),
        "state": state,
        "open": one.open_at(now),
    }


def _number(item: UUID) -> str:
    return shown.grouped(queries.journey(item).number) if queries.find(identify.item_id(item)) else ""


@login_required
@never_cache
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """List one's contacts, the newest first."""
    lines = [_line(one) for one in kept.contacts_of(by=who_finds(request, Task.CONTACT))]
    context = {"lines": lines, "said": confirming.said_once(request), "relay": kept.relay_on()}
    return render(request, "contacts/overview.html", context)


@login_required
@never_cache
@require_safe
def one(request: HttpRequest, contact: UUID) -> HttpResponse:
    """Show where to write, until when, what is hidden and what is taken out."""
    person = who_finds(request, Task.CONTACT)
    found = kept.contact(contact, by=person)
    fields = [Field.EMAIL]
    mine = privacy.masked_many([found.mine], fields, by=person).get(found.mine, {})
    context = {"line": _line(found), "from": mine.get(Field.EMAIL, ""), "said": confirming.said_once(request)}
    return render(request, "contacts/one.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def open_one(request: HttpRequest) -> HttpResponse:
    """Ask about which parcel and to whom; open the contact, or show the one that is open."""
    person, post = who_finds(request, Task.CONTACT), request.POST
    senders = kept.senders_to_write_for(by=person)
    number = (post.get("item") or request.GET.get("item", ""))[:TYPED_LENGTH_MAX].strip()
    context: dict[str, Any] = {
        "item": number,
        "senders": [(str(each.token), name) for each, name in _named(senders, person)],
        "chosen": post.get("sender", str(senders[0].token) if len(senders) == 1 else ""),
        "by_sender": person.organisation is not None,
        "relay": kept.relay_on(),
    }
    if request.method != "POST":
        context["item"] = _typed_as(number, request)
        return render(request, "contacts/open.html", context)
    allow(request, "contact", TRIES_PER_MINUTE)
    try:
        item = _item(number)
        sender = next((each for each in senders if str(each.token) == context["chosen"]), None)
        if sender is None:
            raise _Wrong(_("Choose a sender."), "sender-1")
        other = sender.addressee or _addressee(post.get("email", "")[:TYPED_LENGTH_MAX].strip(), person)
        opened = parcels.open_contact(item, sender.token, other, by=person, now=timezone.now())
    except ParcelwardError as refused:
        context |= {"problem": _(refused.message), "to": getattr(refused, "where", "item")}
        return render(request, "contacts/open.html", context, status=refused.status)
    return HttpResponseRedirect(reverse("contact", args=[opened.ref]))


class _Wrong(Invalid):
    """What was typed is not enough; `where` is the field."""

    def __init__(self, message: str, where: str) -> None:
        super().__init__(message)
        self.where = where


def _named(senders: tuple[Sender, ...], person: Person) -> list[tuple[Sender, str]]:
    """Return each sender with what tells them apart: masked for their own people, their organisation for others."""
    if person.organisation is None:
        names = who.names_of_senders([each.tenant for each in senders])
        return [(each, names.get(each.tenant, _("A sender"))) for each in senders]
    fields = [Field.NAME, Field.EMAIL]
    masked = privacy.masked_many([each.token for each in senders], fields, by=person) if senders else {}
    return [(each, " · ".join(masked[each.token].values())) for each in senders if each.token in masked]


def _found(number: str) -> UUID | None:
    try:
        return queries.find(number) if number else None
    except BadItemNumber:
        return None


def _typed_as(number: str, request: HttpRequest) -> str:
    """Return the number that a link's id stands for, as people know it; what leads to nothing stays as it is."""
    if number:
        allow(request, "contact", TRIES_PER_MINUTE)
    item = _found(number)
    return number if item is None else queries.journey(item).number


def _item(number: str) -> UUID:
    item = _found(number)
    if item is None:
        raise _Wrong(_("We have nothing under this number that we may show."), "item")
    return item


def _addressee(email: str, person: Person) -> VaultToken:
    """Return whom the sender's organisation keeps under this address; the search stands in that person's trail."""
    if not email:
        raise _Wrong(_("Enter the addressee's e-mail address."), "email")
    for token in _kept_by(email, person):
        if kept.kept(token).kind is Kind.ADDRESSEE:
            return token
    raise _Wrong(_("Your organisation keeps no addressee with this e-mail address."), "email")


def _kept_by(email: str, person: Person) -> tuple[VaultToken, ...]:
    """Return who has this e-mail address among the people that the person's organisation keeps."""
    try:
        return privacy.find(Field.EMAIL, email, purpose=Purpose.CONTACT, by=person)
    except Invalid as bad:
        raise _Wrong(_("Enter the addressee's e-mail address."), "email") from bad


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, contact: UUID) -> HttpResponse:
    """Close a contact at once, after a last question."""
    person = who_finds(request, Task.CONTACT)
    found = kept.contact(contact, by=person)
    question = confirming.Question(
        title=_("Close this contact?"),
        words=(
            _("From then on nothing that either of you writes to these addresses is passed on."),
            _("You can open another one while the parcel travels; it has other addresses."),
        ),
        button=_("Close it"),
        back=reverse("contact", args=[contact]),
        warns=True,
        about=((_("Address"), found.write_to),),
    )

    def act(_reason: str) -> None:
        privacy.close_contact(contact, by=person, now=timezone.now())

    return confirming.confirmed(request, question, act, said=_("It is closed."), to=HOME)


urlpatterns = [
    path("app/contacts", overview, name="contacts"),
    path("app/contacts/open", open_one, name="open_contact"),
    path("app/contacts/<uuid:contact>", one, name="contact"),
    path("app/contacts/<uuid:contact>/close", close, name="close_contact"),
]
