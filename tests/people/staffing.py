"""People of an organisation, as the actions take them: joined without a browser, for tests in this process."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import Any

from parcelward.custody.models import Fact
from parcelward.people import actions
from parcelward.people.models import Invitation, Membership, Organisation, User
from parcelward.people.queries import person_of
from parcelward.people.wire import OrganisationKind, Person, Role


def operator() -> uuid.UUID:
    return Organisation.objects.get(kind="operator").id


def sender(name: str = "A Shop") -> uuid.UUID:
    """Make a tenant of its own."""
    return actions.make_organisation(OrganisationKind.SENDER, name, by=actions.installer(), simulated=True)


def member(role: Role, organisation: uuid.UUID | None = None, *, owner: bool = False) -> tuple[User, Membership]:
    """Let somebody join who never signs in."""
    _id, code = actions.invite(organisation or operator(), role, by=actions.installer(), owner=owner)
    return actions.join(code, user_id=uuid.uuid4(), now=dt.datetime.now(dt.UTC))


def acting(user: User, membership: Membership) -> Person:
    """Return who asks, as their session would say it now."""
    fresh = User.objects.get(id=user.id)
    fresh.acting = membership.id
    return person_of(fresh)


def somebody(role: Role, organisation: uuid.UUID | None = None, *, owner: bool = False) -> Person:
    """Let somebody join; return them in that role."""
    return acting(*member(role, organisation, owner=owner))


def trained(role: Role) -> Person:
    """Let somebody join who holds a certificate for dangerous goods."""
    who, today = somebody(role), dt.datetime.now(dt.UTC).date()
    month = today + dt.timedelta(days=30)
    actions.certify(who.id, "dangerous_goods", valid_from=today, valid_until=month, by=somebody(Role.ADMINISTRATOR))
    return who


def facts(kind: str, **said: Any) -> list[dict[str, Any]]:
    """Return the entries of a kind that say so, oldest first."""
    found = [json.loads(bytes(fact.body)) for fact in Fact.objects.filter(kind=kind).order_by("batch")]
    return [one for one in found if all(one.get(name) == value for name, value in said.items())]


def said_in(pattern: str, text: str) -> str:
    """Return what the pattern's first group finds in a page."""
    found = re.search(pattern, text)
    assert found, text[:2000]
    return found[1]


def rights():
    """Return every role that stands and every invitation that is open, to see that nothing changed."""
    held = Membership.objects.filter(ended_at=None).values_list("id", "user", "role", "owner").order_by("id")
    asked = Invitation.objects.filter(taken_at=None, withdrawn_at=None).values_list("id", "agreed_by").order_by("id")
    stopped = Organisation.objects.exclude(suspended_at=None).values_list("id").order_by("id")
    return list(held), list(asked), list(stopped), User.objects.count()


def of(browser):
    """Return who a browser's passkey belongs to."""
    return User.objects.get(id=uuid.UUID(browser.passkey.user_handle.decode()))
