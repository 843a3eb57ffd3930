"""Write a line of somebody's own security history, in the transaction of what it tells."""

from __future__ import annotations

from uuid import UUID

from django.utils import timezone

from parcelward.people.models import SecurityEvent, User
from parcelward.people.wire import Person


def note(
    user: User | UUID, kind: str, *, by: Person | None = None, detail: str = "", signed_in: UUID | None = None
) -> None:
    """Write the line. `by` None: they themselves. What is told is in doors/portals/accounts/words.py."""
    user_id = user.id if isinstance(user, User) else user
    SecurityEvent.objects.create(
        user_id=user_id,
        kind=kind,
        at=timezone.now(),
        by_self=by is None or by.id == user_id,
        detail=detail[:80],
        signed_in_id=signed_in,
    )
