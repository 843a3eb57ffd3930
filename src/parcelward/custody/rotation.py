"""Give the log a new signing key; the old one signs beside it for some weeks, and the log keeps its name.

One transaction is the whole of it: the entry that both keys signed. A crash before its commit leaves a key that
nothing names, which the next rotation removes; after it, the sequencer finds the entry, however late. Two rotations at
once wait for each other at the log's one row, and the second finds another newest key than it was told to replace.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from parcelward.base import config
from parcelward.base.errors import Conflict
from parcelward.custody import keyring, keys, notes, succession
from parcelward.custody.actions import record_fact
from parcelward.custody.errors import BadCheckpoint, BadNote, LogDiverged
from parcelward.custody.files import CHECKPOINT
from parcelward.custody.models import LogState

SIGNING_MAX: Final = 4  # keys at once: verifiers take at least 16 signatures, and witnesses need room


@dataclass(frozen=True, slots=True)
class Plan:
    """What a rotation will do: which key it replaces, and which others still sign."""

    newest: str
    since: dt.datetime
    until: dt.datetime
    others: tuple[keyring.LogKey, ...]


def plan(settings: config.Config, *, now: dt.datetime) -> Plan:
    """Return what a rotation would do now, changing nothing; raise Conflict or LogDiverged when it cannot be done."""
    known = keyring.from_entries(settings)
    _require_possible(settings, known, now)
    until = now + dt.timedelta(days=settings.log_key_overlap_days)
    return Plan(known.newest.vkey, now, until, tuple(known.signing(now)[:-1]))


@transaction.atomic
def rotate(settings: config.Config, agreed: Plan, *, by: int) -> succession.Succession:
    """Do what was agreed; return the succession, which the sequencer puts into the log and follows within a second.

    Raises Conflict when the newest key is another one by now, LogDiverged when the keys here are not the log's.
    """
    if not LogState.objects.select_for_update().filter(id=1).exists():
        raise Conflict("The log has no entry yet: start the worker first", code="empty_log")
    known = keyring.from_entries(settings)
    if known.newest.vkey != agreed.newest:
        raise Conflict("The key was replaced by somebody else meanwhile; nothing was done", code="rotated_meanwhile")
    _require_possible(settings, known, agreed.since)
    keyring.sweep(settings, known)
    old, new = keyring.signer(settings, known.newest.vkey), keyring.make(settings)
    said = succession.Succession(
        origin=settings.origin,
        number=len(known.keys),
        old=old.verifier,
        new=new.verifier,
        since=agreed.since.astimezone(dt.UTC).replace(microsecond=0),
        until=agreed.until.astimezone(dt.UTC).replace(microsecond=0),
    )
    note = succession.sign(said, old=old, new=new)
    record_fact(succession.KIND, {"by": by, "note": note.decode()})
    return said


def _require_possible(settings: config.Config, known: keyring.Ring, now: dt.datetime) -> None:
    """Refuse on a machine whose keys are not the log's, and while too many keys sign."""
    path = settings.log_folder / CHECKPOINT
    if not path.exists():
        raise Conflict("No checkpoint is published here yet: run this on the worker's machine", code="empty_log")
    if {each.vkey for each in keyring.ring(settings).keys} - {each.vkey for each in known.keys}:
        raise LogDiverged("The log's files name a key that no entry of the log names.", differs="keys")
    try:
        notes.open_checkpoint(path.read_bytes(), logs=[keys.parse_vkey(known.newest.vkey)])
    except (BadNote, BadCheckpoint):
        raise Conflict(
            "The newest key has not signed a checkpoint yet: wait until the worker did, then try again", code="not_yet"
        ) from None
    keyring.signer(settings, known.newest.vkey)
    signing = len(known.signing(now))
    if signing >= SIGNING_MAX:
        first = min(each.until for each in known.keys if each.until is not None and each.signs(now))
        raise Conflict(f"{signing} keys sign already; the oldest ends on {first:%Y-%m-%d}", code="too_many_keys")
