"""What people at the desk do: hold, release, correct, repair. Each leaves an event or an entry with its actor."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from parcelward.base import partitions
from parcelward.base.errors import Conflict, Invalid, NotFound, ParcelwardError
from parcelward.base.standards import identify, steps
from parcelward.base.standards.errors import BadItemNumber
from parcelward.custody import actions as custody
from parcelward.network import queries as network
from parcelward.parcels import rules
from parcelward.parcels.actions import came_again
from parcelward.parcels.actions.record import record_by_person
from parcelward.parcels.models import Alert, ItemAlias, ItemKind, ItemStatus, Manifest, Quarantine, ScanEvent, SoldItem
from parcelward.parcels.quarantine_check import DISMISSED, RESUBMITTED, note_hash
from parcelward.parcels.security_holds import held_for_goods, held_for_security, standing_reasons
from parcelward.parcels.wire import CorrectsIn, ScanIn, Submission
from parcelward.people import actions as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task

REASON_MAX = 40
NOTE_MAX = 200
WAITS_FOR_CUSTOMS = "sender_customs_data"
"""The reason of a hold that ends when the sender has said what customs needs (`customs_holds.py`)."""


def record_event(item: UUID, step: str, reason: str, *, by: Person, corrects: CorrectsIn | None = None) -> None:
    """Record one event of a person, through the same door as every other event."""
    if not 1 <= len(reason) <= REASON_MAX or "\0" in reason:
        raise Invalid(f"Give a reason of 1 to {REASON_MAX} characters", code="bad_reason")
    status = ItemStatus.objects.filter(item=item).first()
    if status is None:
        raise NotFound("No such item")
    place = network.facilities().by_number.get(status.facility or _announced_at(item))
    if place is None:
        raise Conflict("Nobody has seen this item anywhere yet, so there is nothing to act on", code="never_seen")
    now = timezone.now()
    public_id = identify.item_id(item)
    is_item = status.kind == ItemKind.ITEM
    scan = ScanIn(
        event_id=uuid.uuid4(),
        event_time=now,
        step=step,
        facility=place.code,
        item_id=public_id if is_item else None,
        receptacle_id=None if is_item else public_id,
        reason=reason,
        corrects=corrects,
    )
    digest = hashlib.sha256(msgspec.json.encode(scan)).digest()
    answer = record_by_person(Submission(by, 0, digest, [(0, scan)], []), now=now)
    if isinstance(answer, ParcelwardError):
        raise answer
    said = msgspec.json.decode(answer.body)
    if said["quarantined"]:
        raise Invalid(said["quarantined"][0]["message"], code=said["quarantined"][0]["code"])


def _announced_at(item: UUID) -> int:
    """Return where an item that nobody has seen is said to have been handed in; 0 for nowhere.

    It can be held before it comes.
    """
    said = Manifest.objects.filter(item=item).order_by("event_time").values_list("facility", flat=True).first()
    return said or SoldItem.objects.filter(item=item).values_list("facility", flat=True).first() or 0


def hold(item: UUID, reason: str, *, by: Person) -> None:
    """Stop an item: whoever scans it next is told HOLD."""
    require(by, Task.HOLD)
    record_event(item, "held", reason, by=by)


def release(item: UUID, reason: str, *, by: Person) -> None:
    """Let a held item go on. Raises Conflict for one that is held for security: two people release that.

    What is held for dangerous goods is let go on by who holds the certificate for them. Raises MayNot.
    """
    _require_may_let_go(item, by)
    if not all(rules.for_goods(reason) or reason == WAITS_FOR_CUSTOMS for reason in standing_reasons(item) or [""]):
        require(by, Task.RELEASE)
    _require_not_for_security(item)
    _let_go(item, reason, by=by)


def _let_go(item: UUID, reason: str, *, by: Person) -> None:
    """Release an item. One that waits for its customs data as well is held on for these, and for nothing else."""
    waits = SoldItem.objects.filter(item=item, waits_for_customs=True).exists()
    if waits and set(standing_reasons(item)) <= {WAITS_FOR_CUSTOMS}:
        raise Conflict("This parcel waits for customs data: its sender has to give them", code="customs_data")
    with transaction.atomic():
        record_event(item, "released", reason, by=by)
        if waits:
            record_event(item, "held", WAITS_FOR_CUSTOMS, by=people.machinery())


def _require_may_let_go(item: UUID, by: Person) -> None:
    """Raise MayNot for what is held for dangerous goods, unless `by` holds the certificate for them."""
    if held_for_goods(item):
        require(by, Task.ACCEPT_HAZMAT, on=timezone.now().date())


def _require_not_for_security(item: UUID) -> None:
    if held_for_security(item):
        raise Conflict("This item is held for security: two people release it", code="two_people")


def ask_release(item: UUID, reason: str, *, by: Person) -> UUID:
    """Ask for the release of an item that is held for security; return the request's id. Another person must agree."""
    require(by, Task.RELEASE_SECURITY)
    if not 1 <= len(reason) <= REASON_MAX:
        raise Invalid(f"Give a reason of 1 to {REASON_MAX} characters", code="bad_reason")
    if not held_for_security(item):
        raise Conflict("This item is not held for security", code="not_held")
    return people.ask(Task.RELEASE_SECURITY, str(item), {"item": str(item)}, reason, by=by)


def agree_to_release(request_id: UUID, *, by: Person) -> None:
    """Agree, as a second person, to release an item that is held for security: it goes on. Twice changes nothing."""
    require(by, Task.RELEASE_SECURITY)
    # Here, because whoever makes another partition waits for the transaction that makes this one.
    partitions.ensure("parcels_scan_event", timezone.now().date())
    with transaction.atomic():
        asked = people.agree_within(request_id, Task.RELEASE_SECURITY, by=by)
        if asked is None:
            return
        item = UUID(asked.about["item"])
        if not held_for_security(item):
            raise Conflict("This item is no longer held for security", code="not_held")
        _require_may_let_go(item, by)
        _let_go(item, asked.reason, by=by)


def correct(item: UUID, event_id: UUID, declares: str, reason: str, *, by: Person) -> None:
    """Declare an event of this item wrong (`did_not_occur` or `incorrect_data`); the event itself stays."""
    require(by, Task.CORRECT)
    if declares not in {"did_not_occur", "incorrect_data"}:
        raise Invalid("A correction declares did_not_occur or incorrect_data", code="bad_declaration")
    corrects = CorrectsIn(
        event_id=event_id,
        declares="did_not_occur" if declares == "did_not_occur" else "incorrect_data",
        reason=reason,
    )
    target = ScanEvent.objects.filter(item=item, event_id=event_id).first()
    if target is None:
        raise NotFound("This item has no such event")
    if target.step == steps.Step.HELD:
        _require_not_for_security(item)  # a hold that never was would let it go, too
        _require_may_let_go(item, by)
    # EPCIS 2.0 section 7.4.1.4: an error declaration repeats what it declares wrong.
    record_event(item, steps.Step(target.step).word, reason, by=by, corrects=corrects)


@transaction.atomic
def close_alert(alert_id: int, *, by: Person) -> None:
    """Say that a person has dealt with an alert. Doing it twice changes nothing."""
    require(by, Task.REPAIR)
    alert = Alert.objects.select_for_update().filter(pk=alert_id).first()
    if alert is None:
        raise NotFound("No such alert")
    if alert.closed_at is None:
        alert.closed_at, alert.closed_by = timezone.now(), by.source
        alert.save(update_fields=["closed_at", "closed_by"])
        custody.record_fact("parcels.alert_closed", {"alert": alert.id, "by": by.source})


def _open_row(quarantine_id: int) -> Quarantine:
    row = Quarantine.objects.select_for_update().filter(pk=quarantine_id).first()
    if row is None:
        raise NotFound("No such quarantined event")
    if row.state != "open":
        raise Conflict("Somebody has dealt with this event already", code="closed")
    return row


def _require_ends_no_hold_of_others(scan: ScanIn, by: Person) -> None:
    """Raise for a repaired event that would let an item go which two people release, or who holds a certificate."""
    if steps.parse(scan.step) is not steps.Step.RELEASED and scan.corrects is None:
        return
    try:
        number = identify.canonical(scan.item_id or scan.receptacle_id or "")
    except BadItemNumber:  # it is refused with words that help when it is recorded
        return
    named = ItemAlias.objects.filter(number=number, valid_to=None).values_list("item", flat=True).first()
    if number.startswith(identify.ITEM_PREFIX):
        named = UUID(hex=number[len(identify.ITEM_PREFIX) :])
    if named is not None:
        _require_not_for_security(named)
        _require_may_let_go(named, by)


def resubmit(quarantine_id: int, repaired: str, *, by: Person) -> None:
    """Record a repaired event in place of a quarantined one; the original bytes stay.

    Raises Invalid, and leaves the event in quarantine, when it is still wrong.
    """
    require(by, Task.REPAIR)
    try:
        scan = msgspec.json.decode(repaired.encode(), type=ScanIn)
    except (msgspec.DecodeError, RecursionError) as err:
        raise Invalid(f"Still not an event: {err}", code="bad_event") from None
    _require_ends_no_hold_of_others(scan, by)
    now = timezone.now()
    came_again.settle_one(quarantine_id, now=now)
    if rules.EVENT_TIME_MIN <= scan.event_time <= now + rules.CLOCK_AHEAD_MAX:
        # Here, because whoever makes another partition waits for the transaction that makes this one.
        partitions.ensure("parcels_scan_event", scan.event_time.astimezone(dt.UTC).date())
    with transaction.atomic():
        row = _open_row(quarantine_id)
        digest = hashlib.sha256(repaired.encode()).digest()
        answer = record_by_person(Submission(by, 0, digest, [(0, scan)], []), now=now, keep_bad=False)
        if isinstance(answer, ParcelwardError):
            raise answer
        said = msgspec.json.decode(answer.body)
        if said["quarantined"]:
            raise Invalid(said["quarantined"][0]["message"], code=said["quarantined"][0]["code"])
        row.state, row.closed_at, row.closed_by = "resubmitted", now, by.source
        row.save(update_fields=["state", "closed_at", "closed_by"])
        said = {"by": by.source, "closed_at": now.isoformat(), "event": str(scan.event_id), "quarantine": row.id}
        custody.record_fact(RESUBMITTED, said)


@transaction.atomic
def dismiss(quarantine_id: int, reason: str, *, by: Person) -> None:
    """Close a quarantined event without recording it; the bytes stay, with the reason."""
    require(by, Task.REPAIR)
    if not 1 <= len(reason) <= NOTE_MAX or "\0" in reason:
        raise Invalid(f"Give a reason of 1 to {NOTE_MAX} characters", code="bad_reason")
    row = _open_row(quarantine_id)
    now = timezone.now()
    row.state, row.closed_at, row.closed_by, row.closing_note = "dismissed", now, by.source, reason
    row.save(update_fields=["state", "closed_at", "closed_by", "closing_note"])
    said = {"by": by.source, "closed_at": now.isoformat(), "note": note_hash(row.id, reason), "quarantine": row.id}
    custody.record_fact(DISMISSED, said)
