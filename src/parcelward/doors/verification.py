"""`verify-log` over the whole house: the record of items, and the rows of the rooms beside it."""

from __future__ import annotations

from parcelward.base import config
from parcelward.parcels import queries as parcels
from parcelward.payments import queries as payments
from parcelward.risk import queries as risk
from parcelward.shipping import queries as shipping

ROOMS = (
    *(payments.check_ledger, payments.check_intents, risk.check_decisions, risk.check_rules),
    risk.check_models,
    shipping.check_orders,
)


def verify_log(
    settings: config.Config,
    *,
    first: int = 0,
    end: int | None = None,
    statuses: bool = False,
    tell: parcels.Tell = lambda *_: None,
) -> parcels.Report:
    """Recompute the log from every room's rows and compare. Raises EntryDiffers with the first entry that differs."""
    return parcels.verify_log(settings, first=first, end=end, statuses=statuses, rooms=ROOMS, tell=tell)
