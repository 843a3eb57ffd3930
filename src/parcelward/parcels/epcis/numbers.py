"""Between EPCs, which are URIs, and the numbers of items, receptacles and places. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

from parcelward.base.standards import gs1, identify, s10
from parcelward.base.standards.epcis import identifiers
from parcelward.base.standards.errors import BadItemNumber
from parcelward.network.wire import FacilityRow

NAMESPACE: Final = "https://parcelward.example/epcis/"
"""Names our own extensions of EPCIS events: `step`, `seal`."""

_CACHED_MAX: Final = 8192
_GIAI: Final = "(8004)"
_URN: Final = re.compile(r"urn:(?!epc:)[a-z0-9][a-z0-9-]{0,31}:(?:.*:)?([A-Za-z0-9]+)", re.IGNORECASE)
_PLAIN: Final = frozenset({"s10", "own_number"})
_GLN: Final = re.compile(r"https://id\.gs1\.org/414/(\d{13})(?:/254/.*)?")
_PLACE_FOLDERS: Final = frozenset({"facility", "facilities"})


@lru_cache(_CACHED_MAX)
def number_of(epc: str) -> str:
    """Return the canonical number that an EPC stands for, or nothing where it is no number of an item or receptacle.

    GS1 keys in every form, `.../track/{number}`, and S10 or own numbers at the end of a URN or of a GIAI's asset
    reference. A number known by another carrier's pattern alone is not read out of a URI: too much would look like one.
    """
    match = _URN.fullmatch(epc)
    try:
        if match is not None:
            found = identify.identify(match[1], other_carriers=False)
            return found.number if found.kind in _PLAIN else ""
        number = identify.canonical(epc, other_carriers=False)
    except BadItemNumber:
        return ""
    if number.startswith(_GIAI) and s10.fits(number[-s10.LENGTH :]):
        return number[-s10.LENGTH :]
    return number


def epc_of(number: str, public_url: str) -> str:
    """Return the URI of a canonical number: a GS1 Digital Link, or where the item can be followed."""
    if gs1.sscc_fits(number):
        return gs1.sscc(number).to_digital_link()
    if number.startswith("("):
        return gs1.parse(number).to_digital_link()
    return f"{public_url}/track/{number}"


def place_uri(place: FacilityRow, public_url: str) -> str:
    """Return the URI of a facility: its GLN as a Digital Link, or its address here."""
    return f"{identifiers.CANONICAL}/414/{place.gln}" if place.gln else f"{public_url}/facilities/{place.code}"


def place_of(uri: str, by_code: Mapping[str, FacilityRow], by_gln: Mapping[str, FacilityRow]) -> FacilityRow | None:
    """Return the facility that a readPoint or bizLocation names: a GLN, `.../facilities/{code}`, `urn:...:{code}`."""
    if not uri:
        return None
    gln = _GLN.fullmatch(identifiers.canonical(uri))
    if gln is not None:
        return by_gln.get(gln[1])
    if uri[:4].lower() == "urn:":
        return by_code.get(unquote(uri.rpartition(":")[2]))
    parts = urlsplit(uri).path.split("/")
    return by_code.get(unquote(parts[-1])) if len(parts) > 1 and parts[-2] in _PLACE_FOLDERS else None


def by_gln(places: Iterable[FacilityRow]) -> dict[str, FacilityRow]:
    """Return the places that have a GLN, by it."""
    return {place.gln: place for place in places if place.gln}
