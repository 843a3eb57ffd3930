"""The log stands still because two things that must agree do not: an alert for as long as that is so."""

from __future__ import annotations

import datetime as dt

from parcelward.base import db
from parcelward.parcels.alert_words import STANDSTILL

_ABOUT_MAX = 80


def open_standstill(differs: str, message: str, *, now: dt.datetime) -> None:
    """Tell the desk and /readyz what differs. Closed by a person while it still stands, the alert opens again."""
    with db.cursor() as cur:
        cur.execute(
            "INSERT INTO parcels_alert (kind, about, facility, details, opened_at) "
            "VALUES (%s, %s, 0, jsonb_build_object('differs', %s::text, 'message', %s::text), %s) "
            "ON CONFLICT (kind, item, about) DO UPDATE SET details = excluded.details, closed_by = NULL, "
            "closed_at = NULL, opened_at = CASE WHEN parcels_alert.closed_at IS NULL THEN parcels_alert.opened_at "
            "ELSE excluded.opened_at END",
            (STANDSTILL, differs[:_ABOUT_MAX], differs, message, now),
        )


def close_standstill(*, now: dt.datetime) -> None:
    """Close the alert: entries get their place again."""
    with db.cursor() as cur:
        cur.execute(
            "UPDATE parcels_alert SET closed_at = %s WHERE kind = %s AND closed_at IS NULL",
            (now, STANDSTILL),
        )
