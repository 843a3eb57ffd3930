"""Erasure: two people, a wait, never under legal hold; harmless when interrupted; nothing opens afterwards."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid

import httpx
import pytest
from django.utils import timezone
from tests.scanner import event, new_number, until

from parcelward.base import config
from parcelward.base.errors import Conflict, NotAllowed
from parcelward.custody import queries as custody
from parcelward.custody import shredding
from parcelward.custody.models import Erasure, Fact, ItemSecret, Tombstone
from parcelward.doors.console import work_command
from parcelward.parcels import actions, queries
from parcelward.people.errors import MayNot
from parcelward.people.wire import Person, Role

ANNA = Person(uuid.uuid4(), Role.INSPECTOR, 900_001, "inspector-8")
BEN = Person(uuid.uuid4(), Role.ADMINISTRATOR, 900_002, "admin-8")
DEVICE = Person(uuid.uuid4(), Role.DEVICE, 900_003, "scanner")


@pytest.fixture
def item(scanner, number):
    scanner.send(event(number, "accepted"), event(number, "left_sorting", minutes=1))
    found = queries.find(number)
    assert found is not None
    return found


def approved(item: uuid.UUID) -> int:
    """Return an erasure whose wait is over."""
    erasure = actions.request_erasure(item, "asked for", by=ANNA)
    shredding.approve(erasure, by=BEN.source, now=timezone.now(), wait=dt.timedelta(0))
    return erasure


def untouched(item: uuid.UUID) -> bool:
    return (
        ItemSecret.objects.filter(item=item).exists()
        and not Tombstone.objects.filter(item=item).exists()
        and not queries.journey(item).shredded
    )


def test_nobody_approves_what_they_asked_for(item):
    erasure = actions.request_erasure(item, "asked for", by=ANNA)
    with pytest.raises(NotAllowed) as refused:
        actions.approve_erasure(erasure, by=ANNA)
    assert refused.value.code == "two_people"
    with pytest.raises(Conflict) as refused_too:
        actions.erase(erasure, by=ANNA)
    assert refused_too.value.code == "not_approved"
    assert untouched(item)


def test_a_device_may_not_even_ask(item):
    with pytest.raises(MayNot):
        actions.request_erasure(item, "asked for", by=DEVICE)
    assert not Erasure.objects.filter(item=item).exists()


def test_the_wait_is_kept(item):
    erasure = actions.request_erasure(item, "asked for", by=ANNA)
    actions.approve_erasure(erasure, by=BEN)
    row = Erasure.objects.get(pk=erasure)
    assert row.not_before is not None
    assert row.not_before - timezone.now() > dt.timedelta(days=6, hours=23)
    with pytest.raises(Conflict) as refused:
        actions.erase(erasure, by=BEN)
    assert refused.value.code == "too_early"
    assert untouched(item)


def test_a_legal_hold_refuses_and_says_why(item):
    erasure = approved(item)
    actions.place_legal_hold(item, "court order 12", by=BEN)
    with pytest.raises(Conflict) as refused:
        actions.erase(erasure, by=BEN)
    assert refused.value.code == "legal_hold"
    assert "court order 12" in str(refused.value)
    assert erasure not in shredding.due(timezone.now())
    assert untouched(item)
    actions.lift_legal_hold(item, by=BEN)
    assert erasure in shredding.due(timezone.now())


def test_an_item_on_hold_is_not_erased(scanner, number, item):
    erasure = approved(item)
    scanner.send(event(number, "held", minutes=2, reason="security"))
    with pytest.raises(Conflict) as refused:
        actions.erase(erasure, by=BEN)
    assert refused.value.code == "held"
    assert untouched(item)


def test_what_was_withdrawn_is_not_erased(item):
    erasure = approved(item)
    actions.withdraw_erasure(erasure, by=ANNA)
    with pytest.raises(Conflict):
        actions.erase(erasure, by=BEN)
    assert untouched(item)


def test_after_erasure_nothing_opens_and_nothing_is_recorded(installation, scanner, number, item):
    erasure = approved(item)
    custody.item_keys([item])  # this process knows the key
    actions.erase(erasure, by=BEN)
    assert custody.item_keys([item]) == {}
    assert not ItemSecret.objects.filter(item=item).exists()
    assert Tombstone.objects.get(item=item).events == 2
    said = scanner.send(event(number, "delivered", minutes=9))
    assert [q["code"] for q in said["quarantined"]] == ["shredded"]
    proofs = httpx.get(f"{installation.url}/api/v1/items/{number}/proofs", timeout=30).json()
    assert proofs["shredded"] is True
    assert [e["public"] for e in proofs["events"]] == [None, None]
    told = httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()
    assert (told["shredded"], told["next_step"]) == (True, "")
    bodies = [json.loads(bytes(f.body)) for f in Fact.objects.filter(kind="custody.tombstone")]
    mine = [b for b in bodies if b["item"] == str(item)]
    assert [(b["events"], b["requested_by"], b["approved_by"]) for b in mine] == [(2, ANNA.source, BEN.source)]


def test_erasing_twice_changes_nothing(item):
    erasure = approved(item)
    actions.erase(erasure, by=BEN)
    actions.erase(erasure, by=BEN)
    assert list(custody.tombstone_facts()).count(item) == 1
    assert sum(str(item).encode() in bytes(f.body) for f in Fact.objects.filter(kind="custody.tombstone")) == 1
    with pytest.raises(Conflict):
        actions.request_erasure(item, "again", by=ANNA)


def test_a_crash_before_the_secret_is_gone_is_made_good(scanner, number, item, monkeypatch):
    erasure = approved(item)

    def die(*_: object, **__: object) -> None:
        raise OSError("killed")

    monkeypatch.setattr(shredding, "finish", die)
    with pytest.raises(OSError, match="killed"):
        actions.erase(erasure, by=BEN)
    monkeypatch.undo()
    assert ItemSecret.objects.filter(item=item).exists(), "the crash came before"
    assert custody.item_keys([item]) == {}, "yet nobody opens it any more"
    assert scanner.send(event(number, "delivered", minutes=9))["accepted"] == 0
    assert actions.erase_due(timezone.now()) >= 1
    assert not ItemSecret.objects.filter(item=item).exists()
    assert shredding.unfinished() == []


def restore_secrets(*items: uuid.UUID) -> None:
    """Put secrets back, as a restored older keys database has them."""
    for each in items:
        ItemSecret.objects.update_or_create(item=each, defaults={"secret": bytes(32)})


def test_what_a_restored_keys_database_brings_back_is_erased_again(scanner, item, monkeypatch):
    living = ItemSecret.objects.count()
    monkeypatch.setattr(shredding, "DELETED_AT_ONCE", 1)
    erased = [item]
    for number in (new_number(), new_number()):
        scanner.send(event(number, "accepted"))
        found = queries.find(number)
        assert found is not None
        erased.append(found)
    for each in erased:
        actions.erase(approved(each), by=BEN)
    restore_secrets(*erased)
    assert actions.erase_again() == 3
    assert actions.erase_again() == 0
    assert ItemSecret.objects.count() == living - 1, "those of the living stay"


def test_the_worker_erases_again_when_it_starts(item, caplog):
    actions.erase(approved(item), by=BEN)
    restore_secrets(item)
    stop = threading.Event()
    worker = threading.Thread(target=work_command._follow, args=(stop,), daemon=True)
    worker.start()
    try:
        until(lambda: not ItemSecret.objects.filter(item=item).exists(), seconds=90)
    finally:
        stop.set()
        worker.join(90)
    assert "secrets of erased items were there again, as after a restore, and are deleted: 1" in caplog.text
    assert str(item) not in caplog.text


def test_a_scan_that_was_read_before_the_erasure_does_not_slip_in(item, number, scanner):
    """The status row is the meeting point: whoever read it before loses the race and is refused afterwards."""
    import psycopg

    from parcelward.base import db
    from parcelward.parcels import rows
    from parcelward.parcels.models import ItemStatus

    with db.cursor(binary=True) as cur:
        cur.execute(rows.FIND_BY_ITEM, (db.uuid_array([item.bytes]),), binary=True)
        [(_, row)] = cur.fetchall()
    before = rows.status_from(row)[2].item_seq
    assert before == ItemStatus.objects.get(item=item).item_seq
    actions.erase(approved(item), by=BEN)
    with psycopg.connect(db.embedded_url(config.get(), "main")) as late, pytest.raises(db.LostRace):
        rows.update_statuses(late, [row], [before])
    assert scanner.send(event(number, "left_sorting", minutes=4))["accepted"] == 0


def test_the_record_still_proves_itself(item):
    actions.erase(approved(item), by=BEN)
    until(lambda: custody.head(config.get()).pending == 0)
    report = queries.verify_log(config.get(), statuses=True)
    assert report.closed >= 2


def test_a_missing_event_of_an_erased_item_is_missed(item):
    from django.db import transaction

    from parcelward.custody.errors import EntryDiffers

    actions.erase(approved(item), by=BEN)
    until(lambda: custody.head(config.get()).pending == 0)
    with transaction.atomic():
        Tombstone.objects.filter(item=item).update(events=3)
        with pytest.raises(EntryDiffers) as caught:
            queries.verify_log(config.get())
        transaction.set_rollback(True)
    assert caught.value.differs == "tombstone"
    assert caught.value.item == item
