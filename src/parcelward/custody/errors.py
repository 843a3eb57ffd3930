"""What can go wrong with the log. Verification raises these; nothing here returns a flag.

ParcelwardError
  ├─ LogDiverged         500  two things that must agree do not: files, tree, checkpoint; says which and where
  │    └─ EntryDiffers   500  the database and the log disagree about an entry; names the first one
  ├─ Invalid
  │    ├─ ProofFailed    422  an inclusion or consistency proof does not show what it claims
  │    ├─ BadProof       422  not a tlog-proof
  │    ├─ BadNote        422  not a signed note, or not signed by a key that we trust
  │    ├─ BadCheckpoint  422  a note whose text is not a checkpoint
  │    ├─ BadReceipt     422  a note whose text is not a receipt of the log that signed it
  │    ├─ BadKey         422  not a verifier key, or two keys that cannot be told apart
  │    ├─ BadPolicy      422  not a trust policy
  │    ├─ BadTimestamp   422  not a timestamp of this, or by nobody whom we trust with it
  │    └─ BadTile        422  not a tile's path, or a tile of the wrong shape
  ├─ NotInLog            404  beyond the end of the log
  ├─ WitnessRefused      409  a witness will not cosign; carries the protocol's status and, for 409, its size
  └─ Busy
       ├─ LogInUse       503  another process holds the log's files for writing
       ├─ WitnessAway    503  a witness did not answer, or with something that is not the protocol
       └─ TimestampAway  503  a timestamping authority did not answer, or would not
"""

from __future__ import annotations

from uuid import UUID

from parcelward.base.errors import Busy, Conflict, Invalid, NotFound, ParcelwardError


class LogDiverged(ParcelwardError):
    """Two things that must agree do not. `differs` names the thing, `first` the lowest log index in doubt, if known."""

    default_code = "log_diverged"
    title = "The log does not agree with itself"

    def __init__(self, message: str, *, differs: str, first: int | None = None) -> None:
        super().__init__(message)
        self.differs = differs
        self.first = first


class EntryDiffers(LogDiverged):
    """The database and the log disagree about an entry: the first one found, by log index.

    `first` is None for what has no place in the log; `item` and `event` are None where it is not an event that differs.
    """

    default_code = "entry_differs"
    title = "The record was changed"

    def __init__(
        self,
        message: str,
        *,
        differs: str,
        first: int | None = None,
        item: UUID | None = None,
        event: UUID | None = None,
    ) -> None:
        super().__init__(message, differs=differs, first=first)
        self.item = item
        self.event = event


class ProofFailed(Invalid):
    """An inclusion or consistency proof does not show what it claims."""

    default_code = "proof_failed"
    title = "The proof does not hold"


class BadProof(Invalid):
    """Not a tlog-proof (C2SP tlog-proof@v1)."""

    default_code = "bad_proof"
    title = "Not a proof"


class BadNote(Invalid):
    """Not a signed note (C2SP signed-note), or not signed by a key that we trust."""

    default_code = "bad_note"
    title = "The signed note cannot be trusted"


class BadCheckpoint(Invalid):
    """A note whose text is not a checkpoint (C2SP tlog-checkpoint), or not the one expected."""

    default_code = "bad_checkpoint"
    title = "Not a checkpoint"


class BadReceipt(Invalid):
    """A note whose text is not a receipt of the log that signed it."""

    default_code = "bad_receipt"
    title = "Not a receipt"


class BadKey(Invalid):
    """Not a verifier key (C2SP signed-note), or two keys that cannot be told apart."""

    default_code = "bad_key"
    title = "Not a verifier key"


class BadPolicy(Invalid):
    """Not a trust policy (C2SP tlog-policy), or one whose quorum can never be met."""

    default_code = "bad_policy"
    title = "Not a trust policy"


class BadTimestamp(Invalid):
    """Not a timestamp (RFC 3161) of this, or not by an authority whom we trust with it."""

    default_code = "bad_timestamp"
    title = "The timestamp cannot be trusted"


class BadTile(Invalid):
    """Not a tile's path (C2SP tlog-tiles), or a tile of the wrong shape."""

    default_code = "bad_tile"
    title = "Not a tile"


class NotInLog(NotFound):
    """An index, tile or size beyond the end of the log."""

    default_code = "not_in_log"
    title = "Not in the log"


class WitnessRefused(Conflict):
    """A witness will not cosign (C2SP tlog-witness).

    `answer_status` is the protocol's HTTP status: 400, 403, 404, 409 or 422; with 409, `size` is that of the latest
    checkpoint it cosigned.
    """

    default_code = "witness_refused"
    title = "The witness will not cosign"

    def __init__(self, message: str, *, answer_status: int, size: int | None = None) -> None:
        super().__init__(message)
        self.answer_status = answer_status
        self.size = size


class LogInUse(Busy):
    """Another process holds the log's files for writing."""

    default_code = "log_in_use"
    title = "Another process writes the log"


class WitnessAway(Busy):
    """A witness did not answer, or answered with something that is not the protocol."""

    default_code = "witness_away"
    title = "The witness does not answer"


class TimestampAway(Busy):
    """A timestamping authority did not answer, or says that it grants no timestamp."""

    default_code = "timestamp_away"
    title = "The timestamping authority does not answer"
