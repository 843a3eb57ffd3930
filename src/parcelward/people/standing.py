"""Devices as they stand now: where each belongs, and whether it was revoked."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from parcelward.people.models import Device
from parcelward.people.rules import key_id_of


class StandingDevice(NamedTuple):
    """A device as it stands now: where it belongs, and whether it was revoked."""

    device_id: UUID
    source: int
    facility: str
    name: str
    revoked: bool


def standing_device(device_id: UUID, *, lock: bool = False) -> StandingDevice | None:
    """Return a device as it stands; with `lock`, as it will stand until the caller's transaction ends."""
    return _standing(Device.objects.filter(pk=device_id), lock=lock)


def standing_device_by_key(public_key: bytes, *, lock: bool = False) -> StandingDevice | None:
    """Return the device that was enrolled with this Ed25519 key, as `standing_device` does."""
    return _standing(Device.objects.filter(key_id=key_id_of(public_key)), lock=lock)


def _standing(rows: QuerySet[Device], *, lock: bool) -> StandingDevice | None:
    row = (rows.select_for_update(of=("self",)) if lock else rows).select_related("source").first()
    if row is None:
        return None
    return StandingDevice(row.id, row.source_id, row.facility, row.source.name, row.revoked_at is not None)


def standing_devices(facility: str) -> list[StandingDevice]:
    """Return the devices enrolled at a place that were not revoked, by name."""
    rows = Device.objects.filter(facility=facility, revoked_at=None).select_related("source").order_by("source__name")
    return [StandingDevice(row.id, row.source_id, row.facility, row.source.name, revoked=False) for row in rows[:200]]
