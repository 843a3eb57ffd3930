"""Somebody who wants to be told: a real HTTP receiver, a sender with an endpoint, and the check of a signature."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from tests.joined import joined

from parcelward.parcels import queries as parcels
from parcelward.people.wire import Person, Role
from parcelward.shipping.actions import webhooks

Answers = Callable[["Received"], tuple[int, dict[str, str]]]


@dataclasses.dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Receiver:
    """A shop's system that listens on this machine; what it answers may be changed at any time."""

    def __init__(self) -> None:
        self.got: list[Received] = []
        self.answers: Answers = lambda _: (204, {})
        mine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                heads = {name.lower(): value for name, value in self.headers.items()}
                one = Received(self.path, heads, body, time.monotonic())
                mine.got.append(one)
                status, more = mine.answers(one)
                self.send_response(status)
                for name, value in {"content-length": "0", **more}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hooks"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self, n: int, within_s: float = 30.0, path: str = "/hooks") -> list[Received]:
        """Return what came at a path, when there are `n`."""
        deadline = time.monotonic() + within_s
        while len(found := [one for one in self.got if one.path == path]) < n:
            assert time.monotonic() < deadline, f"{len(found)} of {n} came"
            time.sleep(0.02)
        return found


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    try:
        yield one
    finally:
        one.close()


def shop() -> Person:
    return joined(Role.SENDER_ADMIN)


def endpoint(at: str, by: Person) -> webhooks.Secret:
    return webhooks.make(at, by=by)


def watch(number: str, by: Person) -> UUID:
    """Let a sender be told from now on of an item that was seen, as who sells its delivery does; return the item."""
    followed()
    item = parcels.find(number)
    assert item is not None
    assert by.organisation is not None
    with transaction.atomic():
        webhooks.watch_within({item: by.organisation}, now=timezone.now())
    return item


def followed(within_s: float = 30.0) -> None:
    """Wait until the worker has looked at all that was recorded so far."""
    with connection.cursor() as cur:
        cur.execute("SELECT max(id) FROM custody_batch")
        newest = cur.fetchone()[0]
    deadline = time.monotonic() + within_s
    while True:
        with connection.cursor() as cur:
            cur.execute(
                "SELECT count(*) FROM custody_logbatch l JOIN custody_cursor c ON c.name = 'shipping.webhooks' "
                "WHERE l.batch = %s AND l.first_index + l.n <= c.index",
                [newest],
            )
            if cur.fetchone()[0]:
                return
        assert time.monotonic() < deadline, "the worker does not come that far"
        time.sleep(0.02)


def verified(secret: str, got: Received, *, tolerance_s: int = 300) -> bool:
    """Check a signature as Standard Webhooks says, written from its text alone."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    stamp = got.headers["webhook-timestamp"]
    if abs(time.time() - int(stamp)) > tolerance_s:
        return False
    content = b".".join((got.headers["webhook-id"].encode(), stamp.encode(), got.body))
    wanted = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    given = [each.partition(",") for each in got.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(each, wanted) for version, _, each in given)
