"""What no browser would ever say in a request's head is answered like everything else, and is nowhere repeated."""

from __future__ import annotations

import contextlib
import socket
from urllib.parse import urlsplit

import pytest
from tests.attacks.untouched import untouched

TYPED = "Xq7typed"  # what must be found neither in an answer nor in the log
UNREADABLE = (
    f"text/plain; charset*={TYPED}''x",
    f"application/json; charset*={TYPED}''x%20",
    f"text/plain; charset*=%00{TYPED}''x",
    f"text/plain; charset=%00; charset*0*=utf-8''{TYPED}%00",
    f"multipart/form-data; boundary*={TYPED}''x",
)
HEADERS = (
    *(f"Content-Type: {value}" for value in UNREADABLE),
    'Content-Type: ;;;==="',
    "Content-Type: text/plain; charset=idna",
    "Content-Type: application/x-www-form-urlencoded; charset=utf-16",
    'Content-Type: multipart/form-data; boundary="\xff"',
    "Content-Type: multipart/form-data",
    "Content-Type: " + "a;" * 2_000,
    "Content-Length: 0, 0",
    "Content-Length: +5",
    "Content-Length: -1",
    "Content-Length: \xb2",
    'Cookie: \xff\xfe=\xff; csrf="\\400"; session=%00; =; ;;',
    "Cookie: session=" + "a" * 5_000,
    "Cookie: language=../../etc; csrf=" + "\xe9" * 64,
    "Accept-Language: " + "a-" * 600,
    "Accept-Language: \xff;q=99999999999999999999, es;q=nan, *;q=-1",
    "Accept-Language: es-" + "x" * 400 + ";q=1e999",
    "Accept: \xff/\xfe;q=inf",
    'Forwarded: for="[::\xff"; proto=;;',
    "X-Forwarded-For: \xff, , 999.999.999.999",
    "X-Forwarded-Proto: ,",
    "X-Forwarded-Host: a b",
    "Authorization: \xff",
    "Authorization: Bearer \xff\xfe",
    "Authorization: Bearer",
    "Idempotency-Key: \xff" + "x" * 500,
    'If-None-Match: "\xff',
    "If-Modified-Since: Thu, 32 Foo 99999 99:99:99 GMT",
    "If-Match: \xff",
    "Range: bytes=-99999999999999999999",
    "Origin: http://[",
    "Referer: http://[\xff",
    "X_Request_Id: a",
    "Signature-Input: sig=(\xff);created=x",
    "GS1-EPCIS-Version: \xff",
    "Expect: 200-never",
)
PATHS = (
    "/", "/accounts/sign-in", "/check-message", "/api/v1/items/RA473012345GB", "/api/v1/devices", "/api/v1/scans",
    "/epcis/capture", "/epcis/events", "/log/checkpoint", "/log/vkey", "/static/x", "/healthz",
)  # fmt: skip


def ask(url: str, method: str, path: str, header: str, *, host: str | None = None) -> str:
    """Return the whole answer; empty where the server itself ended the connection."""
    address = urlsplit(url)
    body = b"" if method == "GET" else b"{}"
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or address.netloc}", "Connection: close", header]
    if body and not header.lower().startswith("content-length"):
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""])
    with socket.create_connection((str(address.hostname), int(address.port or 80)), timeout=30) as line:
        line.sendall(head.encode("latin-1") + body)
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := line.recv(65_536):
                said += chunk
    return said.decode(errors="replace")


def is_ours(said: str) -> bool:
    """Return whether it has what every answer of the house has, and not only the server's bare status."""
    head = said.partition("\r\n\r\n")[0].lower()
    return all(name in head for name in ("x-request-id: req_", "content-security-policy: ", "x-frame-options: deny"))


@pytest.mark.asvs("16.5.1")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_no_header_breaks_any_door(installation, header, method):
    with untouched():
        for path in PATHS:
            said = ask(installation.url, method, path, header)
            status = int(said.split(" ", 2)[1])
            assert status < 500, (path, said[:300])
            assert is_ours(said) or (status == 400 and "content-length" in header.lower()), (path, said[:600])


@pytest.mark.parametrize("host", ["[", "[::1", "a:b:c", "localhost:99999999", "\xff", "%00", "localhost:", "."])
def test_no_host_breaks_any_door(installation, host):
    for path in PATHS:
        said = ask(installation.url, "GET", path, "X-Nothing: 1", host=host)
        assert int(said.split(" ", 2)[1]) < 500, (path, said[:300])


@pytest.mark.asvs("16.4.1", "1.2.1")
@pytest.mark.parametrize("value", UNREADABLE)
@pytest.mark.parametrize(
    ("path", "type_"), [("/", "text/html"), ("/api/v1/devices", "application/problem+json")], ids=["page", "problem"]
)
def test_a_media_type_that_cannot_be_read_is_refused_and_not_repeated(installation, path, type_, value):
    logged = (installation.home / "up.log").stat().st_size
    for method in ("GET", "POST"):
        said = ask(installation.url, method, path, f"Content-Type: {value}")
        assert said.startswith("HTTP/1.1 400 "), said[:300]
        assert f"content-type: {type_}" in said.lower()
        assert is_ours(said)
        assert TYPED not in said
    with (installation.home / "up.log").open("rb") as log:
        log.seek(logged)
        added = log.read().decode()
    assert TYPED not in added
    assert "Traceback" not in added
