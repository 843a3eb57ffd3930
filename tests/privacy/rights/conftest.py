"""Somebody whose data is kept, and two people of the house who answer what they ask."""

from __future__ import annotations

import pytest
from tests.joined import joined

from parcelward.people.wire import Role
from parcelward.privacy import actions
from parcelward.privacy.wire import Kind


@pytest.fixture
def ben(installation):
    return joined(Role.ADDRESSEE)


@pytest.fixture
def admin(installation):
    return joined(Role.ADMINISTRATOR)


@pytest.fixture
def inspector(installation):
    return joined(Role.INSPECTOR)


@pytest.fixture
def token(machinery, anna, ben):
    return actions.put(anna, kind=Kind.ADDRESSEE, by=machinery, account=ben.id)
