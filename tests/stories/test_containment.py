"""Where an item is while it travels inside others: computed on read, from what was truly seen of those."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import httpx
import msgspec
import psycopg
import pytest
from django.test import Client
from tests.epcis_partner import Partner, at, item, packed, place
from tests.epcis_partner import event as epcis_event
from tests.scanner import event, new_number, new_receptacle

from parcelward.network import queries as network
from parcelward.parcels import queries
from parcelward.parcels.actions.record import record_by_person
from parcelward.parcels.alert_words import in_words
from parcelward.parcels.models import Alert
from parcelward.parcels.wire import Answer, ScanIn, Submission
from parcelward.people.actions import installer


@pytest.fixture(scope="module")
def partner(installation, facilities):
    return Partner(installation)


def derived(installation, number):
    lines = httpx.get(f"{installation.url}/api/v1/items/{number}/events", timeout=30).json()
    return [(line["step"], line["facility"]) for line in lines if line["source"] == "derived"]


def test_a_scan_of_a_cage_that_was_declared_wrong_moves_nothing_in_it(installation, scanner, number):
    cage = new_receptacle()
    wrong = event(None, "left_sorting", minutes=3, receptacle_id=cage, facility="TEST-HUB")
    scanner.send(event(number, "accepted"), event(number, "loaded", minutes=1, receptacle=cage), wrong)
    assert derived(installation, number) == [("left_sorting", "TEST-HUB")]
    declared = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong_cage"}
    scanner.send(event(None, "left_sorting", minutes=4, receptacle_id=cage, facility="TEST-HUB", corrects=declared))
    assert derived(installation, number) == []


def test_a_loading_that_was_declared_wrong_puts_no_bag_into_a_cage(installation, scanner, number):
    bag, cage = new_receptacle(), new_receptacle()
    wrong = event(None, "loaded", minutes=2, receptacle_id=bag, receptacle=cage)
    scanner.send(event(number, "loaded", minutes=1, receptacle=bag), wrong)
    scanner.send(event(None, "left_sorting", minutes=3, receptacle_id=cage, facility="TEST-HUB"))
    assert derived(installation, number) == [("left_sorting", "TEST-HUB")]
    declared = {"event_id": wrong["event_id"], "declares": "incorrect_data", "reason": "wrong_cage"}
    scanner.send(event(None, "loaded", minutes=4, receptacle_id=bag, receptacle=cage, corrects=declared))
    assert derived(installation, number) == []


def test_receptacles_that_are_said_to_hold_each_other_are_counted_once(installation, scanner, number):
    one, other = new_receptacle(), new_receptacle()
    scanner.send(
        event(number, "loaded", minutes=1, receptacle=one),
        event(None, "loaded", minutes=2, receptacle_id=one, receptacle=other),
        event(None, "loaded", minutes=3, receptacle_id=other, receptacle=one),
        event(None, "left_sorting", minutes=4, receptacle_id=other, facility="TEST-HUB"),
        event(None, "left_sorting", minutes=5, receptacle_id=one, facility="TEST-B"),
    )
    assert derived(installation, number) == [("left_sorting", "TEST-B"), ("left_sorting", "TEST-HUB")]


def rings(*receptacles):
    """Return (receptacle, what the alert says) of each open alert about a ring of these."""
    number_of = {queries.find(one): one for one in receptacles}
    found = Alert.objects.filter(kind="containment_cycle", item__in=number_of, closed_at=None).order_by("id")
    return [(number_of[one.item], in_words(one)) for one in found]


def test_receptacles_that_are_loaded_into_each_other_ask_for_a_person(scanner):
    bag, cage, truck = (new_receptacle() for _ in range(3))
    scanner.send(
        event(None, "loaded", minutes=1, receptacle_id=bag, receptacle=cage),
        event(None, "loaded", minutes=2, receptacle_id=cage, receptacle=truck),
    )
    scanner.send(event(None, "loaded", minutes=3, receptacle_id=bag, receptacle=cage))
    assert rings(bag, cage, truck) == [], "one in the other is how it should be"
    closing = event(None, "loaded", minutes=4, receptacle_id=truck, receptacle=bag, facility="TEST-B")
    for _ in range(2):
        scanner.send(closing)
        assert [(one, bag in said) for one, said in rings(bag, cage, truck)] == [(truck, True)], "once"
    scanner.send(event(None, "loaded", minutes=5, receptacle_id=bag, receptacle=new_receptacle()))
    scanner.send(event(None, "loaded", minutes=6, receptacle_id=cage, receptacle=truck))
    assert len(rings(bag, cage, truck)) == 1, "the bag is elsewhere now"


def test_a_ring_in_one_batch_is_one_alert_about_its_newest_loading(scanner):
    one, other = new_receptacle(), new_receptacle()
    scanner.send(
        event(None, "loaded", minutes=3, receptacle_id=other, receptacle=one),
        event(None, "loaded", minutes=2, receptacle_id=one, receptacle=other),
    )
    assert [who for who, _ in rings(one, other)] == [other]


def test_a_loading_that_is_history_or_declared_wrong_makes_no_ring(scanner):
    bag, cage = new_receptacle(), new_receptacle()
    wrong = event(None, "loaded", minutes=1, receptacle_id=bag, receptacle=cage)
    scanner.send(wrong)
    declared = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong_cage"}
    scanner.send(event(None, "loaded", minutes=2, receptacle_id=bag, receptacle=cage, corrects=declared))
    scanner.send(event(None, "loaded", minutes=9, receptacle_id=cage, receptacle=bag))
    scanner.send(event(None, "unloaded", minutes=12, receptacle_id=cage, receptacle=bag))
    scanner.send(event(None, "loaded", minutes=13, receptacle_id=bag, receptacle=cage))
    scanner.send(event(None, "loaded", minutes=11, receptacle_id=cage, receptacle=bag))  # late: it is out again
    assert rings(bag, cage) == []


def test_a_ring_that_is_known_is_not_told_again_for_a_correction_or_for_what_is_history(scanner):
    one, other, third, fourth = (new_receptacle() for _ in range(4))
    twice = event(None, "loaded", minutes=2, receptacle_id=one, receptacle=other)
    scanner.send(
        event(None, "loaded", minutes=1, receptacle_id=third, receptacle=fourth),
        twice,
        event(None, "loaded", minutes=3, receptacle_id=one, receptacle=other),
        event(None, "loaded", minutes=9, receptacle_id=other, receptacle=one),
    )
    assert [who for who, _ in rings(one, other)] == [other]
    scanner.send(event(None, "loaded", minutes=5, receptacle_id=other, receptacle=third))  # late: it went on
    declared = {"event_id": twice["event_id"], "declares": "did_not_occur", "reason": "scanned_twice"}
    scanner.send(event(None, "loaded", minutes=10, receptacle_id=one, receptacle=other, corrects=declared))
    assert [who for who, _ in rings(one, other)] == [other]


def looked_around(monkeypatch, *events):
    """Record these events, and return how many statements looked for rings."""
    scans = [msgspec.json.decode(json.dumps(one), type=ScanIn) for one in events]
    counted, execute = [], psycopg.Cursor.execute

    def counting(cursor, query, *rest, **named):
        counted.append("RECURSIVE" in str(query))
        return execute(cursor, query, *rest, **named)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", counting)
        sent = Submission(installer(), 0, uuid.uuid4().bytes * 2, list(enumerate(scans)), [])
        answer = record_by_person(sent, now=dt.datetime.now(dt.UTC))
    assert isinstance(answer, Answer)
    assert json.loads(answer.body)["accepted"] == len(events)
    assert counted, "the product's statements are seen"
    return sum(counted)


def test_only_loadings_into_what_is_inside_something_are_looked_at(installation, facilities, number, monkeypatch):
    bag, cage = new_receptacle(), new_receptacle()
    assert looked_around(monkeypatch, event(None, "loaded", minutes=1, receptacle_id=bag, receptacle=cage)) == 0
    items = (event(one, "loaded", minutes=2, receptacle=bag) for one in (number, new_number()))
    assert looked_around(monkeypatch, *items) == 0, "an item in a bag in a cage is no question"
    rest = (event(None, "loaded", minutes=n, receptacle_id=new_receptacle(), receptacle=bag) for n in (3, 4))
    closing = event(None, "loaded", minutes=5, receptacle_id=cage, receptacle=bag)
    assert looked_around(monkeypatch, *rest, closing) == 1, "one for all of them"
    assert [who for who, _ in rings(bag, cage)] == [cage]


def all_out(cage, minutes, **changed):
    said = packed(f"https://id.gs1.org/00/{cage}", minutes=minutes, action="DELETE", **changed)
    del said["childEPCs"]
    return said


def loaded_with_partner(partner, number, cage):
    """Put an item into a cage, which is then seen ten and thirty minutes later."""
    link = f"https://id.gs1.org/00/{cage}"
    partner.capture(
        packed(link, item(number), minutes=0),
        epcis_event(link, minutes=10, bizStep="arriving", readPoint=place("TEST-HUB")),
        epcis_event(link, minutes=30, bizStep="arriving", readPoint=place("TEST-B")),
    )


def test_what_was_in_a_cage_that_is_said_to_be_emptied_travels_no_further_in_it(installation, partner, number):
    cage = new_receptacle()
    loaded_with_partner(partner, number, cage)
    assert [where for _, where in derived(installation, number)] == ["TEST-B", "TEST-HUB"]
    emptied = all_out(cage, 20)
    partner.capture(emptied)
    assert [where for _, where in derived(installation, number)] == ["TEST-HUB"]
    wrong = {"declarationTime": at(40), "reason": "did_not_occur"}
    partner.capture({**emptied, "errorDeclaration": wrong})
    assert [where for _, where in derived(installation, number)] == ["TEST-B", "TEST-HUB"]


def test_an_emptying_that_the_desk_declares_wrong_took_nothing_out(installation, partner, number):
    cage, another = new_receptacle(), new_receptacle()
    loaded_with_partner(partner, number, cage)
    emptied = all_out(cage, 20)
    partner.capture(emptied)
    wrong = {"errorDeclaration": {"declarationTime": at(40), "reason": "did_not_occur"}}
    Partner(installation).capture({**emptied, **wrong})
    assert [where for _, where in derived(installation, number)] == ["TEST-HUB"], (
        "who may not correct it changes nothing"
    )
    desk = Partner(installation, role="administrator")
    desk.capture({**all_out(another, 20), "eventID": emptied["eventID"], **wrong})
    assert [where for _, where in derived(installation, number)] == ["TEST-HUB"], "another sender's event of that name"
    desk.capture({**emptied, **wrong})
    assert [where for _, where in derived(installation, number)] == ["TEST-B", "TEST-HUB"]


def test_a_cage_out_of_which_one_thing_came_is_not_emptied(installation, partner, number):
    cage = new_receptacle()
    loaded_with_partner(partner, number, cage)
    partner.capture(packed(f"https://id.gs1.org/00/{cage}", item(new_number()), minutes=20, action="DELETE"))
    partner.capture(packed(f"https://id.gs1.org/00/{cage}", "urn:epc:id:giai:4000001.111", minutes=21, action="DELETE"))
    quantity = [{"epcClass": "urn:epc:class:lgtin:4012345.012345.998877", "quantity": 2}]
    partner.capture(all_out(cage, 22, childQuantityList=quantity))
    partner.capture(all_out(new_receptacle(), 23))
    assert [where for _, where in derived(installation, number)] == ["TEST-B", "TEST-HUB"]


def statements(installation, number, monkeypatch):
    """Return how many statements the tracking page of an item takes."""
    counted = []
    execute = psycopg.Cursor.execute

    def counting(cursor, query, *rest, **named):
        counted.append(query)
        return execute(cursor, query, *rest, **named)

    network.forget()  # places are read once in seconds: here once for each page
    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", counting)
        page = Client().get(f"/track/{number}", headers={"host": installation.url.removeprefix("http://")})
    assert page.status_code == 200
    return len(counted)


def test_the_tracking_page_takes_as_many_statements_whatever_the_history(installation, scanner, number, monkeypatch):
    plain, (bag, cage, truck) = new_number(), (new_receptacle() for _ in range(3))
    scanner.send(event(plain, "accepted"), event(number, "accepted"))
    scanner.send(
        event(number, "loaded", minutes=1, receptacle=bag),
        event(None, "loaded", minutes=2, receptacle_id=bag, receptacle=cage),
        event(None, "loaded", minutes=3, receptacle_id=cage, receptacle=truck),
        event(None, "left_sorting", minutes=4, receptacle_id=truck, facility="TEST-HUB"),
    )
    statements(installation, plain, monkeypatch)  # what a process reads once
    of_plain, of_nested = (statements(installation, one, monkeypatch) for one in (plain, number))
    assert derived(installation, number) == [("left_sorting", "TEST-HUB")]
    for hour in range(1, 6):
        scanner.send(
            *(event(one, "arrived_sorting", minutes=hour * 10 + n) for n in range(9) for one in (plain, number))
        )
        seen = [event(None, "arrived_sorting", minutes=hour * 10 + n, receptacle_id=truck) for n in range(9)]
        others = [event(new_number(), "loaded", minutes=hour * 10 + n, receptacle=bag) for n in range(9)]
        scanner.send(*seen, *others)
    assert len(derived(installation, number)) > 40
    assert (statements(installation, plain, monkeypatch), statements(installation, number, monkeypatch)) == (
        of_plain,
        of_nested,
    )
    print(of_plain, of_nested)
    assert of_nested - of_plain <= 3 * 3, "three for each thing around it"


def contents(number):
    item_id = queries.find(number)
    assert item_id is not None
    held = queries.inside(item_id, by=installer()).held
    return [one.number for one in held]


def test_what_is_inside_now_follows_from_what_went_in_and_came_out(scanner, partner, number):
    cage, bag, others = new_receptacle(), new_receptacle(), [new_number() for _ in range(4)]
    out, elsewhere, delivered, never = others
    wrong = event(never, "loaded", minutes=1.5, receptacle=cage)
    scanner.send(*(event(one, "loaded", minutes=n, receptacle=cage) for n, one in enumerate((number, *others[:3]))))
    scanner.send(event(None, "loaded", minutes=5, receptacle_id=bag, receptacle=cage), wrong)
    assert contents(cage) == [bag, delivered, elsewhere, never, out, number]
    scanner.send(
        event(out, "unloaded", minutes=6, receptacle=cage),
        event(elsewhere, "loaded", minutes=6, receptacle=new_receptacle()),
        event(delivered, "delivered", minutes=6),
    )
    declared = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong_cage"}
    scanner.send(event(never, "loaded", minutes=7, receptacle=cage, corrects=declared))
    assert contents(cage) == [bag, number]
    assert contents(number) == []
    partner.capture(all_out(cage, 5 * 60 + 30))
    assert contents(cage) == []
