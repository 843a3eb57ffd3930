"""case.jsonld describes every file of the bundle as the manifest does and says nothing more; both verifiers compare."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.custody.built_page import both_refuse, check
from tests.custody.sample_bundle import made, resigned, written
from tests.custody.sample_log import ORIGIN, Item, SampleLog

from parcelward.custody import evidence, stored_zip
from parcelward.custody.errors import ProofFailed
from parcelward.custody.evidence_case import FILE
from parcelward.custody.evidence_check import verify_bundle

Change = Callable[[dict[str, Any]], Any]


def described(data: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(stored_zip.read(data)[FILE])
    whole: dict[str, Any]
    (whole,) = document["@graph"]
    assert whole["@type"] == "uco-core:Bundle"
    return whole


def nodes(whole: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in whole["uco-core:object"] if each["@type"] == kind]


def one(whole: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = nodes(whole, kind)
    return found


def every(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every(each)


def refs(*found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"@id": each["@id"]} for each in found]


def test_it_says_who_exported_when_with_what_and_on_which_basis(log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    whole = described(written(log, made(log, item)))
    post, tool = one(whole, "uco-identity:Organization"), one(whole, "uco-tool:Tool")
    account, parcel = one(whole, "uco-observable:Account"), one(whole, "uco-core:Item")
    action, record = (one(whole, f"case-investigation:{each}") for each in ("InvestigativeAction", "ProvenanceRecord"))
    inquiry, basis = (one(whole, f"case-investigation:{each}") for each in ("Investigation", "Authorization"))
    assert post["uco-core:name"] == "Example Post"
    assert (tool["uco-core:name"], tool["uco-tool:version"]) == ("parcelward", "0.1.0")
    (facet,) = account["uco-core:hasFacet"]
    assert facet["uco-observable:accountIdentifier"] == "acc_12"
    assert facet["uco-observable:accountIssuer"] == refs(post)[0]
    assert action["uco-action:performer"] == refs(post)[0]
    assert action["uco-action:instrument"] == refs(account, tool)
    assert action["uco-action:startTime"] == {"@type": "xsd:dateTime", "@value": "2026-11-30T09:00:00.000000Z"}
    assert (action["uco-action:object"], action["uco-action:result"]) == (refs(parcel), refs(record))
    assert basis["uco-core:description"] == "Order of the court"
    assert inquiry["case-investigation:relevantAuthorization"] == refs(basis)
    assert inquiry["uco-core:object"] == refs(action, record)
    (known,) = parcel["uco-core:externalReference"]
    assert parcel["uco-core:name"] == item.number
    assert (known["uco-core:definingContext"], known["uco-core:externalIdentifier"]) == (ORIGIN, "itm_one")
    assert record["case-investigation:exhibitNumber"] == "case 7 <b>"
    assert record["uco-core:object"] == refs(parcel, *nodes(whole, "uco-observable:File"))


def test_it_names_every_other_file_with_its_hash(log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    data = written(log, made(log, item, leave_out=(2,)))
    files, found = stored_zip.read(data), {}
    for each in nodes(described(data), "uco-observable:File"):
        place, content = each["uco-core:hasFacet"]
        (made_of,) = content["uco-observable:hash"]
        assert made_of["uco-types:hashMethod"] == "SHA256"
        path = place["uco-observable:filePath"]
        assert place["uco-observable:fileName"] == Path(path).name
        found[path] = content["uco-observable:sizeInBytes"], made_of["uco-types:hashValue"]["@value"]
    assert found == {
        path: (len(content), hashlib.sha256(content).hexdigest())
        for path, content in files.items()
        if path not in {FILE, "manifest.json", "manifest.note"}
    }
    assert FILE in {row["path"] for row in json.loads(files["manifest.json"])["files"]}


def test_identifiers_are_unique_and_only_what_stays_keeps_them(log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    bundle = made(log, item)
    first = described(written(log, bundle))
    ids = [each["@id"] for each in every(first) if "@type" in each and "@id" in each]
    assert len(set(ids)) == len(ids) > 50
    assert first == described(written(log, bundle))
    later = described(written(log, dataclasses.replace(bundle, made_at=bundle.made_at.replace(second=1))))
    lasting = ("uco-identity:Organization", "uco-observable:Account", "uco-tool:Tool", "uco-core:Item")
    kept = {each["@id"] for each in every(first) if "@type" in each and "@id" in each}
    again = {each["@id"] for each in every(later) if "@type" in each and "@id" in each}
    top = {one(first, kind)["@id"] for kind in lasting}
    inner = {each["@id"] for kind in lasting for each in every(one(first, kind)) if "@type" in each and "@id" in each}
    assert top <= kept & again == inner


def test_it_says_nothing_that_the_manifest_and_the_chain_do_not_say(log_and_item: tuple[SampleLog, Item]) -> None:
    log, item = log_and_item
    files = stored_zip.read(written(log, made(log, item)))
    known = (files["manifest.json"] + files["chain.json"] + ORIGIN.encode()).decode()
    own = {"Export of an evidence bundle", "legal basis", "SHA256", "xsd:dateTime", "xsd:hexBinary"}
    for each in every(json.loads(files[FILE])["@graph"]):
        for name, value in each.items():
            if isinstance(value, str) and name not in {"@id", "@type"}:
                assert value in known or value in own, (name, value)


def test_without_a_legal_basis_it_names_none(log_and_item: tuple[SampleLog, Item], module: Path) -> None:
    log, item = log_and_item
    data = written(log, made(log, item, legal_basis=""))
    assert nodes(described(data), "case-investigation:Authorization") == []
    assert verify_bundle(data).events == len(item.events)
    assert check(module, data)[0]["ok"]


def test_both_verifiers_make_the_same_of_any_words(log_and_item: tuple[SampleLog, Item], module: Path) -> None:
    log, item = log_and_item
    words = 'Ordén "7"\\ 件\t\u2028 <b> 𝄞 é\u0301'
    data = written(log, made(log, item, legal_basis=words, reference=words, operator=words, software="one-word"))
    assert one(described(data), "case-investigation:Authorization")["uco-core:description"] == words
    assert verify_bundle(data).events == len(item.events)
    (answer,) = check(module, data)
    assert answer["ok"], answer


def test_a_bundle_of_before_without_it_still_holds(log_and_item: tuple[SampleLog, Item], module: Path) -> None:
    log, item = log_and_item
    old = resigned(log, written(log, made(log, item)), lambda files: files.__delitem__(FILE))
    assert FILE not in stored_zip.read(old)
    assert verify_bundle(old).events == len(item.events)
    assert check(module, old)[0]["ok"]


def changed(change: Change) -> Callable[[dict[str, bytes]], None]:
    def apply(files: dict[str, bytes]) -> None:
        document = json.loads(files[FILE])
        change(document["@graph"][0])
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert text.encode() != files[FILE]
        files[FILE] = text.encode()

    return apply


def file_node(whole: dict[str, Any]) -> Any:
    return nodes(whole, "uco-observable:File")[0]


FORGERIES: dict[str, Change] = {
    "another hash": lambda whole: file_node(whole)["uco-core:hasFacet"][1]["uco-observable:hash"][0][
        "uco-types:hashValue"
    ].update({"@value": "00" * 32}),
    "another size": lambda whole: file_node(whole)["uco-core:hasFacet"][1].update({"uco-observable:sizeInBytes": 1}),
    "another path": lambda whole: file_node(whole)["uco-core:hasFacet"][0].update({"uco-observable:filePath": "a"}),
    "a file too few": lambda whole: whole["uco-core:object"].remove(file_node(whole)),
    "a file twice": lambda whole: whole["uco-core:object"].append(file_node(whole)),
    "a file that nothing ties to the item": lambda whole: one(whole, "case-investigation:ProvenanceRecord")[
        "uco-core:object"
    ].pop(),
    "another basis": lambda whole: one(whole, "case-investigation:Authorization").update(
        {"uco-core:description": "Consent"}
    ),
    "another time": lambda whole: one(whole, "case-investigation:InvestigativeAction")["uco-action:startTime"].update(
        {"@value": "2026-11-29T09:00:00.000000Z"}
    ),
    "another operator": lambda whole: one(whole, "uco-identity:Organization").update({"uco-core:name": "Other Post"}),
    "another item": lambda whole: one(whole, "uco-core:Item").update({"uco-core:name": "RA473012359GB"}),
    "a person's name": lambda whole: one(whole, "uco-observable:Account").update({"uco-core:name": "A. Clerk"}),
    "another class": lambda whole: whole.update({"@type": "uco-core:Grouping"}),
}


def test_both_refuse_a_description_of_something_else(log_and_item: tuple[SampleLog, Item], module: Path) -> None:
    log, item = log_and_item
    data = written(log, made(log, item))
    forged = [resigned(log, data, changed(change)) for change in FORGERIES.values()]
    spaced = resigned(log, data, lambda files: files.update({FILE: files[FILE].replace(b":{", b": {", 1)}))
    empty = resigned(log, data, lambda files: files.update({FILE: b""}))
    for each in (*forged, spaced, empty):
        with pytest.raises(ProofFailed) as caught:
            verify_bundle(each)
        assert caught.value.message.startswith(FILE)
    both_refuse(module, *forged, spaced, empty)
    assert {answer["where"] for answer in check(module, *forged, spaced, empty)} == {FILE}


def test_a_description_of_another_bundle_is_refused(log_and_item: tuple[SampleLog, Item], module: Path) -> None:
    log, item = log_and_item
    bundle = made(log, item)
    other = stored_zip.read(written(log, dataclasses.replace(bundle, reference="case 8")))[FILE]
    swapped = resigned(log, written(log, bundle), lambda files: files.update({FILE: other}))
    both_refuse(module, swapped)
    assert evidence.NOTE_HEADER.encode() in stored_zip.read(swapped)["manifest.note"]
