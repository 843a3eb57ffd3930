"""What everybody may see: the one field, the journey, and whether a message is ours."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.base.standards import carriers
from parcelward.base.standards.errors import BadItemNumber
from parcelward.base.standards.steps import Step
from parcelward.doors.api import problems
from parcelward.doors.portals import desk_shown, errors, jsonld, shown
from parcelward.doors.throttle import allow
from parcelward.network import queries as network
from parcelward.parcels import queries
from parcelward.parcels.wire import Journey

LOOKS_PER_MINUTE: Final = 60  # a page left open asks four times a minute; a person cannot read sixty
TYPED_LENGTH_MAX: Final = 512
POLL_S: Final = 15
LANGUAGE_KEPT_S: Final = 365 * 24 * 3600


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Where is my parcel: one field that recognises any number, and the doors for everybody else."""
    typed = request.GET.get("number", "")[:TYPED_LENGTH_MAX]
    if not typed.strip():
        problem = _("Enter the number of your parcel.") if "number" in request.GET else ""
        return render(request, "home.html", {"problem": problem}, status=422 if problem else 200)
    allow(request, "track", LOOKS_PER_MINUTE)
    try:
        item = queries.find(typed)
    except BadItemNumber as bad:
        return _not_read(request, typed, bad)
    if item is None:
        context = {
            "typed": typed,
            "problem": _("We have nothing under this number that we may show."),
            "unknown": True,
            "others": _other_carriers(typed),
        }
        return render(request, "home.html", context, status=404)
    return HttpResponseRedirect(_track_url(queries.journey(item)))


def _track_url(journey: Journey) -> str:
    """Return the journey's own address: under its number where that can stand in one, else under its id."""
    name = journey.number if journey.number.isalnum() else journey.public_id
    return reverse("track", args=[quote(name, safe="")])


def _not_read(request: HttpRequest, typed: str, bad: BadItemNumber) -> HttpResponse:
    """Say what was wrong with a number; and whose it looks like where another carrier's format fits."""
    otherwise = _("This does not look like a parcel number. Compare each character with the label.")
    context = {"typed": typed, "problem": errors.in_words(bad, otherwise=otherwise), "others": _other_carriers(typed)}
    if context["others"]:
        context["problem"] = _("This does not look like one of our numbers.")
    return render(request, "home.html", context, status=422)


def _other_carriers(typed: str) -> tuple[carriers.Recognised, ...]:
    """Return whose number it may be, one reading a carrier; a mere shape only where no check digit fits.

    A number of the postal union that names our own country is ours to know, not another carrier's.
    """
    here = config.get().country
    readings = [reading for reading in carriers.recognise(typed) if (reading.courier, reading.country) != ("s10", here)]
    checked = [reading for reading in readings if reading.checked] or readings
    first: dict[str, carriers.Recognised] = {}
    for reading in checked:
        first.setdefault(reading.operator or reading.courier_name, reading)
    return tuple(first.values())[:3]


@require_safe
@vary_on_headers("HX-Request", "Accept-Language", "Cookie")
def track(request: HttpRequest, item_id: str) -> HttpResponse:
    """One item's public journey: a page, the part of it that lives, or JSON-LD (`?format=json`)."""
    as_json = request.GET.get("format") == "json"
    allow(request, "track", LOOKS_PER_MINUTE)
    try:
        item = queries.find(item_id)
    except BadItemNumber:
        item = None
    if item is None:
        if as_json:
            return problems.response(request, NotFound("There is nothing here to show."))
        return errors.page(request, 404, code="not_found")
    journey = queries.journey(item)
    ours = config.get()
    told = jsonld.parcel_delivery(journey, public_url=ours.public_url, operator=ours.operator)
    if as_json:
        return _kept_short(
            JsonResponse(told, content_type="application/ld+json", json_dumps_params={"ensure_ascii": False})
        )
    part = render_to_string("_journey.html", _journey_context(journey, now=timezone.now()), request)
    if request.headers.get("HX-Request") == "true":
        return _part(request, part)
    context = {
        "journey": journey,
        "number": shown.grouped(journey.number),
        "part": part,
        "headline": desk_shown.headline(journey),
        "etag": _etag(part),
    }
    context |= {
        "jsonld": jsonld.in_page(told),
        "contact": bool(ours.relay_domain) and not journey.shredded and not journey.receptacle,
    }
    return _kept_short(render(request, "track.html", context))


def _journey_context(journey: Journey, *, now: dt.datetime) -> dict[str, object]:
    newest = journey.timeline[0].place if journey.timeline else None
    spots = shown.spots(journey.timeline)
    return {
        "journey": journey,
        "number": shown.grouped(journey.number),
        "headline": desk_shown.headline(journey),
        "stages": () if journey.receptacle else shown.stages(journey),
        "action": shown.action(journey.action_required, now=now, zone=shown.zone_of(newest)),
        "collect": _collect(journey, now=now),
        "why": shown.why(journey.reason),
        "proof": shown.proof(journey),
        "days": shown.days(journey.timeline, now=now, receptacle=journey.receptacle),
        "zone": shown.one_zone(journey.timeline),
        "spots": spots,
        "spots_json": jsonld.in_page(
            [[s.name, s.longitude, s.latitude, s.newest] for s in spots if s.longitude is not None]
        ),
        "poll_s": POLL_S,
    }


def _collect(journey: Journey, *, now: dt.datetime) -> str:
    """Say when the place is open where the item waits to be collected; empty where it does not, or nobody has said."""
    if journey.step is not Step.AT_COLLECTION_POINT:
        return ""
    waits = (e.place for e in journey.timeline if e.step is journey.step and e.source == "observed" and not e.corrected)
    place = next(waits, None)
    opening = None if place is None else network.next_opening(place.code, after=now)
    return "" if place is None or opening is None else shown.opening(place, opening.opens, opening.closes, now=now)


def _etag(part: str) -> str:
    return f'"{hashlib.sha256(part.encode()).hexdigest()[:32]}"'


def _part(request: HttpRequest, part: str) -> HttpResponse:
    """Return the living part, or 304 where the reader already has it."""
    etag = _etag(part)
    response = HttpResponse(part)
    response["ETag"] = etag
    return _kept_short(get_conditional_response(request, etag=etag, response=response) or response)


def _kept_short(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-cache"
    return response


@require_safe
def check_message(request: HttpRequest) -> HttpResponse:
    """Is a message about this parcel really from us? What we never ask for."""
    return render(request, "check_message.html")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """Say what our own terms in a journey's JSON-LD mean: its context leads here."""
    return render(request, "terms.html", {"terms": jsonld.TERMS.items()})


@require_safe
def language(request: HttpRequest, code: str) -> HttpResponse:
    """Remember the reader's language in a cookie and go back to where they were; nothing else is stored."""
    back = request.GET.get("next", "/")
    secure = request.is_secure()
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=secure):
        back = "/"
    response = HttpResponseRedirect(back)
    if code in dict(settings.LANGUAGES) and check_for_language(code):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=LANGUAGE_KEPT_S,
            secure=settings.SECURE,
            httponly=True,
            samesite="Lax",
        )
    return response
