"""Every query parameter that GS1's own schemas name is understood or refused by name, never passed over."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests import shared_data

from parcelward.base.standards.epcis import query
from parcelward.base.standards.epcis.context import of
from parcelward.base.standards.epcis.event import Refused

pytestmark = pytest.mark.shared

CONTEXT = of([{"example": "https://ns.example.com/epcis/"}])
TRIED: tuple[Any, ...] = (
    "2026-03-01T14:05:30Z",
    "urn:x:1",
    "ObjectEvent",
    "ADD",
    "receiving",
    "in_transit",
    "did_not_occur",
    "Temperature",
    "Speed",
    7,
    True,
)


def _codes(name: str) -> set[str]:
    """The codes of the refusals of this parameter with each kind of value; empty where one kind is taken."""
    found: set[str] = set()
    for value in TRIED:
        try:
            query.read_query({name: value} | ({"orderBy": "eventTime"} if name == "eventCountLimit" else {}), CONTEXT)
        except Refused as refused:
            found |= {problem.code for problem in refused.problems}
        else:
            return set()
    return found


def test_each_named_parameter_is_understood() -> None:
    schema = json.loads(shared_data.path("epcis/gs1-EPCIS/REST Bindings/query-schema.json").read_bytes())
    names = set(schema["definitions"]["EPCIS-Query"]["properties"]) - {"@context", "orderDirection", "orderBy"}
    assert len(names) > 50
    assert {name: codes for name in sorted(names) if (codes := _codes(name))} == {}


def test_each_parameter_of_the_rest_binding_is_understood() -> None:
    described = json.loads(shared_data.path("epcis/gs1-EPCIS/REST Bindings/openapi.json").read_bytes())
    asked = described["paths"]["/events"]["get"]["parameters"]
    wanted = {item["$ref"].rpartition("/")[2] for item in asked if "$ref" in item}
    names = {
        item["name"]
        for key, item in described["components"]["parameters"].items()
        if key in wanted and item["in"] == "query" and item["name"] not in {"orderBy", "orderDirection"}
    }
    assert len(names) > 50
    assert {name: codes for name in sorted(names) if (codes := _codes(name))} == {}


def test_each_family_of_parameters_is_understood() -> None:
    schema = json.loads(shared_data.path("epcis/gs1-EPCIS/REST Bindings/query-schema.json").read_bytes())
    families = schema["definitions"]["EPCIS-Query"]["patternProperties"]
    answers: dict[str, set[str]] = {}
    for family in families:
        example = re.sub(r"\[A-Z0-9\]\{2,4\}", "CEL", family.strip("^$"))
        example = re.sub(r"\[a-z\]\[a-zA-Z0-9\]\*\\+:\\+w\+", "example:field", example)
        kind = "po" if "bizTransaction" in example else "location"
        example = example.replace("[a-z][a-zA-Z0-9_]+", kind).replace(r"\\w+_\\w+", "place_name")
        assert not set("[]^$+\\") & set(example), family
        if codes := _codes(example):
            answers[example] = codes
    assert set(answers) == {"HASATTR_example:field", "EQ_ATTR_place_name"}
    assert all(codes == {"not_supported"} for codes in answers.values())
