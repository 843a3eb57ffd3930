"""Say what is sold, and for how much."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

from django.db import transaction
from django.utils import timezone

from parcelward.base import db
from parcelward.base.errors import Invalid
from parcelward.custody import actions as custody
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.shipping import tariff as documents
from parcelward.shipping.models import TariffVersion
from parcelward.shipping.order_check import TARIFF
from parcelward.shipping.queries import tariffs


@transaction.atomic
def sell_by(body: bytes, *, by: Person, sold_from: dt.datetime | None = None) -> int:
    """Sell by a tariff from a moment on, at once if none is given; return its number.

    The same document as the newest one changes nothing. Raises BadTariff, Invalid for a moment that is over.
    """
    require(by, Task.EDIT_TARIFF)
    now = timezone.now()
    since = sold_from or now
    if since < now:
        raise Invalid("A tariff holds from now on, or from later", code="bad_time")
    canonical = documents.written(documents.read(body))
    with db.cursor() as cur:  # two at once take turns, so that the newest is the one that came last
        cur.execute("LOCK TABLE shipping_tariffversion IN SHARE ROW EXCLUSIVE MODE")
    newest = TariffVersion.objects.order_by("-sold_from", "-number").first()
    if newest is not None and bytes(newest.body) == canonical and newest.sold_from <= since:
        return newest.number
    row = TariffVersion.objects.create(body=canonical, source=by.source, made_at=now, sold_from=since)
    said = {"by": by.source, "digest": hashlib.sha256(canonical).hexdigest(), "tariff": row.number}
    custody.record_fact(TARIFF, said | {"sold_from": since.isoformat()})
    tariffs.forget()
    return row.number


def sell_by_sample(currency: str, country: str, *, by: Person) -> None:
    """Sell by the sample tariff where nothing is sold yet, in the house's currency and country. For test mode."""
    if TariffVersion.objects.exists():
        return
    document = json.loads(documents.sample())
    document["currency"] = currency
    document["zones"]["home"] = [country]
    document["zones"]["near"] = [code for code in document["zones"]["near"] if code != country] or ["CA"]
    document["taxes"][0]["places"] = [country]
    sell_by(json.dumps(document).encode(), by=by)
