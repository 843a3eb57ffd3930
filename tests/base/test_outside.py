"""Where a request to an address that a stranger typed may go: the public internet, whatever its name says."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from parcelward.base import egress, outside

INSIDE = (
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.1.1"),
    *("192.0.2.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1"),
    *("168.63.129.16", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
    *("fec0::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
    *("64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:f5ff:fffe", "::7f00:1"),
)
OUTSIDE = ("8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.asvs("1.3.6")
@pytest.mark.parametrize("address", INSIDE)
def test_an_address_of_the_inside_is_never_asked(address):
    assert not outside.may_ask(address, this_machine=False)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_public_internet_is(address):
    assert outside.may_ask(address, this_machine=False)


def test_test_mode_lets_through_this_machine_and_nothing_else_of_the_inside():
    here = {each for each in INSIDE if outside.may_ask(each, this_machine=True)}
    assert here == {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"}


@pytest.mark.parametrize(
    "url",
    [
        *("http://shop.example/", "ftp://shop.example/", "//shop.example/", "https://", "https:///x", "shop.example"),
        *("https://me:word@shop.example/", "https://me@shop.example/", "https://shop.example/#x"),
        *("https://shop.example:22/", "https://shop.example:80/", "https://shop.example:99999/"),
        *("https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://[fe80::1%25eth0]/"),
        *(
            "https://shop.example/a b",
            "https://shop.example\\@10.0.0.1/",
            "https://shop.example/\n",
            "https://büro.example/",
        ),
        "https://shop.example/" + "x" * 500,
    ],
)
def test_an_address_that_is_odd_is_refused_when_it_is_typed(url):
    with pytest.raises(outside.Forbidden):
        outside.parsed(url, this_machine=False)


@pytest.mark.parametrize("url", ["https://shop.example/hooks?x=1", "https://shop.example:8443/", "https://8.8.8.8/"])
def test_an_ordinary_address_is_taken(url):
    assert str(outside.parsed(url, this_machine=False)) == url


class Listening:
    """A server on this machine that says whether anybody connected."""

    def __init__(self, answer: bytes = b"HTTP/1.1 204 No Content\r\n\r\n") -> None:
        self.asked: list[bytes] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._answer = answer
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with line:
                self.asked.append(line.recv(65_536))
                line.sendall(self._answer)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@pytest.fixture
def listening() -> Any:
    one = Listening()
    yield one
    one.close()


def ask(url: str, *, this_machine: bool, **more: float) -> egress.Answered:
    limits = {"timeout_s": 2.0, "whole_s": 3.0} | more
    return egress.post_to_stranger(url, b"{}", headers={"x-said": "1"}, this_machine=this_machine, **limits)


@pytest.mark.asvs("1.3.6", "15.3.2")
@pytest.mark.parametrize("name", ["localhost", "0x7f.1", "2130706433", "127.1", "0177.0.0.1"])
def test_a_name_that_leads_inside_is_not_connected_to(listening, name):
    """However the address is written, what counts is where it leads when it is asked."""
    with pytest.raises(egress.NotReached) as refused:
        ask(f"https://{name}:{listening.port}/", this_machine=False)
    assert refused.value.code == "forbidden_address"
    assert listening.asked == []


@pytest.mark.asvs("1.3.6")
def test_the_address_that_was_looked_at_is_the_one_that_is_asked(listening, monkeypatch):
    """A name that leads to this machine on the second look (DNS rebinding): there is no second look."""
    looks: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host != "rebinding.example":
            return real(host, port, *rest, **more)
        looks.append(host)
        where = "192.0.2.1" if len(looks) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (where, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(outside, "may_ask", lambda address, **_: address == "192.0.2.1")
    with pytest.raises(egress.NotReached):
        ask(f"https://rebinding.example:{listening.port}/", this_machine=False, timeout_s=0.3)
    assert looks == ["rebinding.example"]
    assert listening.asked == []


def test_one_bad_address_forbids_the_good_ones_beside_it(monkeypatch):
    def both(host: Any, port: Any, *_rest: Any, **_more: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    with pytest.raises(outside.Forbidden):
        outside.addresses("two.example", 443, this_machine=False)


@pytest.mark.asvs("15.3.2")
def test_a_redirect_is_an_answer_and_is_not_followed(listening):
    away = Listening(
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:%d/\r\ncontent-length: 0\r\n\r\n" % listening.port
    )
    assert ask(f"http://127.0.0.1:{away.port}/", this_machine=True).status == 302
    away.close()
    assert len(away.asked) == 1
    assert listening.asked == []


def test_the_name_is_said_and_nothing_of_ours_but_what_was_meant(listening):
    assert ask(f"http://localhost:{listening.port}/hooks?x=1", this_machine=True).status == 204
    head = listening.asked[0].decode().lower()
    assert head.startswith("post /hooks?x=1 http/1.1")
    assert f"host: localhost:{listening.port}" in head
    assert "x-said: 1" in head
    assert "cookie" not in head
    assert "authorization" not in head


def test_a_server_that_says_nothing_or_speaks_no_tls_is_given_up(listening):
    with pytest.raises(egress.NotReached) as refused:
        ask(f"https://127.0.0.1:{listening.port}/", this_machine=True)
    assert refused.value.code in {"tls", "no_answer"}
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(egress.NotReached) as late:
        ask(f"http://127.0.0.1:{silent.getsockname()[1]}/", this_machine=True, timeout_s=0.3)
    assert late.value.code == "timeout"
    with pytest.raises(egress.NotReached) as nobody:
        ask("http://127.0.0.1:1/", this_machine=True)
    assert nobody.value.code == "no_connection"
    with pytest.raises(egress.NotReached) as unknown:
        ask("https://nobody.invalid/", this_machine=False)
    assert unknown.value.code == "no_address"
