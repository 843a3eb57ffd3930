"""What takes two people at an item's story: its erasure, and its release from a hold for security; and legal holds."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.doors.portals import desk, desk_shown, shown
from parcelward.doors.portals.accounts import guard
from parcelward.doors.portals.confirming import Question, confirmed
from parcelward.doors.portals.two_people import LIST
from parcelward.parcels import actions, queries
from parcelward.people.queries import may
from parcelward.people.wire import Person, Task

REASON_MAX: Final = 200


def _item(request: HttpRequest, item_id: str, task: Task) -> tuple[UUID, str, str, Person]:
    """Return the item, its number, the address of its story, and who asks; NotFound for who may not."""
    by = guard.person(request)
    if not may(by, task):
        raise NotFound("There is nothing here to show.")
    item = desk.item_of(item_id)
    journey = queries.journey(item)
    return item, shown.grouped(journey.number), desk_shown.link(item=journey.public_id), by


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def release_security(request: HttpRequest, item_id: str) -> HttpResponse:
    """Ask for the release of an item that is held for security."""
    item, number, back, by = _item(request, item_id, Task.RELEASE_SECURITY)
    question = Question(
        _("Release this item?"),
        (_("It is held for security: another person must agree before it goes on."),),
        _("Ask for its release"),
        back,
        reason_max=desk.REASON_LENGTH_MAX,
        about=((_("Item"), number),),
    )

    def act(reason: str) -> None:
        actions.ask_release(item, reason, by=by)

    said = _("%(number)s is released when another person agrees.") % {"number": number}
    return confirmed(request, question, act, said=said, to=LIST)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def erase(request: HttpRequest, item_id: str) -> HttpResponse:
    """Ask for the erasure of an item's record."""
    item, number, back, by = _item(request, item_id, Task.SHRED)
    question = Question(
        _("Erase the record of this item?"),
        (
            _("Nobody can read its events any more, for good, nor from a backup. The log still proves that they were."),
            _("Another person must agree; then it waits %(n)s days.") % {"n": config.get().erasure_wait_days},
        ),
        _("Ask for its erasure"),
        back,
        warns=True,
        reason_max=REASON_MAX,
        about=((_("Item"), number),),
    )

    def act(reason: str) -> None:
        actions.request_erasure(item, reason, by=by)

    said = _("The record of %(number)s is erased when another person agrees.") % {"number": number}
    return confirmed(request, question, act, said=said, to=LIST)


@guard.fresh_proof
@require_http_methods(["GET", "HEAD", "POST"])
def legal_hold(request: HttpRequest, item_id: str) -> HttpResponse:
    """Keep an item's record whatever is asked; or, where a legal hold stands, lift it."""
    item, number, back, by = _item(request, item_id, Task.SHRED)
    reason = queries.legal_hold(item, by=by)
    if reason:
        question = Question(
            _("Lift the legal hold?"),
            (_("From then on its record can be erased again, when two people agree."),),
            _("Lift the legal hold"),
            back,
            warns=True,
            about=((_("Item"), number), (_("Held because"), reason)),
        )
        said = _("The legal hold of %(number)s is lifted.") % {"number": number}
        return confirmed(request, question, lambda _r: actions.lift_legal_hold(item, by=by), said=said, to=back)
    question = Question(
        _("Place a legal hold?"),
        (_("Nobody can erase its record until it is lifted. The item itself goes on."),),
        _("Place a legal hold"),
        back,
        reason_max=REASON_MAX,
        about=((_("Item"), number),),
    )
    said = _("A legal hold keeps the record of %(number)s.") % {"number": number}
    return confirmed(request, question, lambda why: actions.place_legal_hold(item, why, by=by), said=said, to=back)


urlpatterns = [
    path("app/desk/items/<str:item_id>/release-security", release_security, name="release_security"),
    path("app/desk/items/<str:item_id>/erase", erase, name="erase"),
    path("app/desk/items/<str:item_id>/legal-hold", legal_hold, name="legal_hold"),
]
