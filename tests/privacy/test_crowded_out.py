"""Strangers who type somebody's address or mailbox hundreds of times: the house still finds whose it is."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from parcelward.privacy import actions
from parcelward.privacy.wire import Field, Kind, Purpose

CROWD = 450  # twice as many as people are shown, and some


@pytest.fixture
def crowded(machinery, anna):
    """Anna's entry, among those of whoever typed the same."""
    same = {field: anna[field] for field in (Field.EMAIL, Field.ADDRESS, Field.POSTCODE, Field.COUNTRY)}
    forgotten = timezone.now() + dt.timedelta(days=60)
    strangers = actions.put_many([same] * CROWD, kind=Kind.PENDING, by=machinery, expires_at=forgotten)
    return actions.put(anna, kind=Kind.ADDRESSEE, by=machinery), strangers


@pytest.mark.asvs("2.4.1")
def test_everybody_at_an_address_is_found_however_many_typed_it(crowded, machinery, anna):
    token, strangers = crowded
    found = actions.find(Field.ADDRESS, anna[Field.ADDRESS], purpose=Purpose.LETTER, by=machinery)
    assert sorted(found) == sorted({token, *strangers})


def test_whose_mailbox_it_is_is_found_past_whoever_only_typed_it(crowded, machinery, anna):
    found = actions.find(Field.EMAIL, anna[Field.EMAIL], purpose=Purpose.SIGN_IN, by=machinery, lasting=True)
    assert found == (crowded[0],)
