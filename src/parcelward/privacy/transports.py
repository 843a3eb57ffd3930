"""How a message leaves the house: by SMTP, or, in test mode, into a file that stands for it."""

from __future__ import annotations

import contextlib
import os
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

from parcelward.base import config
from parcelward.base.config import THIS_MACHINE

TIMEOUT_S: Final = 20
SIMULATED: Final = "X-Parcelward-Simulated"
_REFUSED_FOR_GOOD: Final = range(500, 600)  # RFC 5321, 4.2.1: trying again does not help


class NotSent(Exception):
    """It did not go out. `code` says why, without a word of the server's, which may repeat the address."""

    def __init__(self, code: str, *, for_good: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.for_good = for_good


class Transport(Protocol):
    """Takes one message after the other. Raises NotSent."""

    def send(self, message: EmailMessage) -> None:
        """Hand a message over; when this returns, it is somebody else's to deliver."""
        ...


class FileTransport:
    """Writes each message into a file of its own, for a test installation."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        """Write the message, marked as simulated, for the service's user alone."""
        subject = str(message["Subject"])
        del message["Subject"]
        message["Subject"] = f"[SIMULATED] {subject}"
        message[SIMULATED] = "yes: nothing was sent to anybody"
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(self._folder / f"{name}.eml", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(message.as_bytes())
        except OSError:
            raise NotSent("disk") from None


class SmtpTransport:
    """Hands messages to a mail server, over TLS unless it is on this machine."""

    def __init__(self, server: smtplib.SMTP) -> None:
        self._server = server

    def send(self, message: EmailMessage) -> None:
        """Hand a message over."""
        try:
            self._server.send_message(message)
        except smtplib.SMTPRecipientsRefused as err:
            codes = [code for code, _ in err.recipients.values()]
            raise NotSent("recipient_refused", for_good=all(c in _REFUSED_FOR_GOOD for c in codes)) from None
        except smtplib.SMTPSenderRefused:
            raise NotSent("sender_refused") from None
        except smtplib.SMTPResponseException as err:
            raise NotSent("refused", for_good=err.smtp_code in _REFUSED_FOR_GOOD) from None
        except (smtplib.SMTPException, OSError):
            raise NotSent("server_away") from None


@contextlib.contextmanager
def opened(settings: config.Config) -> Iterator[Transport | None]:
    """Give how messages leave this installation, or None where they can only wait. Raises NotSent."""
    if settings.smtp_url:
        server = _connect(settings.smtp_url)
        try:
            yield SmtpTransport(server)
        finally:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                server.quit()
    else:
        yield None if settings.production else FileTransport(settings.home / "mail")


def _connect(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host = parts.hostname or ""
    trust = ssl.create_default_context()
    server: smtplib.SMTP | None = None
    try:
        if parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_S, context=trust)
        else:
            server = smtplib.SMTP(host, parts.port or 587, timeout=TIMEOUT_S)
            server.ehlo()
            _begin_tls(server, trust, required=host not in THIS_MACHINE)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except NotSent:
        _hang_up(server)
        raise
    except smtplib.SMTPAuthenticationError:
        _hang_up(server)
        raise NotSent("sign_in_refused") from None
    except (smtplib.SMTPException, OSError):
        _hang_up(server)
        raise NotSent("server_away") from None
    return server


def _begin_tls(server: smtplib.SMTP, trust: ssl.SSLContext, *, required: bool) -> None:
    if server.has_extn("starttls"):
        server.starttls(context=trust)
    elif required:
        raise NotSent("no_tls")


def _hang_up(server: smtplib.SMTP | None) -> None:
    if server is not None:
        server.close()
