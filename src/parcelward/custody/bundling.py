"""Put an evidence bundle together from stored events: open what is asked, prove the rest, verify it, tell the log."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag

from parcelward.base import config
from parcelward.base.errors import Busy, Conflict, Invalid
from parcelward.base.standards import identify
from parcelward.custody import evidence, keys, notes, policy, queries
from parcelward.custody.actions import record_fact
from parcelward.custody.bundled_devices import Recorded, Signer, devices
from parcelward.custody.errors import ProofFailed
from parcelward.custody.evidence import Hidden, Revealed
from parcelward.custody.evidence_check import Report, verify_bundle
from parcelward.custody.wire import GROUPS, ItemKeys, Opened, open_body

__all__ = ["Made", "Order", "Signer", "Stored", "make"]

REVEALABLE: Final = GROUPS[:3]  # the exact position and raw readings stay closed: no case has asked for them yet
FACT_KIND: Final = "custody.bundle"
REASON_LENGTH_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """One event as its room stores it: its number in the item's life, its encrypted body, its leaf within its batch."""

    sequence: int
    event_id: UUID
    body: bytes
    batch: int
    leaf: int
    source: int = 0  # who sent it, and under which number
    request: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """What a bundle shall reveal, why, and on whose behalf; `source` is the number of who asks, never a name."""

    reveal: Sequence[str]
    reason: str
    source: int
    software: str  # "parcelward 0.1.0"
    verify_html: bytes
    signers: Mapping[int, Signer] = field(default_factory=dict)  # those of the sources that are devices


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle that has passed its own verification and that the log knows about."""

    data: bytes
    sha256: str
    report: Report


def make(item: UUID, number: str, stored: Sequence[Stored], order: Order, *, now: dt.datetime) -> Made:
    """Return a bundle of the item's history up to the newest checkpoint; what comes after it is a declared gap.

    `stored` holds all of the item's events by their number. The public group is always revealed. The bundle is verified
    as its receiver would, then the log is told who opened what of which item and the bundle's SHA-256; only then does
    the caller get it. Raises Invalid for a group that bundles do not reveal or a missing reason, Conflict for an erased
    item, Busy before a checkpoint covers any event, ProofFailed when what is stored is not what was committed to.
    """
    shown = _groups(order)
    settings = config.get()
    opener = queries.item_keys([item]).get(item)
    if opener is None:
        raise Conflict("This item's record was erased: nobody can open it", code="shredded")
    note = queries.published(settings, witnessed=settings.witness_quorum > 0)
    size = 0 if note is None else queries.size_of(note)
    at = queries.places({event.batch for event in stored})
    covered = [
        (event, at[event.batch].first_index + event.leaf)
        for event in stored
        if event.batch in at and at[event.batch].first_index + event.leaf < size
    ]
    if note is None or not covered:
        raise Busy("No checkpoint covers an event of this item yet; try again in a minute", retry_after_s=60)
    replaced = queries.opened_successions(settings, note, queries.vkeys(settings))
    archived = queries.archived_before(settings, size, after=min(index for _, index in covered))
    events = tuple(_event(settings, event, index, size, shown, opener) for event, index in covered)
    item_id = identify.item_id(item)
    sent = [
        Recorded(evidence.event_path(item_id, each.sequence), each.batch, each.source, each.request)
        for each, _ in covered
    ]
    data = evidence.write_bundle(
        evidence.Bundle(
            made_at=now,
            reference=number or item_id,
            legal_basis=order.reason,
            exporter=f"source {order.source}",
            operator=settings.operator,
            software=order.software,
            policy=_policy(settings, [note, *([archived.note] if archived else [])]),
            checkpoint=note,
            items=(evidence.ItemEvidence(item_id, number, len(stored), events),),
            devices=devices(settings, sent, order.signers, at, size),
            verify_html=order.verify_html,
            succession=msgspec.json.encode(replaced) if replaced.entries else b"",
            archived=archived,
        ),
        sign=lambda text: queries.sign_receipts(settings, [text])[0].encode(),
    )
    report = verify_bundle(data, vkeys=queries.vkeys(settings))
    sha256 = hashlib.sha256(data).hexdigest()
    revealed = [name for name in GROUPS if name in shown]
    record_fact(FACT_KIND, {"by": order.source, "item": str(item), "revealed": revealed, "sha256": sha256})
    return Made(data, sha256, report)


def _groups(order: Order) -> frozenset[str]:
    """Return the groups to open; whatever goes beyond what the public sees needs a reason."""
    shown = frozenset(order.reveal) | {GROUPS[0]}
    if not shown <= set(REVEALABLE):
        raise Invalid(f"A bundle can reveal these groups: {', '.join(REVEALABLE)}.")
    if len(order.reason) > REASON_LENGTH_MAX or (len(shown) > 1 and not order.reason.strip()):
        raise Invalid(f"To reveal more than the public group, give a reason of at most {REASON_LENGTH_MAX} characters.")
    return shown


def _event(
    settings: config.Config, stored: Stored, index: int, size: int, shown: frozenset[str], opener: ItemKeys
) -> evidence.EventEvidence:
    try:
        opened = open_body(opener, stored.event_id.bytes, stored.body)
    except (InvalidTag, ValueError):
        raise ProofFailed(f"Event {stored.sequence} was changed after it was recorded.") from None
    public, addressee, operations, restricted = (_group(opened, name, shown) for name in GROUPS)
    return evidence.EventEvidence(
        sequence=stored.sequence,
        event_id=stored.event_id,
        groups=(public, addressee, operations, restricted),
        body_hash=opened.body_hash,
        log_index=index,
        path=queries.inclusion_path(settings, index, size),
    )


def _group(opened: Opened, name: str, shown: frozenset[str]) -> Revealed | Hidden:
    if name in shown:
        return Revealed(opened.groups[name], opened.salts[name])
    return Hidden(opened.group_hashes[name])


def _policy(settings: config.Config, signed: Sequence[bytes]) -> policy.Policy:
    """Return whose signatures a receiver should ask for: the log's, and of its witnesses as many as are promised.

    The log's are those that sign now, those that signed what the bundle holds, and the ML-DSA-44 key.
    """
    known = queries.log_keys(settings)
    by = {each.key_id for note in signed for each in notes.parse(note).signatures}
    signing = queries.vkeys(settings)
    logs = [each for each in known.verifiers if each.vkey in signing or each.key_id in by]
    logs.append(keys.parse_vkey(known.archive_vkey))
    witnesses = [keys.parse_vkey(text) for text in queries.witness_vkeys(settings)]
    return policy.quorum_of(settings.witness_quorum, logs=logs, witnesses=witnesses)
