"""What the worker does with lists: looks at their rows, and makes orders of them, a piece at a time.

Each piece is one transaction under the lock of its list, and a row's order has an id made of the list's and the row's
place: whoever is killed leaves nothing half done, and nothing is ordered twice. Private to the room.
"""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from parcelward.base import db
from parcelward.base.errors import Busy, Invalid, ParcelwardError
from parcelward.people import actions as people
from parcelward.people.queries import acting_again
from parcelward.people.wire import Person
from parcelward.shipping import upload_rows
from parcelward.shipping.actions import orders
from parcelward.shipping.actions.drafting import Asked
from parcelward.shipping.errors import BadOrder
from parcelward.shipping.models import Upload, UploadRow
from parcelward.shipping.uploads import checks, rows
from parcelward.shipping.uploads.wire import RowState, State
from parcelward.shipping.wire import OrderWanted, Party

log = logging.getLogger("parcelward.uploads")

CHECKED_AT_ONCE: Final = 250
PLACED_AT_ONCE: Final = 250
TAKEN_FOR: Final = dt.timedelta(seconds=120)  # nobody else looks at a list meanwhile
TRIES_MAX: Final = 5
_EMPTY_PLACED: Final = (
    "UPDATE shipping_uploadrow r SET \"order\" = u.made, content = '', content_key = NULL "
    "FROM unnest(%s::bigint[], %s::uuid[]) AS u(id, made) WHERE r.id = u.id"
)
STANDS_STILL: Final = frozenset({"not_enough", "over_cap", "no_tariff", "forgotten", "not_theirs_any_more"})
"""What the next row would meet as well: the list stands still, until somebody has it placed again."""


def once() -> int:
    """Go on with the lists that are due; return how many those were."""
    done = 0
    for upload_id, state in _take():
        try:
            check_some(upload_id, CHECKED_AT_ONCE) if state == State.CHECKING else place_some(upload_id)
            Upload.objects.filter(pk=upload_id, try_at__isnull=False).update(try_at=timezone.now(), tries=0)
        except Exception:
            log.exception("a list failed to go on; it is tried again")
            _later(upload_id)
        done += 1
    return done


@transaction.atomic
def _take() -> list[tuple[UUID, str]]:
    now = timezone.now()
    due = Upload.objects.filter(try_at__lte=now).order_by("try_at").select_for_update(skip_locked=True)
    some = [(one.pk, one.state) for one in due[:1]]
    Upload.objects.filter(pk__in=[pk for pk, _ in some]).update(try_at=now + TAKEN_FOR)
    return some


@transaction.atomic
def _later(upload_id: UUID) -> None:
    row = Upload.objects.select_for_update().get(pk=upload_id)
    row.tries += 1
    row.try_at = timezone.now() + dt.timedelta(seconds=2.0**row.tries)
    if row.tries >= TRIES_MAX and row.state == State.PLACING:
        row.reason, row.try_at, row.tries = "failed", None, 0
    row.save(update_fields=["tries", "try_at", "reason"])


def begin_checking(row: Upload) -> None:
    """Have all rows of a list that are no orders looked at again, in the caller's transaction."""
    left = UploadRow.objects.filter(upload=row).exclude(state=RowState.PLACED.value)
    left.update(state=RowState.NEW.value, mark=None, problems=[], total_minor=0)
    row.state, row.reason, row.tries = State.CHECKING.value, "", 0
    row.changed_at = row.try_at = timezone.now()
    row.tariff, _ = upload_rows.by_of(row)
    row.save()


@transaction.atomic
def check_some(upload_id: UUID, at_once: int) -> None:
    """Look at the next rows of a list."""
    row = Upload.objects.select_for_update().get(pk=upload_id)
    if row.state != State.CHECKING:
        return
    new = UploadRow.objects.filter(upload=row, state=RowState.NEW.value).order_by("place")
    some = list(new.select_for_update()[: at_once + 1])
    number, by = upload_rows.by_of(row)
    if number != row.tariff:
        begin_checking(row)
        return
    if some:
        upload_rows.look(row, some[:at_once], by, upload_rows.head_of(row))
    if len(some) <= at_once:
        row.state, row.try_at = State.PREVIEW.value, None
        row.save(update_fields=["state", "try_at"])


def look_again(row: Upload, one: UploadRow, before: bytes | None) -> None:
    """Look at a mended row, and at those that had its reference, or have it now. In the caller's transaction."""
    if one.state == RowState.NEW.value:
        return  # the worker comes to it
    _, by = upload_rows.by_of(row)
    head = upload_rows.head_of(row)
    upload_rows.look(row, [one], by, head)
    marks = {bytes(mark) for mark in (before, one.mark) if mark}
    alike = UploadRow.objects.filter(upload=row, mark__in=marks).exclude(pk=one.pk).exclude(state=RowState.PLACED.value)
    others = list(alike.exclude(state=RowState.NEW.value).order_by("place")[:CHECKED_AT_ONCE])
    if others:
        upload_rows.look(row, others, by, head)


def place_some(upload_id: UUID) -> None:
    """Make orders of the next good rows of a list."""
    row = Upload.objects.get(pk=upload_id)
    if row.state != State.PLACING or row.reason:
        return
    try:
        by = acting_again(row.source, row.organisation)
        (sender,) = orders.opened([row.sender] if row.sender else [], by=people.machinery())
    except Busy:
        raise
    except ParcelwardError as refused:
        _stand_still(upload_id, refused.code)
        return
    at_once = PLACED_AT_ONCE
    while True:
        try:
            _place_some(upload_id, sender, at_once, by=by)
        except Busy:
            raise
        except ParcelwardError as refused:
            if at_once > 1:  # some of them can be placed, or one of them is to blame
                at_once = max(1, at_once // 8)
                continue
            if refused.code in STANDS_STILL or not isinstance(refused, Invalid):
                _stand_still(upload_id, refused.code)
            else:
                _fail_first(upload_id, refused.code)
        return


@transaction.atomic
def _place_some(upload_id: UUID, sender: Party, at_once: int, *, by: Person) -> None:
    row = Upload.objects.select_for_update().get(pk=upload_id)
    if row.state != State.PLACING or row.reason:
        return
    number, looked_by = upload_rows.by_of(row)
    if number != row.tariff:  # other prices than those that were shown
        begin_checking(row)
        row.reason = "tariff_changed"
        row.save(update_fields=["reason"])
        return
    good = UploadRow.objects.filter(upload=row, state=RowState.OK.value).order_by("place")
    some = list(good.select_for_update()[:at_once])
    contents = upload_rows.contents_of(some)
    head = upload_rows.head_of(row)
    here = [one for one in some if one.place in contents]
    for one in some:
        if one.place not in contents:
            one.state, one.problems = RowState.FAILED.value, [["", "forgotten"]]
    wanted = []
    for one in here:
        values = checks.with_product(upload_rows.values_of(row, head, contents[one.place]), looked_by)
        item, _ = rows.item_of(values, here=looked_by.here, currency=looked_by.currency)
        order = OrderWanted(sender, (item,), reference=item.reference, strict=row.strict)
        wanted.append(Asked(order_id(row, one), order, by))
    outcomes = orders.place_many_within(wanted)
    placed = []
    for one, asked, bad in zip(here, wanted, outcomes, strict=True):
        if not isinstance(bad, ParcelwardError):
            one.state, one.order = RowState.PLACED.value, asked.id
            placed.append(one)
        elif not isinstance(bad, BadOrder):
            raise bad
        else:
            one.state = RowState.FAILED.value
            one.problems = [[each.field, each.code] for each in map(checks.of_order, bad.problems)]
    upload_rows.write(some)
    _empty_placed(placed)
    if len(some) < at_once:
        row.state, row.try_at = State.DONE.value, None
        if not UploadRow.objects.filter(upload=row).exclude(content_key=None).exists():
            upload_rows.forget_after_commit([row.sealed_key])
            row.sealed, row.sealed_key = b"", None
    row.changed_at = timezone.now()
    row.save()


def order_id(row: Upload, one: UploadRow) -> UUID:
    """Return the id of the order that is made of a row: always the same one."""
    return uuid.uuid5(row.pk, str(one.place))


def _empty_placed(placed: Sequence[UploadRow]) -> None:
    upload_rows.forget_after_commit([one.content_key for one in placed])
    with db.cursor() as cur:
        cur.execute(_EMPTY_PLACED, ([one.pk for one in placed], [one.order for one in placed]))


def empty(row: Upload, some: QuerySet[UploadRow]) -> None:
    """Forget what stands in rows of a list, and above them, in the caller's transaction."""
    kept = some.exclude(content_key=None)
    upload_rows.forget_after_commit([row.sealed_key, *kept.values_list("content_key", flat=True)])
    some.filter(content_key__isnull=False).update(content=b"", content_key=None)
    row.sealed, row.sealed_key = b"", None


@transaction.atomic
def _stand_still(upload_id: UUID, code: str) -> None:
    row = Upload.objects.select_for_update().get(pk=upload_id)
    if row.state == State.PLACING:
        row.reason, row.try_at, row.changed_at = code[:40], None, timezone.now()
        row.save()


@transaction.atomic
def _fail_first(upload_id: UUID, code: str) -> None:
    row = Upload.objects.select_for_update().get(pk=upload_id)
    one = UploadRow.objects.filter(upload=row, state=RowState.OK.value).order_by("place").first()
    if one is not None:
        one.state, one.problems = RowState.FAILED.value, [["", code]]
        upload_rows.write([one])
