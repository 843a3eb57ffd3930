"""Lists of orders over HTTP: send a file, say what its columns mean, see what is wrong, have it placed."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Field, Query, Router, Schema

from parcelward.base import config
from parcelward.base.errors import NotFound
from parcelward.doors.api.addressbook import ADDRESS_PREFIX
from parcelward.doors.api.order_shapes import ORDER_PREFIX, PartyIn
from parcelward.doors.api.shapes import PROBLEMS, Bearer, Strict, id_in, next_page, once_id
from parcelward.people.wire import Person
from parcelward.shipping import actions, queries
from parcelward.shipping.uploads.wire import RowState, UploadSeen

UPLOAD_PREFIX = "upl_"
ROWS_PAGE_MAX = 100
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FILE_KINDS = ("text/csv", XLSX, "application/octet-stream")
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILE_KINDS},
    }
}
FieldName = Annotated[str, Field(max_length=40, pattern=r"^[a-z0-9_]*$")]
Text = Annotated[str, Field(max_length=2_000)]

router = Router()


def _by(request: HttpRequest) -> Person:
    return request.auth  # type: ignore[attr-defined, no-any-return]  # set by ninja


def upload_id_of(text: str) -> UUID:
    """Return a list's id. Raises NotFound for a text that is none."""
    found = id_in(UPLOAD_PREFIX, text)
    if found is None:
        raise NotFound("No such list")
    return found


class ColumnOut(Schema):
    """One column of the file, and the field that it is taken for; empty: nobody needs it."""

    header: str
    field: str


class UploadOut(Schema):
    """A list as it stands now."""

    object: Literal["upload"] = "upload"
    id: str
    mode: str
    created_at: str
    state: str = Field(description="mapping, checking, preview, placing, done or given_up")
    reason: str = Field(description="why placing stands still: not_enough, over_cap, tariff_changed or another code")
    rows: int
    counts: dict[str, int] = Field(description="rows by state: new, ok, wrong, placed, failed")
    total_minor: int = Field(description="what the good rows cost by the tariff when they were looked at")
    currency: str
    columns: list[ColumnOut]
    remembered: bool = Field(description="the columns were taken from an earlier file with the same header")


class WrongOut(Schema):
    """One thing that is wrong in a row."""

    field: str
    code: str
    message: str
    suggestion: str


class RowOut(Schema):
    """A row with what is wrong in it."""

    object: Literal["upload_row"] = "upload_row"
    row: int = Field(description="0 is the first one below the header")
    state: str
    values: dict[str, str]
    errors: list[WrongOut]
    order: str | None


class ColumnsIn(Strict):
    """What each column means, in their order; and what holds for rows that do not say it."""

    columns: list[FieldName] = Field(max_length=100, examples=[["addressee", "street_1", "locality", "postcode", ""]])
    defaults: dict[FieldName, Text] = Field(default={}, examples=[{"product": "parcel", "weight_g": "500"}])
    sender: PartyIn | None = None
    sender_address: str | None = Field(None, max_length=100, description="adr_... of the address book, instead")
    repeats_ok: bool = Field(False, description="references may have been ordered before")
    strict_addresses: bool = False


class MendIn(Strict):
    """Other texts for fields of a row."""

    values: dict[FieldName, Text] = Field(examples=[{"postcode": "62701"}])


def shown(one: UploadSeen) -> UploadOut:
    """Return a list as the API shows it."""
    return UploadOut(
        id=f"{UPLOAD_PREFIX}{one.id.hex}",
        mode=config.get().mode,
        created_at=one.created_at.isoformat(),
        state=one.state.value,
        reason=one.reason,
        rows=one.rows,
        counts={state.value: one.counts.get(state, 0) for state in RowState},
        total_minor=one.total_minor,
        currency=one.currency,
        columns=[ColumnOut(header=column.header, field=column.taken_for) for column in one.columns],
        remembered=one.remembered,
    )


def _answer(upload_id: UUID, *, by: Person, status: int = 200) -> HttpResponse:
    body = shown(queries.upload(upload_id, by=by, columns=True)).model_dump_json().encode()
    answer = HttpResponse(body, content_type="application/json; charset=utf-8", status=status)
    answer["Cache-Control"] = "no-store"
    return answer


@router.post(
    "/uploads",
    auth=Bearer(),
    response={201: UploadOut, **PROBLEMS},
    summary="Send a list of orders as a file",
    openapi_extra=_FILE,
)
def take(request: HttpRequest) -> HttpResponse:
    """Take a CSV or XLSX file whose first row names the columns: at most 10,000 rows and 2 MB. It is kept sealed.

    The answer says what each column is taken for; nothing is ordered before that was confirmed and the list placed.
    """
    by = _by(request)
    found = once_id(request, lambda: actions.take_file(uuid.uuid4(), request.body, by=by))
    return _answer(found, by=by, status=201)


@router.get("/uploads", auth=Bearer(), response={200: list[UploadOut], **PROBLEMS}, summary="Your lists")
def uploads(request: HttpRequest) -> list[UploadOut]:
    """Return the newest lists of your organisation."""
    return [shown(one) for one in queries.uploads(by=_by(request))]


@router.get("/uploads/{upload_id}", auth=Bearer(), response={200: UploadOut, **PROBLEMS}, summary="One list")
def upload(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Return a list as it stands now, with its columns; somebody else's looks like none."""
    return _answer(upload_id_of(upload_id), by=_by(request))


@router.post(
    "/uploads/{upload_id}/mapping",
    auth=Bearer(),
    response={200: UploadOut, **PROBLEMS},
    summary="Say what columns mean",
)
def say_columns(request: HttpRequest, upload_id: str, body: ColumnsIn) -> HttpResponse:
    """Say what each column means. Every row is then looked at; the next file with the same header starts from it."""
    found, by = upload_id_of(upload_id), _by(request)
    sender: Any = None if body.sender is None else body.sender.value()
    if body.sender_address is not None:
        token = id_in(ADDRESS_PREFIX, body.sender_address)
        if token is None:
            raise NotFound("No such address")
        sender = token
    actions.map_columns(
        *(found, body.columns, body.defaults),
        sender=sender,
        by=by,
        repeats_ok=body.repeats_ok,
        strict=body.strict_addresses,
    )
    return _answer(found, by=by)


@router.get(
    "/uploads/{upload_id}/errors", auth=Bearer(), response={200: list[RowOut], **PROBLEMS}, summary="What is wrong"
)
def wrong(
    request: HttpRequest,
    response: HttpResponse,
    upload_id: str,
    limit: Annotated[int, Query(ge=1, le=ROWS_PAGE_MAX)] = ROWS_PAGE_MAX,
    cursor: Annotated[int, Query(ge=-1, le=1_000_000)] = -1,
) -> list[dict[str, Any]]:
    """Return the rows with something wrong in them, with what; where there is more, Link says where (rel="next")."""
    found = upload_id_of(upload_id)
    rows = queries.upload_rows_of(found, by=_by(request), after=cursor, limit=limit + 1)
    response["Cache-Control"] = "no-store"
    if len(rows) > limit:
        path = f"/api/v1/uploads/{UPLOAD_PREFIX}{found.hex}/errors"
        response["Link"] = next_page(path, limit, str(rows[limit - 1].place))
    return [
        {
            "row": one.place,
            "state": one.state.value,
            "values": dict(one.values),
            "errors": [
                {"field": each.field, "code": each.code, "message": each.message, "suggestion": each.suggestion}
                for each in one.wrong
            ],
            "order": None if one.order is None else f"{ORDER_PREFIX}{one.order.hex}",
        }
        for one in rows[:limit]
    ]


@router.post(
    "/uploads/{upload_id}/rows/{row}", auth=Bearer(), response={200: UploadOut, **PROBLEMS}, summary="Mend a row"
)
def mend(request: HttpRequest, upload_id: str, row: int, body: MendIn) -> HttpResponse:
    """Write other texts into fields of a row; it is looked at again at once."""
    found, by = upload_id_of(upload_id), _by(request)
    actions.mend_row(found, row, body.values, by=by)
    return _answer(found, by=by)


@router.post("/uploads/{upload_id}/place", auth=Bearer(), response={200: UploadOut, **PROBLEMS}, summary="Place a list")
def place(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Have an order made of each good row, paid out of the balance; each is made once, however often this is asked.

    It goes on after the answer. Where the balance does not hold enough it stands still: pay in, and ask again.
    """
    found, by = upload_id_of(upload_id), _by(request)
    actions.place_upload(found, by=by)
    return _answer(found, by=by)


@router.post(
    "/uploads/{upload_id}/give-up", auth=Bearer(), response={200: UploadOut, **PROBLEMS}, summary="Give a list up"
)
def give_up(request: HttpRequest, upload_id: str) -> HttpResponse:
    """Forget the rows that are no orders. What was ordered stays."""
    found, by = upload_id_of(upload_id), _by(request)
    actions.give_up_upload(found, by=by)
    return _answer(found, by=by)
