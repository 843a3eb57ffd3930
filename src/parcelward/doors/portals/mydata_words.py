"""What the pages about one's own data say: entries, looks, requests and reasons in plain words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from parcelward.doors.portals import moments
from parcelward.doors.portals.desk_words import role_name
from parcelward.people.wire import Role
from parcelward.privacy.wire import Asked, Field, Kind, Look, Purpose, Reason, RequestState, Right, Subject


def field_name(field: Field) -> str:
    """Return what a field is called."""
    said = {
        Field.NAME: _("name"),
        Field.EMAIL: _("e-mail address"),
        Field.PHONE: _("telephone number"),
        Field.ADDRESS: _("street and number"),
        Field.POSTCODE: _("postcode"),
        Field.LOCALITY: _("town"),
        Field.COUNTRY: _("country"),
        Field.DOCUMENT: _("kind of document"),
        Field.WHERE: _("internet address"),
        Field.AGENT: _("browser"),
        Field.BODY: _("a message or an answer of our system"),
    }
    return said[field]


def _listed(fields: Collection[Field]) -> str:
    place = {Field.ADDRESS, Field.POSTCODE, Field.LOCALITY}
    names = [_("address") if field is Field.ADDRESS else field_name(field) for field in Field if field in fields]
    if place <= set(fields):
        hidden = {field_name(Field.POSTCODE), field_name(Field.LOCALITY), field_name(Field.COUNTRY)}
        names = [name for name in names if name not in hidden]
    if len(names) < 2:  # noqa: PLR2004 -- one needs no "and"
        return "".join(names)
    return _("%(first)s and %(last)s") % {"first": ", ".join(names[:-1]), "last": names[-1]}


def entry_title(kind: Kind, fields: Collection[Field]) -> str:
    """Return what an entry of the vault is about."""
    if Field.WHERE in fields:
        return _("Where you signed in from")
    if Field.ADDRESS in fields:
        return _("An address of yours")
    if Field.EMAIL in fields or Field.PHONE in fields:
        return _("How we reach you")
    return _("Kept for a while, until we know you") if kind is Kind.PENDING else _("About you")


def _why(purpose: Purpose) -> str:
    said = {
        Purpose.SIGN_IN: _("to let you sign in"),
        Purpose.NOTICE: _("to send you a message"),
        Purpose.LETTER: _("to print a letter to you"),
        Purpose.DELIVERY: _("to deliver"),
        Purpose.COUNTER: _("at the counter"),
        Purpose.OWN_DATA: _("to answer what you asked"),
        Purpose.INVESTIGATION: _("for an investigation"),
        Purpose.CONTACT: _("so that you could be reached"),
        Purpose.LABEL: _("to print a label"),
        Purpose.HOUSEKEEPING: _("to see what can be forgotten"),
        Purpose.SECURITY: _("to keep your account safe"),
    }
    return said[purpose]


def _someone(role: str) -> str:
    if role == Role.MACHINERY:
        return _("Our system, nobody in person,")
    said = {
        Role.CLERK: _("A clerk"),
        Role.COURIER: _("A courier"),
        Role.INSPECTOR: _("An inspector"),
        Role.ADMINISTRATOR: _("An administrator"),
        Role.SENDER_MEMBER: _("Somebody of a sender"),
        Role.SENDER_ADMIN: _("Somebody of a sender"),
    }
    known = {str(name): words for name, words in said.items()}
    return known.get(role) or _("Somebody here (%(role)s)") % {"role": role_name(Role(role))}


@dataclass(frozen=True, slots=True)
class LookLine:
    """One look, as a sentence."""

    words: str
    own: bool


def look_line(look: Look, *, own_source: int) -> LookLine:
    """Return who looked at what and why: by role, never by name; one's own looks say so."""
    own = look.by == own_source
    values = {
        "who": _someone(look.role),
        "what": _listed(look.fields),
        "why": _why(look.purpose),
        "at": moments.element(look.at),
    }
    if own and look.about == "export":
        return LookLine(moments.sentence(_("You downloaded your data on %(at)s."), values), own)
    if own:
        return LookLine(moments.sentence(_("You opened your own %(what)s on %(at)s."), values), own)
    if look.searched:
        return LookLine(moments.sentence(_("%(who)s found you by your %(what)s %(why)s on %(at)s."), values), own)
    return LookLine(moments.sentence(_("%(who)s opened your %(what)s %(why)s on %(at)s."), values), own)


def right_name(right: Right, subject: Subject = Subject.NONE) -> str:
    """Return what was asked for."""
    said = {
        Right.EXPORT: _("A download of all data"),
        Right.CORRECT: _("A correction"),
        Right.ERASE: _("Erasing all data and the account"),
        Right.RESTRICT: _("Leaving the data alone"),
        Right.OBJECT: _("Objection to %(what)s"),
    }
    return said[right] % {"what": subject_name(subject)}


def subject_name(subject: Subject) -> str:
    """Return what an objection is to, within a sentence."""
    said = {
        Subject.NONE: "",
        Subject.NOTICES: _("messages about parcels"),
        Subject.CONTACT: _("being reached by couriers and senders"),
        Subject.INVESTIGATION: _("being looked at in investigations"),
    }
    return said[subject]


def subject_says(subject: Subject) -> str:
    """Return what follows when an objection is upheld."""
    said = {
        Subject.NONE: "",
        Subject.NOTICES: _("We would write to you no more when a parcel is on its way. Codes to sign in still come."),
        Subject.CONTACT: _("Nobody could reach you about a parcel; what cannot be delivered goes to a counter."),
        Subject.INVESTIGATION: _("We may refuse this where somebody's loss is being looked into, and would say so."),
    }
    return said[subject]


def reason_says(reason: Reason | None) -> str:
    """Return a reason as a sentence."""
    if reason is None:
        return ""
    said = {
        Reason.ACCEPTED: _("It was granted."),
        Reason.LEGAL_HOLD: _("A legal hold keeps your data: it is needed for a legal claim or a court."),
        Reason.LEGAL_DUTY: _("A law obliges us to keep it."),
        Reason.DELIVERY_RUNNING: _("A parcel of yours is under way and needs it."),
        Reason.CLAIM_RUNNING: _("A claim about a parcel is being decided and needs it."),
        Reason.COMPELLING_GROUNDS: _("There are compelling reasons to go on, which weigh more here."),
        Reason.IDENTITY_IN_DOUBT: _("We are not sure enough that it was you who asked."),
        Reason.UNFOUNDED: _("It was asked too often, or without any ground."),
        Reason.MANY_REQUESTS: _("Many people have asked, and it takes us longer."),
    }
    return said[reason]


def hold_says(holds: int) -> str:
    """Return what entries under a legal hold mean for an erasure; empty where there are none."""
    if not holds:
        return ""
    return _(
        "A legal hold keeps some of it: it is needed for a legal claim or a court. You can ask now; it is erased once "
        "the hold is lifted, or you read why not."
    )


def state_says(asked: Asked, *, now: dt.datetime) -> str:
    """Return where a request stands, and what comes next."""
    day = {"day": moments.day_element(asked.due_at), "until": moments.day_element(asked.not_before)}
    if asked.state is RequestState.OPEN and asked.due_at < now:
        late = _("We should have answered by %(day)s. You can complain to your data protection authority.")
        return moments.sentence(late, day)
    said = {
        RequestState.OPEN: _("We answer by %(day)s."),
        RequestState.WAITING: _("Agreed. Everything is erased after %(until)s; until then you can call it off."),
        RequestState.IN_FORCE: _("In force."),
        RequestState.DONE: _("Done."),
        RequestState.REFUSED: _("Refused."),
        RequestState.WITHDRAWN: _("Ended by you."),
    }
    return moments.sentence(said[asked.state], day)


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request as a list shows it."""

    asked: Asked
    title: str
    state: str
    reason: str
    days_left: int
    can_end: bool
    end: str


def request_line(asked: Asked, *, now: dt.datetime) -> RequestLine:
    """Return a request with its words."""
    can_end = asked.state in {RequestState.OPEN, RequestState.IN_FORCE, RequestState.WAITING}
    ends = {
        Right.RESTRICT: _("Let my data be used again"),
        Right.ERASE: _("Keep my data after all"),
        Right.OBJECT: _("Take my objection back"),
    }
    return RequestLine(
        asked,
        right_name(asked.right, asked.subject),
        state_says(asked, now=now),
        "" if asked.reason is Reason.ACCEPTED else reason_says(asked.reason),
        (asked.due_at - now).days,
        can_end,
        ends.get(asked.right, ""),
    )


def export_looks(looks: Collection[Look], *, own_source: int) -> list[dict[str, Any]]:
    """Return the trail for a machine: by role, never by name."""
    return [
        {
            "at": look.at.isoformat(),
            "by": "you" if look.by == own_source else look.role,
            "purpose": look.purpose.value,
            "fields": [field.value for field in look.fields],
            "about": look.about or None,
            "searched": look.searched,
        }
        for look in looks
    ]
