"""Lists of orders, for their owner: how each stands, and its rows opened a page at a time."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, Q, Sum

from parcelward.base.errors import NotFound
from parcelward.base.standards.money import Currency
from parcelward.base.vault import VaultToken
from parcelward.payments.queries import owner_of
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping import upload_rows
from parcelward.shipping.models import Upload, UploadRow
from parcelward.shipping.uploads.wire import ColumnSeen, RowSeen, RowState, State, UploadSeen

ROWS_PAGE_MAX = 100
UPLOADS_PAGE_MAX = 50
EXAMPLES = 3
BAD = (RowState.WRONG.value, RowState.FAILED.value)


def upload(upload_id: UUID, *, by: Person, columns: bool = False) -> UploadSeen:
    """Return a list; `columns`: with what each column is taken for. Raises NotFound: unknown and others' look alike."""
    return _seen(_theirs(upload_id, by=by), columns=columns)


def uploads(*, by: Person) -> tuple[UploadSeen, ...]:
    """Return one's own lists, the newest first."""
    require(by, Task.READ_ORDERS)
    rows = Upload.objects.filter(owner=owner_of(by)).order_by("-created_at", "-pk")[:UPLOADS_PAGE_MAX]
    return tuple(_seen(row, columns=False) for row in rows)


def upload_rows_of(
    upload_id: UUID, *, by: Person, after: int = -1, limit: int = ROWS_PAGE_MAX, bad: bool = True
) -> tuple[RowSeen, ...]:
    """Return rows behind a place, opened: those with something wrong, with words for it, or all of them."""
    row = _theirs(upload_id, by=by)
    some = UploadRow.objects.filter(upload=row, place__gt=after)
    some = some.filter(state__in=BAD) if bad else some
    return _opened(row, list(some.order_by("place")[:limit]))


def upload_row(upload_id: UUID, place: int, *, by: Person) -> RowSeen:
    """Return one row, opened. Raises NotFound."""
    row = _theirs(upload_id, by=by)
    found = _opened(row, list(UploadRow.objects.filter(upload=row, place=place)))
    if not found:
        raise NotFound("This list has no such row")
    return found[0]


def orders_of(upload_id: UUID, *, by: Person) -> tuple[UUID, ...]:
    """Return the orders that were made of a list's rows, in the order of the rows."""
    row = _theirs(upload_id, by=by)
    placed = UploadRow.objects.filter(upload=row, state=RowState.PLACED.value).order_by("place")
    return tuple(made for made in placed.values_list("order", flat=True) if made is not None)


def _theirs(upload_id: UUID, *, by: Person) -> Upload:
    require(by, Task.READ_ORDERS)
    row = Upload.objects.filter(pk=upload_id, owner=owner_of(by)).first()
    if row is None:
        raise NotFound("No such list")
    return row


def _opened(row: Upload, some: list[UploadRow]) -> tuple[RowSeen, ...]:
    contents = upload_rows.contents_of(some)
    head = upload_rows.head_of(row)
    _, by = upload_rows.by_of(row)
    found = []
    for one in some:
        values = upload_rows.values_of(row, head, contents[one.place]) if one.place in contents else {}
        wrong = upload_rows.wrong_of(one, values, by) if one.place in contents else ()
        found.append(RowSeen(one.place, RowState(one.state), one.order, values, wrong))
    return tuple(found)


def _seen(row: Upload, *, columns: bool) -> UploadSeen:
    counted = UploadRow.objects.filter(upload=row).values_list("state").annotate(n=Count("id"))
    good = Q(state__in=[RowState.OK.value, RowState.PLACED.value])
    total = UploadRow.objects.filter(good, upload=row).aggregate(total=Sum("total_minor"))["total"]
    _, by = upload_rows.by_of(row)
    head = upload_rows.head_of(row)
    return UploadSeen(
        id=row.id,
        state=State(row.state),
        reason=row.reason,
        counts={RowState(state): n for state, n in counted},
        total_minor=total or 0,
        currency=Currency(by.currency),
        sender=None if row.sender is None else VaultToken(row.sender),
        created_at=row.created_at,
        columns=_columns(row, head) if columns else (),
        defaults=head.defaults,
        repeats_ok=row.repeats_ok,
        remembered=row.remembered,
    )


def _columns(row: Upload, head: upload_rows.Head) -> tuple[ColumnSeen, ...]:
    first = list(UploadRow.objects.filter(upload=row).order_by("place")[:EXAMPLES])
    contents = upload_rows.contents_of(first)
    cells = [contents[one.place].cells for one in first if one.place in contents]
    return tuple(
        ColumnSeen(at, name, row.columns[at], tuple(one[at] for one in cells if at < len(one) and one[at]))
        for at, name in enumerate(head.header)
    )
