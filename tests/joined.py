"""People who have joined, for tests that need no browser of theirs."""

from __future__ import annotations

import datetime as dt
import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import UUID

from django.db import connections
from tests.passkey import Browser

from parcelward.base.vault import VaultToken
from parcelward.people import actions, queries
from parcelward.people.models import Membership, Organisation, User
from parcelward.people.roles import ROLES_OF
from parcelward.people.wire import OrganisationKind, Person, Role

T = TypeVar("T")


def joined(role: Role, *, organisation: UUID | None = None) -> Person:
    """Return somebody new in this role: of the operator, of an organisation, or acting for themselves."""
    now = dt.datetime.now(dt.UTC)
    if role is Role.ADDRESSEE:
        return queries.person_of(actions.sign_up(uuid.uuid4(), token=VaultToken(uuid.uuid4())))
    kind = next(kind for kind, held in ROLES_OF.items() if role in held)
    of = organisation or tenant(kind)
    login = f"{role.value.replace('_', '-')}-{os.urandom(4).hex()}"
    _id, code = actions.invite(of, role, by=actions.installer(), login=login)
    user, membership = actions.join(code, user_id=uuid.uuid4(), now=now)
    user.acting = membership.id
    return queries.person_of(user)


def tenant(kind: OrganisationKind) -> UUID:
    """Return the operator, or a new organisation of another kind."""
    if kind is OrganisationKind.OPERATOR:
        return Organisation.objects.get(kind="operator").id
    name = f"Tenant {os.urandom(3).hex()}"
    return actions.make_organisation(kind, name, by=actions.installer(), simulated=True)


def signed_in_as(browser: Browser, role: Role, installation: Any) -> Person:
    """Let somebody new join in this browser, the ordinary way; return who it is."""
    if role is Role.ADDRESSEE:
        answer = browser.by_code(f"reader-{os.urandom(6).hex()}@example.com", installation.home)
        token = "created_at"
        user = apart(lambda: User.objects.latest(token))
    else:
        operator = apart(lambda: Organisation.objects.get(kind="operator").id)
        _id, code = apart(lambda: actions.invite(operator, role, by=actions.installer()))
        answer = browser.join(f"{browser.url}/accounts/join#code={code}")
        user = apart(lambda: User.objects.get(id=browser.user_id))
        user.acting = apart(lambda: Membership.objects.get(user=user, ended_at=None).id)
    assert answer.status_code == 302, answer.text
    return apart(lambda: queries.person_of(user))


def apart(ask: Callable[[], T]) -> T:
    """Ask the database in a thread: where a browser is driven, an event loop runs in the test's own."""

    def asked() -> T:
        try:
            return ask()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asked).result(120)
