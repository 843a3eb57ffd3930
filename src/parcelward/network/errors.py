"""What can go wrong with places.

Invalid
  └─ BadFacility   422  a place that cannot be as described
Conflict
  └─ Changed       412  somebody else changed the description meanwhile
"""

from __future__ import annotations

from parcelward.base.errors import Conflict, Invalid


class BadFacility(Invalid):
    """A place that cannot be as described; the problems say which part."""

    default_code = "bad_facility"


class Changed(Conflict):
    """The description is not the one that the caller has seen (If-Match, RFC 9110 section 13.1.1)."""

    status = 412
    default_code = "changed"
    title = "Changed meanwhile"
