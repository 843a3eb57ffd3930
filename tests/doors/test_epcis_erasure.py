"""Erasing an item erases the EPCIS events that name it: nobody is told of them, and none of them opens again."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.utils import timezone
from tests.epcis_partner import Partner, at, document, event, item, packed
from tests.scanner import event as scan
from tests.scanner import new_number, new_receptacle, until

from parcelward.base import config, db
from parcelward.custody import queries as custody
from parcelward.custody import shredding
from parcelward.custody.errors import EntryDiffers
from parcelward.custody.models import Batch
from parcelward.parcels import actions, queries, verification
from parcelward.parcels.models import EpcisEvent, EpcisName, EpcisValue
from parcelward.people.wire import Person, Role

ANNA = Person(uuid.uuid4(), Role.INSPECTOR, 900_051, "inspector-51")
BEN = Person(uuid.uuid4(), Role.ADMINISTRATOR, 900_052, "admin-52")


@pytest.fixture
def partner(installation, facilities):
    return Partner(installation)


@pytest.fixture(scope="module")
def desk(installation):
    return Partner(installation, key=installation.api_key)


def erase(number: str) -> uuid.UUID:
    found = queries.find(number)
    assert found is not None
    erasure = actions.request_erasure(found, "asked for", by=ANNA)
    shredding.approve(erasure, by=BEN.source, now=timezone.now(), wait=dt.timedelta(0))
    actions.erase(erasure, by=BEN)
    actions.erase(erasure, by=BEN)  # twice changes nothing
    return found


def rows_of(number: str) -> list[EpcisEvent]:
    return list(EpcisEvent.objects.filter(epcs__contains=[f"nr:{number}"]).order_by("event_time"))


def agreed() -> verification.Report:
    until(lambda: custody.head(config.get()).pending == 0)
    return queries.verify_log(config.get())


def test_our_own_scans_of_an_erased_item_are_no_events_any_more(installation, scanner, desk, number):
    bag, other = new_receptacle(), new_number()
    scanner.send(scan(number, "accepted"), scan(number, "loaded", minutes=1, receptacle=bag), scan(other, "accepted"))
    (first, *_) = desk.events(MATCH_anyEPC=item(number), orderDirection="ASC")
    link = f"{installation.url}/track/{number}"
    assert desk.get(f"/epcs/{quote(link, safe='')}").status_code == 200
    erase(number)
    assert desk.events(MATCH_anyEPC=item(number)) == []
    assert desk.named(first["eventID"]).status_code == 404
    assert desk.get(f"/epcs/{quote(link, safe='')}").status_code == 404
    assert not [e for e in desk.events(GE_eventTime=at(-60 * 24), perPage="1000") if number in str(e)]
    assert len(desk.events(MATCH_anyEPC=item(other))) == 1


def test_nor_are_those_of_what_was_put_into_an_erased_receptacle(scanner, desk, number):
    bag = new_receptacle()
    scanner.send(scan(number, "accepted"), scan(number, "loaded", minutes=1, receptacle=bag))
    erase(bag)
    assert [e["type"] for e in desk.events(MATCH_anyEPC=item(number))] == ["ObjectEvent"]


def test_captured_events_that_name_an_erased_item_are_gone(partner, desk, number):
    """By whatever spelling, seen at a place of ours or not; other items' events stay."""
    other, elsewhere = new_number(), {"id": "urn:example:elsewhere"}
    both = event(item(number), item(other), minutes=1)
    said = [event(item(number)), both, event(f"https://example.com/track/{number}", minutes=2, readPoint=elsewhere)]
    partner.capture(*said, event(item(other), minutes=3))
    rows = rows_of(number)
    commitments = [bytes(Batch.objects.get(id=row.batch).commitments) for row in rows]
    assert len(rows) == 3
    erase(number)
    for asker in (partner, desk):
        assert asker.events(MATCH_anyEPC=item(number)) == []
        assert [e["epcList"] for e in asker.events(MATCH_epc=item(other)) if e["eventID"] != both["eventID"]]
        for one in said:
            assert asker.named(one["eventID"]).status_code == 404
        assert asker.get(f"/epcs/{quote(item(number), safe='')}").status_code == 404
    mine = [e["epcList"] for e in partner.events(perPage="1000")]
    assert mine == [[item(other)], [f"{partner.url}/track/{other}"]], "the other item's own scan of the event that went"
    assert partner.get("/epcs").json()["member"] == [item(other)], "it is carried by the event that stays"
    for row in rows:
        row.refresh_from_db()
        assert (bytes(row.body), bytes(row.salt), row.epcs, row.scans, row.biz_step) == (b"", b"", [], [], "")
    assert commitments == [bytes(Batch.objects.get(id=row.batch).commitments) for row in rows]
    assert not EpcisValue.objects.filter(value__contains=number).exists()
    assert not EpcisName.objects.filter(event_time__in=[r.event_time for r in rows], key__in=_keys(said, rows)).exists()


def _keys(said: list[dict[str, Any]], rows: list[EpcisEvent]) -> list[uuid.UUID]:
    from parcelward.parcels.epcis import rules

    return [uuid.uuid5(rules.NAMES, f"{rows[0].source}\n{one['eventID']}\n") for one in said]


def test_the_other_items_of_an_erased_event_keep_their_own_scans(partner, desk, number):
    bag, other = new_receptacle(), new_number()
    partner.capture(packed(f"https://id.gs1.org/00/{bag}", item(number), item(other)))
    erase(number)
    (left,) = desk.events(MATCH_anyEPC=item(other))
    assert (left["type"], left["childEPCs"]) == ("AggregationEvent", [f"{desk.url}/track/{other}"])


def test_nothing_more_is_captured_of_an_erased_item(partner, number):
    said = event(item(number))
    partner.capture(said)
    erase(number)
    elsewhere = {"id": "urn:example:elsewhere"}
    answer = partner.capture(said, event(item(number), item(new_number()), readPoint=elsewhere), event("urn:example:x"))
    assert [(e["code"], e["pointer"]) for e in answer["errors"]] == [
        ("shredded", "/epcisBody/eventList/0"),
        ("shredded", "/epcisBody/eventList/1"),
    ]
    kept = partner.capture(said, event("urn:example:y"), **{"GS1-Capture-Error-Behaviour": "proceed"})
    assert (kept["parcelward:captured"], [e["code"] for e in kept["errors"]]) == (1, ["shredded"])
    assert rows_of(number) == []


def test_an_event_that_is_captured_while_its_item_is_erased_does_not_slip_in(partner, number, monkeypatch):
    from parcelward.parcels.actions import capture
    from parcelward.parcels.epcis import erasing
    from parcelward.people import queries as people

    partner.capture(event(item(number)))
    late = event(item(number), minutes=1, readPoint={"id": "urn:example:elsewhere"})
    by, look = people.key_holder(partner.key), erasing.naming_erased
    erased: list[str] = []

    def look_then_lose(events, **how):
        found = look(events, **how)
        if not erased:
            erased.append(number)
            worker = threading.Thread(target=_erase_apart, args=(number,), daemon=True)
            worker.start()
            worker.join(30)
        return found

    monkeypatch.setattr(erasing, "naming_erased", look_then_lose)
    from parcelward.base.standards.epcis import parse

    (read,) = parse.read_document(json.dumps(document(late)).encode()).events
    with pytest.raises(capture.NotCaptured):
        capture.capture([capture.Incoming("", read)], by=by, now=timezone.now())
    assert erased
    assert rows_of(number) == []


def _erase_apart(number: str) -> None:
    try:
        erase(number)
    finally:
        db.drop_connections()


def test_a_number_that_came_back_is_each_items_own(partner, number):
    """What it meant before is erased with the item that it meant; the events of its next bearer are not touched."""
    from parcelward.parcels.models import ItemAlias

    def years(*steps: str, days: int) -> dict[str, Any]:
        said = (event(item(number), minutes=n - 1440 * days, bizStep=step) for n, step in enumerate(steps))
        job: dict[str, Any] = partner.capture(*said)
        return job

    possessed = {"destinationList": [{"type": "possessing_party", "destination": "urn:example:addressee"}]}
    years("accepting", days=800)
    delivered = event(item(number), minutes=1440 * -799, bizStep="receiving", disposition="completeness_verified")
    partner.capture({**delivered, **possessed})
    years("accepting", days=3)
    before, now = (one.item for one in ItemAlias.objects.filter(number=number).order_by("valid_to"))
    assert now == queries.find(number) != before
    erasure = actions.request_erasure(before, "asked for", by=ANNA)
    shredding.approve(erasure, by=BEN.source, now=timezone.now(), wait=dt.timedelta(0))
    actions.erase(erasure, by=BEN)
    assert [e["eventTime"] for e in partner.events(MATCH_epc=item(number))] == [at(1440 * -3)]
    assert [e["code"] for e in years("departing", days=790)["errors"]] == ["shredded"]
    assert years("departing", days=2)["success"] is True


def test_verify_log_counts_what_was_erased(partner, number):
    before = agreed().emptied
    partner.capture(event(item(number)), event(item(number), minutes=1), event(item(new_number())))
    erase(number)
    assert agreed().emptied == before + 2


EMPTIED = (
    "UPDATE parcels_epcis_event SET name = '00000000-0000-0000-0000-000000000000', type = '', action = '', "
    "biz_step = '', disposition = '', read_point = '', biz_location = '', epcs = '{}', classes = '{}', "
    "scans = '{}', salt = '', body = '' WHERE id = %s"
)
TAMPERED = {
    "emptied without an erasure": ("living", EMPTIED),
    "something left": ("erased", "UPDATE parcels_epcis_event SET biz_step = 'accepting' WHERE id = %s"),
    "there again": ("erased", "UPDATE parcels_epcis_event SET body = 'x' WHERE id = %s"),
    "gone": ("erased", "DELETE FROM parcels_epcis_event WHERE id = %s"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_somebody_else_empties_or_brings_back_is_found(partner, number, how):
    other = new_number()
    partner.capture(event(item(number)))
    partner.capture(event(item(other)))
    ids = {"erased": rows_of(number)[0].id, "living": rows_of(other)[0].id}
    erase(number)
    agreed()
    which, statement = TAMPERED[how]
    with transaction.atomic():
        with connection.cursor() as cur:
            cur.execute(statement, [ids[which]])
            assert cur.rowcount == 1
        with pytest.raises(EntryDiffers) as found:
            queries.verify_log(config.get())
        transaction.set_rollback(True)
    assert found.value.differs == "epcis"
