"""What this room forgets by age: bodies that nobody could read, once somebody has dealt with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from parcelward.base import forgetting
from parcelward.base.forgetting import Due, Rows, Sweep
from parcelward.custody import actions as custody
from parcelward.parcels import bodies
from parcelward.parcels.bodies import forget_after_commit
from parcelward.parcels.models import CaptureJob, Quarantine
from parcelward.parcels.quarantine_check import RETAINED
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task


def _empty_raw(rows: Rows) -> None:
    forget_after_commit(list(rows.values_list("body_key", flat=True)))
    rows.update(raw=b"", body_key=None)


def _empty_document(rows: Rows) -> None:
    forget_after_commit(list(rows.values_list("document_key", flat=True)))
    rows.update(document=b"", document_key=None)


SWEEPS: Final = (
    Sweep(
        "quarantined_bodies",
        lambda t: Quarantine.objects.filter(closed_at__lt=t).exclude(raw=b""),
        "received_at",
        _empty_raw,
    ),
    Sweep(
        "captured_documents",
        lambda t: CaptureJob.objects.filter(finished_at__lt=t).exclude(document=b""),
        "created_at",
        _empty_document,
    ),
)
UNUSED_AFTER: Final = dt.timedelta(days=1)
"""How long after a key was made nobody can still be about to store what it sealed."""
KEPT_FOR_GOOD: Final = {
    "parcels_item": "an item's number; what its events say goes with its secret when it is erased (`shred`)",
    "parcels_itemalias": "another number of the same item, erased with it",
    "parcels_scan_event": "the record itself, encrypted with the item's secret: erasing is destroying that",
    "parcels_item_status": "derived from the events: step and place, of nobody",
    "parcels_submission": "answers to devices: counts and event ids; the oldest go by number (follows.keep_house)",
    "parcels_sourcemark": "how far a device has come",
    "parcels_quarantine": "the row that says something was refused is part of the record; its body goes by age",
    "parcels_label": "which labels an item had: hashes of what was sealed, and an office",
    "parcels_alert": "what needed somebody: item and place, no person",
    "parcels_handoverscan": "which device saw which item in a handover",
    "parcels_hazmatrule": "what an operator decided of an id, by two people: no personal data",
    "parcels_solditem": "that an item was made because somebody ordered it",
    "parcels_manifest": "which items a sender said it handed in",
    "parcels_epcis_event": "the record as it was captured; emptied when one of its items is erased",
    "parcels_epcisname": "hashes",
    "parcels_epcisvalue": "names of places, steps and items that an event carried",
    "parcels_capturejob": "that a document came, and how it went; its bytes go by age",
    "parcels_namedquery": "a question that a program keeps: items, places, times",
}
"""Table -> why its rows do not go by age."""


def due_old(kept_class: str, before: dt.datetime, country: str, *, by: Person) -> list[Due]:
    """Return what would go of a class; nothing for a class of another room."""
    require(by, Task.KEEP_RETENTION)
    return forgetting.due_of(SWEEPS, kept_class, before, country)


def forget_old(kept_class: str, before: dt.datetime, *, by: Person) -> int:
    """Empty what is older than `before` of a class; return how many rows. The entry says counts alone."""
    require(by, Task.KEEP_RETENTION)
    said = {"by": by.source, "class": kept_class, "before": before.isoformat()}
    return forgetting.forget_of(SWEEPS, kept_class, before, lambda n: custody.record_fact(RETAINED, {**said, "n": n}))


def forget_keys_left(
    *, made_before: dt.datetime, also: Callable[[Collection[UUID]], Collection[UUID]], by: Person
) -> int:
    """Delete keys, made before a moment, whose bodies are gone; return how many. They open no stored row.

    A crash left them, a request that lost its race, or a keys database that was restored from a backup. `also` says
    which of some keys open what rooms above this one have stored.
    """
    require(by, Task.KEEP_RETENTION)
    return bodies.sweep(made_before=made_before, also=also)
