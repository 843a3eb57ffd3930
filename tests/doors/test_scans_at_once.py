"""Many requests at once over HTTP: one batch is recorded once, and who holds an item or floods keeps nobody waiting."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from django.db import connections, transaction
from tests.scanner import Scanner, event, new_number

from parcelward.base.errors import Busy
from parcelward.doors.api import scans
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries


@pytest.mark.asvs("2.4.1", "15.2.2")
def test_a_flood_of_one_sender_is_told_when_to_come_back(installation, facilities, number):
    scanner, other = Scanner(installation), Scanner(installation)
    scanner.send(event(number, "accepted"))
    body = scanner.body([event(number, "left_sorting")])
    with ThreadPoolExecutor(80) as pool, transaction.atomic(), connections["default"].cursor() as cur:
        cur.execute("SELECT FROM parcels_item_status WHERE item = %s FOR UPDATE", [queries.find(number)])
        held = [pool.submit(scanner.post, body, sequence=n) for n in range(2, 82)]
        time.sleep(1)
        said = [other.post(other.body([event(new_number(), "accepted")])) for _ in range(3)]
    assert {one.status_code for one in said} == {200}
    answers = [one.result(60) for one in held]
    slowed = [one for one in answers if one.status_code == 429]
    assert slowed, "one sender may fill the line"
    assert {(one.headers["Retry-After"], one.json()["code"]) for one in slowed} == {("1", "too_many")}
    assert {one.status_code for one in answers} <= {200, 429, 503}


def test_the_same_batch_at_once_is_recorded_once(installation, facilities, number):
    scanner = Scanner(installation)
    body = scanner.body([event(number, "accepted")])
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: scanner.post(body, sequence=1), range(10)))
    assert {a.status_code for a in answers} <= {200, 503}
    assert all("Retry-After" in a.headers for a in answers if a.status_code == 503)
    final = {scanner.post(body, sequence=1).content} | {a.content for a in answers if a.status_code == 200}
    assert len(final) == 1, "one batch, one answer"
    shown = httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()
    assert json.loads(final.pop())["accepted"] == shown["events_total"] == 1


def test_a_held_item_keeps_nobody_else_waiting(installation, facilities, number):
    scanner, other = Scanner(installation), Scanner(installation)
    scanner.send(event(number, "accepted"))
    with ThreadPoolExecutor(20) as pool, transaction.atomic(), connections["default"].cursor() as cur:
        cur.execute("SELECT FROM parcels_item_status WHERE item = %s FOR UPDATE", [queries.find(number)])
        body = scanner.body([event(number, "left_sorting")])
        held = [pool.submit(scanner.post, body, sequence=n) for n in range(2, 10)]
        time.sleep(0.5)
        sent = [pool.submit(other.post, other.body([event(new_number(), "accepted")]), sequence=n) for n in range(1, 9)]
        assert {one.result(25).status_code for one in sent} == {200}
        assert {one.result(25).status_code for one in held} == {503}
    assert scanner.post(body, sequence=2).json()["accepted"] == 1


@pytest.mark.asvs("16.5.3")
def test_a_server_that_became_read_only_is_one_that_is_away(monkeypatch):
    def record_scans(_submissions, *, now):
        raise psycopg.errors.ReadOnlySqlTransaction

    monkeypatch.setattr(parcels, "record_scans", record_scans)
    with pytest.raises(Busy) as caught:
        scans._record([])
    assert caught.value.code == "database_away"
