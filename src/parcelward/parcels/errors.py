"""What can go wrong with a batch of scans as a whole, and with what was recorded.

A bad event by itself is quarantined and named in the answer.

Conflict
  ├─ SequenceReused   409  the source sent this sequence before with another body
  ├─ SequenceTooOld   409  the sequence is further behind than we keep
  └─ RecordChanged    409  a recorded event cannot be opened any more: `verify-log` names the first that differs
Busy
  └─ Contended        503  others hold or write what this batch names; batches about other items are not concerned
"""

from __future__ import annotations

from parcelward.base.errors import Busy, Conflict


class SequenceReused(Conflict):
    """The source sent this sequence before with another body: one of the two was not made by it."""

    default_code = "sequence_reused"


class SequenceTooOld(Conflict):
    """The sequence is further behind than we keep; send the same events under the next sequence."""

    default_code = "sequence_too_old"


class RecordChanged(Conflict):
    """A recorded event cannot be opened, though its secret is there: somebody changed it."""

    default_code = "record_changed"


class Contended(Busy):
    """Others hold or keep writing the items that this batch names; send it again."""
