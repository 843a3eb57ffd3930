"""People, clerks and inspectors for the tests of proofs."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections
from django.utils import timezone

from parcelward.base.vault import VaultToken
from parcelward.custody.models import Fact
from parcelward.people import actions, proofing
from parcelward.people.models import CounterProof, Evidence, Letter, Organisation
from parcelward.people.proofing import entries
from parcelward.people.roles import ROLES_OF
from parcelward.people.wire import CounterState, Document, OrganisationKind, Person, Role

T = TypeVar("T")

NOW = timezone.now()
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def link(role: Role) -> str:
    """Return what an invitation's link carries: who acts for themselves only has joined as a clerk, as anybody may."""
    hired = role if role in ROLES_OF[OrganisationKind.OPERATOR] else Role.CLERK
    operator = Organisation.objects.get(kind="operator")
    return actions.invite(operator.id, hired, by=actions.installer())[1]


def somebody(role: Role = Role.ADDRESSEE) -> Person:
    user, _membership = actions.join(link(role), user_id=uuid.uuid4(), now=timezone.now())
    return Person(id=user.id, role=role, source=user.source_id, name=user.login)


def apart(act: Callable[[], T]) -> T:
    """Run `act` in a thread of its own: where a browser is driven, the test's own thread may not ask the database."""

    def run() -> T:
        try:
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run).result(60)


def address() -> VaultToken:
    return VaultToken(uuid.uuid4())


def told(person: Person) -> list[str]:
    """Return what the log says of somebody's proofs, oldest first."""
    kinds = [kind for each in entries.KINDS.values() for kind in each]
    facts = Fact.objects.filter(kind__in=kinds).order_by("batch", "leaf")
    said = [(fact.kind, json.loads(bytes(fact.body))) for fact in facts]
    return [kind.removeprefix("people.") for kind, body in said if body.get("person") == str(person.id)]


def rows(person: Person) -> list[object]:
    """Return everything that is stored of somebody's proofs, but for how often a code was tried."""
    return [
        *Evidence.objects.filter(user=person.id).order_by("id").values_list(),
        *Letter.objects.filter(user=person.id).order_by("id").values_list("id", "token", "kind", "state", "printed"),
        *CounterProof.objects.filter(user=person.id).order_by("id").values_list(),
    ]


def letter_for(
    person: Person, token: VaultToken, *, same=(), now: dt.datetime = NOW, clerk: Person | None = None
) -> str:
    """Ask for a letter and have it printed; return its code."""
    asked = proofing.request_letter(token, same=same, by=person, now=now)
    return proofing.print_letter(asked.letter_id, by=clerk or somebody(Role.CLERK), now=now).code


def lives_at(person: Person, token: VaultToken, *, now: dt.datetime = NOW) -> None:
    proofing.confirm_letter(letter_for(person, token, now=now), by=person, now=now)


def checked(
    person: Person,
    token: VaultToken,
    decision: CounterState = CounterState.PASSED,
    *,
    now: dt.datetime = NOW,
    clerk: Person | None = None,
) -> proofing.Check:
    """Go to a counter, and be decided on."""
    begun = proofing.start_check(token, by=person, now=now)
    clerk = clerk or somebody(Role.CLERK)
    found = proofing.find_check(begun.reference, by=clerk, now=now)
    return proofing.decide_check(found.check_id, decision, Document.PASSPORT, by=clerk, now=now)
