"""People, clerks and inspectors for the tests of proofs."""

from __future__ import annotations

import datetime as dt
import json
import uuid

from django.utils import timezone
from tests.joined import joined

from parcelward.base.vault import VaultToken
from parcelward.custody.models import Fact
from parcelward.people import proofing
from parcelward.people.models import CounterProof, Evidence, Letter
from parcelward.people.wire import CounterState, Document, Person, Role

NOW = timezone.now()
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def somebody(role: Role = Role.ADDRESSEE) -> Person:
    return joined(role)


def address() -> VaultToken:
    return VaultToken(uuid.uuid4())


def told(person: Person) -> list[str]:
    """Return what the log says of somebody's proofs, oldest first."""
    facts = (
        Fact.objects.filter(kind__startswith="people.")
        .exclude(kind="people.added")
        .order_by("record_time", "batch", "leaf")
    )
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
