"""A scripted peer: answers as a test tells it to. It is NOT the API and proves nothing about it.

It exists for what the real API cannot be asked to do at will: lose an answer, be busy, forget its devices.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], dict[str, Any]] | None  # status, headers, body; None: hang up without a word


@dataclass
class Heard:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ScriptedPeer:
    """`script` holds answers for the next batches; when it is empty, batches are accepted and repeats recognised."""

    heard: list[Heard] = field(default_factory=list)
    script: deque[Callable[[Heard], Answer]] = field(default_factory=deque)
    enrolments: deque[Answer] = field(default_factory=deque)  # answers for the next enrolments
    event_ids: set[str] = field(default_factory=set)
    stored: dict[tuple[str, str], tuple[str, dict[str, Any]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""
    devices: int = 0

    def batches(self) -> list[Heard]:
        return [h for h in self.heard if h.path == "/api/v1/scans"]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for h in self.batches() for line in h.body.splitlines()]

    def answer(self, heard: Heard) -> Answer:
        with self.lock:
            self.heard.append(heard)
            if heard.path == "/api/v1/devices":
                if self.enrolments:
                    return self.enrolments.popleft()
                self.devices += 1
                return 201, {}, {"device_id": f"dev_{self.devices}", "key_id": f"key-{self.devices}"}
            if heard.path != "/api/v1/scans":
                return 200, {}, {}
            if self.script:
                return self.script.popleft()(heard)
            return self.accept(heard)

    def accept(self, heard: Heard) -> Answer:
        key = heard.headers["signature-input"].split('keyid="')[1].split('"')[0], heard.headers["device-sequence"]
        if key in self.stored:
            digest, said = self.stored[key]
            if digest == heard.headers["content-digest"]:
                return 200, {}, said
            return 409, {}, {"code": "sequence_taken", "title": "another batch has this number"}
        ids = [json.loads(line)["event_id"] for line in heard.body.splitlines()]
        fresh = [i for i in dict.fromkeys(ids) if i not in self.event_ids]
        self.event_ids.update(fresh)
        said = {
            "accepted": len(fresh), "duplicates": len(ids) - len(fresh), "quarantined": [], "instructions": [],
            "receipt": f"note {key[0]} {key[1]}",
        }  # fmt: skip
        self.stored[key] = heard.headers["content-digest"], said
        return 200, {}, said


def serve(peer: ScriptedPeer) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body leave together: two small writes would wait for each other's acknowledgement

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            heard = Heard(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            answer = peer.answer(heard)
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            text = json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json", "Content-Length": len(text)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(text)
            self.wfile.flush()

        do_POST = do_PUT = _any  # noqa: N815 -- names that http.server calls

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    peer.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server
