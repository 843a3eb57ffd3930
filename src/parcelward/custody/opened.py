"""Open an entry of the log to anyone: its exact bytes, its salt, its place.

An entry that is not a scan is one salted group (`wire.fact_commitment`). Three kinds are for everybody to read: which
verify.html is ours, which key followed which, and that an item's secret was destroyed; without its salt, an entry says
nothing to anyone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from parcelward.base import config
from parcelward.custody import checkpoints, notes, proofs, succession
from parcelward.custody.files import LogFiles
from parcelward.custody.models import Fact, LogBatch
from parcelward.custody.succession import OpenedEntry, Successions
from parcelward.custody.tree import inclusion_path
from parcelward.custody.wire import ENTRY_PREFIX, fact_commitment

TOMBSTONE_KIND: Final = "custody.tombstone"
VERIFIER_KIND: Final = "custody.verifier"
ARCHIVE_KEY_KIND: Final = "custody.archive_key"


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


def successions(settings: config.Config, note: bytes, vkeys: Sequence[str]) -> Successions:
    """Return the entries that replaced the log's keys, oldest first, as far as the checkpoint `note` covers them."""
    size = checkpoints.parse(notes.parse(note).text).size
    opened = []
    for fact in Fact.objects.filter(kind=succession.KIND).order_by("batch"):
        entry = _entry(fact)
        shown = proof(settings, entry, note, size)
        if shown is None:
            break
        opened.append(
            OpenedEntry(
                object="opened_entry",
                origin=settings.origin,
                vkeys=list(vkeys),
                body=entry.body.decode(),
                salt=entry.salt.hex(),
                proof=shown.decode(),
            )
        )
    return Successions(object="successions", origin=settings.origin, entries=opened)


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
        if text.encode() in bytes(fact.body):
            return _entry(fact)
    return None


def _entry(fact: Fact) -> Entry:
    first = LogBatch.objects.filter(batch=fact.batch).values_list("first_index", flat=True).first()
    return Entry(bytes(fact.body), bytes(fact.salt), None if first is None else first + fact.leaf)
