"""What can go wrong with personal data.

NotFound
  ├─ NotInVault     404  no such person, another tenant's, or shredded (code `shredded`)
  └─ BodyGone       404  what somebody sent was forgotten: nothing opens it any more
NotAllowed
  └─ Restricted     403  the person asked that their data be left alone
ParcelwardError
  └─ NotAuthentic   500  what is stored does not open: it was changed or moved, or its key is another
Busy
  └─ KeysAway       503  the key that opens all others is not here, or its token does not answer
"""

from __future__ import annotations

from parcelward.base.errors import Busy, NotAllowed, NotFound, ParcelwardError


class NotInVault(NotFound):
    """No such person, somebody else's, or shredded."""

    default_code = "not_in_vault"


class BodyGone(NotFound):
    """What somebody sent was forgotten: its key is gone, and nothing opens it."""

    default_code = "body_gone"


class Restricted(NotAllowed):
    """The person asked that their data be left alone, and the purpose is none of those that go on."""

    default_code = "restricted"


class NotAuthentic(ParcelwardError):
    """What is stored does not open: it was changed or moved, or its key is another."""

    default_code = "not_authentic"
    title = "Something that is kept here was changed"


class KeysAway(Busy):
    """The key that opens all others is not here, or its token does not answer; the sentence says how to mend it."""

    default_code = "keys_away"
