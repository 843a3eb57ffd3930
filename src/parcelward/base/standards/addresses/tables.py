"""The tables of addresses, each read when it is first asked for and then kept.

`forms.json`, `templates.json` and `names.json` are made by `scripts/rebuild_addresses.py`; source, date and licence
stand in them.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of a country's states or counties: by each name in capitals, and the name of each."""

    by_name: Mapping[str, str]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Templates:
    """OpenCage's templates and what they need (`formatting`)."""

    templates: Sequence[str]
    countries: Mapping[str, Mapping[str, Any]]
    components: Mapping[str, Sequence[str]]  # a kind of component -> other names of it
    kinds: Mapping[str, str]  # each name of a component -> its kind
    languages: Mapping[str, Sequence[str]]
    abbreviations: Mapping[str, Mapping[str, Mapping[str, str]]]  # language -> component -> long -> short
    _codes: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]]

    def codes(self, kind: str, country: str) -> Codes:
        """Return the codes of a country's `state`s or `county`s."""
        return _codes(kind, country)


@functools.cache
def templates() -> Templates:
    """Return the templates."""
    table = _read("templates.json")
    components = table["components"]
    kinds = {name: kind for kind, aliases in components.items() for name in (kind, *aliases)}
    codes = {"state": table["state_codes"], "county": table["county_codes"]}
    names = ("templates", "countries", "components", "languages", "abbreviations")
    return Templates(**{name: table[name] for name in names}, kinds=kinds, _codes=codes)


@functools.cache
def _codes(kind: str, country: str) -> Codes:
    rows = templates()._codes[kind].get(country, {})  # noqa: SLF001 -- the same file
    by_name = {code: code for code in rows}
    for code, names in rows.items():
        for name in names:
            by_name.setdefault(name.upper(), code)
    return Codes(by_name, {code: names[0] for code, names in rows.items()})


def _read(name: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return table
