"""Whether a postcode has the form of its country's, by a table: not whether there is such a place.

The table is `postcodes.json` (source, commit, date and licence stand in it; `scripts/rebuild_postcodes.py` makes it).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

_BLANKS = re.compile(r"[\s-]+")


@dataclass(frozen=True, slots=True)
class Form:
    """What postcodes of a country look like; both empty where it has none, or none whose form is known."""

    pattern: str = ""  # of a whole postcode in capitals, without spaces and hyphens
    example: str = ""  # as it is written

    def fits(self, postcode: str) -> bool:
        """Return whether a postcode has this form, however it is spaced and in small letters, too."""
        return not self.pattern or bool(re.fullmatch(self.pattern, _BLANKS.sub("", postcode).upper(), re.ASCII))


def form_of(country: str) -> Form | None:
    """Return the form of a country's postcodes (ISO 3166-1, two letters, capitals); None: no country that is known."""
    return _table().get(country)


@functools.cache
def _table() -> Mapping[str, Form]:
    table = json.loads(resources.files(__package__).joinpath("postcodes.json").read_text(encoding="utf-8"))
    return {country: Form(**row) for country, row in table["countries"].items()}
