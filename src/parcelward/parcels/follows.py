"""What the room does when its own events are in the log: notices, handovers counted, stuck items found."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connections

from parcelward.base import config, db
from parcelward.base.standards.steps import CODES, Step
from parcelward.custody import actions as custody
from parcelward.custody.wire import Published
from parcelward.parcels import rules
from parcelward.parcels.actions import erasure
from parcelward.parcels.actions.items import first_id_of
from parcelward.parcels.rules import State

log = logging.getLogger(__name__)

NOTICE_STEPS = tuple(
    int(s) for s in (Step.OUT_FOR_DELIVERY, Step.DELIVERY_FAILED, Step.AT_COLLECTION_POINT, Step.DELIVERED)
)
SUBMISSIONS_KEPT = rules.SEQUENCE_WINDOW


def catch_up() -> int:
    """Look at the next published scans. Safe to run any number of times."""
    return custody.follow("parcels", "parcels.scan", _look_at)


def _look_at(batches: Sequence[Published]) -> None:
    """Read what is worth a notice or belongs to a handover; commits with the cursor."""
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT item, event_id, event_time, step, flags & %s <> 0 FROM parcels_scan_event WHERE batch = ANY(%s) "
            "AND (step = ANY(%s) OR flags & %s <> 0)",
            (int(rules.Mark.HANDOVER), [b.batch for b in batches], list(NOTICE_STEPS), int(rules.Mark.HANDOVER)),
            binary=True,
        )
        rows = cur.fetchall()
    _notify([row[:4] for row in rows if row[3] in NOTICE_STEPS])
    handed_over = [(row[0], row[1]) for row in rows if row[4]]
    if handed_over:
        with db.cursor() as cur:
            cur.execute(
                "SELECT DISTINCT h.handover FROM unnest(%s::uuid[], %s::uuid[]) AS u(item, event) "
                "JOIN parcels_handoverscan h ON h.item = u.item AND h.event_id = u.event",
                tuple(list(column) for column in zip(*handed_over, strict=True)),
            )
            touched = [row[0] for row in cur.fetchall()]
        reconcile(touched, now=dt.datetime.now(dt.UTC))


def _notify(rows: Sequence[tuple[Any, ...]]) -> None:
    """Write one notice per event that a customer wants to hear of; the event's id keeps it from being sent twice."""
    if not rows:
        return
    folder = config.get().home / "notices"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    words = {step: json.dumps(CODES[Step(step)].customer) for step in NOTICE_STEPS}
    lines = "".join(
        [
            f'{{"event":"{event_id}","item":"{item}","at":"{event_time.isoformat()}","words":{words[step]}}}\n'
            for item, event_id, event_time, step in rows
        ]
    )
    # A file stands for the messenger until customers have addresses. A crash between this line and the cursor's commit
    # writes it again: the reader tells a repeat by the event's id.
    with (folder / f"{dt.datetime.now(dt.UTC):%Y-%m-%d}.ndjson").open("a", encoding="utf-8") as out:
        out.write(lines)


def reconcile(handovers: Sequence[str], *, now: dt.datetime) -> None:
    """Open an alert for every item that only one side of a handover saw; close those that a late scan settles.

    A handover is judged when both sides have scanned as many as they counted, or after HANDOVER_PATIENCE.
    """
    with connections["default"].cursor() as cur:
        for handover in sorted(handovers):
            cur.execute(
                "SELECT side, item, facility, count, record_time FROM parcels_handoverscan WHERE handover = %s",
                [handover],
            )
            verdict = rules.judge_handover([rules.Sight(*row) for row in cur.fetchall()], now=now)
            if verdict is None:
                continue
            cur.execute(
                "UPDATE parcels_alert SET closed_at = %s WHERE about = %s AND closed_at IS NULL "
                "AND (kind = 'over' AND NOT %s OR kind = 'short' AND NOT item = ANY(%s::uuid[]) "
                "OR kind = 'unexpected' AND NOT item = ANY(%s::uuid[]))",
                [now, handover, verdict.over, list(verdict.short), list(verdict.unexpected)],
            )
            found: list[tuple[str, UUID | None]] = [("short", item) for item in verdict.short]
            found += [("unexpected", item) for item in verdict.unexpected]
            if verdict.over:
                found.append(("over", None))
            for kind, item in found:
                cur.execute(
                    "INSERT INTO parcels_alert (kind, item, about, facility, details, opened_at) "
                    "VALUES (%s, %s, %s, %s, '{}', %s) ON CONFLICT DO NOTHING",
                    [kind, item, handover, verdict.facility, now],
                )


def keep_house(now: dt.datetime) -> None:
    """Judge handovers that only one side finished, find stuck items, do erasures that are due.

    And forget answers that can no longer be asked for.
    """
    with connections["default"].cursor() as cur:
        cur.execute(
            "SELECT DISTINCT handover FROM parcels_handoverscan WHERE record_time BETWEEN %s AND %s",
            [now - dt.timedelta(hours=6), now - rules.HANDOVER_PATIENCE],
        )
        late = [row[0] for row in cur.fetchall()]
        cur.execute(
            "INSERT INTO parcels_alert (kind, item, about, facility, details, opened_at) "
            "SELECT 'stuck', item, last_time::date::text, facility, '{}', %s FROM parcels_item_status "
            "WHERE item BETWEEN %s AND %s AND last_time BETWEEN %s AND %s AND kind = 1 AND (flags & %s) = 0 "
            "AND NOT step = ANY(%s) LIMIT 1000 ON CONFLICT DO NOTHING",
            [
                now,
                # Ids are in the order of making: only the rows of items of these weeks are read, not all there ever were.
                first_id_of(now - rules.WATCHED_FOR),
                first_id_of(now - rules.STUCK_AFTER),
                now - dt.timedelta(days=7),
                now - rules.STUCK_AFTER,
                int(State.DELIVERED | State.LOST | State.SHREDDED),
                [int(s) for s in (Step.RETURNED, Step.CANCELLED, Step.AT_COLLECTION_POINT, Step.HELD)],
            ],
        )
        cur.execute(
            "DELETE FROM parcels_submission s USING parcels_sourcemark m WHERE m.source = s.source "
            "AND s.sequence <= m.high_sequence - %s",
            [SUBMISSIONS_KEPT],
        )
    reconcile(late, now=now)
    erasure.erase_due(now)
