"""Receipts: the log's signed promise to include what one request recorded, and how its holder checks that it was kept.

The promise is made where scans are recorded; here it is read, strictly, and a saved answer of POST /api/v1/receipts is
checked offline. The request is held to exactly the entries that the receipt's hash covers, in its order.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from parcelward.custody import keys, lines, notes, policy, tree
from parcelward.custody.errors import BadReceipt, ProofFailed
from parcelward.custody.evidence_check import Report, trusted_part
from parcelward.custody.evidence_files import unhex
from parcelward.custody.keys import SignatureType, Verifier
from parcelward.custody.wire import ENTRY_PREFIX

RECEIPT_BYTES_MAX: Final = 4_096  # one of ours has about 600
KIND: Final = "receipt_proof"

_FORM = re.compile(
    r"(?P<origin>[^\n]+)/receipt\n"
    r"batch (?P<batch>[0-9]{1,19})\n"
    r"source (?P<source>[0-9a-f-]{36})\n"
    r"sequence (?P<sequence>[0-9]{1,19})\n"
    r"body (?P<body>(?:[0-9a-f]{64})?)\n"
    r"count (?P<count>[0-9]{1,9})\n"
    r"commitments (?P<digest>[0-9a-f]{64})\n"
    r"recorded (?P<recorded>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)\n"
    r"promise in the log within (?P<within>[0-9]{1,6}) s\n",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says. `digest` is the SHA-256 over the `count` commitments, `within_s` the promise."""

    origin: str
    batch: int  # 0: the request recorded nothing new
    source: str
    sequence: int  # 0: the request was not numbered
    count: int
    digest: bytes
    recorded: dt.datetime
    within_s: int
    signers: tuple[Verifier, ...]

    @property
    def due(self) -> dt.datetime:
        """When the promise has to be kept."""
        return self.recorded + dt.timedelta(seconds=self.within_s)

    def fits(self, commitments: Sequence[bytes]) -> bool:
        """Return whether these are the commitments promised, in their order."""
        return len(commitments) == self.count and hashlib.sha256(b"".join(commitments)).digest() == self.digest


class EntryProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One promised entry: its commitment in hex and, once a checkpoint covers it, its place and path (base64)."""

    commitment: str
    log_index: int | None
    path: list[str] | None


class ReceiptProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer about a receipt, as it is sent and as its holder saves it."""

    object: Literal["receipt_proof"]
    mode: str
    origin: str
    vkeys: list[str]
    witness_vkeys: list[str]
    witness_quorum: int
    state: Literal["in_log", "waiting", "broken"]
    message: str
    due_in_s: float | None  # how long the promise still runs; null unless `state` is waiting
    receipt: str
    entries: list[EntryProof]
    checkpoint: str | None
    signed_by: list[str] = []  # ids of the log's keys that signed the receipt; none in answers of older versions


def open_receipt(data: bytes, verifiers: Iterable[Verifier]) -> Receipt:
    """Return what the receipt promises if one of the log's keys signed it in the log's own name.

    Raises BadNote (not a signed note, or signed by nobody we trust) or BadReceipt (signed, and no receipt).
    """
    if len(data) > RECEIPT_BYTES_MAX:
        raise BadReceipt(f"A receipt has at most {RECEIPT_BYTES_MAX} bytes. Send its text alone.")
    note = notes.open_note(data, verifiers)
    said = _FORM.fullmatch(note.text)
    if said is None:
        raise BadReceipt("The log signed this, and it is no receipt.")
    if not any(each.verifier.name == said["origin"] for each in note.verified):
        raise BadReceipt("The receipt is of another log than the one whose key signed it.")
    try:
        recorded = dt.datetime.fromisoformat(said["recorded"])
    except ValueError:
        raise BadReceipt("The receipt's time is no time.") from None
    return Receipt(
        origin=said["origin"],
        batch=lines.number(said["batch"], BadReceipt),
        source=said["source"],
        sequence=lines.number(said["sequence"], BadReceipt),
        count=lines.number(said["count"], BadReceipt),
        digest=bytes.fromhex(said["digest"]),
        recorded=recorded,
        within_s=lines.number(said["within"], BadReceipt),
        signers=tuple(each.verifier for each in note.verified),
    )


def verify_receipt(data: bytes, *, vkeys: Sequence[str] = ()) -> Report:
    """Check a saved answer: the receipt is the log's, its entries are exactly those promised, each is in the log.

    Raises ProofFailed (or another Invalid) with the first thing that does not hold; a promise that is not kept yet is
    one of them.
    """
    try:
        saved = msgspec.json.decode(data, type=ReceiptProof)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProofFailed("Not the answer about a receipt.") from None
    trusted = [keys.parse_vkey(text) for text in vkeys]
    logs = [key for key in map(keys.parse_vkey, saved.vkeys) if key.kind is SignatureType.ED25519]
    witnesses = [keys.parse_vkey(text) for text in saved.witness_vkeys]
    rule, counted = trusted_part(policy.quorum_of(saved.witness_quorum, logs=logs, witnesses=witnesses), trusted)
    receipt = open_receipt(saved.receipt.encode(), rule.logs)
    promised = _commitments(saved, receipt)
    if saved.state != "in_log" or saved.checkpoint is None:
        raise ProofFailed(f"The promise is not shown to be kept. The log's answer was: {saved.message}")
    signed = notes.open_checkpoint(saved.checkpoint.encode(), logs=rule.logs, witnesses=counted)
    head = signed.checkpoint
    if not head.origin == receipt.origin == saved.origin:
        raise ProofFailed("The receipt and the checkpoint are of different logs.")
    cosigners = signed.verified_by(counted)
    if not rule.met_by(each.verifier for each in cosigners):
        raise ProofFailed("Too few of the trusted witnesses cosigned the checkpoint. Ask the log again in a minute.")
    before = -1
    for number, (entry, commitment) in enumerate(zip(saved.entries, promised, strict=True), start=1):
        index, path = entry.log_index, entry.path
        if index is None or path is None or index <= before:
            raise ProofFailed(f"Entry {number} does not come after the one before it in the log.")
        hashes = [lines.hash_bytes(each, ProofFailed) for each in path]
        tree.verify_inclusion(tree.leaf_hash(ENTRY_PREFIX + commitment), index, head.size, hashes, head.root)
        before = index
    return Report(
        origin=head.origin,
        size=head.size,
        root=head.root,
        events=receipt.count,
        items=(),
        witnesses=tuple(each.verifier.name for each in cosigners),
        gaps=(),
        pinned=bool(trusted),
        signers=tuple(each.verifier for each in signed.verified_by(rule.logs)),
        receipt=f"batch {receipt.batch}, source {receipt.source}, sequence {receipt.sequence}, "
        f"{receipt.count} entries, signed by key {' and '.join(each.key_id.hex() for each in receipt.signers)}",
    )


def _commitments(saved: ReceiptProof, receipt: Receipt) -> list[bytes]:
    """Return the commitments of the answer, 32 bytes each, once they are exactly those that the receipt covers."""
    found = len(saved.entries)
    if found != receipt.count:
        how = "missing" if found < receipt.count else "more than promised"
        said = f"The receipt promises {receipt.count} entries and {found} are here: {abs(found - receipt.count)} {how}."
        raise ProofFailed(f"{said} The log's answer was: {saved.message}" if not found else said)
    commitments = [unhex(entry.commitment) for entry in saved.entries]
    if not receipt.fits(commitments):
        raise ProofFailed("The commitments are not those that the receipt promises: one was changed or moved.")
    return commitments
