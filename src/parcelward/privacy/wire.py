"""What is kept of a person, for what it is opened, and whose it is: the values that every action takes."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID

from parcelward.base.vault import VaultToken


class Kind(enum.StrEnum):
    """Whose data it is."""

    ADDRESSEE = "addressee"
    SENDER = "sender"
    STAFF = "staff"
    PENDING = "pending"  # nobody knows yet; it is forgotten at an hour that is set beforehand


class Field(enum.StrEnum):
    """One thing that is kept of a person."""

    NAME = "name"
    EMAIL = "email"
    PHONE = "phone"
    ADDRESS = "address"  # several lines
    POSTCODE = "postcode"
    LOCALITY = "locality"
    COUNTRY = "country"  # ISO 3166-1 alpha-2
    DOCUMENT = "document"  # what a clerk checked
    WHERE = "where"  # an IP address
    AGENT = "agent"  # what a browser calls itself
    BODY = "body"  # of our own machinery: a stored answer, a quarantined body, a message


class Purpose(enum.StrEnum):
    """Why somebody's data is opened; it stands in the trail that the person can read."""

    SIGN_IN = "sign_in"
    NOTICE = "notice"
    LETTER = "letter"
    DELIVERY = "delivery"
    COUNTER = "counter"
    OWN_DATA = "own_data"  # by the person, or in answer to what the person asked for
    INVESTIGATION = "investigation"
    CONTACT = "contact"
    LABEL = "label"
    HOUSEKEEPING = "housekeeping"
    SECURITY = "security"


class Shown(enum.StrEnum):
    """How much of a value somebody sees."""

    FULL = "full"
    MASKED = "masked"


@dataclass(frozen=True, slots=True)
class Look:
    """One time that somebody looked at a person's data, for the trail."""

    at: dt.datetime
    by: int  # the source of who looked
    role: str
    purpose: Purpose
    fields: tuple[Field, ...]
    about: str  # an item, a case: a number, never a name
    searched: bool  # found by a value that was typed in, and not opened


@dataclass(frozen=True, slots=True)
class Kept:
    """What is said of a person's entry without opening it."""

    token: VaultToken
    kind: Kind
    tenant: UUID | None
    account: UUID | None  # who signs in to see it as their own
    fields: tuple[Field, ...]
    made_at: dt.datetime
    expires_at: dt.datetime | None


class Right(enum.StrEnum):
    """What somebody asks of their own data (GDPR articles 15 to 21)."""

    EXPORT = "export"  # articles 15 and 20
    CORRECT = "correct"  # 16
    ERASE = "erase"  # 17
    RESTRICT = "restrict"  # 18
    OBJECT = "object"  # 21


class RequestState(enum.StrEnum):
    """Where a request stands."""

    OPEN = "open"  # somebody here has to answer
    WAITING = "waiting"  # an erasure that two people agreed to, until its wait is over
    IN_FORCE = "in_force"  # a restriction, or an objection that was upheld
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"  # by the person


class Subject(enum.StrEnum):
    """What somebody objects to. An objection that is upheld closes that purpose."""

    NONE = ""
    NOTICES = "notices"
    CONTACT = "contact"
    INVESTIGATION = "investigation"


class Reason(enum.StrEnum):
    """Why a request was answered as it was: from a list, for a sentence could hold a name."""

    ACCEPTED = "accepted"
    LEGAL_HOLD = "legal_hold"  # article 17(3)(e)
    LEGAL_DUTY = "legal_duty"  # 17(3)(b)
    DELIVERY_RUNNING = "delivery_running"  # 17(1)(a) does not hold yet
    CLAIM_RUNNING = "claim_running"  # 17(3)(e)
    COMPELLING_GROUNDS = "compelling_grounds"  # 21(1)
    IDENTITY_IN_DOUBT = "identity_in_doubt"  # 12(6)
    UNFOUNDED = "unfounded"  # 12(5)
    MANY_REQUESTS = "many_requests"  # 12(3): a longer time


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its person, or whoever answers it, sees it."""

    request_id: UUID
    account: UUID
    right: Right
    state: RequestState
    subject: Subject
    asked_at: dt.datetime
    due_at: dt.datetime
    extended_at: dt.datetime | None
    reason: Reason | None
    first_by: int | None
    first_at: dt.datetime | None
    decided_at: dt.datetime | None
    not_before: dt.datetime | None
    ended_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class MaskedContact:
    """Two people who can write to each other about one item."""

    ref: UUID
    reached_at: Mapping[VaultToken, str]  # a person -> the address at which the other one reaches them
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class ContactShown:
    """A masked contact as one of its two sides sees it."""

    ref: UUID
    item: UUID
    side: Kind  # of whoever looks: sender or addressee
    mine: VaultToken
    other: VaultToken
    write_to: str  # the address at which the other side is reached
    opened_at: dt.datetime
    until: dt.datetime
    closed_at: dt.datetime | None

    def open_at(self, now: dt.datetime) -> bool:
        """Return whether mail is passed on at a moment."""
        return self.closed_at is None and now < self.until


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody who can be the sender of a contact, and the addressee's own entry where an addressee asks."""

    token: VaultToken
    tenant: UUID
    addressee: VaultToken | None


MAIL_BYTES_MAX: Final = 256 * 1024  # of one message between two people


class Answer(enum.Enum):
    """What a mail server is told of a piece of mail: an SMTP reply (RFC 5321, RFC 3463) and an exit code (sysexits)."""

    PASSED = ("250 2.0.0 Accepted", 0)
    DROPPED = ("250 2.0.0 Accepted, and not passed on: nobody wrote this by hand", 0)
    UNKNOWN = ("550 5.1.1 No such address here", 67)
    UNREADABLE = ("554 5.6.0 This message cannot be read", 65)
    EMPTY = ("554 5.6.0 This message has no text: nothing else is passed on", 65)
    TOO_MANY = ("450 4.7.1 Too many messages in an hour: try again later", 75)
    LATER = ("451 4.3.0 Not now: try again later", 75)

    def __init__(self, reply: str, exit_code: int) -> None:
        self.reply = reply
        self.exit_code = exit_code


class BodyColumn(NamedTuple):
    """Where another room stores bodies of one kind, which nobody but their reader may read."""

    table: str
    column: str


class SealedBody(NamedTuple):
    """A body as it is stored, and the name of its key."""

    key: UUID
    sealed: bytes
