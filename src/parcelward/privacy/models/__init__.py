"""The room's tables, one file a subject."""

from parcelward.privacy.models.stations import Loan, StationKey

__all__ = ["Loan", "StationKey"]
