"""The page on which an addressee checks a history: its table, its words, and the program that checks it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from parcelward.base.standards.errors import BadItemNumber
from parcelward.base.standards.steps import CODES
from parcelward.doors.portals import assets, errors, shown
from parcelward.doors.throttle import allow
from parcelward.parcels import proofs, queries
from parcelward.parcels.proofs import RecordedEvent
from parcelward.parcels.wire import Journey

LOOKS_PER_MINUTE: Final = 30  # the page itself asks for its table again while events wait for a checkpoint
MODULES: Final = (
    "parcelward/verify.js",
    "parcelward/addressee.js",
    "parcelward/shown.js",
    "parcelward/ed25519.js",
)
VERIFIER: Final = "parcelward/verify.html"


@dataclass(frozen=True, slots=True)
class Row:
    """One event as the page shows it and as its public group says it; the browser compares the two."""

    id: str  # 32 hex digits
    at: str  # as recorded: 2026-11-22T10:00:00.000000Z
    time: str  # 2026-11-22 10:00:00 UTC
    step: str
    words: str
    code: str
    place: str
    corrected: bool
    correction: bool


@require_safe
def proof(request: HttpRequest, item_id: str) -> HttpResponse:
    """Show the proof page of one item; unknown and forbidden look alike."""
    allow(request, "proof", LOOKS_PER_MINUTE)
    try:
        item = queries.find(item_id)
    except BadItemNumber:
        item = None
    if item is None:
        return errors.page(request, 404, code="not_found")
    response = render(request, "proof.html", _context(queries.journey(item), rows(proofs.recorded(item))))
    response["Cache-Control"] = "private, no-cache"
    return response


def rows(recorded: Iterable[RecordedEvent]) -> tuple[Row, ...]:
    """Return a row for every recorded event; what is derived or assumed in a timeline is no event."""
    return tuple(_row(event) for event in recorded)


def _row(event: RecordedEvent) -> Row:
    at = event.event_time.astimezone(dt.UTC)
    return Row(
        id=event.event_id.hex,
        at=at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        time=at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        step=event.step.word,
        words=_(CODES[event.step].customer),
        code=event.place_code,
        place=event.place_name,
        corrected=event.corrected,
        correction=event.correction,
    )


def step_words() -> dict[str, str]:
    """Return what customers read for each step, by our word."""
    return {step.word: _(codes.customer) for step, codes in CODES.items()}


def _context(journey: Journey, shown_rows: tuple[Row, ...]) -> dict[str, Any]:
    verifier = assets.named(VERIFIER)
    return {
        "journey": journey,
        "number": shown.grouped(journey.number),
        "rows": shown_rows,
        "more": journey.events_total - len(shown_rows),
        "texts": texts(),
        "steps": (
            {"number": 1, "title": _("1. This history was recorded")},
            {"number": 2, "title": _("2. The record only ever grew")},
            {"number": 3, "title": _("3. Others saw the same")},
        ),
        "script": assets.named("parcelward/proof.js"),
        "css": assets.named("parcelward/proof.css"),
        "import_map": import_map(),
        "verifier": verifier,
        "verifier_sha256": hashlib.sha256((assets.FOLDER / VERIFIER).read_bytes()).hexdigest() if verifier else "",
    }


def import_map(modules: Iterable[str] = MODULES) -> SafeString:
    """Return the import map that gives a page's modules their versioned addresses and integrity hashes."""
    found = {assets.PREFIX + name: held for name in modules if (held := assets.named(name))}
    held_map = {
        "imports": {name: held.url for name, held in found.items()},
        "integrity": {held.url: held.integrity for held in found.values()},
    }
    return mark_safe(json.dumps(held_map))  # noqa: S308 -- addresses and hashes of our own files: nothing to escape


def texts() -> dict[str, Any]:
    """Return every sentence that the page's program may say, translated; `{name}` is filled in by the program."""
    return {
        "steps": step_words(),
        "results": {
            "checking": _("Checking"),
            "good": _("Proven."),
            "limited": _("Nothing to compare."),
            "waiting": _("Not all of it yet."),
            "unknown": _("Not checked."),
            "bad": _("Failed."),
        },
        "recorded": _("Entries recomputed, compared with this page, and found in the record: {proven} of {total}."),
        "pending": _("Being recorded: {pending}. Try again in a second."),
        "empty": _("Nothing has been recorded about this parcel yet."),
        "partial": _("This parcel has {all} entries. This page shows and checks the newest {total} of them."),
        "shredded": _(
            "Entries that nobody can open any more: {closed} of {total}. They stay in the record, unread; found there, "
            "unchanged: {proven}. That they were closed is an entry of its own in the record."
        ),
        "first": _(
            "This browser has not been here before. It now remembers the record with {to} entries and will check, "
            "when you come back, that they are all still there."
        ),
        "unchanged": _("The record is the one that this browser saw before: {to} entries, all unchanged."),
        "grew": _("Since this browser was last here, the record only grew: from {from} to {to} entries, none changed."),
        "parcel_first": _("It now remembers the entries of this parcel, too."),
        "parcel_known": _("Of this parcel it saw {number} entries before: they are the same today."),
        "reused": _(
            "Under this number this browser saw another parcel before. Numbers are used again after some years; if "
            "that parcel was still on its way, tell somebody outside."
        ),
        "witnessed": _("Independent witnesses that signed the same record: {count} of {known}; last at {time}."),
        "witnessed_older": _(
            "Independent witnesses that signed the record: {count} of {known}, last at {time}, at {size} entries. That "
            "covers {covered} of {total} entries of this parcel; the newest follow with their next signature."
        ),
        "unwitnessed": _(
            "No independent witness is required for this record, so nobody outside vouches for it yet. "
            "Witnesses that signed: {count} of {known}."
        ),
        "addressee_event": _("Event {number}:"),
        "addressee": {"weight_g": _("weighed: {value} g"), "size_mm": _("measured: {value} mm")},
        "alert": _("This history does not hold"),
        "not_checked": _("This history could not be checked just now"),
        "not_reached": _("An earlier step has to hold first."),
        "failed": _failures(),
    }


def _failures() -> dict[str, str]:
    """Return one sentence for each way in which a check can fail (the codes of verify.js)."""
    return {
        "shown": _("What this page shows is not what was recorded."),
        "commitment": _("An event was changed after it was recorded."),
        "chain": _("Events are missing, were put in another order, or belong to another parcel."),
        "inclusion": _("An event is not in the public record where it is said to be."),
        "tile": _("A part of the public record is missing or damaged."),
        "tombstone": _("It is said that this history was destroyed, and the record has no entry that says so."),
        "signature": _("A signature on the record is false."),
        "origin": _("The record is not the one that it should be."),
        "shrunk": _("The record is shorter than it was when it was seen before: entries were taken out."),
        "forked": _("The record is not the one that was seen before: old entries were changed."),
        "rewritten": _("Of this parcel this browser saw other entries before: they were taken out or exchanged."),
        "witness": _("Too few independent witnesses signed this record, although they should have."),
        "link": _("What was recorded for the addressee does not fit your link. Check that the link is complete."),
        "malformed": _("The answer is not in the form that it must have."),
        "browser": _(
            "This browser does not offer the functions to check with, or only on secure pages. Use verify.html in a "
            "newer browser, or the command: parcelward verify."
        ),
        "unreachable": _(
            "The public record could not be read. That says nothing about your parcel: try again in a minute."
        ),
        "broken": _("The check itself broke off. That says nothing about your parcel: try again, or use verify.html."),
        "other": _("A check failed."),
    }
