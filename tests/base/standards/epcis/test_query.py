"""Queries: what is understood, what is refused by name, and which events answer."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from parcelward.base.standards.epcis import parse
from parcelward.base.standards.epcis.context import of
from parcelward.base.standards.epcis.event import Event, Refused
from parcelward.base.standards.epcis.match import matches, order_value
from parcelward.base.standards.epcis.query import CONDITIONS_MAX, PER_PAGE, VALUES_MAX, Query, read_query

CONTEXT = of([{"example": "https://ns.example.com/epcis/"}])
SSCC = "urn:epc:id:sscc:4012345.0000000333"
PLACE = "urn:epc:id:sgln:4012345.00005.0"
BAG = "https://id.gs1.org/00/040123450000001112"


def _event(**fields: Any) -> Event:
    head = {"eventTime": "2026-03-01T14:00:00-05:00", "eventTimeZoneOffset": "-05:00"}
    return parse.read_event(head | fields, CONTEXT)


RICH = _event(
    type="ObjectEvent",
    action="ADD",
    eventID="urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8",
    bizStep="receiving",
    disposition="in_progress",
    persistentDisposition={"set": ["damaged"], "unset": ["conformant"]},
    epcList=[SSCC],
    quantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.012345.L1", "quantity": 20, "uom": "KGM"}],
    readPoint={"id": PLACE, "example:gate": "4"},
    bizLocation={"id": "https://id.gs1.org/414/4012345000115"},
    bizTransactionList=[{"type": "po", "bizTransaction": "urn:x:po1"}, {"bizTransaction": "urn:x:any"}],
    sourceList=[{"type": "possessing_party", "source": "urn:x:giver"}],
    destinationList=[{"type": "possessing_party", "destination": "urn:x:taker"}],
    ilmd={"example:lot": {"example:number": 7}},
    sensorElementList=[
        {
            "sensorMetadata": {"deviceID": "urn:x:dev", "startTime": "2026-03-01T10:00:00Z", "example:rack": "r1"},
            "sensorReport": [
                {"type": "Temperature", "value": 4.5, "uom": "CEL", "maxValue": 6, "stringValue": "ok"},
                {"type": "Speed", "value": 90, "uom": "KMH", "booleanValue": True},
            ],
        }
    ],
    errorDeclaration={
        "declarationTime": "2026-03-02T00:00:00Z",
        "reason": "incorrect_data",
        "correctiveEventIDs": ["urn:x:new"],
        "example:by": "desk",
    },
    **{
        "example:seal": "S1",
        "example:weight": 3.5,
        "example:tags": ["red", "blue"],
        "example:checked": "2026-03-01T12:00:00Z",
        "example:box": {"example:inside": [{"example:depth": "12"}]},
    },
)
LOADED = _event(type="AggregationEvent", action="ADD", parentID=BAG, childEPCs=[SSCC], bizStep="loading")
MADE = _event(
    type="TransformationEvent",
    transformationID="urn:x:t1",
    inputEPCList=["urn:x:in"],
    outputQuantityList=[{"epcClass": "urn:x:class", "quantity": 1}],
)

ANSWERS: list[tuple[dict[str, Any], str]] = [
    ({}, "rlm"),
    ({"eventType": "ObjectEvent"}, "r"),
    ({"eventType": ["AggregationEvent", "TransformationEvent"]}, "lm"),
    ({"GE_eventTime": "2026-03-01T19:00:00Z"}, "rlm"),
    ({"LT_eventTime": "2026-03-01T19:00:00Z"}, ""),
    ({"LT_eventTime": "2026-03-01T19:00:00.001Z"}, "rlm"),
    ({"GE_recordTime": "2026-03-01T20:00:00Z"}, "rlm"),
    ({"LT_recordTime": "2026-03-01T20:00:00Z"}, ""),
    ({"EQ_action": "ADD"}, "rl"),
    ({"EQ_action": "OBSERVE|DELETE"}, ""),
    ({"EQ_bizStep": "receiving|loading"}, "rl"),
    ({"EQ_bizStep": ["urn:epcglobal:cbv:bizstep:receiving"]}, "r"),
    ({"EQ_bizStep": "https://ref.gs1.org/cbv/BizStep-loading"}, "l"),
    ({"EQ_disposition": "in_progress"}, "r"),
    ({"EQ_persistentDisposition_set": "damaged"}, "r"),
    ({"EQ_persistentDisposition_unset": "damaged"}, ""),
    ({"EQ_readPoint": "https://id.gs1.org/414/4012345000054"}, "r"),
    ({"WD_readPoint": "urn:x:region"}, "r"),
    ({"WD_readPoint": PLACE}, "r"),
    ({"WD_bizLocation": "urn:x:region"}, ""),
    ({"EQ_bizLocation": "urn:epc:id:sgln:4012345.00011.0"}, "r"),
    ({"EQ_bizTransaction_po": "urn:x:po1"}, "r"),
    ({"EQ_bizTransaction_po": "urn:x:any"}, ""),
    ({"EQ_source_possessing_party": "urn:x:giver|urn:x:other"}, "r"),
    ({"EQ_destination_possessing_party": "urn:x:giver"}, ""),
    ({"EQ_destination_possessing_party": "urn:x:taker"}, "r"),
    ({"EQ_transformationID": "urn:x:t1"}, "m"),
    ({"MATCH_epc": SSCC}, "rl"),
    ({"MATCH_epc": "https://id.gs1.org/00/040123450000003338"}, "rl"),
    ({"MATCH_epc": BAG}, ""),
    ({"MATCH_epc": "urn:epc:idpat:sscc:4012345.*"}, "rl"),
    ({"MATCH_epc": "urn:epc:idpat:sscc:4012346.*"}, ""),
    ({"MATCH_parentID": "urn:epc:id:sscc:4012345.0000000111"}, "l"),
    ({"MATCH_anyEPC": BAG}, "l"),
    ({"MATCH_anyEPC": ["urn:x:in", SSCC]}, "rlm"),
    ({"MATCH_inputEPC": "urn:x:in"}, "m"),
    ({"MATCH_outputEPC": "urn:x:in"}, ""),
    ({"MATCH_epcClass": "https://id.gs1.org/01/04012345123456/10/L1"}, "r"),
    ({"MATCH_inputEPCClass": "urn:x:class"}, ""),
    ({"MATCH_outputEPCClass": "urn:x:class"}, "m"),
    ({"MATCH_anyEPCClass": "urn:x:class"}, "m"),
    ({"EQ_quantity": "20"}, "r"),
    ({"EQ_quantity": [20, 1]}, "rm"),
    ({"GT_quantity": 20}, ""),
    ({"GE_quantity": 20}, "r"),
    ({"LT_quantity": "1.5"}, "m"),
    ({"LE_quantity_KGM": 20}, "r"),
    ({"EQ_quantity_GRM": 20}, ""),
    ({"EQ_eventID": "urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8"}, "r"),
    ({"EXISTS_errorDeclaration": "true"}, "r"),
    ({"EXISTS_errorDeclaration": False}, "rlm"),
    ({"GE_errorDeclarationTime": "2026-03-02T00:00:00Z"}, "r"),
    ({"LT_errorDeclaration_Time": "2026-03-02T00:00:00Z"}, ""),
    ({"EQ_errorReason": "incorrect_data"}, "r"),
    ({"EQ_correctiveEventID": "urn:x:new"}, "r"),
    ({"EXISTS_sensorElementList": None}, "r"),
    ({"EQ_type": "Temperature"}, "r"),
    ({"EQ_type": "gs1:Pressure"}, ""),
    ({"EQ_deviceID": "urn:x:dev"}, "r"),
    ({"GE_startTime": "2026-03-01T10:00:00Z"}, "r"),
    ({"LT_endTime": "2027-03-01T10:00:00Z"}, ""),
    ({"EQ_stringValue": "ok"}, "r"),
    ({"EQ_booleanValue": "true"}, "r"),
    ({"EQ_booleanValue": False}, ""),
    ({"EQ_value_CEL": [4.5]}, "r"),
    ({"GT_value_CEL": 4.5}, ""),
    ({"GT_value_KMH": 4.5}, "r"),
    ({"LE_maxValue_CEL": 6}, "r"),
    ({"EQ_example:seal": "S1|S2"}, "r"),
    ({"EQ_https://ns.example.com/epcis/seal": "S1"}, "r"),
    ({"EQ_example:tags": "blue"}, "r"),
    ({"EQ_example:weight": "3.5"}, "r"),
    ({"GT_example:weight": 3}, "r"),
    ({"LT_example:weight": "3"}, ""),
    ({"GE_example:checked": "2026-03-01T13:00:00+01:00"}, "r"),
    ({"EQ_example:depth": "12"}, ""),
    ({"EQ_INNER_example:depth": "12"}, "r"),
    ({"EQ_INNER_example:seal": "S1"}, ""),
    ({"EXISTS_INNER_example:inside": "true"}, "r"),
    ({"EXISTS_example:box": True}, "r"),
    ({"EXISTS_example:nothing": True}, ""),
    ({"EXISTS_ILMD_example:lot": True}, "r"),
    ({"EQ_INNER_ILMD_example:number": 7}, "r"),
    ({"EQ_ERROR_DECLARATION_example:by": "desk"}, "r"),
    ({"EQ_readPoint_example:gate": "4"}, "r"),
    ({"EQ_SENSORMETADATA_example:rack": "r1"}, "r"),
    ({"EQ_SENSORREPORT_example:rack": "r1"}, ""),
    ({"EQ_action": "ADD", "EQ_bizStep": "loading", "MATCH_epc": SSCC}, "l"),
]


@pytest.mark.parametrize(("parameters", "expected"), ANSWERS)
def test_which_events_answer(parameters: dict[str, Any], expected: str) -> None:
    query = read_query(parameters, CONTEXT)
    recorded = dt.datetime(2026, 3, 1, 20, tzinfo=dt.UTC)
    containers = {"https://id.gs1.org/414/4012345000054": frozenset({"urn:x:building", "urn:x:region"})}
    events = {"r": RICH, "l": LOADED, "m": MADE}
    found = [
        name for name, event in events.items() if matches(query, event, record_time=recorded, containers=containers)
    ]
    assert "".join(found) == expected


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"EQ_color": "red"}, "/EQ_color", "unknown_parameter"),
    ({"eventtype": "ObjectEvent"}, "/eventtype", "unknown_parameter"),
    ({"GT_eventTime": "2026-03-01T14:00:00Z"}, "/GT_eventTime", "unknown_parameter"),
    ({"MATCH_color": SSCC}, "/MATCH_color", "unknown_parameter"),
    ({"": "1"}, "/", "unknown_parameter"),
    ({"HASATTR_bizLocation": "x"}, "/HASATTR_bizLocation", "not_supported"),
    ({"EQ_other:seal": "S1"}, "/EQ_other:seal", "undeclared_prefix"),
    ({"GE_eventTime": "yesterday"}, "/GE_eventTime", "bad_time"),
    ({"GE_eventTime": ["2026-03-01T14:00:00Z"]}, "/GE_eventTime", "wrong_type"),
    ({"eventType": ["ObjectEvent", "X"]}, "/eventType/1", "unknown_value"),
    ({"EQ_action": []}, "/EQ_action", "empty"),
    ({"EQ_action": "add"}, "/EQ_action", "unknown_value"),
    ({"EQ_bizStep": "foo"}, "/EQ_bizStep", "unknown_business_step"),
    ({"EQ_source_party": "urn:x:1"}, "/EQ_source_party", "unknown_source_or_destination_type"),
    ({"MATCH_epc": "RR123456785US"}, "/MATCH_epc", "not_a_uri"),
    ({"MATCH_epc": [SSCC] * (VALUES_MAX + 1)}, "/MATCH_epc", "too_many"),
    ({"MATCH_epc": "urn:x:" + "a" * 3000}, "/MATCH_epc", "too_long"),
    ({f"EQ_example:f{n}": "1" for n in range(CONDITIONS_MAX + 1)}, "", "too_many"),
    ({"GT_quantity": "many"}, "/GT_quantity", "bad_number"),
    ({"GT_quantity": "inf"}, "/GT_quantity", "wrong_type"),
    ({"EQ_quantity": [True]}, "/EQ_quantity/0", "wrong_type"),
    ({"EXISTS_errorDeclaration": "maybe"}, "/EXISTS_errorDeclaration", "wrong_type"),
    ({"orderBy": "bizStep"}, "/orderBy", "unknown_value"),
    ({"orderDirection": "down"}, "/orderDirection", "unknown_value"),
    ({"eventCountLimit": 5}, "/eventCountLimit", "missing"),
    ({"eventCountLimit": 5, "maxEventCount": 5, "orderBy": "eventTime"}, "/maxEventCount", "exclusive"),
    ({"maxEventCount": 0}, "/maxEventCount", "bad_number"),
    ({"perPage": "a lot"}, "/perPage", "bad_number"),
    ({"perPage": 10**9}, "/perPage", "bad_number"),
    ({"nextPageToken": 5}, "/nextPageToken", "wrong_type"),
    ({"@context": [5]}, "/@context/0", "wrong_type"),
]


@pytest.mark.parametrize(("parameters", "place", "code"), REFUSED)
def test_a_bad_parameter_is_refused_by_name(parameters: dict[str, Any], place: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_query(parameters, CONTEXT)
    assert (place, code) in {(problem.pointer, problem.code) for problem in refused.value.problems}


def test_all_bad_parameters_are_named_at_once() -> None:
    with pytest.raises(Refused) as refused:
        read_query({"EQ_color": "red", "GE_eventTime": "x", "perPage": -1})
    assert {problem.pointer for problem in refused.value.problems} == {"/EQ_color", "/GE_eventTime", "/perPage"}


def test_order_and_bounds_are_read() -> None:
    query = read_query({"orderBy": "recordTime", "orderDirection": "ASC", "eventCountLimit": "5", "perPage": "10"})
    assert (query.order_by, query.descending, query.event_count_limit, query.per_page) == ("recordTime", False, 5, 10)
    assert read_query({}) == Query()
    assert (Query().descending, Query().per_page) == (True, PER_PAGE)
    recorded = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    assert order_value(query, RICH, record_time=recorded) == recorded
    assert order_value(read_query({"orderBy": "example:weight"}, CONTEXT), RICH) == 3.5
    assert order_value(read_query({"orderBy": "example:weight"}, CONTEXT), LOADED) is None


def test_values_for_narrowing_in_a_database() -> None:
    query = read_query({"EQ_bizStep": "receiving|loading", "GE_eventTime": "2026-03-01T14:00:00Z"})
    assert query.values("EQ_bizStep") == ("receiving", "loading")
    assert query.values("GE_eventTime") == (dt.datetime(2026, 3, 1, 14, tzinfo=dt.UTC),)
    assert query.values("LT_eventTime") == ()


def test_a_query_body_declares_its_prefixes() -> None:
    query = read_query({"@context": {"mine": "https://ns.example.com/epcis/"}, "EQ_mine:seal": ["S1"]})
    assert matches(query, RICH)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("urn:epc:idpat:sgtin:4012345.011111.*", True),
        ("urn:epc:idpat:sgtin:4012345.*.*", True),
        ("urn:epc:idpat:sgtin:*.*.*", True),
        ("urn:epc:idpat:sgtin:4012345.011112.*", False),
        ("urn:epc:idpat:sgtin:4012345.01111.*", False),
        ("urn:epc:idpat:sscc:4012345.*", False),
        ("urn:epc:idpat:sgtin:.*", False),
    ],
)
def test_patterns_take_in_their_instances(pattern: str, fits: bool) -> None:
    seen = _event(type="ObjectEvent", action="OBSERVE", epcList=["urn:epc:id:sgtin:4012345.011111.98.76"])
    assert matches(read_query({"MATCH_epc": pattern}), seen) is fits


def test_a_pattern_with_an_open_serial_takes_in_digital_links_too() -> None:
    seen = _event(type="ObjectEvent", action="OBSERVE", epcList=["https://x.example/01/04012345111118/21/9876"])
    assert matches(read_query({"MATCH_epc": "urn:epc:idpat:sgtin:4012345.011111.*"}), seen)
    assert not matches(read_query({"MATCH_epc": "urn:epc:idpat:sgtin:4012345.011112.*"}), seen)
