"""The desk: what needs somebody, the list of it, and the one thing with its whole story."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcelward.base import config
from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.base.standards.errors import BadItemNumber
from parcelward.doors.portals import desk_shown, moments, shown, two_people
from parcelward.doors.portals.desk_words import kind_name, role_name
from parcelward.parcels import actions, queries
from parcelward.people.queries import may, person_of
from parcelward.people.wire import Person, Role, Task
from parcelward.privacy import queries as kept

ROWS_MAX: Final = 50  # of a list at once: with two full lists and all its parts the page stays under 100 kB
TYPED_LENGTH_MAX: Final = 512
RAW_LENGTH_MAX: Final = 20_000
NOTE_LENGTH_MAX: Final = 200  # why an event was dismissed; actions/desk.py has the same
REASON_LENGTH_MAX: Final = 40  # why an item is held, released or corrected: a field of the event (ScanIn.reason)
INSIDE_OPEN_MAX: Final = 8  # a longer list of contents is folded, so that the events stay in sight
POLL_S: Final = 10
SAID: Final = desk_shown.SAID
BY_PROGRAM: Final = frozenset({Role.PLANNER, Role.AUDITOR, Role.OFFICER})
"""Roles whose work has no screen here: the start page says by which means it is done."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks the desk to show."""

    queue: str  # alerts or quarantine
    kind: str
    row: int  # 0: none chosen
    item: str  # a number typed or followed
    start: int = 0  # row that the list starts with; 0: the newest
    typed: dict[str, str] = field(default_factory=dict)  # what a refused form had held: nothing typed is ever lost
    problem: str = ""

    @classmethod
    def parse(cls, request: HttpRequest) -> Asked:
        """Read the address; what makes no sense means the start."""
        queue = request.GET.get("queue", "alerts")
        return cls(
            queue=queue if queue in {"alerts", "quarantine"} else "alerts",
            kind=request.GET.get("kind", "")[:40],
            row=_id_in(request.GET.get("row", "")),
            item=request.GET.get("item", "")[:TYPED_LENGTH_MAX].strip(),
            start=_id_in(request.GET.get("from", "")),
        )


def _id_in(text: str) -> int:
    """Return the row's id that an address or a form names; 0 for what can be none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0  # noqa: PLR2004 -- fits a bigint


@login_required
@never_cache
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Lead each role to what it is here for."""
    person = person_of(request.user)
    context = {
        "role": role_name(person.role),
        "may_desk": may(person, Task.READ_DESK),
        "may_prove_self": may(person, Task.PROVE_SELF),
        "may_prove_others": may(person, Task.PROVE_OTHERS),
        "may_review_proofs": may(person, Task.REVIEW_PROOFS),
        "may_review_orders": may(person, Task.REVIEW_ORDER),
        "may_photograph": may(person, Task.PHOTOGRAPH) and queries.photos_are_read(),
        "may_open_label": may(person, Task.OPEN_LABEL),
        "may_lend": may(person, Task.LEND_KEYS),
    }
    context["may_rules"] = may(person, Task.READ_DECISIONS)
    context |= {"may_balance": may(person, Task.READ_BALANCE), "may_webhooks": may(person, Task.MANAGE_WEBHOOKS)}
    context |= {"may_order": may(person, Task.ORDER), "may_orders": may(person, Task.READ_ORDERS)}
    context["may_contact"] = may(person, Task.CONTACT) and kept.relay_on()
    context |= {"may_own_data": may(person, Task.OWN_DATA), "may_answer_rights": may(person, Task.ANSWER_RIGHTS)}
    context |= {"may_devices": may(person, Task.ENROL_DEVICE), "may_keys": may(person, Task.MANAGE_KEYS)}
    context |= {
        "may_two": any(may(person, task) for task in two_people.TASKS),
        "may_members": may(person, Task.MANAGE_MEMBERS) and person.organisation is not None,
        "may_organisations": may(person, Task.MANAGE_ORGANISATIONS),
    }
    context["by_program"] = person.role.value if person.role in BY_PROGRAM else ""
    return render(request, "start.html", context)


@login_required
@never_cache
@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """Show the three panes; the figures alone where the page asks for them."""
    person = person_of(request.user)
    if request.headers.get("HX-Target") == "figures":
        return render(request, "_figures.html", _figures_context(person))
    return _show(request, person, Asked.parse(request))


def _show(request: HttpRequest, person: Person, asked: Asked, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    context = {"asked": asked, "said": request.session.pop(SAID, ""), "person": person, **_figures_context(person)}
    live = context["live"]
    context["queues"] = desk_shown.queues(live.open_by_kind, queue="" if asked.item else asked.queue, kind=asked.kind)
    context["may_repair"] = may(person, Task.REPAIR)
    context["waiting"] = two_people.waiting(person)
    number = asked.item
    if asked.queue == desk_shown.QUARANTINE:
        context.update(_quarantine_context(asked, person, now, live.open_by_kind))
    else:
        context.update(_alerts_context(asked, person, now, live.open_by_kind))
        number = number or (context["alert"].item_number if context["alert"] else "")
    context["list_name"] = next((q.name for q in context["queues"] if q.current), _("Exceptions"))
    if number:
        chosen = context.get("alert")
        context.update(_story_context(number, person, now, marked=chosen.event_id if chosen else None))
    return render(request, "desk.html", context, status=status)


def _quarantine_context(asked: Asked, person: Person, now: Any, open_by_kind: Mapping[str, int]) -> dict[str, Any]:
    """Return the list of bad events, and the one that was chosen, whatever its age."""
    chosen = queries.quarantined_event(asked.row, by=person) if asked.row else None
    start = asked.start
    part = queries.quarantined(by=person, start=start, limit=ROWS_MAX)
    if chosen and not start and chosen.quarantine_id not in {q.quarantine_id for q in part.rows}:
        start = chosen.quarantine_id  # the list starts where the chosen one stands, or stood
        part = queries.quarantined(by=person, start=start, limit=ROWS_MAX)
    total = open_by_kind.get(desk_shown.QUARANTINE, 0)
    context = {
        "rows": desk_shown.quarantine_rows(part.rows, row=asked.row, start=start, now=now),
        "pages": desk_shown.pages(part, total, queue=desk_shown.QUARANTINE, kind=""),
        "start": start,
        "refused": chosen,
    }
    if chosen:
        context |= {"refused_kind": kind_name(chosen.code), "refused_words": _(chosen.message)}
    return context


def _alerts_context(asked: Asked, person: Person, now: Any, open_by_kind: Mapping[str, int]) -> dict[str, Any]:
    """Return the list of alerts, and the one that was chosen, whatever its age."""
    chosen = queries.alert(asked.row, by=person) if asked.row else None
    start = asked.start
    part = queries.alerts(by=person, kind=asked.kind, start=start, limit=ROWS_MAX)
    if chosen and not start and chosen.alert_id not in {a.alert_id for a in part.rows}:
        start = chosen.alert_id  # the list starts where the chosen one stands, or stood
        part = queries.alerts(by=person, kind=asked.kind, start=start, limit=ROWS_MAX)
    all_kinds = sum(n for k, n in open_by_kind.items() if k != desk_shown.QUARANTINE)
    return {
        "rows": desk_shown.alert_rows(part.rows, kind=asked.kind, row=asked.row, start=start, now=now),
        "pages": desk_shown.pages(
            part, open_by_kind.get(asked.kind, 0) if asked.kind else all_kinds, queue="alerts", kind=asked.kind
        ),
        "start": start,
        "alert": chosen,
        "alert_kind": kind_name(chosen.kind) if chosen else "",
        "alert_clock": moments.zone_of(chosen.time_zone) if chosen else None,
    }


def _figures_context(person: Person) -> dict[str, Any]:
    live = queries.throughput(by=person)
    return {
        "live": live,
        "figures": desk_shown.figures(live, witnesses=len(config.get().witnesses)),
        "spark": desk_shown.spark(live.events_per_second),
        "poll_s": POLL_S,
    }


def _story_context(number: str, person: Person, now: Any, *, marked: UUID | None = None) -> dict[str, Any]:
    """Return the one item with its whole story, or what to say when there is none.

    `marked` is the event at which the alert beside it was noticed.
    """
    try:
        item = queries.find(number)
    except BadItemNumber as bad:
        return {"search_problem": _(bad.message)}
    if item is None:
        return {"search_problem": _("No item has this number.")}
    journey = queries.journey(item)
    return {
        "journey": journey,
        "number": shown.grouped(journey.number),
        "events": desk_shown.event_rows(queries.story(item, by=person), journey.timeline, now=now),
        "zone": shown.one_zone(journey.timeline),
        "contents": desk_shown.contents(queries.inside(item, by=person), journey.timeline),
        "inside_open_max": INSIDE_OPEN_MAX,
        "headline": desk_shown.headline(journey),
        "marked": marked.hex if marked else "",
        "held": journey.held,
        "may_hold": may(person, Task.HOLD) and not journey.held and not journey.shredded,
        "may_correct": may(person, Task.CORRECT) and not journey.shredded,
        "may_erase": may(person, Task.SHRED) and not journey.shredded,
        "may_release": may(person, Task.RELEASE) and journey.held and not journey.shredded,
    }


def _done(request: HttpRequest, said: str, to: str) -> HttpResponse:
    request.session[SAID] = said
    return HttpResponseRedirect(to)


def _given(reason: str, *, length_max: int) -> str:
    """Return the reason, or raise Invalid for none or for one that is too long to be kept."""
    if not reason:
        raise Invalid(_("Give a reason: it is kept for good."))
    if len(reason) > length_max:
        raise Invalid(_("Give a shorter reason: at most %(n)s characters.") % {"n": length_max})
    return reason


def _list(request: HttpRequest, queue: str, kind: str = "") -> str:
    """Return the address of the list where the form was opened, at the part that was in sight."""
    return desk_shown.link(queue=queue, kind=kind, **{"from": _id_in(request.POST.get("from", "")) or ""})


def _kind_of(request: HttpRequest) -> str:
    return request.POST.get("kind", "")[:40]


@login_required
@never_cache
@require_POST
def close_alert(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Close an alert that somebody has looked after."""
    person, kind = person_of(request.user), _kind_of(request)
    actions.close_alert(alert_id, by=person)
    return _done(request, _("Alert closed."), _list(request, "alerts", kind))


@login_required
@never_cache
@require_POST
def resubmit(request: HttpRequest, quarantine_id: int) -> HttpResponse:
    """Send a repaired event again; what is still wrong is said beside the field."""
    person = person_of(request.user)
    repaired = request.POST.get("repaired", "")[:RAW_LENGTH_MAX]
    try:
        actions.resubmit(quarantine_id, repaired, by=person)
    except (Invalid, Conflict) as refused:
        asked = Asked(
            "quarantine",
            "",
            quarantine_id,
            "",
            _id_in(request.POST.get("from", "")),
            {"repaired": repaired},
            _(refused.message),
        )
        return _show(request, person, asked, status=refused.status)
    return _done(request, _("Event repaired and sent again."), _list(request, desk_shown.QUARANTINE))


@login_required
@never_cache
@require_POST
def dismiss(request: HttpRequest, quarantine_id: int) -> HttpResponse:
    """Dismiss a bad event for good, with a reason."""
    person = person_of(request.user)
    reason = request.POST.get("reason", "")[:TYPED_LENGTH_MAX].strip()
    try:
        actions.dismiss(quarantine_id, _given(reason, length_max=NOTE_LENGTH_MAX), by=person)
    except (Invalid, Conflict) as refused:
        asked = Asked(
            "quarantine",
            "",
            quarantine_id,
            "",
            _id_in(request.POST.get("from", "")),
            {"reason": reason, "dismissing": "yes"},
            _(refused.message),
        )
        return _show(request, person, asked, status=refused.status)
    return _done(request, _("Event dismissed."), _list(request, desk_shown.QUARANTINE))


def _confirmed(
    request: HttpRequest, item_id: str, *, what: str, task: Task, act: Callable[..., object], said: str
) -> HttpResponse:
    """Ask for a reason on a page of its own, which is the confirmation; then act."""
    person = person_of(request.user)
    if not may(person, task):
        # The action asks again: this only keeps a page from being shown that could not be used.
        raise NotFound("There is nothing here to show.")
    item = item_of(item_id)
    journey = queries.journey(item)
    reason, problem, status = "", "", 200
    if request.method == "POST":
        reason = request.POST.get("reason", "")[:TYPED_LENGTH_MAX].strip()
        try:
            act(item, _given(reason, length_max=REASON_LENGTH_MAX), by=person)
        except (Invalid, Conflict) as refused:
            problem, status = _(refused.message), refused.status
        else:
            words = said % {"number": shown.grouped(journey.number)}
            return _done(request, words, desk_shown.link(item=journey.public_id))
    context = {
        "what": what,
        "journey": journey,
        "headline": desk_shown.headline(journey),
        "number": shown.grouped(journey.number),
        "reason": reason,
        "reason_length_max": REASON_LENGTH_MAX,
        "problem": problem,
        "back": desk_shown.link(item=journey.public_id),
        "person": person,
    }
    return render(request, "confirm.html", context, status=status)


def item_of(item_id: str) -> UUID:
    """Return the item that an address names, or raise NotFound."""
    try:
        item = queries.find(item_id)
    except BadItemNumber:
        item = None
    if item is None:
        raise NotFound("There is nothing here to show.")
    return item


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def hold(request: HttpRequest, item_id: str) -> HttpResponse:
    """Stop an item where it is next seen."""
    return _confirmed(request, item_id, what="hold", task=Task.HOLD, act=actions.hold, said=_("%(number)s is held."))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, item_id: str) -> HttpResponse:
    """Let a held item go on; one that is held for security needs a second person."""
    if queries.held_for_security(item_of(item_id)):
        return HttpResponseRedirect(f"/app/desk/items/{item_id}/release-security")
    return _confirmed(
        request, item_id, what="release", task=Task.RELEASE, act=actions.release, said=_("%(number)s is released.")
    )
