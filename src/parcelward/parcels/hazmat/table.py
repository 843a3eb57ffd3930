"""The hazardous materials table of 49 CFR 172.101, as shipped data: which ids there are, and how much may fly.

The table is `table.json` (source, date and licence stand in it; `scripts/rebuild_hazmat.py` makes it). It is read
when it is first asked for. What a cell says that is no number here stays unread, and unread allows nothing.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

_ID: Final = re.compile(r"\s*(UN|NA|ID)?[\s.:#-]*(\d{4})\s*", re.ASCII | re.IGNORECASE)
_AMOUNT: Final = re.compile(r"(\d*\.?\d+) (L|mL|kg|g)(?: gross)?", re.ASCII)
_UNITS: Final = {"L": ("ml", 1000), "mL": ("ml", 1), "kg": ("g", 1000), "g": ("g", 1)}


@dataclass(frozen=True, slots=True)
class Limit:
    """What a cell of column 9 allows in one package; amounts in millilitres and grams."""

    said: str  # the cell as it is
    forbidden: bool = False
    unlimited: bool = False
    ml_max: float | None = None
    g_max: float | None = None

    def allows(self, *, ml: float | None, g: float | None) -> bool:
        """Return whether an amount is within the limit; one that is not said, or in another unit, is not."""
        if self.forbidden or (ml is None and g is None):
            return False
        if self.unlimited:
            return True
        return _within(ml, self.ml_max) and _within(g, self.g_max)


def _within(amount: float | None, most: float | None) -> bool:
    return amount is None or (most is not None and amount <= most)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; words of a cell with spaces between them, as the table has them."""

    id: str  # UN1090, NA1993, ID8000; empty where the name alone is forbidden
    name: str
    hazard_class: str  # 3, 2.1, 1.4S, Comb liq; Forbidden: not to be offered at all
    packing_group: str = ""  # I, II, III
    symbols: str = ""  # + A D G I W of column 1
    subsidiary: str = ""
    labels: str = ""
    special_provisions: str = ""
    exceptions: str = ""  # section of part 173 that lets small amounts off
    non_bulk: str = ""
    bulk: str = ""
    passenger: str = ""  # passenger aircraft or rail
    cargo: str = ""  # cargo aircraft only
    stowage: str = ""
    stowage_other: str = ""

    @property
    def forbidden(self) -> bool:
        """Whether nobody may offer it, by no mode."""
        return self.hazard_class == "Forbidden"

    @property
    def division(self) -> str:
        """Class and division without the compatibility group of explosives: 1.4S is 1.4."""
        return self.hazard_class.rstrip("ABCDEFGHJKLNS") if self.hazard_class[:1].isdigit() else self.hazard_class


def limit_of(cell: str) -> Limit:
    """Return what a cell of column 9 says: an amount, one by volume and one by mass, no limit, forbidden."""
    if cell == "Forbidden":
        return Limit(cell, forbidden=True)
    if cell.casefold() == "no limit":
        return Limit(cell, unlimited=True)
    amounts: dict[str, float] = {}
    for part in cell.removeprefix("Less than ").split(" or "):
        found = _AMOUNT.fullmatch(part)
        if found is None:
            return Limit(cell)
        unit, times = _UNITS[found[2]]
        amounts[unit] = float(found[1]) * times
    return Limit(cell, ml_max=amounts.get("ml"), g_max=amounts.get("g"))


def canonical(text: str) -> str:
    """Return an id as the table writes it (`un 1090`, `1090`: UN1090), or nothing where it is none."""
    found = _ID.fullmatch(text)
    return f"{(found[1] or 'UN').upper()}{found[2]}" if found else ""


def rows_of(un: str) -> Sequence[Row]:
    """Return the rows of a canonical id; nothing where the table has none."""
    return _table()[1].get(un, ())


def rows() -> Sequence[Row]:
    """Return all rows in the order of the table."""
    return _table()[0]


def date() -> str:
    """Return the day of the regulation that the table was taken from, ISO 8601."""
    return _table()[2]


@functools.cache
def _table() -> tuple[Sequence[Row], Mapping[str, Sequence[Row]], str]:
    shipped = json.loads(resources.files(__package__).joinpath("table.json").read_text(encoding="utf-8"))
    found = tuple(Row(*line) for line in shipped["rows"])
    by_id: dict[str, list[Row]] = {}
    for row in found:
        if row.id:
            by_id.setdefault(row.id, []).append(row)
    return found, by_id, shipped["date"]
