"""Event hash ids against the 63 reference values, whose sources are partly JSON-LD and partly EPCIS XML.

The product reads JSON-LD only; the XML reader below serves these tests and turns an XML event into the JSON object that
says the same, so that one writer of canonical text is put to all 63.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests import shared_data

from parcelward.base.standards.epcis import context as contexts
from parcelward.base.standards.epcis import hash_id, parse, vocabulary
from parcelward.base.standards.epcis.context import Context

pytestmark = pytest.mark.shared

NUMBERS = {"quantity", "value", "minValue", "maxValue", "meanValue", "sDev", "percRank", "percValue"}
OBJECTS = {"readPoint", "bizLocation", "persistentDisposition", "errorDeclaration"}
LISTS = {"epcList", "childEPCs", "inputEPCList", "outputEPCList"}
AMOUNTS = {"quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList"}
WRAPPERS = {"extension", "baseExtension"}  # EPCIS 1.x put what came later inside these


class XmlEvents:
    """Reads the events of an EPCIS XML document as JSON-LD objects."""

    def __init__(self, text: str) -> None:
        self.prefixes: dict[str, str] = {}
        root = ET.fromstring(text)
        events = next(element for element in root.iter() if _local(element.tag) in {"EventList", "resultsBody"})
        if _local(events.tag) == "resultsBody":
            events = events[0]
        self.events = [self.event(item) for item in _events(events)]
        ignored = [child for item in root.iter() if _local(item.tag) == "ignoreFields" for child in item]
        self.ignore = {self.context.expand(self.name(child.tag)) for child in ignored}

    @property
    def context(self) -> Context:
        return contexts.of([vocabulary.CONTEXT_URL, self.prefixes])

    def name(self, tag: str) -> str:
        if not tag.startswith("{"):
            return tag
        namespace, local = tag[1:].split("}")
        known = {uri: prefix for prefix, uri in self.prefixes.items()}
        prefix = known.get(namespace) or f"n{len(self.prefixes)}"
        self.prefixes[prefix] = namespace
        return f"{prefix}:{local}"

    def event(self, element: ET.Element) -> dict[str, Any]:
        found: dict[str, Any] = {"type": _local(element.tag)}
        self.children(element, found)
        return found

    def children(self, element: ET.Element, found: dict[str, Any]) -> None:
        for child in element:
            if child.tag in WRAPPERS:
                self.children(child, found)
                continue
            name, value = self.name(child.tag), self.child(child)
            if name.partition(":")[1] and name in found:
                found[name] = [*(found[name] if isinstance(found[name], list) else [found[name]]), value]
            else:
                found[name] = value

    def child(self, element: ET.Element) -> Any:
        name = element.tag
        if name == "persistentDisposition":
            return {way: [item.text for item in element if item.tag == way] for way in {item.tag for item in element}}
        if not name.startswith("{") and (name.endswith("List") or name == "childEPCs"):
            return [self.item(name, item) for item in element]
        if len(element) or name in OBJECTS or name == "ilmd" or any("}" in key for key in element.attrib):
            found: dict[str, Any] = {self.name(key): value for key, value in element.attrib.items()}
            self.children(element, found)
            return found
        return _typed(name, element.text or "")

    def item(self, name: str, item: ET.Element) -> Any:
        if name in LISTS:
            return item.text
        if name in AMOUNTS:
            return {part.tag: _typed(part.tag, part.text) for part in item}
        return (
            self.sensor_element(item)
            if name == "sensorElementList"
            else {"type": item.get("type"), item.tag: item.text}
        )

    def sensor_element(self, element: ET.Element) -> dict[str, Any]:
        found: dict[str, Any] = {"sensorReport": []}
        for child in element:
            pairs = {self.name(key): _typed(key, value) for key, value in child.attrib.items()}
            if child.tag == "sensorReport":
                found["sensorReport"].append(pairs)
            elif child.tag == "sensorMetadata":
                found["sensorMetadata"] = pairs
            else:
                found[self.name(child.tag)] = self.child(child)
        return found


def _events(events: ET.Element) -> list[ET.Element]:
    found: list[ET.Element] = []
    for item in events:
        found += [item] if item.tag.endswith("Event") else _events(item)
    return found


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _typed(name: str, text: str | None) -> Any:
    if name in NUMBERS:
        return float(text or "")
    return text == "true" if name == "booleanValue" else (text or "").strip()


def _of_json(path: Path) -> list[str]:
    document = parse.read_document(path.read_bytes())
    ignore = [document.context.expand(name) for name in _ignored(json.loads(path.read_bytes()))]
    return [hash_id.event_hash_id(event, ignore=ignore) for event in document.events]


def _ignored(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for item in value for name in _ignored(item)]
    if not isinstance(value, dict):
        return []
    own = [name for key, names in value.items() if key.endswith(":ignoreFields") for name in names]
    return own + [name for item in value.values() for name in _ignored(item)]


def _of_xml(path: Path) -> list[str]:
    read = XmlEvents(path.read_text())
    return [hash_id.hash_of(hash_id.pre_hash(event, read.context, ignore=read.ignore)) for event in read.events]


def test_all_63_reference_hashes_are_met() -> None:
    met, wrong = 0, []
    for expected in sorted(shared_data.path("epcis/event-hash-tests/examples").glob("*.hashes")):
        source = expected.with_suffix(".jsonld")
        ours = _of_json(source) if source.exists() else _of_xml(expected.with_suffix(".xml"))
        lines = expected.read_text().split()
        met += sum(line in ours for line in lines)
        wrong += [(expected.name, line) for line in lines if line not in ours]
    assert (met, wrong) == (63, [])


def test_xml_and_json_of_the_same_events_have_the_same_hashes() -> None:
    folder = shared_data.path("epcis/event-hash-tests/examples")
    pairs = [(path, path.with_suffix(".jsonld")) for path in sorted(folder.glob("*.xml"))]
    compared = [(xml.name, _of_xml(xml), _of_json(json_file)) for xml, json_file in pairs if json_file.exists()]
    assert len(compared) >= 10
    assert [name for name, xml_hashes, json_hashes in compared if sorted(xml_hashes) != sorted(json_hashes)] == []


@pytest.mark.parametrize(
    "name",
    [
        "differentRepresentationsOfAggregationEvent",
        "differentRepresentationsOfObjectEvent",
        "ignoreEmptyEpcList",
        "differentRepresentationsOfTransactionEvent",
        "differentRepresentationsOfTransformationEvent",
        "numberPrecision",
        "timestampPrecision",
        "timestampTimeZone",
        "timestampTimeZone2",
        "timestampTimeZone3",
    ],
)
def test_the_same_event_written_in_other_ways_has_one_hash(name: str) -> None:
    hashes = _of_xml(shared_data.path(f"epcis/event-hash-tests/expected_equal/{name}.xml"))
    assert len(hashes) > 1
    assert len(set(hashes)) == 1
