"""What risk is told and asked, within the caller's transaction; safe to repeat."""

from parcelward.risk.actions.deciding import decide, decide_many
from parcelward.risk.actions.learning import outcome_of_order
from parcelward.risk.actions.modelling import choose_model, keep_challenger, retire_model
from parcelward.risk.actions.observing import learn_within, observe_of_order_within, observe_within
from parcelward.risk.actions.reviewing import appeal, review
from parcelward.risk.actions.ruling import agree_to_rule, ask_to_activate, move_rule, try_rule, try_text, write_rule
from parcelward.risk.actions.snoozing import end_snooze, snooze_rule
from parcelward.risk.actions.stating import state_costs

__all__ = [
    "agree_to_rule",
    "appeal",
    "ask_to_activate",
    "choose_model",
    "decide",
    "decide_many",
    "end_snooze",
    "keep_challenger",
    "learn_within",
    "move_rule",
    "observe_of_order_within",
    "observe_within",
    "outcome_of_order",
    "retire_model",
    "review",
    "snooze_rule",
    "state_costs",
    "try_rule",
    "try_text",
    "write_rule",
]
