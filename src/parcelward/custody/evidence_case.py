"""case.jsonld: what an evidence bundle is, in the words that forensic tools exchange (CASE 1.4 on UCO 1.4, JSON-LD).

One uco-core:Bundle holds the nodes: the operator who exported, the account and the tool it used, the export as an
investigative action, on which legal basis, the postal items, every other file with its SHA-256, and the provenance
record that ties files to items. All of it follows from manifest.json, chain.json and the log's name: so it says nothing
more than they do, no person's name, and who verifies a bundle makes it anew and compares.

Identifiers are version 5 UUIDs (RFC 9562), of addresses below the log's own. `static/parcelward/case.js` does the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from parcelward.custody.errors import ProofFailed
from parcelward.custody.evidence_files import canonical

if TYPE_CHECKING:
    from parcelward.custody.evidence import FileRow, ItemChain, Manifest

FILE: Final = "case.jsonld"
_UCO: Final = ("action", "core", "identity", "observable", "tool", "types")
CONTEXT: Final = {
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    **{f"uco-{each}": f"https://ontology.unifiedcyberontology.org/uco/{each}/" for each in _UCO},
}

Node = dict[str, Any]


def described(manifest: Manifest, items: Sequence[ItemChain], origin: str) -> bytes:
    """Return case.jsonld of a bundle from its manifest, whose row for case.jsonld itself does not matter."""
    log = f"https://{origin}"
    rows = [row for row in manifest.files if row.path != FILE]
    report = next(row.sha256 for row in rows if row.path == "report.html")
    whole = f"{log}#bundle/{manifest.made_at}/{report}"
    post = _node(f"{log}#operator", "uco-identity:Organization", **{"uco-core:name": manifest.operator})
    used = [_account(manifest.exporter, post, log), _tool(manifest.software, log)]
    basis = [_authorization(manifest.legal_basis, whole)] if manifest.legal_basis else []
    parcels = [_item(item, origin) for item in items]
    files = [_file(row, whole) for row in rows]
    record = _node(
        f"{whole}/provenance",
        "case-investigation:ProvenanceRecord",
        **{"case-investigation:exhibitNumber": manifest.reference, "uco-core:object": _refs(parcels + files)},
    )
    action = _node(
        f"{whole}/export",
        "case-investigation:InvestigativeAction",
        **{
            "uco-action:instrument": _refs(used),
            "uco-action:object": _refs(parcels),
            "uco-action:performer": _ref(post),
            "uco-action:result": _refs([record]),
            "uco-action:startTime": {"@type": "xsd:dateTime", "@value": manifest.made_at},
            "uco-core:name": "Export of an evidence bundle",
        },
    )
    inquiry = _node(
        f"{whole}/investigation",
        "case-investigation:Investigation",
        **{
            "case-investigation:relevantAuthorization": _refs(basis),
            "uco-core:name": manifest.reference,
            "uco-core:object": _refs([action, record]),
        },
    )
    nodes = [post, *used, *basis, *parcels, *files, record, action, inquiry]
    about = {"uco-core:createdBy": _ref(post), "uco-core:object": nodes}
    return canonical({"@context": CONTEXT, "@graph": [_node(whole, "uco-core:Bundle", **about)]})


def verify(files: Mapping[str, bytes], manifest: Manifest, items: Sequence[ItemChain], origin: str) -> None:
    """Raise ProofFailed unless a bundle's case.jsonld, if it has one, says what the manifest and chain.json say."""
    if FILE in files and files[FILE] != described(manifest, items, origin):
        raise ProofFailed("It does not describe the bundle as manifest.json and chain.json do.")


def _node(address: str, kind: str, **said: object) -> Node:
    return {"@id": uuid.uuid5(uuid.NAMESPACE_URL, address).urn, "@type": kind, **said}


def _ref(node: Node) -> Node:
    return {"@id": node["@id"]}


def _refs(nodes: Sequence[Node]) -> list[Node]:
    return [_ref(each) for each in nodes]


def _account(name: str, post: Node, log: str) -> Node:
    """Return the account that exported, as the operator numbers it: never a person's name."""
    said = {"uco-observable:accountIdentifier": name, "uco-observable:accountIssuer": _ref(post)}
    at = f"{log}#account/{name}"
    facet = _node(f"{at}/facet", "uco-observable:AccountFacet", **said)
    return _node(at, "uco-observable:Account", **{"uco-core:hasFacet": [facet]})


def _tool(software: str, log: str) -> Node:
    name, _, version = software.partition(" ")
    said = {"uco-core:name": name, "uco-tool:version": version}
    return _node(f"{log}#tool/{software}", "uco-tool:Tool", **said)


def _authorization(words: str, whole: str) -> Node:
    said = {"case-investigation:authorizationType": "legal basis", "uco-core:description": words}
    return _node(f"{whole}/legal-basis", "case-investigation:Authorization", **said)


def _item(item: ItemChain, origin: str) -> Node:
    at = f"https://{origin}#item/{item.item_id}"
    said = {"uco-core:definingContext": origin, "uco-core:externalIdentifier": item.item_id}
    known = _node(f"{at}/reference", "uco-core:ExternalReference", **said)
    name = item.number or item.item_id
    return _node(at, "uco-core:Item", **{"uco-core:externalReference": [known], "uco-core:name": name})


def _file(row: FileRow, whole: str) -> Node:
    at = f"{whole}/file/{row.path}"
    where = {"uco-observable:fileName": row.path.rpartition("/")[2], "uco-observable:filePath": row.path}
    value = {"@type": "xsd:hexBinary", "@value": row.sha256}
    made = _node(f"{at}#sha256", "uco-types:Hash", **{"uco-types:hashMethod": "SHA256", "uco-types:hashValue": value})
    content = {"uco-observable:hash": [made], "uco-observable:sizeInBytes": row.size}
    facets = [
        _node(f"{at}#file", "uco-observable:FileFacet", **where),
        _node(f"{at}#content", "uco-observable:ContentDataFacet", **content),
    ]
    return _node(at, "uco-observable:File", **{"uco-core:hasFacet": facets})
