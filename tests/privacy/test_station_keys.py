"""The worker's round: keys of coming weeks are made once, and what is past its claim period is destroyed once."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from parcelward.base.errors import Conflict
from parcelward.doors.console.station_keys import WEEKS_AHEAD, keep_station_keys
from parcelward.people.actions import machinery
from parcelward.privacy import actions as privacy
from parcelward.privacy import cipher, keepers
from parcelward.privacy.sealing import actions, keybox, queries


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
    assert installation.home.joinpath("keys", "vault-kek").stat().st_mode & 0o777 == 0o600
    keeper = keepers.keeper()
    whose = cipher.station_context(row.facility, row.epoch, bytes(row.public_key))
    assert keeper.unwrap(bytes(row.wrapped), whose, row.kek_version) == private, "the vault's key is what wraps it"


def test_a_new_key_of_the_vault_wraps_stations_keys_too_and_a_kill_is_made_good(installation, facilities, monkeypatch):
    from parcelward.privacy.models import StationKey

    monkeypatch.setattr(keybox, "REWRAPPED_AT_ONCE", 2)
    now, by = dt.datetime.now(dt.UTC), machinery()
    keep_station_keys(now)
    row = StationKey.objects.filter(facility=facilities[0], destroyed_at=None).order_by("epoch")[0]
    private = actions._private(row.facility, row.epoch)
    privacy.rotate_kek(by=by, now=now)  # whatever other tests left is done
    old = max(keepers.keeper().versions())
    assert StationKey.objects.filter(destroyed_at=None).exclude(kek_version=old).count() == 0
    real, calls = keybox._rewrap, iter(range(100_000))

    def dies(rows, newest):
        if next(calls) == 1:
            raise KeyboardInterrupt
        return real(rows, newest)

    with monkeypatch.context() as killed:
        killed.setattr(keybox, "_rewrap", dies)
        with pytest.raises(KeyboardInterrupt):
            privacy.rotate_kek(by=by, now=now)
    newest, standing = old + 1, StationKey.objects.filter(destroyed_at=None)
    assert standing.filter(kek_version=newest).count() == 2
    assert keybox.status()[old] == standing.count() - 2
    assert actions._private(row.facility, row.epoch) == private, "on either side of the walk it opens"
    with pytest.raises(Conflict) as refused:
        privacy.retire_kek(old, by=by, now=now + dt.timedelta(days=30))
    assert refused.value.code == "in_use", "stations' keys count"
    turned = privacy.rotate_kek(by=by, now=now)
    assert (turned.version, turned.resumed) == (newest, True)
    assert keybox.status() == {newest: standing.count()}
    assert actions._private(row.facility, row.epoch) == private
    privacy.retire_kek(old, by=by, now=dt.datetime.now(dt.UTC) + dt.timedelta(days=8))
    assert actions._private(row.facility, row.epoch) == private


def test_a_key_destroyed_in_the_middle_of_a_rotation_does_not_come_back(installation, facilities, monkeypatch):
    from parcelward.privacy.models import StationKey

    then = dt.datetime(2023, 3, 8, 12, tzinfo=dt.UTC)
    actions.make_station_keys(facilities[:1], [queries.epoch_of(then)], by=machinery(), now=then)
    row = StationKey.objects.get(facility=facilities[0], epoch=queries.epoch_of(then))
    real = keybox.put

    def destroyed_meanwhile(each, key, version):
        actions.destroy_due_keys(claim=dt.timedelta(days=90), by=machinery(), now=dt.datetime.now(dt.UTC))
        real(each, key, version)

    monkeypatch.setattr(keybox, "put", destroyed_meanwhile)
    privacy.rotate_kek(by=machinery(), now=dt.datetime.now(dt.UTC))
    row.refresh_from_db()
    assert bytes(row.wrapped) == b""
