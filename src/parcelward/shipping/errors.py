"""What can go wrong when a delivery is sold.

Invalid
  └─ BadTariff   422  a tariff that cannot be sold by, with every place where it is wrong
"""

from __future__ import annotations

from typing import ClassVar

from parcelward.base.errors import Invalid


class BadTariff(Invalid):
    """The tariff cannot be used: `problems` says where, and what to write instead. The one before it stays."""

    default_code: ClassVar[str] = "bad_tariff"
    title: ClassVar[str] = "This tariff cannot be used"
