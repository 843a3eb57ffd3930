"""The door for scans answers in the event loop: who sends slowly, breaks off or promises much holds nobody up."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest
from django.db import connections, transaction
from tests.scanner import Scanner, event, new_number

from parcelward.base.errors import Busy
from parcelward.doors.api import coalesce, scans
from parcelward.doors.simulator import signing
from parcelward.parcels.wire import BATCH_BYTES_MAX, Answer, BadScan, Submission
from parcelward.people.actions import make_key
from parcelward.people.queries import enrolled_device, key_holder
from parcelward.people.wire import Person, Role


def _scope(scanner, body, *, length=None):
    headers = signing.headers(scanner.key, key_id=scanner.key_id, body=body, sequence=1, created=int(time.time()))
    enrolled_device(headers["Signature-Input"])  # from here on it is in memory
    headers["Content-Length"] = str(len(body) if length is None else length)
    fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "method": "POST", "path": scans.PATH, "query_string": b"", "headers": fields}


async def _ask(scope, *messages):
    """Return (status, header fields, body) of the answer to a request of which no more comes than `messages`."""
    left, said = list(messages), []

    async def receive():
        return left.pop(0) if left else await asyncio.Event().wait()

    async def send(message):
        said.append(message)

    await scans.door(scope, receive, send)
    return said[0]["status"], dict(said[0]["headers"]), json.loads(said[1]["body"])


def _part(body, *, more=False):
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_that_does_not_come_is_not_waited_for_forever(installation, monkeypatch):
    monkeypatch.setattr(scans, "PATIENCE_S", 0.2)
    body = b'[{"event_id":"x"}]'
    status, _, said = asyncio.run(_ask(_scope(Scanner(installation), body), _part(body[:5], more=True)))
    assert (status, said["code"]) == (408, "too_slow")


def test_a_body_that_breaks_off_is_no_batch(installation):
    body = b'[{"event_id":"x"}]'
    gone = {"type": "http.disconnect"}
    status, _, said = asyncio.run(_ask(_scope(Scanner(installation), body), _part(body[:5], more=True), gone))
    assert (status, said["code"]) == (422, "cut_off")


def test_who_promises_much_fills_no_memory_and_keeps_no_scanner_out(installation, facilities, monkeypatch):
    monkeypatch.setattr(scans, "PATIENCE_S", 2)
    much, one = Scanner(installation), Scanner(installation)
    promised = scans.UNDER_WAY_MAX // BATCH_BYTES_MAX
    body = one.body([event(new_number(), "accepted")])
    large, small = _scope(much, b"[]", length=BATCH_BYTES_MAX), _scope(one, body)

    async def all_at_once():
        waiting = [asyncio.create_task(_ask(large)) for _ in range(promised)]
        await asyncio.sleep(0.1)
        refused = await _ask(large)
        scanned = await _ask(small, _part(body))
        held = [(await each)[0] for each in waiting]
        return refused, scanned, held, await _ask(large, _part(b"[]"))

    refused, scanned, held, after = asyncio.run(all_at_once())
    assert (refused[0], refused[1][b"retry-after"]) == (503, b"1")
    assert (scanned[0], scanned[2]["accepted"]) == (200, 1)
    assert held == [408] * promised
    assert after[2]["code"] == "empty_batch", "what was promised is given back"


@pytest.mark.asvs("16.2.4", "16.3.4", "16.5.1")
def test_what_nobody_foresaw_is_a_problem_document_and_a_line_in_the_log(installation, monkeypatch, caplog):
    def broken(*_args, **_named):
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(scans, "parse", broken)
    status, headers, said = asyncio.run(_ask(_scope(Scanner(installation), b"[]"), _part(b"[]")))
    assert (status, said["code"], said["request_id"]) == (500, "internal", headers[b"x-request-id"].decode())
    assert said["request_id"] in caplog.text
    assert "unforeseen" in caplog.text
    assert "unforeseen" not in json.dumps(said)


@pytest.mark.asvs("3.2.1", "3.4.3", "3.4.4")
def test_every_answer_has_the_security_headers_of_a_page(installation, facilities):
    """A page's policy alone is its own: what this door answers is no page."""
    page = httpx.get(f"{installation.url}/nothing", timeout=30)
    shared = {name: page.headers[name] for name in page.headers if name.startswith(("cross-", "x-", "ref", "permis"))}
    del shared["x-request-id"]
    assert len(shared) == 6
    scanner = Scanner(installation)
    answers = [
        scanner.post(scanner.body([event(new_number(), "accepted")])),
        scanner.post(b"[]"),
        httpx.get(installation.url + scans.PATH, timeout=30),
        httpx.post(installation.url + scans.PATH, timeout=30),
    ]
    assert [answer.status_code for answer in answers] == [200, 422, 405, 401]
    for answer in answers:
        assert (
            answer.headers["content-security-policy"] == "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
        )
        assert {name: answer.headers.get(name) for name in shared} == shared


def test_a_body_in_many_parts_is_one_batch(installation, facilities):
    scanner = Scanner(installation)
    body = scanner.body([event(new_number(), "accepted") for _ in range(200)])
    assert len(body) > scans.AT_ONCE_MAX
    headers = signing.headers(scanner.key, key_id=scanner.key_id, body=body, sequence=1, created=int(time.time()))
    address = urlsplit(installation.url)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {scans.PATH} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=30) as line:
        line.sendall(head.encode())
        for start in range(0, len(body), 9_000):
            line.sendall(body[start : start + 9_000])
            time.sleep(0.02)
        answer = line.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"accepted":200' in answer


def test_ten_thousand_header_fields_are_read_once_each(installation):
    scope = _scope(Scanner(installation), b"[]")
    scope["headers"] += [(b"x-%d" % nth, b"") for nth in range(10_000)] + [(b"x-1", b"again")]
    began = time.process_time()
    status, _, said = asyncio.run(_ask(scope, _part(b"[]")))
    assert (status, said["code"]) == (422, "empty_batch")
    assert time.process_time() - began < 1, "each field was compared with each other"


@pytest.mark.asvs("4.2.1")
def test_only_the_older_http_is_spoken(installation):
    """Its header has a limit, and a body's length is said before the body comes."""
    address = urlsplit(installation.url)
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=30) as line:
        line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
        assert not line.recv(1_000).startswith(bytes([0])), "that is a frame of HTTP/2"


@pytest.mark.asvs("1.4.2", "4.2.1")
@pytest.mark.parametrize("path", [scans.PATH, "/accounts/sign-in", "/epcis/capture"])
def test_a_length_of_five_thousand_digits_is_too_large(installation, path):
    address = urlsplit(installation.url)
    head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer x\r\n"
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=30) as line:
        line.sendall(f"{head}Content-Length: {'0' * 5_000}5\r\n\r\n".encode())
        answer = line.recv(10_000)
    assert answer.startswith(b"HTTP/1.1 4"), answer[:300]
    assert b"x-request-id" in answer


def test_who_asks_behind_a_locked_table_is_told_and_keeps_no_page_waiting(installation):
    with ThreadPoolExecutor(60) as pool, transaction.atomic(), connections["default"].cursor() as cur:
        cur.execute("LOCK TABLE people_apikey IN ACCESS EXCLUSIVE MODE")
        key = {"Authorization": "Bearer pw_test_nobody"}
        asked = [
            pool.submit(httpx.post, installation.url + scans.PATH, content=b"[]", headers=key, timeout=60)
            for _ in range(60)
        ]
        time.sleep(1)
        for path in ("/healthz", "/log/checkpoint"):
            assert httpx.get(installation.url + path, timeout=10).status_code == 200
        answers = [one.result() for one in asked]
    assert {(one.status_code, "Retry-After" in one.headers) for one in answers} == {(503, True)}


def test_no_more_waits_than_a_process_can_hold(monkeypatch):
    monkeypatch.setattr(coalesce, "EVENTS_WAITING_MAX", 1)
    recording = threading.Event()

    def record(submissions):
        recording.wait(10)
        return [Answer(b"ok") for _ in submissions]

    coalescer = coalesce.Coalescer(record)
    person = Person(uuid.uuid4(), Role.DEVICE, 1, "device")

    async def three():
        bad = [BadScan(0, "not_json", "", b"x")]
        made = [Submission(person, n, b"", [], bad) for n in range(3)]
        first = asyncio.create_task(coalescer.submit(made[0]))
        await asyncio.sleep(0.2)  # it is being recorded
        second = asyncio.create_task(coalescer.submit(made[1]))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await coalescer.submit(made[2])
        recording.set()
        return [(await first).body, (await second).body]

    assert asyncio.run(three()) == [b"ok", b"ok"]


@pytest.mark.asvs("15.3.7")
@pytest.mark.parametrize("name", ["Signature", "Content-Digest", "Device-Sequence"])
def test_a_signed_header_that_comes_twice_is_refused(installation, facilities, name):
    scanner = Scanner(installation)
    body = scanner.body([event(new_number(), "accepted")])
    scope = _scope(scanner, body)
    scope["headers"] += [field for field in scope["headers"] if field[0] == name.lower().encode()]
    status, _, said = asyncio.run(_ask(scope, _part(body)))
    assert (status, said["status"]) == (401, 401)


@pytest.mark.parametrize("by", ["device", "API key"])
def test_connections_that_died_while_nobody_used_them_are_noticed_by_nobody(installation, facilities, by):
    admin = key_holder(installation.api_key)
    key = {"Authorization": f"Bearer {make_key('whose connection died', Role.PARTNER, by=admin, mode='test')}"}
    scanner, body = Scanner(installation), json.dumps([event(new_number(), "accepted")]).encode()
    for _ in range(4):  # whichever process and thread is asked: each has a connection from here on
        assert httpx.post(installation.url + scans.PATH, content=body, headers=key, timeout=60).status_code == 200
    with connections["default"].cursor() as cur:
        cur.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND usename = current_user"
        )
    for _ in range(4):
        if by == "device":
            answer = scanner.post(scanner.body([event(new_number(), "accepted")]))
        else:
            answer = httpx.post(installation.url + scans.PATH, content=body, headers=key, timeout=60)
        assert answer.status_code == 200, answer.text
