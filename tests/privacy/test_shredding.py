"""Shredding: two people, a wait, never under a hold; harmless when interrupted; backups of last month open nothing."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid

import pytest
from django.db import connections
from django.utils import timezone
from tests.at_once import at_once
from tests.privacy.conftest import person
from tests.privacy.test_vault import opened, said

from parcelward.base import db
from parcelward.base.errors import Conflict, NotAllowed
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role
from parcelward.privacy import actions, facts, keys, rows
from parcelward.privacy.actions import shred
from parcelward.privacy.errors import NotAuthentic, NotInVault
from parcelward.privacy.models import (
    BlindIndex,
    Disclosure,
    KeptPerson,
    Message,
    PersonKey,
    PersonTombstone,
    ShredRequest,
)
from parcelward.privacy.wire import Field, Kind, Purpose

LATER = dt.timedelta(days=8)


@pytest.fixture
def admin(installation):
    return person(Role.ADMINISTRATOR)


@pytest.fixture
def token(machinery, anna):
    return actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)


def agreed(token, one, other) -> int:
    request = actions.ask_to_shred(token, "asked for by the person", by=one)
    actions.agree_to_shred(request, by=other)
    return request


def whole(token) -> bool:
    return (
        PersonKey.objects.filter(person=token).exists()
        and KeptPerson.objects.filter(token=token).exists()
        and not PersonTombstone.objects.filter(person=token).exists()
    )


@pytest.mark.asvs("2.3.1")
def test_two_people_and_a_wait(token, inspector, admin):
    request = actions.ask_to_shred(token, "asked for by the person", by=inspector)
    assert actions.ask_to_shred(token, "again", by=admin) == request
    with pytest.raises(NotAllowed) as refused:
        actions.agree_to_shred(request, by=inspector)
    assert refused.value.code == "two_people"
    actions.shred_due(timezone.now() + LATER)
    assert whole(token)
    end = actions.agree_to_shred(request, by=admin)
    assert actions.agree_to_shred(request, by=admin) == end
    assert end > timezone.now() + dt.timedelta(days=6)
    actions.shred_due(timezone.now())
    assert whole(token)
    assert len(said(facts.SHRED_ASKED, token)) == len(said(facts.SHRED_AGREED, token)) == 1


def test_nothing_opens_afterwards_and_it_is_said_why(token, machinery, inspector, admin, anna):
    agreed(token, inspector, admin)
    for _ in range(2):
        actions.shred_due(timezone.now() + LATER)
    for refused in (
        lambda: opened(token, [Field.NAME], purpose=Purpose.LETTER, by=machinery),
        lambda: actions.masked(token, [Field.NAME], by=machinery),
        lambda: actions.change(token, {Field.NAME: "x"}, by=machinery),
        lambda: actions.send(token, "code", {}, by=machinery, now=timezone.now()),
        lambda: actions.ask_to_shred(token, "again", by=inspector),
    ):
        with pytest.raises(NotInVault) as caught:
            refused()
        assert caught.value.code == "shredded"
    assert actions.find(Field.EMAIL, anna[Field.EMAIL], purpose=Purpose.SIGN_IN, by=machinery) == ()
    assert not PersonKey.objects.filter(person=token).exists()
    assert not BlindIndex.objects.filter(person=token).exists()
    assert len(said(facts.SHREDDED, token)) == 1
    assert PersonTombstone.objects.get(person=token).key_gone_at is not None


def test_who_may_not_and_what_is_no_person_is_refused(installation, token, inspector, clerk):
    from parcelward.people import actions as people
    from parcelward.people import queries

    request = actions.ask_to_shred(token, "asked for", by=inspector)
    key = people.make_key("an administrator's key", Role.ADMINISTRATOR, by=people.installer(), mode="test")
    with pytest.raises(NotAllowed) as refused:
        actions.agree_to_shred(request, by=queries.key_holder(key))
    assert refused.value.code == "two_people"
    for deed in (
        lambda: actions.ask_to_shred(token, "no", by=clerk),
        lambda: actions.agree_to_shred(request, by=clerk),
        lambda: actions.hold(token, "no", by=clerk),
        lambda: actions.withdraw_shred(request, by=clerk),
    ):
        with pytest.raises(MayNot):
            deed()
    assert ShredRequest.objects.get(pk=request).agreed_by is None


def test_a_hold_keeps_somebody_whatever_is_asked_and_whatever_expires(machinery, token, inspector, admin, anna):
    agreed(token, inspector, admin)
    actions.hold(token, "court order 12", by=admin)
    actions.shred_due(timezone.now() + LATER)
    assert whole(token)
    with pytest.raises(Conflict) as refused:
        actions.ask_to_shred(token, "asked for", by=inspector)
    assert (refused.value.code, "court order 12" in str(refused.value)) == ("legal_hold", True)
    pending = actions.put(anna, kind=Kind.PENDING, by=machinery, expires_at=timezone.now() + dt.timedelta(days=1))
    actions.hold(pending, "court order 13", by=admin)
    actions.forget_expired(timezone.now() + dt.timedelta(days=2))
    assert whole(pending)
    for held in (token, pending):
        for _ in range(2):
            actions.lift(held, by=admin)
    actions.shred_due(timezone.now() + LATER)
    actions.forget_expired(timezone.now() + dt.timedelta(days=2))
    assert not whole(token)
    assert not whole(pending)
    assert len(said(facts.HELD, token)) == len(said(facts.LIFTED, token)) == 1


def test_what_was_withdrawn_is_not_done(token, inspector, admin):
    request = agreed(token, inspector, admin)
    for _ in range(2):
        actions.withdraw_shred(request, by=inspector)
    actions.shred_due(timezone.now() + LATER)
    assert whole(token)
    assert actions.ask_to_shred(token, "once more", by=inspector) != request


def test_what_was_withdrawn_is_not_agreed_to(token, inspector, admin):
    request = actions.ask_to_shred(token, "asked for", by=inspector)
    actions.withdraw_shred(request, by=inspector)
    with pytest.raises(Conflict) as refused:
        actions.agree_to_shred(request, by=admin)
    assert refused.value.code == "withdrawn"
    assert ShredRequest.objects.get(pk=request).agreed_by is None


def test_nobody_agrees_under_a_hold_that_was_placed_since_it_was_asked(token, inspector, admin):
    request = actions.ask_to_shred(token, "asked for", by=inspector)
    actions.hold(token, "claim 8", by=inspector)
    with pytest.raises(Conflict) as refused:
        actions.agree_to_shred(request, by=admin)
    assert refused.value.code == "legal_hold"
    assert ShredRequest.objects.get(pk=request).agreed_by is None
    actions.lift(token, by=inspector)
    actions.withdraw_shred(request, by=inspector)


def test_what_was_to_be_written_to_them_goes_with_them(token, machinery, inspector, admin):
    later = timezone.now() + LATER + LATER  # so that the worker leaves it alone
    number = actions.send(
        token, "new_device", {"at": "2026-11-27 03:00 UTC", "language": "en"}, by=machinery, now=later
    )
    assert Message.objects.get(pk=number).sealed
    agreed(token, inspector, admin)
    actions.shred_due(timezone.now() + LATER)
    message = Message.objects.get(pk=number)
    assert (message.sealed, message.due_at, message.why) == (None, None, "shredded")


def test_whoever_was_never_known_is_forgotten_in_time(machinery, anna):
    end = timezone.now() + dt.timedelta(days=30)
    tokens = actions.put_many([anna] * 3, kind=Kind.PENDING, by=machinery, expires_at=end)
    known = actions.put(anna, kind=Kind.PENDING, by=machinery, expires_at=end)
    actions.settle(known, kind=Kind.ADDRESSEE, by=machinery)
    actions.forget_expired(end - dt.timedelta(seconds=1))
    assert all(whole(token) for token in tokens)
    actions.forget_expired(end)
    assert not any(PersonKey.objects.filter(person__in=tokens))
    assert set(PersonTombstone.objects.filter(person__in=tokens).values_list("why", flat=True)) == {"expired"}
    assert whole(known)


@pytest.mark.asvs("2.3.3")
def test_a_crash_before_the_key_is_deleted_is_finished_by_the_next_round(monkeypatch, token, inspector, admin):
    agreed(token, inspector, admin)
    with monkeypatch.context() as broken:
        broken.setattr(keys, "delete", lambda _persons: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            actions.shred_due(timezone.now() + LATER)
    assert PersonKey.objects.filter(person=token).exists()
    assert PersonTombstone.objects.get(person=token).key_gone_at is None
    actions.shred_due(timezone.now())
    assert not PersonKey.objects.filter(person=token).exists()


def test_a_restored_keys_database_brings_nobody_back(token, inspector, admin):
    kept = PersonKey.objects.filter(person=token).values().get()
    agreed(token, inspector, admin)
    actions.shred_due(timezone.now() + LATER)
    PersonKey.objects.create(**kept)
    assert actions.delete_again() == 1
    assert actions.delete_again() == 0
    assert not PersonKey.objects.filter(person=token).exists()


def test_a_restored_keys_database_takes_nobody_away_who_was_settled_meanwhile(machinery, anna):
    end = timezone.now() + dt.timedelta(days=1)
    token = actions.put(anna, kind=Kind.PENDING, by=machinery, expires_at=end)
    actions.settle(token, kind=Kind.ADDRESSEE, by=machinery)
    PersonKey.objects.filter(person=token).update(expires_at=end)  # as its backup says
    orphan = uuid.uuid4()
    keys.make([orphan], expires_at=end)  # of a putting that was rolled back
    actions.forget_expired(end)
    assert whole(token)
    assert PersonKey.objects.get(person=token).expires_at is None
    assert not PersonKey.objects.filter(person=orphan).exists()


def test_last_months_backup_with_todays_keys_opens_the_others_and_not_who_was_shredded(
    machinery, inspector, admin, anna
):
    """The promise of the vault: the sealed rows of a backup, today's keys database and the key-encryption key."""
    gone, stays = (actions.put(anna, kind=Kind.ADDRESSEE, by=machinery) for _ in range(2))
    columns = ", ".join(rows.COLUMNS.values())
    with db.cursor() as cur:  # last month's backup
        cur.execute(f"CREATE TEMPORARY TABLE last_month (LIKE {rows.TABLE})")
        cur.execute(f"INSERT INTO last_month SELECT * FROM {rows.TABLE} WHERE token IN (%s, %s)", (gone, stays))
    agreed(gone, inspector, admin)
    actions.shred_due(timezone.now() + LATER)
    with db.cursor() as cur:  # restored
        cur.execute(f"INSERT INTO {rows.TABLE} SELECT * FROM last_month WHERE token = %s", (gone,))
        cur.execute(f"SELECT token, {columns} FROM last_month")
        backup = {row[0]: dict(zip(rows.COLUMNS, row[1:], strict=True)) for row in cur.fetchall()}
        cur.execute("DROP TABLE last_month")
    try:
        held = keys.held([gone, stays])
        assert held.keys() == {stays}
        restored = rows.read([gone, stays], list(Field))
        for field, text in anna.items():
            assert rows.unseal(restored[stays], held[stays], field) == text
            with pytest.raises(NotAuthentic):
                rows.unseal(restored[gone], held[stays], field)
            assert text.encode() not in bytes(backup[gone][field])
        with pytest.raises(NotInVault):
            opened(gone, [Field.NAME], purpose=Purpose.LETTER, by=machinery)
    finally:
        KeptPerson.objects.filter(token=gone).delete()


def test_a_look_and_a_shredding_at_once_leave_no_look_after_the_tombstone(machinery, inspector, admin, anna):
    tokens = actions.put_many([anna] * 12, kind=Kind.ADDRESSEE, by=machinery)
    for token in tokens:
        agreed(token, inspector, admin)
    stop, seen, odd = threading.Event(), [], []

    def look() -> None:
        while not stop.is_set():
            for token in tokens:
                try:
                    seen.append(opened(token, [Field.NAME], purpose=Purpose.LETTER, by=machinery))
                except NotInVault:
                    pass
                except Exception as err:  # noqa: BLE001 -- whatever it is, the test names it
                    odd.append(err)
        connections.close_all()

    watchers = [threading.Thread(target=look, daemon=True) for _ in range(3)]
    for each in watchers:
        each.start()
    now = timezone.now() + LATER
    while ShredRequest.objects.filter(person__in=tokens, done_at=None).exists():
        actions.shred_due(now)
    stop.set()
    for each in watchers:
        each.join(30)
    assert odd == []
    assert all(one == {Field.NAME: anna[Field.NAME]} for one in seen)
    assert not PersonKey.objects.filter(person__in=tokens).exists()
    looks = dict(Disclosure.objects.filter(person__in=tokens).values_list("act", "at"))
    tombs = {json.dumps(str(t)): said(facts.SHREDDED, t)[0]["at"] for t in tokens}
    # The entry's own time is that of the transaction that wrote the tombstone; `now` was moved.
    assert max(looks.values(), default=timezone.now()) <= max(dt.datetime.fromisoformat(at) for at in tombs.values())


def test_two_workers_shred_each_person_once(machinery, inspector, admin, anna):
    tokens = actions.put_many([anna] * 6, kind=Kind.ADDRESSEE, by=machinery)
    for token in tokens:
        agreed(token, inspector, admin)
    counts = at_once(*[lambda: shred.shred_due(timezone.now() + LATER)] * 3)
    assert sum(counts) >= 6
    assert [len(said(facts.SHREDDED, token)) for token in tokens] == [1] * 6
