"""The one way out: every HTTP request that web and worker make to somebody else goes through here."""

from __future__ import annotations

import atexit
import contextlib
import functools
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import httpx

from parcelward.base import outside

TIMEOUT_S = 10.0  # for each step
WHOLE_S = 60.0  # for all of them: whoever answers a byte at a time holds nobody up
ANSWER_BYTES_MAX = 1_000_000
STRANGERS_BYTES_MAX = 16_384  # of a stranger's answer: nobody reads it, and who is cut off earlier notes an error


class Answered(NamedTuple):
    """What the other side answered."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})


class NotReached(Exception):
    """Nobody answered in time, or the answer was too large. `code` says in a word what went wrong."""

    def __init__(self, words: str, code: str = "no_answer") -> None:
        super().__init__(words)
        self.code = code


class _Limit:
    """Ends one request's connection after WHOLE_S, from a thread of its own: httpx limits each step, not the whole."""

    def __init__(self, whole_s: float | None = None) -> None:
        self.over = False
        self._lines: list[socket.socket] = []
        self._timer = threading.Timer(WHOLE_S if whole_s is None else whole_s, self._cut)
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

    Raises NotReached. What a stranger chose is asked by `post_to_stranger`.
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


def post_to_stranger(
    url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float, whole_s: float, this_machine: bool
) -> Answered:
    """POST bytes to an address that a stranger chose, and return the answer's status and headers, without its body.

    Where its name leads is looked at first, and only that is asked (`outside`). No redirects, no proxy, no cookies,
    TLS checked against the name. Raises NotReached. `this_machine` is said in test mode alone.
    """
    deadline = time.monotonic() + whole_s
    try:
        asked = outside.parsed(url, this_machine=this_machine)
        port = asked.port or (443 if asked.scheme == "https" else 80)
        found = outside.addresses(asked.raw_host.decode(), port, this_machine=this_machine)
    except outside.Forbidden as err:
        raise NotReached(str(err), "forbidden_address") from None
    except (OSError, UnicodeError):
        raise NotReached("Nothing is known under this name", "no_address") from None
    why = NotReached("Nothing is known under this name", "no_address")
    for address in found:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return _post_at(asked, address, body, headers, min(timeout_s, left), left)
        except (httpx.ConnectError, httpx.ConnectTimeout) as err:
            why = NotReached(f"No connection ({type(err).__name__})", _why(err))
    raise why


def _post_at(
    asked: httpx.URL, address: str, body: bytes, headers: Mapping[str, str], timeout_s: float, whole_s: float
) -> Answered:
    """Ask the one address. Raises what httpx does where there is no connection, else NotReached."""
    said = {**headers, "host": asked.netloc.decode(), "accept-encoding": "identity"}
    with _Limit(whole_s) as limit, httpx.Client(timeout=timeout_s, follow_redirects=False, trust_env=False) as client:
        extensions = {"trace": limit.note, "sni_hostname": asked.raw_host.decode()}
        try:
            with client.stream(
                "POST", asked.copy_with(host=address), content=body, headers=said, extensions=extensions
            ) as answer:
                status, of, read = answer.status_code, dict(answer.headers), 0
                for chunk in answer.iter_raw():
                    read += len(chunk)
                    if read > STRANGERS_BYTES_MAX:
                        break
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if limit.over:
                raise NotReached("The answer comes too slowly", "timeout") from None
            raise
        except (httpx.HTTPError, httpx.InvalidURL) as err:
            raise NotReached(f"No answer ({type(err).__name__})", "timeout" if limit.over else _why(err)) from None
    if limit.over:  # what has no length seems to end where it was cut off
        raise NotReached("The answer comes too slowly", "timeout")
    return Answered(status, of.get("content-type", ""), b"", of)


def _why(err: Exception) -> str:
    """Return a word for what went wrong, which whoever chose the address is told."""
    if isinstance(err, httpx.TimeoutException):
        return "timeout"
    cause: BaseException | None = err
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls"
        cause = cause.__cause__ or cause.__context__
    return "no_connection" if isinstance(err, httpx.ConnectError) else "no_answer"


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
