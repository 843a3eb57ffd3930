"""Compare the table of devices with the entries that enrolled and revoked them: part of `verify-log`.

Whoever can turn a device's row can sign in its name: by another key, by waking one that was revoked, by enrolling one
that nobody decided on. So the table, which every batch is checked against, must be what the log's entries add up to.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from parcelward.base import db
from parcelward.custody import queries as custody
from parcelward.custody.queries import Findings
from parcelward.people.rules import key_id_of

ENROLLED: Final = "people.device_enrolled"
REVOKED: Final = "people.device_revoked"
OPENED: Final = "people.enrolment_opened"
WITHDRAWN: Final = "people.enrolment_withdrawn"
FACILITY_GIVEN: Final = "people.facility_given"
FACILITY_TAKEN_BACK: Final = "people.facility_taken_back"
FACILITY: Final = re.compile(r"([A-Z0-9][A-Z0-9._-]{1,19})?")


@dataclass(slots=True)
class _Said:
    """What the log says of a device; the places are None while an entry waits for its own."""

    key: bytes
    source: int
    enrolled_index: int | None
    revoked: bool = False
    revoked_index: int | None = None
    revoked_at: dt.datetime | None = None  # None, too, where an entry of an older version says none
    facility: str | None = None  # None, as above
    organisation: str | None = None  # None: the operator's


class _Row(NamedTuple):
    key_id: str
    key: bytes
    source: int
    facility: str
    revoked_at: dt.datetime | None
    organisation: UUID | None


class EnrolledKey(NamedTuple):
    """A device's key as the log's entry that enrolled it says, and where that entry is."""

    device: UUID
    key: bytes
    source: int
    signatures_kept: bool  # since it was enrolled; False of a device that an older version enrolled
    batch: int
    leaf: int

    @property
    def key_id(self) -> str:
        """The name under which the key signs."""
        return key_id_of(self.key)


def enrolled_keys(sources: Iterable[int] | None = None) -> dict[int, EnrolledKey]:
    """Return the key of each source that is a device, revoked ones included; of all where `sources` is None."""
    wanted = None if sources is None else frozenset(sources)
    found: dict[int, EnrolledKey] = {}
    with db.cursor() as cur:
        cur.execute("SELECT body, batch, leaf FROM custody_fact WHERE kind = %s ORDER BY batch", (ENROLLED,))
        for packed, batch, leaf in cur.fetchall():
            body = json.loads(bytes(packed))
            source = int(body["source"])
            if wanted is None or source in wanted:
                device, key, kept = UUID(body["device"]), bytes.fromhex(body["key"]), body.get("signatures") == "kept"
                found[source] = EnrolledKey(device, key, source, kept, batch, leaf)
    return found


def check_devices(findings: Findings) -> None:
    """Note every device whose row is not what the log's entries say."""
    said, stored = _from_entries(findings), _from_table()
    for device in stored.keys() - said.keys():
        findings.note(f"Device dev_{device.hex} is in the table and no entry enrolled it.", differs="device")
    for device, told in said.items():
        what, index = _problem(told, stored.get(device))
        if what:
            findings.note(f"Device dev_{device.hex} {what}.", differs="device", index=index)
    _check_enrolments(findings)


def _check_enrolments(findings: Findings) -> None:
    """Note every code that no entry made, or that is not as it was made: whoever holds one becomes a device."""
    made = {entry.said["enrolment"]: entry for entry in custody.told(OPENED)}
    withdrawn = {entry.said["enrolment"] for entry in custody.told(WITHDRAWN)}
    taken = {entry.said["enrolment"]: entry.said["device"] for entry in custody.told(ENROLLED) if _by_code(entry.said)}
    with db.cursor() as cur:
        cur.execute(
            "SELECT id::text, digest, name, facility, organisation_id::text, made_by_id, expires_at, device_id::text, "
            "withdrawn_at FROM people_enrolment"
        )
        stored = {row[0]: row[1:] for row in cur.fetchall()}
    for enrolment in taken.keys() - made.keys() | stored.keys() - made.keys():
        findings.note(f"Enrolment {enrolment} has no entry that made it.", differs="enrolment")
    for enrolment, (_, said, index) in made.items():
        digest, name, facility, organisation, by, expires_at, device, ended = stored.get(enrolment, (b"",) * 8)
        is_now = bytes(digest).hex(), name, facility, organisation, by, device
        was = *(said[each] for each in ("digest", "name", "facility", "organisation", "by")), taken.get(enrolment)
        if is_now != was or expires_at.isoformat() != said["expires_at"]:
            what = f"Enrolment {enrolment} is gone, or is not as it was made and taken."
            findings.note(what, differs="enrolment", index=index)
        elif (ended is not None) != (enrolment in withdrawn):
            what = f"Enrolment {enrolment} is withdrawn in its row or in the log, and not in both."
            findings.note(what, differs="enrolment", index=index)


def _by_code(said: dict[str, Any]) -> bool:
    return said.get("enrolment") is not None


def _from_entries(findings: Findings) -> dict[UUID, _Said]:
    said: dict[UUID, _Said] = {}
    for kind, body, index in custody.told(ENROLLED, REVOKED):
        device = UUID(body["device"])
        if kind == ENROLLED:
            key, source = bytes.fromhex(body["key"]), int(body["source"])
            said[device] = _Said(
                key, source, index, facility=body.get("facility"), organisation=body.get("organisation")
            )
        elif device in said:
            mine = said[device]
            mine.revoked, mine.revoked_index = True, index
            mine.revoked_at = dt.datetime.fromisoformat(body["revoked_at"]) if "revoked_at" in body else None
        else:
            what = f"Device dev_{device.hex} was revoked and never enrolled."
            findings.note(what, differs="device", index=index)
    return said


def _from_table() -> dict[UUID, _Row]:
    with db.cursor() as cur:
        cur.execute(
            "SELECT id, key_id, public_key, source_id, facility, revoked_at, organisation_id FROM people_device"
        )
        return {device: _Row(key_id, bytes(key), *rest) for device, key_id, key, *rest in cur.fetchall()}


def _problem(told: _Said, row: _Row | None) -> tuple[str, int | None]:
    """Return what is wrong with a row and the entry that it contradicts; empty words if nothing is."""
    if row is None:
        return "was enrolled and its row is gone", told.enrolled_index
    facility = row.facility if told.facility is None else told.facility
    organisation = None if row.organisation is None else str(row.organisation)
    for was, is_now, words in (
        (told.key, row.key, "has another public key than it was enrolled with"),
        (key_id_of(told.key), row.key_id, "has a key id that is not its key's"),
        (told.source, row.source, "sends as another source than it was enrolled as"),
        (facility, row.facility, "belongs to another facility than it was enrolled for"),
        (told.organisation, organisation, "belongs to another organisation than it was enrolled for"),
    ):
        if was != is_now:
            return words, told.enrolled_index
    if told.revoked and row.revoked_at is None:
        return "was revoked and its row says that it is not", told.revoked_index
    if row.revoked_at is not None and not told.revoked:
        return "is revoked in the table and no entry revoked it", told.enrolled_index
    if told.revoked_at is not None and row.revoked_at != told.revoked_at:
        return "was revoked at another moment than its row says", told.revoked_index
    return "", None
