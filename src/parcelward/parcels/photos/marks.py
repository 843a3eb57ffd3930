"""Which marks of dangerous goods a text on a parcel names, and which of them its declaration does not cover. Pure.

Marks are those of 49 CFR part 172, subparts D and E, and of the GHS on retail boxes. What else stands there, such as a
name, is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from parcelward.parcels.hazmat import spelling, table

WRONG_FROM: Final = 10
"""In words this long one letter may be wrong: marks are printed large, and photos are blurred."""

_UN: Final = re.compile(r"(?<![a-z])(?:un|id)[\s.:#-]{0,2}([\doilszb]{4})(?![a-z\d])")
_DIGITS: Final = str.maketrans("oilszb", "011528")

_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "lithium": (
        *("lithiumionbatter", "lithiummetalbatter", "lithiumbatter", "containslithium", "litiumion"),
        *("bateriadelitio", "bateriasdelitio", "ionesdelitio", "batterieaulithium", "batterieslithium"),
        *("lithiumionenbatterie", "lithiumionenakku", "lithiumakku", "lithiumbatterie"),
    ),
    "1": ("explosive", "fireworks", "explosivo", "explosif", "explosiv", "feuerwerk"),
    "2": (
        *("flammablegas", "compressedgas", "flammableaerosol", "gasinflamable", "gazinflammable", "entzundbaresgas"),
        *(
            "aerosolinflamable",
            "aerosolinflammable",
            "entzundbaresaerosol",
            "pressurisedcontainer",
            "pressurizedcontainer",
        ),
    ),
    "3": (
        *("flammableliquid", "liquidoinflamable", "liquideinflammable", "entzundbareflussigkeit"),
        *("liquidoyvaporesinflamables", "liquidesetvapeursinflammables", "flussigkeitunddampfentzundbar"),
    ),
    "4": ("flammablesolid", "spontaneouslycombustible", "dangerouswhenwet", "solidoinflamable", "solideinflammable"),
    "5": ("oxidizer", "oxidiser", "oxidizingagent", "organicperoxide", "comburente", "comburant", "brandfordernd"),
    "6.1": ("toxicifswallowed", "poisonous", "inhalationhazard", "toxicsubstance", "giftigbeiverschlucken"),
    "6.2": ("infectioussubstance", "biologicalsubstance", "biohazard", "substanceinfectieuse", "biologischerstoff"),
    "7": ("radioactive", "radioactivo", "radioactif", "radioaktiv"),
    "8": ("corrosive", "corrosivo", "corrosif", "causesburns", "atzend", "causessevereskinburns"),
    "9": ("magnetizedmaterial", "magnetisedmaterial", "asbestos"),
    "dry_ice": ("dryice", "carbondioxidesolid", "hieloseco", "glacecarbonique", "neigecarbonique", "trockeneis"),
    "limited": ("limitedquantit", "ltdqty", "limitedqty", "cantidadlimitada", "quantitelimitee", "begrenztemenge"),
    "no_aircraft": (
        *("forbiddenfortransportaboard", "cargoaircraftonly", "surfacemailonly", "surfacetransportationonly"),
        *("groundtransportonly", "surfaceonly", "notforair", "notbyair"),
    ),
}
"""Mark -> what stands there, in small letters without spaces."""

_NOT: Final = ("non", "not", "sin", "sans", "nicht", "keine")
_LITHIUM: Final = {
    "UN3480": {"816"},
    "UN3090": {"816"},
    "UN3481": {"817", "818", "820"},
    "UN3091": {"817", "818", "820"},
}
_MANY: Final = frozenset({"827", "828", "831", "832", "857"})
"""Codes of USPS that stand for a mark of any class."""

_COVERED: Final[dict[str, frozenset[str]]] = {
    "lithium": frozenset({"816", "817", "818", "820"}),
    "1": frozenset({"811"}),
    "2": _MANY | {"829", "830"},
    "3": _MANY | {"810", "812", "829"},
    "4": _MANY | {"822"},
    "5": _MANY | {"823", "824"},
    "6.1": _MANY | {"825", "829"},
    "6.2": frozenset({"826"}),
    "7": frozenset({"813"}),
    "8": _MANY | {"814", "815"},
    "9": _MANY | {"819", "821", "829"},
    "dry_ice": frozenset({"819"}),
    "limited": _MANY | {"810", "812", "814", "822", "823", "824", "825", "829"},
    "no_aircraft": frozenset({"812", "815", "816", "817", "822", "828", "830", "831", "857"}),
}
"""Mark -> codes of a declaration that say as much."""


def marks(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the marks that these lines of text name: ids such as UN3480, and classes as `_COVERED` has them."""
    found: dict[str, None] = {}
    for line in lines:
        text = spelling.plain(line)
        found |= dict.fromkeys(f"UN{digits.translate(_DIGITS)}" for digits in _UN.findall(text))
        squeezed = re.sub(r"[^a-z\d]", "", text)
        found |= dict.fromkeys(mark for mark, words in _WORDS.items() if any(_stands(word, squeezed) for word in words))
    return tuple(found)


def _stands(word: str, text: str) -> bool:
    """Return whether a word stands in a text, and nothing before it says no."""
    return any(not text[:at].endswith(_NOT) for at in _places(word, text))


def _places(word: str, text: str) -> Iterator[int]:
    wrong_max = 1 if len(word) >= WRONG_FROM else 0
    for at in range(len(text) - len(word) + 1):
        wrong = 0
        for expected, stands in zip(word, text[at : at + len(word)], strict=True):
            wrong += expected != stands
            if wrong > wrong_max:
                break
        else:
            yield at


def uncovered(found: Iterable[str], *, code: str, rule: str) -> tuple[str, ...]:
    """Return the marks that a declaration does not cover, by the code and rule of its screening; empty: it had none."""
    return tuple(mark for mark in found if not _covers(mark, code, rule))


def _covers(mark: str, code: str, rule: str) -> bool:
    if not mark.startswith("UN"):
        return code in _COVERED[mark]
    rows = table.rows_of(mark)
    if not rows:
        return rule == "operator-rule"
    if mark in _LITHIUM:
        return code in _LITHIUM[mark]
    return any(code in _codes(mark, row.division) for row in rows)


def _codes(un: str, division: str) -> Collection[str]:
    if un == "UN1845":
        return _COVERED["dry_ice"]
    return _COVERED.get(division) or _COVERED.get(division[:1]) or _MANY
