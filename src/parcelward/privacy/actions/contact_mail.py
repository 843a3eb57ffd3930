"""Pass a piece of mail on to the other side of a masked contact.

Unknown, closed and expired addresses, and senders who are not the other side, are refused in the same words: from
outside nobody learns which addresses there are. What passes is queued like every message, sealed for who receives it.
"""

from __future__ import annotations

import base64
import datetime as dt
import logging
from typing import Final, NamedTuple

from django.db import transaction

from parcelward.base import config
from parcelward.base.errors import Invalid
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people import codes
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import contact_text, facts, rows
from parcelward.privacy.actions.keep import put
from parcelward.privacy.actions.look import find
from parcelward.privacy.actions.messages import queue
from parcelward.privacy.models import Contact, ContactEnd, ContactMail
from parcelward.privacy.wire import MAIL_BYTES_MAX, Answer, Field, Kind, Purpose

log = logging.getLogger(__name__)

AN_HOUR_MAX: Final = 10  # from one side to the other
DIGESTS_KEPT: Final = dt.timedelta(days=7)  # mail servers give up repeating after five (RFC 5321, 4.5.4.1)
UNREADABLE_KEPT: Final = dt.timedelta(days=7)


class _Way(NamedTuple):
    """A contact's one direction."""

    contact: Contact
    end: ContactEnd  # where the mail goes
    back: ContactEnd  # who wrote it


def pass_on(raw: bytes, *, sender: str, recipient: str, by: Person, now: dt.datetime) -> Answer:
    """Pass one piece of mail on, and return what the mail server is answered. The same mail twice goes once.

    `sender` and `recipient` are those of the envelope.
    """
    require(by, Task.FIND_PERSON)
    way = _way(recipient, now)
    if way is None or not _is(way, sender, by):
        log.info("contact: refused (unknown)")
        return Answer.UNKNOWN
    try:
        letter = contact_text.read(raw)
    except contact_text.Unreadable as err:
        return _unreadable(way, raw, err.code, by, now)
    authserv = config.get().relay_authserv
    if (
        len(letter.authors) != 1
        or not _is(way, letter.authors[0], by)
        or (authserv and not contact_text.vouches(letter.vouched, authserv, letter.authors[0]))
    ):
        log.info("contact: refused (unproven)")
        return Answer.UNKNOWN
    if letter.automatic:
        return Answer.DROPPED
    return _pass(way, letter, raw, by, now)


def _way(recipient: str, now: dt.datetime) -> _Way | None:
    local, _, domain = recipient.strip().strip("<>").lower().rpartition("@")
    if not domain or domain != config.get().relay_domain:
        return None
    end = ContactEnd.objects.filter(local=local).first()
    contact = None if end is None else Contact.objects.filter(ref=end.contact, closed_at=None, until__gt=now).first()
    if end is None or contact is None or not rows.read([end.person], ()):
        return None
    return _Way(contact, end, ContactEnd.objects.exclude(local=local).get(contact=end.contact))


def _is(way: _Way, address: str, by: Person) -> bool:
    """Return whether an address is that of the other side, as the vault has it."""
    if "@" not in address or len(address) > 254:  # noqa: PLR2004 -- RFC 5321, 4.5.3.1.3
        return False
    try:
        found = find(Field.EMAIL, address, purpose=Purpose.CONTACT, by=by, tenant=way.contact.tenant)
    except Invalid:
        return False
    return VaultToken(way.back.person) in found


def _pass(way: _Way, letter: contact_text.Letter, raw: bytes, by: Person, now: dt.datetime) -> Answer:
    if not letter.text and not letter.subject:
        return Answer.EMPTY
    with transaction.atomic():
        counted = _count(way, raw, by, now)
        if counted is not None:
            return counted
        values = {
            "subject": letter.subject,
            "text": letter.text,
            "from": f"{way.back.local}@{config.get().relay_domain}",
        }
        queue(VaultToken(way.end.person), "contact", values, by=by, now=now)
        custody.record_fact(facts.CONTACT_PASSED, _said(way, by))
    return Answer.PASSED


def _said(way: _Way, by: Person) -> dict[str, object]:
    return {"by": by.source, "contact": way.contact.ref.hex, "to": way.end.person.hex}


def _count(way: _Way, raw: bytes, by: Person, now: dt.datetime) -> Answer | None:
    """Count a piece of mail, in the caller's transaction; return an answer when it must not be passed on."""
    # The people before the contact, as everywhere; a shredding waits, or has been and leaves nobody here.
    persons = [VaultToken(way.contact.first), VaultToken(way.contact.second)]
    if len(rows.read(persons, (), lock="FOR KEY SHARE")) != len(persons):
        return Answer.UNKNOWN
    contact = Contact.objects.select_for_update().get(ref=way.contact.ref)
    if contact.closed_at is not None or contact.until <= now:
        return Answer.UNKNOWN
    mine = ContactMail.objects.filter(local=way.end.local)
    mine.filter(at__lt=now - DIGESTS_KEPT).delete()
    digest, *before = codes.keyed_alike("contact mail", _written(raw))
    if mine.filter(digest__in=[digest, *before]).exists():
        return Answer.PASSED
    if mine.filter(at__gt=now - dt.timedelta(hours=1)).count() >= AN_HOUR_MAX:
        _tell(way, by, now)
        return Answer.TOO_MANY
    ContactMail.objects.create(local=way.end.local, digest=digest, at=now)
    return None


def _written(raw: bytes) -> bytes:
    """Return what was written, without the headers that servers add on each way."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    named = [line for line in head.split(b"\n") if line.lower().startswith((b"message-id:", b"date:", b"subject:"))]
    return b"\n".join([*named, b"", body])


def _tell(way: _Way, by: Person, now: dt.datetime) -> None:
    """Tell who wrote, once an hour, that it is too much."""
    end = ContactEnd.objects.select_for_update().get(local=way.end.local)
    if end.told_at is None or end.told_at <= now - dt.timedelta(hours=1):
        ContactEnd.objects.filter(local=end.local).update(told_at=now)
        queue(VaultToken(way.back.person), "contact_too_many", {"most": str(AN_HOUR_MAX)}, by=by, now=now)
        custody.record_fact(facts.CONTACT_TOO_MANY, _said(way, by))


def _unreadable(way: _Way, raw: bytes, code: str, by: Person, now: dt.datetime) -> Answer:
    """Refuse what cannot be read, and keep it for a week under a key of its own, for who has to find out why."""
    with transaction.atomic():
        counted = _count(way, raw, by, now)
    if counted is Answer.PASSED:  # it came before
        return Answer.UNREADABLE
    if counted is not None:
        return counted
    kept = base64.b64encode(raw[:MAIL_BYTES_MAX]).decode()
    token = put({Field.BODY: kept}, kind=Kind.PENDING, by=by, expires_at=now + UNREADABLE_KEPT)
    custody.record_fact(facts.CONTACT_UNREADABLE, _said(way, by) | {"code": code, "kept": token.hex})
    log.info("contact: unreadable (%s)", code)
    return Answer.UNREADABLE
