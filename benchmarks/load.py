"""The load generator: signs prepared batches and sends them, several in flight.

A process of its own, whose CPU is not counted. It prints one JSON line with what it saw.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import itertools
import json
import queue
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlsplit

from benchmarks.installation import SEED, sample_world
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parcelward.doors.simulator import signing
from parcelward.doors.simulator.load import load_plan

PATH = "/api/v1/scans"
QUEUE_MAX = 64
PREPARED_S = 60  # of single scans, at PREPARED_RATE a second, are signed before the clock starts
PREPARED_RATE = 2_500
PATIENCE_S = 120.0


def main() -> None:
    """Send until the time is over; print sent, accepted and every answer's time."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--devices", required=True, help="JSON list of [key_id, private key base64]")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=float, default=0, help="events a second; 0: as fast as possible")
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--events-max", type=int, default=0)
    options = parser.parse_args()
    devices = [
        (key_id, Ed25519PrivateKey.from_private_bytes(base64.b64decode(key)))
        for key_id, key in json.loads(options.devices)
    ]
    start = dt.datetime.now(dt.UTC) - dt.timedelta(hours=2)
    # Another seed each run: the numbers must be new ones, the places the same.
    plan = load_plan(
        SEED + time.time_ns() % 1_000_000, 50_000_000, start=start, batch=max(options.batch, 500), world=sample_world()
    )
    first = next(plan)  # building the world is not what is measured
    if options.batch == 1:  # as a sorter does that sends every scan by itself
        apart = (b"[" + one + b"]" for body in plan for one in body[1:-1].replace(b"},{", b"}\n{").split(b"\n"))
        print(json.dumps(singles(options.url, devices, apart, options.seconds)))
        return
    work: queue.Queue[tuple[float, bytes] | None] = queue.Queue(QUEUE_MAX)
    results: list[dict[str, Any]] = [{} for _ in devices]
    threads = [
        threading.Thread(target=_send, args=(options.url, key_id, key, work, results[i]))
        for i, (key_id, key) in enumerate(devices)
    ]
    for thread in threads:
        thread.start()
    events = 0
    began = time.monotonic()
    for body in itertools.chain([first], plan):
        due = began + events / options.rate if options.rate else time.monotonic()
        pause = due - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        if time.monotonic() - began > options.seconds or (options.events_max and events >= options.events_max):
            break
        work.put((due, body), timeout=PATIENCE_S)  # raises when every sender has died
        events += body.count(b'"event_id"')
    for _ in threads:
        work.put(None, timeout=PATIENCE_S)
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    answers = [a for r in results for a in r["answers"]]
    print(
        json.dumps(
            {
                "seconds": took,
                "accepted": sum(r["accepted"] for r in results),
                "failed": sum(r["failed"] for r in results),
                "quarantined": sum(r["quarantined"] for r in results),
                "answers": answers,
            }
        )
    )


class _Line:
    """A kept-alive connection that costs the load generator as little as can be."""

    def __init__(self, url: str) -> None:
        host = urlsplit(url)
        self._socket = socket.create_connection((host.hostname or "", host.port or 80), timeout=120)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = host.netloc

        self._got = b""

    def fileno(self) -> int:
        """Return the socket's number, for a selector."""
        return self._socket.fileno()

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        """Return status and body of the answer, which must say how long it is."""
        self.send(body, headers)
        while True:
            answer = self.receive()
            if answer is not None:
                return answer

    def send(self, body: bytes, headers: dict[str, str]) -> None:
        """Send a request; its answer is `receive`d."""
        self.send_packed(packed(self._host, body, headers))

    def send_packed(self, request: bytes) -> None:
        """Send a request as it is on the wire."""
        self._got = b""
        self._socket.sendall(request)

    def receive(self) -> tuple[int, bytes] | None:
        """Return status and body when the answer is whole; None while more must come."""
        more = self._socket.recv(65_536)
        if not more:
            raise ConnectionError("the server ended the connection")
        self._got += more
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return None
        said = self._got[:end].lower()
        at = said.index(b"content-length:") + 15
        if len(self._got) < end + 4 + int(said[at:].split(b"\r\n", 1)[0]):
            return None
        return int(said[9:12]), self._got[end + 4 :]


def packed(host: str, body: bytes, headers: dict[str, str]) -> bytes:
    """Return a request as it is on the wire."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    head = f"POST {PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
    return head.encode() + body


def singles(
    url: str, devices: list[tuple[str, Ed25519PrivateKey]], bodies: Iterator[bytes], seconds: float
) -> dict[str, Any]:
    """Send one event a request, every device waiting for its answer.

    One thread, and requests that were signed beforehand: elsewhere each device has a processor of its own, and here
    all of them share the server's.
    """
    result: dict[str, Any] = {"accepted": 0, "failed": 0, "quarantined": 0, "answers": []}
    waiting = selectors.DefaultSelector()
    sequence = itertools.count(int(time.time()) * 1000)
    sent_at: dict[int, float] = {}
    host = urlsplit(url).netloc

    def signed(nth: int) -> bytes:
        (key_id, key), body = devices[nth], next(bodies)
        headers = signing.headers(key, key_id=key_id, body=body, sequence=next(sequence), created=int(time.time()))
        return packed(host, body, headers)

    each = int(min(seconds, PREPARED_S) * PREPARED_RATE) // len(devices)
    prepared = [iter([signed(nth) for _ in range(each)]) for nth in range(len(devices))]

    def go_on(line: _Line, nth: int) -> None:
        request = next(prepared[nth], None) or signed(nth)
        sent_at[nth] = time.monotonic()
        line.send_packed(request)

    began = time.monotonic()
    for nth in range(len(devices)):
        line = _Line(url)
        waiting.register(line, selectors.EVENT_READ, nth)
        go_on(line, nth)
    left = len(devices)
    while left:
        for ready, _ in waiting.select():
            line, nth = cast("_Line", ready.fileobj), int(ready.data)
            answer = line.receive()
            if answer is None:
                continue
            now = time.monotonic()
            result["answers"].append(now - sent_at[nth])
            result["accepted" if answer[0] == 200 and b'"accepted":1,' in answer[1] else "failed"] += 1
            if now - began < seconds:
                go_on(line, nth)
            else:
                waiting.unregister(line)
                left -= 1
    return {"seconds": time.monotonic() - began, **result}


def _send(url: str, key_id: str, key: Ed25519PrivateKey, work: queue.Queue[Any], result: dict[str, Any]) -> None:
    line = _Line(url)
    sequence = int(time.time()) * 1000
    result.update(accepted=0, failed=0, quarantined=0, answers=[])
    while (job := work.get()) is not None:
        _, body = job
        sequence += 1
        headers = signing.headers(key, key_id=key_id, body=body, sequence=sequence, created=int(time.time()))
        headers["Content-Type"] = "application/json"
        began = time.monotonic()
        status, said = line.post(body, headers)
        result["answers"].append(time.monotonic() - began)
        if status == 200:
            counts = json.loads(said)
            result["accepted"] += counts["accepted"]
            result["quarantined"] += len(counts["quarantined"])
        else:
            result["failed"] += 1


if __name__ == "__main__":
    main()
