"""Open an entry of the log to anyone: its exact bytes, its salt, its place.

An entry that is not a scan is one salted group (`wire.fact_commitment`). Two kinds are for everybody to read: which
verify.html is ours, and that an item's secret was destroyed; without its salt, an entry says nothing to anyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from parcelward.base import config
from parcelward.custody import proofs
from parcelward.custody.files import LogFiles
from parcelward.custody.models import Fact, LogBatch
from parcelward.custody.tree import inclusion_path
from parcelward.custody.wire import ENTRY_PREFIX, fact_commitment

TOMBSTONE_KIND: Final = "custody.tombstone"
VERIFIER_KIND: Final = "custody.verifier"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry in clear. `log_index` is None before the log has its place."""

    body: bytes
    salt: bytes
    log_index: int | None

    @property
    def commitment(self) -> bytes:
        """What the log holds of it."""
        return fact_commitment(self.salt, self.body)


def tombstone(item: UUID) -> Entry | None:
    """Return the entry that says that the item's secret was destroyed, or None."""
    return _newest(TOMBSTONE_KIND, str(item))


def verifier(sha256: str) -> Entry | None:
    """Return the entry that names this hash as that of verify.html, or None."""
    return _newest(VERIFIER_KIND, sha256)


def proof(settings: config.Config, entry: Entry, note: bytes, size: int) -> bytes | None:
    """Return the entry's tlog-proof under the checkpoint `note` of `size` entries; None if that does not cover it."""
    if entry.log_index is None or entry.log_index >= size:
        return None
    files = LogFiles(settings.log_folder, read_only=True)
    try:
        path = inclusion_path(entry.log_index, size, files.read_hashes)
    finally:
        files.close()
    return proofs.Proof(entry.log_index, tuple(path), note, ENTRY_PREFIX + entry.commitment).text


def _newest(kind: str, text: str) -> Entry | None:
    """Return the newest entry of this kind whose body says `text`: a hash or an identifier."""
    for fact in Fact.objects.filter(kind=kind).order_by("-batch").iterator():
        body = bytes(fact.body)
        if text.encode() in body:
            first = LogBatch.objects.filter(batch=fact.batch).values_list("first_index", flat=True).first()
            return Entry(body, bytes(fact.salt), None if first is None else first + fact.leaf)
    return None
