"""GS1 identifiers in their two spellings: EPC URIs and GS1 Digital Links, brought to one canonical Digital Link.

Sources: GS1 EPC Tag Data Standard 2.0 section 6 (EPC URIs) and section 7 (GS1 keys); GS1 Digital Link URI Syntax 1.2
section 4.11 (canonical form); CBV 2.0 section 8.9.2 (which keys and qualifiers stay in a constrained canonical form).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from parcelward.base.standards import gs1

CANONICAL: Final = "https://id.gs1.org"
_CACHED_MAX: Final = 8192  # identifiers of a few large documents
_CHARS_MAX: Final = 512  # the longest GS1 key with its qualifier has under 120; anything longer is no identifier

_URN: Final = re.compile(r"urn:epc:(id|class|idpat):([a-z]+):(.+)", re.IGNORECASE | re.DOTALL)
# In a Digital Link path these stand percent-encoded even where an EPC URI may carry them bare.
_ENCODED: Final = str.maketrans({sign: f"%{ord(sign):02X}" for sign in "!()*+,:;="})


def _checked(digits: str, length: int) -> str:
    """Return digits and their check digit, or raise ValueError unless that gives `length` digits."""
    if not (digits.isascii() and digits.isdigit() and len(digits) == length - 1):
        raise ValueError(digits)
    return f"{digits}{gs1.check_digit(digits)}"


def _led(company: str, reference: str, length: int) -> str:
    """Return a key whose indicator or extension digit leads: GTIN-14 and SSCC."""
    return _checked(reference[:1] + company + reference[1:], length)


def _sgln(parts: list[str]) -> str:
    company, location, extension = parts
    gln = f"/414/{_checked(company + location, 13)}"
    return gln if extension == "0" else f"{gln}/254/{extension}"


def _gtin(after: str) -> Callable[[list[str]], str]:
    def build(parts: list[str]) -> str:
        company, item, serial = parts
        return f"/01/{_led(company, item, 14)}/{after}/{serial}"

    return build


def _with_serial(key: str) -> Callable[[list[str]], str]:
    def build(parts: list[str]) -> str:
        company, reference, serial = parts
        return f"/{key}{_checked(company + reference, 13)}{serial}"

    return build


def _keyed(key: str, length: int) -> Callable[[list[str]], str]:
    def build(parts: list[str]) -> str:
        company, reference = parts
        return f"/{key}/{_checked(company + reference, length)}"

    return build


def _joined(key: str) -> Callable[[list[str]], str]:
    def build(parts: list[str]) -> str:
        company, reference = parts
        return f"/{key}/{company}{reference}"

    return build


def _sscc(parts: list[str]) -> str:
    company, reference = parts
    return f"/00/{_led(company, reference, 18)}"


def _cpi(parts: list[str]) -> str:
    company, part, serial = parts
    return f"/8010/{company}{part}/8011/{serial}"


def _itip(parts: list[str]) -> str:
    company, item, piece, total, serial = parts
    return f"/8006/{_led(company, item, 14)}{piece}{total}/21/{serial}"


_INSTANCES: Final[Mapping[str, Callable[[list[str]], str]]] = {
    "sgtin": _gtin("21"),
    "sscc": _sscc,
    "sgln": _sgln,
    "grai": _with_serial("8003/0"),
    "giai": _joined("8004"),
    "gsrn": _keyed("8018", 18),
    "gsrnp": _keyed("8017", 18),
    "gdti": _with_serial("253/"),
    "cpi": _cpi,
    "sgcn": _with_serial("255/"),
    "ginc": _joined("401"),
    "gsin": _keyed("402", 17),
    "itip": _itip,
    "upui": _gtin("235"),
    "pgln": _keyed("417", 13),
}
_PATTERNS: Final = frozenset({"sgtin", "grai", "gdti", "sgcn", "cpi", "itip", "upui"})

# Primary keys: the shape of their value, and which qualifiers stay, the finest first (only one stays).
_KEYS: Final[Mapping[str, tuple[re.Pattern[str], tuple[str, ...]]]] = {
    "00": (re.compile(r"[0-9]{18}"), ()),
    "01": (re.compile(r"[0-9]{8}|[0-9]{12,14}"), ("21", "235", "10")),
    "253": (re.compile(r"[0-9]{13}.{0,17}"), ()),
    "255": (re.compile(r"[0-9]{13}[0-9]{0,12}"), ()),
    "401": (re.compile(r".{1,90}"), ()),
    "402": (re.compile(r"[0-9]{17}"), ()),
    "414": (re.compile(r"[0-9]{13}"), ("254",)),
    "417": (re.compile(r"[0-9]{13}"), ()),
    "8003": (re.compile(r"[0-9]{14}.{0,48}"), ()),
    "8004": (re.compile(r"[0-9]{4}.{0,86}"), ()),
    "8006": (re.compile(r"[0-9]{18}"), ("21", "10")),
    "8010": (re.compile(r"[0-9]{4}.{0,86}"), ("8011",)),
    "8017": (re.compile(r"[0-9]{18}"), ()),
    "8018": (re.compile(r"[0-9]{18}"), ()),
}
_QUALIFIERS: Final = frozenset({"21", "235", "10", "22", "254", "8011", "8019"})
_SHORT_NAMES: Final[Mapping[str, str]] = {  # Digital Link 1.1 allowed words in place of numbers
    "gtin": "01",
    "itip": "8006",
    "gln": "414",
    "party": "417",
    "gsin": "402",
    "ginc": "401",
    "sscc": "00",
    "gdti": "253",
    "gcn": "255",
    "grai": "8003",
    "giai": "8004",
    "gsrnp": "8017",
    "gsrn": "8018",
    "cpid": "8010",
    "cpv": "22",
    "lot": "10",
    "ser": "21",
    "glnx": "254",
    "cpsn": "8011",
    "srin": "8019",
}


def canonical(text: str) -> str:
    """Return an EPC URI or Digital Link as the constrained canonical Digital Link; any other text as it is.

    `urn:epc:id:sscc:4012345.0000000333` becomes `https://id.gs1.org/00/040123450000003338`. A text that looks like an
    EPC URI but cannot be one (a key of the wrong length) also comes back as it is.
    """
    if len(text) > _CHARS_MAX:
        return text
    if text[:8].lower() == "urn:epc:":
        return _from_urn(text)
    return _from_link(text) if text[:4].lower() == "http" else text


@lru_cache(_CACHED_MAX)
def _from_urn(text: str) -> str:
    match = _URN.fullmatch(text)
    if match is None:
        return text
    form, scheme, value = match.group(1).lower(), match.group(2).lower(), match.group(3)
    try:
        parts = value.split(".", maxsplit=_part_count(scheme) - 1)
        if form == "class" and scheme == "lgtin":
            path = _gtin("10")(parts)
        elif form == "idpat" and scheme in _PATTERNS and parts[-1] == "*":
            path = _INSTANCES[scheme]([*parts[:-1], ""]).removesuffix("/")
            path = re.sub(r"/(21|235|8011)$", "", path)
        elif form == "id":
            path = _INSTANCES[scheme](parts)
        else:
            return text
    except (KeyError, ValueError):
        return text
    return CANONICAL + path.translate(_ENCODED)


def _part_count(scheme: str) -> int:
    """How many dotted parts a scheme has; the last may itself hold dots."""
    return {"sscc": 2, "giai": 2, "gsrn": 2, "gsrnp": 2, "ginc": 2, "gsin": 2, "pgln": 2, "itip": 5}.get(scheme, 3)


@lru_cache(_CACHED_MAX)
def _from_link(text: str) -> str:
    path = re.split(r"[?#]", text, maxsplit=1)[0]
    steps = path.split("/")
    for index in range(3, len(steps) - 1):  # after the scheme, an empty step, and the host
        key = _SHORT_NAMES.get(steps[index], steps[index])
        if key in _KEYS and _KEYS[key][0].fullmatch(steps[index + 1]):
            rest = _qualifiers(steps[index + 2 :])
            if rest is None:
                continue
            value = steps[index + 1].zfill(14) if key == "01" else steps[index + 1]
            finest = next((f"/{name}/{rest[name]}" for name in _KEYS[key][1] if name in rest), "")
            return f"{CANONICAL}/{key}/{value}{finest}"
    return text


def _qualifiers(steps: list[str]) -> dict[str, str] | None:
    """Return the qualifiers that follow a key, or None when what follows is none, so that this is no Digital Link."""
    if len(steps) % 2:
        return None
    names = [_SHORT_NAMES.get(name, name) for name in steps[::2]]
    return dict(zip(names, steps[1::2], strict=True)) if set(names) <= _QUALIFIERS else None
