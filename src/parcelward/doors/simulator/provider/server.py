"""The simulated provider as a web server: Stripe-shaped calls, the pages where payers pay, and notices.

Every call that may change something is written to a journal before it is answered; a start plays the journal again. So
whoever kills the process loses nothing that was answered, as with a real provider.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import parse_qsl

from parcelward.base import config
from parcelward.doors.simulator.provider.engine import Engine
from parcelward.doors.simulator.provider.notices import Notices
from parcelward.doors.simulator.provider.shown import bank_page, payment_page
from parcelward.doors.simulator.provider.words import Answer
from parcelward.payments.providers import simulated

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

BODY_BYTES_MAX: Final = 100_000
TICK_S: Final = 1.0
PAGE_POLICY: Final = b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self' http: https:"
PAGES: Final = {"pay": "sessions/{}/pay", "authenticate": "intents/{}/authenticate"}
"""A page's address -> the call that is made of what was chosen there."""


@dataclass
class Faults:
    """How often, in thousandths, a call is not answered as it should be. Nothing is, unless somebody asks for it."""

    lost_before: int = 0  # an error, and nothing happened
    lost_after: int = 0  # an error, and it happened
    too_many: int = 0  # 429
    hang_ms: int = 0  # before what is lost is answered with 500: longer than a caller waits, it is a time-out


class Provider:
    """The ASGI application; one process, one thread, one call after another."""

    def __init__(self, folder: Path, *, api_key: str, webhook_secret: str, page_url: str, notices_to: str) -> None:
        self._api_key = api_key
        self._folder = folder
        self._engine = Engine()
        self._engine.book.page_url = page_url
        self._faults = Faults()
        self._dice = random.Random()  # noqa: S311 -- as below
        self._journal: IO[str] | None = None
        self._notices = Notices(folder / "told", secret=webhook_secret, to=notices_to)
        self._tasks: list[asyncio.Task[None]] = []

    # -- state -----------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Play what was answered before, and go on writing there."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / "journal"
        if path.exists():
            whole = path.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]  # a line that was not finished was never answered
            path.write_bytes(whole)
            for line in whole.splitlines():
                self._engine.call(**json.loads(line))
        self._journal = path.open("a", encoding="utf-8")
        self._notices.open(self._engine.book)

    def _call(self, method: str, path: str, params: Mapping[str, str], *, key: str = "") -> Answer:
        now = int(time.time())
        if method == "POST" and self._journal is not None:
            call = {"method": method, "path": path, "params": dict(params), "key": key, "now": now}
            self._journal.write(json.dumps(call, separators=(",", ":")) + "\n")
            self._journal.flush()  # the kernel has it: killing this process does not take it back
        return self._engine.call(method, path, params, key=key, now=now)

    # -- HTTP ------------------------------------------------------------------------------------------------------

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or start and stop with the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        body = b""
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body") or len(body) > BODY_BYTES_MAX:
                break
        method, path = str(scope["method"]), str(scope["path"])
        fields_in = body if method == "POST" else bytes(scope.get("query_string", b""))
        params = dict(parse_qsl(fields_in.decode("utf-8", "replace"), keep_blank_values=True))
        headers = {name.lower(): value for name, value in scope["headers"]}
        if path.startswith("/v1/"):
            await self._answer_call(method, path, params, headers, send)
        elif path == "/healthz":
            await _send(send, 200, b"{}")
        else:
            await self._answer_page(method, path, params, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.open()
                self._tasks = [asyncio.create_task(self._tick()), asyncio.create_task(self._notices.run())]
                await send({"type": "lifespan.startup.complete"})
            else:
                for task in self._tasks:
                    task.cancel()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self._engine.over(int(time.time())):
                self._call("POST", "/v1/simulated/tick", {})

    async def _answer_call(
        self, method: str, path: str, params: Mapping[str, str], headers: Mapping[bytes, bytes], send: Send
    ) -> None:
        key = headers.get(b"authorization", b"").decode("ascii", "replace")
        if not hmac.compare_digest(key.encode(), f"Bearer {self._api_key}".encode()):
            await _send_answer(send, Answer(401, _error("Invalid API Key provided.")))
            return
        if path == "/v1/simulated/faults":
            self._set_faults(params)
            await _send(send, 200, b"{}")
            return
        if path == "/v1/simulated/forget":
            self._engine.forget()
            await _send(send, 200, b"{}")
            return
        if self._dice.randrange(1000) < self._faults.too_many:
            await _send_answer(send, Answer(429, _error("Too many requests. Slow down.")), {b"retry-after": b"1"})
            return
        lost = self._dice.randrange(1000)
        if lost < self._faults.lost_before:
            await self._lose(send)
            return
        answer = self._call(method, path, params, key=headers.get(b"idempotency-key", b"").decode("ascii", "replace"))
        if lost < self._faults.lost_before + self._faults.lost_after:
            await self._lose(send)
            return
        await _send_answer(send, answer, {b"idempotent-replayed": b"true"} if answer.replayed else {})

    async def _lose(self, send: Send) -> None:
        await asyncio.sleep(self._faults.hang_ms / 1000)
        await _send_answer(send, Answer(500, _error("An unknown error occurred.")))

    def _set_faults(self, params: Mapping[str, str]) -> None:
        for one in fields(Faults):
            if one.name in params:
                setattr(self._faults, one.name, int(params[one.name]))
        self._notices.set_faults(params)
        if "seed" in params:
            self._dice = random.Random(params["seed"])  # noqa: S311 -- faults to be played again

    async def _answer_page(self, method: str, path: str, params: Mapping[str, str], send: Send) -> None:
        """Show the page where somebody pays, or the one of their bank, and take what they chose there."""
        steps = path.strip("/").split("/")
        kind, key = (steps[0], steps[1]) if len(steps) == 2 else ("", "")  # noqa: PLR2004 -- a page and whose
        if kind not in PAGES:
            await _send(send, 404, b"{}")
            return
        said = ""
        if method == "POST":
            answer = self._call("POST", f"/v1/simulated/{PAGES[kind].format(key)}", params)
            said = str(answer.body.get("error", {}).get("message", ""))
        book = self._engine.book
        page = payment_page(book, key, said=said) if kind == "pay" else bank_page(book, key)
        headers = {b"content-type": b"text/html; charset=utf-8", b"content-security-policy": PAGE_POLICY}
        if page.to:
            headers[b"location"] = page.to.encode()
        await _send(send, page.status, page.html.encode(), headers)


def installed() -> Provider:
    """Return the provider that belongs to this installation."""
    settings = config.get()
    known = simulated.secrets_of(settings.home)
    return Provider(
        settings.home / "provider",
        api_key=known.api_key,
        webhook_secret=known.webhook_secret,
        page_url=f"http://localhost:{settings.provider_port}",
        notices_to=f"http://{settings.bind}:{settings.port}/payments/notices",
    )


def _error(message: str) -> dict[str, Any]:
    return {"error": {"type": "api_error", "message": message}}


async def _send_answer(send: Send, answer: Answer, headers: Mapping[bytes, bytes] | None = None) -> None:
    more = {b"request-id": f"req_{secrets.token_hex(7)}".encode(), **(headers or {})}
    await _send(send, answer.status, json.dumps(answer.body).encode(), more)


async def _send(send: Send, status: int, body: bytes, headers: Mapping[bytes, bytes] | None = None) -> None:
    some = {b"content-type": b"application/json", b"content-length": str(len(body)).encode(), **(headers or {})}
    await send({"type": "http.response.start", "status": status, "headers": list(some.items())})
    await send({"type": "http.response.body", "body": body})
