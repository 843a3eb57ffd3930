"""What one EPCIS message may weigh, checked before anything in it is believed; and the reading of its JSON."""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

from parcelward.base.errors import Problem
from parcelward.base.standards.epcis.checks import escape
from parcelward.base.standards.epcis.event import Refused

DOCUMENT_BYTES_MAX: Final = 8 * 1024 * 1024
EVENTS_MAX: Final = 5_000  # in one document
DEPTH_MAX: Final = 40  # objects and lists inside each other; the deepest official example has 14
STRING_CHARS_MAX: Final = 16_384
VALUES_MAX: Final = 400_000  # objects, lists and plain values together

_TOO_BIG: Final = 9_007_199_254_740_993  # integers beyond 2**53 do not survive other people's JSON readers


def refuse(code: str, message: str, *, at: str = "", suggestion: str = "") -> NoReturn:
    """Raise Refused with one problem."""
    raise Refused(message, code=code, problems=(Problem(at, code, message, suggestion),))


def read_json(data: bytes | dict[str, Any]) -> dict[str, Any]:
    """Return the JSON object in `data`, bounded in every way, or raise Refused.

    Of two members with one name the last counts, as in every common reader: one of GS1's own examples repeats a name.
    """
    value: Any = _decode(data) if isinstance(data, (bytes, bytearray, memoryview)) else data
    if not isinstance(value, dict):
        refuse("not_an_object", "An EPCIS message is a JSON object.", suggestion="Send an EPCISDocument or one event.")
    _bound(value)
    return value


def _decode(data: bytes) -> Any:
    if len(data) > DOCUMENT_BYTES_MAX:
        message = f"The message is larger than {DOCUMENT_BYTES_MAX} bytes."
        refuse("too_large", message, suggestion="Send it in several documents.")
    try:
        return json.loads(bytes(data), parse_constant=_no_constant)
    except Refused:
        raise
    except RecursionError:
        refuse("too_deep", f"Objects and lists are nested deeper than {DEPTH_MAX}.")
    except ValueError as error:  # not JSON, not UTF-8, or a number of thousands of digits
        line = f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "its text"
        refuse("not_json", f"This is not JSON: see {line}.")


def _no_constant(_word: str) -> NoReturn:
    refuse("not_json", "NaN and Infinity are not JSON numbers.")


def _bound(value: Any) -> None:
    """Raise Refused if `value` is too deep, too many, too long, or holds what JSON and a database cannot."""
    pending: list[tuple[Any, str, int]] = [(value, "", 1)]
    count = 0
    while pending:
        item, at, depth = pending.pop()
        if depth > DEPTH_MAX:
            refuse("too_deep", f"Objects and lists are nested deeper than {DEPTH_MAX}.", at=_short(at))
        count += len(item)
        if count > VALUES_MAX:
            refuse("too_many", f"The message holds more than {VALUES_MAX} values.")
        members = item.items() if isinstance(item, dict) else enumerate(item)
        for name, child in members:
            if isinstance(item, dict):
                if not isinstance(name, str):
                    refuse("not_json", "Member names are texts.", at=_short(at))
                _plain(name, at, "")
            if isinstance(child, (dict, list)):
                pending.append((child, f"{at}/{escape(str(name))}", depth + 1))
            else:
                _plain(child, at, name)


def _plain(value: Any, at: str, name: str | int) -> None:
    """Raise Refused if a text or number is none that JSON, a database and another reader can all hold."""
    fault: tuple[str, str] | None = None
    if isinstance(value, str):
        if len(value) > STRING_CHARS_MAX:
            fault = "too_long", f"A text is longer than {STRING_CHARS_MAX} characters."
        elif "\0" in value or not _is_unicode(value):
            fault = "bad_character", "A text holds NUL or half a surrogate pair."
    elif isinstance(value, float):
        if not math.isfinite(value):
            fault = "bad_number", "A number is too large."
    elif isinstance(value, int):
        if abs(value) >= _TOO_BIG and not isinstance(value, bool):
            fault = "bad_number", "A whole number is beyond 2**53: send it as a text."
    elif value is not None:
        fault = "not_json", "This is not a JSON value."
    if fault is not None:
        refuse(*fault, at=_short(f"{at}/{escape(str(name))}" if name != "" else at))


def _is_unicode(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _short(at: str) -> str:
    return at if len(at) <= 1000 and _is_unicode(at) else at[:1000].encode("ascii", "replace").decode()  # noqa: PLR2004 -- a pointer for people
