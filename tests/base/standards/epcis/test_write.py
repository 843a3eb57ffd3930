"""Events made from our own values are valid, say what was meant, and keep their declarations in a mixed document."""

from __future__ import annotations

import datetime as dt

import pytest

from parcelward.base.standards.epcis import canonical, parse, write
from parcelward.base.standards.epcis.context import of
from parcelward.base.standards.epcis.event import Party, Refused

SEEN = dt.datetime(2026, 3, 1, 14, 5, 30, 250_000, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
ITEM = "https://id.gs1.org/8004/4012345RR123456785US"


def test_a_scan_is_written_with_its_local_offset() -> None:
    event = write.object_event(
        event_time=SEEN, action="OBSERVE", epcs=[ITEM], biz_step="departing", read_point="urn:x:1"
    )
    assert event.raw == {
        "type": "ObjectEvent",
        "eventTime": "2026-03-01T14:05:30.250-05:00",
        "eventTimeZoneOffset": "-05:00",
        "action": "OBSERVE",
        "epcList": [ITEM],
        "bizStep": "departing",
        "readPoint": {"id": "urn:x:1"},
    }
    assert event.event_time == SEEN


def test_a_loading_is_written_as_an_aggregation() -> None:
    event = write.aggregation_event(event_time=SEEN, action="ADD", parent_id="urn:x:bag", child_epcs=[ITEM])
    assert (event.parent_id, event.child_epcs, event.action) == ("urn:x:bag", (ITEM,), "ADD")


def test_what_would_not_be_valid_is_not_written() -> None:
    with pytest.raises(Refused):
        write.object_event(event_time=SEEN, action="OBSERVE", epcs=[])
    with pytest.raises(Refused):
        write.object_event(event_time=SEEN, action="OBSERVE", epcs=[ITEM], biz_step="delivering")
    with pytest.raises(Refused):
        write.aggregation_event(event_time=SEEN, action="ADD", child_epcs=[ITEM])
    with pytest.raises(Refused):
        write.object_event(event_time=SEEN, action="OBSERVE", epcs=[ITEM], sources=[Party("giver", "urn:x:1")])
    with pytest.raises(ValueError, match="aware"):
        write.object_event(event_time=SEEN.replace(tzinfo=None), action="OBSERVE", epcs=[ITEM])


def test_events_with_other_prefixes_keep_their_meaning_in_one_document() -> None:
    events = [
        write.object_event(
            event_time=SEEN,
            action="OBSERVE",
            epcs=[ITEM],
            context=of([{"p": namespace}]),
            extensions={"p:seal": "S1"},
        )
        for namespace in ("https://one.example/", "https://two.example/")
    ]
    back = parse.read_document(write.document(events, created=SEEN)).events
    assert [list(event.extensions) for event in back] == [["https://one.example/seal"], ["https://two.example/seal"]]
    assert all(canonical.same_event(one, other) for one, other in zip(events, back, strict=True))


def test_a_repository_adds_its_time_and_an_id_where_none_came() -> None:
    event = write.object_event(event_time=SEEN, action="OBSERVE", epcs=[ITEM])
    kept = write.stored(event, record_time=SEEN, event_id="urn:x:new")
    assert (kept.raw["recordTime"], kept.event_id) == ("2026-03-01T14:05:30.250-05:00", "urn:x:new")
    assert write.stored(kept, record_time=SEEN, event_id="urn:x:other").event_id == "urn:x:new"
    assert "recordTime" not in event.raw
    answer = parse.read_document(write.query_document([kept], created=SEEN, subscription_id="s1"))
    assert (answer.query_name, answer.subscription_id) == ("SimpleEventQuery", "s1")
    assert answer.events[0].record_time == SEEN
