"""Compare the labels that scans brought with those that were issued: one statement a transaction, if any.

Only scans with a label code of an item that has labels, or with a code of our form, cost more than a look at a flag.
"""

from __future__ import annotations

from typing import Final

from parcelward.base import db
from parcelward.network import queries as network
from parcelward.parcels import label_binding
from parcelward.parcels.actions.work import LabelSeen, Thing, Work
from parcelward.parcels.label_binding import Issued, Wrong
from parcelward.parcels.rules import PackedSeen, State
from parcelward.parcels.wire import ScanIn
from parcelward.privacy.sealing import queries as sealing

DO: Final = "LABEL_MISMATCH"
ALERT: Final = "label_mismatch"
_LABELLED = int(State.LABELLED)
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
_FIND: Final = (
    "SELECT uuid_send(item), serial, label, destination, weight_class, key_version, void_reason "
    "FROM parcels_label WHERE item = ANY(%s::uuid[])"
)


def note(work: Work, i: int, thing: Thing, seen: PackedSeen, scan: ScanIn) -> None:
    """Remember a label that was scanned, before its event changes the item's status."""
    code, status = scan.label_code, thing.status
    if code is None or seen.corrects is not None:
        return
    labelled = bool(status.flags & _LABELLED)
    if labelled or label_binding.read(code) is not None:
        was = (status.facility, status.last[0]) if labelled and status.last is not None else None
        work.labels.append(LabelSeen(i, thing, seen, code, was))


def check(work: Work) -> None:
    """Tell the hand and the desk what is wrong with the labels that were scanned; the batch goes on."""
    if not work.labels:
        return
    _read({one.thing.item: one.thing for one in work.labels if one.thing.status.flags & _LABELLED})
    asked: list[tuple[LabelSeen, Issued]] = []
    for one in work.labels:
        found = label_binding.scanned(one.code, one.thing.labels or ())
        if isinstance(found, Issued):
            asked.append((one, found))
        elif found is not None:
            _tell(work, one, found)
    codes = sealing.codes_of((label.key_version, label_binding.bound_to(one.thing.item, label)) for one, label in asked)
    for (one, label), expected in zip(asked, codes, strict=True):
        wrong = label_binding.judged(one.code, label, expected) or _far_apart(one)
        if wrong is not None:
            _tell(work, one, wrong)


def _read(things: dict[bytes, Thing]) -> None:
    """Read the labels of those of which they are not remembered (kept.py): a status says when they have changed."""
    unknown = [item for item, thing in things.items() if thing.labels is None]
    if unknown:
        by_item: dict[bytes, list[Issued]] = {item: [] for item in unknown}
        with db.cursor(binary=True) as cur:
            cur.execute(_FIND, (db.uuid_array(unknown),), binary=True)
            for item, *label in cur:
                by_item[item].append(Issued(*label))
        for item, labels in by_item.items():
            things[item].labels = tuple(labels)


def _far_apart(one: LabelSeen) -> Wrong | None:
    """Return whether the item was seen where it cannot have come from; an event that comes late says nothing."""
    if one.was is None or one.was[0] in {0, one.seen.facility} or not one.seen.facility or one.thing.refold:
        return None
    places = network.facilities().by_number
    before, here = places.get(one.was[0]), places.get(one.seen.facility)
    if before is None or here is None or before.position is None or here.position is None:
        return None
    seconds = (one.seen.event_time - one.was[1]) / 1_000_000
    return Wrong.FAR_APART if label_binding.too_far(before.position, here.position, seconds) else None


def _tell(work: Work, one: LabelSeen, wrong: Wrong) -> None:
    work.instruct(one.submission, one.thing, DO, REASONS[wrong])
    work.after.alert(ALERT, one.thing.item, one.seen.event_id, one.seen.facility, {"why": str(wrong)})
