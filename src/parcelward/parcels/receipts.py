"""Answer the holder of a receipt: what the log promised, where it is, and the proof of it."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from parcelward.base import config, db
from parcelward.custody import queries as custody
from parcelward.custody.queries import EntryProof, Receipt, ReceiptProof

_KEPT: Final = "Every entry that the receipt promises is in the log, as this checkpoint and these proofs show."
_NOTHING: Final = "The request recorded no new event, so the receipt promises no entry."
_WAITING: Final = "Recorded, and not yet in the log. The promise still runs: ask again when it has ended."
_LATE: Final = "The promise is broken: recorded, and not in the log within the time promised. Keep the receipt."
_GONE: Final = "The promise is broken: there is no record of this request any more. Keep the receipt: it is the proof."
_CHANGED: Final = "The promise is broken: the record holds other entries than were promised. Keep the receipt."


def receipt_proof(note: bytes, *, now: dt.datetime) -> ReceiptProof:
    """Return what became of a receipt's promise: kept with the proofs, still running, or broken.

    Raises BadNote or BadReceipt for what this log did not sign as a receipt.
    """
    settings = config.get()
    receipt = custody.open_receipt(settings, note)
    checkpoint = custody.published(settings)
    if receipt.count == 0:
        return _proof(note, "in_log" if checkpoint else "waiting", _NOTHING, [], checkpoint)
    waits = custody.waiting(receipt.batch)  # asked first: a batch gets its place and stops waiting in one moment
    place = custody.places([receipt.batch]).get(receipt.batch)
    stored = place or waits
    if stored is None:
        return _proof(note, "broken", _GONE, [], None)
    packed = custody.commitments([stored]).get(receipt.batch, [])
    leaves = next((found for found in _runs(receipt, len(packed)) if _fits(receipt, packed, found)), None)
    if leaves is None:
        return _proof(note, "broken", _CHANGED, [], None)
    promised = [packed[leaf].hex() for leaf in leaves]
    checkpoint = None if place is None else _covering(settings, place.first_index + leaves[-1])
    if place is None or checkpoint is None:
        entries = [EntryProof(each, None, None) for each in promised]
        left_s = (receipt.due - now).total_seconds()
        if left_s > 0:
            return _proof(note, "waiting", _WAITING, entries, None, due_in_s=left_s)
        return _proof(note, "broken", _LATE, entries, None)
    indexes = [place.first_index + leaf for leaf in leaves]
    paths = custody.inclusion_paths(settings, indexes, custody.size_of(checkpoint))
    entries = [
        EntryProof(commitment, index, [base64.b64encode(each).decode() for each in path])
        for commitment, index, path in zip(promised, indexes, paths, strict=True)
    ]
    return _proof(note, "in_log", _KEPT, entries, checkpoint)


def _proof(
    note: bytes,
    state: Literal["in_log", "waiting", "broken"],
    message: str,
    entries: list[EntryProof],
    checkpoint: bytes | None,
    *,
    due_in_s: float | None = None,
) -> ReceiptProof:
    settings = config.get()
    # A receipt outlives its key: the holder checks it with the key that signed it, and the checkpoint with today's.
    signed_by = [each.vkey for each in custody.open_receipt(settings, note).signers]
    vkeys = [*signed_by, *(each for each in custody.vkeys(settings) if each not in signed_by)]
    return ReceiptProof(
        object="receipt_proof",
        mode=settings.mode,
        origin=settings.origin,
        vkeys=vkeys,
        witness_vkeys=list(custody.witness_vkeys(settings)),
        witness_quorum=settings.witness_quorum,
        state=state,
        message=message,
        due_in_s=None if due_in_s is None else round(due_in_s, 3),
        receipt=note.decode(),
        entries=entries,
        checkpoint=None if checkpoint is None else checkpoint.decode(),
        signed_by=[vkey.split("+", 2)[1] for vkey in signed_by],
    )


def _runs(receipt: Receipt, n: int) -> Iterator[Sequence[int]]:
    """Give the leaves that may be the request's: several requests may share a batch, each in the order of its events.

    By the rows of its sequence first; requests without a number lie side by side there. By the whole batch at last:
    what the log holds is also found when somebody has changed the rows.
    """
    by_source: dict[int, list[int]] = {}
    with db.cursor() as cur:
        cur.execute(
            "SELECT source, leaf FROM parcels_scan_event WHERE batch = %s AND sequence = %s ORDER BY leaf",
            (receipt.batch, receipt.sequence),
        )
        for source, leaf in cur.fetchall():
            by_source.setdefault(source, []).append(leaf)
    for leaves in (*by_source.values(), range(n)):
        for start in range(len(leaves) - receipt.count + 1):
            yield leaves[start : start + receipt.count]


def _fits(receipt: Receipt, packed: Sequence[bytes], leaves: Sequence[int]) -> bool:
    return all(0 <= leaf < len(packed) for leaf in leaves) and receipt.fits([packed[leaf] for leaf in leaves])


def _covering(settings: config.Config, index: int) -> bytes | None:
    """Return a checkpoint that covers the entry: the witnessed one if witnesses count here and it reaches so far."""
    for witnessed in (True, False) if settings.witness_quorum else (False,):
        note = custody.published(settings, witnessed=witnessed)
        if note is not None and index < custody.size_of(note):
            return note
    return None
