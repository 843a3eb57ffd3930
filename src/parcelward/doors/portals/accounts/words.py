"""What the account page says of sessions, roles and what happened, in plain words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from parcelward.doors.portals.desk_words import role_name, role_says, training_name
from parcelward.people.queries import HistoryLine, MembershipRow, PasskeyRow, SessionRow
from parcelward.people.wire import Role


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list on the account page."""

    id: UUID | None
    title: str
    detail: str
    at: object
    current: bool = False
    warn: bool = False


def _method(method: str) -> str:
    said = {"passkey": _("with a passkey"), "code": _("with a code by e-mail"), "second": _("with a second factor")}
    return said.get(method, "")


_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    *(("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "macOS")),
    ("Linux", "Linux"),
)


def seen_from(agent: str, address: str) -> str:
    """Return in words what a browser calls itself and where it came from; what we do not know is not guessed."""
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    named = _("%(browser)s on %(system)s") % {"browser": browser, "system": system} if browser and system else browser
    return " · ".join(part for part in (named, address) if part)


def session_row(row: SessionRow, *, here: UUID, seen_from: str) -> Row:
    """Return a session as a line."""
    title = _("This browser") if row.id == here else _("Another browser")
    detail = " · ".join(part for part in (_method(row.method), seen_from) if part)
    return Row(row.id, title, detail, row.seen_at, current=row.id == here)


def role_row(row: MembershipRow, *, acting: UUID | None) -> Row:
    """Return a role as a line."""
    title = f"{role_name(row.role).capitalize()} · {row.organisation}"
    return Row(row.id, title, role_says(row.role), row.since, current=row.id == acting)


def passkey(kind: str) -> str:
    """Return in words on what a passkey is. A name that was typed before kinds were chosen is not shown."""
    said = {
        "computer": _("On a computer"),
        "phone": _("On a phone"),
        "tablet": _("On a tablet"),
        "security_key": _("On a security key"),
    }
    return said.get(kind, _("Passkey"))


def passkeys(rows: Sequence[PasskeyRow]) -> dict[int, str]:
    """Return what each of somebody's passkeys is called; those on things of one kind are counted, oldest first."""
    alike = Counter(passkey(row.name) for row in rows)
    met: Counter[str] = Counter()
    called = {}
    for row in sorted(rows, key=lambda row: (row.made_at, row.id)):
        kind = passkey(row.name)
        met[kind] += 1
        called[row.id] = f"{kind} ({met[kind]})" if alike[kind] > 1 else kind
    return called


def history_row(row: HistoryLine) -> Row:
    """Return what happened as a sentence. What we have no words for is said as it is called."""
    said = {
        "joined": _("Your account was made."),
        "signed_in": _("You signed in."),
        "signed_in_new": _("You signed in from a browser that was new to us."),
        "session_ended": _("You signed out."),
        "sessions_ended": _("You signed out everywhere else."),
        "passkey_added": _("A passkey was added: %(detail)s."),
        "passkey_removed": _("A passkey was removed: %(detail)s."),
        "totp_on": _("Codes from an authenticator app were turned on."),
        "totp_off": _("Codes from an authenticator app were turned off."),
        "recovery_made": _("New recovery codes were made; older ones open nothing."),
        "recovery_used": _("A recovery code was used."),
        "role_begun": _("You were given a role: %(detail)s."),
        "role_ended": _("A role of yours ended: %(detail)s."),
        "locked": _("Your account was locked."),
        "unlocked": _("Your account was unlocked."),
        "certified": _("A training of yours was noted: %(detail)s."),
        "certificate_revoked": _("A certificate of yours was revoked: %(detail)s."),
        "re_enrolled": _("Your lost passkey was replaced at a counter."),
    }
    detail = role_name(Role(row.detail)) if row.kind.startswith("role_") else row.detail
    detail = _method(row.detail) if row.kind.startswith("signed_in") else detail
    detail = training_name(row.detail) if row.kind.startswith("certif") else detail
    detail = passkey(row.detail) if row.kind.startswith("passkey_") else detail
    title = said.get(row.kind, row.kind) % {"detail": detail}
    who = "" if row.by_self else _("Done by somebody who may.")
    return Row(None, title, who or (detail if row.kind.startswith("signed_in") else ""), row.at, warn="new" in row.kind)
