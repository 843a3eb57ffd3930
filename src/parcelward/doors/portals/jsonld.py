"""A journey as JSON-LD: schema.org's `ParcelDelivery` and `DeliveryEvent`, with our own terms named.

What schema.org has no word for (how we know it, whether it is proven) stands under terms that the context maps.
"""

from __future__ import annotations

import json
from typing import Any, Final

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from parcelward.base.standards.steps import CODES
from parcelward.doors.portals import shown
from parcelward.parcels.wire import Journey, TimelineEntry

TERMS: Final = {
    "step": gettext_lazy("The last thing that happened, in our own word, such as out_for_delivery."),
    "tracker_status": gettext_lazy("The same, as one of the ten statuses that shops know."),
    "reason": gettext_lazy("Why it is held, was not delivered or goes back; empty where there is nothing to explain."),
    "action_required": gettext_lazy("What somebody has to do before it goes on; null where nobody has."),
    "who": gettext_lazy("Of an action: who has to do it."),
    "what": gettext_lazy("Of an action: what is to be done."),
    "by": gettext_lazy("Of an action: until when; null where there is no limit."),
    "source": gettext_lazy("How we know: observed, derived from the container it was in, or assumed from a manifest."),
    "corrected": gettext_lazy("Whether the event was declared wrong later; it stays in the list."),
    "proven": gettext_lazy("Whether the event stands in the public log under a published checkpoint."),
    "simulated": gettext_lazy("Whether the parcel was made up by a simulator."),
    "mode": gettext_lazy("Whether this installation carries real parcels (live) or only simulated ones (test)."),
    "events_total": gettext_lazy("How many events were recorded of the parcel."),
    "events_proven": gettext_lazy("How many of them stand in the public log under a published checkpoint."),
    "proof_url": gettext_lazy("The page on which a browser checks that."),
}
"""Our own terms and what each means; `/terms` shows them, so that the context's addresses lead somewhere."""
IN_HTML: Final = {ord("<"): "\\u003C", ord(">"): "\\u003E", ord("&"): "\\u0026"}
"""Keeps a text from ending the script element that carries it (the same three that Django's json_script escapes)."""


def _event(entry: TimelineEntry) -> dict[str, Any]:
    event: dict[str, Any] = {
        "@type": "DeliveryEvent",
        "name": _(CODES[entry.step].customer),
        "startDate": entry.event_time.astimezone(shown.zone_of(entry.place)).isoformat(),
        "step": entry.step.word,
        "source": entry.source,
        "corrected": entry.corrected,
        "proven": entry.proven,
    }
    if entry.event_id is not None:
        event["identifier"] = f"evt_{entry.event_id.hex}"
    if entry.place is not None:
        location: dict[str, Any] = {"@type": "Place", "name": entry.place.coarse}
        if entry.place.position is not None:
            longitude, latitude = entry.place.position
            location["geo"] = {"@type": "GeoCoordinates", "longitude": longitude, "latitude": latitude}
        event["location"] = location
    return event


def parcel_delivery(journey: Journey, *, public_url: str, operator: str) -> dict[str, Any]:
    """Return the journey as a JSON-LD object; `public_url` without a slash at its end."""
    page = f"{public_url}/track/{journey.public_id}"
    told: dict[str, Any] = {
        "@context": ["https://schema.org", {term: f"{public_url}/terms#{term}" for term in TERMS}],
        "@type": "ParcelDelivery",
        "@id": page,
        "identifier": journey.public_id,
        "trackingNumber": journey.number,
        "trackingUrl": page,
        "provider": {"@type": "Organization", "name": operator},
        "description": journey.headline,
        "deliveryStatus": [_event(entry) for entry in journey.timeline],
        "step": journey.step.word,
        "tracker_status": journey.tracker,
        "reason": journey.reason,
        "action_required": None,
        "simulated": journey.simulated,
        "mode": journey.mode,
        "events_total": journey.events_total,
        "events_proven": journey.events_proven,
        "proof_url": f"{page}/proof",
    }
    if journey.action_required is not None:
        by = journey.action_required.by
        told["action_required"] = {
            "who": journey.action_required.who,
            "what": journey.action_required.what,
            "by": by.isoformat() if by else None,
        }
    if journey.updated_at is not None:
        told["dateModified"] = journey.updated_at.isoformat()
    return told


def in_page(value: object) -> SafeString:
    """Return `value` as JSON that may stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(IN_HTML)
    return mark_safe(text)  # noqa: S308 -- every character that could end the element was escaped in the line above
