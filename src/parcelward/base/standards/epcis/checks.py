"""The checks that every EPCIS value goes through; each failed one becomes a `Problem` with its place.

A checker never raises: it notes the problem and returns an empty value, so that one pass finds all that is wrong.
Messages say where and what to write instead, never what was received.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from parcelward.base.errors import Problem
from parcelward.base.standards.epcis import vocabulary
from parcelward.base.standards.epcis.context import Context
from parcelward.base.standards.epcis.vocabulary import Words

PROBLEMS_MAX: Final = 50  # kept for one event; more would help nobody
YEARS: Final = range(1900, 9999)  # outside, converting to UTC could leave what a datetime can hold
LIST_ITEMS_MAX: Final = 10_000  # EPCs in one event: a full sea container of parcels, with room to spare

# RFC 3986 by its characters: a scheme, a colon, then unreserved, reserved or percent-encoded; `[` and `]` (IPv6 hosts
# only) are left out, and at most one fragment.
_URI: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*:(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+"
    r"(?:\#(?:[A-Za-z0-9\-._~:/?@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)?"
)
_WEB_HOST: Final = re.compile(
    r"https?://(?:[^/?#@]*@)?[A-Za-z0-9](?:[A-Za-z0-9\-._~]|%[0-9A-Fa-f]{2})*(?::\d*)?(?:[/?#]|$)", re.IGNORECASE
)
# RFC 3339 section 5.6 date-time, with an offset always; seconds stop at 59, since nothing here can hold a leap second.
_TIME: Final = re.compile(
    r"(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))[Tt]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(\.\d+)?"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_OFFSET: Final = re.compile(r"[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00)", re.ASCII)
_UOM: Final = re.compile(r"[A-Z0-9]{2,3}")
_HEX: Final = re.compile(r"[A-Fa-f0-9]+")
_GS1_OWN: Final = (
    "urn:epcglobal:cbv:",
    "https://ref.gs1.org/cbv/",
    "https://ns.gs1.org/cbv/",
    "http://ns.gs1.org/cbv/",
)
_GS1_VOC: Final = ("https://gs1.org/voc/", "http://gs1.org/voc/", "https://www.gs1.org/voc/", "http://www.gs1.org/voc/")


def is_uri(text: str) -> bool:
    """Whether `text` is an absolute URI in the characters of RFC 3986."""
    if _URI.fullmatch(text) is None:
        return False
    return not text[:5].lower().startswith("http") or _WEB_HOST.match(text) is not None


def read_time(text: str) -> dt.datetime | None:
    """Return an RFC 3339 date-time with offset as an aware datetime (cut to microseconds), or None if it is none."""
    match = _TIME.fullmatch(text)
    if match is None or int(text[:4]) not in YEARS:
        return None
    day, clock, fraction, offset = match.groups()
    offset = "+00:00" if offset in "Zz" else offset
    try:
        return dt.datetime.fromisoformat(f"{day}T{clock}.{(fraction or '.')[1:7]:0<6}{offset}")
    except ValueError:  # 30 February
        return None


def escape(name: str) -> str:
    """Return a member name as one step of a JSON Pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


def kind(value: Any) -> str:
    """Return the JSON name of a value's type, for sentences."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


class Checker:
    """Collects the problems of one event (or envelope) while it is read."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.problems: list[Problem] = []

    def add(self, at: str, code: str, message: str, suggestion: str = "") -> None:
        """Note that what stands at JSON Pointer `at` is wrong."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(Problem(at, code, message, suggestion))

    def text(self, value: Any, at: str) -> str:
        """Return a text, or note `wrong_type`."""
        if isinstance(value, str):
            return value
        self.add(at, "wrong_type", f"A text is expected here, not {kind(value)}.")
        return ""

    def uri(self, value: Any, at: str) -> str:
        """Return an absolute URI, or note `wrong_type` or `not_a_uri`."""
        if isinstance(value, str) and is_uri(value):
            return value
        if not isinstance(value, str):
            self.add(at, "wrong_type", f"A URI is expected here, not {kind(value)}.")
        else:
            suggestion = "Write an EPC URI (urn:epc:id:...), a GS1 Digital Link (https://...) or another absolute URI."
            self.add(at, "not_a_uri", "This is not an absolute URI.", suggestion)
        return ""

    def uris(self, value: Any, at: str, *, unique: bool = False) -> tuple[str, ...]:
        """Return a list of URIs; with `unique`, note a repeated one."""
        found: list[str] = []
        seen: set[str] = set()
        for index, item in enumerate(self.items(value, at)):
            if not (isinstance(item, str) and is_uri(item)):
                self.uri(item, f"{at}/{index}")
            elif unique and item in seen:
                self.add(f"{at}/{index}", "repeated", "The same URI stands earlier in this list.", "Name it once.")
            else:
                seen.add(item)
                found.append(item)
        return tuple(found)

    def time(self, value: Any, at: str) -> dt.datetime | None:
        """Return an aware datetime, or note `wrong_type` or `bad_time`."""
        if not isinstance(value, str):
            self.add(at, "wrong_type", f"A time is expected here, not {kind(value)}.")
            return None
        time = read_time(value)
        if time is None:
            suggestion = "Write an RFC 3339 time with its offset, such as 2026-03-01T14:05:00.000+01:00."
            self.add(at, "bad_time", "This is not a time with an offset.", suggestion)
        return time

    def number(self, value: Any, at: str) -> int | float | None:
        """Return a finite number, or note `wrong_type`."""
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return value
        self.add(at, "wrong_type", f"A number is expected here, not {kind(value)}.", "Write it without quotes.")
        return None

    def flag(self, value: Any, at: str) -> None:
        """Note `wrong_type` unless the value is true or false."""
        if not isinstance(value, bool):
            self.add(at, "wrong_type", f"true or false is expected here, not {kind(value)}.")

    def shaped(self, value: Any, at: str, shape: re.Pattern[str], code: str, suggestion: str) -> str:
        """Return a text of the given shape, or note `code`."""
        text = self.text(value, at)
        if isinstance(value, str) and shape.fullmatch(text) is None:
            self.add(at, code, "This text has not the shape that the standard asks for.", suggestion)
        return text

    def offset(self, value: Any, at: str) -> str:
        """Return a time zone offset such as +01:00 (EPCIS 2.0 section 7.3.3)."""
        return self.shaped(value, at, _OFFSET, "bad_offset", "Write the offset as +hh:mm or -hh:mm, up to 14:00.")

    def uom(self, value: Any, at: str) -> str:
        """Return a unit of measure: two or three characters of UN/CEFACT Recommendation 20."""
        return self.shaped(value, at, _UOM, "bad_uom", "Write a code of UN/CEFACT Recommendation 20, such as KGM.")

    def hex_binary(self, value: Any, at: str) -> str:
        """Return a text of hexadecimal digits."""
        return self.shaped(value, at, _HEX, "bad_hex", "Write hexadecimal digits only.")

    def word(self, value: Any, at: str, words: Words) -> str:
        """Return a CBV word bare, or a URI of someone's own; an unknown word, also in GS1's own namespace, is noted."""
        if not isinstance(value, str):
            self.add(at, "wrong_type", f"A {words.name} is expected here, not {kind(value)}.")
            return ""
        if value in words.words:
            return value
        full = self.context.expand(value)
        word = vocabulary.short(full, words)
        if word in words.words:
            return word
        theirs = _GS1_VOC if words.web == vocabulary.GS1_WEB else _GS1_OWN
        if ":" in value and is_uri(full) and not full.startswith(theirs):
            return full
        suggestion = "Use a word of GS1 CBV 2.0, or a URI of your own."
        self.add(at, f"unknown_{words.name.replace(' ', '_')}", f"This is not a {words.name} of CBV 2.0.", suggestion)
        return ""

    def object(self, value: Any, at: str) -> Mapping[str, Any]:
        """Return an object, or note `wrong_type` and return an empty one."""
        if isinstance(value, dict):
            return value
        self.add(at, "wrong_type", f"An object is expected here, not {kind(value)}.")
        return {}

    def items(self, value: Any, at: str) -> list[Any]:
        """Return a list of at most LIST_ITEMS_MAX, or note `wrong_type` or `too_many` and return an empty one."""
        if not isinstance(value, list):
            self.add(at, "wrong_type", f"A list is expected here, not {kind(value)}.")
            return []
        if len(value) > LIST_ITEMS_MAX:
            self.add(at, "too_many", f"This list is longer than {LIST_ITEMS_MAX}.", "Send several events.")
            return []
        return value

    def extensions(self, raw: Mapping[str, Any], known: frozenset[str], at: str) -> dict[str, Any]:
        """Return what is not the standard's by its full URI; a bare unknown name or undeclared prefix is noted."""
        found: dict[str, Any] = {}
        for name, value in raw.items():
            if name in known:
                continue
            if self.name(name, at):
                found[self.context.expand(name)] = value
                self.within(value, f"{at}/{escape(name)}")
        return found

    def name(self, name: str, at: str) -> bool:
        """Whether a member name is namespaced so that it can be understood; if not, that is noted."""
        prefix, colon, local = name.partition(":")
        where = f"{at}/{escape(name)}"
        if not colon:
            self.add(where, "unknown_field", "EPCIS 2.0 has no such field here.", "Give an extension a namespace.")
            return False
        full = self.context.expand(name)
        written_out = full != name or local.startswith("//") or prefix.lower() == "urn"
        if local and written_out and is_uri(full):
            return True
        suggestion = "Declare the prefix in @context, or write the name as a full URI."
        self.add(where, "undeclared_prefix", "Nothing in @context says what this name means.", suggestion)
        return False

    def within(self, value: Any, at: str) -> None:
        """Note undeclared prefixes inside an extension. Bare names there are their owner's affair."""
        pending = [(value, at)]
        while pending:
            inner, where = pending.pop()
            if isinstance(inner, list):
                pending += [(item, f"{where}/{index}") for index, item in enumerate(inner)]
            elif isinstance(inner, dict):
                for name, item in inner.items():
                    if ":" in name:
                        self.name(name, where)
                    pending.append((item, f"{where}/{escape(name)}"))
