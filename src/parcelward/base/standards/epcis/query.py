"""The parameters of the standard's SimpleEventQuery, read into a frozen `Query`.

Source: EPCIS 2.0 section 8.2.7.1 and the parameter names of its REST binding (section 12). A parameter that is not
known is refused by name: leaving it out silently would answer another question than the one asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from parcelward.base.standards.epcis import context as contexts
from parcelward.base.standards.epcis import identifiers, vocabulary
from parcelward.base.standards.epcis.checks import Checker, escape, is_uri, read_time
from parcelward.base.standards.epcis.context import GS1_ONLY, Context
from parcelward.base.standards.epcis.event import Refused
from parcelward.base.standards.epcis.parse import check_context
from parcelward.base.standards.epcis.vocabulary import Words

CONDITIONS_MAX: Final = 50
VALUES_MAX: Final = 1_000  # in one parameter
VALUE_CHARS_MAX: Final = 2_048
EVENT_COUNT_MAX: Final = 1_000_000
PER_PAGE_MAX: Final = 1_000
PER_PAGE: Final = 30  # where the caller does not say; the default of the REST binding

_QUANTITY: Final = re.compile(r"(EQ|GT|GE|LT|LE)_quantity(?:_([A-Z0-9]{2,4}))?")
_MEASURED: Final = re.compile(r"(EQ|GT|GE|LT|LE)_(value|minValue|maxValue|meanValue|sDev|percValue)_([A-Z0-9]{2,4})")
_PERC_RANK: Final = re.compile(r"(EQ|GT|GE|LT|LE)_(percRank)()")
_TYPED: Final = re.compile(r"EQ_(bizTransaction|source|destination)_(.+)")
_AREAS: Final = "ILMD|ERROR_DECLARATION|SENSORELEMENT|SENSORMETADATA|SENSORREPORT|readPoint|bizLocation"
_EXTENSION: Final = re.compile(rf"(EQ|GT|GE|LT|LE|EXISTS)_(INNER_)?(?:({_AREAS})_)?([^_].*:.+)")
_MASTER_DATA: Final = re.compile(r"(HASATTR|EQATTR|EQ_ATTR)_.+")

_URI_FIELDS: Final = frozenset("readPoint bizLocation transformationID eventID correctiveEventID".split())  # noqa: SIM905 -- a list of names
_SENSOR_URIS: Final = frozenset(
    {"deviceID", "dataProcessingMethod", "microorganism", "chemicalSubstance", "bizRules", "uriValue"}
)
_TIME_FIELDS: Final = frozenset({"eventTime", "recordTime", "errorDeclarationTime", "time", "startTime", "endTime"})
_WORD_FIELDS: Final[Mapping[str, Words]] = {
    "bizStep": vocabulary.BIZ_STEPS,
    "disposition": vocabulary.DISPOSITIONS,
    "persistentDisposition_set": vocabulary.DISPOSITIONS,
    "persistentDisposition_unset": vocabulary.DISPOSITIONS,
    "errorReason": vocabulary.ERROR_REASONS,
    "type": vocabulary.MEASUREMENTS,
}
_EPC_FIELDS: Final = frozenset(
    {"epc", "parentID", "inputEPC", "outputEPC", "anyEPC", "epcClass", "inputEPCClass", "outputEPCClass", "anyEPCClass"}
)
_TYPE_WORDS: Final[Mapping[str, Words]] = {
    "bizTransaction": vocabulary.BIZ_TRANSACTION_TYPES,
    "source": vocabulary.PARTY_TYPES,
    "destination": vocabulary.PARTY_TYPES,
}
_CONTROLS: Final = frozenset(
    {"orderBy", "orderDirection", "eventCountLimit", "maxEventCount", "perPage", "nextPageToken", "@context"}
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that an event must meet. Several values: any of them."""

    name: str  # as asked: GE_eventTime
    operator: str  # EQ, GT, GE, LT, LE, MATCH, WD, EXISTS
    field: str  # eventTime; an extension's full URI; quantity; bizTransaction
    values: tuple[Any, ...]  # aware datetimes, texts (words bare, identifiers canonical), numbers or booleans
    area: str = ""  # ILMD, readPoint ...: where the extension stands; `*` for the event's own
    inner: bool = False  # the extension stands deeper than directly in the area
    kind: str = ""  # unit of measure, or the type of a business transaction, source or destination


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. No conditions: every event."""

    conditions: tuple[Condition, ...] = ()
    order_by: str = ""  # eventTime, recordTime, an extension's full URI, or empty
    descending: bool = True
    event_count_limit: int | None = None
    max_event_count: int | None = None
    per_page: int = PER_PAGE
    next_page_token: str = ""

    def values(self, name: str) -> tuple[Any, ...]:
        """Return what a parameter asks for (`EQ_bizStep`), or nothing: for narrowing in a database beforehand."""
        return next((item.values for item in self.conditions if item.name == name), ())


def read_query(parameters: Mapping[str, Any], context: Context = GS1_ONLY) -> Query:
    """Return the query that these parameters make, or raise Refused naming each bad one.

    `parameters` are those of a GET (texts; lists separated by `|`) or the JSON `query` object of a POST (lists,
    numbers, times as texts, and perhaps an `@context` that declares the prefixes used in names).
    """
    check = Checker(context)
    if "@context" in parameters:
        check_context(check, parameters["@context"], "/@context")
        if not check.problems:
            check.context = contexts.of([*context.raw, *contexts.parts(parameters["@context"])])
    names = [name for name in parameters if name not in _CONTROLS]
    if len(names) > CONDITIONS_MAX:
        check.add("", "too_many", f"A query has at most {CONDITIONS_MAX} conditions.")
        names = []
    conditions = [_condition(check, name, parameters[name]) for name in names]
    query = _controls(check, parameters, tuple(item for item in conditions if item is not None))
    if check.problems:
        message = "This is not a valid EPCIS query; each problem names its parameter."
        raise Refused(message, code="query_parameter", problems=tuple(check.problems))
    return query


def _condition(check: Checker, name: str, value: Any) -> Condition | None:
    if not isinstance(name, str) or len(name) > VALUE_CHARS_MAX:
        check.add("", "unknown_parameter", "A parameter's name is a text of a sensible length.")
        return None
    readers = (_known, _quantity, _typed, _extension)
    for reader in readers:
        found = reader(check, name, value)
        if found is not None:
            return found
    if _MASTER_DATA.fullmatch(name):
        check.add(_at(name), "not_supported", "Queries by master data attributes are not answered here.")
    else:
        check.add(_at(name), "unknown_parameter", "SimpleEventQuery has no such parameter.", "Leave it out.")
    return None


def _at(name: str) -> str:
    return f"/{escape(name)}"


def _known(check: Checker, name: str, value: Any) -> Condition | None:
    """Read a parameter about one of the standard's own fields."""
    operator, _, field = name.partition("_")
    at = _at(name)
    values: tuple[Any, ...] | None = None
    if name == "eventType":
        operator, field = "EQ", "eventType"
        values = _list(check, value, at, lambda item, here: _one_of(check, item, here, vocabulary.EVENT_TYPES))
    elif name == "EQ_action":
        values = _list(check, value, at, lambda item, here: _one_of(check, item, here, vocabulary.ACTIONS))
    elif operator in {"GE", "LT"} and field.replace("errorDeclaration_Time", "errorDeclarationTime") in _TIME_FIELDS:
        field = field.replace("_", "")
        values = (check.time(value, at),)
    elif operator == "EQ" and field in _WORD_FIELDS:
        values = _list(check, value, at, lambda item, here: check.word(item, here, _WORD_FIELDS[field]))
    elif (operator == "EQ" and field in _URI_FIELDS | _SENSOR_URIS) or name in {"WD_readPoint", "WD_bizLocation"}:
        values = _list(check, value, at, lambda item, here: identifiers.canonical(check.uri(item, here)))
    elif operator == "MATCH" and field in _EPC_FIELDS:
        values = _list(check, value, at, check.uri)
    elif name in {"EQ_stringValue", "EQ_hexBinaryValue"}:
        values = _list(check, value, at, check.text)
    elif name in {"EXISTS_errorDeclaration", "EXISTS_sensorElementList", "EQ_booleanValue"}:
        values = (_flag(check, value, at),)
    return None if values is None else Condition(name, operator, field, values)


def _quantity(check: Checker, name: str, value: Any) -> Condition | None:
    """Read EQ_quantity, GT_value_CEL and the like: a number, perhaps in one unit of measure."""
    match = _QUANTITY.fullmatch(name)
    operator, field, uom = (match[1], "quantity", match[2]) if match else ("", "", "")
    measured = _MEASURED.fullmatch(name) or _PERC_RANK.fullmatch(name)
    if measured:
        operator, field, uom = measured[1], measured[2], measured[3]
    if not operator:
        return None
    at = _at(name)
    if operator == "EQ":
        values = _list(check, value, at, lambda item, here: _number(check, item, here))
    else:
        values = (_number(check, value, at),)
    return Condition(name, operator, field, values, kind=uom or "")


def _typed(check: Checker, name: str, value: Any) -> Condition | None:
    """Read EQ_bizTransaction_po, EQ_source_owning_party and the like."""
    match = _TYPED.fullmatch(name)
    if match is None:
        return None
    kind = check.word(match[2], _at(name), _TYPE_WORDS[match[1]])
    values = _list(check, value, _at(name), lambda item, here: identifiers.canonical(check.uri(item, here)))
    return Condition(name, "EQ", match[1], values, kind=kind)


def _extension(check: Checker, name: str, value: Any) -> Condition | None:
    """Read EQ_example:field, GE_INNER_ILMD_example:field, EXISTS_example:field and the like."""
    match = _EXTENSION.fullmatch(name)
    if match is None:
        return None
    operator, inner, area, field = match.groups()
    at = _at(name)
    full = check.context.expand(field)
    if full == field and not (is_uri(field) and ("://" in field or field.lower().startswith("urn:"))):
        check.add(at, "undeclared_prefix", "Nothing says what this prefix means.", "Write the name as a full URI.")
    values: tuple[Any, ...]
    if operator == "EXISTS":
        values = (_flag(check, value, at),)
    elif operator == "EQ":
        values = _list(check, value, at, lambda item, here: _plain(check, item, here))
    else:
        values = (_ordered(check, value, at),)
    return Condition(name, operator, full, values, area=area or "*", inner=bool(inner))


def _list(check: Checker, value: Any, at: str, read: Any) -> tuple[Any, ...]:
    """Return the values of a list parameter: a JSON list, one value, or texts separated by `|`."""
    split = value.split("|") if isinstance(value, str) else value
    items = split if isinstance(split, list) else [split]
    if not items:
        check.add(at, "empty", "A parameter names at least one value.", "Leave it out.")
    if len(items) > VALUES_MAX:
        check.add(at, "too_many", f"A parameter names at most {VALUES_MAX} values.")
        return ()
    if any(isinstance(item, str) and len(item) > VALUE_CHARS_MAX for item in items):
        check.add(at, "too_long", f"A value has at most {VALUE_CHARS_MAX} characters.")
        return ()
    return tuple(read(item, f"{at}/{index}" if isinstance(value, list) else at) for index, item in enumerate(items))


def _one_of(check: Checker, value: Any, at: str, words: frozenset[str]) -> str:
    if isinstance(value, str) and value in words:
        return value
    check.add(at, "unknown_value", "This is not a value of this parameter.", f"Use {', '.join(sorted(words))}.")
    return ""


def _number(check: Checker, value: Any, at: str) -> int | float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            check.add(at, "bad_number", "A number is expected here.")
            return None
    return check.number(value, at)


def _flag(check: Checker, value: Any, at: str) -> bool:
    """Return a flag; EXISTS parameters of a POST may also be null or 1 for yes."""
    flags = {"true": True, "false": False, "": True}
    if value is None or isinstance(value, bool):
        return value is not False
    if isinstance(value, str) and value in flags:
        return flags[value]
    if value not in (0, 1):
        check.add(at, "wrong_type", "true or false is expected here.")
    return bool(value)


def _plain(check: Checker, value: Any, at: str) -> Any:
    if isinstance(value, (str, bool)):
        return value
    return check.number(value, at)


def _ordered(check: Checker, value: Any, at: str) -> Any:
    """Return a number or a time."""
    time = read_time(value) if isinstance(value, str) else None
    return time if time is not None else _number(check, value, at)


def _controls(check: Checker, parameters: Mapping[str, Any], conditions: tuple[Condition, ...]) -> Query:
    """Read what orders and bounds the answer."""
    order_by = _order_by(check, parameters["orderBy"]) if "orderBy" in parameters else ""
    direction = parameters.get("orderDirection", "DESC")
    if direction not in ("ASC", "DESC"):
        check.add("/orderDirection", "unknown_value", "The direction is ASC or DESC.")
    limit = _count(check, parameters, "eventCountLimit", EVENT_COUNT_MAX)
    most = _count(check, parameters, "maxEventCount", EVENT_COUNT_MAX)
    if limit is not None and most is not None:
        check.add("/maxEventCount", "exclusive", "eventCountLimit and maxEventCount exclude each other.")
    if limit is not None and not order_by:
        check.add("/eventCountLimit", "missing", "eventCountLimit needs orderBy: the first of which order?")
    token = parameters.get("nextPageToken", "")
    if not isinstance(token, str) or len(token) > VALUE_CHARS_MAX:
        check.add("/nextPageToken", "wrong_type", "The token is the text that came with the page before.")
    per_page = _count(check, parameters, "perPage", PER_PAGE_MAX) or PER_PAGE
    return Query(conditions, order_by, direction == "DESC", limit, most, per_page, str(token))


def _order_by(check: Checker, value: Any) -> str:
    if value in ("eventTime", "recordTime"):
        return str(value)
    full = check.context.expand(value) if isinstance(value, str) else ""
    if not is_uri(full):
        suggestion = "Use eventTime, recordTime, or the full name of an extension."
        check.add("/orderBy", "unknown_value", "Events cannot be put in order by this.", suggestion)
    return full


def _count(check: Checker, parameters: Mapping[str, Any], name: str, most: int) -> int | None:
    if name not in parameters:
        return None
    value = parameters[name]
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(most)):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        check.add(f"/{name}", "bad_number", f"A whole number from 1 to {most} is expected here.")
        return None
    return value
