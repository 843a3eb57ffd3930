"""Rows of lists as they are stored: sealed, opened for their owner and for the worker, looked at, marked.

Private to the room.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base import config, db
from parcelward.base.standards.money import Currency
from parcelward.network import queries as network
from parcelward.parcels.queries import operator_rules
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries as vault
from parcelward.privacy.errors import BodyGone, NotAuthentic
from parcelward.privacy.wire import BodyColumn, SealedBody
from parcelward.shipping.models import Upload, UploadRow
from parcelward.shipping.queries import tariffs
from parcelward.shipping.uploads import checks, rows
from parcelward.shipping.uploads.checks import By, Looked
from parcelward.shipping.uploads.wire import RowState, Wrong

CONTENT: Final = BodyColumn("shipping_uploadrow", "content")
HEAD: Final = BodyColumn("shipping_upload", "sealed")
KEY_COLUMNS: Final = {CONTENT: "content_key", HEAD: "sealed_key"}

_WRITE: Final = (
    "UPDATE shipping_uploadrow r SET state = u.state, total_minor = u.total, problems = u.problems::jsonb, "
    "mark = u.mark FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[], %s::bytea[]) "
    "AS u(id, state, total, problems, mark) WHERE r.id = u.id"
)
_FIRST: Final = (
    "SELECT mark, min(place) FROM shipping_uploadrow WHERE upload_id = %s AND mark = ANY(%s::bytea[]) GROUP BY mark"
)


@dataclass(frozen=True, slots=True, repr=False)
class Content:
    """What a row says: its cells as they came, and what somebody mended."""

    cells: tuple[str, ...]
    mended: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class Head:
    """What stands above the rows, and what was said for all of them."""

    header: tuple[str, ...]
    defaults: Mapping[str, str] = field(default_factory=dict)


def seal_rows(contents: Sequence[Content]) -> list[SealedBody]:
    """Seal rows, each with a key of its own."""
    said = [json.dumps([one.cells, one.mended], ensure_ascii=False).encode() for one in contents]
    return privacy.seal_bodies(CONTENT, said, now=timezone.now())


def seal_head(head: Head) -> SealedBody:
    """Seal what stands above the rows."""
    said = json.dumps([head.header, head.defaults], ensure_ascii=False).encode()
    return privacy.seal_bodies(HEAD, [said], now=timezone.now())[0]


def head_of(upload: Upload) -> Head:
    """Return what stands above an upload's rows; nothing once it is forgotten."""
    with contextlib.suppress(BodyGone, NotAuthentic):
        if upload.sealed_key is not None:
            opener = vault.opener(HEAD, [upload.sealed_key])
            header, defaults = json.loads(opener.open(upload.sealed_key, bytes(upload.sealed)))
            return Head(tuple(header), defaults)
    return Head(())


def contents_of(some: Iterable[UploadRow]) -> dict[int, Content]:
    """Return {place: content} of rows, without those that are forgotten."""
    found, opened = [one for one in some if one.content_key is not None], {}
    opener = vault.opener(CONTENT, [one.content_key for one in found])
    for one in found:
        with contextlib.suppress(BodyGone, NotAuthentic):
            cells, mended = json.loads(opener.open(one.content_key, bytes(one.content)))
            opened[one.place] = Content(tuple(cells), mended)
    return opened


def forget_after_commit(keys: Iterable[UUID | None]) -> None:
    """Let the keys go with the rows that the caller's transaction empties, once it has."""
    gone = list(keys)
    transaction.on_commit(lambda: privacy.forget_bodies(gone))


def by_of(upload: Upload) -> tuple[int, By]:
    """Return by what an upload's rows are looked at now, and the tariff's number."""
    number, tariff = tariffs.tariff_in_force(timezone.now())
    return number, By(
        tariff=tariff,
        currency=Currency(tariff.currency),
        here=config.get().country,
        routed=lambda country, postcode: network.route_to(country, postcode) is not None,
        rules=operator_rules(),
        strict=upload.strict,
    )


def values_of(upload: Upload, head: Head, content: Content) -> dict[str, str]:
    """Return the fields of a row."""
    return rows.values_of(content.cells, upload.columns, head.defaults, content.mended)


def mark_of(upload: Upload, reference: str) -> bytes | None:
    """Return what a row's reference is found by: nobody reads it back."""
    return vault.link_mark("upload_reference", str(upload.owner), reference) if reference else None


def look(upload: Upload, some: Sequence[UploadRow], by: By, head: Head) -> None:
    """Look at rows, and write how each stands: what is wrong with it in codes, nothing that was typed."""
    contents = contents_of(some)
    here = [one for one in some if one.place in contents]
    looked: list[Looked] = []
    for one in here:
        found = checks.looked(values_of(upload, head, contents[one.place]), by)
        looked.append(found)
        one.mark = mark_of(upload, found.item.reference)
    for one, found in zip(here, looked, strict=True):
        one.state = (RowState.WRONG if found.wrong else RowState.OK).value
        one.problems, one.total_minor = [[each.field, each.code] for each in found.wrong], found.total_minor
    write(here)
    again = _repeats(upload, here)
    for one in again:
        one.state, one.total_minor = RowState.WRONG.value, 0
    if again:
        write(again)


def _repeats(upload: Upload, some: Sequence[UploadRow]) -> list[UploadRow]:
    """Return rows whose reference stands further up, or was ordered by another list; each with that as a problem."""
    marked = {one.place: bytes(one.mark) for one in some if one.mark}
    if not marked:
        return []
    marks = sorted(set(marked.values()))
    known: set[bytes] = set()
    if not upload.repeats_ok:
        before = UploadRow.objects.filter(mark__in=marks, state=RowState.PLACED.value).exclude(upload=upload)
        known = {bytes(mark) for mark in before.values_list("mark", flat=True) if mark}
    with db.cursor() as cur:
        first = {bytes(mark): place for mark, place in cur.execute(_FIRST, (upload.pk, marks)).fetchall()}
    again = []
    for one in some:
        mark = marked.get(one.place)
        if mark is None:
            continue
        code = "reference_ordered" if mark in known else "reference_twice" if first[mark] != one.place else ""
        if code:
            one.problems = [*one.problems, ["reference", code]]
            again.append(one)
    return again


def write(some: Sequence[UploadRow]) -> None:
    """Write how rows stand, with one statement."""
    with db.cursor() as cur:
        cur.execute(
            _WRITE,
            (
                [one.pk for one in some],
                [one.state for one in some],
                [one.total_minor for one in some],
                [json.dumps(one.problems) for one in some],
                [None if one.mark is None else bytes(one.mark) for one in some],
            ),
        )


REPEATED_WORDS: Final = "This reference stands in another row above"
ORDERED_WORDS: Final = "A parcel with this reference was ordered before"
GONE_WORDS: Final = "An order could not be made of this row"
OF_ROWS: Final = {"reference_twice": REPEATED_WORDS, "reference_ordered": ORDERED_WORDS}


def wrong_of(row: UploadRow, values: dict[str, str], by: By) -> tuple[Wrong, ...]:
    """Return what is wrong with a row in words, with what could stand there instead; of stored codes the rest."""
    if row.state not in {RowState.WRONG.value, RowState.FAILED.value}:
        return ()
    found = checks.looked(values, by).wrong
    told = {(one.field, one.code) for one in found}
    more = [(name, code) for name, code in row.problems if (name, code) not in told]
    words = OF_ROWS | {"": GONE_WORDS}
    return (
        *found,
        *(Wrong(name, code, words.get(code, GONE_WORDS)) for name, code in more if code in words or not found),
    )
