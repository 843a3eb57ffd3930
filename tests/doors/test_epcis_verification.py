"""`verify-log` finds every change of a captured EPCIS event."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from tests.epcis_partner import Partner, event, item
from tests.scanner import new_number, until

from parcelward.custody.errors import EntryDiffers
from parcelward.custody.queries import Findings, Span

CHANGES = {
    "biz_step": "biz_step = 'departing'",
    "epcs": "epcs = ARRAY['https://id.gs1.org/00/106141412345678908']",
    "source": "source = source + 1",
    "name": "name = gen_random_uuid()",
    "event_time": "event_time = event_time + interval '1 second'",
    "record_time": "record_time = record_time + interval '1 second'",
    "read_point": "read_point = 'urn:example:elsewhere'",
    "declares": "declares = true",
    "body": "body = set_byte(body, 20, get_byte(body, 20) # 1)",
    "body in the clear": "body_key = NULL, body = convert_to('{}', 'UTF8')",
    "salt": "salt = decode(repeat('00', 32), 'hex')",
    "leaf": "leaf = 7",
    "batch": "batch = batch + 1000000",
}


@pytest.fixture(scope="module")
def captured(installation, facilities) -> Any:
    from parcelward.custody import queries as custody
    from parcelward.custody.models import Batch
    from parcelward.custody.queries import Logged
    from parcelward.parcels.models import EpcisEvent

    number = new_number()
    Partner(installation).capture(event(item(number)), event(item(new_number())))
    row = EpcisEvent.objects.get(epcs__contains=[f"nr:{number}"])
    place = until(lambda: custody.places([row.batch]).get(row.batch))
    commitments = bytes(Batch.objects.get(id=row.batch).commitments)
    return row, Logged(place.first_index, row.batch, place.record_time, place.n, place.kind, commitments)


def check(logged: Any) -> EntryDiffers | None:
    from parcelward.parcels.epcis.verification import EpcisChecker

    checker, findings = EpcisChecker(), Findings()
    assert checker.check([logged], findings) == logged.n
    checker.finish(Span(0, 10**9, whole=True), findings)
    return findings.first


def test_what_was_captured_agrees_with_the_log(captured):
    assert check(captured[1]) is None


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found(captured, change):
    row, logged = captured
    with transaction.atomic(), connection.cursor() as cur:
        cur.execute(f"UPDATE parcels_epcis_event SET {CHANGES[change]} WHERE id = %s", [row.id])
        assert cur.rowcount == 1
        found = check(logged)
        transaction.set_rollback(True)
    assert found is not None
    assert found.differs == "epcis"
    assert check(logged) is None


def test_a_lost_event_is_found(captured):
    row, logged = captured
    with transaction.atomic(), connection.cursor() as cur:
        cur.execute("DELETE FROM parcels_epcis_event WHERE id = %s", [row.id])
        found = check(logged)
        transaction.set_rollback(True)
    assert found is not None


def test_the_command_knows_this_kind_of_entry(captured, installation):
    from parcelward.base import config
    from parcelward.parcels import queries

    report = queries.verify_log(config.get(), tell=lambda *_: None)
    assert "parcels.epcis" not in report.unchecked
