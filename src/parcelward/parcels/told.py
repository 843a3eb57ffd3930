"""What a journey's readers are told: headline, next step, stage, tracker status. Never more than somebody observed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext

from parcelward.base.standards import steps
from parcelward.base.standards.steps import CODES, Step
from parcelward.parcels.models import ItemStatus
from parcelward.parcels.rules import AT_THE_DESK, State
from parcelward.parcels.wire import ActionRequired, TimelineEntry

STAGES: Final = {
    Step.ACCEPTED: 1,
    Step.LEFT_SORTING: 2,
    Step.ARRIVED_OUTWARD_OFFICE: 2,
    Step.LEFT_OUTWARD_OFFICE: 2,
    Step.ARRIVED_INWARD_OFFICE: 2,
    Step.PRESENTED_TO_CUSTOMS: 2,
    Step.HELD_BY_CUSTOMS: 2,
    Step.LEFT_INWARD_OFFICE: 2,
    Step.AT_DELIVERY_OFFICE: 3,
    Step.OUT_FOR_DELIVERY: 4,
    Step.DELIVERY_FAILED: 3,
    Step.AT_COLLECTION_POINT: 3,
    Step.DELIVERED: 5,
}

PARTIES: Final = ("carrier", "sender", "addressee", "customs", "weather", "security")
"""Who a reason may name, in front of it."""


def _observed(lines: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """Return what somebody saw of the item itself, newest first.

    A scan of what it was inside is none, nor is a hold or its end: an item can be held before anybody has it in hand.
    """
    return [
        line
        for line in lines
        if line.source == "observed" and not line.corrected and line.step not in {Step.UNKNOWN, *AT_THE_DESK}
    ]


def stage(step: Step, lines: Sequence[TimelineEntry]) -> int:
    """Return where the item is in its usual course now, 0 to 5: after a vain try it is at the office again."""
    if step in STAGES:
        return STAGES[step]
    seen = _observed(lines)
    return next((STAGES[line.step] for line in seen if line.step in STAGES), min(1, len(seen)))


def tracker(status: ItemStatus, lines: Sequence[TimelineEntry]) -> str:
    """Return one of the ten tracker statuses."""
    return tracker_of(status.step, status.flags, observed=bool(_observed(lines)))


def tracker_of(step: int, flags: int, *, observed: bool) -> str:
    """Return the same of a headline's step, a status's flags, and whether somebody saw the item itself."""
    if step in AT_THE_DESK and not observed:
        return steps.NOTHING_SEEN_TRACKER
    if flags & State.HELD and not flags & State.DELIVERED:
        return "in_transit"
    if step or observed:
        return CODES[Step(step)].tracker or "in_transit"
    return "unknown" if flags & State.UNKNOWN_STEP else steps.NOTHING_SEEN_TRACKER


def headline(status: ItemStatus, step: Step, lines: Sequence[TimelineEntry]) -> str:
    """Return the sentence that answers the reader's question."""
    if step in AT_THE_DESK and not _observed(lines):
        return gettext("We expect this parcel and have not seen it yet")
    if step is Step.UNKNOWN and not status.flags & State.UNKNOWN_STEP:
        if _observed(lines):  # the scan at the counter was missed, but somebody has had it in their hands
            return gettext(CODES[Step.ACCEPTED].customer)
        if any(line.source == "assumed" for line in lines):
            return gettext("The sender says that we have it; we have not scanned it yet")
        return gettext("We expect this parcel and have not seen it yet")
    return gettext(CODES[step].customer)


def next_step(step: Step, lines: Sequence[TimelineEntry]) -> str:
    """Return what usually comes next; empty at the end."""
    if step in {Step.DELIVERED, Step.RETURNED, Step.CANCELLED, Step.LOST, Step.DAMAGED}:
        return ""
    if step is Step.UNKNOWN and not _observed(lines):
        return gettext("We scan it for the first time")
    if step is Step.AT_COLLECTION_POINT:
        return gettext("You collect it")
    if step is Step.DELIVERY_FAILED:
        return gettext("We try again, or keep it for you to collect")
    if step in {Step.AT_DELIVERY_OFFICE, Step.OUT_FOR_DELIVERY}:
        return gettext("Delivery to the address")
    if step in {Step.HELD, Step.HELD_BY_CUSTOMS, Step.PRESENTED_TO_CUSTOMS}:
        return gettext("The check ends and it travels on")
    if step is Step.RETURNING:
        return gettext("Arrival at the sender")
    return gettext("Arrival at the delivery office")


def stopped_by(flags: int, step: Step) -> Step | None:
    """Return the step whose newest scan says why the item does not go on; None when it does."""
    if flags & State.HELD:
        return Step.HELD
    return step if step in {Step.HELD_BY_CUSTOMS, Step.DELIVERY_FAILED} else None


def reason(stopped: Step | None, scanned: str) -> str:
    """Return why it does not go on, the party in front; empty when it does, or when no scan said why.

    Of the reason that was scanned only the party is told: who knows the number need not learn that nobody was at home.
    """
    party = scanned.partition("_")[0]
    if stopped is Step.HELD_BY_CUSTOMS:
        return "customs_hold"
    if stopped is None or party not in PARTIES:
        return ""
    if stopped is Step.HELD:
        return f"{party}_hold"
    return "addressee_not_reached" if party == "addressee" else f"{party}_delay"


def action(step: Step) -> ActionRequired | None:
    """Return what somebody must do for it to go on."""
    if step is Step.AT_COLLECTION_POINT:
        return ActionRequired(
            "addressee", gettext("Collect your parcel; bring the notice or a proof of identity."), None
        )
    return None
