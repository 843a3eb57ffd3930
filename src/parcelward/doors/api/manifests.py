"""Manifests over HTTP: a partner says which items it handed in."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from django.http import HttpRequest, HttpResponse
from ninja import Field, Schema

from parcelward.base import config
from parcelward.base.errors import Invalid
from parcelward.doors.api.shapes import Strict, once
from parcelward.parcels import actions as parcels


class ManifestIn(Strict):
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
    id: str
    manifest_id: str
    mode: str
    accepted: int
    duplicates: int
    refused: list[RefusedOut]
    created_at: str


def take(request: HttpRequest, body: ManifestIn) -> HttpResponse:
    """Accept a manifest; the same again changes nothing."""
    if body.event_time.tzinfo is None:
        raise Invalid("Give the manifest's time with its offset, for example Z", code="no_offset")

    def accept() -> ManifestOut:
        now = dt.datetime.now(dt.UTC)
        done = parcels.accept_manifest(
            body.manifest_id,
            facility=body.facility,
            event_time=body.event_time,
            numbers=body.items,
            by=request.auth,  # type: ignore[attr-defined]  # set by ninja
            now=now,
        )
        return ManifestOut(
            id=f"man_{body.manifest_id}",
            manifest_id=body.manifest_id,
            mode=config.get().mode,
            accepted=done.accepted,
            duplicates=done.duplicates,
            refused=[RefusedOut(index=r.index, code=r.code, message=r.message) for r in done.refused],
            created_at=now.isoformat(),
        )

    return once(request, 200, accept)
