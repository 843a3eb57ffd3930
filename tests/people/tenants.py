"""Tenants for tests: organisations, and people who act for them."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from typing import Any

from parcelward.people import actions as people
from parcelward.people.models import Organisation
from parcelward.people.wire import OrganisationKind, Person, Role


def organisation(kind: str = "sender") -> Organisation:
    made = people.make_organisation(OrganisationKind(kind), f"Tenant {os.urandom(3).hex()}", by=people.installer())
    return Organisation.objects.get(pk=made)


def person(role: Role, tenant: Organisation | None = None) -> Person:
    """Somebody with this role: whoever signs in is given such a value."""
    return Person(
        uuid.uuid4(), role, people.installer().source, "tested", organisation=None if tenant is None else tenant.id
    )


def token_of(tenant: Organisation, role: Role = Role.SENDER_ADMIN, **more: Any) -> people.MadeKey:
    by = people.installer()
    return people.new_key(
        f"{role} of a tenant", role, by=by, mode="test", organisation=tenant.id, simulated=True, **more
    )


@contextlib.contextmanager
def suspended(tenant: Organisation) -> Iterator[None]:
    """Nobody acts for it meanwhile."""
    people.suspend_organisation(tenant.pk, by=people.installer())
    try:
        yield
    finally:
        people.resume_organisation(tenant.pk, by=people.installer())
