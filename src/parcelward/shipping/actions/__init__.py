"""What can be done with quotes, orders, lists and tariffs; each asks first whether it may, and is safe to repeat."""

from parcelward.shipping.actions.addressbook import add_address, change_address, remove_address
from parcelward.shipping.actions.cancelling import cancel
from parcelward.shipping.actions.customs import Declared, advance_data, customs_paper, declared, give_customs
from parcelward.shipping.actions.drafting import Asked
from parcelward.shipping.actions.handing_in import hand_in
from parcelward.shipping.actions.orders import give_up, go_on, place_many_within, place_within
from parcelward.shipping.actions.photos import Photographed, photograph
from parcelward.shipping.actions.printing import labels, labels_of_many, print_anew
from parcelward.shipping.actions.quotes import quote
from parcelward.shipping.actions.remembered import (
    buy_remembered,
    label_of_owner,
    opened,
    remember,
    remember_once,
    revise,
)
from parcelward.shipping.actions.reviewing import Because, Inside, appeal, contents, review
from parcelward.shipping.actions.senders import sender_of
from parcelward.shipping.actions.tariffs import sell_by, sell_by_sample
from parcelward.shipping.actions.together import buy_once
from parcelward.shipping.actions.uploads import LABELS_AT_ONCE, labels_of_upload, map_columns, mend_row, take_file
from parcelward.shipping.actions.uploads import give_up as give_up_upload
from parcelward.shipping.actions.uploads import place as place_upload

__all__ = [
    "LABELS_AT_ONCE",
    "Asked",
    "Because",
    "Declared",
    "Inside",
    "Photographed",
    "add_address",
    "advance_data",
    "appeal",
    "buy_once",
    "buy_remembered",
    "cancel",
    "change_address",
    "contents",
    "customs_paper",
    "declared",
    "give_customs",
    "give_up",
    "give_up_upload",
    "go_on",
    "hand_in",
    "label_of_owner",
    "labels",
    "labels_of_many",
    "labels_of_upload",
    "map_columns",
    "mend_row",
    "opened",
    "photograph",
    "place_many_within",
    "place_upload",
    "place_within",
    "print_anew",
    "quote",
    "remember",
    "remember_once",
    "remove_address",
    "review",
    "revise",
    "sell_by",
    "sell_by_sample",
    "sender_of",
    "take_file",
]
