"""What risk is told and asked, within the caller's transaction; safe to repeat."""

from parcelward.risk.actions.deciding import decide
from parcelward.risk.actions.observing import learn_within, observe_within

__all__ = ["decide", "learn_within", "observe_within"]
