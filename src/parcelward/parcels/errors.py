"""What can go wrong with a batch of scans as a whole, and with what was recorded.

A bad event by itself is quarantined and named in the answer.

Conflict
  ├─ SequenceReused   409  the source sent this sequence before with another body
  ├─ SequenceTooOld   409  the sequence is further behind than we keep
  └─ RecordChanged    409  a recorded event cannot be opened any more: `verify-log` names the first that differs
"""

from __future__ import annotations

from parcelward.base.errors import Conflict


class SequenceReused(Conflict):
    """The source sent this sequence before with another body: one of the two was not made by it."""

    default_code = "sequence_reused"


class SequenceTooOld(Conflict):
    """The sequence is further behind than we keep; send the same events under the next sequence."""

    default_code = "sequence_too_old"


class RecordChanged(Conflict):
    """A recorded event cannot be opened, though its secret is there: somebody changed it."""

    default_code = "record_changed"
