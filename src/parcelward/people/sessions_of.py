"""End sessions: the framework's and our own row of each, in the caller's transaction."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.models import Session
from django.utils import timezone

from parcelward.people.models import SignedIn


def end_where(**which: Any) -> int:
    """End the sessions that fit; return how many. Whoever holds the cookie is signed out with the next request."""
    rows = list(SignedIn.objects.select_for_update().filter(ended_at=None, **which).order_by("id"))
    Session.objects.filter(session_key__in=[row.session_key for row in rows]).delete()
    SignedIn.objects.filter(id__in=[row.id for row in rows]).update(ended_at=timezone.now())
    return len(rows)
