"""Compare requests that need two people, invitations and certificates with their entries: part of `verify-log`.

Whoever could turn these rows would give rights that no two people gave: a request that looks agreed to, an invitation
to another role or with another code, a certificate that was never noted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any, Final
from uuid import UUID

from parcelward.base import db
from parcelward.custody.queries import Findings, Told, told
from parcelward.people.account_check import ADDED
from parcelward.people.membership_check import INVITATION_TAKEN, INVITATION_WITHDRAWN, RE_ENROLLED
from parcelward.people.roles import NEED_SECOND

ASKED: Final = "people.two_asked"
AGREED: Final = "people.two_agreed"
REFUSED: Final = "people.two_refused"
WITHDRAWN: Final = "people.two_withdrawn"
LAPSED: Final = "people.two_lapsed"
INVITED: Final = "people.invited"
INVITATION_AGREED: Final = "people.invitation_agreed"
INVITATION_CODE: Final = "people.invitation_code_renewed"
CERTIFIED: Final = "people.certified"
CERTIFICATE_REVOKED: Final = "people.certificate_revoked"
OUTCOMES: Final = {AGREED: "agreed", REFUSED: "refused", WITHDRAWN: "withdrawn", LAPSED: "lapsed"}


def reason_hash(request_id: UUID, reason: str) -> str:
    """Return what an entry says of a request's reason: a hash that holds it to this request."""
    return hashlib.sha256(b"parcelward/v1/two-reason\x00" + request_id.bytes + reason.encode()).hexdigest()


def check_two_people(findings: Findings) -> None:
    """Note every request, invitation and certificate whose row is not what the log's entries say."""
    _check_requests(findings)
    _check_invitations(findings)
    _check_certificates(findings)


def _rows(statement: str) -> dict[str, tuple[Any, ...]]:
    with db.cursor() as cur:
        cur.execute(statement)
        return {str(row[0]): tuple(row[1:]) for row in cur.fetchall()}


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def _check_requests(findings: Findings) -> None:
    stored = _rows(
        "SELECT id, task, subject, about::text, reason, asked_by_id, asked_at, expires_at, outcome, closed_by_id, "
        "closed_at, id FROM people_twopeople"
    )
    asked: dict[str, Told] = {}
    closed: dict[str, Told] = {}
    for entry in told(ASKED, *OUTCOMES):
        each = entry.said["request"]
        if entry.kind == ASKED:
            asked[each] = entry
            continue
        if each not in asked or each in closed:
            what = "was settled twice" if each in closed else "was settled and nobody had asked"
            findings.note(f"Request {each} {what}.", differs="two_people", index=entry.place)
        elif entry.kind in {AGREED, REFUSED} and entry.said["by"] == asked[each].said["by"]:
            findings.note(f"Request {each} was settled by who asked.", differs="two_people", index=entry.place)
        closed[each] = entry
    for each, entry in asked.items():
        said, end = entry.said, closed.get(each)
        row = stored.pop(each, None)
        place = (end or entry).place
        if row is None:
            findings.note(f"Request {each} was made and its row is gone.", differs="two_people", index=place)
            continue
        was: tuple[Any, ...] = (said["of_task"], said["subject"], said["about"], said["reason"], said["by"])
        was += (_time(said["asked_at"]), _time(said["expires_at"]))
        was += ("", None, None) if end is None else (OUTCOMES[end.kind], end.said["by"], _time(end.said["closed_at"]))
        stands = (*row[:2], json.loads(row[2]), reason_hash(row[10], row[3]), *row[4:10])
        if was != stands:
            what = f"Request {each} for two people is not what the log's entries say."
            findings.note(what, differs="two_people", index=place)
    for each in stored:
        findings.note(f"Request {each} is in the table and nobody asked.", differs="two_people")


def _check_invitations(findings: Findings) -> None:
    stored = _rows(
        "SELECT id, organisation_id, role, owner, expires_at, made_by_id, encode(digest, 'hex'), agreed_by_id, "
        "withdrawn_at, CASE WHEN re_enrols THEN user_id END, taken_at FROM people_invitation"
    )
    made: dict[str, Told] = {}
    agreed: dict[str, Told] = {}
    withdrawn: dict[str, Told] = {}
    by_kind = {INVITED: made, INVITATION_AGREED: agreed, INVITATION_WITHDRAWN: withdrawn}
    for entry in told(*by_kind):
        by_kind[entry.kind][entry.said["invitation"]] = entry
    taken = {entry.said.get("invitation") for entry in told(ADDED, INVITATION_TAKEN, RE_ENROLLED)}
    guarded = {role.value for role in NEED_SECOND}
    consoles = {
        row[0]
        for row in _rows(
            "SELECT number, number FROM people_source WHERE name = 'console' "
            "AND kind = 'person' AND number NOT IN (SELECT source_id FROM people_user)"
        ).values()
    }
    for each, entry in made.items():
        said, row = entry.said, stored.pop(each, None)
        if row is None:
            findings.note(f"Invitation {each} was made and its row is gone.", differs="invitation", index=entry.place)
            continue
        was = (said["organisation"], said["role"], said["owner"], _time(said["expires_at"]), said["by"])
        second = agreed[each].said["by"] if each in agreed else said.get("agreed_by")
        if each in taken and second is None and said["role"] in guarded and said["by"] not in consoles:
            what = f"Invitation {each} was taken, to a role that takes two people, and nobody agreed to it."
            findings.note(what, differs="invitation", index=entry.place)
        if second == said["by"]:
            what = f"Invitation {each} was agreed to by who made it."
            findings.note(what, differs="invitation", index=agreed[each].place if each in agreed else entry.place)
        stands = (str(row[0]), *row[1:5])
        same = (was, second, each in withdrawn) == (stands, row[6], row[7] is not None)
        same &= said.get("re_enrols") == (row[8] and str(row[8]))  # whose lost passkey it replaces
        same &= (each in taken) == (row[9] is not None)
        if not same or said.get("code", row[5]) != row[5]:
            what = f"Invitation {each} is not what the log's entries say."
            findings.note(what, differs="invitation", index=entry.place)
    for each in stored:
        findings.note(f"Invitation {each} is in the table and nobody made it.", differs="invitation")


def _check_certificates(findings: Findings) -> None:
    stored = _rows(
        "SELECT id, user_id, training, valid_from, valid_until, noted_by_id, revoked_at IS NOT NULL, revoked_by_id "
        "FROM people_certificate"
    )
    noted: dict[str, Told] = {}
    revoked: dict[str, Told] = {}
    for entry in told(CERTIFIED, CERTIFICATE_REVOKED):
        (noted if entry.kind == CERTIFIED else revoked)[entry.said["certificate"]] = entry
    for each, entry in noted.items():
        said, end, row = entry.said, revoked.get(each), stored.pop(each, None)
        if row is None:
            findings.note(
                f"Certificate {each} was noted and its row is gone.", differs="certificate", index=entry.place
            )
            continue
        was: tuple[Any, ...] = (said["person"], said["training"], said["valid_from"], said["valid_until"], said["by"])
        was += (end is not None, None if end is None else end.said["by"])
        stands = (str(row[0]), row[1], row[2].isoformat(), row[3].isoformat(), *row[4:])
        if was != stands:
            what = f"Certificate {each} is not what the log's entries say."
            findings.note(what, differs="certificate", index=(end or entry).place)
    for each in stored:
        findings.note(f"Certificate {each} is in the table and nobody noted it.", differs="certificate")
