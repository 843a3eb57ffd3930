"""What needs a person: alerts and quarantined events, a page of them or one. Part of the room's queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext

from parcelward.network import queries as network
from parcelward.parcels import bodies
from parcelward.parcels.alert_words import HANDOVER_KINDS, STANDSTILL, in_words
from parcelward.parcels.models import Alert, ItemAlias, Quarantine
from parcelward.parcels.wire import AlertRow, Part, QuarantinedRow
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task

PART_MAX = 100

ModelT = TypeVar("ModelT", bound=Model)


def alerts(*, by: Person, kind: str = "", start: int = 0, limit: int = PART_MAX) -> Part[AlertRow]:
    """Return open alerts from `start` on (an alert's id; 0: the newest), newest first.

    After a flood, what happens now is still in sight, and the oldest can still be reached.
    """
    people.require(by, Task.READ_DESK)
    rows = Alert.objects.filter(closed_at=None)
    if kind:
        rows = rows.filter(kind=kind)
    found, before, newer, older = _part(rows, "opened_at", _from(Alert.objects.filter(id=start), "opened_at"), limit)
    return Part(_alert_rows(found), before, newer, older)


def alert(alert_id: int, *, by: Person) -> AlertRow | None:
    """Return one alert, open or closed, however old; None where there is none."""
    people.require(by, Task.READ_DESK)
    found = _alert_rows(Alert.objects.filter(id=alert_id))
    return found[0] if found else None


def quarantined(*, by: Person, start: int = 0, limit: int = PART_MAX) -> Part[QuarantinedRow]:
    """Return bad events that wait for a person, from `start` on (one's id; 0: the newest), newest first.

    Without their bytes: a list shows none, and each would have to be opened.
    """
    people.require(by, Task.READ_DESK)
    rows = Quarantine.objects.filter(state="open").defer("raw")
    found, before, newer, older = _part(
        rows, "received_at", _from(Quarantine.objects.filter(id=start), "received_at"), limit
    )
    return Part(_quarantined_rows(found, {}), before, newer, older)


def quarantined_event(quarantine_id: int, *, by: Person) -> QuarantinedRow | None:
    """Return one bad event, whatever became of it, however old; None where there is none."""
    people.require(by, Task.READ_DESK)
    rows = list(Quarantine.objects.filter(id=quarantine_id))
    found = _quarantined_rows(rows, bodies.quarantined(rows))
    return found[0] if found else None


def open_by_kind() -> dict[str, int]:
    """Return how many things of each kind need a person."""
    with connections["default"].cursor() as cur:
        cur.execute("SELECT kind, count(*) FROM parcels_alert WHERE closed_at IS NULL GROUP BY kind")
        counts = dict(cur.fetchall())
        cur.execute("SELECT count(*) FROM parcels_quarantine WHERE state = 'open'")
        row = cur.fetchone()
    counts["quarantine"] = row[0] if row else 0
    return counts


def standstill() -> tuple[str, str] | None:
    """Return (what differs, the sentence about it) while the log stands still for that; None when it does not."""
    found = Alert.objects.filter(kind=STANDSTILL, closed_at=None).order_by("-opened_at").first()
    return None if found is None else (found.details.get("differs", ""), found.details.get("message", ""))


def _from(rows: QuerySet[Any], at: str) -> tuple[object, int] | None:
    """Return the place in the order where this row stands or, since closed, stood; None for none: the newest."""
    found = rows.values_list(at, "id").first()
    return None if found is None else (found[0], found[1])


def _part(
    rows: QuerySet[ModelT], at: str, start: tuple[object, int] | None, limit: int
) -> tuple[list[ModelT], int, int | None, int | None]:
    """Return (the rows from `start` on, how many are newer, where the newer part starts, where the older one does)."""
    before, newer, here = 0, None, rows
    if start is not None:
        when, number = start
        ahead = rows.filter(Q(**{f"{at}__gt": when}) | Q(**{at: when, "id__gt": number}))
        here = rows.filter(Q(**{f"{at}__lt": when}) | Q(**{at: when, "id__lte": number}))
        before = ahead.count()
        last = list(ahead.order_by(at, "id").values_list("pk", flat=True)[:limit])
        newer = (last[-1] if before > limit else 0) if last else None
    found = list(here.order_by(f"-{at}", "-id")[: limit + 1])
    older = found[limit].pk if len(found) > limit else None
    return found[:limit], before, newer, older


def _alert_rows(rows: QuerySet[Alert] | Sequence[Alert]) -> tuple[AlertRow, ...]:
    found = list(rows)
    numbers = dict(
        ItemAlias.objects.filter(item__in={a.item for a in found if a.item}).values_list("item", "number"),
    )
    places = network.facilities().by_number
    return tuple(
        AlertRow(
            alert_id=a.id,
            kind=a.kind,
            opened_at=a.opened_at,
            facility=places[a.facility].code if a.facility in places else "",
            time_zone=places[a.facility].time_zone if a.facility in places else "",
            item_number=numbers.get(a.item, "") if a.item else "",
            handover=a.about if a.kind in HANDOVER_KINDS else "",
            event_id=_event_of(a),
            words=in_words(a),
            closed=a.closed_at is not None,
        )
        for a in found
    )


def _event_of(alert: Alert) -> UUID | None:
    """Return the event that an alert about an item names; a handover's id, which may be a UUID too, is none."""
    if alert.item is None or alert.kind in HANDOVER_KINDS:
        return None
    try:
        return UUID(alert.about)
    except ValueError:
        return None


def _quarantined_rows(found: Sequence[Quarantine], raws: Mapping[int, bytes]) -> tuple[QuarantinedRow, ...]:
    names = people.source_names(r.source for r in found)
    return tuple(
        QuarantinedRow(
            quarantine_id=r.id,
            received_at=r.received_at,
            source_name=names.get(r.source, ""),
            code=r.code,
            message=r.message,
            raw=raws.get(r.id, b"").decode("utf-8", "replace"),
            state=r.state,  # type: ignore[arg-type]  # only these three are ever written
            closing_note=gettext(r.closing_note) if r.closing_note and r.closed_by is None else r.closing_note,
        )
        for r in found
    )
