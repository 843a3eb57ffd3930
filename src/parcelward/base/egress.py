"""The one way out: every HTTP request that web and worker make to somebody else goes through here."""

from __future__ import annotations

import time
from typing import NamedTuple

import httpx

TIMEOUT_S = 10.0  # for each step
WHOLE_S = 60.0  # for all of them: whoever answers a byte at a time holds nobody up
ANSWER_BYTES_MAX = 1_000_000


class Answered(NamedTuple):
    """What the other side answered."""

    status: int
    content_type: str
    body: bytes


class NotReached(Exception):
    """Nobody answered in time, or the answer was too large."""


def post(url: str, body: bytes, *, content_type: str = "", timeout_s: float = TIMEOUT_S) -> Answered:
    """POST bytes to an address that the operator configured. No redirects, bounded time and size.

    Raises NotReached. Addresses that strangers may choose (webhooks) need an address check at connect time on top.
    """
    headers = {"content-type": content_type} if content_type else None
    ends = time.monotonic() + WHOLE_S
    try:
        with httpx.stream(
            "POST", url, content=body, headers=headers, timeout=timeout_s, follow_redirects=False, trust_env=False
        ) as answer:
            read = b""
            for chunk in answer.iter_bytes():
                if time.monotonic() > ends:
                    raise NotReached("The answer comes too slowly")
                read += chunk
                if len(read) > ANSWER_BYTES_MAX:
                    raise NotReached("The answer is too large")
            return Answered(answer.status_code, answer.headers.get("content-type", ""), read)
    except (httpx.HTTPError, httpx.InvalidURL) as err:
        raise NotReached(f"No answer ({type(err).__name__})") from None
