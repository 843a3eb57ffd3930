"""Refuse everything that comes from an address, for a while: at the desk's doors and at the programs' alike."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from parcelward.base.errors import Invalid
from parcelward.custody import actions as custody
from parcelward.people import addresses
from parcelward.people.key_check import ADDRESS_BANNED, BAN_ENDED
from parcelward.people.models import BannedAddress
from parcelward.people.roles import require
from parcelward.people.wire import Person, Task

BAN_MAX: Final = dt.timedelta(days=90)


@transaction.atomic
def ban_address(address: str, lasting: dt.timedelta, *, by: Person) -> UUID:
    """Hear nobody from an address (IPv4, or the /64 of an IPv6 address) for a while; return the ban's id.

    Only a keyed hash of it is stored, and the log is told only that there is a ban. Asked again, it lasts anew.
    """
    require(by, Task.MANAGE_PEOPLE)
    if not dt.timedelta() < lasting <= BAN_MAX:
        raise Invalid(f"An address is banned for at most {BAN_MAX.days} days", code="bad_lifetime")
    digest = addresses.digest(address)
    if digest is None:
        raise Invalid("This is no IP address", code="bad_address")
    now = timezone.now()
    end_ban(address, by=by)
    ban = BannedAddress.objects.create(
        id=uuid.uuid4(), digest=digest, until=now + lasting, banned_by_id=by.source, banned_at=now
    )
    custody.record_fact(ADDRESS_BANNED, {"ban": str(ban.id), "by": by.source, "until": ban.until.isoformat()})
    return ban.id


@transaction.atomic
def end_ban(address: str, *, by: Person) -> None:
    """Hear an address again. Doing it twice changes nothing."""
    require(by, Task.MANAGE_PEOPLE)
    for ban in BannedAddress.objects.select_for_update().filter(digest__in=addresses.digests(address)):
        custody.record_fact(BAN_ENDED, {"ban": str(ban.id), "by": by.source})
        ban.delete()


def forget_bans(now: dt.datetime) -> int:
    """Delete bans that are over; return how many."""
    return BannedAddress.objects.filter(until__lte=now).delete()[0]
