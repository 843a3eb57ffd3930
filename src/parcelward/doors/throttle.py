"""How often somebody may ask: token buckets in each web worker's memory, by address, by key and by person.

A worker counts by itself, so with several workers the real limit is that many times higher: enough against enumerating
numbers, and nothing is stored about who asked. A banned address is heard nowhere, whatever it sends along.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from typing import Final

from django.http import HttpRequest

from parcelward.base import config
from parcelward.base.errors import NotAllowed, TooMany
from parcelward.people import queries as people
from parcelward.people.errors import BadSignature
from parcelward.people.wire import Person

BUCKETS_MAX = 20_000
ADDRESS_PER_MINUTE: Final = 12_000  # requests with a key, from one address: many systems may share it
KEY_PER_MINUTE: Final = 6_000
BATCHES_PER_MINUTE: Final = 60_000  # of scans under one key
BAD_KEYS_PER_MINUTE: Final = 120  # from one address; good keys are heard all the same
DEEDS_PER_MINUTE: Final = 300  # of one person at the screens: forms that they send
_SALT = secrets.token_bytes(16)  # forgotten with the process: addresses cannot be read back from memory dumps later

_lock = threading.Lock()
_buckets: OrderedDict[tuple[str, int | bytes], tuple[float, float]] = OrderedDict()


class Banned(NotAllowed):
    """Nobody is heard from this address for a while."""

    default_code = "address_banned"


def client_address(request: HttpRequest) -> str:
    """Return the caller's address, taking as many proxies into account as are configured, and no header beyond."""
    return address_of(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))


def client_network(request: HttpRequest) -> str:
    """Return what limits count: the caller's address, or the /64 of an IPv6 one, which has more than anybody counts."""
    return people.network_of(client_address(request))


def address_of(remote: str, forwarded_for: str) -> str:
    """Return the address that stands behind the proxies that are configured."""
    proxies = config.get().trusted_proxies
    if proxies:
        hops = [h.strip() for h in forwarded_for.split(",") if h.strip()]
        if len(hops) >= proxies:
            return hops[-proxies]
    return remote


def require_heard(address: str) -> None:
    """Raise Banned where nobody is heard from this address."""
    if people.is_banned(address):
        raise Banned("Nothing is taken from this address for a while")


def allow(request: HttpRequest, bucket: str, per_minute: int) -> None:
    """Take one token from the caller's bucket, or raise TooMany with when to come back."""
    take(bucket, _hidden(client_address(request)), per_minute)


def allow_person(person: int, per_minute: int = DEEDS_PER_MINUTE) -> None:
    """Take one token from the bucket of who is signed in (their source); raise TooMany with when to come back."""
    take("person", person, per_minute)


def key_holder(token: str, address: str, *, per_minute: int = KEY_PER_MINUTE) -> Person:
    """Return who holds an API key, as often as its address and the key itself may ask.

    Raises TooMany, Banned, BadSignature. Who guesses is soon told to wait, and blocks no good key beside him.
    """
    require_heard(address)
    hidden = _hidden(address)
    take("address", hidden, ADDRESS_PER_MINUTE)
    try:
        holder = people.key_holder(token)
    except BadSignature:
        take("bad_key", hidden, BAD_KEYS_PER_MINUTE)
        raise
    take("key", holder.source, per_minute)
    return holder


def _hidden(address: str) -> bytes:
    return hashlib.blake2b(people.network_of(address).encode(), key=_SALT, digest_size=12).digest()


def take(bucket: str, who: int | bytes, per_minute: int) -> None:
    """Take one token from a bucket, or raise TooMany with when to come back."""
    key = bucket, who
    now = time.monotonic()
    rate = per_minute / 60
    with _lock:
        tokens, at = _buckets.pop(key, (float(per_minute), now))
        tokens = min(float(per_minute), tokens + (now - at) * rate)
        allowed = tokens >= 1
        _buckets[key] = (tokens - 1 if allowed else tokens, now)
        while len(_buckets) > BUCKETS_MAX:
            _buckets.popitem(last=False)
    if not allowed:
        raise TooMany("Too many requests in a short time", retry_after_s=max(1, round((1 - tokens) / rate)))
