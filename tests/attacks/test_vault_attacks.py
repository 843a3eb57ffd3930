"""Somebody who can write to the tables moves sealed values about: nothing opens, and nothing else is given out."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import connections
from django.utils import timezone
from tests.laws.tampering import change, difference, sequenced, undone
from tests.privacy.conftest import item, person  # noqa: F401 -- a fixture
from tests.privacy.test_vault import opened

from parcelward.base import config
from parcelward.base.errors import Invalid, NotAllowed
from parcelward.parcels.queries import verify_log
from parcelward.people import actions as people
from parcelward.people.wire import Role
from parcelward.privacy import actions
from parcelward.privacy.errors import NotAuthentic, NotInVault
from parcelward.privacy.models import Disclosure, KeptPerson, Message, PersonKey
from parcelward.privacy.wire import Field, Kind, Purpose

WHOLE = [Field.NAME, Field.EMAIL, Field.PHONE]


def values(mark: str) -> dict[Field, str]:
    return {Field.NAME: f"Name {mark}", Field.EMAIL: f"{mark}@example.com", Field.PHONE: "+1 555 010 0199"}


@pytest.fixture
def two(installation):
    by = people.machinery()
    return tuple(actions.put(values(uuid.uuid4().hex), kind=Kind.ADDRESSEE, by=by) for _ in range(2))


def refused(token) -> None:
    """See that nothing of the person opens, and that no trace says it did."""
    before = Disclosure.objects.filter(person=token).count()
    with pytest.raises(NotAuthentic):
        opened(token, WHOLE, purpose=Purpose.NOTICE, by=people.machinery())
    assert Disclosure.objects.filter(person=token).count() == before


MOVES = {
    "another column": "UPDATE privacy_person SET name_sealed = email_sealed WHERE token = %(one)s",
    "another person": "UPDATE privacy_person SET name_sealed = (SELECT name_sealed FROM privacy_person "
    "WHERE token = %(two)s) WHERE token = %(one)s",
    "another version": "UPDATE privacy_person SET key_version = 2 WHERE token = %(one)s",
    "a byte turned": "UPDATE privacy_person SET name_sealed = set_byte(name_sealed, 20, "
    "get_byte(name_sealed, 20) # 1) WHERE token = %(one)s",
    "cut short": "UPDATE privacy_person SET name_sealed = substr(name_sealed, 1, 20) WHERE token = %(one)s",
    "nothing": "UPDATE privacy_person SET name_sealed = '' WHERE token = %(one)s",
}


@pytest.mark.asvs("11.3.3")
@pytest.mark.parametrize("what", MOVES)
def test_a_sealed_value_that_was_moved_does_not_open(two, what):
    one, other = two
    before = KeptPerson.objects.get(token=one)
    change(MOVES[what], {"one": one, "two": other})
    refused(one)
    opened(other, WHOLE, purpose=Purpose.NOTICE, by=people.machinery())
    KeptPerson.objects.filter(token=one).update(key_version=1, name_sealed=before.name_sealed)


@pytest.mark.asvs("11.3.3")
def test_a_wrapped_key_that_was_given_to_another_person_does_not_open(two):
    one, other = two
    mine = PersonKey.objects.get(person=one)
    theirs = PersonKey.objects.get(person=other)
    PersonKey.objects.filter(person=one).update(wrapped=theirs.wrapped, kek_version=theirs.kek_version)
    refused(one)
    PersonKey.objects.filter(person=one).update(wrapped=mine.wrapped, kek_version=mine.kek_version)
    opened(one, WHOLE, purpose=Purpose.NOTICE, by=people.machinery())


def test_a_message_given_to_another_person_is_not_sent(two):
    one, other = two
    far = timezone.now() + dt.timedelta(days=5000)
    number = actions.send(one, "code", {"code": "123456", "minutes": "10"}, by=people.machinery(), now=far)
    sealed = Message.objects.get(pk=number)
    Message.objects.filter(pk=number).update(person=other)
    actions.deliver_messages(far)
    after = Message.objects.get(pk=number)
    assert (after.sent_at, after.why, sealed.person) == (None, "not_authentic", one)


TURNED = {
    "another account": ("UPDATE privacy_person SET account = gen_random_uuid() WHERE token = %(one)s", "kept_person"),
    "another tenant": ("UPDATE privacy_person SET tenant = gen_random_uuid() WHERE token = %(one)s", "kept_person"),
    "an earlier end": ("UPDATE privacy_person SET expires_at = now() WHERE token = %(one)s", "kept_person"),
    "an older value put back": (
        "UPDATE privacy_person SET name_sealed = %(older)s WHERE token = %(corrected)s",
        "sealed_value",
    ),
    "a value taken away": ("UPDATE privacy_person SET phone_sealed = NULL WHERE token = %(one)s", "sealed_value"),
    "a value that was taken away": (
        "UPDATE privacy_person SET phone_sealed = %(phone)s WHERE token = %(corrected)s",
        "sealed_value",
    ),
    "a value cut short": (
        "UPDATE privacy_person SET email_sealed = substr(email_sealed, 1, 20) WHERE token = %(one)s",
        "sealed_value",
    ),
    "a person gone": ("DELETE FROM privacy_person WHERE token = %(one)s", "kept_person"),
    "a person of nobody's putting": (
        (
            "INSERT INTO privacy_person (token, kind, made_at, made_by, key_version) "
            "VALUES (gen_random_uuid(), 'staff', now(), 1, 1)"
        ),
        "kept_person",
    ),
    "a look gone": ("DELETE FROM privacy_disclosure WHERE person = %(one)s", "disclosure"),
    "a look at somebody else": ("UPDATE privacy_disclosure SET person = %(two)s WHERE person = %(one)s", "disclosure"),
    "a look by somebody else": ("UPDATE privacy_disclosure SET by = 1 WHERE person = %(one)s", "disclosure"),
    "a look for another purpose": (
        "UPDATE privacy_disclosure SET purpose = 'label' WHERE person = %(one)s",
        "disclosure",
    ),
    "a look at another time": (
        "UPDATE privacy_disclosure SET at = at - interval '1 us' WHERE person = %(one)s",
        "disclosure",
    ),
    "a look at less": ("UPDATE privacy_disclosure SET fields = '{name}' WHERE person = %(one)s", "disclosure"),
    "a look that nobody had": (
        (
            "INSERT INTO privacy_disclosure (act, person, at, by, role, purpose, fields, about, searched) "
            "VALUES (gen_random_uuid(), %(one)s, now(), 1, 'clerk', 'label', '{name}', '', false)"
        ),
        "disclosure",
    ),
    "a tombstone of nobody's shredding": (
        "INSERT INTO privacy_tombstone (person, shredded_at, why) VALUES (gen_random_uuid(), now(), 'asked')",
        "shredded_person",
    ),
    "a request that nobody made": (
        (
            "INSERT INTO privacy_shred_request (person, reason, requested_by, requested_at) "
            "VALUES (%(one)s, 'none', 1, now())"
        ),
        "shred_request",
    ),
    "a request agreed to by nobody": (
        "UPDATE privacy_shred_request SET agreed_by = 1, agreed_at = now(), not_before = now() WHERE person = %(two)s",
        "shred_request",
    ),
    "a hold gone": ("DELETE FROM privacy_hold WHERE person = %(held)s", "person_hold"),
    "a hold lifted by nobody": (
        "UPDATE privacy_hold SET lifted_at = now(), lifted_by = 1 WHERE person = %(held)s",
        "person_hold",
    ),
    "the dead one gone": ("DELETE FROM privacy_tombstone WHERE person = %(dead)s", "kept_person"),
    "the dead one's row there again": (
        (
            "INSERT INTO privacy_person (token, kind, made_at, made_by, key_version) "
            "SELECT %(dead)s, kind, made_at, made_by, 1 FROM privacy_person WHERE token = %(one)s"
        ),
        "shredded_person",
    ),
}


@pytest.fixture(scope="module")
def kept(installation, facilities):
    """Return whom there is to tamper with: looked at, asked about, held, and shredded."""
    by = people.machinery()
    tokens = [actions.put(values(uuid.uuid4().hex), kind=Kind.ADDRESSEE, by=by) for _ in range(5)]
    one, two, held, dead, corrected = tokens
    older = KeptPerson.objects.get(token=corrected)
    actions.change(corrected, {Field.NAME: "Somebody else"}, by=by)
    actions.change(corrected, {Field.PHONE: ""}, by=by)
    opened(one, WHOLE, purpose=Purpose.NOTICE, by=by)
    inspector, admin = person(Role.INSPECTOR, source=940_000), person(Role.ADMINISTRATOR, source=940_000)
    actions.ask_to_shred(two, "asked for", by=inspector)
    actions.hold(held, "court order 7", by=inspector)
    actions.agree_to_shred(actions.ask_to_shred(dead, "asked for", by=inspector), by=admin)
    actions.shred_due(timezone.now() + dt.timedelta(days=8))
    sequenced()
    put_back = {"corrected": corrected, "older": older.name_sealed, "phone": older.phone_sealed}
    return {"one": one, "two": two, "held": held, "dead": dead} | put_back


@pytest.mark.parametrize("what", TURNED)
def test_what_was_turned_is_found_by_verify_log(kept, what):
    statement, differs = TURNED[what]
    with undone():
        change(statement, kept)
        assert difference().differs == differs
    connections["default"].close()


@pytest.mark.asvs("11.3.3")
def test_an_older_value_opens_where_it_was_and_the_log_names_the_person(kept):
    with undone():
        change("UPDATE privacy_person SET name_sealed = %(older)s WHERE token = %(corrected)s", kept)
        found = difference()
        assert (found.differs, str(kept["corrected"]) in str(found)) == ("sealed_value", True)
    connections["default"].close()
    here = opened(kept["corrected"], WHOLE, purpose=Purpose.NOTICE, by=people.machinery())
    assert here[Field.NAME] == "Somebody else"
    assert Field.PHONE not in here


def test_what_nobody_turned_holds(kept):
    assert verify_log(config.get()).facts > 0


@pytest.mark.asvs("8.2.3", "8.4.1")
@pytest.mark.parametrize("purpose", Purpose)
def test_a_sender_opens_nobody_of_the_house_or_of_another_sender_for_any_purpose(two, item, purpose):  # noqa: F811
    them = person(Role.SENDER_ADMIN, organisation=uuid.uuid4())
    for token in (two[0], uuid.uuid4()):
        for about in ("", item):
            with pytest.raises((NotAllowed, NotInVault, Invalid)) as refused:
                opened(token, [Field.NAME], purpose=purpose, by=them, about=about)
            assert about == "" or not isinstance(refused.value, Invalid)
    assert not Disclosure.objects.filter(person=two[0]).exists()
