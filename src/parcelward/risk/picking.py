"""Which orders people look at though no rule asked for it: a day's budget, a fifth of it for what is only unusual.

What is unusual needs nobody's label (learning/anomaly.py): a kind of fraud that nobody has reported yet is good for the
model, and never good for what it has not seen before. What people say of these orders is learnt as an outcome.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

from django.db.models import Exists, OuterRef

from parcelward.risk.features.table import TABLE
from parcelward.risk.learning import alerts, anomaly
from parcelward.risk.models import Decision, LearntModel, Pick, Review, Stated

DAY: Final = dt.timedelta(days=1)
ORDERS_MAX: Final = 200_000
REASONS_MAX: Final = 3


def pick(now: dt.datetime) -> int:
    """Pick from the orders that were let go on within a day, once a day; return how many."""
    stated = Stated.objects.order_by("-id").first()
    budget = 0 if stated is None else json.loads(stated.body)["looks_a_day"]
    newest = LearntModel.objects.order_by("-learnt_at").first()
    usual = None if newest is None else _usual(newest.card)
    if not budget or usual is None or Pick.objects.filter(at__gt=now - DAY).exists():
        return 0
    reviewed = Exists(Review.objects.filter(decision=OuterRef("pk")))
    rows = Decision.objects.filter(~reviewed, round=1, answer="allow", at__gt=now - DAY, at__lte=now)
    said: dict[str, dict[str, Any]] = {}
    candidates, scored = [], False
    for ident, body in rows.order_by("-at").values_list("id", "body")[:ORDERS_MAX].iterator():
        known = json.loads(body)
        used = known["used"]
        row = {one.name: used.get(one.name) for one in TABLE}
        found = usual.surprise(row)
        scored = scored or "score" in used
        said[str(ident)] = {
            alerts.By.MODEL: known.get("score_reasons", [])[:REASONS_MAX],
            alerts.By.SURPRISE: [why.feature for why in found.reasons[:REASONS_MAX]],
        }
        candidates.append(alerts.Candidate(str(ident), used.get("score", 0.0), found.amount))
    chosen = alerts.chosen(candidates, budget, alerts.UNUSUAL_SHARE if scored else 1.0)
    # Without a model that scores, the places that are left over are nobody's: they would go by chance.
    kept = [(ident, by) for ident, by in chosen if scored or by is alerts.By.SURPRISE]
    made = [Pick(decision_id=ident, by=by.value, why=" ".join(said[ident][by]), at=now) for ident, by in kept]
    Pick.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _usual(card: str) -> anomaly.Usual | None:
    tails = tuple(anomaly.Tail(one["name"], one["high"], one["above"]) for one in json.loads(card).get("usual", []))
    return anomaly.Usual(tails) if tails else None
