"""Compare the labels that scans brought with those that were issued: one statement a transaction, if any.

Only scans with a label code of an item that has labels, or with a code of our form, cost more than a look at a flag.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Final

from parcelward.base import db
from parcelward.network import queries as network
from parcelward.parcels import label_binding
from parcelward.parcels.actions.work import LabelSeen, Thing, Wanted, Work
from parcelward.parcels.label_binding import Issued, Wrong
from parcelward.parcels.rules import PackedSeen, PackedStatus, State
from parcelward.privacy.sealing import queries as sealing

DO: Final = "LABEL_MISMATCH"
ALERT: Final = "label_mismatch"
_LABELLED, _DELIVERED = int(State.LABELLED), int(State.DELIVERED)
_NOT_OURS: Final = "Set the item aside and tell your supervisor."
REASONS: Final = {
    Wrong.OTHER_ITEM: f"This label is not this item's: it was copied or edited. {_NOT_OURS}",
    Wrong.NOT_BOUND: f"This label's code does not hold: it was edited. {_NOT_OURS}",
    Wrong.KEY_GONE: "This label is too old to be believed. Have a new one printed.",
    Wrong.VOIDED: f"This label was voided. {_NOT_OURS}",
    Wrong.REPRINTED: f"A newer label was printed in this one's place: it may be a copy. {_NOT_OURS}",
    Wrong.FAR_APART: f"This label was seen far from here a moment ago: one of the two is a copy. {_NOT_OURS}",
}
assert REASONS.keys() == set(Wrong), "every finding has its words"  # noqa: S101 -- a hole in the table must stop the start
_ALWAYS: Final = {Wrong.OTHER_ITEM, Wrong.NOT_BOUND}
"""What was wrong from the first, whenever it is looked at."""
_FIND: Final = (
    "SELECT uuid_send(item), voided_at IS NOT NULL, serial, label, destination, weight_class, key_version, void_reason "
    "FROM parcels_label WHERE item = ANY(%s::uuid[])"
)


def note(work: Work, thing: Thing, event: Wanted, *, again: bool = False) -> None:
    """Remember a label that was scanned, before its event changes the item's status."""
    code, status = event.scan.label_code, thing.status
    if code is None or event.scan.corrects is not None:
        return
    labelled = bool(status.flags & _LABELLED)
    if labelled or label_binding.read(code) is not None:
        was = _last_seen(status) if labelled and not again else None
        event_id = event.scan.event_id.bytes
        work.labels.append(
            LabelSeen(event.submission, thing, code, event.event_us, event_id, event.facility, was, again)
        )


def refolded(work: Work, thing: Thing, events: Iterable[PackedSeen]) -> None:
    """Say anew where an item was before each of its scans, by all of its events that stand: not all came in order."""
    if not work.labels:
        return
    before: dict[tuple[int, bytes], tuple[int, int] | None] = {}
    was = None
    for seen in sorted(events, key=itemgetter(slice(5))):
        if seen.corrects is None:
            before[seen.event_time, seen.event_id], was = was, (seen.facility, seen.event_time)
    work.labels = [
        one._replace(was=before.get((one.event_us, one.event_id))) if one.thing is thing and not one.again else one
        for one in work.labels
    ]


def _last_seen(status: PackedStatus) -> tuple[int, int] | None:
    """Return where and when an item was last seen; of a delivered one, its delivery: its place changes no more."""
    if status.last is None:
        return None
    if status.flags & _DELIVERED and status.step_time is not None:
        return status.step_facility, status.step_time
    return status.facility, status.last[0]


def check(work: Work) -> None:
    """Tell the hand and the desk what is wrong with the labels that were scanned; the batch goes on."""
    if not work.labels:
        return
    issued = _read(sorted({one.thing.item for one in work.labels if one.thing.status.flags & _LABELLED}))
    asked: list[tuple[LabelSeen, Issued]] = []
    for one in work.labels:
        found = label_binding.scanned(one.code, issued.get(one.thing.item, ()))
        if isinstance(found, Issued):
            asked.append((one, found))
        elif found is not None:
            _tell(work, one, found)
    codes = sealing.codes_of((label.key_version, label_binding.bound_to(one.thing.item, label)) for one, label in asked)
    for (one, label), expected in zip(asked, codes, strict=True):
        wrong = label_binding.judged(one.code, label, expected) or _far_apart(one)
        if wrong is not None:
            _tell(work, one, wrong)


def _read(items: list[bytes]) -> dict[bytes, list[Issued]]:
    by_item: dict[bytes, list[Issued]] = {item: [] for item in items}
    if items:
        with db.cursor(binary=True) as cur:
            cur.execute(_FIND, (db.uuid_array(items),), binary=True)
            for item, is_void, *label in cur:
                by_item[item].append(label_binding.read_back(Issued(*label), is_void=is_void))
    return by_item


def _far_apart(one: LabelSeen) -> Wrong | None:
    """Return whether the item was seen where it cannot have come from, as the event before this one has it."""
    if one.was is None or one.was[0] == one.facility:
        return None
    places = network.facilities().by_number
    before, here = places.get(one.was[0]), places.get(one.facility)
    if before is None or here is None or before.position is None or here.position is None:
        return None
    seconds = (one.event_us - one.was[1]) / 1_000_000
    return Wrong.FAR_APART if label_binding.too_far(before.position, here.position, seconds) else None


def _tell(work: Work, one: LabelSeen, wrong: Wrong) -> None:
    work.instruct(one.submission, one.thing, DO, REASONS[wrong])
    if not one.again or wrong in _ALWAYS:  # a label that was good at its scan may be void when the scan is sent again
        work.after.alert(ALERT, one.thing.item, one.event_id, one.facility, {"why": str(wrong)})
