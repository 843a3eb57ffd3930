"""How often somebody may ask: token buckets in each web worker's memory.

A worker counts by itself, so with several workers the real limit is that many times higher: enough against enumerating
numbers, and nothing is stored about who asked.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict

from django.http import HttpRequest

from parcelward.base import config
from parcelward.base.errors import TooMany

BUCKETS_MAX = 20_000
_SALT = secrets.token_bytes(16)  # forgotten with the process: addresses cannot be read back from memory dumps later

_lock = threading.Lock()
_buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()


def client_address(request: HttpRequest) -> str:
    """Return the caller's address, taking as many proxies into account as are configured, and no header beyond."""
    proxies = config.get().trusted_proxies
    if proxies:
        hops = [h.strip() for h in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if h.strip()]
        if len(hops) >= proxies:
            return str(hops[-proxies])
    return str(request.META.get("REMOTE_ADDR", ""))


def allow(request: HttpRequest, bucket: str, per_minute: int) -> None:
    """Take one token from the caller's bucket, or raise TooMany with when to come back."""
    allow_key(client_address(request), bucket, per_minute)


def allow_key(who: str, bucket: str, per_minute: int) -> None:
    """Take one token from the bucket of whoever it is, or raise TooMany with when to come back."""
    key = hashlib.blake2b(f"{bucket}|{who}".encode(), key=_SALT, digest_size=12).digest()
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
