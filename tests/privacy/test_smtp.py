"""Messages by SMTP: TLS unless the server is on this machine, put off while it is away, given up after a day."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import email
import email.policy
import socket
import socketserver
import threading

import pytest
from django.utils import timezone

from parcelward.base import config
from parcelward.base.config import BadSetting
from parcelward.privacy import actions, transports
from parcelward.privacy.actions import messages
from parcelward.privacy.models import Message
from parcelward.privacy.wire import Field, Kind

FAR = dt.timedelta(days=6000)  # beyond the clock of the worker, which would take what is due


class MailServer(socketserver.ThreadingTCPServer):
    """A small mail server: keeps what it is given, and refuses whom it is told to."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, answer_to: str = "250 ok", greeting: str = "220 here") -> None:
        self.answer_to, self.greeting = answer_to, greeting
        self.got: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Talk)


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        self.say(self.server.greeting)
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word in {b"EHLO", b"HELO"}:
                self.say("250 here")
            elif word == b"RCPT":
                self.say(self.server.answer_to)
            elif word == b"DATA":
                self.say("354 go on")
                body = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    body += part
                self.server.got.append(body)
                self.say("250 taken")
            elif word == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")


@contextlib.contextmanager
def mail_server(**how):
    with MailServer(**how) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)


@pytest.fixture
def using(monkeypatch):
    """Let messages leave by this address."""

    def use(url: str, mode: str = "test") -> None:
        changed = dataclasses.replace(config.get(), smtp_url=url, mode=mode)
        monkeypatch.setattr(config, "get", lambda: changed)

    return use


def queued(machinery, anna, *, now):
    token = actions.put({Field.EMAIL: anna[Field.EMAIL]}, kind=Kind.ADDRESSEE, by=machinery)
    return actions.send(token, "code", {"code": "123456", "minutes": "10"}, by=machinery, now=now)


def test_a_message_goes_out_over_smtp_once(machinery, anna, using):
    now = timezone.now() + FAR
    with mail_server() as server:
        using(f"smtp://127.0.0.1:{server.server_address[1]}")
        number = queued(machinery, anna, now=now)
        assert actions.deliver_messages(now) >= 1
        assert actions.deliver_messages(now) == 0
    mine = [body for body in server.got if anna[Field.EMAIL].encode() in body]
    [message] = [email.message_from_bytes(body, policy=email.policy.default) for body in mine]
    assert message["Subject"] == "Your code for Example Post"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message[transports.SIMULATED] is None
    assert "123456" in message.get_content()
    assert Message.objects.get(pk=number).sent_at == now


@pytest.mark.asvs("16.5.2")
def test_while_the_server_is_away_pauses_grow_and_after_a_day_it_is_given_up(machinery, anna, using, caplog):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound and not listening: refused at once
        using(f"smtp://user:sesame-canary@127.0.0.1:{nobody.getsockname()[1]}")
        now = began = timezone.now() + 2 * FAR
        number = queued(machinery, anna, now=now)
        pauses = []
        while (due := Message.objects.get(pk=number).due_at) is not None:
            assert actions.deliver_messages(due) == 0
            pauses.append(due - now)
            now = due
    assert [int(p.total_seconds() // 60) for p in pauses[:7]] == [0, 1, 2, 5, 10, 30, 60]
    row = Message.objects.get(pk=number)
    assert (row.why, row.sealed, row.sent_at) == ("server_away", None, None)
    assert row.parked_at is not None
    assert began + dt.timedelta(hours=22) < row.parked_at <= began + dt.timedelta(days=1)
    assert "sesame-canary" not in caplog.text
    assert anna[Field.EMAIL] not in caplog.text


@pytest.mark.parametrize(("answer", "parked"), [("550 nobody of this name", True), ("450 later", False)])
def test_a_recipient_refused_for_good_is_not_tried_again(machinery, anna, using, caplog, answer, parked):
    now = timezone.now() + (3 if parked else 4) * FAR
    with mail_server(answer_to=answer) as server:
        using(f"smtp://127.0.0.1:{server.server_address[1]}")
        number = queued(machinery, anna, now=now)
        actions.deliver_messages(now)
    row = Message.objects.get(pk=number)
    assert (row.parked_at is not None, row.sent_at) == (parked, None)
    assert server.got == []
    assert anna[Field.EMAIL] not in caplog.text
    Message.objects.filter(pk=number).update(due_at=None)


@pytest.mark.asvs("12.3.1")
def test_a_server_elsewhere_without_tls_gets_nothing(monkeypatch):
    with mail_server() as server:
        monkeypatch.setattr(transports, "THIS_MACHINE", frozenset())
        with (
            pytest.raises(transports.NotSent) as refused,
            transports.opened(
                dataclasses.replace(config.get(), smtp_url=f"smtp://127.0.0.1:{server.server_address[1]}")
            ),
        ):
            pytest.fail("it was used")
    assert refused.value.code == "no_tls"
    assert server.got == []


def test_in_production_without_a_server_messages_wait(machinery, anna, using):
    using("", mode="production")
    now = timezone.now() + 5 * FAR
    number = queued(machinery, anna, now=now)
    before = messages.waiting()
    assert actions.deliver_messages(now) == 0
    assert messages.waiting() == before
    assert Message.objects.get(pk=number).tries == 0
    Message.objects.filter(pk=number).update(due_at=None)


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "mail.example:25", "smtp://[::1"])
def test_an_address_that_is_no_mail_servers_is_refused_and_not_repeated(monkeypatch, url):
    monkeypatch.setenv("PARCELWARD_SMTP_URL", url.replace("://", "://u:sesame@"))
    with pytest.raises(BadSetting) as refused:
        config.read()
    assert "sesame" not in str(refused.value)
    monkeypatch.setenv("PARCELWARD_SMTP_URL", "smtps://u:sesame@mail.example")
    assert "sesame" not in repr(config.read())


def test_a_key_address_that_is_no_tokens_is_refused(monkeypatch):
    monkeypatch.setenv("PARCELWARD_KEK", "/etc/kek")
    with pytest.raises(BadSetting):
        config.read()
