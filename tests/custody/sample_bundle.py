"""Evidence bundles for tests: honest ones, and what a dishonest operator could sign and hand over instead."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.custody.sample_log import Item, SampleLog, witness

from parcelward.custody import evidence, notes, policy, stored_zip, tree, wire

DEVICE_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"a device").digest())
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


def device(*sequences: int) -> evidence.DeviceEvidence:
    batches = []
    for sequence in sequences:
        base = f'"@method": POST\n"content-digest": sha-256=:x:\n"device-sequence": {sequence}\n"@signature-params": ()'
        batches.append(evidence.SignedBatch(sequence, base, DEVICE_KEY.sign(base.encode())))
    return evidence.DeviceEvidence("dev_1", "key-1", DEVICE_KEY.public_key().public_bytes_raw(), tuple(batches))


def made(log: SampleLog, item: Item, *, leave_out: tuple[int, ...] = (), **change: Any) -> evidence.Bundle:
    witnesses = (witness(1), witness(2))
    events = tuple(
        event_evidence(log, event, number, {"public", "addressee"} if number == 3 else {"public"})
        for number, event in enumerate(item.events, start=1)
        if number not in leave_out
    )
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
        devices=(device(4, 5, 9),),
        verify_html=b"<!doctype html><title>verify</title>",
    )
    return dataclasses.replace(whole, **change)


def written(log: SampleLog, bundle: evidence.Bundle) -> bytes:
    return evidence.write_bundle(bundle, sign=lambda text: notes.sign(text, [log.signer]))


def resigned(log: SampleLog, data: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """Return the bundle after `change`, with manifest and note made anew: what a dishonest operator could hand over."""
    files = stored_zip.read(data)
    manifest = json.loads(files.pop("manifest.json"))
    del files["manifest.note"]
    change(files)
    manifest["files"] = [
        {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for path, content in sorted(files.items())
    ]
    manifest["verifier_sha256"] = hashlib.sha256(files["verify.html"]).hexdigest()
    files["manifest.json"] = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    files["manifest.note"] = notes.sign(evidence.note_text(files["manifest.json"]), [log.signer])
    return stored_zip.write(files)


def edit(path: str, **fields: Any) -> Callable[[dict[str, bytes]], None]:
    """Return a change of top-level fields in one JSON file."""

    def change(files: dict[str, bytes]) -> None:
        value = json.loads(files[path]) | fields
        files[path] = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    return change
