"""What can be wrong with a backup.

ParcelwardError
  ├─ Invalid
  │    ├─ BadBackup   422  damaged, cut short, put together of parts of several, or not what its manifest says
  │    ├─ WrongKey    422  not encrypted for the key at hand
  │    └─ BadKeyText  422  not a backup key
  └─ Conflict
       └─ BadPlace    409  a folder that this set may not be written to, or a home that is in use
"""

from __future__ import annotations

from parcelward.base.errors import Conflict, Invalid


class BadBackup(Invalid):
    """The backup is damaged, cut short, or put together of parts that do not belong together. Nothing was restored."""

    default_code = "bad_backup"
    title = "The backup does not hold"


class WrongKey(Invalid):
    """None of the private keys at hand opens it."""

    default_code = "wrong_key"
    title = "The backup was encrypted for another key"


class BadKeyText(Invalid):
    """Not the text of a backup key."""

    default_code = "bad_backup_key"
    title = "Not a backup key"


class BadPlace(Conflict):
    """A set may not be written to, or a backup not restored into, that folder."""

    default_code = "bad_place"
    title = "Not the folder for it"
