"""Whoever writes a new name or address into what was proven proves it anew."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from django.utils import timezone
from tests.people.proving import lives_at, somebody, told

from parcelward.people import proofing
from parcelward.people.errors import MayNot
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


def test_what_was_not_proven_by_letter_may_change(machinery):
    person = somebody()
    token = home(person, machinery)
    lives_at(person, token, now=NOW)
    before = told(person)
    privacy.change(token, {Field.EMAIL: "anna@example.com", Field.DOCUMENT: "passport 34B"}, by=person)
    proofing.require_address_level(person, token, now=timezone.now())
    assert told(person) == before
