"""One table of steps: our word, UPU EMSEVT event, CBV business step and disposition, tracker status, customer's words.

The mapping is ours, not normative. UPU codes are those of UPU M40 (EMSEVT); docs/glossary.md marks which of them were
found in public sources. Business steps and dispositions are words of GS1 CBV 2.0 section 7; the tracker statuses are
the ten merchants know.
An unknown code is never mapped: it is stored as `Step.UNKNOWN` with the word it came as, and raised as an alert.
"""

from __future__ import annotations

import enum
from typing import NamedTuple


def _(text: str) -> str:
    """Mark a text for translation; it is translated where it is shown, so that this table stays free of a framework."""
    return text


class Step(enum.IntEnum):
    """What happened to an item or receptacle. The numbers are stored; never reuse one."""

    UNKNOWN = 0
    ACCEPTED = 1
    LEFT_SORTING = 2
    ARRIVED_OUTWARD_OFFICE = 3
    LEFT_OUTWARD_OFFICE = 4
    ARRIVED_INWARD_OFFICE = 5
    PRESENTED_TO_CUSTOMS = 6
    HELD_BY_CUSTOMS = 7
    LEFT_INWARD_OFFICE = 8
    AT_DELIVERY_OFFICE = 9
    OUT_FOR_DELIVERY = 10
    DELIVERY_FAILED = 11
    AT_COLLECTION_POINT = 12
    DELIVERED = 13
    LOADED = 20
    UNLOADED = 21
    HANDED_OVER = 22
    SEALED = 23
    HELD = 24
    RELEASED = 25
    RETURNING = 26
    RETURNED = 27
    CANCELLED = 28
    LOST = 29
    DAMAGED = 30

    @property
    def word(self) -> str:
        """Our word, as in JSON: `at_delivery_office`."""
        return self.name.lower()


class Codes(NamedTuple):
    """One step in every vocabulary."""

    upu: str  # EMSEVT event code; empty where UPU has none
    biz_step: str  # CBV 2.0, bare word
    disposition: str  # CBV 2.0, bare word; empty where none fits
    tracker: str  # one of the ten tracker statuses; empty: the status before stays
    customer: str  # what the customer reads; translated where it is shown
    moves: bool  # True: becomes the item's headline; False: an observation of custody beside it


CODES: dict[Step, Codes] = {
    Step.UNKNOWN: Codes("", "other", "unknown", "", _("Something was recorded that we are checking"), False),
    Step.ACCEPTED: Codes("EMA", "accepting", "in_progress", "in_transit", _("We have your parcel"), True),
    Step.LEFT_SORTING: Codes("EDE", "departing", "in_transit", "in_transit", _("On its way"), True),
    Step.ARRIVED_OUTWARD_OFFICE: Codes("EMB", "arriving", "in_progress", "in_transit", _("Leaving the country"), True),
    Step.LEFT_OUTWARD_OFFICE: Codes("EMC", "departing", "in_transit", "in_transit", _("Leaving the country"), True),
    Step.ARRIVED_INWARD_OFFICE: Codes(
        "EMD", "arriving", "in_progress", "in_transit", _("In the destination country"), True
    ),
    Step.PRESENTED_TO_CUSTOMS: Codes("EDB", "inspecting", "in_progress", "in_transit", _("With customs"), True),
    Step.HELD_BY_CUSTOMS: Codes("EME", "holding", "unavailable", "in_transit", _("With customs"), True),
    Step.LEFT_INWARD_OFFICE: Codes("EMF", "departing", "in_transit", "in_transit", _("Cleared, on its way"), True),
    Step.AT_DELIVERY_OFFICE: Codes("EMG", "arriving", "in_progress", "in_transit", _("At your post office"), True),
    Step.OUT_FOR_DELIVERY: Codes(
        "EDG", "transporting", "in_transit", "out_for_delivery", _("Out for delivery today"), True
    ),
    Step.DELIVERY_FAILED: Codes("EMH", "holding", "in_progress", "failure", _("We missed you"), True),
    Step.AT_COLLECTION_POINT: Codes("EDH", "storing", "available", "available_for_pickup", _("Ready to collect"), True),
    Step.DELIVERED: Codes("EMI", "receiving", "completeness_verified", "delivered", _("Delivered"), True),
    Step.LOADED: Codes("", "loading", "in_progress", "", _("Placed in a container"), False),
    Step.UNLOADED: Codes("", "unloading", "in_progress", "", _("Taken out of a container"), False),
    Step.HANDED_OVER: Codes("", "shipping", "in_progress", "", _("Handed on"), False),
    Step.SEALED: Codes("", "packing", "container_closed", "", _("Seal checked"), False),
    Step.HELD: Codes("", "holding", "unavailable", "", _("Being checked before it travels on"), True),
    Step.RELEASED: Codes("", "other", "available", "", _("Check finished, on its way again"), True),
    Step.RETURNING: Codes("", "departing", "returned", "return_to_sender", _("On its way back to the sender"), True),
    Step.RETURNED: Codes("", "receiving", "returned", "return_to_sender", _("Returned to the sender"), True),
    Step.CANCELLED: Codes("", "void_shipping", "inactive", "cancelled", _("Cancelled by the sender"), True),
    Step.LOST: Codes("", "inspecting", "unavailable", "error", _("We cannot find this parcel"), True),
    Step.DAMAGED: Codes("", "inspecting", "damaged", "error", _("Damaged; we will contact the sender"), True),
}
assert CODES.keys() == set(Step), "every step has its codes"  # noqa: S101 -- a hole in the table must stop the start

BY_WORD: dict[str, Step] = {step.word: step for step in Step if step is not Step.UNKNOWN}
BY_UPU: dict[str, Step] = {codes.upu: step for step, codes in CODES.items() if codes.upu}

NOTHING_SEEN_TRACKER = "pre_transit"  # announced, but nobody has seen the item yet


def parse(word: str) -> Step:
    """Return the step for our own word, an EMSEVT code, or `Step.UNKNOWN`: never a guess."""
    return BY_WORD.get(word) or BY_UPU.get(word) or Step.UNKNOWN
