"""A whole log in memory for tests of proofs: items, events, tiles, checkpoints and witnesses, all seeded by names."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from scripts import make_test_vectors as oracle

from parcelward.custody import checkpoints, notes, tiles, tree
from parcelward.custody.keys import KeyName, SignatureType, Signer, Verifier
from parcelward.custody.wire import ENTRY_PREFIX, fact_commitment

ORIGIN = "post.example/log"
WITNESSED_AT_S = 1_795_000_000
DEVICE_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"a device").digest())
DEVICE_ID = "dev_00000000000000000000000000000001"
DEVICE_SOURCE = 17
ENROLMENT_SALT = hashlib.sha256(b"salt of an enrolment").digest()
STEPS = ("accepted", "left_sorting", "at_delivery_office", "out_for_delivery", "delivered")


def enrolment(**change: Any) -> bytes:
    """Return what the log says of the sample device."""
    said = {
        "at": "2026-11-01T08:00:00+00:00",
        "by": 1,
        "device": str(UUID(DEVICE_ID.removeprefix("dev_"))),
        "key": DEVICE_KEY.public_key().public_bytes_raw().hex(),
        "kind": "people.device_enrolled",
        "source": DEVICE_SOURCE,
    } | change
    return json.dumps(said, sort_keys=True, separators=(",", ":")).encode()


def signer(name: str, kind: SignatureType = SignatureType.ED25519) -> Signer:
    return Signer(KeyName(name), kind, hashlib.sha256(f"{name} {kind}".encode()).digest())


def witness(number: int) -> Signer:
    return signer(f"w{number}.example", SignatureType.COSIGNATURE)


@dataclass
class Item:
    """One parcel: its secret and the events recorded so far, as test vectors with a `log_index`."""

    name: str
    number: str = "RA473012345GB"
    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def secret(self) -> bytes:
        return hashlib.sha256(f"secret of {self.name}".encode()).digest()

    @property
    def link_key(self) -> bytes:
        return oracle.link_key(self.secret)


@dataclass
class SampleLog:
    """Leaf hashes in order, and what a server would answer about them."""

    signer: Signer = field(default_factory=lambda: signer(ORIGIN))
    leaves: list[bytes] = field(default_factory=list)
    enrolled: int | None = None  # log index of the entry that enrolled the sample device

    def enrol(self) -> int:
        """Return where the entry is that enrols the sample device; appended at first use."""
        if self.enrolled is None:
            self.enrolled = len(self.leaves)
            self.leaves.append(tree.leaf_hash(ENTRY_PREFIX + fact_commitment(ENROLMENT_SALT, enrolment())))
        return self.enrolled

    def grow(self, count: int, salt: str = "") -> None:
        """Append entries of other items."""
        start = len(self.leaves)
        self.leaves += [tree.leaf_hash(f"other entry {salt}{start + i}".encode()) for i in range(count)]

    def record(
        self, item: Item, step: str, /, *, in_log: bool = True, operations: dict[str, Any] | None = None, **change: Any
    ) -> dict[str, Any]:
        """Append one event of the item; `change` overrides what its public group says."""
        number = len(item.events) + 1
        event_id = hashlib.sha256(f"{item.name} {number}".encode()).hexdigest()[:32]
        said: dict[str, Any] = {
            "at": f"2026-11-{number:02}T10:00:00.000000Z",
            "event": number,
            "event_id": event_id,
            "item": item.number,
            "place": f"LDS{number:02}",
            "previous": item.events[-1]["commitment"] if item.events else oracle.NO_EVENT,
            "step": step,
        } | change
        addressee = oracle.canonical({"window": f"{number}:00"}) if number % 2 else b""
        canons = [oracle.public_group(**said), addressee, oracle.canonical(operations or {"belt": number}), b""]
        event = oracle.vector(item.secret, event_id, canons, f"sealed body {number}".encode())
        event["log_index"] = len(self.leaves) if in_log else None
        if in_log:
            self.leaves.append(bytes.fromhex(event["leaf_hash"]))
        item.events.append(event)
        return event

    def read(self, level: int, index: int, count: int, /) -> bytes:
        """Be a `tree.HashReader` over the leaves."""
        span = tree.TILE_WIDTH**level
        return b"".join(
            tree.fold(b"".join(self.leaves[at * span : (at + 1) * span])) for at in range(index, index + count)
        )

    def checkpoint(self, size: int | None = None, *, witnesses: tuple[Signer, ...] = ()) -> bytes:
        """Return the signed checkpoint of the first `size` entries."""
        size = len(self.leaves) if size is None else size
        text = checkpoints.Checkpoint(ORIGIN, size, tree.root(size, self.read)).text
        note = notes.sign(text, [self.signer])
        return notes.add_signatures(
            note, [notes.signature(text, each, timestamp_s=WITNESSED_AT_S) for each in witnesses]
        )

    def files(self, size: int | None = None) -> dict[str, bytes]:
        """Return path -> bytes of all tiles of the first `size` entries, and its checkpoint."""
        size = len(self.leaves) if size is None else size
        found = {
            address.path: self.read(address.level or 0, address.index * tree.TILE_WIDTH, address.width)
            for address in tiles.tiles_of(size)
        }
        return found | {"checkpoint": self.checkpoint(size)}

    def proofs(self, item: Item, *, witnesses: tuple[Verifier, ...] = (), quorum: int = 0) -> dict[str, Any]:
        """Return what GET /api/v1/items/{item_id}/proofs answers."""
        return {
            "object": "proofs",
            "item_id": f"itm_{item.name}",
            "number": item.number,
            "mode": "test",
            "simulated": True,
            "origin": ORIGIN,
            "vkeys": [self.signer.verifier.vkey],
            "witness_vkeys": [each.vkey for each in witnesses],
            "witness_quorum": quorum,
            "shredded": False,
            "events_total": len(item.events),
            "events": [proofs_row(event) for event in item.events],
        }


def proofs_row(event: dict[str, Any]) -> dict[str, Any]:
    groups = event["groups"]
    digits = event["event_id"]
    return {
        "event_id": "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]]),
        "log_index": event["log_index"],
        "public": {"canon": groups["public"]["canon"], "salt": groups["public"]["salt"]},
        "groups": {name: groups[name]["hash"] for name in oracle.GROUPS[1:]},
        "body_hash": event["body_hash"],
        "commitment": event["commitment"],
        "addressee_sealed": event["addressee_sealed"],
    }


def base64_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def shown_of(item: Item) -> list[dict[str, Any]]:
    said = [json.loads(event["groups"]["public"]["canon"]) for event in item.events]
    return [{n: each[n] for n in ("id", "at", "step", "place")} | {"corrects": "corrects" in each} for each in said]


def journey(before: int, between: int, after: int) -> tuple[SampleLog, Item]:
    """Return a log in which an item's five events stand among other entries."""
    log, item = SampleLog(), Item("one")
    log.grow(before)
    for step in STEPS:
        log.record(item, step)
        log.grow(between)
    log.grow(after)
    return log, item
