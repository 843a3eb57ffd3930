"""Tenants for tests: an organisation made straight in its table, and people who act for it."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import uuid
from collections.abc import Iterator
from typing import Any

from parcelward.people import actions as people
from parcelward.people.models import Organisation
from parcelward.people.wire import Person, Role


def organisation(kind: str = "sender") -> Organisation:
    return Organisation.objects.create(
        kind=kind,
        name=f"Tenant {os.urandom(3).hex()}",
        simulated=True,
        made_at=dt.datetime.now(dt.UTC),
        made_by_id=people.installer().source,
    )


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
    rows = Organisation.objects.filter(pk=tenant.pk)
    rows.update(suspended_at=dt.datetime.now(dt.UTC))
    try:
        yield
    finally:
        rows.update(suspended_at=None)
