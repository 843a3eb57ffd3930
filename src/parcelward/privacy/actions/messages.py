"""Queue messages to people, and send what is due: at least once, with pauses that grow, given up after a day."""

from __future__ import annotations

import datetime as dt
import json
import logging
import uuid
from collections.abc import Collection, Mapping, Sequence
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import transaction

from parcelward.base import config, db
from parcelward.base.vault import VaultToken
from parcelward.custody import actions as custody
from parcelward.people.actions import machinery
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import cipher, facts, keys, rows, transports, wording
from parcelward.privacy.actions.look import reveal_many
from parcelward.privacy.errors import NotAuthentic
from parcelward.privacy.models import Message
from parcelward.privacy.wire import Field, Purpose

log = logging.getLogger(__name__)

AT_ONCE: Final = 20
LEASE: Final = dt.timedelta(minutes=10)  # longer than sending AT_ONCE takes when each runs into its time limit
PAUSES_MIN: Final = (1, 2, 5, 10, 30, 60)  # between two tries; the last one repeats
PARKED_AFTER: Final = dt.timedelta(days=1)
PURPOSES: Final[Mapping[str, Purpose]] = {
    "code": Purpose.SIGN_IN,
    "new_device": Purpose.SECURITY,
    "sign_in_changed": Purpose.SECURITY,
}
"""Message -> what the address is opened for; all others are notices."""
_TABLE: Final = "privacy_message"


class _Due(NamedTuple):
    id: int
    ref: UUID
    person: VaultToken
    template: str
    sealed: bytes
    key_version: int
    made_at: dt.datetime
    tries: int


@transaction.atomic
def send(token: VaultToken, template: str, values: Mapping[str, str], *, by: Person, now: dt.datetime) -> int:
    """Queue a message to somebody, in the caller's transaction, and return its number. Its values are sealed.

    `template` is the name of a file in `templates/messages/`. Raises Invalid for an unknown one or for values that hold
    an address that is not ours, NotInVault when nobody is kept under the token.
    """
    require(by, Task.KEEP_PERSONAL)
    wording.require_known(template, values)
    return queue(token, template, values, by=by, now=now)


def queue(token: VaultToken, template: str, values: Mapping[str, str], *, by: Person, now: dt.datetime) -> int:
    """Queue a message whose values the caller has made harmless, in its transaction; what asks is the caller.

    A value called `from` is the relay address that it comes from. Raises NotInVault.
    """
    if token not in rows.read([token], (), lock="FOR KEY SHARE"):
        raise rows.absent(token)
    key = keys.held([token]).get(token)
    if key is None:
        raise rows.absent(token)
    ref = uuid.uuid4()
    made = Message.objects.create(
        ref=ref,
        person=token,
        template=template,
        sealed=cipher.seal(key.key, json.dumps(dict(values)), _place(token, key.version, ref)),
        key_version=key.version,
        made_at=now,
        due_at=now,
    )
    custody.record_fact(facts.QUEUED, {"by": by.source, "message": ref.hex, "person": token.hex, "template": template})
    return made.id


def _place(person: UUID, version: int, ref: UUID) -> cipher.Place:
    return cipher.Place(_TABLE, "sealed", person, version, ref)


def deliver_messages(now: dt.datetime) -> int:
    """Send the next messages that are due, and return how many went out. Any number of processes may do it at once.

    Where no server is configured in production they wait, however long, and the worker says so.
    """
    settings = config.get()
    if not Message.objects.filter(due_at__lte=now).exists():
        return 0
    if settings.production and not settings.smtp_url:
        return 0
    due = _lease(now)
    if not due:
        return 0
    try:
        with transports.opened(settings) as transport:
            if transport is None:
                return 0
            return sum(_send_all(transport, some, settings, now) for some in _by_purpose(due))
    except transports.NotSent as err:
        log.warning("messages wait: the mail server could not be used (%s)", err.code)
        for one in due:
            _put_off(one, err, now)
        return 0


def _by_purpose(due: Sequence[_Due]) -> list[list[_Due]]:
    """Return the messages in groups of one purpose: a code to sign in goes out to who wants no notices, too."""
    groups: dict[Purpose, list[_Due]] = {}
    for one in due:
        groups.setdefault(PURPOSES.get(one.template, Purpose.NOTICE), []).append(one)
    return list(groups.values())


def waiting() -> int:
    """Return how many messages wait to be sent."""
    return Message.objects.filter(due_at__isnull=False).count()


def _lease(now: dt.datetime) -> list[_Due]:
    """Take the next due messages for a while: a process that dies with them leaves them to the next."""
    with transaction.atomic(), db.cursor() as cur:
        cur.execute(
            "UPDATE privacy_message m SET due_at = %s, tries = m.tries + 1 FROM (SELECT id FROM privacy_message "
            "WHERE due_at <= %s ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED) d WHERE m.id = d.id "
            "RETURNING m.id, m.ref, m.person, m.template, m.sealed, m.key_version, m.made_at, m.tries",
            (now + LEASE, now, AT_ONCE),
        )
        return [_Due._make((*row[:4], bytes(row[4]), *row[5:])) for row in sorted(cur.fetchall())]


def _send_all(transport: transports.Transport, due: Sequence[_Due], settings: config.Config, now: dt.datetime) -> int:
    people = {one.person for one in due}
    try:
        return _send_some(transport, due, people, settings, now)
    except NotAuthentic:  # one of them was tampered with: the others must not wait for a person to look
        if len(due) == 1:
            _park(due[0], "not_authentic", now)
            return 0
        return sum(_send_all(transport, [one], settings, now) for one in due)


def _send_some(
    transport: transports.Transport,
    due: Sequence[_Due],
    people: Collection[VaultToken],
    settings: config.Config,
    now: dt.datetime,
) -> int:
    sent = 0
    purpose = PURPOSES.get(due[0].template, Purpose.NOTICE)  # of all: `_by_purpose`
    with reveal_many(people, [Field.EMAIL], purpose=purpose, by=machinery(), about="message") as opened:
        held = keys.held(list(people))
        for one in due:
            email = opened.get(one.person, {}).get(Field.EMAIL)
            key = held.get(one.person)
            if email is None or key is None:
                _park(one, "no_address", now)
                continue
            try:
                transport.send(_message(one, email.text, key, settings, now))
            except transports.NotSent as err:
                _put_off(one, err, now)
            except NotAuthentic:
                _park(one, "not_authentic", now)
            except (ValueError, LookupError, AttributeError):
                # An address that no header can hold, for which the email package has many errors: the others must not
                # wait for it.
                _park(one, "unwritable", now)
            else:
                sent += 1
                # What it said is not kept: the person's copy is theirs, and ours would only be one more to lose.
                _set(one, sealed=None, due_at=None, sent_at=now)
    return sent


def _message(one: _Due, to: str, key: keys.DataKey, settings: config.Config, now: dt.datetime) -> EmailMessage:
    values = json.loads(cipher.unseal(key.key, one.sealed, _place(one.person, one.key_version, one.ref)))
    words = wording.render(one.template, values)
    message = EmailMessage()
    message["From"] = values.get(wording.FROM) or settings.mail_from
    message["To"] = to
    message["Subject"] = words.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{one.ref}@{settings.mail_from.rpartition('@')[2]}>"  # the same in every try
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday answers
    message.set_content(words.body)
    return message


def _put_off(one: _Due, err: transports.NotSent, now: dt.datetime) -> None:
    pause = dt.timedelta(minutes=PAUSES_MIN[min(one.tries, len(PAUSES_MIN)) - 1])
    if err.for_good or now + pause >= one.made_at + PARKED_AFTER:
        _park(one, err.code, now)
    else:
        _set(one, due_at=now + pause)


def _park(one: _Due, why: str, now: dt.datetime) -> None:
    log.warning("message %s is given up (%s)", one.ref, why)
    _set(one, sealed=None, due_at=None, parked_at=now, why=why)


def _set(one: _Due, **changes: Any) -> None:
    Message.objects.filter(pk=one.id, sent_at=None, parked_at=None).update(**changes)
