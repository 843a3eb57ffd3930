"""What the log's entries about personal data are called. None of them says anything of a person but tokens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final
from uuid import UUID

KEPT: Final = "privacy.kept"
CHANGED: Final = "privacy.changed"
SETTLED: Final = "privacy.settled"
LOOKED: Final = "privacy.looked"
QUEUED: Final = "privacy.message_queued"
SHRED_ASKED: Final = "privacy.shred_asked"
SHRED_AGREED: Final = "privacy.shred_agreed"
SHRED_WITHDRAWN: Final = "privacy.shred_withdrawn"
SHREDDED: Final = "privacy.shredded"
FORGOTTEN: Final = "privacy.forgotten"
HELD: Final = "privacy.held"
LIFTED: Final = "privacy.hold_lifted"
RIGHTS_ASKED: Final = "privacy.rights_asked"
RIGHTS_ANSWERED: Final = "privacy.rights_answered"
RIGHTS_ENDED: Final = "privacy.rights_ended"
RETAINED: Final = "privacy.retention"
KEK_MADE: Final = "privacy.kek_made"
KEK_REWRAPPED: Final = "privacy.kek_rewrapped"
KEK_RETIRED: Final = "privacy.kek_retired"
INDEX_MADE: Final = "privacy.index_made"
INDEX_REMADE: Final = "privacy.index_remade"
INDEX_RETIRED: Final = "privacy.index_retired"
LABELS_SEALED: Final = "privacy.labels_sealed"
LABEL_CODE_MADE: Final = "privacy.label_code_made"
LABEL_CODE_RETIRED: Final = "privacy.label_code_retired"
CONTACT_OPENED: Final = "privacy.contact_opened"
CONTACT_CLOSED: Final = "privacy.contact_closed"
CONTACT_ENDS: Final = "privacy.contact_ends"
CONTACT_PASSED: Final = "privacy.contact_passed"
CONTACT_TOO_MANY: Final = "privacy.contact_too_many"
CONTACT_UNREADABLE: Final = "privacy.contact_unreadable"


def digest_of(persons: Iterable[UUID]) -> str:
    """Return one hash of whom a look was at, whatever their number and order."""
    return hashlib.sha256(b"".join(sorted(person.bytes for person in persons))).hexdigest()
