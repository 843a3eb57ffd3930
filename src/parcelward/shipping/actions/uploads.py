"""Lists of orders: take a file, say what its columns mean, mend rows, have it placed, give it up.

    MAPPING ─ columns said ─> CHECKING ─ every row looked at ─> PREVIEW ─ place ─> PLACING ─> DONE
                                 a row is mended and looked at again ┘        └─ stands still with a reason; place again

The worker looks at rows and makes orders of them (`shipping/uploading.py`). Until then a list is a draft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Invalid, NotFound, Problem
from parcelward.base.standards.addresses import checking
from parcelward.base.vault import VaultToken
from parcelward.payments.queries import owner_of
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import queries as vault
from parcelward.shipping import order_rules, upload_rows, uploading
from parcelward.shipping.actions.drafting import sender_kept
from parcelward.shipping.actions.printing import labels_of_many
from parcelward.shipping.errors import BadOrder, NotNow
from parcelward.shipping.labels.wire import LabelFacts
from parcelward.shipping.models import AddressEntry, ColumnsKnown, Upload, UploadRow
from parcelward.shipping.upload_rows import Content, Head
from parcelward.shipping.uploads import columns as mapping
from parcelward.shipping.uploads import reading
from parcelward.shipping.uploads.wire import CELL_CHARS_MAX, RowState, State
from parcelward.shipping.wire import Party

UPLOADS_OPEN_MAX: Final = 50  # of one owner; whoever has more gives some up, or has them placed
STORED_AT_ONCE: Final = 2_000
MAPPED: Final = frozenset({State.MAPPING, State.CHECKING, State.PREVIEW})
MENDED: Final = frozenset({State.CHECKING, State.PREVIEW, State.PLACING, State.DONE})


def take_file(upload_id: UUID, body: bytes, *, by: Person) -> UUID:
    """Keep a file's rows, sealed, and what its columns probably mean. The same upload again changes nothing.

    Raises BadFile, and NotNow where too many of the owner's lists are open.
    """
    require(by, Task.ORDER)
    owner = owner_of(by)
    if Upload.objects.filter(pk=upload_id, owner=owner).exists():
        return upload_id
    mine = Upload.objects.filter(owner=owner)
    last = mine.exclude(sender=None).order_by("-created_at").values_list("sender", flat=True).first()
    open_ones = Upload.objects.filter(owner=owner).exclude(state__in=[State.DONE.value, State.GIVEN_UP.value])
    if open_ones.count() >= UPLOADS_OPEN_MAX:
        raise NotNow("Too many lists are open. Place some of them, or give them up", code="too_many_open")
    table = reading.read(body)
    mark = vault.link_mark("upload_header", *(mapping.folded(name) for name in table.header))
    known = ColumnsKnown.objects.filter(owner=owner, mark=mark).values_list("columns", flat=True).first()
    head = upload_rows.seal_head(Head(table.header))
    now = timezone.now()
    with transaction.atomic():
        row = Upload.objects.create(
            id=upload_id,
            owner=owner,
            source=by.source,
            organisation=by.organisation,
            state=State.MAPPING.value,
            columns=list(known or mapping.suggested(table.header, table.rows)),
            sealed=head.sealed,
            sealed_key=head.key,
            mark=mark,
            sender=last if last is not None and vault.is_kept(VaultToken(last)) else None,
            remembered=known is not None,
            created_at=now,
            changed_at=now,
        )
        for start in range(0, len(table.rows), STORED_AT_ONCE):
            some = table.rows[start : start + STORED_AT_ONCE]
            sealed = upload_rows.seal_rows([Content(cells) for cells in some])
            UploadRow.objects.bulk_create(
                UploadRow(
                    upload=row, place=start + at, state=RowState.NEW.value, content=one.sealed, content_key=one.key
                )
                for at, one in enumerate(sealed)
            )
    return upload_id


def map_columns(
    upload_id: UUID,
    columns: Sequence[str],
    defaults: Mapping[str, str],
    *,
    sender: Party | UUID | None,
    by: Person,
    repeats_ok: bool = False,
    strict: bool = False,
) -> None:
    """Say what each column means, what holds for rows that do not say it, and whom the parcels are from.

    Remembered for the next file with the same header. All rows are looked at again. `sender` may be left out where it
    was said before, or be an entry of the address book. Raises BadOrder with everything that is wrong.
    """
    require(by, Task.ORDER)
    given = {name: " ".join(text.split())[:CELL_CHARS_MAX] for name, text in defaults.items() if text.strip()}
    row = theirs(upload_id, by=by)
    _require_mapping(row, columns, given, sender)
    token = _token(sender, row, by=by)
    head = upload_rows.head_of(row)
    sealed = upload_rows.seal_head(Head(head.header, given))
    with transaction.atomic():
        row = theirs(upload_id, by=by, lock=True)
        if State(row.state) not in MAPPED:
            raise NotNow("This list is being placed: its columns stay as they are")
        upload_rows.forget_after_commit([row.sealed_key])
        row.columns, row.sealed, row.sealed_key = list(columns), sealed.sealed, sealed.key
        row.sender, row.repeats_ok, row.strict = token, repeats_ok, strict
        row.remembered = False
        uploading.begin_checking(row)
        known = {"columns": list(columns)}
        ColumnsKnown.objects.update_or_create(owner=row.owner, mark=bytes(row.mark), defaults=known)
    uploading.check_some(upload_id, uploading.CHECKED_AT_ONCE)  # a short list is looked at when whoever asked looks


def _require_mapping(
    row: Upload, columns: Sequence[str], defaults: Mapping[str, str], sender: Party | UUID | None
) -> None:
    problems = [
        Problem(f"/columns/{name}", code, MAPPING_WORDS[code]) for name, code in mapping.problems_of(columns, defaults)
    ]
    if len(columns) != len(row.columns):
        problems.append(
            Problem("/columns", "bad_count", f"The file has {len(row.columns)} columns: say what each means")
        )
    if isinstance(sender, Party):
        problems += order_rules.party_problems(sender, "/sender")
    elif sender is None and row.sender is None:
        problems.append(Problem("/sender", "missing", "Say whom the parcels are from"))
    if problems:
        raise BadOrder("The columns cannot be read so; nothing was changed", problems=tuple(problems))


MAPPING_WORDS: Final = {
    "unknown_field": "There is no such field, or it cannot be said for all rows",
    "twice": "Two columns mean the same",
    "no_column": "No column has this",
}


def _token(sender: Party | UUID | None, row: Upload, *, by: Person) -> UUID | None:
    if sender is None:
        return row.sender
    if not isinstance(sender, Party):
        token = AddressEntry.objects.filter(pk=sender, owner=row.owner).values_list("token", flat=True).first()
        if token is None or not vault.is_kept(VaultToken(token)):
            raise NotFound("No such address")
        return token
    return sender_kept(sender, checking.check(sender.address).address, owner=row.owner, by=by)


def mend_row(upload_id: UUID, place: int, fields: Mapping[str, str], *, by: Person) -> None:
    """Write other texts into a row's fields, and look at it again. An empty text takes away what the file says."""
    require(by, Task.ORDER)
    if any(name not in mapping.FIELDS or len(text) > CELL_CHARS_MAX for name, text in fields.items()):
        raise Invalid("A row has no such field, or the text is too long", code="bad_field")
    with transaction.atomic():
        row = theirs(upload_id, by=by, lock=True)
        one = UploadRow.objects.select_for_update().filter(upload=row, place=place).first()
        if one is None:
            raise NotFound("This list has no such row")
        content = upload_rows.contents_of([one]).get(place)
        if State(row.state) not in MENDED or one.state == RowState.PLACED.value or content is None:
            raise NotNow("This row cannot be mended any more: it was placed, or its list was given up")
        before = None if one.mark is None else bytes(one.mark)
        mended = {**content.mended, **{name: text.strip() for name, text in fields.items()}}
        (sealed,) = upload_rows.seal_rows([Content(content.cells, mended)])
        upload_rows.forget_after_commit([one.content_key])
        one.content, one.content_key = sealed.sealed, sealed.key
        one.save(update_fields=["content", "content_key"])
        row.changed_at = timezone.now()
        row.save(update_fields=["changed_at"])
        uploading.look_again(row, one, before)


def place(upload_id: UUID, *, by: Person) -> None:
    """Have orders made of all good rows, paid out of the balance. Again where it stood still, or rows were mended.

    Raises NotNow where its rows were not looked at yet, or none of them is good.
    """
    require(by, Task.ORDER)
    with transaction.atomic():
        row = theirs(upload_id, by=by, lock=True)
        if State(row.state) is State.PLACING and not row.reason:
            return
        if State(row.state) not in {State.PREVIEW, State.PLACING, State.DONE}:
            raise NotNow("Say first what the columns mean, and wait until the rows were looked at")
        if not UploadRow.objects.filter(upload=row, state=RowState.OK.value).exists():
            raise NotNow("No row of this list can be placed: mend them first", code="nothing_to_place")
        row.state, row.reason, row.source, row.organisation = State.PLACING.value, "", by.source, by.organisation
        row.changed_at = row.try_at = timezone.now()
        row.tries = 0
        row.save()


LABELS_AT_ONCE: Final = 200


def labels_of_upload(upload_id: UUID, start: int, *, by: Person) -> list[LabelFacts]:
    """Return labels of a list's orders, from the one at `start` on, at most LABELS_AT_ONCE. Raises NotFound, NotNow."""
    require(by, Task.ORDER)
    row = theirs(upload_id, by=by)
    placed = UploadRow.objects.filter(upload=row, state=RowState.PLACED.value).order_by("place")
    some = [made for made in placed.values_list("order", flat=True)[start : start + LABELS_AT_ONCE] if made]
    return labels_of_many(some, by=by)


def give_up(upload_id: UUID, *, by: Person) -> None:
    """Forget every row of a list that is no order. What was ordered stays. Doing it twice changes nothing."""
    require(by, Task.ORDER)
    with transaction.atomic():
        row = theirs(upload_id, by=by, lock=True)
        uploading.empty(row, UploadRow.objects.filter(upload=row))
        row.state, row.reason, row.try_at, row.changed_at = State.GIVEN_UP.value, "", None, timezone.now()
        row.save()


def theirs(upload_id: UUID, *, by: Person, lock: bool = False) -> Upload:
    """Return an upload of one's own. Raises NotFound: unknown and somebody else's look alike."""
    rows = Upload.objects.select_for_update() if lock else Upload.objects.all()
    row = rows.filter(pk=upload_id, owner=owner_of(by)).first()
    if row is None:
        raise NotFound("No such list")
    return row
