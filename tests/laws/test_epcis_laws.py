"""Laws of EPCIS for all inputs: reading answers or refuses, and what means the same is the same."""

from __future__ import annotations

import datetime as dt
import json
import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcelward.base.standards.epcis import canonical, hash_id, identifiers, match, parse, query, vocabulary, write
from parcelward.base.standards.epcis.event import Event, Refused

EX = "https://ns.example.com/epcis/"
CONTEXT = [vocabulary.CONTEXT_URL, {"example": EX}]
NAMES = sorted(set().union(*vocabulary.FIELDS_BY_EVENT.values()) | {"id", "source", "epcClass", "sensorReport", "set"})
WORDS = ["ObjectEvent", "TransformationEvent", "ADD", "receiving", "urn:x:1", "2026-03-01T14:05:30Z", "-05:00", "po"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=12,
)
members = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), json_values, max_size=6)
uris = st.from_regex(r"urn:x:[a-z0-9]{1,5}", fullmatch=True)
first, last = dt.date(1990, 1, 1), dt.date(2099, 12, 31)
moments = st.builds(dt.datetime.combine, st.dates(first, last), st.times())


@st.composite
def extensions(draw: st.DrawFn) -> dict[str, Any]:
    plain = st.text("abc 12", max_size=5) | st.integers(-1000, 1000) | st.booleans()
    names = st.sampled_from(["example:a", "example:b", EX + "c"])
    values = st.recursive(
        plain,
        lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(names, inner, min_size=1, max_size=3),
        max_leaves=6,
    )
    return draw(st.dictionaries(names, values, max_size=3))


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """A valid ObjectEvent with much in it."""
    time = draw(moments).isoformat(timespec="milliseconds")
    places = st.fixed_dictionaries({"id": uris})
    party = st.fixed_dictionaries({"type": st.sampled_from(sorted(vocabulary.PARTY_TYPES.words)), "source": uris})
    amount = st.fixed_dictionaries({"epcClass": uris, "quantity": st.integers(1, 99)}, optional={"uom": st.just("KGM")})
    report = st.fixed_dictionaries({"type": st.just("Temperature"), "value": st.integers(-50, 50)})
    optional: dict[str, st.SearchStrategy[Any]] = {
        "disposition": st.sampled_from(sorted(vocabulary.DISPOSITIONS.words)),
        "readPoint": places,
        "quantityList": st.lists(amount, min_size=1, max_size=3),
        "sourceList": st.lists(party, min_size=1, max_size=3),
        "certificationInfo": st.lists(uris, min_size=2, max_size=3, unique=True),
        "sensorElementList": st.lists(
            st.fixed_dictionaries({"sensorReport": st.lists(report, min_size=1, max_size=3)}), min_size=1, max_size=2
        ),
    }
    required: dict[str, st.SearchStrategy[Any]] = {
        "type": st.just("ObjectEvent"),
        "eventTime": st.just(time + draw(st.sampled_from(["Z", "+01:00", "-08:30"]))),
        "eventTimeZoneOffset": st.sampled_from(["+00:00", "+01:00", "-08:30"]),
        "action": st.sampled_from(sorted(vocabulary.ACTIONS)),
        "epcList": st.lists(uris, min_size=1, max_size=5, unique=True),
        "bizStep": st.sampled_from(sorted(vocabulary.BIZ_STEPS.words)),
    }
    found: dict[str, Any] = draw(st.fixed_dictionaries(required, optional=optional))
    return found | draw(extensions())


def _document(*raw: Any) -> dict[str, Any]:
    head = {
        "@context": CONTEXT,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-01T00:00:00Z",
    }
    return head | {"epcisBody": {"eventList": list(raw)}}


def _read(raw: dict[str, Any]) -> Event:
    return parse.read_document(_document(raw)).events[0]


def _shuffled(value: Any, chance: random.Random) -> Any:
    """The same JSON with the members of objects and the items of lists in another order."""
    if isinstance(value, dict):
        pairs = [(name, _shuffled(inner, chance)) for name, inner in value.items()]
        chance.shuffle(pairs)
        return dict(pairs)
    if isinstance(value, list):
        items = [_shuffled(inner, chance) for inner in value]
        chance.shuffle(items)
        return items
    return value


def _tried(data: Any) -> None:
    for read in (parse.read_document, parse.read_events):
        try:
            read(data)
        except Refused as found:
            refused = found
        else:
            continue
        assert refused.problems
        assert all(problem.code and problem.message for problem in refused.problems)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    _tried(data)


@given(st.dictionaries(st.text(max_size=5), json_values, max_size=5))
def test_any_object_is_read_or_refused(value: dict[str, Any]) -> None:
    _tried(value)
    _tried(json.dumps(value).encode())


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(members, st.sampled_from(sorted(vocabulary.EVENT_TYPES)), st.booleans())
def test_any_members_in_an_event_are_read_or_refused(raw: dict[str, Any], kind: str, alone: bool) -> None:
    full = {"eventTime": "2026-03-01T14:05:30Z", "eventTimeZoneOffset": "-05:00"} | raw | {"type": kind}
    _tried(full | {"@context": CONTEXT} if alone else _document(full))


@given(events(), st.data())
def test_a_spoilt_event_is_read_or_refused(raw: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(raw)))
    _tried(_document(raw | {name: data.draw(json_values)}))


@given(json_values)
def test_any_context_is_read_or_refused(context: Any) -> None:
    _tried(_document() | {"@context": context})


@given(events())
def test_a_valid_event_is_accepted_and_comes_back_as_it_was(raw: dict[str, Any]) -> None:
    (event,) = parse.read_document(json.dumps(_document(raw)).encode()).events
    assert event.raw == raw
    written = write.document([event], created=event.event_time)
    assert parse.read_document(json.dumps(written).encode()).events == (event,)


@given(events(), st.integers())
def test_order_of_members_and_lists_means_nothing(raw: dict[str, Any], seed: int) -> None:
    one, other = _read(raw), _read(_shuffled(raw, random.Random(seed)))
    assert hash_id.event_hash_id(one) == hash_id.event_hash_id(other)
    assert canonical.same_event(one, other)
    assert canonical.fingerprint(one) == canonical.fingerprint(other)


@given(events())
def test_another_spelling_means_nothing(raw: dict[str, Any]) -> None:
    one = _read(raw)
    spelt = {key.replace("example:", EX): value for key, value in raw.items()}
    spelt["bizStep"] = vocabulary.BIZ_STEPS.urns[0] + raw["bizStep"]
    spelt["eventTime"] = one.event_time.astimezone(dt.UTC).isoformat()
    other = _read(spelt)
    assert hash_id.event_hash_id(one) == hash_id.event_hash_id(other)
    assert canonical.same_event(one, other)


@given(events(), events())
def test_events_that_mean_the_same_have_one_fingerprint_and_one_hash(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    first, second = _read(one), _read(other)
    same = canonical.same_event(first, second)
    assert (canonical.fingerprint(first) == canonical.fingerprint(second)) == same
    assert not same or hash_id.event_hash_id(first) == hash_id.event_hash_id(second)


@given(events(), st.sampled_from(["action", "bizStep", "epcList", "eventTimeZoneOffset"]))
def test_a_changed_field_changes_hash_and_fingerprint(raw: dict[str, Any], name: str) -> None:
    others: dict[str, Any] = {"action": "ADD" if raw["action"] != "ADD" else "DELETE", "eventTimeZoneOffset": "+09:30"}
    others |= {"bizStep": "urn:y:other", "epcList": ["urn:y:other"]}
    one, other = _read(raw), _read(raw | {name: others[name]})
    assert hash_id.event_hash_id(one) != hash_id.event_hash_id(other)
    assert canonical.fingerprint(one) != canonical.fingerprint(other)


@given(
    st.text(max_size=60)
    | st.from_regex(r"(urn:epc:(id|class|idpat):[a-z]{3,5}:|https?://[a-z/0-9]{0,9}/)[0-9.*/a-z]{0,40}", fullmatch=True)
)
def test_the_canonical_form_of_an_identifier_is_its_own(text: str) -> None:
    once = identifiers.canonical(text)
    assert identifiers.canonical(once) == once


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "EQ_bizStep",
                "GE_eventTime",
                "MATCH_epc",
                "EQ_quantity",
                "EXISTS_example:a",
                "EQ_example:a",
                "GT_INNER_example:a",
                "perPage",
                "orderBy",
                "eventType",
                "@context",
                "EQ_booleanValue",
                "GT_value_CEL",
            ]
        )
        | st.text(max_size=6),
        json_values,
        max_size=4,
    ),
    events(),
)
def test_any_parameters_are_a_query_or_refused(parameters: dict[str, Any], raw: dict[str, Any]) -> None:
    event = _read(raw)
    refused: Refused | None = None
    try:
        assert match.matches(query.read_query(parameters, event.context), event) in (True, False)
    except Refused as found:
        refused = found
    assert refused is None or refused.problems


@given(events())
def test_an_event_answers_the_query_for_what_it_is(raw: dict[str, Any]) -> None:
    event = _read(raw)
    own: dict[str, Any] = {
        "eventType": event.type,
        "EQ_bizStep": event.biz_step,
        "EQ_action": [event.action],
        "MATCH_anyEPC": list(event.epcs),
        "GE_eventTime": event.event_time_text,
    }
    assert match.matches(query.read_query(own), event)
    assert not match.matches(query.read_query(own | {"LT_eventTime": event.event_time_text}), event)
