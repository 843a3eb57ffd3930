"""A witness over real HTTP, and its pure rules."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.client
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.custody import slow_tree

from parcelward.custody import keys, notes, policy, proofs, tree, witness
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import BadKey, BadNote, LogInUse, NotInLog, ProofFailed, WitnessAway, WitnessRefused
from parcelward.custody.keys import KeyName, SignatureType, Signer, Verifier
from parcelward.custody.witness import AddCheckpoint, Answer
from parcelward.custody.witness_server import CONNECTIONS_MAX, WitnessServer, make_witness

LOG = Signer(KeyName("log.example"), SignatureType.ED25519, bytes(32))
STRANGER = Signer(KeyName("other.example"), SignatureType.ED25519, bytes(31) + b"\x01")
WITNESS = Signer(KeyName("w.example"), SignatureType.COSIGNATURE, bytes(31) + b"\x02")
LOGS = witness.trusted_logs([LOG.verifier.vkey])
NOW_S = 1_700_000_000
EMPTY_LINE = b"\n\n"


@dataclass
class Log:
    """A log that may lie: from entry `forked_at` on it holds other entries under the same key."""

    forked_at: int | None = None
    leaves: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.leaves = slow_tree.leaves_of(40)
        if self.forked_at is not None:
            self.leaves[self.forked_at :] = slow_tree.leaves_of(40 - self.forked_at, "forged ")

    def text(self, size: int) -> str:
        return Checkpoint("log.example", size, slow_tree.mth(self.leaves[:size])).text

    def note(self, size: int, *signers: Signer) -> bytes:
        return notes.sign(self.text(size), signers or (LOG,), timestamp_s=NOW_S)

    def prove(self, old_size: int, new_size: int) -> list[bytes]:
        return tree.consistency_path(old_size, new_size, slow_tree.StoredTree(self.leaves[:new_size]))

    def request(self, old_size: int, new_size: int) -> AddCheckpoint:
        path = self.prove(old_size, new_size) if old_size <= new_size else []
        return AddCheckpoint(old_size, tuple(path), self.note(new_size))

    def head(self, size: int) -> Checkpoint:
        return Checkpoint("log.example", size, slow_tree.mth(self.leaves[:size]))


HONEST, FORKED = Log(), Log(forked_at=5)


def prove_honest(new_size: int, old_size: int) -> list[bytes]:
    return HONEST.prove(old_size, new_size)


def decide(seen: Checkpoint | None, request: AddCheckpoint) -> witness.Cosigned:
    parsed = witness.parse_request(request.body)
    assert parsed == request
    return witness.update(seen, parsed, logs=LOGS, signer=WITNESS, timestamp_s=NOW_S)


def refusal(seen: Checkpoint | None, request: AddCheckpoint) -> WitnessRefused:
    with pytest.raises(WitnessRefused) as caught:
        decide(seen, request)
    return caught.value


# The rules -----------------------------------------------------------------------------------------------------------


def test_a_log_that_only_grows_is_cosigned() -> None:
    seen: Checkpoint | None = None
    for size in (0, 0, 1, 2, 2, 7, 8, 40):
        cosigned = decide(seen, HONEST.request(seen.size if seen else 0, size))
        seen = cosigned.checkpoint
        assert seen == HONEST.head(size)
        (signature,) = notes.parse_signatures(cosigned.answer.decode())
        assert WITNESS.verifier.verify(HONEST.text(size), signature.signature) == NOW_S
        opened = notes.open_note(cosigned.note, [LOG.verifier, WITNESS.verifier])
        assert [each.verifier for each in opened.verified] == [LOG.verifier, WITNESS.verifier]
        assert witness.remembered(cosigned.note, signer=WITNESS) == seen


REFUSED: dict[str, tuple[Checkpoint | None, AddCheckpoint, int]] = {
    "a fork of the same size": (HONEST.head(10), FORKED.request(10, 10), 422),
    "a fork that grew": (HONEST.head(10), FORKED.request(10, 20), 422),
    "a fork with the honest proof": (
        HONEST.head(10),
        AddCheckpoint(10, tuple(HONEST.prove(10, 20)), FORKED.note(20)),
        422,
    ),
    "a log that shrank, admitted": (HONEST.head(20), HONEST.request(20, 10), 400),
    "a log that shrank, denied": (HONEST.head(20), HONEST.request(5, 10), 409),
    "a log that begins again": (HONEST.head(20), HONEST.request(0, 25), 409),
    "an old size that we are not at yet": (None, HONEST.request(5, 10), 409),
    "no proof": (HONEST.head(5), AddCheckpoint(5, (), HONEST.note(10)), 422),
    "a proof from nothing": (None, AddCheckpoint(0, (bytes(32),), HONEST.note(10)), 422),
    "a proof from nothing that was seen": (HONEST.head(0), AddCheckpoint(0, (bytes(32),), HONEST.note(10)), 422),
    "a proof of the same size": (HONEST.head(10), AddCheckpoint(10, (bytes(32),), HONEST.note(10)), 422),
    "a node too many": (
        HONEST.head(5),
        AddCheckpoint(5, (*HONEST.prove(5, 10), bytes(32)), HONEST.note(10)),
        422,
    ),
    "an empty log with another root": (
        None,
        AddCheckpoint(0, (), notes.sign(Checkpoint("log.example", 0, bytes(32)).text, [LOG])),
        422,
    ),
    "an unknown log": (None, AddCheckpoint(0, (), notes.sign(Checkpoint("x", 1, bytes(32)).text, [STRANGER])), 404),
    "a known log, signed by a stranger": (None, AddCheckpoint(0, (), HONEST.note(1, STRANGER)), 403),
    "a known log, signed by its name with another key": (
        None,
        AddCheckpoint(0, (), HONEST.note(1, Signer(LOG.name, LOG.kind, bytes(31) + b"\x09"))),
        403,
    ),
    "a known log, its signature broken": (None, AddCheckpoint(0, (), HONEST.note(2).replace(b"\n2\n", b"\n3\n")), 403),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_everything_else_is_refused(wrong: str) -> None:
    seen, request, status = REFUSED[wrong]
    found = refusal(seen, request)
    assert found.answer_status == status
    assert found.size == ((seen.size if seen else 0) if status == 409 else None)


GOOD = HONEST.request(5, 10).body
MALFORMED = {
    "nothing": b"",
    "no old size": GOOD.partition(b"\n")[2],
    "an old size with a leading zero": GOOD.replace(b"old 5", b"old 05"),
    "a negative old size": GOOD.replace(b"old 5", b"old -5"),
    "an old size beyond all logs": GOOD.replace(b"old 5", b"old 9223372036854775808"),
    "two spaces": GOOD.replace(b"old 5", b"old  5"),
    "another word": GOOD.replace(b"old 5", b"new 5"),
    "a carriage return": GOOD.replace(b"old 5\n", b"old 5\r\n"),
    "a hash of 31 bytes": GOOD.replace(b"old 5\n", b"old 5\n" + base64.b64encode(bytes(31)) + b"\n"),
    "64 hashes": b"old 5\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n" + HONEST.note(10),
    "no empty line": GOOD.replace(EMPTY_LINE, b"\n"),
    "no checkpoint": GOOD.partition(EMPTY_LINE)[0] + EMPTY_LINE,
    "a checkpoint without signatures": GOOD.partition(EMPTY_LINE)[0] + EMPTY_LINE + HONEST.text(10).encode(),
    "a note that is no checkpoint": b"old 0\n\n" + notes.sign("log.example\n", [LOG]),
    "bytes that are no text": GOOD.replace(b"old 5", b"old \xff"),
}


@pytest.mark.parametrize("wrong", MALFORMED)
def test_a_malformed_request_is_400(wrong: str) -> None:
    with pytest.raises(WitnessRefused) as caught:
        witness.origin_of(witness.parse_request(MALFORMED[wrong]), LOGS)
    assert caught.value.answer_status == 400


def test_signatures_of_strangers_are_not_passed_on() -> None:
    cosigned = decide(None, AddCheckpoint(0, (), HONEST.note(3, LOG, STRANGER)))
    assert [each.name for each in notes.parse(cosigned.note).signatures] == ["log.example", "w.example"]


def test_a_log_may_change_its_key() -> None:
    new = Signer(LOG.name, LOG.kind, bytes(31) + b"\x07")
    logs = witness.trusted_logs([LOG.verifier.vkey, new.verifier.vkey])
    for signer in (LOG, new):
        request = AddCheckpoint(0, (), HONEST.note(3, signer))
        assert witness.update(None, request, logs=logs, signer=WITNESS, timestamp_s=NOW_S).checkpoint.size == 3


def test_a_witness_does_not_trust_a_witness_as_a_log() -> None:
    with pytest.raises(BadKey):
        witness.trusted_logs([WITNESS.verifier.vkey])


def test_the_standards_example_request_is_understood() -> None:
    body = (
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n"
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo"
        "+zyWE+xeMcTOAYQ8=\n"
    ).encode()
    request = witness.parse_request(body)
    assert (request.old_size, len(request.path)) == (20_852_014, 4)
    assert request.body == body
    with pytest.raises(WitnessRefused) as caught:
        witness.origin_of(request, LOGS)
    assert caught.value.answer_status == 404


# The server and its client, over HTTP -------------------------------------------------------------------------------


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


# The client against witnesses that lie: an answer is a value, so these need no server ----------------------------


@dataclass
class Fixed:
    """A witness that answers what it is told to answer."""

    answers: list[Answer]

    def post(self, url: str, body: bytes) -> Answer:
        assert url == "http://w.example/add-checkpoint"
        return self.answers.pop(0)


def cosigned(size: int, signer: Signer = WITNESS, log: Log = HONEST) -> bytes:
    return notes.signature(log.text(size), signer, timestamp_s=NOW_S).line.encode()


def size_answer(body: bytes, content_type: str = "text/x.tlog.size") -> Answer:
    return Answer(409, content_type, body)


def ok(body: bytes) -> Answer:
    return Answer(200, "text/plain", body)


def timeless() -> bytes:
    made = Ed25519PrivateKey.from_private_bytes(WITNESS.seed).sign(
        f"cosignature/v1\ntime 0\n{HONEST.text(10)}".encode()
    )
    return notes.Signature(WITNESS.name, WITNESS.verifier.key_id, bytes(8) + made).line.encode()


LYING: dict[str, tuple[list[Answer], type[Exception]]] = {
    "nothing": ([ok(b"")], WitnessAway),
    "a text": ([ok(b"ok\n")], WitnessAway),
    "a cosignature without a time": ([ok(timeless())], WitnessAway),
    "another checkpoint's cosignature": ([ok(cosigned(11))], WitnessAway),
    "a fork's cosignature": ([ok(cosigned(10, log=FORKED))], WitnessAway),
    "another witness's": ([ok(cosigned(10, Signer(KeyName("v.example"), WITNESS.kind, WITNESS.seed)))], WitnessAway),
    "our own signature": ([ok(notes.signature(HONEST.text(10), LOG).line.encode())], WitnessAway),
    "no newline": ([ok(cosigned(10)[:-1])], WitnessAway),
    "a false cosignature beside the true one": ([ok(cosigned(10) + cosigned(11))], WitnessAway),
    "far too much": (
        [ok(cosigned(10) + notes.Signature(KeyName("x"), b"abcd", bytes(50_000)).line.encode())],
        WitnessAway,
    ),
    "a redirect": ([Answer(302, "text/plain", b"")], WitnessAway),
    "an error": ([Answer(500, "text/plain", b"")], WitnessAway),
    "not known": ([Answer(404, "text/plain", b"")], WitnessRefused),
    "not proven": ([Answer(422, "text/plain", b"")], WitnessRefused),
    "a conflict without end": ([size_answer(b"5\n"), size_answer(b"6\n")], WitnessRefused),
    "a conflict that names no size": ([size_answer(b"five\n")], WitnessAway),
    "a conflict that is cut": ([size_answer(b"5")], WitnessAway),
    "a conflict of another type": ([size_answer(b"5\n", "text/html")], WitnessAway),
    "a size beyond all logs": ([size_answer(b"99999999999999999999\n")], WitnessAway),
    "a size beyond ours": ([size_answer(b"11\n")], WitnessRefused),
}


@pytest.mark.parametrize("wrong", LYING)
def test_a_witness_that_lies_is_not_believed(wrong: str) -> None:
    answers, error = LYING[wrong]
    with pytest.raises(error):
        witness.ask_witness(
            "http://w.example/",
            note=HONEST.note(10),
            witness=WITNESS.verifier,
            old_size=0,
            prove=lambda old: HONEST.prove(old, 10),
            poster=Fixed(list(answers)),
        )


def test_strangers_lines_are_ignored() -> None:
    stranger = notes.signature(HONEST.text(10), STRANGER).line.encode()
    verified = witness.ask_witness(
        "http://w.example",
        note=HONEST.note(10),
        witness=WITNESS.verifier,
        old_size=0,
        prove=lambda old: HONEST.prove(old, 10),
        poster=Fixed([ok(stranger + cosigned(10))]),
    )
    assert verified.signature.line.encode() == cosigned(10)


def test_a_log_does_not_believe_the_witness_to_be_beyond_its_own_checkpoint() -> None:
    with pytest.raises(NotInLog):
        witness.ask_witness(
            "http://w.example",
            note=HONEST.note(10),
            witness=WITNESS.verifier,
            old_size=11,
            prove=lambda old: HONEST.prove(old, 10),
            poster=Fixed([]),
        )
