"""The one way out: every HTTP request that web and worker make to somebody else goes through here."""

from __future__ import annotations

import atexit
import contextlib
import functools
import socket
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import httpx

TIMEOUT_S = 10.0  # for each step
WHOLE_S = 60.0  # for all of them: whoever answers a byte at a time holds nobody up
ANSWER_BYTES_MAX = 1_000_000


class Answered(NamedTuple):
    """What the other side answered."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


class NotReached(Exception):
    """Nobody answered in time, or the answer was too large."""


class _Limit:
    """Ends one request's connection after WHOLE_S, from a thread of its own: httpx limits each step, not the whole."""

    def __init__(self) -> None:
        self.over = False
        self._lines: list[socket.socket] = []
        self._timer = threading.Timer(WHOLE_S, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        for line in self._lines:
            line.close()

    def note(self, event: str, said: Mapping[str, Any]) -> None:
        """Hear from httpx how far the request is (its `trace` extension)."""
        if event == "connection.connect_tcp.complete":
            self._lines.append(said["return_value"].get_extra_info("socket").dup())  # TLS takes the first one away

    def _cut(self) -> None:
        self.over = True
        for line in self._lines:
            with contextlib.suppress(OSError):  # it has ended by itself
                line.shutdown(socket.SHUT_RDWR)


def post(url: str, body: bytes, *, content_type: str = "", timeout_s: float = TIMEOUT_S) -> Answered:
    """POST bytes to an address that the operator configured. No redirects, bounded time and size.

    Raises NotReached. Addresses that strangers may choose (webhooks) need an address check at connect time on top.
    """
    return _ask(
        "POST", url, body, headers={"content-type": content_type} if content_type else None, timeout_s=timeout_s
    )


def get(url: str, *, timeout_s: float = TIMEOUT_S) -> Answered:
    """GET what lies at an address that the operator configured; else as `post`."""
    return _ask("GET", url, None, headers=None, timeout_s=timeout_s)


def ask(method: str, url: str, body: bytes | None, *, headers: Mapping[str, str], timeout_s: float) -> Answered:
    """Ask somebody who is asked all day, over connections that are kept. Else as `post`. Raises NotReached."""
    deadline = time.monotonic() + WHOLE_S
    try:
        with _kept().stream(method, url, content=body, headers=headers, timeout=timeout_s) as answer:
            read = b""
            for chunk in answer.iter_bytes():
                read += chunk
                if len(read) > ANSWER_BYTES_MAX:
                    raise NotReached("The answer is too large")
                if time.monotonic() > deadline:
                    raise NotReached("The answer comes too slowly")
            return Answered(answer.status_code, answer.headers.get("content-type", ""), read, answer.headers)
    except (httpx.HTTPError, httpx.InvalidURL) as err:
        raise NotReached(f"No answer ({type(err).__name__})") from None


@functools.cache
def _kept() -> httpx.Client:
    client = httpx.Client(follow_redirects=False, trust_env=False)
    atexit.register(client.close)
    return client


def _ask(method: str, url: str, body: bytes | None, *, headers: Mapping[str, str] | None, timeout_s: float) -> Answered:
    try:
        with (
            _Limit() as limit,
            httpx.Client(timeout=timeout_s, follow_redirects=False, trust_env=False) as client,
            client.stream(method, url, content=body, headers=headers, extensions={"trace": limit.note}) as answer,
        ):
            read = b""
            for chunk in answer.iter_bytes():
                read += chunk
                if len(read) > ANSWER_BYTES_MAX:
                    raise NotReached("The answer is too large")
            if limit.over:  # what has no length seems to end where it was cut off
                raise NotReached("The answer comes too slowly")
            return Answered(answer.status_code, answer.headers.get("content-type", ""), read)
    except (httpx.HTTPError, httpx.InvalidURL) as err:
        raise NotReached(f"No answer ({type(err).__name__})") from None
