"""What the worker does for risk, by several at once without harm."""

from __future__ import annotations

from parcelward.risk import disputes

learn_of_disputes = disputes.catch_up
