"""What goes out comes back in bounded time, whatever the other side does."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from parcelward.base import egress

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"


@contextlib.contextmanager
def answering(first: bytes, then: bytes) -> Iterator[str]:
    """Listen; answer with `first`, then with `then` a byte at a time, for ever."""

    def answer(line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            line.recv(65_536)
            line.sendall(first)
            for byte in itertools.cycle(then):
                time.sleep(0.02)
                line.sendall(bytes([byte]))

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("first", "then"),
    [(HEAD + b"\r\n", b"x"), (HEAD + b"x-endless: ", b"x"), (b"HTTP/1.1 100 Continue\r\n", b"x-more: x\r\n")],
    ids=["body", "head", "heads"],
)
def test_who_answers_a_byte_at_a_time_is_given_up(monkeypatch, first, then):
    monkeypatch.setattr(egress, "WHOLE_S", 0.5)
    with answering(first, then) as url:
        began = time.monotonic()
        with pytest.raises(egress.NotReached):
            egress.post(url, b"asked")
        assert time.monotonic() - began < 3


def test_an_answer_in_time_is_whole():
    said = b"yes"
    with answering(HEAD + b"content-length: 3\r\n\r\n" + said, b" ") as url:
        assert egress.post(url, b"asked") == egress.Answered(200, "text/plain", said)


@pytest.mark.asvs("15.3.2")
@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other", b"307 Temporary", b"308 Permanent"])
def test_who_sends_us_elsewhere_is_not_followed(monkeypatch, status):
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.settimeout(0.3)
        there = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/".encode()
        monkeypatch.setenv("HTTP_PROXY", there.decode())  # nor is what the environment says
        head = b"HTTP/1.1 " + status + b"\r\nlocation: " + there + b"\r\ncontent-length: 0\r\n\r\n"
        with answering(head, b" ") as url:
            assert egress.get(url).status == int(status[:3])
            assert egress.post(url, b"asked").status == int(status[:3])
        with pytest.raises(TimeoutError):
            elsewhere.accept()
