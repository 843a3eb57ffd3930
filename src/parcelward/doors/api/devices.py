"""Devices over HTTP: enrol one that made its own key pair, see who was last heard, revoke."""

from __future__ import annotations

import base64
import datetime as dt
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from parcelward.base import config
from parcelward.base.errors import Invalid, NotFound
from parcelward.doors.api.shapes import PROBLEMS, Bearer, Strict, Text80, id_in, next_page, once
from parcelward.people import actions as people
from parcelward.people import queries as who

PREFIX = "dev_"
PAGE_MAX = 100
_KEY = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"  # 32 bytes in base64: the last character carries four bits

router = Router()


class DeviceIn(Strict):
    """A device that made its own key pair."""

    name: Text80
    public_key_ed25519_base64: str = Field(
        description="32 bytes; the private half never leaves the device",
        json_schema_extra={"pattern": _KEY},
        examples=["k9SFeHUzi5MzoDPM1HPGHBGsq8JZ+N1rJbFAbFAVJEg="],  # its private half was thrown away
    )
    facility: str = Field("", pattern=r"^([A-Z0-9][A-Z0-9._-]{1,19})?$")
    simulated: bool = False


class DeviceOut(Schema):
    """What a device keeps of its enrolment."""

    object: Literal["device"] = "device"
    id: str
    device_id: str = Field(description="the same without its prefix")
    key_id: str
    mode: str
    created_at: str


class DeviceStateOut(DeviceOut):
    """A device, and when it was last heard."""

    name: str
    facility: str = Field(description="code of the place it belongs to; empty: anywhere")
    simulated: bool
    revoked_at: str | None
    last_seen_at: str | None = Field(description="to the minute")
    clock_ahead_s: int | None = Field(description="its clock minus ours when it last signed, in seconds")


def _shown(device: who.DeviceShown) -> dict[str, Any]:
    return {
        "id": f"{PREFIX}{device.id.hex}",
        "device_id": str(device.id),
        "key_id": device.key_id,
        "mode": config.get().mode,
        "created_at": device.enrolled_at.isoformat(),
        "name": device.name,
        "facility": device.facility,
        "simulated": device.simulated,
        "revoked_at": device.revoked_at and device.revoked_at.isoformat(),
        "last_seen_at": device.last_seen_at and device.last_seen_at.isoformat(),
        "clock_ahead_s": device.clock_ahead_s,
    }


@router.get("/devices", auth=Bearer(), response={200: list[DeviceStateOut], **PROBLEMS}, summary="Your devices")
def devices(
    request: HttpRequest,
    response: HttpResponse,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> list[dict[str, Any]]:
    """Return the devices, newest first; where there is more, Link says where (rel="next")."""
    after = id_in(PREFIX, cursor) if cursor else None
    rows = who.devices(by=request.auth, limit=limit + 1, after=after)  # type: ignore[attr-defined]  # set by ninja
    if len(rows) > limit:
        response["Link"] = next_page("/api/v1/devices", limit, f"{PREFIX}{rows[limit - 1].id.hex}")
    return [_shown(row) for row in rows[:limit]]


@router.get("/devices/{device_id}", auth=Bearer(), response={200: DeviceStateOut, **PROBLEMS}, summary="One device")
def device(request: HttpRequest, device_id: str) -> dict[str, Any]:
    """Return one device; somebody else's looks like none."""
    return _shown(who.device(_id(device_id), by=request.auth))  # type: ignore[attr-defined]  # set by ninja


@router.post("/devices", auth=Bearer(), response={201: DeviceOut, **PROBLEMS}, summary="Enrol a device")
def enrol_device(request: HttpRequest, body: DeviceIn) -> HttpResponse:
    """Let a device sign batches. A key that is enrolled already is refused with 409, but see Idempotency-Key."""
    try:
        key = base64.b64decode(body.public_key_ed25519_base64, validate=True)
    except ValueError:  # binascii.Error is one, and so is a character beyond ASCII
        raise Invalid("The public key is not base64", code="bad_key") from None

    def enrol() -> DeviceOut:
        enrolled = people.enrol_device(
            body.name,
            key,
            by=request.auth,  # type: ignore[attr-defined]  # set by ninja
            facility=body.facility,
            simulated=body.simulated,
        )
        return DeviceOut(
            id=f"{PREFIX}{enrolled.device_id.hex}",
            device_id=str(enrolled.device_id),
            key_id=enrolled.key_id,
            mode=config.get().mode,
            created_at=dt.datetime.now(dt.UTC).isoformat(),
        )

    return once(request, 201, enrol)


@router.delete("/devices/{device_id}", auth=Bearer(), response={204: None, **PROBLEMS}, summary="Revoke a device")
def revoke_device(request: HttpRequest, device_id: str) -> tuple[int, None]:
    """Refuse the device's batches from the next one on."""
    people.revoke_device(_id(device_id), by=request.auth)  # type: ignore[attr-defined]  # set by ninja
    return 204, None


def _id(device_id: str) -> UUID:
    found = id_in(PREFIX, device_id)
    if found is None:
        raise NotFound("No such device")
    return found
