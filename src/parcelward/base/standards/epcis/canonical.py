"""When two EPCIS events or documents mean the same, however they were written.

The canonical form is a JSON value: extension names are full URIs, CBV words are bare, identifiers are canonical Digital
Links, times are UTC, lists have no order (JSON-LD 1.1 section 4.3), an empty one says nothing, one value equals a list
of one. Unlike the event hash id it keeps every difference of content: texts are no numbers, and the event id
counts.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from parcelward.base.standards.epcis import identifiers, vocabulary
from parcelward.base.standards.epcis.checks import read_time
from parcelward.base.standards.epcis.context import Context
from parcelward.base.standards.epcis.event import Document, Event
from parcelward.base.standards.epcis.vocabulary import Words

_TIMES: Final = frozenset(
    {"eventTime", "recordTime", "declarationTime", "time", "startTime", "endTime", "creationDate"}
)
_IDENTIFIERS: Final = frozenset(
    {"epcList", "childEPCs", "inputEPCList", "outputEPCList", "parentID", "epcClass", "id", "source", "destination"}
    | {"bizTransaction", "transformationID", "deviceID"}
)
_WORDS: Final[Mapping[str, Words]] = {
    "bizStep": vocabulary.BIZ_STEPS,
    "disposition": vocabulary.DISPOSITIONS,
    "set": vocabulary.DISPOSITIONS,
    "unset": vocabulary.DISPOSITIONS,
    "reason": vocabulary.ERROR_REASONS,
    "exception": vocabulary.ALERTS,
    "component": vocabulary.COMPONENTS,
}
_TYPES: Final[Mapping[str, Words]] = {
    "bizTransactionList": vocabulary.BIZ_TRANSACTION_TYPES,
    "sourceList": vocabulary.PARTY_TYPES,
    "destinationList": vocabulary.PARTY_TYPES,
    "sensorReport": vocabulary.MEASUREMENTS,
}
_ENVELOPE: Final = frozenset({"@context", "epcisBody"})


def event_value(event: Event, *, declaration: bool = True) -> dict[str, Any]:
    """Return the canonical form of an event without its recordTime, which belongs to whoever stored it.

    `declaration` False leaves the errorDeclaration out too: an event that declares another one wrong repeats it under
    the same id (EPCIS 2.0 section 7.4.1.2), and is compared with it so.
    """
    left_out = {"@context", "recordTime"} if declaration else {"@context", "recordTime", "errorDeclaration"}
    raw = {name: value for name, value in event.raw.items() if name not in left_out}
    value: dict[str, Any] = _value(raw, event.context, "") or {}
    return value


def document_value(document: Document) -> dict[str, Any]:
    """Return the canonical form of a document: its envelope, and its events in no order."""
    envelope = {name: value for name, value in document.raw.items() if name not in _ENVELOPE}
    if document.type in vocabulary.EVENT_TYPES:
        envelope = {"type": document.type}
    value: dict[str, Any] = _value(envelope, document.context, "") or {}
    value["queryName"], value["subscriptionID"] = document.query_name, document.subscription_id
    value["events"] = sorted((event_value(event) for event in document.events), key=text)
    return value


def same_event(one: Event, other: Event) -> bool:
    """Whether two events mean the same."""
    return event_value(one) == event_value(other)


def same_document(one: Document, other: Document) -> bool:
    """Whether two documents mean the same: equal envelopes, and the same events the same number of times."""
    return document_value(one) == document_value(other)


def fingerprint(event: Event, *, declaration: bool = True) -> str:
    """Return 64 hex digits that are equal for two events exactly when they mean the same (SHA-256 of the form).

    A second capture with a known event id and another fingerprint is another content under an old name.
    """
    return hashlib.sha256(text(event_value(event, declaration=declaration)).encode()).hexdigest()


def text(value: Any) -> str:
    """Return a canonical value as one text, for order and for hashing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _value(value: Any, context: Context, name: str, within: str = "") -> Any:
    """Return the canonical form of what stands under `name` (empty inside extensions) in the list `within`."""
    if isinstance(value, dict):
        return _object(value, context, within or name)
    if isinstance(value, list):
        items = [_value(item, context, name, within=name) for item in value]
        plain = {item for item in items if isinstance(item, str)}  # a text twice in a set is there once
        items = sorted([*plain, *(item for item in items if item is not None and not isinstance(item, str))], key=text)
        return items if len(items) > 1 else next(iter(items), None)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _text(value, context, name) if isinstance(value, str) else value


def _object(value: dict[str, Any], context: Context, name: str) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    for key, inner in value.items():
        full = context.expand(key)
        canonical = _value(inner, context, f"{name}/type" if key == "type" and name in _TYPES else full)
        if canonical is not None:
            found[full] = canonical
    return found or None


def _text(value: str, context: Context, name: str) -> str:
    if name in _TIMES:
        time = read_time(value)
        return value if time is None else time.astimezone(dt.UTC).isoformat()
    words = _WORDS.get(name) or _TYPES.get(name.removesuffix("/type"))
    if words is not None:
        return vocabulary.short(context.expand(value), words)
    return identifiers.canonical(value) if name in _IDENTIFIERS else value
