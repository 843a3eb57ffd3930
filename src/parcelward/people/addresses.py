"""IP addresses as they are kept: a keyed hash, for they are personal data; and which are banned, as last looked."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import time
from typing import Final

from django.conf import settings
from django.utils import timezone

from parcelward.people.models import BannedAddress

IPV6_PREFIX: Final = 64  # what one household or one machine has
_DOMAIN: Final = b"parcelward/v1/address\x00"

_banned: dict[bytes, float] = {}  # digest -> when it ends, by the clock of the wall


def digest(address: str) -> bytes | None:
    """Return the keyed hash of an address; None for what is none."""
    return next(iter(digests(address)), None)


def digests(address: str) -> list[bytes]:
    """Return the keyed hash of an address, and those under secrets that are still believed; none for what is none."""
    parsed = _parsed(address)
    if parsed is None:
        return []
    known = _DOMAIN + parsed.packed
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [hmac.digest(each.encode(), known, hashlib.sha256) for each in secrets]


def network(address: str) -> str:
    """Return what one household or machine has, of which an address is one: limits count that, not each address."""
    parsed = _parsed(address)
    return address if parsed is None else str(parsed)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address):
        return parsed.ipv4_mapped or ipaddress.ip_network((parsed, IPV6_PREFIX), strict=False).network_address
    return parsed


def look() -> None:
    """Read which addresses are banned now; each web process does every few seconds."""
    global _banned  # noqa: PLW0603 -- replaced whole: who asks meanwhile sees the old one or the new one
    rows = BannedAddress.objects.filter(until__gt=timezone.now()).values_list("digest", "until")
    _banned = {bytes(each): until.timestamp() for each, until in rows}


def is_banned(address: str) -> bool:
    """Return whether nobody is heard from this address, as far as was last looked; the database is not asked."""
    if not _banned:
        return False
    now = time.time()
    return any(_banned.get(each, 0.0) > now for each in digests(address))
