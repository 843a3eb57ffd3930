"""The EPCIS event hash id: one name for one event, whoever computes it and however the event was written down.

Source: GS1 CBV 2.0 section 8.9 (EPCIS Event Hash ID); the result is an RFC 6920 `ni` URI. It is unsalted: whoever can
guess the event can confirm it, so it must never be published by itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from parcelward.base.standards.epcis import identifiers, vocabulary
from parcelward.base.standards.epcis.checks import read_time
from parcelward.base.standards.epcis.context import Context
from parcelward.base.standards.epcis.event import Event
from parcelward.base.standards.epcis.vocabulary import Words

_HALF_MS_US: Final = 500
_LEFT_OUT: Final = frozenset({"@context", "eventID", "recordTime", "errorDeclaration", "type", "id"})
_COMMENT: Final = vocabulary.PREFIXES["rdfs"] + "comment"  # remarks are no part of an event
_ORDER: Final = (
    "eventTime",
    "eventTimeZoneOffset",
    "certificationInfo",
    "epcList",
    "parentID",
    "inputEPCList",
    "childEPCs",
    "quantityList",
    "childQuantityList",
    "inputQuantityList",
    "outputEPCList",
    "outputQuantityList",
    "action",
    "transformationID",
    "bizStep",
    "disposition",
    "persistentDisposition",
    "readPoint",
    "bizLocation",
    "sensorElementList",
)
# The table in the standard's text puts business transactions, sources and destinations before sensor elements. The
# reference values do not: there these lists, ilmd and extensions come last, in the order of their text.
_SORTED: Final = ("bizTransactionList", "destinationList", "ilmd", "sourceList")
_QUANTITY: Final = ("epcClass", "quantity", "uom")
_METADATA: Final = (
    "time",
    "startTime",
    "endTime",
    "deviceID",
    "deviceMetadata",
    "rawData",
    "dataProcessingMethod",
    "bizRules",
)
_REPORT: Final = (
    "type",
    "exception",
    "deviceID",
    "deviceMetadata",
    "rawData",
    "dataProcessingMethod",
    "time",
    "microorganism",
    "chemicalSubstance",
    "value",
    "component",
    "stringValue",
    "booleanValue",
    "hexBinaryValue",
    "uriValue",
    "minValue",
    "maxValue",
    "meanValue",
    "sDev",
    "percRank",
    "percValue",
    "uom",
    "coordinateReferenceSystem",
)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_TIMES: Final = frozenset({"eventTime", "time", "startTime", "endTime"})
_WORDS: Final[Mapping[str, Words]] = {
    "bizStep": vocabulary.BIZ_STEPS,
    "disposition": vocabulary.DISPOSITIONS,
    "exception": vocabulary.ALERTS,
    "component": vocabulary.COMPONENTS,
}


def event_hash_id(event: Event, *, ignore: Collection[str] = ()) -> str:
    """Return `ni:///sha-256;<64 hex digits>?ver=CBV2.0` for an event.

    `ignore` names extensions by full URI that do not belong to the event, such as a repository's own marks.
    """
    return hash_of(pre_hash(event.raw, event.context, ignore=ignore))


def hash_of(text: str) -> str:
    """Return the `ni` URI of a pre-hash string."""
    return f"ni:///sha-256;{hashlib.sha256(text.encode()).hexdigest()}?ver=CBV2.0"


def pre_hash(raw: Mapping[str, Any], context: Context, *, ignore: Collection[str] = ()) -> str:
    """Return the canonical text of an event that is hashed: known fields in the standard's order, then extensions."""
    writer = _Writer(context, frozenset(ignore))
    fields = "".join(writer.field(name, raw[name]) for name in _ORDER if name in raw)
    last = [writer.field(name, raw[name]) for name in _SORTED if name in raw]
    last.append(writer.report_rules(raw.get("sensorElementList", [])))
    known = frozenset(_ORDER) | frozenset(_SORTED) | _LEFT_OUT
    return f"eventType={raw['type']}{fields}{''.join(sorted(last))}{writer.extensions(raw, known)}"


class _Writer:
    """Writes each part of an event canonically, with the meaning that the document's context gives to names."""

    def __init__(self, context: Context, ignore: frozenset[str]) -> None:
        self.context = context
        self.ignore = ignore | {_COMMENT}

    def field(self, name: str, value: Any) -> str:
        """Return one field of the event with its name; an empty list or object says nothing and leaves nothing."""
        return "" if value in ([], {}) else _PARTS.get(name, _Writer.plain)(self, name, value)

    def plain(self, name: str, value: Any) -> str:
        items = value if isinstance(value, list) else [value]  # only certificationInfo may be a list
        return "".join(sorted(f"{name}={self.value(name, item)}" for item in items))

    def epcs(self, name: str, value: Any) -> str:
        return name + "".join(sorted(f"epc={identifiers.canonical(epc.strip())}" for epc in value))

    def quantities(self, name: str, value: Any) -> str:
        return name + "".join(sorted("quantityElement" + self.pairs(item, _QUANTITY) for item in value))

    def place(self, name: str, value: Any) -> str:
        return name + self.pairs(value, ("id",)) + self.extensions(value, frozenset({"id"}))

    def persistent(self, name: str, value: Any) -> str:
        return name + "".join(self.dispositions(way, value[way]) for way in ("set", "unset") if way in value)

    def biz_transactions(self, name: str, value: Any) -> str:
        return name + self.typed(value, "bizTransaction", vocabulary.BIZ_TRANSACTION_TYPES)

    def parties(self, name: str, value: Any) -> str:
        return name + self.typed(value, name.removesuffix("List"), vocabulary.PARTY_TYPES)

    def sensor_elements(self, name: str, value: Any) -> str:
        return name + "".join(sorted(self.sensor_element(item) for item in value))

    def ilmd(self, name: str, value: Any) -> str:
        return name + self.extensions(value, frozenset())

    def pairs(self, raw: Mapping[str, Any], names: tuple[str, ...]) -> str:
        return "".join(f"{name}={self.value(name, raw[name])}" for name in names if name in raw)

    def dispositions(self, way: str, words: list[str]) -> str:
        return "".join(sorted(f"{way}={self.value('disposition', word)}" for word in words))

    def typed(self, items: list[Mapping[str, Any]], member: str, words: Words) -> str:
        return "".join(sorted(self._typed(item, member, words) for item in items))

    def _typed(self, item: Mapping[str, Any], member: str, words: Words) -> str:
        kind = f"type={vocabulary.web_uri(self.context.expand(item['type']), words)}" if "type" in item else ""
        return f"{kind}{member}={self.value(member, item[member])}"

    def sensor_element(self, raw: Mapping[str, Any]) -> str:
        metadata = raw.get("sensorMetadata")
        text = "sensorElement"
        if metadata:
            text += "sensorMetadata" + self.pairs(metadata, _METADATA) + self.extensions(metadata, frozenset(_METADATA))
        text += "".join(sorted(self.sensor_report(report) for report in raw["sensorReport"]))
        return text + self.extensions(raw, frozenset({"sensorMetadata", "sensorReport"}))

    def sensor_report(self, raw: Mapping[str, Any]) -> str:
        kind = {**raw, "type": vocabulary.web_uri(self.context.expand(raw["type"]), vocabulary.MEASUREMENTS)}
        known = frozenset(_REPORT) | {"bizRules"}
        return "sensorReport" + self.pairs(kind, _REPORT) + self.extensions(raw, known)

    def report_rules(self, elements: list[Mapping[str, Any]]) -> str:
        """Return the bizRules of sensor reports, which the standard gave no place among a report's other fields."""
        parts = []
        for element in elements:
            rules = sorted("sensorReport" + self.pairs(report, ("bizRules",)) for report in element["sensorReport"])
            found = "".join(rule for rule in rules if rule != "sensorReport")
            parts += ["sensorElement" + found] if found else []
        return "sensorElementList" + "".join(sorted(parts)) if parts else ""

    def extensions(self, raw: Mapping[str, Any], known: frozenset[str]) -> str:
        parts = (self.extension(name, value) for name, value in raw.items() if name not in known)
        return "".join(sorted(part for part in parts if part))

    def extension(self, name: str, value: Any) -> str:
        if self.context.expand(name) in self.ignore:
            return ""
        if isinstance(value, list):
            return "".join(sorted(self.extension(name, item) for item in value))
        namespace, local = self.context.split(name)
        key = f"{{{namespace}}}{local}" if namespace else local
        if isinstance(value, dict):
            return key + self.extensions(value, frozenset())
        return f"{key}={self.value('', value)}"

    def value(self, name: str, value: Any) -> str:
        """Return a plain value: times in UTC, numbers without trailing zeros, words and identifiers as web URIs."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (int, float)):
            return number(str(value))
        text = str(value).strip()
        if name in _TIMES:
            return utc(text)
        if name in _WORDS:
            return vocabulary.web_uri(self.context.expand(text), _WORDS[name])
        return number(text) if _NUMBER.fullmatch(text) else identifiers.canonical(text)


_PARTS: Final[Mapping[str, Callable[[_Writer, str, Any], str]]] = {
    **dict.fromkeys(vocabulary.EPC_FIELDS, _Writer.epcs),
    **dict.fromkeys(vocabulary.QUANTITY_FIELDS, _Writer.quantities),
    "readPoint": _Writer.place,
    "bizLocation": _Writer.place,
    "persistentDisposition": _Writer.persistent,
    "bizTransactionList": _Writer.biz_transactions,
    "sourceList": _Writer.parties,
    "destinationList": _Writer.parties,
    "sensorElementList": _Writer.sensor_elements,
    "ilmd": _Writer.ilmd,
}


def number(text: str) -> str:
    """Return a number without leading or trailing zeros: 1.0 as `1`, 0.3430 as `0.343`.

    A text that looks like a number is written so too, since XML does not know the difference; like the reference, by
    way of a binary64 float.
    """
    value = float(text)
    if not math.isfinite(value):
        return text
    return str(int(value) if value.is_integer() else value)


def utc(text: str) -> str:
    """Return a time in UTC with milliseconds, rounded half up on the fourth decimal; anything else as it is."""
    time = read_time(text)
    if time is None:
        return text
    time = time.astimezone(dt.UTC)
    milliseconds, rest = divmod(time.microsecond, 1000)
    milliseconds += rest >= _HALF_MS_US
    time = time.replace(microsecond=0) + dt.timedelta(milliseconds=milliseconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time.microsecond // 1000:03d}Z"
