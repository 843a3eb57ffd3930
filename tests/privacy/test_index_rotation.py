"""A new secret of the search under load: nobody is overlooked, a kill is made good, the old one finds nobody then."""

from __future__ import annotations

import json
import threading
import time

import pytest
from django.db import connections, transaction
from django.utils import timezone
from tests.doors.test_bundle import console
from tests.privacy.conftest import person

from parcelward.base.errors import Busy, Conflict
from parcelward.base.vault import VaultToken
from parcelward.custody.models import Fact
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role
from parcelward.privacy import actions, cipher, keepers, normal, queries, rows
from parcelward.privacy.actions import turn_index
from parcelward.privacy.models import BlindIndex, PersonKey
from parcelward.privacy.wire import Field, Kind, Purpose


def found(field, text, by):
    return actions.find(field, text, purpose=Purpose.NOTICE, by=by)


def email(n: int, mark: str) -> str:
    return f"turn{n}.{mark}@example.com"


@pytest.fixture(autouse=True)
def everybody_opens(installation):
    """Let those be found by nothing whose key another test took away: they would keep the old secret."""
    held = set(PersonKey.objects.values_list("person", flat=True))
    BlindIndex.objects.exclude(person__in=held).delete()


@pytest.fixture
def many(machinery, anna, monkeypatch):
    """Return sixty people by the address that finds each."""
    monkeypatch.setattr(turn_index, "AT_ONCE", 7)
    mark = anna[Field.NAME].rpartition("-")[2]
    people = [{Field.NAME: anna[Field.NAME], Field.EMAIL: email(n, mark)} for n in range(60)]
    tokens = actions.put_many(people, kind=Kind.ADDRESSEE, by=machinery)
    return {email(n, mark): token for n, token in enumerate(tokens)}


def busy(*works):
    """Run each again and again in a thread of its own until `stop`; what goes wrong is kept, and how often each ran."""
    stop, odd, ran = threading.Event(), [], [0] * len(works)

    def again(n, work) -> None:
        while not stop.is_set():
            try:
                work()
                ran[n] += 1
            except Exception as err:  # noqa: BLE001 -- whatever it is, the test names it
                odd.append(err)
        connections.close_all()

    threads = [threading.Thread(target=again, args=(n, work), daemon=True) for n, work in enumerate(works)]
    for each in threads:
        each.start()

    def ended() -> None:
        stop.set()
        for each in threads:
            each.join(60)

    return ended, odd, ran


@pytest.mark.asvs("11.2.2")
def test_every_look_up_succeeds_while_all_marks_are_made_anew(machinery, many):
    put: list[tuple[str, VaultToken]] = []
    changed: dict[VaultToken, str] = {}
    standing = dict(list(many.items())[::7])
    turning = [token for token in many.values() if token not in standing.values()]

    def look() -> None:
        for text, token in standing.items():
            assert found(Field.EMAIL, text, machinery) == (token,)

    def write() -> None:
        text = email(1_000 + len(put), "new")
        token = actions.put({Field.EMAIL: f"{token_mark}.{text}"}, kind=Kind.SENDER, by=machinery)
        put.append((f"{token_mark}.{text}", token))
        assert found(Field.EMAIL, put[-1][0], machinery) == (token,)

    def alter() -> None:
        token = turning[len(changed) % len(turning)]
        text = f"{token_mark}.changed{len(changed)}@example.com"
        actions.change(token, {Field.EMAIL: text}, by=machinery)
        changed[token] = text
        assert found(Field.EMAIL, text, machinery) == (token,)

    token_mark = f"m{time.time_ns()}"
    before = max(keepers.index_secrets())
    ended, odd, ran = busy(look, look, write, alter)
    try:
        for n in (1, 2):
            made = actions.rotate_index(by=machinery, now=timezone.now())
            assert (made.version, made.resumed, made.left) == (before + n, False, 0)
            assert made.people >= len(many)
            assert list(keepers.index_secrets()) == [before + n]
    finally:
        ended()
    assert odd == []
    assert min(ran) > 0, ran
    assert {n for version, n in queries.index_status().items() if version != before + 2} <= {0}
    for text, token in (*standing.items(), *put, *((text, token) for token, text in changed.items())):
        assert found(Field.EMAIL, text, machinery) == (token,), "and nobody twice"


def test_a_rotation_that_was_killed_is_ended_and_everybody_is_found_meanwhile(machinery, many, monkeypatch):
    real, calls = turn_index._remake_some, iter(range(100_000))

    def dies(newest, after):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return real(newest, after)

    with monkeypatch.context() as killed:
        killed.setattr(turn_index, "_remake_some", dies)
        with pytest.raises(KeyboardInterrupt):
            actions.rotate_index(by=machinery, now=timezone.now())
    *_, old, newest = keepers.index_secrets()
    assert sorted(version for version, n in queries.index_status().items() if n) == [old, newest]
    assert all(found(Field.EMAIL, text, machinery) == (token,) for text, token in many.items())
    told = []
    made = actions.rotate_index(by=machinery, now=timezone.now(), tell=lambda done, total: told.append((done, total)))
    assert (made.version, made.resumed, made.left) == (newest, True, 0)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (made.people, told[0][1])
    assert list(keepers.index_secrets()) == [newest]
    assert all(found(Field.EMAIL, text, machinery) == (token,) for text, token in many.items())


@pytest.mark.asvs("11.2.2")
def test_the_old_secret_finds_nobody_afterwards(machinery, many):
    old = keepers.index_secrets()[max(keepers.index_secrets())]
    stolen = set(BlindIndex.objects.filter(person__in=many.values()).values_list("field", "mark", "person"))
    actions.rotate_index(by=machinery, now=timezone.now())
    now = set(BlindIndex.objects.filter(person__in=many.values()).values_list("field", "mark", "person"))
    number, tokens = rows.NUMBERS[Field.EMAIL], set(many.values())
    hits = [
        text
        for text, token in many.items()
        if (number, cipher.mark(old.secret, Field.EMAIL, None, normal.normal(Field.EMAIL, text)), token) in now
    ]
    assert len(now) == len(stolen)
    assert len(now & stolen) <= 2, "20 bits of another key: chance alone"
    assert len(hits) <= 2
    assert not BlindIndex.objects.filter(person__in=tokens, version=old.number).exists()
    assert old.number not in keepers.index_secrets()
    retired = Fact.objects.filter(kind="privacy.index_retired").order_by("-batch").first()
    assert retired is not None
    assert json.loads(bytes(retired.body))["version"] == old.number


def test_who_does_not_open_keeps_the_old_marks_and_secret_until_their_key_is_back(machinery, many):
    text, token = next(iter(many.items()))
    key = PersonKey.objects.get(person=token)
    PersonKey.objects.filter(person=token).delete()
    old = max(keepers.index_secrets())
    made = actions.rotate_index(by=machinery, now=timezone.now())
    assert (made.left, made.ended) == (1, False)
    assert list(keepers.index_secrets()) == [old, made.version]
    said = console("vault", "rotate-index", "--quiet")
    assert (said.returncode, json.loads(said.stdout)["left"]) == (1, 1)
    assert "bring their keys back" in said.stderr
    key.save(force_insert=True)
    assert found(Field.EMAIL, text, machinery) == (token,)
    done = console("vault", "rotate-index", "--quiet")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"version": made.version, "resumed": True, "people": 1, "left": 0}
    assert found(Field.EMAIL, text, machinery) == (token,)
    assert list(keepers.index_secrets()) == [made.version]
    status = console("vault", "status")
    assert list(json.loads(status.stdout)["people_by_index_version"]) == [str(made.version)]


def test_marks_that_an_older_backup_brings_are_made_anew_without_their_secret(machinery, many):
    """A main database from before the rotation, and the secrets of today."""
    text, token = next(iter(many.items()))
    actions.rotate_index(by=machinery, now=timezone.now())
    newest = max(keepers.index_secrets())
    BlindIndex.objects.filter(person=token).update(version=newest - 1, mark=7)
    assert found(Field.EMAIL, text, machinery) == ()
    made = actions.rotate_index(by=machinery, now=timezone.now())
    assert (made.version, made.resumed, made.people) == (newest, True, 1)
    assert found(Field.EMAIL, text, machinery) == (token,)


def test_whoever_still_writes_by_the_old_secret_is_waited_for(machinery, anna, monkeypatch):
    monkeypatch.setattr(turn_index, "WRITERS_TRIES", 1)
    monkeypatch.setattr(turn_index, "WRITERS_WAIT_S", 1)
    begun, end = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
            begun.set()
            end.wait(30)
        connections.close_all()

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert begun.wait(30)
    before = dict(keepers.index_secrets())
    with pytest.raises(Busy):
        actions.rotate_index(by=machinery, now=timezone.now())
    assert before.keys() < keepers.index_secrets().keys(), "nothing is thrown away"
    end.set()
    writer.join(30)
    actions.rotate_index(by=machinery, now=timezone.now())
    assert len(found(Field.EMAIL, anna[Field.EMAIL], machinery)) == 1
    assert len(keepers.index_secrets()) == 1


def test_two_rotations_do_not_run_at_once_and_only_who_turns_keys_may(machinery):
    refused: list[str] = []

    def second() -> None:
        with pytest.raises(Conflict) as caught:
            actions.rotate_index(by=machinery, now=timezone.now())
        refused.append(caught.value.code)
        connections.close_all()

    before = dict(keepers.index_secrets())
    with turn_index._turn():
        other = threading.Thread(target=second, daemon=True)
        other.start()
        other.join(30)
    assert refused == ["rotating"]
    with pytest.raises(MayNot):
        actions.rotate_index(by=person(Role.INSPECTOR), now=timezone.now())
    assert dict(keepers.index_secrets()) == before
