"""What a batch leaves beside its events: alerts for people, and what each side of a handover saw."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from parcelward.base import db
from parcelward.parcels.rules import PackedSeen
from parcelward.parcels.wire import HandoverIn


@dataclass(slots=True)
class Afterwards:
    """Rows to write once the events are in; most batches have none."""

    alerts: list[tuple[str, UUID | None, str, int, Jsonb]] = field(default_factory=list)
    handovers: list[tuple[Any, ...]] = field(default_factory=list)

    def alert(self, kind: str, item: bytes, about: bytes | str, facility: int, details: dict[str, Any]) -> None:
        """Ask for a person; the same kind, item and `about` (an event's id, or a word) twice is one alert."""
        named = about if isinstance(about, str) else str(UUID(bytes=about))
        self.alerts.append((kind, UUID(bytes=item), named, facility, Jsonb(details)))

    def handover(self, handover: HandoverIn, item: bytes, seen: PackedSeen) -> None:
        """Remember that one side of a handover saw this item; a correction repeats what it declares wrong: no sight."""
        if seen.corrects is not None:
            return
        when, item_id, event_id = db.from_micros(seen.event_time), UUID(bytes=item), UUID(bytes=seen.event_id)
        self.handovers.append(
            (
                *(handover.id, handover.side, item_id, event_id, when, seen.facility, seen.source),
                *(handover.count, handover.party),
            ),
        )


def write(after: Afterwards, *, now: dt.datetime) -> None:
    """Write the rows in the caller's transaction; an alert that is there already stays as it is."""
    if after.alerts:
        with db.cursor() as cur:
            cur.executemany(
                "INSERT INTO parcels_alert (kind, item, about, facility, details, opened_at) "
                "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [(*row, now) for row in sorted(after.alerts, key=lambda r: (r[0], str(r[1]), r[2]))],
            )
    if after.handovers:
        newest: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for row in sorted(after.handovers, key=lambda r: (r[2], r[0], r[1], r[4], r[3])):
            newest[*row[:3], row[6]] = row
        with db.cursor() as cur:
            # Scanned again by the same: the newest says where and how many, and stands when an earlier one is declared
            # wrong. What another source saw stays beside it.
            cur.execute(
                "INSERT INTO parcels_handoverscan AS h (handover, side, item, event_id, event_time, facility, source, "
                "count, party, record_time) SELECT u.*, %s FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::uuid[], "
                "%s::timestamptz[], %s::int[], %s::int[], %s::int[], %s::text[]) AS u "
                "ON CONFLICT (item, handover, side, source) DO UPDATE SET event_id = excluded.event_id, "
                "event_time = excluded.event_time, record_time = excluded.record_time, facility = excluded.facility, "
                "count = greatest(h.count, excluded.count), party = excluded.party "
                "WHERE (excluded.event_time, excluded.event_id) > (h.event_time, h.event_id)",
                (now, *(list(column) for column in zip(*newest.values(), strict=True))),
            )
