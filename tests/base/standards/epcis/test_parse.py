"""What an EPCIS reader takes, and what it refuses: each refusal with its place and its code."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

import pytest

from parcelward.base.errors import Invalid
from parcelward.base.standards.epcis import checks, limits, parse
from parcelward.base.standards.epcis.event import Event, Party, Quantity, Refused

GS1 = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
ITEM = "https://id.gs1.org/8004/4012345RR123456785US"
SSCC = "urn:epc:id:sscc:4012345.0000000333"


def event(**changed: Any) -> dict[str, Any]:
    """A small valid ObjectEvent with some members changed; a member set to `...` is taken out."""
    raw: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventTime": "2026-03-01T14:05:30.250-05:00",
        "eventTimeZoneOffset": "-05:00",
        "action": "OBSERVE",
        "epcList": [ITEM],
        "bizStep": "departing",
    } | changed
    return {name: value for name, value in raw.items() if value is not ...}


def document(*events: Any, **changed: Any) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "@context": [GS1, {"example": "https://ns.example.com/epcis/"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-01T20:00:00Z",
        "epcisBody": {"eventList": list(events)},
    } | changed
    return {name: value for name, value in raw.items() if value is not ...}


def sensor(**changed: Any) -> dict[str, Any]:
    report = {"type": "Temperature", "value": 4.5, "uom": "CEL"} | changed
    return event(sensorElementList=[{"sensorReport": [{k: v for k, v in report.items() if v is not ...}]}])


AGGREGATION = event(type="AggregationEvent", action="ADD", epcList=..., parentID=SSCC, childEPCs=[ITEM])
ASSOCIATION = AGGREGATION | {"type": "AssociationEvent"}
TRANSACTION = event(type="TransactionEvent", action="ADD", bizTransactionList=[{"bizTransaction": "urn:x:1"}])
TRANSFORMATION = event(
    type="TransformationEvent", action=..., epcList=..., inputEPCList=["urn:x:1"], outputEPCList=["urn:x:2"]
)


def without(raw: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in raw.items() if name not in names}


REFUSED_EVENTS = [
    # when
    (event(eventTime=...), "/eventTime", "missing"),
    (event(eventTime=12), "/eventTime", "wrong_type"),
    (event(eventTime="2026-03-01"), "/eventTime", "bad_time"),
    (event(eventTime="2026-03-01T14:05:30"), "/eventTime", "bad_time"),
    (event(eventTime="2026-02-30T14:05:30Z"), "/eventTime", "bad_time"),
    (event(eventTime="2026-03-01T24:00:00Z"), "/eventTime", "bad_time"),
    (event(eventTime="2026-03-01T23:59:60Z"), "/eventTime", "bad_time"),
    (event(eventTime="2026-03-01 14:05:30Z"), "/eventTime", "bad_time"),
    (event(eventTime="0001-01-01T00:00:00+14:00"), "/eventTime", "bad_time"),
    (event(eventTime="٢٠٢٦-03-01T14:05:30Z"), "/eventTime", "bad_time"),
    (event(eventTimeZoneOffset=...), "/eventTimeZoneOffset", "missing"),
    (event(eventTimeZoneOffset="+1:00"), "/eventTimeZoneOffset", "bad_offset"),
    (event(eventTimeZoneOffset="Z"), "/eventTimeZoneOffset", "bad_offset"),
    (event(eventTimeZoneOffset="+14:01"), "/eventTimeZoneOffset", "bad_offset"),
    (event(recordTime="now"), "/recordTime", "bad_time"),
    # what
    (event(type="SomethingEvent"), "/type", "unknown_event_type"),
    (event(type=["ObjectEvent"]), "/type", "unknown_event_type"),
    (event(type=...), "/type", "missing"),
    (event(epcList=["no uri"]), "/epcList/0", "not_a_uri"),
    (event(epcList=[ITEM, "RR123456785US"]), "/epcList/1", "not_a_uri"),
    (event(epcList=[ITEM, ITEM]), "/epcList/1", "repeated"),
    (event(epcList=ITEM), "/epcList", "wrong_type"),
    (event(epcList=[None]), "/epcList/0", "wrong_type"),
    (event(epcList=["urn:x:" + "%zz"]), "/epcList/0", "not_a_uri"),
    (event(epcList=["http:///nohost"]), "/epcList/0", "not_a_uri"),
    (event(epcList=[]), "", "nothing_observed"),
    (event(epcList=...), "", "nothing_observed"),
    (event(epcList=[f"urn:x:{n}" for n in range(checks.LIST_ITEMS_MAX + 1)]), "/epcList", "too_many"),
    (event(parentID=SSCC), "/parentID", "unknown_field"),
    (event(quantityList=[{"quantity": 1}]), "/quantityList/0/epcClass", "missing"),
    (event(quantityList=[{"epcClass": "urn:x:1", "quantity": "1"}]), "/quantityList/0/quantity", "wrong_type"),
    (event(quantityList=[{"epcClass": "urn:x:1", "quantity": True}]), "/quantityList/0/quantity", "wrong_type"),
    (event(quantityList=[{"epcClass": "urn:x:1", "uom": "kilo"}]), "/quantityList/0/uom", "bad_uom"),
    (event(quantityList=[{"epcClass": "urn:x:1", "example:x": 1}]), "/quantityList/0/example:x", "unknown_field"),
    (event(quantityList=["urn:x:1"]), "/quantityList/0", "wrong_type"),
    (event(eventID="17"), "/eventID", "not_a_uri"),
    (event(ilmd={"example:lot": "1"}), "/ilmd", "ilmd_without_add"),
    (event(action="ADD", ilmd={"lot": "1"}), "/ilmd/lot", "unknown_field"),
    # why
    (event(action=...), "/action", "missing"),
    (event(action="MOVE"), "/action", "unknown_action"),
    (event(action=["ADD"]), "/action", "unknown_action"),
    (event(bizStep="foo"), "/bizStep", "unknown_business_step"),
    (event(bizStep="urn:epcglobal:cbv:bizstep:foo"), "/bizStep", "unknown_business_step"),
    (event(bizStep="https://ref.gs1.org/cbv/BizStep-foo"), "/bizStep", "unknown_business_step"),
    (event(bizStep=None), "/bizStep", "wrong_type"),
    (event(disposition="departing"), "/disposition", "unknown_disposition"),
    (event(persistentDisposition={}), "/persistentDisposition", "missing"),
    (event(persistentDisposition={"set": []}), "/persistentDisposition/set", "empty"),
    (event(persistentDisposition={"set": ["foo"]}), "/persistentDisposition/set/0", "unknown_disposition"),
    (
        event(persistentDisposition={"unset": ["damaged", "damaged"]}),
        "/persistentDisposition/unset/1",
        "repeated",
    ),
    (
        event(bizTransactionList=[{"type": "foo", "bizTransaction": "urn:x:1"}]),
        "/bizTransactionList/0/type",
        "unknown_business_transaction_type",
    ),
    (event(bizTransactionList=[{"type": "po"}]), "/bizTransactionList/0/bizTransaction", "missing"),
    (event(sourceList=[{"source": "urn:x:1"}]), "/sourceList/0/type", "missing"),
    (
        event(destinationList=[{"type": "party", "destination": "urn:x:1"}]),
        "/destinationList/0/type",
        "unknown_source_or_destination_type",
    ),
    (
        event(destinationList=[{"type": "location", "source": "urn:x:1"}]),
        "/destinationList/0/source",
        "unknown_field",
    ),
    (event(errorDeclaration={}), "/errorDeclaration/declarationTime", "missing"),
    (
        event(errorDeclaration={"declarationTime": "2026-03-01T14:05:30Z", "reason": "oops"}),
        "/errorDeclaration/reason",
        "unknown_error_reason",
    ),
    (
        event(errorDeclaration={"declarationTime": "2026-03-01T14:05:30Z", "correctiveEventIDs": ["1"]}),
        "/errorDeclaration/correctiveEventIDs/0",
        "not_a_uri",
    ),
    (event(certificationInfo=["urn:x:1", 2]), "/certificationInfo/1", "wrong_type"),
    # where
    (event(readPoint="urn:x:1"), "/readPoint", "wrong_type"),
    (event(readPoint={}), "/readPoint/id", "missing"),
    (event(bizLocation={"id": "dock 4"}), "/bizLocation/id", "not_a_uri"),
    (event(bizLocation={"id": "urn:x:1", "gate": "4"}), "/bizLocation/gate", "unknown_field"),
    # how
    (sensor(type=...), "/sensorElementList/0/sensorReport/0/type", "missing"),
    (sensor(type="Heat"), "/sensorElementList/0/sensorReport/0/type", "unknown_measurement_type"),
    (sensor(type="https://gs1.org/voc/Heat"), "/sensorElementList/0/sensorReport/0/type", "unknown_measurement_type"),
    (sensor(exception="ALARM"), "/sensorElementList/0/sensorReport/0/exception", "unknown_sensor_alert_type"),
    (sensor(component="w"), "/sensorElementList/0/sensorReport/0/component", "unknown_sensor_component"),
    (sensor(value="4.5"), "/sensorElementList/0/sensorReport/0/value", "wrong_type"),
    (sensor(booleanValue="true"), "/sensorElementList/0/sensorReport/0/booleanValue", "wrong_type"),
    (sensor(hexBinaryValue="0x1f"), "/sensorElementList/0/sensorReport/0/hexBinaryValue", "bad_hex"),
    (sensor(time="noon"), "/sensorElementList/0/sensorReport/0/time", "bad_time"),
    (sensor(deviceID="dev-1"), "/sensorElementList/0/sensorReport/0/deviceID", "not_a_uri"),
    (sensor(speed=1), "/sensorElementList/0/sensorReport/0/speed", "unknown_field"),
    (event(sensorElementList=[{}]), "/sensorElementList/0/sensorReport", "missing"),
    (event(sensorElementList=[{"sensorReport": []}]), "/sensorElementList/0/sensorReport", "empty"),
    (sensor() | {"epcList": []} | {"type": "TransactionEvent"}, "/bizTransactionList", "missing"),
    (without(sensor(), "epcList"), "/readPoint", "missing"),
    # extensions
    (event(myField="1"), "/myField", "unknown_field"),
    (event(**{"other:myField": "1"}), "/other:myField", "undeclared_prefix"),
    (event(**{"example:a": {"other:b/c": 1}}), "/example:a/other:b~1c", "undeclared_prefix"),
    (event(**{"example:": 1}), "/example:", "undeclared_prefix"),
    # the whole
    (without(AGGREGATION, "parentID"), "/parentID", "missing"),
    (without(AGGREGATION, "childEPCs"), "/childEPCs", "missing"),
    (TRANSFORMATION | {"inputEPCList": [ITEM, ITEM]}, "/inputEPCList/1", "repeated"),
    (AGGREGATION | {"ilmd": {}}, "/ilmd", "unknown_field"),
    (without(ASSOCIATION | {"action": "OBSERVE"}, "parentID"), "/parentID", "missing"),
    (TRANSACTION | {"bizTransactionList": []}, "/bizTransactionList", "empty"),
    (without(TRANSACTION, "epcList"), "/epcList", "missing"),
    (without(TRANSFORMATION, "inputEPCList"), "", "missing"),
    (TRANSFORMATION | {"action": "ADD"}, "/action", "unknown_field"),
]


@pytest.mark.parametrize(("raw", "place", "code"), REFUSED_EVENTS)
def test_a_bad_event_is_refused_with_its_place(raw: dict[str, Any], place: str, code: str) -> None:
    before = copy.deepcopy(raw)
    with pytest.raises(Refused) as refused:
        parse.read_document(document(raw))
    first = refused.value.problems[0]
    assert (first.pointer, first.code) == ("/epcisBody/eventList/0" + place, code)
    assert first.message
    assert isinstance(refused.value, Invalid)
    assert raw == before


REFUSED_ENVELOPES: list[tuple[Any, str, str]] = [
    (b"", "", "not_json"),
    (b"\xff\xfe", "", "not_json"),
    (b"[]", "", "not_an_object"),
    (b"<epcis/>", "", "not_json"),
    (b'{"a": NaN}', "", "not_json"),
    (b'{"a": 1e999}', "/a", "bad_number"),
    (b'{"a": 9007199254740993}', "/a", "bad_number"),
    (b'{"a": ' + b"9" * 5000 + b"}", "", "not_json"),
    (b'{"a": "\\ud800"}', "/a", "bad_character"),
    (b'{"a": "\\u0000"}', "/a", "bad_character"),
    (b'{"a":' * 30_000 + b"1" + b"}" * 30_000, "", "too_deep"),
    (b"[" * 200_000, "", "too_deep"),
    (b" " * (limits.DOCUMENT_BYTES_MAX + 1), "", "too_large"),
    ({"a": "x" * (limits.STRING_CHARS_MAX + 1)}, "/a", "too_long"),
    ({"a": {1: 2}}, "/a", "not_json"),
    ({"a": object()}, "/a", "not_json"),
    ({"type": "EPCISDocument"}, "/@context", "missing"),
    (document(event(), type="Letter"), "/type", "unknown_type"),
    (document(event(), type=["EPCISDocument"]), "/type", "unknown_type"),
    (document(event(), schemaVersion="1.2"), "/schemaVersion", "unsupported_version"),
    (document(event(), schemaVersion=2.0), "/schemaVersion", "unsupported_version"),
    (document(event(), schemaVersion=...), "/schemaVersion", "missing"),
    (document(event(), creationDate=...), "/creationDate", "missing"),
    (document(event(), creationDate="today"), "/creationDate", "bad_time"),
    (document(event(), epcisBody=...), "/epcisBody", "missing"),
    (document(event(), epcisBody=[]), "/epcisBody", "wrong_type"),
    (document(event(), epcisBody={}), "/epcisBody/eventList", "missing"),
    (document(event(), epcisBody={"eventList": {}}), "/epcisBody/eventList", "wrong_type"),
    (document(*[0] * (limits.EVENTS_MAX + 1)), "/epcisBody/eventList", "too_many"),
    (document(event(), extra=1), "/extra", "unknown_field"),
    (document(event(), **{"@context": "no url"}), "/@context", "not_a_uri"),
    (document(event(), **{"@context": [GS1, 7]}), "/@context/1", "wrong_type"),
    (document(event(), **{"@context": [{"example": "no url"}]}), "/@context/0/example", "not_a_uri"),
    (document(event(), **{"@context": [{f"p{n}": "urn:x:" for n in range(300)}]}), "/@context", "too_many"),
    (document(event(), **{"@context": [{"e": "urn:x:" + "a" * 300}]}), "/@context/0/e", "too_long"),
    (document(event(), **{"@context": [{"e": {"@id": 5}}]}), "/@context/0/e", "wrong_type"),
    (document(event(**{"example:a": [0] * limits.VALUES_MAX})), "", "too_many"),
    (document(type="EPCISQueryDocument", epcisBody={}), "/epcisBody/queryResults", "missing"),
    (
        document(type="EPCISQueryDocument", epcisBody={"queryResults": {"resultsBody": {"eventList": []}}}),
        "/epcisBody/queryResults/queryName",
        "missing",
    ),
    (
        document(type="EPCISQueryDocument", epcisBody={"queryResults": {"queryName": "q"}}),
        "/epcisBody/queryResults/resultsBody",
        "missing",
    ),
]


@pytest.mark.parametrize(("data", "place", "code"), REFUSED_ENVELOPES)
def test_a_bad_envelope_is_refused_whole(data: Any, place: str, code: str) -> None:
    for read in (parse.read_document, parse.read_events):
        with pytest.raises(Refused) as refused:
            read(data)
        places = {(problem.pointer, problem.code) for problem in refused.value.problems}
        assert (place, code) in places or (code == "too_deep" and {code} == {found for _, found in places})


def test_the_good_events_of_a_document_are_taken_and_the_bad_ones_named() -> None:
    results = parse.read_events(document(event(), event(bizStep="foo", epcList=["?"]), event(), "no event"))
    assert [type(result) for result in results] == [Event, Refused, Event, Refused]
    bad = results[1]
    assert isinstance(bad, Refused)
    assert {problem.pointer for problem in bad.problems} == {
        "/epcisBody/eventList/1/bizStep",
        "/epcisBody/eventList/1/epcList/0",
    }


def test_the_problems_of_one_event_are_bounded() -> None:
    result = parse.read_events(document(event(epcList=["?"] * 9000)))[0]
    assert isinstance(result, Refused)
    assert len(result.problems) == checks.PROBLEMS_MAX


def test_a_refusal_repeats_nothing_of_what_was_sent() -> None:
    secret = "Jane Roe, 1 Main Street"
    with pytest.raises(Refused) as refused:
        parse.read_document(document(event(bizStep=secret, epcList=[secret], eventTime=secret)))
    assert secret not in str(refused.value) + repr(refused.value.problems)


def test_one_event_alone_is_a_message() -> None:
    read = parse.read_document(json.dumps(event(**{"@context": [GS1]})).encode())
    assert (read.type, len(read.events)) == ("ObjectEvent", 1)
    with pytest.raises(Refused) as refused:
        parse.read_document(event(bizStep="foo", **{"@context": GS1}))
    assert refused.value.problems[0].pointer == "/bizStep"


def test_an_event_is_read_into_values() -> None:
    raw = event(
        bizStep="urn:epcglobal:cbv:bizstep:receiving",
        disposition="https://ref.gs1.org/cbv/Disp-in_transit",
        eventID="urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8",
        readPoint={"id": "urn:epc:id:sgln:4012345.00011.987", "example:gate": "4"},
        quantityList=[{"epcClass": "urn:x:1", "quantity": 2, "uom": "KGM"}],
        sourceList=[{"type": "cbv:SDT-possessing_party", "source": "urn:x:2"}],
        certificationInfo="urn:x:3",
        **{"example:seal": {"example:number": "S1"}},
    )
    (read,) = parse.read_document(document(raw)).events
    assert read.event_time == dt.datetime(2026, 3, 1, 19, 5, 30, 250_000, tzinfo=dt.UTC)
    assert (read.event_time_text, read.event_time_zone_offset) == ("2026-03-01T14:05:30.250-05:00", "-05:00")
    assert (read.biz_step, read.disposition, read.action) == ("receiving", "in_transit", "OBSERVE")
    assert read.read_point == "urn:epc:id:sgln:4012345.00011.987"
    assert (read.epcs, read.quantities) == ((ITEM,), (Quantity("urn:x:1", 2, "KGM"),))
    assert read.source_list == (Party("possessing_party", "urn:x:2"),)
    assert (read.source("possessing_party"), read.destination("location")) == ("urn:x:2", "")
    assert read.certification_info == ("urn:x:3",)
    assert read.extensions == {"https://ns.example.com/epcis/seal": {"example:number": "S1"}}
    assert read.raw == raw


def test_each_event_type_is_read() -> None:
    read = parse.read_document(document(AGGREGATION, ASSOCIATION, TRANSACTION, TRANSFORMATION)).events
    assert [item.type[:-5] for item in read] == ["Aggregation", "Association", "Transaction", "Transformation"]
    assert (read[0].parent_id, read[0].child_epcs, read[0].epcs) == (SSCC, (ITEM,), (SSCC, ITEM))
    assert read[3].input_epc_list + read[3].output_epc_list == ("urn:x:1", "urn:x:2")


def test_a_uri_of_ones_own_is_a_good_word() -> None:
    (read,) = parse.read_document(document(event(bizStep="example:weighing"))).events
    assert read.biz_step == "https://ns.example.com/epcis/weighing"


def test_an_event_may_declare_prefixes_of_its_own() -> None:
    own = event(**{"@context": {"mine": "https://mine.example/"}, "mine:field": 1})
    (read,) = parse.read_document(document(own)).events
    assert read.extensions == {"https://mine.example/field": 1}
    with pytest.raises(Refused):
        parse.read_document(document(own, event(**{"mine:field": 1})))


def test_nobody_redefines_gs1s_prefixes() -> None:
    hostile = {"@context": [GS1, {"cbv": "https://evil.example/"}]}
    (read,) = parse.read_document(document(event(bizStep="cbv:BizStep-receiving"), **hostile)).events
    assert read.biz_step == "receiving"


def test_the_deepest_message_allowed_is_read_and_one_deeper_is_not() -> None:
    def nested(depth: int) -> dict[str, Any]:
        inner: Any = 1
        for _ in range(depth):
            inner = {"example:a": inner}
        return document(event(**{"example:deep": inner}))

    room = limits.DEPTH_MAX - 4  # document, body, list, event
    parse.read_document(nested(room))
    with pytest.raises(Refused):
        parse.read_document(nested(room + 1))


def test_events_can_be_told_apart_and_gathered() -> None:
    one, same, other = parse.read_document(document(event(), event(), event(action="DELETE"))).events
    assert {one, same, other} == {one, other}
