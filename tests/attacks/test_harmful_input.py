"""What is too big, too deep, broken or sly is refused or quarantined by itself: no 5xx, and nobody else pays."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import socket
import time
import uuid
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest
from tests.attacks.untouched import untouched
from tests.scanner import Scanner, event, new_number, public_key

from parcelward.doors.simulator import signing

NOBODY = "pw_test_nobody"
NUL = "a\0b"
SLY = (
    "'; DROP TABLE parcels_item; --",
    "' OR '1'='1",
    "{{ 7*7 }}${7*7}{% debug %}",
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "%s%s%n",
    "\u202eevil\ufeff\uffff",
    "x\r\nSet-Cookie: a=b",
)


@pytest.fixture(scope="module")
def scanner(installation, facilities):
    return Scanner(installation, name="attacked scanner")


@pytest.fixture(scope="module")
def partner(installation):
    from parcelward.people import actions
    from parcelward.people.wire import Role

    return actions.make_key("attacked partner", Role.PARTNER, by=actions.installer(), mode="test")


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text[:300]
    assert answer.headers["Content-Type"] == "application/problem+json"


def raw_request(url, data):
    """Send bytes as they are and return the answer's first line and all of its text."""
    address = urlsplit(url)
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=30) as line:
        line.sendall(data)
        said = b""
        while chunk := line.recv(65_536):
            said += chunk
    return said.partition(b"\r\n")[0].decode(), said.decode(errors="replace")


# Too much -------------------------------------------------------------------------------------------------------------


@pytest.mark.asvs("5.2.1")
def test_one_byte_too_many_is_refused(scanner, number):
    body = scanner.body([event(number, "accepted")])
    padded = body + b" " * (2_000_001 - len(body))
    with untouched():
        refused(scanner.post(padded), 413, "too_large")
    assert scanner.post(padded[:-1]).json()["accepted"] == 1, "2 MB exactly is a batch"


@pytest.mark.asvs("4.2.1")
def test_a_body_in_chunks_is_refused_before_it_is_read(scanner, number):
    body = scanner.body([event(number, "accepted")])
    headers = signing.headers(scanner.key, key_id=scanner.key_id, body=body, sequence=700, created=int(time.time()))
    head = "".join(f"{k}: {v}\r\n" for k, v in headers.items())
    with untouched():
        first, _ = raw_request(
            scanner.url,
            f"POST /api/v1/scans HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{head}"
            f"Transfer-Encoding: chunked\r\n\r\n{len(body):x}\r\n".encode()
            + body
            + b"\r\n0\r\n\r\n",
        )
        assert first.split()[1] == "411"


def test_two_thousand_and_one_events_are_refused_and_two_thousand_are_not(scanner, number):
    events = [event(number, "left_sorting", minutes=n / 50) for n in range(2_001)]
    with untouched():
        refused(scanner.post(scanner.body(events)), 413, "too_large")
    assert scanner.post(scanner.body(events[:-1])).json()["accepted"] == 2_000


@pytest.mark.asvs("2.2.1", "1.5.2")
@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"1", b'"x"', b"[", b"\xff\xfe", b"[1", b'{"a": NaN}'])
def test_what_is_no_batch_is_refused_as_a_whole(scanner, body):
    with untouched():
        refused(scanner.post(body), 422, "not_a_batch")


def test_an_empty_batch_is_refused(scanner):
    with untouched():
        refused(scanner.post(b"[]"), 422, "empty_batch")


@pytest.mark.asvs("1.5.2")
@pytest.mark.parametrize("body", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'[{"a":' * 100_000])
def test_a_hundred_thousand_brackets_are_refused(scanner, body):
    with untouched():
        refused(scanner.post(body), 422, "not_a_batch")


@pytest.mark.asvs("5.2.3")
@pytest.mark.parametrize(
    "packed", [gzip.compress, zlib.compress, lambda b: b"\x8b\x02\x80" + b], ids=["gzip", "deflate", "br"]
)
def test_a_compressed_body_is_never_unpacked(scanner, packed, request):
    name = request.node.callspec.id
    with untouched():
        refused(scanner.post(packed(b" " * 50_000_000), **{"Content-Encoding": name}), 422, "no_encoding")


@pytest.mark.asvs("15.2.2")
@pytest.mark.parametrize("path", ["/api/v1/scans", "/accounts/sign-in", "/api/v1/devices", "/epcis/capture"])
def test_who_sends_half_bodies_and_waits_keeps_nobody_waiting(scanner, installation, path):
    """A hundred connections, more than there are threads; without a limit nobody would be answered any more."""
    address = urlsplit(installation.url)
    headers = "Host: localhost\r\nContent-Length: 1000\r\nContent-Type: application/json\r\n"
    headers += f"Authorization: Bearer {NOBODY}\r\n"
    with contextlib.ExitStack() as lines:
        for _ in range(100):
            line = socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=30)
            lines.enter_context(line)
            line.sendall(f"POST {path} HTTP/1.1\r\n{headers}\r\n[{{".encode())
        time.sleep(1)
        for page in ("/healthz", "/", "/log/checkpoint"):
            assert httpx.get(installation.url + page, timeout=20).status_code == 200
        if path == "/api/v1/scans":
            assert scanner.send(event(new_number(), "accepted"))["accepted"] == 1, "strangers do not stop devices"


# One bad event among good ones ----------------------------------------------------------------------------------------

POISON: dict[str, tuple[dict[str, Any], str]] = {
    "NUL in a seal": ({"seal": {"number": NUL, "did": "applied"}}, "bad_character"),
    "NUL in a handover": ({"handover": {"id": NUL, "side": "giver"}}, "bad_character"),
    "NUL in a party": ({"handover": {"id": "h", "side": "giver", "party": NUL}}, "bad_character"),
    "NUL in an unknown step": ({"step": NUL}, "bad_character"),
    "NUL in a place": ({"facility": NUL}, "bad_character"),
    "NUL in a number": ({"item_id": NUL}, "bad_character"),
    "NUL in a reading": ({"sensors": [{NUL: NUL}]}, "bad_character"),
    "NUL in an unknown field's name": ({NUL: 1}, "bad_event"),
    "readings beyond what one event may carry": ({"sensors": [{"v": "x" * 70_000}]}, "sensors_too_large"),
    "a number of a thousand digits": ({"size_mm": [10**1000, 1, 1]}, "bad_event"),
    "a negative size": ({"size_mm": [-1, 1, 1]}, "bad_event"),
    "a weight of many tons": ({"weight_g": 10**30}, "bad_event"),
    "a time before all clocks": ({"event_time": "0001-01-01T00:00:00+14:00"}, "too_old"),
    "a time of another century": ({"event_time": "1999-12-31T23:59:59Z"}, "too_old"),
    "a time after all clocks": ({"event_time": "9999-12-31T23:59:59-14:00"}, "clock_ahead"),
    "a time of nowhere": ({"event_time": "2026-01-01T00:00:00"}, "bad_event"),
    "source": ({"source": 1}, "bad_event"),
    "item_seq": ({"item_seq": 1}, "bad_event"),
    "flags": ({"flags": 65535}, "bad_event"),
    "authorised": ({"authorised": True}, "bad_event"),
    "simulated": ({"simulated": False}, "bad_event"),
    "two numbers": ({"receptacle_id": "395212340000000014"}, "one_number"),
    "somebody's internal id": ({"item_id": "itm_" + "0" * 32}, "unknown_item"),
}


@pytest.mark.asvs("2.2.1")
@pytest.mark.parametrize("poison", POISON)
def test_a_poisoned_event_is_quarantined_by_itself(scanner, poison):
    changed, code = POISON[poison]
    before, after = event(new_number(), "accepted"), event(new_number(), "accepted")
    said = scanner.send(before, {**event(new_number(), "accepted"), **changed}, after)
    assert said["accepted"] == 2
    assert [(q["index"], q["code"]) for q in said["quarantined"]] == [(1, code)]
    assert said["quarantined"][0]["message"].isprintable()


@pytest.mark.parametrize("depth", [17, 200, 900])
def test_deep_readings_are_quarantined_by_themselves(scanner, depth):
    good, deep = event(new_number(), "accepted"), event(new_number(), "accepted", sensors=[])
    body = scanner.body([good, deep]).replace(
        b'"sensors": []', b'"sensors": [{"v":' + b"[" * depth + b"]" * depth + b"}]"
    )
    said = scanner.post(body).json()
    assert (said["accepted"], [(q["index"], q["code"]) for q in said["quarantined"]]) == (1, [(1, "too_deep")])


@pytest.mark.parametrize("depth", range(970, 1_000, 3))
def test_readings_at_the_end_of_the_readers_stack_break_nothing(scanner, depth):
    """What the reader just manages could be too deep for the writer, which stands deeper in the program."""
    body = scanner.body([event(new_number(), "accepted", sensors=[])])
    answer = scanner.post(body.replace(b'"sensors": []', b'"sensors": [{"v":' + b"[" * depth + b"]" * depth + b"}]"))
    said = answer.json()
    if answer.status_code == 200:
        assert (said["accepted"], said["quarantined"][0]["code"]) == (0, "too_deep")
    else:
        refused(answer, 422, "not_a_batch")


@pytest.mark.asvs("1.1.1")
def test_a_backslash_before_u0000_is_text(scanner, number):
    assert scanner.send(event(number, "accepted", reason="a\\u0000b"))["accepted"] == 1


@pytest.mark.asvs("1.1.1")
@pytest.mark.parametrize("wrong", [b"\\ud800", b"\\udc00x", b"\xed\xa0\x80", b"\xff", b"\xc0\xaf"])
def test_what_is_no_unicode_is_refused_or_quarantined(scanner, wrong):
    body = scanner.body([event(new_number(), "accepted"), event(new_number(), "accepted", reason="HERE")])
    with untouched("events", "items", "statuses", "log", "answers", "marks", "quarantine"):
        answer = scanner.post(body.replace(b"HERE", wrong))
    said = answer.json()
    if answer.status_code == 200:
        assert (said["accepted"], [q["index"] for q in said["quarantined"]]) == (1, [1])
    else:
        refused(answer, 422, "not_a_batch")


def test_a_poisoned_event_hurts_nobody_in_the_same_group(scanner, installation, partner):
    """Twenty requests at once, every other one poisoned: each gets its own answer."""

    def post(n):
        step: dict[str, Any] = {"seal": {"number": NUL, "did": "applied"}} if n % 2 else {}
        body = json.dumps([event(new_number(), "accepted", **step)]).encode()
        headers = {"Authorization": f"Bearer {partner}"}
        return httpx.post(f"{installation.url}/api/v1/scans", content=body, headers=headers, timeout=60)

    with ThreadPoolExecutor(20) as pool:
        for n, answer in enumerate(pool.map(post, range(20))):
            assert answer.status_code == 200, answer.text
            assert answer.json()["accepted"] == 1 - n % 2


@pytest.mark.asvs("1.1.2", "1.2.1", "1.2.4", "1.3.7", "1.3.10")
@pytest.mark.parametrize("sly", SLY)
def test_sly_text_in_every_field_is_only_text(scanner, installation, number, sly):
    text = sly[:40]
    said = scanner.send(
        event(
            number,
            "accepted",
            reason=text,
            note_code=text,
            label_code=text,
            sensors=[{text: text}],
            seal={"number": text, "did": "applied"},
            handover={"id": text, "side": "giver", "party": text},
        ),
        event(number, text, minutes=1),
        event(number, "left_sorting", facility=text[:20], minutes=2),
        event(text, "accepted"),
        event(number, "loaded", receptacle=text, minutes=3),
    )
    assert said["accepted"] == 2, said
    assert [q["index"] for q in said["quarantined"]] == [2, 3, 4]
    page = httpx.get(f"{installation.url}/track/{number}", timeout=30)
    assert page.status_code == 200
    assert "Set-Cookie: a=b" not in str(page.headers)
    assert sly not in page.text
    assert "alert(1)" not in page.text


# Addresses ------------------------------------------------------------------------------------------------------------

TILES = (
    "../checkpoint", "%2e%2e/%2e%2e/keys/log", "..%2f..%2fkeys%2flog", "0/x000/000", "0/000.p/0", "0/000.p/257",
    "0/000.p/01", "0/000.p/-1", "0/x999/x999/x999/x999/x999/x999/999", "0/999", "8/000", "63/000", "-1/000", "x/1",
    "0/00", "0/0000", "0/000/", "0//000", "0/%00", "0/٣٣٣", "entries/../../checkpoint", "entries/x999/999", "",
)  # fmt: skip


@pytest.mark.asvs("1.1.1", "5.3.2")
@pytest.mark.parametrize("path", TILES)
def test_no_path_leads_out_of_the_log(installation, path):
    first, said = raw_request(
        installation.url, f"GET /log/tile/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    )
    assert first.split()[1] == "404"
    assert (installation.home / "keys" / "log").read_text().strip() not in said


@pytest.mark.asvs("1.2.2", "3.7.2")
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost@evil.example", "", "a b"])
def test_another_host_gets_no_page_and_no_link(installation, host):
    first, said = raw_request(
        installation.url, f"GET /accounts/sign-in HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    )
    assert first.split()[1] == "400"
    assert "evil" not in said


@pytest.mark.asvs("1.2.4")
@pytest.mark.parametrize(
    "path",
    [
        "/track/{}", "/track/{}/proof", "/api/v1/items/{}", "/api/v1/items/{}/proofs", "/api/v1/facilities/{}",
        "/epcis/events/{}", "/epcis/queries/{}", "/epcis/capture/{}", "/epcis/epcs/{}", "/epcis/epcs/{}/events",
        "/?number={}", "/accounts/sign-in?next={}", "/epcis/events?EQ_bizStep={}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("sly", [NUL, SLY[0], "%ff%fe", "A" * 3_000, "../../etc/passwd"])
def test_sly_addresses_never_break_anything(installation, path, sly):
    given = sly if sly.startswith("%ff") else quote(sly, safe="")
    with untouched():
        answer = httpx.get(installation.url + path.format(given), headers=installation.headers, timeout=30)
        assert answer.status_code < 500, answer.text[:300]


# Programs' other doors ------------------------------------------------------------------------------------------------

PLACE = {
    "name": "x", "kind": "hub", "country": "US", "time_zone": "America/Chicago", "coarse_place": "x",
    "position": [-89, 39],
}  # fmt: skip
LANE = {"usual_duration_s": 60}
MANIFEST = {"manifest_id": "M-attacked", "facility": "TEST-A", "items": ["RR123456785US"]}
DEVICE = {"name": "x", "public_key_ed25519_base64": base64.b64encode(public_key()).decode()}
BODIES = {
    "a name with NUL": ("PUT", "facilities/TEST-A", {**PLACE, "name": NUL}),
    "a line break in a name": ("PUT", "facilities/TEST-A", {**PLACE, "name": "a\nb"}),
    "half a surrogate": ("PUT", "facilities/TEST-A", {**PLACE, "name": "\ud800"}),
    "NUL in a place's code": ("PUT", "facilities/%00", PLACE),
    "no number at all": ("PUT", "facilities/TEST-A", {**PLACE, "position": [float("nan"), 1]}),
    "beyond the earth": ("PUT", "facilities/TEST-A", {**PLACE, "position": [float("inf"), 1]}),
    "a GLN with NUL": ("PUT", "facilities/TEST-A", {**PLACE, "gln": NUL}),
    "a place's internal number": ("PUT", "facilities/TEST-A", {**PLACE, "number": 1}),
    "a time zone that is a path": ("PUT", "facilities/TEST-A", {**PLACE, "time_zone": "../../etc/passwd"}),
    "NUL in a lane's end": ("PUT", "lanes/%00/TEST-B", LANE),
    "NUL in a lane's mode": ("PUT", "lanes/TEST-A/TEST-B", {**LANE, "mode": NUL}),
    "a lane of all times": ("PUT", "lanes/TEST-A/TEST-B", {"usual_duration_s": 10**30}),
    "a lane of no time": ("PUT", "lanes/TEST-A/TEST-B", {"usual_duration_s": 0}),
    "departures that are no times": ("PUT", "lanes/TEST-A/TEST-B", {**LANE, "departures": ["\ud800"]}),
    "a device's name with NUL": ("POST", "devices", {**DEVICE, "name": NUL}),
    "a device's place with NUL": ("POST", "devices", {**DEVICE, "facility": NUL}),
    "a device that makes itself administrator": ("POST", "devices", {**DEVICE, "role": "administrator"}),
    "a device that chooses its id": ("POST", "devices", {**DEVICE, "device_id": str(uuid.uuid4())}),
    "a key that is no base64": ("POST", "devices", {**DEVICE, "public_key_ed25519_base64": "é"}),
    "a key that is too short": ("POST", "devices", {**DEVICE, "public_key_ed25519_base64": "AAAA"}),
    "a manifest before all clocks": ("POST", "manifests", {**MANIFEST, "event_time": "0001-01-01T00:00:00+14:00"}),
    "a manifest of the year 1": ("POST", "manifests", {**MANIFEST, "event_time": "0001-01-01T00:00:00Z"}),
    "a manifest of another century": ("POST", "manifests", {**MANIFEST, "event_time": "1999-12-31T23:59:59Z"}),
    "a manifest after all clocks": ("POST", "manifests", {**MANIFEST, "event_time": "9999-12-31T23:59:59-14:00"}),
    "brackets": ("POST", "devices", b"[" * 100_000),
    "no Unicode": ("POST", "devices", b'{"name": "\xff"}'),
    "a number of 5,000 digits": ("PUT", "lanes/TEST-A/TEST-B", b'{"usual_duration_s": 1' + b"0" * 5_000 + b"}"),
    "three megabytes": ("POST", "devices", b" " * 3_000_000),
}


@pytest.mark.parametrize("body", BODIES)
def test_a_bad_description_is_refused_as_a_problem(installation, facilities, body):
    method, path, given = BODIES[body]
    content = given if isinstance(given, bytes) else json.dumps(given).encode()
    headers = {**installation.headers, "Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
    with untouched():
        answer = httpx.request(
            method, f"{installation.url}/api/v1/{path}", content=content, headers=headers, timeout=30
        )
        assert answer.status_code in {404, 413, 422}, answer.text[:300]
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert NUL not in answer.text


# Enumeration ----------------------------------------------------------------------------------------------------------


@pytest.mark.asvs("2.4.1")
def test_who_tries_numbers_is_slowed_down_and_learns_nothing(installation):
    """Unknown and forbidden look alike (they differ by the request's id alone), and then 429 with Retry-After."""
    answers: list[httpx.Response] = []
    apart = httpx.HTTPTransport(local_address="127.0.0.77")  # so that other tests are not slowed down with it
    with untouched(), httpx.Client(timeout=30, transport=apart) as client:
        while len(answers) < 400 and (not answers or answers[-1].status_code != 429):
            answers.append(client.get(f"{installation.url}/api/v1/items/{new_number()}"))
    assert answers[-1].status_code == 429, "nobody is ever slowed down"
    assert int(answers[-1].headers["Retry-After"]) >= 1
    alike = {json.dumps({k: v for k, v in a.json().items() if k != "request_id"}) for a in answers[:-1]}
    assert len(alike) <= 1, alike
    assert {a.status_code for a in answers[:-1]} <= {404}
