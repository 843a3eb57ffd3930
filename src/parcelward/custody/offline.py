"""Checks any file that we hand out, offline: an evidence bundle, a saved proof page, a receipt's answer, a tlog-proof.

A saved proof is what the proof page keeps of its own check, one JSON object: `proofs` is the answer of
/api/v1/items/{item_id}/proofs as it came, `log` maps each path below /log/ that was read to its content; tiles are in
base64.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import msgspec

from parcelward.custody import (
    keys,
    lines,
    notes,
    policy,
    proofs,
    receipts,
    stored_zip,
    succession,
    tiles,
    timestamps,
    tree,
)
from parcelward.custody.errors import ProofFailed
from parcelward.custody.evidence import NO_EVENT, EventFile, GroupFile
from parcelward.custody.evidence_check import (
    Report,
    open_event,
    require_item,
    said,
    trusted_part,
    verify_bundle,
)
from parcelward.custody.evidence_files import within
from parcelward.custody.keys import SignatureType, Verifier
from parcelward.custody.notes import SignedCheckpoint
from parcelward.custody.succession import OpenedEntry
from parcelward.custody.tree import HashReader
from parcelward.custody.wire import ENTRY_PREFIX, EVENTS_AT_ONCE_MAX, GROUPS

ENTRY_BYTES: Final = 1 + tree.HASH_BYTES


class Opened(msgspec.Struct, frozen=True):
    """The public group as the proofs answer carries it."""

    canon: str
    salt: str


class EventProof(msgspec.Struct, frozen=True):
    """One event of a proofs answer; all but the first two fields are missing once the item's secret is destroyed."""

    event_id: UUID
    log_index: int | None
    public: Opened | None = None
    groups: dict[str, str] = {}
    body_hash: str = ""
    commitment: str = ""


class ItemProofs(msgspec.Struct, frozen=True):
    """A proofs answer; fields that say nothing about proofs are passed over."""

    item_id: str
    number: str
    origin: str
    vkeys: list[str]
    witness_vkeys: list[str]
    witness_quorum: int
    shredded: bool
    events_total: int
    events: list[EventProof]


class SavedProof(msgspec.Struct, frozen=True):
    """A saved proof page."""

    object: Literal["saved_proof"]
    proofs: ItemProofs
    log: dict[str, str]


class _Object(msgspec.Struct, frozen=True):
    object: str = ""


def known_keys(texts: Sequence[str]) -> list[str]:
    """Return the verifier keys that a caller trusts, each given as a line or all as /log/vkey answers.

    Raises BadKey for what is no verifier key.
    """
    return [keys.parse_vkey(line).vkey for text in texts for line in keys.vkeys_in(text)]


def verify_file(
    path: Path, *, vkeys: Sequence[str] = (), successions: Path | None = None, tsa_root: Path | None = None
) -> Report:
    """Check a bundle (.zip), a saved proof, receipt or opened entry (.json) or a .tlog-proof, told apart by content.

    `vkeys` are the keys that the caller trusts; without any, those in the file are believed and the Report says so.
    `successions` is what /log/succession answered: through it, a key of the log vouches for those before and after it.
    `tsa_root` holds the certificates (PEM) of whom the caller trusts with timestamps.
    Raises ProofFailed, whose sentence begins with the file at fault, or OSError when the file cannot be read.
    """
    roots: timestamps.Roots = ()
    if tsa_root is not None:
        with within(tsa_root.name):
            roots = timestamps.read_roots(tsa_root.read_bytes())
    if successions is None:
        return _verify_file(path, vkeys, roots)
    with within(successions.name):
        links = succession.read(successions.read_bytes())
    trusted = succession.trusted_through([keys.parse_vkey(text) for text in vkeys], links)
    report = _verify_file(path, [each.vkey for each in trusted], roots)
    with within(path.name):
        if any(each.said.origin != report.origin for each in links):
            raise ProofFailed("The successions are of another log.")
        succession.require_current(report.size, report.signers, links)
    return report


def _verify_file(path: Path, vkeys: Sequence[str], tsa_roots: timestamps.Roots) -> Report:
    if path.stat().st_size > stored_zip.ARCHIVE_BYTES_MAX:
        raise ProofFailed(f"{path.name}: The file is too large.")
    data = path.read_bytes()
    if data.startswith(b"PK"):
        return verify_bundle(data, vkeys=vkeys, tsa_roots=tsa_roots)
    with within(path.name):
        if data.startswith(proofs.HEADER.encode()):
            return verify_proof(data, vkeys=vkeys)
        kind = _kind(data)
        if kind == "opened_entry":
            return verify_entry(data, vkeys=vkeys)
        if kind == receipts.KIND:
            return receipts.verify_receipt(data, vkeys=vkeys)
        return verify_saved(data, vkeys=vkeys)


def _kind(data: bytes) -> str:
    """Return what a JSON file says that it is; empty for anything else."""
    try:
        return msgspec.json.decode(data, type=_Object).object
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


def verify_proof(data: bytes, *, vkeys: Sequence[str]) -> Report:
    """Check one tlog-proof whose extra data is the entry itself, as bundles carry them.

    A lone proof brings no keys, so `vkeys` must name the log's, and those of all witnesses that have to have signed.
    """
    trusted = [keys.parse_vkey(text) for text in vkeys]
    logs = [each for each in trusted if each.kind is SignatureType.ED25519]
    names = {each.name for each in logs}  # an ML-DSA-44 key of the log's own name is no witness's
    witnesses = [each for each in trusted if each.kind is not SignatureType.ED25519 and each.name not in names]
    if not logs:
        raise ProofFailed("A single proof carries no keys: name the log's verifier key.")
    proof = proofs.parse(data)
    if proof.extra is None or len(proof.extra) != ENTRY_BYTES or not proof.extra.startswith(ENTRY_PREFIX):
        raise ProofFailed("The proof does not say which entry it proves.")
    rule = policy.quorum_of(len(witnesses), logs=logs, witnesses=witnesses)
    signed = proofs.verify(proof, tree.leaf_hash(proof.extra), rule)
    return _report(signed, events=1, items=(), cosigners=signed.verified_by(witnesses), gaps=(), pinned=True)


def verify_entry(data: bytes, *, vkeys: Sequence[str] = ()) -> Report:
    """Check that the log holds what an opened entry says."""
    try:
        entry = msgspec.json.decode(data, type=OpenedEntry)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProofFailed("Not an opened entry.") from None
    trusted = [keys.parse_vkey(text) for text in vkeys]
    rule = policy.quorum_of(0, logs=[keys.parse_vkey(text) for text in entry.vkeys], witnesses=[])
    rule, _ = trusted_part(rule, trusted)
    signed, _ = succession.prove(entry, rule.logs)
    report = _report(signed, events=0, items=(), cosigners=(), gaps=(), pinned=bool(trusted))
    return dataclasses.replace(report, said=entry.body)


def verify_saved(data: bytes, *, vkeys: Sequence[str] = ()) -> Report:
    """Check a saved proof page: each event's commitment, their chain, their places in the log, and the witnesses."""
    try:
        saved = msgspec.json.decode(data, type=SavedProof)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProofFailed("Neither an evidence bundle, nor a saved proof, nor a tlog-proof.") from None
    if saved.proofs.shredded:
        raise ProofFailed("Nobody can open this history any more: its secret was destroyed.")
    item, trusted = saved.proofs, [keys.parse_vkey(text) for text in vkeys]
    logs = [key for key in map(keys.parse_vkey, item.vkeys) if key.kind is SignatureType.ED25519]
    rule = policy.quorum_of(
        item.witness_quorum, logs=logs, witnesses=[keys.parse_vkey(text) for text in item.witness_vkeys]
    )
    rule, witnesses = trusted_part(rule, trusted)
    newest = notes.open_checkpoint(_note(saved, "checkpoint"), logs=rule.logs)
    if newest.checkpoint.origin != item.origin:
        raise ProofFailed("The checkpoint is of another log.")
    read = tiles.reader(lambda address: _tile(saved, address), newest.checkpoint.size)
    pending = _verify_events(item, newest, read)
    cosigners: tuple[notes.Verified, ...] = ()
    if "checkpoint/witnessed" in saved.log:
        cosigners = _witnessed(_note(saved, "checkpoint/witnessed"), newest, rule.logs, witnesses, read)
    if not rule.met_by(each.verifier for each in cosigners):
        raise ProofFailed("Too few of the trusted witnesses cosigned a checkpoint.")
    older = item.events_total - len(item.events)
    gaps = [f"{item.item_id}, events 1 to {older}"] if older else []
    gaps += [f"{item.item_id}, {pending} event(s) not yet in the checkpoint"] if pending else []
    proven = len(item.events) - pending
    return _report(
        newest, events=proven, items=(item.item_id,), cosigners=cosigners, gaps=tuple(gaps), pinned=bool(trusted)
    )


def _verify_events(item: ItemProofs, newest: SignedCheckpoint, read: HashReader) -> int:
    """Check every event of the item; return how many the checkpoint does not cover yet."""
    head, pending, older = newest.checkpoint, 0, item.events_total - len(item.events)
    # Only a full answer may begin in the middle of an item's history: then the event before its first is not known.
    if older < 0 or (older and len(item.events) != EVENTS_AT_ONCE_MAX):
        raise ProofFailed(f"There are {len(item.events)} events of {item.events_total}.")
    previous = "" if older else NO_EVENT
    for number, event in enumerate(item.events, start=older + 1):
        with within(f"event {number}"):
            committed = _opened(item, event, number, previous)
            previous = event.commitment
            if event.log_index is None or event.log_index >= head.size:
                pending += 1
                continue
            path = tree.inclusion_path(event.log_index, head.size, read)
            tree.verify_inclusion(tree.leaf_hash(ENTRY_PREFIX + committed), event.log_index, head.size, path, head.root)
    return pending


def _opened(item: ItemProofs, event: EventProof, number: int, previous: str) -> bytes:
    """Return the event's commitment once its content gives it and its place in the chain is right."""
    if event.public is None:
        raise ProofFailed("Its public part is missing.")
    groups = {name: GroupFile(hash=each) for name, each in event.groups.items()}
    groups[GROUPS[0]] = GroupFile(canon=event.public.canon, salt=event.public.salt)
    whole = EventFile("", event.event_id, groups, event.body_hash, event.commitment, event.log_index or 0)
    committed, public = open_event(whole), said(whole)
    if (public.event, public.id) != (number, event.event_id.hex) or (previous and public.previous != previous):
        raise ProofFailed("It does not continue the item's chain.")
    require_item(public, number=item.number, item_id=item.item_id)
    return committed


def _witnessed(
    note: bytes,
    newest: SignedCheckpoint,
    logs: Sequence[Verifier],
    witnesses: Sequence[Verifier],
    read: HashReader,
) -> tuple[notes.Verified, ...]:
    """Return the cosignatures of an older checkpoint that the newest one continues."""
    seen, head = notes.open_checkpoint(note, logs=logs, witnesses=witnesses), newest.checkpoint
    if seen.checkpoint.origin != head.origin or seen.checkpoint.size > head.size:
        raise ProofFailed("The witnesses saw another log, or a longer one.")
    if seen.checkpoint.size:
        path = tree.consistency_path(seen.checkpoint.size, head.size, read)
        tree.verify_consistency(seen.checkpoint.size, seen.checkpoint.root, head.size, head.root, path)
    return seen.verified_by(witnesses)


def _note(saved: SavedProof, path: str) -> bytes:
    if path not in saved.log:
        raise ProofFailed(f"{path} was not saved.")
    return saved.log[path].encode()


def _tile(saved: SavedProof, address: tiles.TileAddress) -> bytes:
    """Return a saved tile; the full one serves where the log no longer kept the partial one."""
    full = tiles.TileAddress(address.level, address.index)
    for each in (address, full):
        if each.path in saved.log:
            return lines.base64_bytes(saved.log[each.path], ProofFailed)[: address.width * tree.HASH_BYTES]
    raise ProofFailed(f"{address.path} was not saved.")


def _report(
    signed: SignedCheckpoint,
    *,
    events: int,
    items: tuple[str, ...],
    cosigners: Sequence[notes.Verified],
    gaps: tuple[str, ...],
    pinned: bool,
) -> Report:
    head = signed.checkpoint
    names = tuple(each.verifier.name for each in cosigners)
    signers = tuple(each.verifier for each in signed.note.verified if each.verifier.name == head.origin)
    return Report(head.origin, head.size, head.root, events, items, names, gaps, pinned=pinned, signers=signers)
