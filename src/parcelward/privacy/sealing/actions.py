"""Make and destroy stations' keys, seal labels, open the parts that machines read, and lend keys to devices.

A label's code and a key never stand in an entry of the log; the digest of a label and the ids of loans do.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.db import transaction

from parcelward.base import ed25519
from parcelward.base.errors import Conflict, Invalid, NotAllowed, NotFound
from parcelward.custody import actions as custody
from parcelward.people import queries as people
from parcelward.people.queries import require
from parcelward.people.wire import Person, Role, Task
from parcelward.privacy import facts
from parcelward.privacy.models import Loan, StationKey
from parcelward.privacy.sealing import keybox, rules, wire
from parcelward.privacy.sealing.errors import BadLabel, KeyNotThere, NotLent
from parcelward.privacy.sealing.wire import HandedOut, Hop, LabelIn, LoanRow, Sealed

KEYS_MADE: Final = "privacy.station_keys_made"
KEYS_DESTROYED: Final = "privacy.station_keys_destroyed"
SEALED: Final = facts.LABELS_SEALED
OPENED: Final = "privacy.label_parts_opened"
LENT: Final = "privacy.station_keys_lent"
LOAN_ENDED: Final = "privacy.loan_ended"
HANDED_OUT: Final = "privacy.station_keys_handed_out"

LABELS_AT_ONCE_MAX: Final = 500
KEYS_AT_ONCE_MAX: Final = 500  # in one entry of the log
EPOCHS_LENT_MAX: Final = 14  # a claim period of 90 days has thirteen weeks and a bit
OPENED_BY_MACHINES: Final = frozenset({Hop.HUB, Hop.OFFICE})
"""What the house itself opens. Nothing here opens a courier's part: only a lent key does, on the courier's device."""
_ROUND = re.compile(r"[A-Za-z0-9][A-Za-z0-9 /-]{0,19}")  # a round's code has no room for a person's name in it
_FACILITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")


def make_station_keys(facilities: Iterable[str], epochs: Iterable[int], *, by: Person, now: dt.datetime) -> int:
    """Make the key pairs that are missing and return how many. Those that are there, or were destroyed, stay so."""
    require(by, Task.TURN_KEYS)
    wanted = sorted(itertools.product(set(facilities), set(epochs)))
    if not all(_FACILITY.fullmatch(facility) for facility, _ in wanted):
        raise Invalid("A facility's code has up to 20 letters, digits, - and _", code="bad_facility")
    known = set(
        StationKey.objects.filter(facility__in={f for f, _ in wanted}, epoch__in={e for _, e in wanted}).values_list(
            "facility", "epoch"
        )
    )
    missing = [each for each in wanted if each not in known]
    made = 0
    for start in range(0, len(missing), KEYS_AT_ONCE_MAX):
        made += _make(missing[start : start + KEYS_AT_ONCE_MAX], by=by, now=now)
    return made


def _make(missing: Sequence[tuple[str, int]], *, by: Person, now: dt.datetime) -> int:
    rows, version = [], keybox.newest_version()
    for facility, epoch in missing:
        key = X25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        row = StationKey(facility=facility, epoch=epoch, public_key=public, made_at=now)
        keybox.put(row, key.private_bytes_raw(), version)
        rows.append(row)
    # The entry comes first: a kill in between leaves an entry of keys that are nowhere, and never a key without one.
    said = [{"epoch": row.epoch, "facility": row.facility, "key": row.public_key.hex()} for row in rows]
    custody.record_fact(KEYS_MADE, {"by": by.source, "keys": said})
    StationKey.objects.bulk_create(rows, ignore_conflicts=True)  # if another worker was first, its key is the one
    return StationKey.objects.filter(public_key__in=[row.public_key for row in rows]).count()


def destroy_due_keys(*, claim: dt.timedelta, by: Person, now: dt.datetime) -> int:
    """Destroy the private halves of every week whose claim period is over; return how many.

    The entry comes first: a kill in between lets the next round do it, and say it, again.
    """
    require(by, Task.TURN_KEYS)
    due = StationKey.objects.filter(epoch__lte=rules.newest_over(now, claim), destroyed_at=None)
    gone = 0
    while rows := list(due.order_by("facility", "epoch")[:KEYS_AT_ONCE_MAX]):
        said = [{"epoch": row.epoch, "facility": row.facility} for row in rows]
        custody.record_fact(KEYS_DESTROYED, {"by": by.source, "keys": said})
        StationKey.objects.filter(pk__in=[row.pk for row in rows]).update(wrapped=b"", destroyed_at=now)
        gone += len(rows)
    return gone


def _private(facility: str, epoch: int) -> bytes:
    """Return a station's private key. Raises KeyNotThere: never made, or destroyed for good."""
    return _privates([facility], epoch)[facility]


def _privates(facilities: Collection[str], epoch: int) -> dict[str, bytes]:
    """Return the private keys of stations. Raises as `_private`."""
    rows = {row.facility: row for row in StationKey.objects.filter(facility__in=facilities, epoch=epoch)}
    week = rules.epoch_name(epoch)
    for facility in facilities:
        if facility not in rows:
            raise KeyNotThere(f"There is no key of {facility} for the week {week}")
        if rows[facility].destroyed_at is not None:
            raise KeyNotThere(
                f"The key of {facility} for the week {week} was destroyed: its labels are dark for good. Make a new "
                "label, or have the address revealed.",
                code="key_destroyed",
            )
    return {facility: keybox.take(row) for facility, row in rows.items()}


def _publics(facilities: Collection[str], epoch: int) -> dict[str, bytes]:
    """Return public keys, derived from what only our key-encryption key opens: nobody can put in another."""
    return {
        facility: X25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw()
        for facility, key in _privates(facilities, epoch).items()
    }


def seal_labels(wanted: Sequence[LabelIn], *, by: Person, now: dt.datetime) -> list[Sealed]:
    """Seal labels with this week's keys. Sealing again gives other bytes that say the same."""
    require(by, Task.SEAL_LABEL)
    if not 1 <= len(wanted) <= LABELS_AT_ONCE_MAX:
        raise Invalid(f"Seal 1 to {LABELS_AT_ONCE_MAX} labels at once", code="bad_count")
    epoch = rules.epoch_of(now)
    keys = _publics({place for each in wanted for place in (each.hub, each.office)}, epoch)
    made = [
        Sealed(
            wire.item_number(each.item),
            rules.seal(
                each,
                epoch=epoch,
                hub_key=keys[each.hub],
                office_key=keys[each.office],
                binding_key=keybox.binding_key(),
            ),
        )
        for each in wanted
    ]
    digests = [wire.digest(each.raw).hex() for each in made]
    custody.record_fact(SEALED, {"by": by.source, "epoch": epoch, "labels": digests})
    return made


@transaction.atomic
def open_parts(
    read: Sequence[tuple[str, str]], hop: Hop, *, claim: dt.timedelta, by: Person, now: dt.datetime
) -> list[tuple[str, ...]]:
    """Open one hop's part of labels that a station's machine read: (item's number, text of the code) each.

    The station is where the machine is enrolled. Raises BadLabel, KeyNotThere and NotAllowed; then nothing was opened.
    """
    require(by, Task.OPEN_LABEL)
    if not 1 <= len(read) <= LABELS_AT_ONCE_MAX:
        raise Invalid(f"Open 1 to {LABELS_AT_ONCE_MAX} labels at once", code="bad_count")
    if hop not in OPENED_BY_MACHINES:
        raise NotAllowed("A courier's part opens on the courier's device, with a lent key", code="not_opened_here")
    device = people.standing_device(by.id) if by.role is Role.DEVICE else None
    if device is None or device.revoked or not device.facility:
        raise NotAllowed("Open it with a device that is enrolled at the station", code="no_station")
    labels = [(wire.item_number(item), wire.parse(wire.from_base45(text))) for item, text in read]
    for epoch in {label.epoch for _, label in labels}:
        _require_open(epoch, claim=claim, now=now)
    keys = {epoch: _private(device.facility, epoch) for epoch in sorted({label.epoch for _, label in labels})}
    opened = [rules.open_part(label, hop, keys[label.epoch], item=item) for item, label in labels]
    digests = [wire.digest(wire.from_base45(text)).hex() for _, text in read]
    custody.record_fact(OPENED, {"by": by.source, "device": str(device.device_id), "hop": int(hop), "labels": digests})
    return opened


def _require_open(epoch: int, *, claim: dt.timedelta, now: dt.datetime) -> None:
    """Raise KeyNotThere for a week that has not begun or whose claim period is over, destroyed already or not."""
    week = rules.epoch_name(epoch)
    if epoch > rules.epoch_of(now):
        raise KeyNotThere(f"The week {week} has not begun", code="epoch_ahead")
    if epoch <= rules.newest_over(now, claim):
        raise KeyNotThere(f"The claim period of the week {week} is over: its labels are dark", code="epoch_over")


def require_lender(by: Person) -> None:
    """Raise NotAllowed unless `by` lends keys for the operator.

    A contractor's people enrol their own devices wherever they say, and would lend every office's keys to themselves.
    """
    require(by, Task.LEND_KEYS)
    if people.tenant_of(by) is not None:
        raise NotAllowed("The operator's offices lend their keys", code="not_the_operators")


@transaction.atomic
def lend(
    facility: str,
    epochs: Sequence[int],
    device_id: UUID,
    round_name: str,
    *,
    hours: int,
    claim: dt.timedelta,
    by: Person,
    now: dt.datetime,
) -> list[LoanRow]:
    """Lend an office's keys of some weeks to a device for a round. The same again gives the same loans.

    The device fetches them by `hand_out`. Raises NotLent: revoked, or of another place; KeyNotThere.
    """
    require_lender(by)
    if not 1 <= hours <= rules.LOAN_HOURS_MAX:
        raise Invalid(f"A round ends within {rules.LOAN_HOURS_MAX} hours", code="bad_hours")
    if not _ROUND.fullmatch(round_name):
        raise Invalid("A round's code has up to 20 letters and digits", code="bad_round")
    if not 1 <= len(set(epochs)) <= EPOCHS_LENT_MAX:
        raise Invalid(f"Lend the keys of 1 to {EPOCHS_LENT_MAX} weeks", code="bad_count")
    device = people.standing_device(device_id, lock=True)  # so that a revocation comes before or after, never between
    if device is None:
        raise NotFound("No such device")
    if device.revoked:
        raise NotLent("This device was revoked: no key is lent to it", code="revoked")
    if device.facility != facility:
        raise NotLent("This device is not enrolled at this office", code="other_facility")
    for epoch in epochs:
        _require_open(epoch, claim=claim, now=now)
        _private(facility, epoch)
    known = {
        row.epoch: row
        for row in Loan.objects.filter(
            device=device_id, facility=facility, round_name=round_name, ended_at=None, expires_at__gt=now
        )
    }
    fresh = [
        Loan(
            device=device_id,
            facility=facility,
            epoch=epoch,
            round_name=round_name,
            lent_by=by.source,
            lent_at=now,
            expires_at=(now + dt.timedelta(hours=hours)).replace(microsecond=0),
        )
        for epoch in sorted(set(epochs) - known.keys())
    ]
    Loan.objects.bulk_create(fresh)
    if fresh:
        said = {"by": by.source, "device": str(device_id), "facility": facility, "round": round_name}
        loans = [{"epoch": row.epoch, "loan": str(row.id)} for row in fresh]
        custody.record_fact(LENT, {**said, "expires_at": fresh[0].expires_at.isoformat(), "loans": loans})
    lent = known | {row.epoch: row for row in fresh}
    return [loan_row(lent[epoch]) for epoch in sorted(set(epochs))]


def loan_row(row: Loan) -> LoanRow:
    """Return a loan as others see it."""
    return LoanRow(
        loan_id=row.id,
        device=row.device,
        facility=row.facility,
        epoch=row.epoch,
        round_name=row.round_name,
        lent_at=row.lent_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )


@transaction.atomic
def end_loan(loan_id: UUID, *, by: Person, now: dt.datetime) -> None:
    """End a loan before its round: the key is not handed out again. Doing it twice changes nothing."""
    require_lender(by)
    row = Loan.objects.select_for_update().filter(pk=loan_id).first()
    if row is None:
        raise NotFound("No such loan")
    if row.ended_at is None and row.expires_at > now:
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        custody.record_fact(LOAN_ENDED, {"by": by.source, "loan": str(row.id)})


@transaction.atomic
def hand_out(
    device_key: bytes, reader_key: bytes, at_ms: int, signature: bytes, *, by: Person, now: dt.datetime
) -> list[HandedOut]:
    """Hand a device what is lent to it, encrypted to the one-time X25519 key that it signed just now.

    Raises NotLent when the device is not enrolled, was revoked, or did not sign; so nothing is handed to anybody else.
    """
    require(by, Task.OPEN_LABEL)
    device = people.standing_device_by_key(device_key, lock=True)
    if device is None:
        raise NotLent("This device is not enrolled. Ask for it at the office.", code="not_enrolled")
    if device.revoked:
        raise NotLent("This device was revoked: no key is lent to it", code="revoked")
    try:
        ed25519.PublicKey(device_key).verify(signature, rules.reader_statement(reader_key, at_ms))
    except (InvalidSignature, ValueError):
        raise NotLent("The device's signature does not hold", code="bad_signature") from None
    if abs(now.timestamp() * 1000 - at_ms) > rules.CLOCK_SKEW_MAX.total_seconds() * 1000:
        raise Conflict("The device's clock is more than five minutes off: set it right", code="clock_off")
    rows = Loan.objects.filter(device=device.device_id, ended_at=None, expires_at__gt=now).order_by("epoch", "lent_at")
    handed = []
    for row in rows:
        if row.facility == device.facility:  # a device that moved to another office has nothing more to open here
            with contextlib.suppress(KeyNotThere):  # what was destroyed since it was lent is lent no more
                handed.append(_handed(loan_row(row), reader_key))
    if handed:
        said = {"by": by.source, "device": str(device.device_id)}
        custody.record_fact(HANDED_OUT, {**said, "loans": [str(each.loan.loan_id) for each in handed]})
    return handed


def _handed(loan: LoanRow, reader_key: bytes) -> HandedOut:
    private = _private(loan.facility, loan.epoch)
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    try:
        return HandedOut(loan, public, rules.seal_loan(private, loan, reader_key))
    except ValueError:  # a point of small order, or no point: nobody could open it, or anybody
        raise BadLabel("This is no key of a reader", code="bad_key") from None
