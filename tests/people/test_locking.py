"""Somebody is locked out and let in again: at once, as an entry, and never the last administrator."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
import uuid

import pytest
from django.db import connections, transaction

from parcelward.base.errors import Conflict, NotFound
from parcelward.custody.models import Fact
from parcelward.people import actions, queries
from parcelward.people.errors import BadSignature, MayNot
from parcelward.people.models import Organisation, User
from parcelward.people.wire import Person, Role

DESK = "/app/desk/"


@pytest.fixture
def installer(installation):
    return actions.installer()


def added(role, by):
    """Let somebody join who never signs in."""
    operator = Organisation.objects.get(kind="operator")
    _id, code = actions.invite(operator.id, role, by=by)
    return actions.join(code, user_id=uuid.uuid4(), now=dt.datetime.now(dt.UTC))[0]


def joined(browser, url):
    """Let somebody join with a passkey, signed in; return who it is."""
    mine = browser()
    assert mine.join(url).status_code == 302
    return mine, User.objects.get(id=uuid.UUID(mine.passkey.user_handle.decode()))


def opens(mine):
    return mine.http.get(DESK).status_code == 200


def facts(user):
    """Return what the log's entries say of somebody, oldest first: the kind, and who did it."""
    found = Fact.objects.filter(kind__in=("people.locked", "people.unlocked")).order_by("batch")
    told = [(fact.kind, json.loads(bytes(fact.body))) for fact in found]
    return [(kind, said["by"]) for kind, said in told if said["person"] == str(user.id)]


def another(browser, mine):
    """Return another browser with the same passkey."""
    other = browser()
    other.passkey = mine.passkey
    return other


@pytest.mark.asvs("7.2.1", "7.4.1", "7.4.2", "7.4.5")
def test_sessions_end_at_once_and_do_not_come_back(browser, link, installer):
    first, user = joined(browser, link("inspector"))
    others, _other = joined(browser, link("inspector"))
    second, late = another(browser, first), another(browser, first)
    second.sign_in()
    assert [opens(first), opens(second), opens(others)] == [True] * 3
    actions.lock_person(user.login, by=installer)
    assert [opens(first), opens(second)] == [False] * 2
    late.sign_in()
    assert not opens(late)
    assert opens(others), "nobody else is signed out"
    actions.unlock_person(user.login, by=installer)
    assert [opens(first), opens(second)] == [False] * 2, "what was open before stays closed"
    late.sign_in()
    assert opens(late)


@pytest.mark.asvs("7.4.1")
def test_a_session_that_was_begun_during_the_lock_does_not_come_alive(browser, link, installer):
    first, user = joined(browser, link("inspector"))
    mine = another(browser, first)
    # A sign-in that asked for the person before the lock and stored its session after it.
    actions.lock_person(user.login, by=installer)
    User.objects.filter(id=user.id).update(is_active=True)
    mine.sign_in()
    assert opens(mine)
    User.objects.filter(id=user.id).update(is_active=False)
    assert not opens(mine)
    actions.unlock_person(user.login, by=installer)
    assert not opens(mine)


@pytest.mark.asvs("16.2.1")
def test_each_is_an_entry_and_twice_changes_nothing(installer):
    user = added(Role.INSPECTOR, installer)
    for _ in range(2):
        actions.lock_person(user.login, by=installer)
    user.refresh_from_db()
    assert facts(user) == [("people.locked", installer.source)]
    assert queries.revoked_among([user.source_id]) == {user.source_id}
    with pytest.raises(BadSignature):
        queries.person_of(user)
    for _ in range(2):
        actions.unlock_person(user.login, by=installer)
    assert facts(user) == [("people.locked", installer.source), ("people.unlocked", installer.source)]
    assert queries.revoked_among([user.source_id]) == frozenset()


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.PARTNER, Role.DEVICE])
def test_only_an_administrator_locks_and_unlocks(installer, role):
    user = added(Role.INSPECTOR, installer)
    stranger = Person(uuid.uuid4(), role, 900_010, "somebody")
    with pytest.raises(MayNot):
        actions.lock_person(user.login, by=stranger)
    assert User.objects.get(id=user.id).is_active
    actions.lock_person(user.login, by=installer)
    with pytest.raises(MayNot):
        actions.unlock_person(user.login, by=stranger)
    assert not User.objects.get(id=user.id).is_active
    assert len(facts(user)) == 1


def test_nobody_is_nobody(installer):
    for act in (actions.lock_person, actions.unlock_person):
        with pytest.raises(NotFound):
            act("nobody-9", by=installer)


@pytest.fixture
def two_administrators(installer):
    """Let two administrators be the only ones who can sign in, and everybody again afterwards."""
    two = added(Role.ADMINISTRATOR, installer), added(Role.ADMINISTRATOR, installer)
    active = User.objects.filter(membership__role="administrator", membership__ended_at=None, is_active=True)
    others = list(active.exclude(id__in=[user.id for user in two]).values_list("login", flat=True))
    for login in others:
        actions.lock_person(login, by=installer)
    yield two
    for login in [*others, *(user.login for user in two)]:
        actions.unlock_person(login, by=installer)


def test_the_last_administrator_stays(installer, two_administrators):
    one, other = two_administrators
    actions.lock_person(one.login, by=installer)
    with pytest.raises(Conflict) as refused:
        actions.lock_person(other.login, by=installer)
    assert refused.value.code == "last_administrator"
    assert User.objects.get(id=other.id).is_active
    assert facts(other) == []
    actions.lock_person(
        added(Role.INSPECTOR, installer).login, by=installer
    )  # no administrator: that is another matter


def test_two_administrators_do_not_lock_each_other_out(installer, two_administrators):
    one, other = two_administrators
    refused: list[str] = []

    def lock_the_other():
        try:
            actions.lock_person(other.login, by=installer)
        except Conflict as err:
            refused.append(err.code)
        finally:
            connections["default"].close()

    second = threading.Thread(target=lock_the_other, daemon=True)
    with transaction.atomic():
        actions.lock_person(one.login, by=installer)
        second.start()
        time.sleep(1)  # it has come as far as it gets before this one's commit
    second.join(30)
    assert refused == ["last_administrator"]
    assert User.objects.get(id=other.id).is_active
