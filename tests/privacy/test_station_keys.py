"""The worker's round: keys of coming weeks are made once, and what is past its claim period is destroyed once."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from parcelward.doors.console.station_keys import WEEKS_AHEAD, keep_station_keys
from parcelward.privacy.sealing import actions, queries


def facts(kind: str) -> list[dict[str, Any]]:
    from parcelward.custody.models import Fact

    return [
        json.loads(bytes(body))
        for body in Fact.objects.filter(kind=kind).order_by("batch").values_list("body", flat=True)
    ]


def test_each_place_has_its_keys_before_the_week_and_loses_them_after_the_claim_period(installation, facilities):
    from parcelward.privacy.models import StationKey

    then = dt.datetime(2024, 3, 6, 12, tzinfo=dt.UTC)
    epoch = queries.epoch_of(then)
    weeks = range(epoch, epoch + 1 + WEEKS_AHEAD)
    keep_station_keys(then)
    rows = StationKey.objects.filter(facility__in=facilities, epoch__in=weeks)
    assert {(row.facility, row.epoch) for row in rows} == {(place, week) for place in facilities for week in weeks}
    assert len({bytes(row.public_key) for row in rows}) == len(facilities) * len(weeks), "no key is used twice"
    made, told = set(rows.values_list("pk", flat=True)), len(facts(actions.KEYS_MADE))
    keep_station_keys(then)
    assert set(rows.values_list("pk", flat=True)) == made
    assert len(facts(actions.KEYS_MADE)) == told, "the second round says nothing"
    keep_station_keys(dt.datetime.now(dt.UTC))
    for row in rows.all():
        assert bytes(row.wrapped) == b""
        assert row.destroyed_at is not None
    said = [key for body in facts(actions.KEYS_DESTROYED) for key in body["keys"]]
    assert {(key["facility"], key["epoch"]) for key in said} >= {
        (place, week) for place in facilities for week in weeks
    }


def test_a_key_lies_in_the_keys_database_and_never_in_clear(installation, facilities):
    from django.db import connections

    from parcelward.privacy.models import StationKey

    keep_station_keys(dt.datetime.now(dt.UTC))
    row = StationKey.objects.filter(facility=facilities[0], destroyed_at=None).order_by("epoch")[0]
    private = actions._private(row.facility, row.epoch)
    assert len(private) == 32
    assert private not in bytes(row.wrapped)
    with connections["default"].cursor() as cur:
        cur.execute("SELECT to_regclass('privacy_stationkey')")
        assert cur.fetchone() == (None,)
    assert installation.home.joinpath("keys", "station-kek").stat().st_mode & 0o777 == 0o600
