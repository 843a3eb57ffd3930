"""Sessions: begun with a proof, renewed by another, ended here or from another browser."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final
from uuid import UUID

from django.db import transaction

from parcelward.base.errors import NotFound
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people.actions import history
from parcelward.people.errors import MayNot
from parcelward.people.models import KnownBrowser, Membership, SignedIn, User
from parcelward.people.roles import STAFF, require
from parcelward.people.sessions_of import end_where
from parcelward.people.wire import Person, Role, Task

PASSKEY: Final = "passkey"
SESSIONS_ENDED: Final = "people.sessions_ended"


@transaction.atomic
def begin_session(
    user: User, session_key: str, *, method: str, browser: bytes, seen_from: VaultToken | None, now: dt.datetime
) -> tuple[UUID, bool]:
    """Note a session that the framework has just begun; return its id, and whether this browser is new to the person.

    Whoever proved themselves with a passkey acts in their one staff role at once; others choose.
    """
    membership = _first_membership(user, method)
    row = SignedIn.objects.create(
        session_key=session_key,
        user=user,
        method=method,
        membership=membership,
        seen_from=seen_from,
        began_at=now,
        seen_at=now,
        proved_at=now,
    )
    digest = hashlib.sha256(browser).digest()
    first = not KnownBrowser.objects.filter(user=user).exists()  # with an account's first browser it was made
    _, unknown = KnownBrowser.objects.update_or_create(
        digest=digest, user=user, defaults={"last_at": now}, create_defaults={"first_at": now, "last_at": now}
    )
    new = unknown and not first
    history.note(user, "signed_in_new" if new else "signed_in", signed_in=row.id, detail=method)
    return row.id, new


def _first_membership(user: User, method: str) -> Membership | None:
    open_ones = Membership.objects.filter(user=user, ended_at=None, organisation__suspended_at=None)
    for row in open_ones.order_by("since"):
        if Role(row.role) not in STAFF or method == PASSKEY:
            return row
    return None


@transaction.atomic
def act_for(session_id: UUID, membership: UUID | None, *, by: Person) -> None:
    """Act in another of one's roles, or for oneself (None), from the next request of this session on."""
    require(by, Task.OWN_DATA)
    row = SignedIn.objects.select_for_update().filter(id=session_id, user=by.id, ended_at=None).first()
    if row is None:
        raise NotFound("No such session")
    chosen = None
    if membership is not None:
        chosen = Membership.objects.filter(
            id=membership, user=by.id, ended_at=None, organisation__suspended_at=None
        ).first()
        if chosen is None:
            raise NotFound("No such role")
        if Role(chosen.role) in STAFF and row.method != PASSKEY:
            raise MayNot("This role needs a passkey: sign in with yours", code="passkey_needed")
    row.membership = chosen
    row.save(update_fields=["membership"])


@transaction.atomic
def prove_again(session_id: UUID, session_key: str, *, by: Person, now: dt.datetime) -> None:
    """Note that whoever holds this session has just proved again who they are; from now on it has this key."""
    require(by, Task.OWN_DATA)
    SignedIn.objects.filter(id=session_id, user=by.id, ended_at=None).update(proved_at=now, session_key=session_key)


@transaction.atomic
def end_session(session_id: UUID, *, by: Person) -> None:
    """Sign out one of one's own sessions, this one or another. Doing it twice changes nothing."""
    require(by, Task.OWN_DATA)
    if not SignedIn.objects.filter(id=session_id, user=by.id).exists():
        raise NotFound("No such session")
    if end_where(id=session_id, user=by.id):
        history.note(by.id, "session_ended")


@transaction.atomic
def end_other_sessions(session_id: UUID, *, by: Person) -> int:
    """Sign out everywhere but here; return how many."""
    require(by, Task.OWN_DATA)
    others = SignedIn.objects.filter(user=by.id, ended_at=None).exclude(id=session_id)
    ended = end_where(id__in=list(others.values_list("id", flat=True)))
    if ended:
        history.note(by.id, "sessions_ended")
        custody.record_fact(SESSIONS_ENDED, {"by": by.source, "person": str(by.id), "n": ended})
    return ended
