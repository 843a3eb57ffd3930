"""`POST /api/v1/receipts`: what became of the promise that a batch's answer carried. Anyone may ask."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Field, Router, Schema

from parcelward.doors import throttle
from parcelward.doors.api.shapes import PROBLEMS
from parcelward.parcels import queries as parcels

ASKED_PER_MINUTE = 60

router = Router()

_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "text/plain": {"schema": {"type": "string", "description": "the receipt as it came, its last newline included"}}
    },
}


class ReceiptEntryOut(Schema):
    """One entry that the receipt promises."""

    commitment: str = Field(description="32 bytes in hex; the entry is the byte 01 and these")
    log_index: int | None = Field(description="its place; null before a checkpoint covers it")
    path: list[str] | None = Field(description="its inclusion proof, leaf's sibling first, in base64 (RFC 6962)")


class ReceiptProofOut(Schema):
    """The answer; saved as it is, `parcelward verify` checks it offline."""

    object: Literal["receipt_proof"]
    mode: str
    origin: str = Field(description="the log's name")
    vkeys: list[str]
    witness_vkeys: list[str]
    witness_quorum: int
    state: Literal["in_log", "waiting", "broken"]
    message: str = Field(description="the state in words")
    due_in_s: float | None = Field(description="while it waits: how long the promise still runs")
    receipt: str
    entries: list[ReceiptEntryOut] = Field(description="in the order over which the receipt's hash was made")
    checkpoint: str | None = Field(description="signed note (C2SP) under which the proofs hold")
    signed_by: list[str] = Field(description="ids of the log's keys that signed the receipt, as in `vkeys`")


@router.post(
    "/receipts",
    response={200: ReceiptProofOut, **PROBLEMS},
    summary="What became of a receipt's promise",
    openapi_extra={"requestBody": _BODY},
)
def prove(request: HttpRequest) -> HttpResponse:
    """Verify a receipt of ours and prove that what it promises is in the log, or say that it waits or was broken."""
    throttle.allow(request, "receipt", ASKED_PER_MINUTE)
    proof = parcels.receipt_proof(request.body, now=dt.datetime.now(dt.UTC))
    answer = HttpResponse(msgspec.json.encode(proof), content_type="application/json; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    answer["Access-Control-Allow-Origin"] = "*"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer
