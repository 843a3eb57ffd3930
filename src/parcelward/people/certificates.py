"""Whether a training that somebody passed counts on a day."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from parcelward.people.models import Certificate


def holds(user: UUID, training: str, *, on: dt.date) -> bool:
    """Return whether this person has a certificate of the training that counts on that day."""
    noted = Certificate.objects.filter(user=user, training=training, revoked_at=None)
    return noted.filter(valid_from__lte=on, valid_until__gte=on).exists()
