"""What an alert says to the person who looks at it: what happened, and what to do. Part of the room's queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext, gettext_noop

from parcelward.parcels.label_binding import Wrong
from parcelward.parcels.models import Alert

STANDSTILL: Final = "log_stands_still"

_OF_HANDOVER: Final[Mapping[tuple[str, bool], str]] = {  # (kind, whether an item is named)
    ("short", True): gettext_noop("Given but not received in handover %(about)s. Look for it at both ends."),
    ("short", False): gettext_noop("Fewer counted than given in handover %(about)s. Count again at both ends."),
    ("unexpected", True): gettext_noop("Received but not given in handover %(about)s. Find out where it came from."),
    ("over", False): gettext_noop("More received than given in handover %(about)s. Count again."),
    ("one_hand", False): gettext_noop("One device signed for both sides of handover %(about)s. Ask who took it over."),
}
HANDOVER_KINDS: Final = frozenset(kind for kind, _ in _OF_HANDOVER)


_OF_ITEM: Final[Mapping[str, str]] = {  # sentences that need no more than the item beside them
    "after_delivery": gettext_noop("Scanned after it was delivered. Compare the labels: one may be a copy."),
    "release_refused": gettext_noop(
        "A device tried to release what an inspector holds. It stays held: find out who wanted it."
    ),
    "idle_correction": gettext_noop(
        "A correction changed nothing: its sender did not make that event, or there is none."
    ),
    "stuck": gettext_noop("Nobody has seen it for two days. Look for it where it was last seen."),
}

_OF_LABEL: Final[Mapping[str, str]] = {  # what was wrong with the label that was scanned (label_binding.Wrong)
    "other_item": gettext_noop("The label is another item's, or was edited. Compare number, place and weight."),
    "not_bound": gettext_noop("The label's code does not hold: it was edited, or made by somebody else."),
    "key_gone": gettext_noop("The label was made with a key that is no longer believed. Print a new one."),
    "voided": gettext_noop("The label was voided. Find out who put it on this item."),
    "reprinted": gettext_noop("An older print of the label: a newer one was made. Find the other copy."),
    "far_apart": gettext_noop("The label was seen at two places too far apart for the time. One of two is a copy."),
}
assert _OF_LABEL.keys() == set(Wrong), "every finding has its words"  # noqa: S101 -- a hole in the table must stop the start


def in_words(alert: Alert) -> str:
    """Return the alert's sentence in the reader's language."""
    details = alert.details
    said = _OF_HANDOVER.get((alert.kind, alert.item is not None)) or _OF_ITEM.get(alert.kind)
    if said is not None:
        return gettext(said) % {"about": alert.about}
    match alert.kind:
        case "unknown_step":
            return gettext("An unknown step was recorded: %(word)s. Map it or ask the sender.") % {
                "word": details.get("word", "")
            }
        case "seal_mismatch":
            return gettext(details.get("why", "")) or gettext("The seal is not the one that was put on.")
        case "label_mismatch":
            return gettext(_OF_LABEL.get(details.get("why", ""), "")) or gettext("The label is not the one issued.")
        case "containment_cycle":
            return gettext(
                "Loaded into %(into)s, which is recorded as inside this container. Look which one is in the other, and "
                "declare the wrong loading."
            ) % {"into": details.get("into", "")}
        case "log_stands_still":
            return gettext(
                "The log's files and the database disagree (%(differs)s), so no entry gets its place: %(message)s "
                "Scans are still recorded. Compare both with a backup before anything is changed."
            ) % {"differs": details.get("differs", ""), "message": details.get("message", "")}
        case "model_drift":
            return gettext(
                "The orders of the last week are unlike those that the model learnt from (%(features)s). Rules that "
                "ask for its score may be wrong: look at the newest model, and at these rules."
            ) % {"features": details.get("features", "")}
    return gettext("Something needs a person.")
