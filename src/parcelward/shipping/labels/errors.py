"""What can go wrong with a label that is to be printed.

Invalid
  └─ Unprintable    422  a text, a number or a count that has no place on a label; the code says which
"""

from __future__ import annotations

from parcelward.base.errors import Invalid


class Unprintable(Invalid):
    """A text, a number or a count that has no place on a label; the code says which."""

    default_code = "unprintable"
