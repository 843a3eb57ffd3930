"""A witness over real HTTP, asked by logs that are honest, forked, or no logs at all."""

from __future__ import annotations

import functools
import hashlib
import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.custody import slow_tree
from tests.custody.witnessed_log import (
    FORKED,
    HONEST,
    LOG,
    NOW_S,
    Log,
    prove_honest,
)

from parcelward.custody import keys, notes, policy, proofs, witness
from parcelward.custody.errors import BadKey, BadNote, LogInUse, ProofFailed, WitnessRefused
from parcelward.custody.keys import Verifier
from parcelward.custody.witness import Answer
from parcelward.custody.witness_server import CONNECTIONS_MAX, WitnessServer, make_witness


class HttpPoster:
    """Posts with the standard library; counts, so that a test can say how often the log asked."""

    def __init__(self) -> None:
        self.posted = 0

    def post(self, url: str, body: bytes) -> Answer:
        self.posted += 1
        where, _, path = url.removeprefix("http://").partition("/")
        connection = http.client.HTTPConnection(where, timeout=10)
        try:
            connection.request("POST", f"/{path}", body)
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheader("Content-Type", ""), answer.read())
        finally:
            connection.close()


@dataclass
class Running:
    server: WitnessServer
    thread: threading.Thread

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def verifier(self) -> Verifier:
        return self.server.state.signer.verifier

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.server.state.close()

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def start(folder: Path, name: str = "w.example") -> Running:
    server = make_witness(port=0, folder=folder, log_vkeys=[LOG.verifier.vkey], name=name, clock=lambda: NOW_S)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    return Running(server, thread)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    found = start(tmp_path / "w")
    yield found
    found.stop()


def ask(
    running: Running, log: Log, size: int, *, old_size: int = 0, poster: HttpPoster | None = None
) -> notes.Verified:
    return witness.ask_witness(
        running.url,
        note=log.note(size),
        witness=running.verifier,
        old_size=old_size,
        prove=lambda old: log.prove(old, size),
        poster=poster or HttpPoster(),
    )


def test_a_log_asks_and_anyone_verifies(running: Running) -> None:
    assert running.get("/vkey") == (200, f"{running.verifier.vkey}\n".encode())
    monitored = f"/{hashlib.sha256(b'log.example').hexdigest()}/checkpoint"
    assert running.get(monitored)[0] == 404
    poster = HttpPoster()
    ask(running, HONEST, 5, poster=poster)
    cosignature = ask(running, HONEST, 20, old_size=5, poster=poster)
    assert poster.posted == 2
    whole = notes.add_signatures(HONEST.note(20), [cosignature.signature])
    trusted = policy.quorum_of(1, logs=[LOG.verifier], witnesses=[running.verifier])
    proof = proofs.Proof(3, tuple(slow_tree.path(3, HONEST.leaves[:20])), whole)
    proofs.verify(proof, HONEST.leaves[3], trusted)
    with pytest.raises(ProofFailed):
        proofs.verify(proofs.Proof(3, proof.path, HONEST.note(20)), HONEST.leaves[3], trusted)
    status, seen = running.get(monitored)
    assert status == 200
    assert seen == whole


def test_a_log_that_forgot_where_the_witness_is_asks_twice(running: Running) -> None:
    poster = HttpPoster()
    ask(running, HONEST, 5)
    assert ask(running, HONEST, 20, old_size=0, poster=poster).timestamp_s == NOW_S
    assert poster.posted == 2


def test_a_witness_ahead_of_the_checkpoint_refuses(running: Running) -> None:
    ask(running, HONEST, 20)
    with pytest.raises(WitnessRefused) as caught:
        ask(running, HONEST, 10)
    assert (caught.value.answer_status, caught.value.size) == (409, 20)


def test_the_key_and_the_state_survive_and_are_private(tmp_path: Path) -> None:
    first = start(tmp_path)
    ask(first, HONEST, 20)
    vkey = first.verifier.vkey
    with pytest.raises(LogInUse):
        make_witness(port=0, folder=tmp_path, log_vkeys=[LOG.verifier.vkey], name="w.example")
    first.stop()
    assert (tmp_path / "witness.key").stat().st_mode & 0o777 == 0o600
    second = start(tmp_path)
    try:
        assert second.verifier.vkey == vkey
        with pytest.raises(WitnessRefused):
            ask(second, FORKED, 20, old_size=20)
        ask(second, HONEST, 21, old_size=20)
    finally:
        second.stop()


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    start(tmp_path).stop()
    (tmp_path / "witness.key").chmod(0o640)
    with pytest.raises(BadKey):
        start(tmp_path)


def test_a_state_that_the_witness_did_not_sign_is_refused(tmp_path: Path) -> None:
    first = start(tmp_path)
    ask(first, HONEST, 20)
    first.stop()
    (note,) = tmp_path.glob("*.note")
    note.write_bytes(HONEST.note(10))
    with pytest.raises(BadNote):
        start(tmp_path)


@pytest.mark.parametrize("order", [("AB", "AB"), ("AB", "BA"), ("BA", "AB"), ("BA", "BA")])
def test_of_two_checkpoints_of_a_forked_log_at_most_one_is_cosigned_by_both(
    tmp_path: Path, order: Sequence[str]
) -> None:
    witnesses = [start(tmp_path / "one", "one.example"), start(tmp_path / "two", "two.example")]
    both = policy.quorum_of(2, logs=[LOG.verifier], witnesses=[each.verifier for each in witnesses])
    collected = {"A": HONEST.note(10), "B": FORKED.note(10)}
    try:
        for each, shown in zip(witnesses, order, strict=True):
            cosigned, refused_with = [], []
            for fork in shown:
                try:
                    verified = ask(each, HONEST if fork == "A" else FORKED, 10)
                except WitnessRefused as refused:
                    refused_with.append(refused.answer_status)
                    continue
                collected[fork] = notes.add_signatures(collected[fork], [verified.signature])
                cosigned.append(fork)
            assert cosigned == [shown[0]], "a witness cosigns one of two histories"
            assert refused_with == [422]
    finally:
        for each in witnesses:
            each.stop()
    believed = 0
    for fork, note in collected.items():
        log = HONEST if fork == "A" else FORKED
        try:
            proofs.verify(proofs.Proof(9, tuple(slow_tree.path(9, log.leaves[:10])), note), log.leaves[9], both)
        except ProofFailed:
            continue
        believed += 1
    assert believed == (1 if order[0] == order[1] else 0)


def test_of_many_histories_at_once_one_is_cosigned(running: Running) -> None:
    ask(running, HONEST, 5)
    logs = [Log(forked_at=each) for each in range(5, 13)] * 2
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda log: HttpPoster().post(f"{running.url}/add-checkpoint", log.request(5, 14).body), logs)
        )
    assert sorted(each.status for each in answers) == [200] + [409] * 15
    assert {each.body for each in answers if each.status == 409} == {b"14\n"}
    assert {each.content_type for each in answers if each.status == 409} == {"text/x.tlog.size"}


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    script = (
        "from parcelward.custody.witness_server import serve_witness\n"
        f"serve_witness(port=0, folder={str(tmp_path)!r}, log_vkeys=[{LOG.verifier.vkey!r}], name='w.example')\n"
    )

    def run() -> tuple[subprocess.Popen[str], str, str]:
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        return process, process.stdout.readline().strip(), process.stdout.readline().strip()

    for size, old_size in ((10, 0), (20, 10), (30, 20)):
        process, vkey, url = run()
        try:
            verified = witness.ask_witness(
                url,
                note=HONEST.note(size),
                witness=keys.parse_vkey(vkey),
                old_size=old_size,
                prove=functools.partial(prove_honest, size),
                poster=HttpPoster(),
            )
            assert verified.timestamp_s > NOW_S
            fork = HttpPoster().post(f"{url}/add-checkpoint", FORKED.request(size, size + 5).body)
            assert fork.status == 422
        finally:
            process.kill()
            assert process.stdout is not None
            process.stdout.close()
            process.wait()
    (note,) = tmp_path.glob("*.note")
    assert b"\n30\n" in note.read_bytes()


def exchange(running: Running, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", running.server.server_port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: -1\r\n\r\n", b"411"),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 1x\r\n\r\n", b"411"),
        (
            b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
            b"411",
        ),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 262145\r\n\r\n", b"413"),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n", b"413"),
        (b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 3\r\n\r\nabc", b"400"),
        (b"POST /other HTTP/1.1\r\nHost: w\r\nContent-Length: 3\r\n\r\nabc", b"404"),
        (b"GET /witness.key HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n", b"404"),
        (b"GET /../witness.key HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n", b"404"),
        (b"DELETE /vkey HTTP/1.1\r\nHost: w\r\n\r\n", b"501"),
    ],
)
def test_what_is_not_the_protocol_is_refused_and_changes_nothing(
    running: Running, request_bytes: bytes, status: bytes
) -> None:
    assert exchange(running, request_bytes).startswith(b"HTTP/1.1 " + status)
    ask(running, HONEST, 5)


def test_a_connection_is_kept_for_the_next_checkpoint(running: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.server.server_port, timeout=10)
    for old_size, size in ((0, 5), (5, 9), (9, 9)):
        connection.request("POST", "/add-checkpoint", HONEST.request(old_size, size).body)
        answer = connection.getresponse()
        assert (answer.status, answer.read().startswith("\u2014 w.example ".encode())) == (200, True)
    connection.close()


def test_too_many_connections_are_closed_and_the_next_is_served(running: Running) -> None:
    where = ("127.0.0.1", running.server.server_port)
    held = [socket.create_connection(where, timeout=10) for _ in range(CONNECTIONS_MAX)]
    held[-1].sendall(b"GET /vkey HTTP/1.1\r\nHost: w\r\n\r\n")
    assert held[-1].recv(16).startswith(b"HTTP/1.1 200")
    with socket.create_connection(where, timeout=3) as one_more:  # less than the server waits for an idle one
        assert one_more.recv(16) == b""
    for each in held:
        each.close()
    for _ in range(100):
        try:
            assert running.get("/vkey")[0] == 200
            break
        except (http.client.RemoteDisconnected, ConnectionResetError):
            threading.Event().wait(0.02)
    else:
        pytest.fail("connections that were closed are not counted as free")
