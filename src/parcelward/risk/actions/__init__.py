"""What risk is told, within the caller's transaction; safe to repeat."""

from parcelward.risk.actions.observing import learn_within, observe_within

__all__ = ["learn_within", "observe_within"]
