"""Look at a restored installation before anybody else does: what was erased stays erased, and the log is proven."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.core.management import call_command

from parcelward.base import config, db
from parcelward.base.backups.sets import Manifest
from parcelward.base.errors import Conflict
from parcelward.custody import backing_up
from parcelward.custody import log_copy as log_copies
from parcelward.custody import queries as custody
from parcelward.custody.rebuilding import rebuild_entries
from parcelward.doors.verification import verify_log
from parcelward.parcels import actions as parcels
from parcelward.parcels.actions import retention
from parcelward.people.actions import machinery
from parcelward.privacy import actions as privacy
from parcelward.shipping.actions import webhooks

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """What came back."""

    erased_again: int
    shredded_again: int  # people
    entries: int  # in the log
    waiting: int  # recorded entries that had no place in the log yet: the worker gives them one
    events: int
    closed: int
    statuses: int
    last: dt.datetime | None  # when the newest of all that came back was recorded
    contradicted: str  # what a copy of the log knows that this one does not; empty: nothing, or none was given


def look(settings: config.Config, manifest: Manifest, *, log_copy: Path | None, tell: Tell) -> Seen:
    """Erase again, bring the tables to this version, complete the log's files, and verify all of it.

    Raises LogDiverged or EntryDiffers when what came back does not hold. A log that has fewer or other entries than
    its copy is left standing still.
    """
    # First of all: until this is done, an older keys database can open what was erased since.
    erased_again = parcels.erase_again()
    call_command("migrate", verbosity=0, interactive=False)
    call_command("migrate", database="keys", verbosity=0, interactive=False)
    shredded_again = privacy.delete_again()  # after the tables: a backup may be older than the vault
    now, also = dt.datetime.now(dt.UTC), webhooks.secrets_in_use
    retention.forget_keys_left(made_before=now, also=also, by=machinery())  # the same for what was sent
    head = backing_up.Head(manifest.log_size, bytes.fromhex(manifest.log_root))
    try:
        rebuild_entries(settings)
    except Conflict as err:
        if err.code != "empty_log" or head.size:
            raise
    entries = backing_up.require_restored(settings, head)
    report = verify_log(settings, statuses=True, tell=tell)
    last, waiting = _last()
    contradicted = "" if log_copy is None else _compared(settings, log_copy)
    return Seen(
        erased_again=erased_again,
        shredded_again=shredded_again,
        entries=entries,
        waiting=waiting,
        events=report.events,
        closed=report.closed,
        statuses=report.statuses,
        last=last,
        contradicted=contradicted,
    )


def _compared(settings: config.Config, copy: Path) -> str:
    """Return what the copy knows and the restored log does not; then the log cannot go on by itself."""
    known = [each.vkey for each in custody.log_keys(settings).keys]
    words, note = log_copies.contradiction_here(settings.log_folder, copy, vkeys=known)
    if words:
        backing_up.stand_still(settings, note)
    return words


def _last() -> tuple[dt.datetime | None, int]:
    with db.cursor() as cur:
        cur.execute(
            "SELECT (SELECT max(record_time) FROM custody_batch), "
            "(SELECT coalesce(sum(n), 0) FROM custody_pendingbatch)"
        )
        last, waiting = cur.fetchall()[0]
        return last, int(waiting)
