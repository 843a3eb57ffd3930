"""In which order a country writes an address, by a table: not whether there is such a place.

The table is `addresses.json` (source, commit, date and licence stand in it; `scripts/rebuild_addresses.py` makes it).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

_ANY: Final = "%N%n%O%n%A%n%C %Z"  # of a country whose order is not known: name, street, town
_PART: Final = re.compile(r"%([NOADCSZX])")


@dataclass(frozen=True, slots=True)
class Form:
    """How a country writes an address: `%` and a letter for a part, `%n` for a new line."""

    name: str  # of the country, in English and capitals, as on international post
    lines: str = _ANY
    latin: str = ""  # in Latin letters, where that order is another one
    capitals: str = ""  # letters of the parts that stand in capitals


def form_of(country: str) -> Form | None:
    """Return the form of a country (ISO 3166-1, two letters, capitals); None: no country that is known."""
    return _table().get(country)


def lines_of(parts: Mapping[str, str], country: str, *, latin: bool = True) -> tuple[str, ...]:
    """Return an address as its country writes it, without the country's own line; what is empty leaves no gap.

    `parts` by letter: N name, O organisation, A street (lines within it are kept), D district, C town, S state or
    province, Z postcode, X what a business has behind the town (CEDEX).
    """
    form = form_of(country) or Form("")
    order = (form.latin or form.lines) if latin else form.lines
    capitals = {letter: (parts.get(letter, "").upper() if letter in form.capitals else parts.get(letter, ""))
                for letter in "NOADCSZX"}  # fmt: skip
    written = []
    for line in order.split("%n"):
        if not any(capitals[letter] for letter in _PART.findall(line)):
            continue
        whole = _PART.sub(lambda found: capitals[found[1]], line)
        written += [re.sub(r" {2,}", " ", one).strip(" ,-") for one in whole.splitlines()]
    return tuple(line for line in written if line)


@functools.cache
def _table() -> Mapping[str, Form]:
    table = json.loads(resources.files(__package__).joinpath("addresses.json").read_text(encoding="utf-8"))
    return {country: Form(**row) for country, row in table["countries"].items()}
