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
from parcelward.base.standards import identify
from parcelward.base.standards.steps import CODES, Step
from parcelward.custody import actions as custody
from parcelward.custody.wire import Published
from parcelward.parcels import bodies, handovers, rules
from parcelward.parcels.actions import contacts, erasure
from parcelward.parcels.actions.items import first_id_of
from parcelward.parcels.alert_words import HANDOVER_KINDS
from parcelward.parcels.rules import State
from parcelward.people import actions as people
from parcelward.people import queries as people_queries

log = logging.getLogger(__name__)

NOTICE_STEPS = tuple(
    int(s) for s in (Step.OUT_FOR_DELIVERY, Step.DELIVERY_FAILED, Step.AT_COLLECTION_POINT, Step.DELIVERED)
)
NOTICE_LATE_MAX = dt.timedelta(days=3)  # what is learnt later than this is history, not news: an import, an old queue
SUBMISSIONS_KEPT = rules.SEQUENCE_WINDOW
STUCK_AT_ONCE = 1_000
HANDOVERS_AFTER_START = dt.timedelta(days=14)  # how far back handovers are judged when a worker starts
_LOOK_BACK = dt.timedelta(minutes=10)  # between two rounds of housekeeping; several times what lies between them

_COUNTED = (  # a scan that was declared wrong, by its own source or by who may, is no sight of the item
    "SELECT h.side, h.item, h.facility, h.count, h.record_time, h.source, h.party FROM parcels_handoverscan h "
    "WHERE h.handover = %s AND NOT EXISTS (SELECT 1 FROM parcels_scan_event c WHERE c.item = h.item "
    "AND c.event_time > h.event_time - interval '1 day' AND c.corrects = h.event_id "
    "AND (c.source = h.source OR c.flags & %s <> 0) "
    "AND NOT EXISTS (SELECT 1 FROM parcels_scan_event d WHERE d.item = c.item "
    "AND d.event_time > c.event_time - interval '1 day' AND d.corrects = c.event_id "
    "AND (d.source = c.source OR d.flags & %s <> 0)))"
)


def catch_up() -> int:
    """Look at the next published scans. Safe to run any number of times."""
    return custody.follow("parcels", "parcels.scan", _look_at)


def _look_at(batches: Sequence[Published]) -> None:
    """Read what is worth a notice or belongs to a handover; commits with the cursor."""
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT uuid_send(item), uuid_send(event_id), event_time, step, flags & %s <> 0, uuid_send(corrects) "
            "FROM parcels_scan_event "
            "WHERE batch = ANY(%s) AND (step = ANY(%s) OR flags & %s <> 0 OR corrects IS NOT NULL)",
            (int(rules.Mark.HANDOVER), [b.batch for b in batches], list(NOTICE_STEPS), int(rules.Mark.HANDOVER)),
            binary=True,
        )
        rows = cur.fetchall()
    news = dt.datetime.now(dt.UTC) - NOTICE_LATE_MAX
    # A correction repeats the step that it declares wrong: nothing of the kind has happened.
    _notify([row[:4] for row in rows if row[3] in NOTICE_STEPS and row[5] is None and row[2] > news])
    sights = [(row[0], row[1]) for row in rows if row[4]] + [(row[0], row[5]) for row in rows if row[5] is not None]
    if sights:  # ids stay 16 bytes: making UUIDs of all would cost more than the rest
        with db.cursor() as cur:
            cur.execute(
                "SELECT DISTINCT h.handover FROM unnest(%s::uuid[], %s::uuid[]) AS u(item, event) "
                "JOIN parcels_handoverscan h ON h.item = u.item AND h.event_id = u.event",
                tuple(db.uuid_array(column) for column in zip(*sights, strict=True)),
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
            f'{{"event":"{event_id.hex()}","item":"{identify.ITEM_PREFIX}{item.hex()}","at":"{event_time.isoformat()}","words":{words[step]}}}\n'
            for item, event_id, event_time, step in rows
        ]
    )
    # A file stands for the messenger until customers have addresses. A crash between this line and the cursor's commit
    # writes it again: the reader tells a repeat by the event's id.
    with (folder / f"{dt.datetime.now(dt.UTC):%Y-%m-%d}.ndjson").open("a", encoding="utf-8") as out:
        out.write(lines)


def reconcile(ids: Sequence[str], *, now: dt.datetime) -> None:
    """Open an alert for every item that only one side of a handover saw; close those that a late scan settles.

    Items that only a count knows of, and a handover that one device signed for both sides, are alerts without an item.
    A handover is judged when both sides have scanned as many as they counted, or after HANDOVER_PATIENCE. Until then
    what both sides have seen is settled: a side that comes late rarely comes whole, and what it does bring must not
    look lost until patience ends again.
    """
    with connections["default"].cursor() as cur:
        for handover in sorted(ids):
            cur.execute(_COUNTED, [handover, int(rules.Mark.AUTHORISED), int(rules.Mark.AUTHORISED)])
            found: list[tuple[str, UUID | None, int]] = []
            judged: set[UUID] = set()
            settled: set[UUID] = set()
            whole = True
            for sights in handovers.pairs(_sights(cur.fetchall())):
                verdict = rules.judge_handover(sights, now=now)
                if verdict is None:
                    whole = False
                    settled |= handovers.settled(sights)
                    continue
                judged |= {sight.item for sight in sights}
                found += [(kind, item, verdict.facility) for kind, item in handovers.findings(sights, verdict)]
            _write_alerts(cur, handover, found, done=None if whole and judged else judged | settled, now=now)


def _sights(rows: Sequence[tuple[Any, ...]]) -> list[rules.Sight]:
    keys = people_queries.key_sources(row[5] for row in rows)
    return [rules.Sight._make((*row[:6], handovers.speaker(row[6], row[5], is_key=row[5] in keys))) for row in rows]


def _write_alerts(
    cur: Any, handover: str, found: Sequence[tuple[str, UUID | None, int]], *, done: set[UUID] | None, now: dt.datetime
) -> None:
    """Close what is settled, of the items `done` or (None) all; open what is new. What a person closed stays closed."""
    cur.execute(
        "SELECT id, kind, item FROM parcels_alert WHERE about = %s AND closed_at IS NULL AND kind = ANY(%s)",
        [handover, list(HANDOVER_KINDS)],
    )
    # Compared here and not by a join, of which a planner that thinks little of a table makes each with each.
    known = {(kind, item): alert for alert, kind, item in cur.fetchall()}
    wanted: dict[tuple[str, UUID | None], int] = {}
    for kind, item, place in found:
        wanted.setdefault((kind, item), place)
    over = [known[key] for key in known.keys() - wanted.keys() if done is None or key[1] in done]
    fresh = [(*key, wanted[key]) for key in wanted if key not in known]
    if over:
        cur.execute("UPDATE parcels_alert SET closed_at = %s WHERE id = ANY(%s) AND closed_at IS NULL", [now, over])
    if fresh:
        kinds, items, places = zip(*fresh, strict=True)
        cur.execute(
            "INSERT INTO parcels_alert (kind, item, about, facility, details, opened_at) "
            "SELECT f.kind, f.item, %s, f.facility, '{}', %s FROM unnest(%s::text[], %s::uuid[], %s::int[]) "
            "AS f(kind, item, facility) ON CONFLICT DO NOTHING",
            [handover, now, list(kinds), list(items), list(places)],
        )


_kept_house_at: dt.datetime | None = None


def keep_house(now: dt.datetime) -> None:
    """Judge handovers that only one side finished, find stuck items, do erasures that are due.

    And forget answers that can no longer be asked for.
    """
    global _kept_house_at  # noqa: PLW0603 -- one process-wide moment: what came before it was judged
    since = now - HANDOVERS_AFTER_START if _kept_house_at is None else min(_kept_house_at, now) - _LOOK_BACK
    with connections["default"].cursor() as cur:
        cur.execute(
            "SELECT DISTINCT handover FROM parcels_handoverscan WHERE record_time BETWEEN %s AND %s",
            [since - rules.HANDOVER_PATIENCE, now - rules.HANDOVER_PATIENCE],
        )
        late = [row[0] for row in cur.fetchall()]
        cur.execute(
            "INSERT INTO parcels_alert (kind, item, about, facility, details, opened_at) "
            "SELECT 'stuck', s.item, s.last_time::date::text, s.facility, '{}', %s FROM parcels_item_status s "
            "WHERE s.item BETWEEN %s AND %s AND s.last_time BETWEEN %s AND %s AND s.kind = 1 AND (s.flags & %s) = 0 "
            "AND NOT s.step = ANY(%s) "
            # One that was sold, held and let go waits for its sender to hand it in.
            "AND (s.step <> %s OR EXISTS (SELECT FROM parcels_scan_event e WHERE e.item = s.item "
            "AND e.step <> ALL(%s))) AND NOT EXISTS (SELECT 1 FROM parcels_alert a WHERE a.kind = 'stuck' "
            "AND a.item = s.item AND a.about = s.last_time::date::text) ORDER BY s.last_time LIMIT %s "
            "ON CONFLICT DO NOTHING",
            [
                now,
                # Ids are in the order of making: only rows of items of these weeks are read, not all there ever were.
                first_id_of(now - rules.WATCHED_FOR),
                first_id_of(now - rules.STUCK_AFTER),
                now - dt.timedelta(days=7),
                now - rules.STUCK_AFTER,
                int(State.DELIVERED | State.LOST | State.SHREDDED),
                [int(s) for s in (Step.RETURNED, Step.CANCELLED, Step.AT_COLLECTION_POINT, Step.HELD)],
                int(Step.RELEASED),
                list(rules.AT_THE_DESK),
                STUCK_AT_ONCE,
            ],
        )
        cur.execute(
            "DELETE FROM parcels_submission s USING parcels_sourcemark m WHERE m.source = s.source "
            "AND s.sequence <= m.high_sequence - %s",
            [SUBMISSIONS_KEPT],
        )
    reconcile(late, now=now)
    people.forget_answers(now)
    people.forget_bans(now)
    erasure.erase_due(now)
    contacts.end_delivered(now)
    bodies.seal_old()
    _kept_house_at = now
