"""What an item is held for: for security, two people let it go on; for dangerous goods, who holds the certificate.

Part of the room's queries.
"""

from __future__ import annotations

from uuid import UUID

from cryptography.exceptions import InvalidTag

from parcelward.base import db
from parcelward.base.standards.steps import Step
from parcelward.custody import queries as custody
from parcelward.custody.wire import open_body
from parcelward.parcels import rules
from parcelward.parcels.canon import scanned_reason
from parcelward.parcels.models import ItemStatus
from parcelward.parcels.proofs import shown_events
from parcelward.parcels.rules import Mark, Seen, State


def held_for_security(item: UUID) -> bool:
    """Return whether a hold for security stands, whatever holds were placed after it."""
    return any(rules.for_security(reason) for reason in standing_reasons(item))


def held_for_goods(item: UUID) -> bool:
    """Return whether a hold stands because of what is in it, or may be."""
    return any(rules.for_goods(reason) for reason in standing_reasons(item))


def standing_reasons(item: UUID) -> list[str]:
    """Return the reason of each hold that stands; nothing for an item that is not held, or was erased."""
    status = ItemStatus.objects.filter(item=item).first()
    if status is None or not status.flags & State.HELD or status.flags & State.SHREDDED:
        return []
    return _reasons(item, _standing(item, status))


def _standing(item: UUID, status: ItemStatus) -> list[Seen]:
    """Return the holds since the item was last released; a release that no device could make counts for nothing."""
    events = [seen for seen, *_ in shown_events(item, status)]
    void = rules.voided(events)
    standing: list[Seen] = []
    secured = False
    for seen in events:
        if seen[:5] in void or seen.corrects is not None:
            continue
        if seen.step == Step.HELD:
            standing.append(seen)
            secured = secured or bool(seen.flags & Mark.AUTHORISED)
        elif seen.step == Step.RELEASED and (seen.flags & Mark.AUTHORISED or not secured):
            standing, secured = [], False
    return standing


def _reasons(item: UUID, holds: list[Seen]) -> list[str]:
    keys = custody.item_keys([item]).get(item)
    if keys is None or not holds:
        return []
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT event_id, body FROM parcels_scan_event WHERE item = %s AND event_time BETWEEN %s AND %s "
            "AND event_id = ANY(%s)",
            (item, holds[0].event_time, holds[-1].event_time, [seen.event_id for seen in holds]),
            binary=True,
        )
        bodies = [(event_id, bytes(body)) for event_id, body in cur]
    found = []
    for event_id, body in bodies:
        try:
            found.append(scanned_reason(open_body(keys, event_id.bytes, body).groups["operations"]))
        except InvalidTag:  # its bytes were changed: `verify-log` says so; it is no reason to let it go
            found.append(rules.SECURITY)
    return found
