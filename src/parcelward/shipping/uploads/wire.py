"""What a file holds, and how an upload stands, as values. Cells are people's data: nothing of them is shown."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from parcelward.base.standards.money import Currency
from parcelward.base.vault import VaultToken

FILE_BYTES_MAX: Final = 2_097_152  # what the doors take in one body
ROWS_MAX: Final = 10_000
COLUMNS_MAX: Final = 100
CELL_CHARS_MAX: Final = 2_000


class State(enum.StrEnum):
    """How an upload stands."""

    MAPPING = "mapping"  # somebody says what each column means
    CHECKING = "checking"  # its rows are looked at
    PREVIEW = "preview"  # they can be mended, and placed
    PLACING = "placing"  # orders are made of them; with a reason it stands still
    DONE = "done"  # every good row is an order
    GIVEN_UP = "given_up"


class RowState(enum.StrEnum):
    """How one row stands."""

    NEW = "new"
    OK = "ok"
    WRONG = "wrong"
    PLACED = "placed"
    FAILED = "failed"  # an order could not be made of it, though it looked good


OPEN: Final = frozenset({RowState.NEW, RowState.OK, RowState.WRONG, RowState.FAILED})
"""Rows whose content is still kept."""


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """A file's first sheet: what stands above the columns, and the rows below, each as long as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong in a row: the field, a code, and words for it. The words may say what was typed."""

    field: str
    code: str
    message: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class RowSeen:
    """One row, opened for its owner."""

    place: int
    state: RowState
    order: UUID | None
    values: Mapping[str, str]
    wrong: tuple[Wrong, ...]


@dataclass(frozen=True, slots=True, repr=False)
class ColumnSeen:
    """One column, with what it is taken for and its first texts."""

    place: int
    header: str
    taken_for: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadSeen:
    """An upload, for its owner."""

    id: UUID
    state: State
    reason: str  # why it stands still, as a code
    counts: Mapping[RowState, int]
    total_minor: int  # what the good rows cost by the tariff when they were looked at
    currency: Currency
    sender: VaultToken | None  # whom its parcels are from
    created_at: dt.datetime
    columns: tuple[ColumnSeen, ...] = field(default=(), repr=False)
    defaults: Mapping[str, str] = field(default_factory=dict, repr=False)
    repeats_ok: bool = False
    remembered: bool = False  # its columns were taken from a file like it

    @property
    def rows(self) -> int:
        """Return how many rows it has."""
        return sum(self.counts.values())
