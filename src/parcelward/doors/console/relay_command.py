"""`parcelward relay`: take the mail of masked contacts from the mail server of this machine."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import logging
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

import django

if TYPE_CHECKING:
    from parcelward.privacy.wire import Answer

log = logging.getLogger("parcelward.relay")

LISTENS_ON: Final = "127.0.0.1"  # the mail server that stands in the open is another's work
SPARE_BYTES: Final = 1024  # one more than is allowed is read, so that the answer can say that it is too much


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    verbs.add_parser("serve", help="take mail by LMTP, on this machine only")
    one = verbs.add_parser("deliver", help="take one message from standard input, as Postfix's pipe gives it")
    one.add_argument("--sender", required=True, help="the envelope's sender; empty for a bounce")
    one.add_argument("--recipient", required=True, help="the envelope's recipient")


def run(options: argparse.Namespace) -> int:
    """Do what was asked. `deliver` exits with a code of sysexits.h, by which a mail server knows what to do."""
    django.setup()
    from parcelward.base import config
    from parcelward.base.config import BadSetting
    from parcelward.privacy import wire

    settings = config.get()
    if not settings.relay_domain:
        raise BadSetting("PARCELWARD_RELAY_DOMAIN must name the domain whose mail is brought here")
    if options.verb == "serve":
        asyncio.run(_serve(settings.relay_port))
        return 0
    raw = sys.stdin.buffer.read(wire.MAIL_BYTES_MAX + SPARE_BYTES)
    answer = _pass_on(raw, options.sender, options.recipient)
    print(answer.reply)
    return answer.exit_code


def _pass_on(raw: bytes, sender: str, recipient: str) -> Answer:
    """Pass one message on; whatever fails here lets the mail server try again."""
    from parcelward.base import db
    from parcelward.people.actions import machinery
    from parcelward.privacy import actions
    from parcelward.privacy.wire import Answer

    try:
        return actions.pass_on(raw, sender=sender, recipient=recipient, by=machinery(), now=dt.datetime.now(dt.UTC))
    except Exception as err:  # noqa: BLE001 -- no word of it: a message's own text could stand in one
        log.error("a message could not be passed on now: %s", type(err).__name__)  # noqa: TRY400 -- as above
        return Answer.LATER
    finally:
        db.drop_connections()


class _Door:
    """What is answered to the mail server. One recipient a message: each has an answer of its own."""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Accepted so far"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd's name
        content = envelope.content if isinstance(envelope.content, bytes) else envelope.content.encode()
        answer = await asyncio.to_thread(_pass_on, content, envelope.mail_from or "", envelope.rcpt_tos[0])
        return answer.reply


async def _serve(port: int) -> None:
    from aiosmtpd.lmtp import LMTP

    from parcelward.privacy import wire

    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # it writes addresses
    loop = asyncio.get_running_loop()
    size = wire.MAIL_BYTES_MAX
    server = await loop.create_server(
        lambda: LMTP(_Door(), hostname="localhost", ident="Parcelward", data_size_limit=size, timeout=60, loop=loop),
        LISTENS_ON,
        port,
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    log.info("taking mail at %s:%d", LISTENS_ON, port)
    async with server:
        await stop.wait()
