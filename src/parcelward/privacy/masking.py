"""What is left of a value in a list: enough to tell two people apart, not enough to reach one.

The number of stars says nothing about the length of what they hide.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Final

from parcelward.privacy.wire import Field

STARS: Final = "****"
POSTCODE_KEPT: Final = 3  # of five characters and more: an area of thousands of houses (ZIP3, PIN district)
POSTCODE_LONG: Final = 5
PHONE_KEPT: Final = 2
PHONE_LONG: Final = 7


def _name(text: str) -> str:
    """Anna Maria Kowalska -> A. M. K****."""
    words = [word for word in text.split() if word[0].isalnum()]
    if not words:
        return STARS
    *given, family = words
    return " ".join([*(f"{word[0]}." for word in given[:2]), f"{family[0]}{STARS}"])


def _email(text: str) -> str:
    """someone@example.com -> s***@e***.com."""
    local, _, domain = text.rpartition("@")
    host, _, last = domain.rpartition(".")
    if not local or not host:
        return STARS
    return f"{local[0]}***@{host[0]}***.{last}"


def _phone(text: str) -> str:
    digits = [c for c in text if c.isdigit()]
    return f"{STARS} {''.join(digits[-PHONE_KEPT:])}" if len(digits) >= PHONE_LONG else STARS


def _postcode(text: str) -> str:
    code = "".join(text.split())
    return f"{code[:POSTCODE_KEPT]}***" if len(code) >= POSTCODE_LONG else "***"


def _locality(text: str) -> str:
    return f"{text.strip()[:1]}{STARS}"


def _where(text: str) -> str:
    """203.0.113.7 -> 203.0.*.*; 2001:db8:1::7 -> 2001:0db8:*."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return STARS
    if isinstance(address, ipaddress.IPv4Address):
        return ".".join([*str(address).split(".")[:2], "*", "*"])
    return ":".join([*address.exploded.split(":")[:2], "*"])


def _hidden(_text: str) -> str:
    return STARS


_MASKS: Mapping[Field, Callable[[str], str]] = {
    Field.NAME: _name,
    Field.EMAIL: _email,
    Field.PHONE: _phone,
    Field.ADDRESS: _hidden,
    Field.POSTCODE: _postcode,
    Field.LOCALITY: _locality,
    Field.COUNTRY: str,  # two letters that millions share
    Field.DOCUMENT: _hidden,
    Field.WHERE: _where,
    Field.AGENT: _hidden,
    Field.BODY: _hidden,
}
assert _MASKS.keys() == set(Field), "every field has its mask"  # noqa: S101 -- a field without one must stop the start


def mask(field: Field, text: str) -> str:
    """Return what a list shows of a value."""
    return _MASKS[field](text) if text.strip() else ""
