"""People of every role to ask with, and values that stand nowhere else."""

from __future__ import annotations

import uuid

import pytest

from parcelward.people.wire import Person, Role
from parcelward.privacy.wire import Field


def person(role: Role, *, organisation: uuid.UUID | None = None, source: int = 910_000) -> Person:
    """Return somebody of a role, new each time."""
    return Person(uuid.uuid4(), role, source + list(Role).index(role), f"{role}-9", organisation=organisation)


@pytest.fixture(scope="session")
def machinery(installation) -> Person:
    from parcelward.people import actions

    return actions.machinery()


@pytest.fixture
def clerk(installation) -> Person:
    return person(Role.CLERK)


@pytest.fixture
def inspector(installation) -> Person:
    return person(Role.INSPECTOR)


@pytest.fixture(scope="session")
def item(installation, facilities) -> str:
    """Return the number of an item that there is: what a look can be about."""
    from tests.scanner import Scanner, event, new_number

    number = new_number()
    Scanner(installation).send(event(number, "accepted"))
    return number


@pytest.fixture
def anna() -> dict[Field, str]:
    """Return everything that can be kept of somebody; the values are of this test alone."""
    mark = uuid.uuid4().hex
    return {
        Field.NAME: f"Anna Kowalska-{mark}",
        Field.EMAIL: f"anna.{mark}@example.com",
        Field.PHONE: f"+1 555 {int(mark[:12], 16) % 10**9:09d}",
        Field.ADDRESS: f"{mark} Main Street\nSecond floor",
        Field.POSTCODE: "62701",
        Field.LOCALITY: "Springfield",
        Field.COUNTRY: "US",
        Field.DOCUMENT: f"passport {mark}",
        Field.WHERE: "203.0.113.7",
        Field.AGENT: f"Mozilla/5.0 {mark}",
        Field.BODY: '{"stored": "' + mark + '"}',
    }
