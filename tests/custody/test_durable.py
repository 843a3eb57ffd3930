"""Whatever is recorded, on a session that could lose the commit it is refused, and nothing is there afterwards."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import uuid

import pytest
from django.db import transaction

from parcelward.base import config, db
from parcelward.base.errors import NotDurable
from parcelward.custody import actions as custody
from parcelward.custody.models import Fact, ItemSecret


@pytest.fixture(params=["default", "keys"])
def careless(installation, request):
    """This thread's connection, with commits that are confirmed before they are on the disk."""
    db.raw(request.param).execute("SET synchronous_commit = off")
    yield request.param
    db.raw(request.param).execute("RESET synchronous_commit")


def record(alias: str, mark: uuid.UUID) -> None:
    if alias == "keys":
        custody.make_secrets([mark.bytes])
    else:
        custody.record_fact("test.durable", {"mark": mark.hex})


def recorded(alias: str, mark: uuid.UUID) -> bool:
    if alias == "keys":
        return ItemSecret.objects.using("keys").filter(item=mark).exists()
    return any(mark.hex.encode() in bytes(fact.body) for fact in Fact.objects.filter(kind="test.durable"))


def test_a_careless_session_records_nothing(careless):
    mark = uuid.uuid4()
    with pytest.raises(NotDurable, match="synchronous_commit = off"):
        record(careless, mark)
    assert not recorded(careless, mark)
    db.raw(careless).execute("RESET synchronous_commit")
    record(careless, mark)
    assert recorded(careless, mark)
    ItemSecret.objects.using("keys").filter(item=mark).delete()


def test_a_batch_of_scans_is_refused_too(installation):
    db.raw().execute("SET synchronous_commit = off")
    try:
        with pytest.raises(NotDurable), transaction.atomic():
            custody.add_batch("parcels.scan", [os.urandom(32)], now=dt.datetime.now(dt.UTC))
    finally:
        db.raw().execute("RESET synchronous_commit")


def test_no_log_grows_from_a_careless_session(installation, tmp_path):
    db.raw().execute("SET synchronous_commit = off")
    try:
        with pytest.raises(NotDurable):
            custody.Sequencer(dataclasses.replace(config.get(), home=tmp_path))
    finally:
        db.raw().execute("RESET synchronous_commit")
