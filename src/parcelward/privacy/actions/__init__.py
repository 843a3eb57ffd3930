"""What can be done with personal data; each asks first whether it may, and leaves an entry in the log."""

from parcelward.privacy.actions.keep import change, put, put_many, settle
from parcelward.privacy.actions.look import find, masked, masked_many, reveal, reveal_many
from parcelward.privacy.actions.messages import deliver_messages, send

__all__ = [
    "change",
    "deliver_messages",
    "find",
    "masked",
    "masked_many",
    "put",
    "put_many",
    "reveal",
    "reveal_many",
    "send",
    "settle",
]
