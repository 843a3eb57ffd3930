"""Issue, reprint and void the labels of items. What is on a label is sealed by `privacy` and drawn by `shipping`.

A reprint is another label: it has its own number and code, and the one before is void from then on, so that a second
copy that was kept back is seen at its first scan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from parcelward.base import db
from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody import actions as custody
from parcelward.parcels import label_binding
from parcelward.parcels.label_binding import Issued
from parcelward.parcels.label_check import ISSUED, REPRINTED, VOIDED
from parcelward.parcels.models import ItemAlias, Label, ScanEvent
from parcelward.parcels.rules import AT_THE_DESK, State
from parcelward.parcels.wire import PRINTINGS_MAX, IssuedLabel, LabelWanted
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy.sealing import queries as sealing
from parcelward.privacy.sealing import wire as sealed

LABELS_AT_ONCE_MAX: Final = 500  # as many as are sealed at once
REASON_LETTERS_MAX: Final = 200
_DESTINATION_MAX: Final = 20
_LOCKED = "SELECT item, flags, first_time FROM parcels_item_status WHERE item = ANY(%s) ORDER BY item FOR UPDATE"
_LABELLED = "UPDATE parcels_item_status SET flags = flags | %s WHERE item = ANY(%s)"
_INSERT = (
    "INSERT INTO parcels_label (item, serial, printing, label, destination, weight_class, key_version, issued_at, "
    "issued_by, void_reason) SELECT i, s, p, l, d, w, k, %s, %s, '' FROM unnest(%s::uuid[], %s::smallint[], "
    "%s::smallint[], %s::bytea[], %s::text[], %s::smallint[], %s::int[]) AS u(i, s, p, l, d, w, k)"
)


@dataclass(frozen=True, slots=True)
class _State:
    flags: int
    tendered: bool


@transaction.atomic
def issue_labels_within(wanted: Sequence[LabelWanted], *, by: Person, now: dt.datetime) -> list[IssuedLabel]:
    """Issue one label for each item, in the caller's transaction: what is printed is `raw` of what is returned.

    An item that was handed in may go elsewhere by a new label: that needs a right of its own, and a reason, which the
    log keeps. Raises NotFound, Invalid for a label that was sealed for another number, Conflict where a label stands.
    """
    require(by, Task.SEAL_LABEL)
    items = [one.item for one in wanted]
    if not 1 <= len(items) <= LABELS_AT_ONCE_MAX or len(set(items)) != len(items):
        raise Invalid(f"Issue labels for 1 to {LABELS_AT_ONCE_MAX} items at once, one each", code="bad_count")
    states = _lock(items)
    numbers = dict(ItemAlias.objects.filter(item__in=items, valid_to=None).values_list("item", "number"))
    serials: dict[UUID, int] = {}
    for row in Label.objects.filter(item__in=items):
        if row.voided_at is None:
            raise Conflict("A label of this item stands. Reprint it, or void it first.", code="label_stands")
        serials[row.item] = max(serials.get(row.item, 0), row.serial)
    made = []
    for one in wanted:
        if states[one.item].flags & State.SHREDDED:
            raise Conflict("This item's record was erased", code="shredded")
        if states[one.item].tendered:
            _require_reason(one, by=by)
        if not 1 <= len(one.destination) <= _DESTINATION_MAX:
            raise Invalid("A label goes to a facility's code", code="bad_facility")
        weight = sealed.weight_class(one.weight_g)
        digest = _digest(one.raw, numbers.get(one.item, ""))
        serial = serials.get(one.item, 0) + 1
        made.append(_bound(one.item, one.raw, Issued(serial, digest, one.destination, weight, 0, ""), printing=1))
    _store(made, by=by, now=now)
    why = {str(one.item): one.reason for one in wanted if states[one.item].tendered}
    custody.record_fact(
        ISSUED, {"by": by.source, "labels": [_said(*one) for one in made]} | ({"reasons": why} if why else {})
    )
    return [label for label, _ in made]


@transaction.atomic
def reprint_label(item: UUID, raw: bytes, *, by: Person, now: dt.datetime) -> IssuedLabel:
    """Issue the item's label anew, sealed again as `raw`, for the same place and weight; the one before is void.

    Raises Conflict once somebody has scanned the item, and after PRINTINGS_MAX printings.
    """
    require(by, Task.SEAL_LABEL)
    state = _lock([item])[item]
    if state.flags & State.SHREDDED:
        raise Conflict("This item's record was erased", code="shredded")
    if state.tendered:
        raise Conflict("This item was handed in: its label is not printed again", code="tendered")
    standing = _standing(item)
    if standing is None:
        raise Conflict("No label of this item stands", code="no_label")
    if standing.printing >= PRINTINGS_MAX:
        raise Conflict("This label was printed as often as it may be. Void it, and take a new one.", code="printed_out")
    number = ItemAlias.objects.filter(item=item, valid_to=None).values_list("number", flat=True).first()
    digest = _digest(raw, number or "")
    if digest == bytes(standing.label):
        raise Invalid("Seal the label anew: a reprint is another label", code="same_label")
    fresh = Issued(standing.serial + 1, digest, standing.destination, standing.weight_class, 0, "")
    made = _bound(item, raw, fresh, printing=standing.printing + 1)
    _void(standing, "reprinted", by=by, now=now)
    _store([made], by=by, now=now)
    custody.record_fact(REPRINTED, {"by": by.source, "label": _said(*made), "instead_of": standing.serial})
    return made[0]


@transaction.atomic
def void_label(item: UUID, *, by: Person, now: dt.datetime) -> None:
    """Void the item's label: whoever scans it next is told. Doing it twice changes nothing."""
    require(by, Task.SEAL_LABEL)
    _lock([item])
    standing = _standing(item)
    if standing is None:
        if not Label.objects.filter(item=item).exists():
            raise NotFound("This item has no label")
        return
    _void(standing, "voided", by=by, now=now)
    custody.record_fact(VOIDED, {"by": by.source, "item": str(item), "serial": standing.serial})


def _require_reason(one: LabelWanted, *, by: Person) -> None:
    """Raise NotAllowed, or Invalid, unless this person may label an item that was handed in, and says why."""
    require(by, Task.RELABEL)
    if not 1 <= len(one.reason.strip()) <= REASON_LETTERS_MAX or not one.reason.isprintable():
        raise Invalid("This item was handed in: say in one line why it needs another label", code="no_reason")


def _lock(items: Sequence[UUID]) -> dict[UUID, _State]:
    """Lock the items' statuses in key order: scans and labels of one item take turns. Raises NotFound."""
    with db.cursor(binary=True) as cur:
        cur.execute(_LOCKED, (list(items),), binary=True)
        found = {item: _State(flags, first is not None) for item, flags, first in cur}
    seen = [item for item, state in found.items() if state.tendered]
    if seen:  # a hold or a release at the desk is no scan: nobody has the item in hand
        scanned = ScanEvent.objects.filter(item__in=seen).exclude(step__in=AT_THE_DESK)
        handed_in = set(scanned.values_list("item", flat=True))
        found |= {item: _State(found[item].flags, item in handed_in) for item in seen}
    if len(found) != len(items):
        raise NotFound("No such item")
    return found


def _standing(item: UUID) -> Label | None:
    return Label.objects.select_for_update().filter(item=item, voided_at=None).first()


def _digest(raw: bytes, number: str) -> bytes:
    """Return a sealed label's digest. Raises Invalid for what is no label, or was sealed for another number."""
    if sealed.parse(raw).item != number:
        raise Invalid("This label was sealed for another item's number", code="other_item")
    return sealed.digest(raw)


def _bound(item: UUID, raw: bytes, label: Issued, *, printing: int) -> tuple[IssuedLabel, Issued]:
    if label.serial > label_binding.SERIAL_MAX:
        raise Conflict("This item has had too many labels", code="too_many_labels")
    version, code = sealing.bind(label_binding.bound_to(item.bytes, label))
    done = sealed.with_code(raw, code)
    shown = IssuedLabel(item=item, serial=label.serial, printing=printing, raw=done, code=code.hex().upper())
    return shown, label._replace(key_version=version)


def _store(made: Sequence[tuple[IssuedLabel, Issued]], *, by: Person, now: dt.datetime) -> None:
    rows = [
        (
            shown.item,
            label.serial,
            shown.printing,
            label.digest,
            label.destination,
            label.weight_class,
            label.key_version,
        )
        for shown, label in made
    ]
    with db.cursor() as cur:
        cur.execute(_INSERT, (now, by.source, *(list(column) for column in zip(*rows, strict=True))))
        cur.execute(_LABELLED, (int(State.LABELLED), [shown.item for shown, _ in made]))


def _void(row: Label, reason: str, *, by: Person, now: dt.datetime) -> None:
    Label.objects.filter(item=row.item, serial=row.serial).update(
        voided_at=now, voided_by=by.source, void_reason=reason
    )


def _said(shown: IssuedLabel, label: Issued) -> dict[str, Any]:
    """Return what the log is told of a label: never its code."""
    return {
        "destination": label.destination,
        "item": str(shown.item),
        "key_version": label.key_version,
        "label": label.digest.hex(),
        "printing": shown.printing,
        "serial": label.serial,
        "weight_class": label.weight_class,
    }
