"""What can be done with quotes, orders and tariffs; each asks first whether it may, and is safe to repeat."""

from parcelward.shipping.actions.cancelling import cancel
from parcelward.shipping.actions.handing_in import hand_in
from parcelward.shipping.actions.orders import give_up, go_on, place_within
from parcelward.shipping.actions.printing import labels, print_anew
from parcelward.shipping.actions.quotes import quote
from parcelward.shipping.actions.remembered import (
    buy_remembered,
    label_of_owner,
    opened,
    remember,
    remember_once,
    revise,
)
from parcelward.shipping.actions.reviewing import Because, appeal, contents, review
from parcelward.shipping.actions.senders import sender_of
from parcelward.shipping.actions.tariffs import sell_by, sell_by_sample

__all__ = [
    "Because",
    "appeal",
    "buy_remembered",
    "cancel",
    "contents",
    "give_up",
    "go_on",
    "hand_in",
    "label_of_owner",
    "labels",
    "opened",
    "place_within",
    "print_anew",
    "quote",
    "remember",
    "remember_once",
    "review",
    "revise",
    "sell_by",
    "sell_by_sample",
    "sender_of",
]
