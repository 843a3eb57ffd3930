"""Queries of many values against events of many instances: the same answers as one comparison at a time, and soon."""

from __future__ import annotations

import re
import time

import pytest

from parcelward.base.standards.epcis import context, identifiers, match, parse, query
from parcelward.base.standards.epcis.event import Event

VALUES, EPCS = 1_000, 10_000


def seen(*epcs: str) -> Event:
    raw = {
        "type": "ObjectEvent",
        "eventTime": "2026-03-01T14:05:30Z",
        "eventTimeZoneOffset": "+00:00",
        "action": "OBSERVE",
        "epcList": list(epcs),
    }
    return parse.read_event(raw, context.of(["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"]))


def one_at_a_time(pattern: str, epc: str) -> bool:
    """The standard's rule, plainly: the same identifier in either spelling, or one that the pattern takes in."""
    canonical = identifiers.canonical
    if canonical(pattern) == canonical(epc):
        return True
    if not pattern.lower().startswith("urn:epc:idpat:") or not pattern.endswith(".*"):
        return False
    scheme, value = pattern[14:].split(":", 1)
    shape = r"\.".join("[^.]+" if part == "*" else re.escape(part) for part in value.split(".")[:-1])
    if re.fullmatch(rf"urn:epc:id:{scheme}:{shape}\..+", epc, re.IGNORECASE):
        return True
    begins = canonical(pattern)
    serial = {"sgtin": "/21/", "itip": "/21/", "upui": "/235/", "cpi": "/8011/"}.get(scheme.lower(), "")
    return begins != pattern and canonical(epc).startswith(begins + serial)


ASKED = (
    *("urn:epc:id:sgtin:4012345.011111.7", "https://id.gs1.org/01/04012345111118/21/7", "urn:example:x"),
    *("urn:epc:idpat:sgtin:4012345.011111.*", "URN:EPC:IDPAT:SGTIN:4012345.011111.*", "urn:epc:idpat:sgtin:*.*.*"),
    *("urn:epc:idpat:sgtin:4012345.*.*", "urn:epc:idpat:sgtin:*", "urn:epc:idpat:grai:4012345.12345.*"),
    *("urn:epc:idpat:sscc:4012345.*", "urn:epc:idpat:sgtin:4012345..*", "urn:epc:idpat:sgtin:4012345.011111.7"),
    *("urn:epc:idpat:gdti:4012345.11111.*", "urn:epc:idpat:cpi:4012345.AB%2F1.*", "urn:epc:idpat:"),
)
CARRIED = (
    *("urn:epc:id:sgtin:4012345.011111.7", "urn:epc:id:sgtin:4012345.011111.7.8", "urn:epc:id:SGTIN:4012345.011111.7"),
    *("https://id.gs1.org/01/04012345111118/21/7", "https://example.com/01/04012345111118/21/99", "urn:example:x"),
    *("urn:epc:id:sgtin:4012345.022222.7", "urn:epc:id:sgtin:4012345..7", "urn:epc:id:sgtin:4012345.011111"),
    *("urn:epc:id:sscc:4012345.0000000333", "urn:epc:id:grai:4012345.12345.1", "urn:epc:id:gdti:4012345.11111.a.b"),
    *(
        "urn:epc:id:cpi:4012345.AB%2F1.12",
        "https://id.gs1.org/01/04012345111118",
        "https://id.gs1.org/8003/04012345123450",
    ),
)


@pytest.mark.parametrize("asked", ASKED)
def test_the_answer_is_that_of_one_comparison_at_a_time(asked):
    for epc in CARRIED:
        found = match.matches(query.read_query({"MATCH_epc": [asked]}), seen(epc))
        assert found == one_at_a_time(asked, epc), epc


def test_any_value_and_any_instance_is_enough():
    event = seen("urn:example:x", "urn:epc:id:sgtin:4012345.011111.7")
    for asked in (["urn:example:y", "urn:example:x"], ["urn:example:y", "urn:epc:idpat:sgtin:4012345.011111.*"]):
        assert match.matches(query.read_query({"MATCH_epc": asked}), event)
    assert not match.matches(query.read_query({"MATCH_epc": ["urn:example:y"]}), event)


@pytest.mark.parametrize("form", ["urn:epc:id:sgtin:4012345.0222{0:02}.{0}", "urn:epc:idpat:sgtin:4012345.{0:06}.*"])
def test_many_values_against_many_instances_are_compared_soon(form):
    event = seen(*(f"urn:epc:id:sgtin:4012345.011111.{nth}" for nth in range(EPCS)))
    asked = query.read_query({"MATCH_epc": [form.format(nth + 20_000) for nth in range(VALUES)]})
    began = time.process_time()
    assert match.matches(asked, event) is False
    assert time.process_time() - began < 2, "one at a time takes minutes"


def test_whoever_compares_can_be_stopped():
    class Enough(Exception):
        pass

    def tick() -> None:
        raise Enough

    with pytest.raises(Enough):
        match.Prepared(query.read_query({}), tick=tick).meets(seen("urn:example:x"))
