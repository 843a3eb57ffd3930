"""The parts of an EPCIS event, each read from its JSON into a value (EPCIS 2.0 sections 7.3.3 to 7.3.7 and 10.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from parcelward.base.standards.epcis import vocabulary
from parcelward.base.standards.epcis.checks import Checker, escape
from parcelward.base.standards.epcis.event import (
    BizTransaction,
    ErrorDeclaration,
    Party,
    Quantity,
    Report,
    SensorElement,
)

_QUANTITY: Final = frozenset({"epcClass", "quantity", "uom"})
_METADATA_TIMES: Final = frozenset({"time", "startTime", "endTime"})
_METADATA_URIS: Final = frozenset({"deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules"})
_REPORT_URIS: Final = _METADATA_URIS | {"microorganism", "chemicalSubstance", "coordinateReferenceSystem", "uriValue"}
_REPORT_NUMBERS: Final = frozenset({"value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"})
_REPORT_OTHERS: Final = frozenset({"type", "exception", "time", "component", "stringValue", "booleanValue"})
_REPORT: Final = _REPORT_URIS | _REPORT_NUMBERS | _REPORT_OTHERS | {"hexBinaryValue", "uom"}


def _closed(check: Checker, raw: Mapping[str, Any], known: frozenset[str], at: str) -> None:
    """Note every member that is not in `known`: the standard gives this object no extension point."""
    for name in (name for name in raw if name not in known):
        check.add(f"{at}/{escape(name)}", "unknown_field", "EPCIS 2.0 allows no such field here.", "Leave it out.")


def _required(check: Checker, raw: Mapping[str, Any], name: str, at: str) -> bool:
    if name in raw:
        return True
    check.add(f"{at}/{name}", "missing", f"`{name}` is required here.")
    return False


def place(check: Checker, value: Any, at: str) -> str:
    """Return the id of a readPoint or bizLocation."""
    raw = check.object(value, at)
    if not isinstance(value, dict) or not _required(check, raw, "id", at):
        return ""
    check.extensions(raw, frozenset({"id"}), at)
    return check.uri(raw["id"], f"{at}/id")


def quantities(check: Checker, value: Any, at: str) -> tuple[Quantity, ...]:
    """Return a list of class-level amounts."""
    found = []
    for index, item in enumerate(check.items(value, at)):
        here = f"{at}/{index}"
        raw = check.object(item, here)
        if not isinstance(item, dict):
            continue
        _closed(check, raw, _QUANTITY, here)
        epc_class = check.uri(raw["epcClass"], f"{here}/epcClass") if _required(check, raw, "epcClass", here) else ""
        amount = check.number(raw["quantity"], f"{here}/quantity") if "quantity" in raw else None
        uom = check.uom(raw["uom"], f"{here}/uom") if "uom" in raw else ""
        found.append(Quantity(epc_class, amount, uom))
    return tuple(found)


def parties(check: Checker, value: Any, at: str, *, member: str) -> tuple[Party, ...]:
    """Return a sourceList or destinationList; `member` is `source` or `destination`."""
    found = []
    for index, item in enumerate(check.items(value, at)):
        here = f"{at}/{index}"
        raw = check.object(item, here)
        if not isinstance(item, dict):
            continue
        _closed(check, raw, frozenset({"type", member}), here)
        has_type, has_id = _required(check, raw, "type", here), _required(check, raw, member, here)
        party_type = check.word(raw["type"], f"{here}/type", vocabulary.PARTY_TYPES) if has_type else ""
        found.append(Party(party_type, check.uri(raw[member], f"{here}/{member}") if has_id else ""))
    return tuple(found)


def biz_transactions(check: Checker, value: Any, at: str) -> tuple[BizTransaction, ...]:
    """Return a bizTransactionList."""
    found = []
    for index, item in enumerate(check.items(value, at)):
        here = f"{at}/{index}"
        raw = check.object(item, here)
        if not isinstance(item, dict):
            continue
        _closed(check, raw, frozenset({"type", "bizTransaction"}), here)
        has_id = _required(check, raw, "bizTransaction", here)
        transaction = check.uri(raw["bizTransaction"], f"{here}/bizTransaction") if has_id else ""
        words = vocabulary.BIZ_TRANSACTION_TYPES
        found.append(
            BizTransaction(transaction, check.word(raw["type"], f"{here}/type", words) if "type" in raw else "")
        )
    return tuple(found)


def persistent_disposition(check: Checker, value: Any, at: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the dispositions that are set and those that are unset."""
    raw = check.object(value, at)
    _closed(check, raw, frozenset({"set", "unset"}), at)
    if isinstance(value, dict) and not raw.keys() & {"set", "unset"}:
        check.add(at, "missing", "`set` or `unset` is required here.")
    return _dispositions(check, raw, "set", at), _dispositions(check, raw, "unset", at)


def _dispositions(check: Checker, raw: Mapping[str, Any], name: str, at: str) -> tuple[str, ...]:
    if name not in raw:
        return ()
    here = f"{at}/{name}"
    items = check.items(raw[name], here)
    if raw[name] == []:
        check.add(here, "empty", "This list must not be empty.", "Leave it out.")
    words = [check.word(item, f"{here}/{index}", vocabulary.DISPOSITIONS) for index, item in enumerate(items)]
    for index, word in enumerate(words):
        if word and word in words[:index]:
            check.add(
                f"{here}/{index}", "repeated", "The same disposition stands earlier in this list.", "Name it once."
            )
    return tuple(words)


def certification_info(check: Checker, value: Any, at: str) -> tuple[str, ...]:
    """Return one URI or a list of them as a tuple."""
    return check.uris(value, at) if isinstance(value, list) else (check.uri(value, at),)


def error_declaration(check: Checker, value: Any, at: str) -> ErrorDeclaration | None:
    """Return a declaration that an earlier event was wrong."""
    raw = check.object(value, at)
    if not isinstance(value, dict):
        return None
    check.extensions(raw, frozenset({"declarationTime", "reason", "correctiveEventIDs"}), at)
    declared = None
    if _required(check, raw, "declarationTime", at):
        declared = check.time(raw["declarationTime"], f"{at}/declarationTime")
    reason = check.word(raw["reason"], f"{at}/reason", vocabulary.ERROR_REASONS) if "reason" in raw else ""
    ids = raw.get("correctiveEventIDs")
    corrective = check.uris(ids, f"{at}/correctiveEventIDs") if "correctiveEventIDs" in raw else ()
    return None if declared is None else ErrorDeclaration(declared, reason, corrective)


def sensor_elements(check: Checker, value: Any, at: str) -> tuple[SensorElement, ...]:
    """Return a sensorElementList."""
    found = []
    for index, item in enumerate(check.items(value, at)):
        here = f"{at}/{index}"
        raw = check.object(item, here)
        if not isinstance(item, dict):
            continue
        check.extensions(raw, frozenset({"sensorMetadata", "sensorReport"}), here)
        metadata, times = raw.get("sensorMetadata", {}), dict.fromkeys(_METADATA_TIMES)
        if "sensorMetadata" in raw:
            times |= _metadata(check, metadata, f"{here}/sensorMetadata")
        reports: tuple[Report, ...] = ()
        if _required(check, raw, "sensorReport", here):
            reports = _reports(check, raw["sensorReport"], f"{here}/sensorReport")
        found.append(SensorElement(reports, metadata, times["time"], times["startTime"], times["endTime"]))
    return tuple(found)


def _metadata(check: Checker, value: Any, at: str) -> dict[str, dt.datetime | None]:
    raw = check.object(value, at)
    check.extensions(raw, _METADATA_TIMES | _METADATA_URIS, at)
    for name in sorted(_METADATA_URIS & raw.keys()):
        check.uri(raw[name], f"{at}/{name}")
    return {name: check.time(raw[name], f"{at}/{name}") for name in sorted(_METADATA_TIMES & raw.keys())}


def _reports(check: Checker, value: Any, at: str) -> tuple[Report, ...]:
    items = check.items(value, at)
    if value == []:
        check.add(at, "empty", "This list must not be empty.", "Leave the sensor element out.")
    return tuple(_report(check, item, f"{at}/{index}") for index, item in enumerate(items))


def _report(check: Checker, value: Any, at: str) -> Report:
    raw = check.object(value, at)
    if not isinstance(value, dict):
        return Report("")
    check.extensions(raw, _REPORT, at)
    for name in sorted(_REPORT_URIS & raw.keys()):
        check.uri(raw[name], f"{at}/{name}")
    for name in sorted(_REPORT_NUMBERS & raw.keys()):
        check.number(raw[name], f"{at}/{name}")
    others: dict[str, Callable[[Any, str], object]] = {
        "stringValue": check.text,
        "booleanValue": check.flag,
        "hexBinaryValue": check.hex_binary,
        "uom": check.text,
        "component": lambda item, here: check.word(item, here, vocabulary.COMPONENTS),
    }
    for name in sorted(others.keys() & raw.keys()):
        others[name](raw[name], f"{at}/{name}")
    has_type = _required(check, raw, "type", at)
    exception = raw.get("exception", "")
    return Report(
        type=check.word(raw["type"], f"{at}/type", vocabulary.MEASUREMENTS) if has_type else "",
        exception=check.word(exception, f"{at}/exception", vocabulary.ALERTS) if "exception" in raw else "",
        time=check.time(raw["time"], f"{at}/time") if "time" in raw else None,
        value=raw.get("value"),
        uom=raw.get("uom", ""),
        raw=raw,
    )
