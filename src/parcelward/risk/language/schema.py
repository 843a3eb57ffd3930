"""The fields that rules may ask about, and what counts as a value of each."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from parcelward.risk.wire import Fact, Field, FieldType

FIELDS_MAX = 300
TEXT_MAX = 500
"""Characters of a text that is a fact; a longer one counts as missing."""
SET_MAX = 1000
"""Members of a set that is a fact; a larger one counts as missing."""
NUMBER_MAX = 10**15
"""What a field's own limits may reach."""

CALLS: Final = ("startswith", "known", "min", "max", "abs")
"""The words that stand before a bracket; no field has one of them as its name."""

_SETS = frozenset({set, frozenset, list, tuple})
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)


class Schema:
    """The fields of one time, by name."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self.fields: Final = tuple(fields)
        self.by_name: Final = {field.name: field for field in self.fields}
        for field in self.fields:
            if not _NAME.fullmatch(field.name) or keyword.iskeyword(field.name) or field.name in CALLS:
                raise ValueError(f"{field.name!r} cannot be the name of a field")
            if not -NUMBER_MAX <= field.least <= field.most <= NUMBER_MAX:
                raise ValueError(f"{field.name} has no sensible limits")
        if len(self.by_name) != len(self.fields) or len(self.fields) > FIELDS_MAX:
            raise ValueError("fields have names of their own, and are not too many")


def value(field: Field, facts: Mapping[str, object]) -> Fact | None:
    """Return what is known in a field; None if it is missing, or no value of that field."""
    return checked(field, facts.get(field.name))


def checked(field: Field, found: object) -> Fact | None:
    """Return a fact as a rule may see it: None if it is missing, of another type, too large or too long.

    Types are compared exactly, so that nothing with a behaviour of its own comes in: not a bool for a number either. A
    whole number may come as a float, as what is made of floats does.
    """
    match field.type:
        case FieldType.INT:
            if type(found) is float and field.least <= found <= field.most and found.is_integer():
                return int(found)
            return found if type(found) is int and field.least <= found <= field.most else None
        case FieldType.FLOAT:
            if type(found) is int or type(found) is float:
                return float(found) if field.least <= found <= field.most else None
        case FieldType.BOOL:
            return found if type(found) is bool else None
        case FieldType.TEXT:
            return found if type(found) is str and len(found) <= TEXT_MAX else None
        case FieldType.SET:
            return members(found)
    return None


def members(found: object) -> frozenset[str] | None:
    """Return the members of a set that is a fact; None if it is none, or none of texts, or too large."""
    if type(found) not in _SETS or not isinstance(found, Collection) or len(found) > SET_MAX:
        return None
    return frozenset(found) if all(type(each) is str for each in found) else None
