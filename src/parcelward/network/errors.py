"""What can go wrong with places.

Invalid
  └─ BadFacility   422  a place that cannot be as described
"""

from __future__ import annotations

from parcelward.base.errors import Invalid


class BadFacility(Invalid):
    """A place that cannot be as described; the problems say which part."""

    default_code = "bad_facility"
