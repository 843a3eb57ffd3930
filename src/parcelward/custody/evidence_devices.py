"""What an evidence bundle holds of the devices that recorded its events, and how a receiver checks it.

    devices/<device>.json           the device's key, the log's entry that enrolled it, and each request that it signed
    proofs/<device>.tlog-proof      that the log holds that entry

What this shows: a device, whose key the log named when it was enrolled, signed a request whose body has this SHA-256.
The body is not kept, so the bundle cannot show that an event was in it: where the event's operations group is open, it
names the device and the request itself, and was committed to; where it is closed, the operator says so.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidSignature

from parcelward.base import ed25519
from parcelward.base.standards import signed_request
from parcelward.custody import lines, proofs, tree
from parcelward.custody.errors import ProofFailed
from parcelward.custody.evidence_files import decode, held, unhex, within
from parcelward.custody.wire import ENTRY_PREFIX, fact_commitment

if TYPE_CHECKING:
    from parcelward.custody.evidence import DeviceChain, EventFile
    from parcelward.custody.notes import SignedCheckpoint

BODIES: Final = (
    "A device signed the SHA-256 of a whole request. The request itself is not kept: shown is that the device signed a "
    "body with this hash under this number, not which events were in it."
)
_CREATED: Final = re.compile(r";created=([1-9][0-9]{9,11});", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignedBatch:
    """What a device signed for one request: the RFC 9421 signature base, as text, and the Ed25519 signature.

    `events` are the shown events that it recorded, each as `<item>/<number>`.
    """

    sequence: int
    signature_base: str
    signature: bytes
    body_digest: bytes
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The log's entry that enrolled a device, in clear, with its salt and its place."""

    body: bytes
    salt: bytes
    log_index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class DeviceEvidence:
    """A device that recorded some of the events: its Ed25519 public key and its batches by rising sequence."""

    device_id: str  # dev_...
    key_id: str
    public_key: bytes
    enrolled: Enrolment
    batches: tuple[SignedBatch, ...]


class BatchFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request within a device's file."""

    sequence: int
    body_sha256: str
    events: list[str]
    signature_base: str
    signature: str


class EnrolmentFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The entry that enrolled the device."""

    body: str
    salt: str
    log_index: int


class DeviceFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """devices/<device>.json."""

    device_id: str
    key_id: str
    public_key_ed25519: str
    enrolled: EnrolmentFile
    batches: list[BatchFile]


class _Enrolled(msgspec.Struct, frozen=True):
    kind: Literal["people.device_enrolled"]
    device: UUID
    key: str
    source: int


class _Sent(msgspec.Struct, frozen=True):
    """What an event's operations group says of who sent it."""

    source: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What the devices of a bundle show."""

    signatures: int = 0
    devices: int = 0
    events: int = 0  # for which a signature is here
    named: int = 0  # of those, the ones whose own committed words name the device and the request

    def __add__(self, other: Shown) -> Shown:
        both = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Shown(*(mine + theirs for mine, theirs in both))


def device_file(device: DeviceEvidence) -> DeviceFile:
    """Return the device's file."""
    return DeviceFile(
        device_id=device.device_id,
        key_id=device.key_id,
        public_key_ed25519=lines.base64_text(device.public_key),
        enrolled=EnrolmentFile(
            device.enrolled.body.decode(), device.enrolled.salt.hex(), device.enrolled.log_index
        ),
        batches=[
            BatchFile(
                *(each.sequence, each.body_digest.hex(), list(each.events), each.signature_base),
                lines.base64_text(each.signature),
            )
            for each in device.batches
        ],
    )  # fmt: skip


def enrolment_proof(enrolled: Enrolment, checkpoint: bytes) -> bytes:
    """Return the tlog-proof that the log holds the entry."""
    entry = ENTRY_PREFIX + fact_commitment(enrolled.salt, enrolled.body)
    return proofs.Proof(enrolled.log_index, enrolled.path, checkpoint, entry).text


def verify_device(
    device: DeviceChain,
    files: Mapping[str, bytes],
    signed: SignedCheckpoint,
    checkpoint: bytes,
    events: dict[str, EventFile],
) -> Shown:
    """Check a device's key against the log, and each of its signatures; take its events out of `events`.

    Raises ProofFailed, which names the file.
    """
    path = f"devices/{device.device_id}.json"
    with within(path):
        found = decode(held(files, path), DeviceFile)
        public = lines.base64_bytes(found.public_key_ed25519, ProofFailed)
        try:
            key = ed25519.PublicKey(public)
        except ValueError:
            raise ProofFailed("The device's public key is not a key.") from None
        if found.device_id != device.device_id or found.key_id != signed_request.key_id_of(public):
            raise ProofFailed("The file is another device's, or its key has another id.")
        source = _enrolled(found, public)
        named = sum(_batch(batch, found.key_id, key, source, events) for batch in found.batches)
    where = f"proofs/{device.device_id}.tlog-proof"
    with within(where):
        _require_in_log(found.enrolled, proofs.parse(held(files, where)), signed, checkpoint)
    shown = sum(len(batch.events) for batch in found.batches)
    return Shown(len(found.batches), 1, shown, named)


def _enrolled(found: DeviceFile, public: bytes) -> int:
    """Return the device's number as the entry that enrolled it says, once that entry is this device's and key's."""
    try:
        said = msgspec.json.decode(found.enrolled.body, type=_Enrolled)
    except msgspec.DecodeError:
        raise ProofFailed("The entry of the log did not enrol a device.") from None
    if f"dev_{said.device.hex}" != found.device_id or said.key != public.hex():
        raise ProofFailed("The log enrolled the device with another key, or another device.")
    return said.source


def _batch(batch: BatchFile, key_id: str, key: ed25519.PublicKey, source: int, events: dict[str, EventFile]) -> int:
    """Check one signed request; return how many of its events name it themselves."""
    created = _CREATED.search(batch.signature_base)
    params = "" if created is None else signed_request.parameters(created_s=int(created[1]), key_id=key_id)
    base = signed_request.base(
        path=signed_request.SCANS_PATH, digest=unhex(batch.body_sha256), sequence=batch.sequence, params=params
    )
    if batch.signature_base != base:
        raise ProofFailed(f"What the device signed as batch {batch.sequence} does not say that number, hash and key.")
    try:
        key.verify(lines.base64_bytes(batch.signature, ProofFailed), base.encode())
    except InvalidSignature:
        raise ProofFailed(f"The device did not sign batch {batch.sequence}.") from None
    named = 0
    for where in batch.events:
        event = events.pop(where, None)
        if event is None:
            raise ProofFailed(f"Batch {batch.sequence} names an event that is not shown, or that another one names.")
        said = _sent(event)
        if said is not None and said != _Sent(source, batch.sequence):
            raise ProofFailed(f"Event {where} says that another device or batch recorded it than {batch.sequence}.")
        named += said is not None
    return named


def _sent(event: EventFile) -> _Sent | None:
    """Return who recorded an event as it says itself; None where its operations group is closed."""
    canon = event.groups["operations"].canon
    if canon is None:
        return None
    try:
        return msgspec.json.decode(canon, type=_Sent)
    except msgspec.DecodeError:
        raise ProofFailed("An event's operations group does not say who recorded it.") from None


def _require_in_log(enrolled: EnrolmentFile, proof: proofs.Proof, signed: SignedCheckpoint, checkpoint: bytes) -> None:
    entry = ENTRY_PREFIX + fact_commitment(unhex(enrolled.salt), enrolled.body.encode())
    if (proof.extra, proof.checkpoint, proof.index) != (entry, checkpoint, enrolled.log_index):
        raise ProofFailed("The proof is of another entry or place, or leads to another checkpoint than the bundle's.")
    head = signed.checkpoint
    tree.verify_inclusion(tree.leaf_hash(entry), proof.index, head.size, proof.path, head.root)
