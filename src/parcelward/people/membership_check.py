"""Compare organisations, memberships, passkeys and second factors with their entries: part of `verify-log`.

Whoever can turn a membership's row gives a stranger a role; a passkey's row lets a stranger in as somebody else;
a second factor's row that is gone, or whose used codes are fresh again, leaves the first one alone on guard.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from uuid import UUID

from parcelward.base import db
from parcelward.custody.queries import Findings, Told, told
from parcelward.people.account_check import LOCKED
from parcelward.people.device_check import FACILITY_GIVEN, FACILITY_TAKEN_BACK
from parcelward.people.rules import login_hash

ORGANISATION_MADE: Final = "people.organisation_made"
SUSPENDED: Final = "people.organisation_suspended"
RESUMED: Final = "people.organisation_resumed"
MEMBER_BEGAN: Final = "people.member_began"
MEMBER_ENDED: Final = "people.member_ended"
HANDED_OVER: Final = "people.organisation_handed_over"
PASSKEY_ADDED: Final = "people.passkey_added"
PASSKEY_REMOVED: Final = "people.passkey_removed"
INVITATION_TAKEN: Final = "people.invitation_taken"  # by somebody who had an account
INVITATION_WITHDRAWN: Final = "people.invitation_withdrawn"
SECOND_FACTOR: Final = "people.second_factor"
RE_ENROLLED: Final = "people.re_enrolled"


def check_memberships(findings: Findings) -> None:
    """Note every organisation, membership, passkey and second factor whose row is not what the log's entries say."""
    _check_organisations(findings)
    _check_members(findings)
    _check_passkeys(findings)
    _check_second_factors(findings)
    _check_places(findings)


def _rows(statement: str) -> dict[str, tuple[Any, ...]]:
    with db.cursor() as cur:
        cur.execute(statement)
        return {str(row[0]): tuple(row[1:]) for row in cur.fetchall()}


def _check_organisations(findings: Findings) -> None:
    stored = _rows("SELECT id, kind, name, simulated, suspended_at FROM people_organisation")
    made: dict[str, Told] = {}
    last: dict[str, Told] = {}
    for entry in told(ORGANISATION_MADE, SUSPENDED, RESUMED):
        which = made if entry.kind == ORGANISATION_MADE else last
        which[entry.said["organisation"]] = entry
    for each, entry in made.items():
        row = stored.pop(each, None)
        if row is None:
            what = f"Organisation {each} was made and its row is gone."
            findings.note(what, differs="organisation", index=entry.place)
            continue
        kind, name, simulated, suspended_at = row
        said, ended = entry.said, last.get(each)
        was = ended.said["suspended_at"] if ended is not None and ended.kind == SUSPENDED else None
        is_now = None if suspended_at is None else suspended_at.isoformat()
        if (kind, simulated) != (said["of_kind"], said["simulated"]) or login_hash(UUID(each), name) != said["name"]:
            words = f"Organisation {each} is not of the kind or name that it was made with."
            findings.note(words, differs="organisation", index=entry.place)
        elif was != is_now:
            words = f"Organisation {each} is suspended or not, and the last entry says otherwise."
            findings.note(words, differs="organisation", index=(ended or entry).place)
    for each in stored:
        findings.note(f"Organisation {each} is in the table and no entry made it.", differs="organisation")


def _check_members(findings: Findings) -> None:
    stored = _rows("SELECT id, organisation_id, user_id, role, owner, since, ended_at FROM people_membership")
    began: dict[str, Told] = {}
    ended: dict[str, Told] = {}
    for entry in told(MEMBER_BEGAN, MEMBER_ENDED):
        which = began if entry.kind == MEMBER_BEGAN else ended
        which[entry.said["membership"]] = entry
    for each, entry in began.items():
        row = stored.pop(each, None)
        what = _member_problem(entry, ended.get(each), row)
        if what:
            findings.note(f"Membership {each} {what}.", differs="membership", index=(ended.get(each) or entry).place)
    for each in stored:
        findings.note(f"Membership {each} is in the table and no entry began it.", differs="membership")


def _member_problem(entry: Told, end: Told | None, row: tuple[Any, ...] | None) -> str:
    if row is None:
        return "began and its row is gone"
    organisation, user, role, owner, since, ended_at = row
    said = entry.said
    if (str(organisation), str(user)) != (said["organisation"], said["person"]):
        return "is of another organisation or person than it began with"
    if (role, owner) != (said["role"], said["owner"]):
        return "has another role than it began with"
    if since != dt.datetime.fromisoformat(said["since"]):
        return "began at another moment than its row says"
    if end is None:
        return "ended in the table and no entry says so" if ended_at is not None else ""
    if ended_at is None:
        return "ended and its row says that it did not"
    return "" if ended_at == dt.datetime.fromisoformat(end.said["ended_at"]) else "ended at another moment"


def _check_passkeys(findings: Findings) -> None:
    stored = _rows(
        "SELECT encode(p.credential, 'hex'), p.user_id, encode(p.key_digest, 'hex') FROM people_passkey p "
        "JOIN mfa_authenticator a ON a.id = p.authenticator_id AND a.user_id = p.user_id"
    )
    open_ones: dict[str, Told] = {}
    for entry in told(PASSKEY_ADDED, PASSKEY_REMOVED):
        if entry.kind == PASSKEY_ADDED:
            open_ones[entry.said["credential"]] = entry
        else:
            open_ones.pop(entry.said["credential"], None)
    for each, entry in open_ones.items():
        row = stored.pop(each, None)
        if row is None:
            findings.note(f"Passkey {each[:12]} was added and its row is gone.", differs="passkey", index=entry.place)
        elif (str(row[0]), row[1]) != (entry.said["person"], entry.said["key"]):
            words = f"Passkey {each[:12]} is of another person or key than it was added with."
            findings.note(words, differs="passkey", index=entry.place)
    for each in stored:
        findings.note(f"Passkey {each[:12]} is in the table and no entry added it.", differs="passkey")


def _check_second_factors(findings: Findings) -> None:
    """Note whose codes of an app, or recovery codes, are not those that they turned on, and how many of these are used.

    What is sealed in a row is bound to its account by its encryption, and opened by nobody here.
    """
    said: dict[tuple[str, str], int] = {}  # (person, type) -> how many of its codes were used
    where: dict[str, int | None] = {}
    for entry in told(SECOND_FACTOR, RE_ENROLLED, LOCKED):
        person, what = str(entry.said.get("person")), entry.said.get("what")
        where[person] = entry.place
        if what == "totp_on":
            said[person, "totp"] = 0
        elif what == "recovery_made":
            said[person, "recovery_codes"] = 0
        elif what == "recovery_used":
            said[person, "recovery_codes"] = said.get((person, "recovery_codes"), 0) + 1
        elif what == "totp_off":
            said.pop((person, "totp"), None)
        elif entry.kind == RE_ENROLLED or entry.said.get("closed"):
            said.pop((person, "totp"), None)
            said.pop((person, "recovery_codes"), None)
    with db.cursor() as cur:
        cur.execute(
            "SELECT user_id::text, type, bit_count((coalesce(data->>'used_mask', '0')::bigint)::bit(64)) "
            "FROM mfa_authenticator WHERE type <> 'webauthn'"
        )
        stored = {(person, kind): used for person, kind, used in cur.fetchall()}
    for person in sorted({person for (person, kind), used in said.items() ^ stored.items()}):
        words = f"The second factors of the person {person} are not those that they turned on and used."
        findings.note(words, differs="second_factor", index=where.get(person))


def _check_places(findings: Findings) -> None:
    """Note every place that a contractor has, or has not, otherwise than the operator's entries say."""
    stored = _rows("SELECT id, organisation_id::text, facility, granted_by_id, ended_at FROM people_facilitygrant")
    given: dict[str, Told] = {}
    back: dict[str, Told] = {}
    for entry in told(FACILITY_GIVEN, FACILITY_TAKEN_BACK):
        (given if entry.kind == FACILITY_GIVEN else back)[entry.said["grant"]] = entry
    for each, entry in given.items():
        said, end = entry.said, back.get(each)
        was = (
            said["organisation"],
            said["facility"],
            said["by"],
            end and dt.datetime.fromisoformat(end.said["ended_at"]),
        )
        if stored.pop(each, None) != was:
            words = f"Place {said['facility']} is given to a contractor otherwise than the entries say."
            findings.note(words, differs="facility_grant", index=(end or entry).place)
    for each in stored:
        findings.note(f"Grant {each} of a place is in the table and no entry made it.", differs="facility_grant")
