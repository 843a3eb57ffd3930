"""What can be done with personal data; each asks first whether it may, and leaves an entry in the log."""

from parcelward.privacy import bodies
from parcelward.privacy.about import know_items
from parcelward.privacy.actions.contact import close_contact, end_contacts, open_contact
from parcelward.privacy.actions.contact_mail import pass_on
from parcelward.privacy.actions.keep import change, put, put_for_many, put_many, settle
from parcelward.privacy.actions.look import find, masked, masked_many, reveal, reveal_many
from parcelward.privacy.actions.messages import deliver_messages, send
from parcelward.privacy.actions.rights import (
    CORRECTABLE,
    ask_erasure,
    correct,
    export,
    extend,
    finish_erasures,
    object_to,
    refuse,
    restrict,
    uphold,
    withdraw_request,
)
from parcelward.privacy.actions.shred import (
    agree_to_shred,
    ask_to_shred,
    delete_again,
    forget_expired,
    hold,
    lift,
    shred_due,
    withdraw_shred,
)
from parcelward.privacy.actions.turn_codes import end_label_codes, rotate_label_code
from parcelward.privacy.actions.turn_index import Remade, rotate_index
from parcelward.privacy.actions.turn_keys import Turned, retire_kek, rotate_kek

seal_bodies, forget_bodies, sweep_bodies = bodies.seal, bodies.forget, bodies.sweep

__all__ = [
    "CORRECTABLE",
    "Remade",
    "Turned",
    "agree_to_shred",
    "ask_erasure",
    "ask_to_shred",
    "change",
    "close_contact",
    "correct",
    "delete_again",
    "deliver_messages",
    "end_contacts",
    "end_label_codes",
    "export",
    "extend",
    "find",
    "finish_erasures",
    "forget_bodies",
    "forget_expired",
    "hold",
    "know_items",
    "lift",
    "masked",
    "masked_many",
    "object_to",
    "open_contact",
    "pass_on",
    "put",
    "put_for_many",
    "put_many",
    "refuse",
    "restrict",
    "retire_kek",
    "reveal",
    "reveal_many",
    "rotate_index",
    "rotate_kek",
    "rotate_label_code",
    "seal_bodies",
    "send",
    "settle",
    "shred_due",
    "sweep_bodies",
    "uphold",
    "withdraw_request",
    "withdraw_shred",
]
