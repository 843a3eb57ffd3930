"""Which differences of writing mean nothing, and which mean something."""

from __future__ import annotations

from typing import Any

import pytest

from parcelward.base.standards.epcis import canonical, hash_id, parse
from parcelward.base.standards.epcis.context import of
from parcelward.base.standards.epcis.event import Event

EX = "https://ns.example.com/epcis/"


def event(prefix: str = "example", /, **changed: Any) -> Event:
    raw: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventTime": "2026-03-01T14:05:30Z",
        "eventTimeZoneOffset": "-05:00",
        "action": "OBSERVE",
        "epcList": ["urn:epc:id:sscc:4012345.0000000333", "urn:epc:id:sgtin:4012345.011111.9876"],
        "bizStep": "receiving",
        f"{prefix}:weights": [1, 2.0],
        "quantityList": [{"epcClass": "urn:x:1", "quantity": 2}, {"epcClass": "urn:x:1", "quantity": 2}],
        "sourceList": [{"type": "location", "source": "urn:epc:id:sgln:4012345.00005.0"}],
    } | changed
    return parse.read_event({key: value for key, value in raw.items() if value is not ...}, of([{prefix: EX}]))


SAME: list[Event] = [
    event(eventTime="2026-03-01T09:05:30.000-05:00"),
    event(epcList=["https://id.gs1.org/01/04012345111118/21/9876", "https://x.example/00/040123450000003338"]),
    event(bizStep="urn:epcglobal:cbv:bizstep:receiving"),
    event(bizStep="https://ref.gs1.org/cbv/BizStep-receiving"),
    event("other"),
    event(**{"example:weights": [2, 1.0]}),
    event(**{"example:weights": ..., EX + "weights": [1, 2]}),
    event(recordTime="2026-03-02T00:00:00Z"),
    event(childQuantityList=..., bizTransactionList=[]),
    event(sourceList=[{"source": "https://id.gs1.org/414/4012345000054", "type": "cbv:SDT-location"}]),
    event(quantityList=[{"quantity": 2.0, "epcClass": "urn:x:1"}, {"epcClass": "urn:x:1", "quantity": 2}]),
]
OTHER: list[Event] = [
    event(eventTime="2026-03-01T14:05:30.001Z"),
    event(eventTimeZoneOffset="-06:00"),
    event(epcList=["urn:epc:id:sscc:4012345.0000000333"]),
    event(bizStep="accepting"),
    event(bizStep=...),
    event(disposition="in_transit"),
    event(eventID="urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8"),
    event(**{"example:weights": ["1", "2"]}),
    event(**{"example:weights": [1, 2, 2]}),
    event(**{"example:seal": "S1"}),
    event(quantityList=[{"epcClass": "urn:x:1", "quantity": 2}]),
    event(errorDeclaration={"declarationTime": "2026-03-02T00:00:00Z"}),
]


@pytest.mark.parametrize("other", SAME)
def test_another_way_of_writing_means_the_same(other: Event) -> None:
    assert canonical.same_event(event(), other)
    assert canonical.fingerprint(event()) == canonical.fingerprint(other)
    assert hash_id.event_hash_id(event()) == hash_id.event_hash_id(other)


@pytest.mark.parametrize("other", OTHER)
def test_another_content_is_seen(other: Event) -> None:
    assert not canonical.same_event(event(), other)
    assert canonical.fingerprint(event()) != canonical.fingerprint(other)


def test_an_error_declaration_is_compared_with_the_event_that_it_declares() -> None:
    declared = event(errorDeclaration={"declarationTime": "2026-03-02T00:00:00Z", "reason": "did_not_occur"})
    assert canonical.fingerprint(event(), declaration=False) == canonical.fingerprint(declared, declaration=False)


def test_the_hash_id_of_an_event_worked_by_hand() -> None:
    plain = event(epcList=["urn:epc:id:sscc:4012345.0000000333"], quantityList=..., **{"example:weights": 1.50})
    assert hash_id.pre_hash(plain.raw, plain.context) == (
        "eventType=ObjectEventeventTime=2026-03-01T14:05:30.000ZeventTimeZoneOffset=-05:00"
        "epcListepc=https://id.gs1.org/00/040123450000003338action=OBSERVE"
        "bizStep=https://ref.gs1.org/cbv/BizStep-receiving"
        "sourceListtype=https://ref.gs1.org/cbv/SDT-locationsource=https://id.gs1.org/414/4012345000054"
        "{https://ns.example.com/epcis/}weights=1.5"
    )
    assert hash_id.event_hash_id(plain).startswith("ni:///sha-256;")
    assert hash_id.event_hash_id(plain).endswith("?ver=CBV2.0")


def test_a_repositorys_own_mark_can_be_left_out_of_the_hash() -> None:
    marked = event(**{"example:captured": "17"})
    assert hash_id.event_hash_id(marked) != hash_id.event_hash_id(event())
    assert hash_id.event_hash_id(marked, ignore={EX + "captured"}) == hash_id.event_hash_id(event())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T14:05:30.1415Z", "2026-03-01T14:05:30.142Z"),
        ("2026-03-01T14:05:30.1404999Z", "2026-03-01T14:05:30.140Z"),
        ("2026-12-31T23:59:59.9995+00:00", "2027-01-01T00:00:00.000Z"),
        ("2026-03-01T14:05:30.1405Z", "2026-03-01T14:05:30.141Z"),
    ],
)
def test_times_are_hashed_with_milliseconds_rounded_half_up(text: str, expected: str) -> None:
    assert hash_id.utc(text) == expected
