"""The framework in threads: pages ask the database, which makes who asks wait, and the event loop must not."""

from __future__ import annotations

import asyncio
import io
import string
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from django.core import signals
from django.core.handlers.asgi import ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponseBase
from django.urls import set_script_prefix

from parcelward.base import config

THREADS = max(32, 96 // config.get().web_workers)  # of each process; one waits most of its time for the database
BODY_WITHIN_S = 30.0
TOO_LONG = 10**15
LENGTH_DIGITS_MAX = 15  # of a Content-Length; Python makes no number of more than 4,300

pool = ThreadPoolExecutor(THREADS, "page")

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, HTTPScope

Head = tuple[int, list[tuple[bytes, bytes]]]


class Framework(BaseHandler):
    """Django's own handling of a request, with its synchronous views and middleware, in a thread of the pool.

    Django's ASGI handler makes a thread, and with it a database connection, for each request.
    """

    def __init__(self) -> None:
        super().__init__()
        self.load_middleware()

    async def __call__(self, scope: HTTPScope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Answer one request (ASGI 3.0)."""
        loop = asyncio.get_running_loop()
        length = length_of(dict(scope["headers"]).get(b"content-length", b""))
        if length == TOO_LONG:
            others = [field for field in scope["headers"] if field[0] != b"content-length"]
            scope = {**scope, "headers": [*others, (b"content-length", b"%d" % TOO_LONG)]}
        body = _Body(loop, receive, length)
        head, content = await loop.run_in_executor(pool, self._answer, scope, body)
        await say(send, head, content)

    def _answer(self, scope: HTTPScope, body: io.RawIOBase) -> tuple[Head, bytes]:
        set_script_prefix(get_script_prefix(scope))
        signals.request_started.send(sender=self.__class__, scope=scope)
        query = scope["query_string"]
        if not query.isascii():  # as it should have been sent (RFC 3986 section 2.1)
            scope = {**scope, "query_string": quote(query, safe=string.printable).encode()}
        response = self.get_response(_request(scope, io.BufferedReader(body)))
        try:
            return head_of(response), b"".join(cast("Iterable[bytes]", response))
        finally:
            response.close()


def _request(scope: HTTPScope, body: io.BufferedReader) -> HttpRequest:
    """Return the request; one whose media type cannot be read goes on without it, for the middleware to refuse."""
    try:
        return cast("HttpRequest", ASGIRequest(scope, body))
    except ValueError:  # an unknown encoding (RFC 2231) or a NUL in a parameter; the words would repeat what was typed
        others = [field for field in scope["headers"] if field[0] != b"content-type"]
        request = cast("HttpRequest", ASGIRequest({**scope, "headers": others}, body))
        request.unreadable = True  # type: ignore[attr-defined]  # read by the middleware
        return request


def length_of(said: bytes) -> int:
    """Return the length that a Content-Length says; 0 for none, TOO_LONG for what no body has."""
    if not said.isdigit():
        return 0
    return int(said) if len(said) <= LENGTH_DIGITS_MAX else TOO_LONG


def head_of(response: HttpResponseBase) -> Head:
    """Return what is said before the body."""
    headers = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    headers += [(b"set-cookie", each.OutputString().encode("ascii")) for each in response.cookies.values()]
    return response.status_code, headers


async def say(send: ASGISendCallable, head: Head, content: bytes) -> None:
    """Send a whole answer."""
    status, headers = head
    await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": content, "more_body": False})


class _Body(io.RawIOBase):
    """A request's body, read in a thread while it comes in the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: ASGIReceiveCallable, length: int) -> None:
        super().__init__()
        self._loop, self._receive, self._left = loop, receive, length
        self._came = b""
        self._more = True
        self._until = time.monotonic() + BODY_WITHIN_S

    def _next(self) -> Any:
        async def receive() -> Any:
            return await self._receive()

        coming = asyncio.run_coroutine_threadsafe(receive(), self._loop)
        try:
            return coming.result(max(0.0, self._until - time.monotonic()))
        except TimeoutError:  # an OSError: the framework says that the body could not be read
            coming.cancel()
            raise

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, into: Any) -> int:
        """Fill what there is room for, waiting for at least one byte; 0 at the end. OSError when it is cut or slow."""
        while self._left and not self._came and self._more:
            message = self._next()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError("the connection ended before the body did")
            self._came, self._more = message.get("body", b""), message.get("more_body", False)
        n = min(len(into), len(self._came), self._left)
        into[:n] = self._came[:n]
        self._came = self._came[n:]
        self._left -= n
        return n
