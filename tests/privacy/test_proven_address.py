"""Whoever writes a new name or address into what was proven proves it anew."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from django.utils import timezone
from tests.people.proving import lives_at, somebody, told

from parcelward.people import proofing
from parcelward.people.errors import MayNot
from parcelward.people.wire import Level, Method
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Kind

pytestmark = pytest.mark.usefixtures("installation")
NOW = timezone.now() - dt.timedelta(minutes=5)


def home(owner, by):
    fields = {Field.NAME: "Anna Kowalska", Field.ADDRESS: f"{os.urandom(6).hex()} Main Street", Field.POSTCODE: "62701"}
    return privacy.put(fields, kind=Kind.ADDRESSEE, by=by, account=owner.id)


@pytest.mark.parametrize("field", [Field.NAME, Field.ADDRESS, Field.POSTCODE, Field.LOCALITY, Field.COUNTRY])
def test_a_changed_address_is_not_proven(field, machinery):
    person = somebody()
    token = home(person, machinery)
    lives_at(person, token, now=NOW)
    proofing.require_address_level(person, token, now=timezone.now())
    privacy.change(token, {field: "XX"}, by=person)
    with pytest.raises(MayNot):
        proofing.require_address_level(person, token, now=timezone.now())
    assert told(person)[-1] == "level_ended"


@pytest.mark.parametrize("field", [Field.EMAIL, Field.PHONE])
def test_a_changed_way_to_reach_somebody_is_not_proven(field, machinery):
    person = somebody()
    token = home(person, machinery)
    proofing.confirm_message(token, Method.EMAIL_CODE, by=person, now=NOW)
    privacy.change(token, {Field.LOCALITY: "XX"}, by=person)
    assert proofing.level_of(person, now=timezone.now()) is Level.MESSAGE
    privacy.change(token, {field: "a@example.com" if field is Field.EMAIL else "+1 555 0100"}, by=person)
    assert proofing.level_of(person, now=timezone.now()) is Level.NOTHING


def test_nothing_is_proven_of_who_was_forgotten(machinery):
    person, until = somebody(), timezone.now() + dt.timedelta(days=60)
    fields = {Field.NAME: "Anna Kowalska", Field.ADDRESS: f"{os.urandom(6).hex()} Main Street"}
    token = privacy.put(fields, kind=Kind.PENDING, by=machinery, account=person.id, expires_at=until)
    proofing.confirm_message(token, Method.EMAIL_CODE, by=person, now=NOW)
    lives_at(person, token, now=NOW)
    privacy.forget_expired(until + dt.timedelta(days=1))
    assert proofing.level_of(person, now=timezone.now()) is Level.NOTHING
    assert told(person)[-2:] == ["level_ended", "level_ended"]


def test_what_was_not_proven_by_letter_may_change(machinery):
    person = somebody()
    token = home(person, machinery)
    lives_at(person, token, now=NOW)
    before = told(person)
    privacy.change(token, {Field.EMAIL: "anna@example.com", Field.DOCUMENT: "passport 34B"}, by=person)
    proofing.require_address_level(person, token, now=timezone.now())
    assert told(person) == before
