"""Manifests over HTTP: a partner says which items it handed in."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Schema

from parcelward.base import config
from parcelward.base.errors import Invalid
from parcelward.parcels import actions as parcels


class ManifestIn(Schema):
    """Which items were handed in, where and when. No names, no addresses."""

    manifest_id: str = Field(min_length=1, max_length=64, examples=["M-2026-11-25-7"])
    facility: str = Field(max_length=20, description="a facility's code")
    event_time: dt.datetime = Field(description="with its offset")
    items: list[str] = Field(min_length=1, max_length=parcels.MANIFEST_ITEMS_MAX)


class RefusedOut(Schema):
    """One item that was not accepted."""

    index: int
    code: str
    message: str


class ManifestOut(Schema):
    """What became of a manifest. What is accepted is assumed until somebody scans it."""

    object: Literal["manifest"] = "manifest"
    manifest_id: str
    mode: str
    accepted: int
    duplicates: int
    refused: list[RefusedOut]


def take(request: HttpRequest, body: ManifestIn) -> dict[str, Any]:
    """Accept a manifest; the same again changes nothing."""
    if body.event_time.tzinfo is None:
        raise Invalid("Give the manifest's time with its offset, for example Z", code="no_offset")
    done = parcels.accept_manifest(
        body.manifest_id,
        facility=body.facility,
        event_time=body.event_time,
        numbers=body.items,
        by=request.auth,  # type: ignore[attr-defined]  # set by ninja
        now=dt.datetime.now(dt.UTC),
    )
    return {
        "manifest_id": body.manifest_id,
        "mode": config.get().mode,
        "accepted": done.accepted,
        "duplicates": done.duplicates,
        "refused": [{"index": r.index, "code": r.code, "message": r.message} for r in done.refused],
    }
