"""Evidence bundles for tests: honest ones, and what a dishonest operator could sign and hand over instead."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.custody.sample_log import DEVICE_ID, DEVICE_KEY, ENROLMENT_SALT, Item, SampleLog, enrolment, witness

from parcelward.base.standards import signed_request
from parcelward.custody import (
    checkpoints,
    evidence,
    evidence_case,
    evidence_devices,
    notes,
    policy,
    stored_zip,
    tree,
    wire,
)

DEVICE_FILE = f"devices/{DEVICE_ID}.json"
DEVICE_PROOF = f"proofs/{DEVICE_ID}.tlog-proof"
NAMES = wire.GROUPS


def group(event: dict[str, Any], name: str, *, reveal: bool) -> evidence.Revealed | evidence.Hidden:
    held = event["groups"][name]
    if reveal:
        return evidence.Revealed(held["canon"].encode(), bytes.fromhex(held["salt"]))
    return evidence.Hidden(bytes.fromhex(held["hash"]))


def event_evidence(log: SampleLog, event: dict[str, Any], sequence: int, reveal: set[str]) -> evidence.EventEvidence:
    public, *others = (group(event, name, reveal=name in reveal) for name in NAMES)
    return evidence.EventEvidence(
        sequence=sequence,
        event_id=UUID(event["event_id"]),
        groups=(public, others[0], others[1], others[2]),
        body_hash=bytes.fromhex(event["body_hash"]),
        log_index=event["log_index"],
        path=tuple(tree.inclusion_path(event["log_index"], len(log.leaves), log.read)),
    )


def device(
    log: SampleLog, *sequences: int, events: Sequence[str] = (), key: Ed25519PrivateKey = DEVICE_KEY
) -> evidence_devices.DeviceEvidence:
    """Return a device that signed these requests, the first of which recorded `events`."""
    public = key.public_key().public_bytes_raw()
    key_id, batches = signed_request.key_id_of(public), []
    for nth, sequence in enumerate(sequences):
        digest = hashlib.sha256(b"body %d" % sequence).digest()
        params = signed_request.parameters(created_s=1_795_000_000 + sequence, key_id=key_id)
        base = signed_request.base(path="/api/v1/scans", digest=digest, sequence=sequence, params=params)
        signature, mine = key.sign(base.encode()), () if nth else tuple(events)
        batches.append(evidence_devices.SignedBatch(sequence, base, signature, digest, mine))
    index = log.enrol()
    path = tuple(tree.inclusion_path(index, len(log.leaves), log.read))
    enrolled = evidence_devices.Enrolment(enrolment(), ENROLMENT_SALT, index, path)
    return evidence_devices.DeviceEvidence(DEVICE_ID, key_id, public, enrolled, tuple(batches))


def made(log: SampleLog, item: Item, *, leave_out: tuple[int, ...] = (), **change: Any) -> evidence.Bundle:
    """Return a bundle of all but some of the item's events; `reveal` says more of the third, or of all."""
    log.enrol()
    reveal = change.pop("reveal", None)
    witnesses = (witness(1), witness(2))
    events = tuple(
        event_evidence(log, event, number, reveal or ({"public", "addressee"} if number == 3 else {"public"}))
        for number, event in enumerate(item.events, start=1)
        if number not in leave_out
    )
    signed = [f"itm_one/{each.sequence:06}" for each in events if each.sequence != 3]  # the third, somebody at the desk
    whole = evidence.Bundle(
        made_at=dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC),
        reference="case 7 <b>",
        legal_basis="Order of the court",
        exporter="acc_12",
        operator="Example Post",
        software="parcelward 0.1.0",
        policy=policy.quorum_of(2, logs=[log.signer.verifier], witnesses=[each.verifier for each in witnesses]),
        checkpoint=log.checkpoint(witnesses=witnesses),
        items=(evidence.ItemEvidence("itm_one", item.number, len(item.events), events),),
        devices=(device(log, 4, 5, 9, events=signed),),
        verify_html=b"<!doctype html><title>verify</title>",
    )
    return dataclasses.replace(whole, **change)


def written(log: SampleLog, bundle: evidence.Bundle) -> bytes:
    return evidence.write_bundle(bundle, sign=lambda text: notes.sign(text, [log.signer]))


def resigned(log: SampleLog, data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Return the bundle after `change`, with manifest and note made anew: what a dishonest operator could hand over.

    So is case.jsonld, unless it is what the change is about.
    """
    files = stored_zip.read(data)
    manifest = json.loads(files.pop("manifest.json"))
    del files["manifest.note"]
    described = files.get(evidence_case.FILE)
    change(files)
    if described is not None and files.get(evidence_case.FILE) == described:
        files[evidence_case.FILE] = _described(manifest, files)
    manifest["files"] = _rows(files)
    manifest["verifier_sha256"] = hashlib.sha256(files["verify.html"]).hexdigest()
    files["manifest.json"] = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    files["manifest.note"] = notes.sign(evidence.note_text(files["manifest.json"]), [log.signer])
    return stored_zip.write(files)


def _rows(files: dict[str, bytes]) -> list[dict[str, Any]]:
    return [
        {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for path, content in sorted(files.items())
    ]


def _described(manifest: dict[str, Any], files: dict[str, bytes]) -> bytes:
    whole = msgspec.convert(manifest | {"files": _rows(files)}, evidence.Manifest)
    items = [
        evidence.ItemChain(each["item_id"], each["number"], 0, []) for each in json.loads(files["chain.json"])["items"]
    ]
    origin = checkpoints.parse(notes.parse(files[evidence.CHECKPOINT]).text).origin
    return evidence_case.described(whole, items, origin)


def edit(path: str, **fields: Any) -> Callable[[dict[str, bytes]], None]:
    """Return a change of top-level fields in one JSON file."""

    def change(files: dict[str, bytes]) -> None:
        value = json.loads(files[path]) | fields
        files[path] = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    return change
