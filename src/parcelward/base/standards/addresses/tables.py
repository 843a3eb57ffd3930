"""The tables of addresses, each read when it is first asked for and then kept.

`forms.json`, `templates.json` and `names.json` are made by `scripts/rebuild_addresses.py`; source, date and licence
stand in them.
"""

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

_OF_TWO = frozenset({"congo", "korea"})
"""Names that one country has in some language, and another, too, in common speech."""

_LAST_ACCENT = "\u036f"


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of a country's states or counties: by each name in capitals, and the name of each."""

    by_name: Mapping[str, str]
    names: Mapping[str, str]


_NO_CODES = Codes({}, {})


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
        """Return the codes of a country's `state`s or `county`s; none of a country that has none here."""
        return _codes(kind, country) if country in self._codes[kind] else _NO_CODES


@dataclass(frozen=True, slots=True)
class Area:
    """A country's state, province, county or island."""

    key: str  # as it stands on labels
    names: tuple[str, ...] = ()
    latin: str = ""  # as it stands on labels in Latin letters, where the key has others
    postcode: str = ""  # a pattern: how its postcodes begin, without spaces and hyphens; empty where that is not known
    iso: str = ""  # ISO 3166-2 without the country, where that is not the key
    require: str = ""  # what an address there needs, where that differs from its country

    def has(self, postcode: str) -> bool:
        """Return whether a postcode could lie here; one of which nothing is known could."""
        return not self.postcode or bool(_pattern(self.postcode).match(bare(postcode)))


@dataclass(frozen=True, slots=True)
class Form:
    """How addresses of a country are laid out and what they need, in libaddressinput's letters.

    N addressee, O organisation, A street lines, D dependent locality, C locality, S administrative area, Z postcode,
    X sorting code.
    """

    name: str  # in English, in capitals
    fmt: str = ""  # the layout: %N for a field, %n for a new line; empty where it is not known
    lfmt: str = ""  # the same in Latin letters, where that differs
    require: str = ""
    upper: str = ""  # which fields stand in capitals
    prefix: str = ""  # what stands before the postcode in `fmt`, for mail from abroad
    postcode_name: str = "postal"
    area_name: str = "province"
    written: tuple[str, ...] = ()  # how postcodes with a space or hyphen look: 9 a digit, A a letter, ? either
    areas: Mapping[str, Area] = field(default_factory=dict)


@functools.cache
def _pattern(text: str) -> re.Pattern[str]:
    """Return a compiled pattern: there are more than `re` itself remembers."""
    return re.compile(text)


@functools.cache
def forms() -> Mapping[str, Form]:
    """Return the forms by country: ISO 3166-1, two capital letters."""
    return {country: _form(row) for country, row in _read("forms.json")["countries"].items()}


def _form(row: dict[str, Any]) -> Form:
    rows = row.pop("areas", {})
    areas = {key: Area(key, tuple(area.pop("names", ())), **area) for key, area in rows.items()}
    return Form(**row | {"written": tuple(row.get("written", ()))}, areas=areas)


@functools.cache
def areas_by_name(country: str) -> Mapping[str, Area]:
    """Return a country's areas by every name of theirs, folded: keys first, names, Latin names, ISO 3166-2 last."""
    found: dict[str, Area] = {}
    areas = forms()[country].areas.values()
    for names in (
        ((area.key,) for area in areas),
        (area.names for area in areas),
        ((area.latin,) for area in areas),
        ((area.iso,) for area in areas),
    ):
        for area, called in zip(areas, names, strict=True):
            for name in called:
                if name:
                    found.setdefault(folded(name), area)
    return found


@functools.cache
def other_areas(country: str) -> frozenset[str]:
    """Return the folded names of areas that OpenCage knows in a country: regions above ours, counties below."""
    tables = (templates().codes("state", country), templates().codes("county", country))
    return frozenset(folded(name) for table in tables for name in table.by_name)


@dataclass(frozen=True, slots=True)
class Names:
    """What countries are called."""

    by_name: Mapping[str, str]  # folded name or code of three letters -> country
    of_two: frozenset[str]  # folded names that two countries have: they stand for neither
    called: Mapping[str, Sequence[str]]  # country -> its English, French and Spanish names, then its own


@functools.cache
def names() -> Names:
    """Return the names of countries; one that two have stands for neither."""
    table = _read("names.json")
    by_name: dict[str, str] = {}
    twice = set()
    for country, called in table["countries"].items():
        for name in {folded(one) for one in (*called, forms()[country].name)}:
            if by_name.setdefault(name, country) != country:
                twice.add(name)
    for name in twice | _OF_TWO:
        by_name.pop(name, None)
    by_name |= {folded(code): country for code, country in table["codes"].items()}
    return Names(by_name, frozenset(twice | _OF_TWO), table["countries"])


def folded(text: str) -> str:
    """Return what is compared of a name: its letters and digits, small, without accents.

    Marks of scripts that write vowels as marks stay: without them different names would be one.
    """
    if text.isascii():
        return "".join(one for one in text.lower() if one.isalnum())
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in apart if one.isalnum() or (one > _LAST_ACCENT and unicodedata.combining(one)))


def bare(postcode: str) -> str:
    """Return a postcode without spaces and hyphens."""
    return postcode.replace(" ", "").replace("-", "")


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
    rows = templates()._codes[kind][country]  # noqa: SLF001 -- the same file
    by_name = {code: code for code in rows}
    for code, names in rows.items():
        for name in names:
            by_name.setdefault(name.upper(), code)
    return Codes(by_name, {code: names[0] for code, names in rows.items()})


def _read(name: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return table
