"""Checks an evidence bundle offline: no database, no network, no clock.

Verification raises ProofFailed, whose sentence begins with the file that fails; a Report comes back only if all holds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from parcelward.custody import (
    archive,
    evidence,
    evidence_case,
    keys,
    notes,
    policy,
    proofs,
    stored_zip,
    succession,
    tree,
)
from parcelward.custody.errors import ProofFailed
from parcelward.custody.evidence import Hidden, Revealed
from parcelward.custody.evidence_devices import DeviceFile, Shown, verify_device
from parcelward.custody.evidence_files import decode, held, unhex, within
from parcelward.custody.keys import Verifier
from parcelward.custody.policy import Policy
from parcelward.custody.timestamps import Roots
from parcelward.custody.wire import ENTRY_PREFIX, GROUPS

FIXED_FILES: Final = (
    evidence.CHECKPOINT,
    "certification.txt",
    "chain.json",
    "policy.txt",
    "report.html",
    "verify.html",
)
MAYBE_FILES: Final = frozenset(
    {succession.FILE, archive.NOTE, archive.CONSISTENCY, archive.TIMESTAMP, evidence_case.FILE}
)
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked and held. `pinned` is False when the log's keys were taken from the file itself."""

    origin: str
    size: int  # entries under the checkpoint that everything leads to
    root: bytes
    events: int
    items: tuple[str, ...]
    witnesses: tuple[str, ...]  # names of those whose cosignatures verified
    gaps: tuple[str, ...]  # what the file itself declares as left out
    pinned: bool
    verifier_sha256: str = ""  # of the bundle's verify.html; empty for a bare proof
    said: str = ""  # what an opened entry says
    receipt: str = ""  # which request's receipt was shown to be kept
    signers: tuple[Verifier, ...] = ()  # keys of the log that signed the checkpoint
    archived: tuple[str, ...] = ()  # about an archive checkpoint that the bundle holds, and its timestamp
    shown: Shown = Shown()  # noqa: RUF009 -- frozen: what devices' signatures in a bundle show

    @property
    def words(self) -> tuple[str, ...]:
        """The report as sentences."""
        what = f"The entry {self.said} was" if self.said else f"{self.events} event(s)"
        if self.receipt:
            what = f"All that the receipt promises ({self.receipt}) was"
        said = [
            f"{what} recomputed and found in the log {self.origin}.",
            f"The log then had {self.size} entries; root {self.root.hex()}.",
            f"Signed by the log's key {' and '.join(each.key_id.hex() for each in self.signers)}.",
            *self.archived,
            f"Witnesses: {', '.join(self.witnesses) or 'none'}.",
            *((self._devices,) if self.verifier_sha256 else ()),
            *(f"Left out: {gap}." for gap in self.gaps),
        ]
        if not self.pinned:
            said.append("The keys came with the file: compare them with those that the operator publishes elsewhere.")
        if self.verifier_sha256:
            said.append(f"verify.html has SHA-256 {self.verifier_sha256}; compare it with the published one.")
        return tuple(said)

    @property
    def _devices(self) -> str:
        shown = self.shown
        if not shown.signatures:
            return "Devices: no signature of a device is in the bundle."
        return (
            f"Devices: {shown.signatures} signature(s) by {shown.devices} device(s) that this log enrolled hold, over "
            f"the requests that recorded {shown.events} of {self.events} event(s). {shown.named} of these events name "
            "device and request themselves; for the others the operator says so. The requests' bodies are not kept."
        )


def verify_bundle(data: bytes, *, vkeys: Sequence[str] = (), tsa_roots: Roots = ()) -> Report:
    """Return what the bundle proves, or raise ProofFailed naming the first thing that fails.

    With `vkeys`, only log keys among them count, and if any is a witness's, only those witnesses count. With
    `tsa_roots`, a timestamp in the bundle has to be by an authority below one of them.
    """
    files = stored_zip.read(data)
    manifest = _manifest(files)
    with within(succession.FILE):
        links = succession.read(files[succession.FILE]) if succession.FILE in files else ()
    trusted = succession.trusted_through([keys.parse_vkey(text) for text in vkeys], links)
    with within("policy.txt"):
        whole = policy.parse(files["policy.txt"])
        rule, counted = trusted_part(whole, trusted)
    with within("manifest.note"):
        note = notes.open_note(files["manifest.note"], rule.logs)
        if note.text != evidence.note_text(files["manifest.json"]):
            raise ProofFailed("The signed hash is not that of manifest.json.")
    with within(evidence.CHECKPOINT):
        signed = notes.open_checkpoint(files[evidence.CHECKPOINT], logs=rule.logs, witnesses=counted)
        cosigners = [each.verifier for each in signed.verified_by(counted)]
        if not rule.met_by(cosigners):
            raise ProofFailed("Too few of the trusted witnesses cosigned the checkpoint.")
        signers = tuple(each.verifier for each in signed.verified_by(rule.logs))
        succession.require_current(signed.checkpoint.size, signers, links)
    with within(archive.NOTE):
        allowed = archive.keys_of(whole, rule, trusted)
        archived = archive.verify_within(files, signed.checkpoint, allowed, links, tsa_roots=tsa_roots)
        if tsa_roots and archive.TIMESTAMP not in files:
            archived = (*archived, "No timestamp of an authority is in the bundle.")
    with within("chain.json"):
        chain = decode(files["chain.json"], evidence.Chain)
        _require_one_each([item.item_id for item in chain.items])
        _require_one_each([device.device_id for device in chain.devices])
    opened: dict[str, evidence.EventFile] = {}
    gaps = [gap for item in chain.items for gap in _verify_item(item, files, signed, opened)]
    declared = _expected(chain) | MAYBE_FILES & files.keys()
    extra = sorted(files.keys() - declared - {"manifest.json", "manifest.note"})
    if extra:
        raise ProofFailed(f"{extra[0]}: The file belongs to nothing that chain.json declares.")
    events = len(opened)
    shown = Shown()
    for device in chain.devices:
        gaps += _verify_sequence(device, files)
        shown += verify_device(device, files, signed, files[evidence.CHECKPOINT], opened)
    with within(evidence_case.FILE):
        evidence_case.verify(files, manifest, chain.items, signed.checkpoint.origin)
    return Report(
        origin=signed.checkpoint.origin,
        size=signed.checkpoint.size,
        root=signed.checkpoint.root,
        events=events,
        items=tuple(item.item_id for item in chain.items),
        witnesses=tuple(each.name for each in cosigners),
        gaps=tuple(gaps),
        pinned=bool(vkeys),
        signers=signers,
        archived=archived,
        verifier_sha256=manifest.verifier_sha256,
        shown=shown,
    )


def _manifest(files: Mapping[str, bytes]) -> evidence.Manifest:
    """Return the manifest once every file of the archive is in it with its size and hash, and no other."""
    with within("manifest.json"):
        if "manifest.json" not in files or "manifest.note" not in files:
            raise ProofFailed("The bundle has no signed manifest.")
        manifest = decode(files["manifest.json"], evidence.Manifest)
        if manifest.format != evidence.FORMAT:
            raise ProofFailed("The bundle is of a format that this program does not know.")
        listed = {row.path: row for row in manifest.files}
        if len(listed) != len(manifest.files) or not listed.keys() >= set(FIXED_FILES):
            raise ProofFailed("The manifest lists a file twice, or lacks one that every bundle has.")
    for path in sorted(listed.keys() | files.keys() - {"manifest.json", "manifest.note"}):
        with within(path):
            if path not in files or path not in listed:
                raise ProofFailed(
                    "The file is missing." if path not in files else "The manifest does not list the file."
                )
            row, content = listed[path], files[path]
            if row.size != len(content) or row.sha256 != hashlib.sha256(content).hexdigest():
                raise ProofFailed("The file is not the one that the manifest lists.")
    if manifest.verifier_sha256 != listed["verify.html"].sha256:
        raise ProofFailed("verify.html: The file is not the verifier that the manifest names.")
    return manifest


def trusted_part(rule: Policy, trusted: Sequence[Verifier]) -> tuple[Policy, list[Verifier]]:
    """Return the bundle's policy narrowed to the log keys that the caller trusts, and the witnesses that count."""
    counted = list(rule.witnesses.values())
    logs = rule.logs
    if trusted:
        logs = tuple(each for each in logs if each in trusted)
    names = {each.name for each in rule.logs}  # of the logs: their ML-DSA-44 keys are timed as well, and no witnesses
    if any(each.kind.timed and each.name not in names for each in trusted):
        counted = [each for each in counted if each in trusted]
    if not logs:
        raise ProofFailed("None of the log keys in the bundle is one that you trust.")
    return dataclasses.replace(rule, logs=logs), counted


def _verify_item(
    item: evidence.ItemChain,
    files: Mapping[str, bytes],
    signed: notes.SignedCheckpoint,
    opened: dict[str, evidence.EventFile],
) -> list[str]:
    """Check each event of an item, its proof, and the chain between neighbours; return the declared gaps in words.

    What holds is added to `opened`.
    """
    with within("chain.json"):
        _require_runs(item.missing, 1, item.events_total)
    head = signed.checkpoint
    previous: str | None = evidence.NO_EVENT
    for sequence in range(1, item.events_total + 1):
        if any(first <= sequence <= last for first, last in item.missing):
            previous = None  # the event before the next one is not here to compare with
            continue
        where = evidence.event_path(item.item_id, sequence)
        with within(f"events/{where}.json"):
            event = decode(held(files, f"events/{where}.json"), evidence.EventFile)
            committed = open_event(event)
            public = said(event)
            if event.item_id != item.item_id or public.event != sequence or public.id != event.event_id.hex:
                raise ProofFailed("The event is of another item, or has another number or identifier.")
            require_item(public, number=item.number, item_id=item.item_id)
            if previous is not None and public.previous != previous:
                raise ProofFailed("The event does not follow the one before it.")
        with within(f"proofs/{where}.tlog-proof"):
            proof = proofs.parse(held(files, f"proofs/{where}.tlog-proof"))
            if proof.extra != ENTRY_PREFIX + committed or proof.checkpoint != files[evidence.CHECKPOINT]:
                raise ProofFailed("The proof is of another entry, or leads to another checkpoint than the bundle's.")
            if proof.index != event.log_index:
                raise ProofFailed("The proof is for another place in the log.")
            leaf = tree.leaf_hash(ENTRY_PREFIX + committed)
            tree.verify_inclusion(leaf, proof.index, head.size, proof.path, head.root)
        previous = committed.hex()
        opened[where] = event
    return [f"{item.item_id}, events {first} to {last}" for first, last in item.missing]


def _verify_sequence(device: evidence.DeviceChain, files: Mapping[str, bytes]) -> list[str]:
    """Check the declared gaps of a device's sequence; return them in words."""
    path = f"devices/{device.device_id}.json"
    with within(path):
        numbers = [batch.sequence for batch in decode(held(files, path), DeviceFile).batches]
        if not numbers or numbers != sorted(set(numbers)):
            raise ProofFailed("The device's batches are not in order.")
        if (numbers[0], numbers[-1]) != (device.first, device.last) or device.missing != evidence.missing_runs(
            numbers, device.first, device.last
        ):
            raise ProofFailed("The device's sequence has other gaps than chain.json declares.")
    return [f"{device.device_id}, batches {first} to {last}" for first, last in device.missing]


def open_event(event: evidence.EventFile) -> bytes:
    """Return the event's commitment, recomputed from its groups; ProofFailed if the file states another."""
    if event.groups.keys() != set(GROUPS):
        raise ProofFailed("An event has four groups.")
    groups = [_group(event.groups[name]) for name in GROUPS]
    committed = evidence.commitment(groups, unhex(event.body_hash))
    if committed.hex() != event.commitment:
        raise ProofFailed("The event's content does not give its commitment.")
    return committed


def _group(group: evidence.GroupFile) -> Revealed | Hidden:
    match group:
        case evidence.GroupFile(canon=str(canon), salt=str(salt), hash=None):
            return Revealed(canon.encode(), unhex(salt))
        case evidence.GroupFile(canon=None, salt=None, hash=str(closed)):
            return Hidden(unhex(closed))
        case _:
            raise ProofFailed("A group is either revealed with its salt, or a hash.")


def said(event: evidence.EventFile) -> evidence.PublicGroup:
    """Return what the event says publicly; it has one spelling, so that nobody reads something else in it."""
    canon = event.groups["public"].canon
    if canon is None:
        raise ProofFailed("An event's public part is always revealed.")
    public = decode(canon.encode(), evidence.PublicGroup)
    if (public.authorised is None) != (public.corrects is None):
        raise ProofFailed("A correction says what it corrects, and whether its actor may correct anybody's events.")
    return public


def require_item(public: evidence.PublicGroup, *, number: str, item_id: str) -> None:
    """Raise ProofFailed unless the event itself names the item under whose number it is shown."""
    if not public.item or public.item not in {number, item_id}:
        raise ProofFailed(f"The event was recorded of {public.item[:96]}, and is shown under {number or item_id}.")


def _require_one_each(names: Sequence[str]) -> None:
    if len(set(names)) != len(names) or any(_PLAIN.fullmatch(name) is None for name in names):
        raise ProofFailed("An item or a device is declared twice, or its identifier is not plain.")


def _require_runs(runs: Sequence[tuple[int, int]], first: int, last: int) -> None:
    """Raise ProofFailed unless the runs rise, do not touch, and lie between `first` and `last`."""
    at = first - 1
    for start, end in runs:
        if not at < start <= end <= last:
            raise ProofFailed("The declared gaps are not in order, or lie outside of the sequence.")
        at = end + 1
    if last > stored_zip.FILES_MAX:
        raise ProofFailed("An item has more events than a bundle can hold.")


def _expected(chain: evidence.Chain) -> set[str]:
    """Return every path that the declared sequences account for."""
    found = set(FIXED_FILES)
    for device in chain.devices:
        found |= {f"devices/{device.device_id}.json", f"proofs/{device.device_id}.tlog-proof"}
    for item in chain.items:
        missing = {number for first, last in item.missing for number in range(first, last + 1)}
        for sequence in range(1, item.events_total + 1):
            if sequence not in missing:
                where = evidence.event_path(item.item_id, sequence)
                found |= {f"events/{where}.json", f"proofs/{where}.tlog-proof"}
    return found
