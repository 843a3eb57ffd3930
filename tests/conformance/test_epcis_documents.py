"""GS1's own example documents, schema and query schema, where they lie beside the checkout."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests import shared_data

from parcelward.base.standards.epcis import canonical, parse, vocabulary, write
from parcelward.base.standards.epcis.event import (
    BizTransaction,
    ErrorDeclaration,
    Event,
    Party,
    Quantity,
    Refused,
    Report,
    SensorElement,
)

pytestmark = pytest.mark.shared

SEEN = dt.datetime(2026, 3, 1, 14, 5, 30, 250_000, tzinfo=dt.timezone(dt.timedelta(hours=-5)))


def _examples() -> list[Path]:
    return sorted(shared_data.path("epcis/gs1-EPCIS/JSON").rglob("*.jsonld"))


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft7Validator:
    found = json.loads(shared_data.path("epcis/gs1-EPCIS/EPCIS-JSON-Schema.json").read_bytes())
    formats = jsonschema.Draft7Validator.FORMAT_CHECKER
    assert {"uri", "date-time"} <= set(formats.checkers), "format checking needs jsonschema[format-nongpl]"
    return jsonschema.Draft7Validator(found, format_checker=formats)


def _wrong(schema: jsonschema.Draft7Validator, value: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message[:120]}" for error in schema.iter_errors(value)]


def test_all_47_examples_are_accepted_whole() -> None:
    documents = [parse.read_document(path.read_bytes()) for path in _examples()]
    assert len(documents) == 47
    assert sum(len(document.events) for document in documents) == 56


def test_all_47_examples_come_back_equal_in_meaning(schema: jsonschema.Draft7Validator) -> None:
    for path in _examples():
        document = parse.read_document(path.read_bytes())
        created = document.creation_date
        assert created is not None
        if document.type == "EPCISQueryDocument":
            ids = document.query_name, document.subscription_id
            written = write.query_document(document.events, created=created, query_name=ids[0], subscription_id=ids[1])
        else:
            raw = document.raw
            who = {name: raw.get(name, "") for name in ("sender", "receiver")}
            written = write.document(document.events, created=created, document_id=raw.get("id", ""), **who)
        back = parse.read_document(json.dumps(written).encode())
        assert [canonical.event_value(event) for event in back.events] == [
            canonical.event_value(event) for event in document.events
        ], path.name
        assert [dict(event.raw) for event in back.events] == [dict(event.raw) for event in document.events], path.name
        assert _wrong(schema, written) == [], path.name
        # What our writer has no argument for is the exchange's business, not the events'.
        lost = {"instanceIdentifier", "id"} & document.raw.keys()
        if not lost:
            assert canonical.same_document(document, back), path.name


def test_an_example_with_one_changed_value_is_not_equal() -> None:
    for path in _examples():
        document = parse.read_document(path.read_bytes())
        changed = json.loads(json.dumps(document.raw))
        body = changed["epcisBody"]
        events = body["eventList"] if "eventList" in body else body["queryResults"]["resultsBody"]["eventList"]
        events[0]["eventTimeZoneOffset"] = "+09:30"
        assert not canonical.same_document(document, parse.read_document(changed)), path.name


def _our_events() -> list[Event]:
    item, bag = "https://id.gs1.org/8004/4012345RR123456785US", "urn:epc:id:sscc:4012345.0000000333"
    sensors = SensorElement(
        (Report("Temperature", value=4.5, uom="CEL"), Report("Speed", exception="ALARM_CONDITION", time=SEEN)),
        {"deviceID": "urn:epc:id:giai:4000001.111"},
        time=SEEN,
    )
    everything: write.Details = {
        "event_id": "urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8",
        "biz_step": "urn:epcglobal:cbv:bizstep:receiving",
        "disposition": "in_progress",
        "read_point": "urn:epc:id:sgln:4012345.00011.987",
        "biz_location": "https://id.gs1.org/414/4012345000115",
        "biz_transactions": [BizTransaction("urn:epcglobal:cbv:bt:4012345000009:4711", "po")],
        "sources": [Party("possessing_party", "urn:epc:id:pgln:4012345.00000")],
        "destinations": [Party("https://ref.gs1.org/cbv/SDT-possessing_party", "urn:epc:id:pgln:0614141.00000")],
        "sensor_elements": [sensors],
        "certification_info": ["https://certificates.example/1"],
        "extensions": {"https://parcelward.example/epcis/seal": {"https://parcelward.example/epcis/number": "S1"}},
    }
    declared = ErrorDeclaration(SEEN, "incorrect_data", ("urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8",))
    damaged: Any = {"persistent_set": ["damaged"]}
    aggregation: Any = {name: value for name, value in everything.items() if name != "biz_transactions"}
    return [
        write.object_event(event_time=SEEN, action="OBSERVE", epcs=[item], biz_step="departing"),
        write.object_event(event_time=SEEN, action="ADD", epcs=[item], **everything, **damaged),
        write.object_event(event_time=SEEN, action="DELETE", epcs=[item], error_declaration=declared),
        write.aggregation_event(event_time=SEEN, action="ADD", parent_id=bag, child_epcs=[item], **aggregation),
        write.aggregation_event(event_time=SEEN, action="DELETE", parent_id=bag),
        write.aggregation_event(
            event_time=SEEN.astimezone(dt.UTC),
            action="OBSERVE",
            child_quantities=[Quantity("urn:epc:class:lgtin:4012345.012345.Lot987", 3.5, "KGM")],
        ),
        write.transaction_event(event_time=SEEN, action="ADD", epcs=[item], **everything),
    ]


def test_what_we_write_meets_gs1s_schema(schema: jsonschema.Draft7Validator) -> None:
    events = _our_events()
    kept = [write.stored(event, record_time=SEEN, event_id="urn:uuid:0") for event in events]
    for written in (write.document(events, created=SEEN), write.query_document(kept, created=SEEN)):
        assert _wrong(schema, written) == []
        assert len(parse.read_document(written).events) == len(events)
    for event in events:
        assert _wrong(schema, {"@context": list(event.context.raw), **event.raw}) == []


def test_the_schema_check_itself_sees_a_bad_time_and_a_bad_uri(schema: jsonschema.Draft7Validator) -> None:
    written = write.document(_our_events()[:1], created=SEEN)
    written["epcisBody"]["eventList"][0]["eventTime"] = "yesterday"
    written["epcisBody"]["eventList"][0]["epcList"] = ["no uri"]
    assert _wrong(schema, written) != []


def test_our_word_lists_are_gs1s() -> None:
    definitions = json.loads(shared_data.path("epcis/gs1-EPCIS/EPCIS-JSON-Schema.json").read_bytes())["definitions"]
    ours = {
        "bizStep": vocabulary.BIZ_STEPS,
        "disposition": vocabulary.DISPOSITIONS,
        "bizTransaction-type": vocabulary.BIZ_TRANSACTION_TYPES,
        "source-dest-type": vocabulary.PARTY_TYPES,
        "error-reason": vocabulary.ERROR_REASONS,
        "measurementType": vocabulary.MEASUREMENTS,
        "sensorAlertType": vocabulary.ALERTS,
        "component": vocabulary.COMPONENTS,
    }
    for name, words in ours.items():
        assert words.words == set(definitions[name]["anyOf"][1]["enum"]), name


def test_our_prefixes_are_those_of_gs1s_context() -> None:
    context = json.loads(shared_data.path("epcis/gs1-EPCIS/epcis-context.jsonld").read_bytes())["@context"]
    theirs = {name: uri for name, uri in context.items() if isinstance(uri, str) and uri.startswith(("http", "urn"))}
    assert dict(vocabulary.PREFIXES) == theirs


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in an event except its context."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at] * bool(at) + [place for key, item in inner if key != "@context" for place in _places(item, (*at, key))]


def _with(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    copy = json.loads(json.dumps(value))
    holder = copy
    for step in place[:-1]:
        holder = holder[step]
    if other is GONE:
        del holder[place[-1]]
    else:
        holder[place[-1]] = other
    return copy


GONE = object()
NONSENSE: tuple[Any, ...] = (
    GONE,
    "foo",
    "",
    12,
    -1.5,
    True,
    None,
    [],
    {},
    {"foo": 1},
    ["foo"],
    "2026-02-30T00:00:00Z",
    "urn:a b",
)


@pytest.mark.slow
def test_whatever_gs1s_schema_refuses_we_refuse(schema: jsonschema.Draft7Validator) -> None:
    """Put nonsense at each place of six rich examples in turn: what the schema then refuses, we must refuse too."""
    names = ["aggregation", "association", "object", "transaction", "transformation"]
    folder = shared_data.path("epcis/gs1-EPCIS/JSON/WithFullCombinationOfFields")
    compared, missed = 0, []
    for name in names:
        event = parse.read_document((folder / f"{name}_event_all_possible_fields.jsonld").read_bytes()).events[0]
        whole = {"@context": list(event.context.raw), **event.raw}
        places = [place for place in _places(whole) if not any(":" in str(step) for step in place[:-1])]
        for place in places:
            few = place == ("type",) or ":" in str(place[-1])  # other types and extensions are judged elsewhere
            for nonsense in NONSENSE[:1] if few else NONSENSE:
                changed = _with(whole, place, nonsense)
                compared += 1
                if _accepted(changed) and _wrong(schema, changed):
                    missed.append((name, place, nonsense, _wrong(schema, changed)[:1]))
    assert compared > 2000
    assert missed == []


def _accepted(raw: dict[str, Any]) -> bool:
    try:
        parse.read_document(raw)
    except Refused:
        return False
    return True
