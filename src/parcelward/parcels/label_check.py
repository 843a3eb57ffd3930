"""Compare the labels of items with the entries that issued, replaced and voided them: part of `verify-log`.

Whoever can turn a row makes a voided label stand again, or a copy another item's: each must be what the log was told.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import UUID

from parcelward.custody.queries import Findings, told
from parcelward.parcels.models import Label

ISSUED: Final = "parcels.labels_issued"
REPRINTED: Final = "parcels.label_reprinted"
VOIDED: Final = "parcels.label_voided"


class _Row(NamedTuple):
    """A label as the log was told of it, and as its row has it."""

    label: str  # digest, hex
    printing: int
    destination: str
    weight_class: int
    key_version: int
    by: int
    void_reason: str = ""
    voided_by: int | None = None


def check_labels(findings: Findings) -> None:
    """Note the first label that is not what the log's entries say."""
    said: dict[tuple[UUID, int], _Row] = {}
    where: dict[tuple[UUID, int], int | None] = {}
    for kind, body, place in told(ISSUED, REPRINTED, VOIDED):
        by = body["by"]
        if kind == ISSUED:
            new = body["labels"]
        elif kind == REPRINTED:
            new = [body["label"]]
            _void((UUID(body["label"]["item"]), body["instead_of"]), "reprinted", by, place, said, where)
        else:
            new = []
            _void((UUID(body["item"]), body["serial"]), "voided", by, place, said, where)
        for one in new:
            key = UUID(one["item"]), one["serial"]
            said[key], where[key] = _row_of(one, by), place
    for row in Label.objects.iterator():
        key = row.item, row.serial
        stands = row.voided_at is None
        found = _Row(
            *(bytes(row.label).hex(), row.printing, row.destination, row.weight_class, row.key_version, row.issued_by),
            *("" if stands else row.void_reason, row.voided_by),
        )
        if said.pop(key, None) != found or bool(row.void_reason) is stands:
            _note(findings, key, where.get(key))
    for key in said:
        _note(findings, key, where[key])


def _row_of(one: dict[str, Any], by: int) -> _Row:
    return _Row(one["label"], one["printing"], one["destination"], one["weight_class"], one["key_version"], by)


def _void(
    key: tuple[UUID, int],
    reason: str,
    by: int,
    place: int | None,
    said: dict[tuple[UUID, int], _Row],
    where: dict[tuple[UUID, int], int | None],
) -> None:
    if key in said:
        said[key], where[key] = said[key]._replace(void_reason=reason, voided_by=by), place


def _note(findings: Findings, key: tuple[UUID, int], place: int | None) -> None:
    what = f"Label {key[1]} of the item is not what the log's entries say."
    findings.note(what, differs="label", index=place, item=key[0])
