"""A number comes back a year after delivery: judged by what was recorded before its batch, one batch is one look."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.scanner import Scanner, event

from parcelward.parcels.models import Alert, ItemAlias

AGO_DAYS = 400


def story(number):
    """Return `accepted, delivered` of long ago and `accepted` of today."""
    then = dt.datetime.now(dt.UTC) - dt.timedelta(days=AGO_DAYS)
    return (
        {**event(number, "accepted"), "event_time": then.isoformat()},
        {**event(number, "delivered"), "event_time": (then + dt.timedelta(hours=1)).isoformat()},
        event(number, "accepted"),
    )


@pytest.mark.parametrize(("cut", "items"), [(3, 1), (2, 2), (1, 1)])
def test_a_delivery_counts_for_the_batches_after_its_own(installation, facilities, number, cut, items):
    scanner, events = Scanner(installation), story(number)
    for part in (events[:cut], events[cut:]):
        if part:
            assert scanner.send(*part)["accepted"] == len(part)
    assert ItemAlias.objects.filter(number=number).count() == items
    assert ItemAlias.objects.filter(number=number, valid_to=None).count() == 1
    raised = Alert.objects.filter(kind="after_delivery", item=ItemAlias.objects.get(number=number, valid_to=None).item)
    assert raised.exists() == (items == 1), "what came together is seen by a person"
