"""What can go wrong with a sealed label.

Invalid
  └─ BadLabel       422  these bytes are no label, or not this item's, or not for this hop
Conflict
  └─ KeyNotThere    409  the key of this place and week is not made yet, or destroyed for good
NotAllowed
  └─ NotLent        403  this device may not have the key
"""

from __future__ import annotations

from parcelward.base.errors import Conflict, Invalid, NotAllowed


class BadLabel(Invalid):
    """These bytes are no label, or not this item's, or not for this hop; the code says which."""

    default_code = "bad_label"


class KeyNotThere(Conflict):
    """The key of this place and week is not made yet, over, or destroyed; the code says which."""

    default_code = "no_station_key"


class NotLent(NotAllowed):
    """The device may not have the key; the code says why."""

    default_code = "not_lent"
