"""Evidence bundles: what a court, a customer or another post needs to check a parcel's history without us.

A bundle is one archive (`stored_zip`), the same bytes for the same values:

    manifest.json        every other file with its size and SHA-256; on what legal basis, by whom, with which tool
    manifest.note        the manifest's hash, as a signed note
    policy.txt           the keys of the log and its witnesses, and the quorum (C2SP tlog-policy)
    checkpoints/         the checkpoint that all proofs lead to; an archive checkpoint before it, with its proof
    succession.json      where the log's key was ever replaced: the entries that say so
    events/<item>/       one file an event: the groups that are revealed with their salts, the others as hashes
    proofs/<item>/       one C2SP tlog-proof an event
    devices/             one file a device: its key as the log enrolled it, and each request that it signed
    chain.json           the sequences of items and devices, with every gap declared
    report.html, certification.txt, verify.html       for people: to print, to sign, to check offline
    case.jsonld          all of this once more, for forensic tools (CASE/UCO)

Values in, bytes out: nothing here reads a database, a clock or a setting. `evidence_check` reads bundles.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from parcelward.custody import checkpoints, evidence_case, evidence_words, notes, proofs, stored_zip, succession
from parcelward.custody.archive import Archived
from parcelward.custody.errors import ProofFailed
from parcelward.custody.evidence_devices import BODIES, DeviceEvidence, device_file, enrolment_proof
from parcelward.custody.evidence_files import canonical
from parcelward.custody.policy import Policy
from parcelward.custody.wire import ENTRY_PREFIX, EVENT_DOMAIN, GROUPS, NOTHING_BEFORE, group_hash

FORMAT: Final = "parcelward/v1/evidence"
NOTE_HEADER: Final = "Parcelward evidence manifest v1"
NO_EVENT: Final = NOTHING_BEFORE.hex()
CHECKPOINT: Final = "checkpoints/checkpoint.note"


@dataclass(frozen=True, slots=True)
class Revealed:
    """A group that the bundle opens: its exact bytes (UTF-8 JSON, or nothing) and its 32-byte salt."""

    canon: bytes
    salt: bytes


@dataclass(frozen=True, slots=True)
class Hidden:
    """A group that the bundle keeps closed: its 32-byte hash."""

    hash: bytes


@dataclass(frozen=True, slots=True)
class EventEvidence:
    """One event: its place in the item's own sequence (from 1), its four groups in order, its place in the log."""

    sequence: int
    event_id: UUID
    groups: tuple[Revealed | Hidden, Revealed | Hidden, Revealed | Hidden, Revealed | Hidden]
    body_hash: bytes
    log_index: int
    path: tuple[bytes, ...]  # inclusion proof to the bundle's checkpoint, leaf side first


@dataclass(frozen=True, slots=True)
class ItemEvidence:
    """One item's events in sequence. Sequence numbers between 1 and `events_total` that are left out are declared."""

    item_id: str  # itm_...
    number: str
    events_total: int
    events: tuple[EventEvidence, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that goes into a bundle. `exporter` is an account's identifier, never a person's name."""

    made_at: dt.datetime
    reference: str  # the case or inquiry that asked for it
    legal_basis: str
    exporter: str
    operator: str
    software: str  # "parcelward 0.1.0"
    policy: Policy
    checkpoint: bytes
    items: tuple[ItemEvidence, ...]
    devices: tuple[DeviceEvidence, ...]
    verify_html: bytes
    succession: bytes = b""  # empty: the log has its first key
    archived: Archived | None = None


class FileRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file in the manifest."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """manifest.json."""

    format: str
    made_at: str
    reference: str
    legal_basis: str
    exporter: str
    operator: str
    software: str
    verifier_sha256: str
    absent: dict[str, str]
    files: list[FileRow]


class GroupFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A group within an event's file: either `canon` and `salt`, or `hash`."""

    canon: str | None = None
    salt: str | None = None
    hash: str | None = None


class EventFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """events/<item>/<sequence>.json."""

    item_id: str
    event_id: UUID
    groups: dict[str, GroupFile]
    body_hash: str
    commitment: str
    log_index: int


class PublicGroup(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What the public group of an event says; only a correction has `authorised` and `corrects`."""

    at: str
    authorised: bool | None = None  # whether its actor may correct anybody's events
    corrects: str | None = None  # the event that it declares wrong, 32 hex digits
    event: int
    id: str
    item: str  # the item's number as it was scanned, or itm_...
    place: str
    previous: str
    step: str


class ItemChain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An item's sequence: how many events it has, and the runs of them, first and last, that the bundle leaves out."""

    item_id: str
    number: str
    events_total: int
    missing: list[tuple[int, int]]


class DeviceChain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device's sequence: the first and last batch shown, and the runs between them that the bundle leaves out."""

    device_id: str
    first: int
    last: int
    missing: list[tuple[int, int]]


class Chain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """chain.json."""

    items: list[ItemChain]
    devices: list[DeviceChain]


def hash_of(group: Revealed | Hidden) -> bytes:
    """Return the group's hash as the commitment uses it."""
    if isinstance(group, Hidden):
        return group.hash
    return group_hash(group.salt, group.canon)


def commitment(groups: Iterable[Revealed | Hidden], body_hash: bytes) -> bytes:
    """Return an event's commitment from its four groups, in order, and the hash of its encrypted body."""
    return hashlib.sha256(EVENT_DOMAIN + b"".join(map(hash_of, groups)) + body_hash).digest()


def event_path(item_id: str, sequence: int) -> str:
    """Return `<item>/<sequence>`, as it stands below events/ and proofs/."""
    return f"{item_id}/{sequence:06}"


def missing_runs(present: Iterable[int], first: int, last: int) -> list[tuple[int, int]]:
    """Return the runs (from, to), both inclusive, of numbers between `first` and `last` that are not present."""
    runs, expected = [], first
    for number in sorted(set(present)):
        if number > expected:
            runs.append((expected, number - 1))
        expected = number + 1
    return [*runs, (expected, last)] if expected <= last else runs


def note_text(manifest: bytes) -> str:
    """Return the text of manifest.note. Its second line is no number, so that it can never pass for a checkpoint."""
    return f"{NOTE_HEADER}\nsha256 {hashlib.sha256(manifest).hexdigest()}\n"


def write_bundle(bundle: Bundle, *, sign: Callable[[str], bytes]) -> bytes:
    """Return the bundle's bytes. `sign` turns the manifest note's text into a signed note, by a key of the log.

    Raises ProofFailed when the values do not even fit together; whether they are true is for `evidence_check`, which
    the caller runs over the result before it hands anything over.
    """
    files = _facts(bundle)
    files["report.html"] = evidence_words.report(bundle).encode()
    files["certification.txt"] = evidence_words.certification(bundle).encode()
    files["verify.html"] = bundle.verify_html
    origin = checkpoints.parse(notes.parse(bundle.checkpoint).text).origin
    chain = _chain(bundle.items, bundle.devices)
    files[evidence_case.FILE] = evidence_case.described(_manifest(bundle, files), chain.items, origin)
    manifest = canonical(_manifest(bundle, files))
    files["manifest.json"] = manifest
    files["manifest.note"] = sign(note_text(manifest))
    return stored_zip.write(files)


def _manifest(bundle: Bundle, files: Mapping[str, bytes]) -> Manifest:
    return Manifest(
        format=FORMAT,
        made_at=utc_text(bundle.made_at),
        reference=bundle.reference,
        legal_basis=bundle.legal_basis,
        exporter=bundle.exporter,
        operator=bundle.operator,
        software=bundle.software,
        verifier_sha256=hashlib.sha256(bundle.verify_html).hexdigest(),
        absent=absent(bundle),
        files=[
            FileRow(path, len(content), hashlib.sha256(content).hexdigest()) for path, content in sorted(files.items())
        ],
    )


def absent(bundle: Bundle) -> dict[str, str]:
    """Return what a receiver may look for in vain, and why it is not there."""
    signed = sum(len(batch.events) for device in bundle.devices for batch in device.batches)
    unsigned = sum(len(item.events) for item in bundle.items) - signed
    words = {}
    if bundle.devices:
        words["bodies/"] = BODIES
    if unsigned:
        words["devices/"] = (
            f"{unsigned} of the events have no device's signature here: a person or a partner's system recorded them, "
            "which sign nothing, or they are older than the keeping of signatures."
        )
    return words


def utc_text(moment: dt.datetime) -> str:
    """Return RFC 3339 in UTC with six decimals, as canonical groups write times."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def said(event: EventEvidence) -> PublicGroup:
    """Return what the event says publicly, or raise ProofFailed: a bundle always opens the public group."""
    public = event.groups[0]
    if isinstance(public, Hidden):
        raise ProofFailed("An event's public part is always revealed.")
    try:
        return msgspec.json.decode(public.canon, type=PublicGroup)
    except msgspec.DecodeError:
        raise ProofFailed("An event's public part cannot be read.") from None


def _facts(bundle: Bundle) -> dict[str, bytes]:
    """Return the files that the proofs rest on."""
    notes.parse(bundle.checkpoint)
    files = {"policy.txt": bundle.policy.text.encode(), CHECKPOINT: bundle.checkpoint}
    if bundle.succession:
        files[succession.FILE] = bundle.succession
    if bundle.archived is not None:
        files |= bundle.archived.files
    for item in bundle.items:
        for event in item.events:
            where = event_path(item.item_id, event.sequence)
            if f"events/{where}.json" in files or said(event).event != event.sequence:
                raise ProofFailed("An event stands twice in the bundle, or under another number than its own.")
            files[f"events/{where}.json"] = canonical(_event_file(item, event))
            # The extra data is the entry itself, so that each proof can also be checked alone.
            entry = ENTRY_PREFIX + commitment(event.groups, event.body_hash)
            proof = proofs.Proof(event.log_index, event.path, bundle.checkpoint, entry)
            files[f"proofs/{where}.tlog-proof"] = proof.text
    for device in bundle.devices:
        files[f"devices/{device.device_id}.json"] = canonical(device_file(device))
        files[f"proofs/{device.device_id}.tlog-proof"] = enrolment_proof(device.enrolled, bundle.checkpoint)
    files["chain.json"] = canonical(_chain(bundle.items, bundle.devices))
    return files


def _event_file(item: ItemEvidence, event: EventEvidence) -> EventFile:
    return EventFile(
        item_id=item.item_id,
        event_id=event.event_id,
        groups={name: _group_file(group) for name, group in zip(GROUPS, event.groups, strict=True)},
        body_hash=event.body_hash.hex(),
        commitment=commitment(event.groups, event.body_hash).hex(),
        log_index=event.log_index,
    )


def _group_file(group: Revealed | Hidden) -> GroupFile:
    if isinstance(group, Hidden):
        return GroupFile(hash=group.hash.hex())
    return GroupFile(canon=group.canon.decode(), salt=group.salt.hex())


def _chain(items: Sequence[ItemEvidence], devices: Sequence[DeviceEvidence]) -> Chain:
    """Return the declaration of what the bundle holds of each sequence, and what it does not."""
    chains = []
    for device in devices:
        numbers = [each.sequence for each in device.batches]
        if not numbers:
            raise ProofFailed("A device in the bundle has signed nothing.")
        first, last = min(numbers), max(numbers)
        chains.append(DeviceChain(device.device_id, first, last, missing_runs(numbers, first, last)))
    return Chain(
        [
            ItemChain(
                item.item_id,
                item.number,
                item.events_total,
                missing_runs((event.sequence for event in item.events), 1, item.events_total),
            )
            for item in items
        ],
        chains,
    )
