"""Make an evidence bundle of an item's whole history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from parcelward.base import db
from parcelward.custody import bundling
from parcelward.custody.bundling import Made
from parcelward.parcels.proofs import first_number
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task


def make_bundle(
    item: UUID,
    *,
    reveal: Sequence[str],
    reason: str,
    verify_html: bytes,
    software: str,
    by: Person,
    now: dt.datetime,
) -> Made:
    """Return a verified bundle that the log knows about; raises what `bundling.make` raises, and NotAllowed."""
    people.require(by, Task.MAKE_BUNDLE)
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT item_seq, event_id, body, batch, leaf, source, sequence FROM parcels_scan_event WHERE item = %s "
            "ORDER BY item_seq",
            (item,),
            binary=True,
        )
        stored = [bundling.Stored(sequence, event_id, bytes(body), *at) for sequence, event_id, body, *at in cur]
    signers = {
        source: bundling.Signer(f"dev_{key.device.hex}", key.key_id, key.key, key.batch, key.leaf)
        for source, key in people.enrolled_keys(each.source for each in stored).items()
    }
    order = bundling.Order(reveal, reason, by.source, software, verify_html, signers)
    return bundling.make(item, first_number(item), stored, order, now=now)
