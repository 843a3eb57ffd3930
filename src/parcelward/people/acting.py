"""Whoever asked for something that takes longer than their request, as they stand now: it goes on in their right."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from parcelward.base.errors import NotAllowed
from parcelward.people import roles
from parcelward.people.models import ApiKey, Membership
from parcelward.people.wire import Person, Role


def acting_again(source: int, organisation: UUID | None) -> Person:
    """Return who a source is, acting for an organisation, if they still may. Raises NotAllowed.

    A key that was revoked or is over, a membership that ended, somebody locked out and a suspended organisation are
    nobody; a role that changed counts as it is now.
    """
    now = timezone.now()
    key = (
        ApiKey.objects.filter(source=source, revoked_at=None, organisation=organisation)
        .filter(Q(expires_at=None) | Q(expires_at__gt=now), Q(organisation=None) | Q(organisation__suspended_at=None))
        .select_related("source")
        .first()
    )
    if key is not None:
        limited = None if key.scopes is None else roles.scopes_of(key.scopes)
        whole = key.source.name, key.source.simulated
        return Person(key.id, Role(key.role), source, *whole, organisation=organisation, scopes=limited)
    held = Membership.objects.filter(
        user__source=source,
        user__is_active=True,
        organisation=organisation,
        ended_at=None,
        organisation__suspended_at=None,
    )
    row = held.select_related("user").first()
    if row is None:
        raise NotAllowed("Whoever asked for this may not do it any more", code="not_theirs_any_more")
    return Person(row.user_id, Role(row.role), source, row.user.login, organisation=organisation)
