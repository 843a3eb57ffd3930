"""Devices that are turned afterwards: `verify-log` finds each. All is rolled back."""

from __future__ import annotations

import dataclasses
import uuid

import pytest
from tests.laws.tampering import change, difference, place, sequenced
from tests.scanner import public_key

from parcelward.base import config
from parcelward.custody import actions as custody
from parcelward.parcels.queries import verify_log
from parcelward.people import actions as people
from parcelward.people.rules import key_id_of

pytestmark = pytest.mark.usefixtures("clean")


@dataclasses.dataclass(frozen=True)
class Enrolled:
    """Two devices, one of which was revoked, and the entries that say so."""

    active: uuid.UUID
    revoked: uuid.UUID
    enrolment: int
    enrolment_of_revoked: int
    revocation: int


@pytest.fixture(scope="module")
def enrolled(installation) -> Enrolled:
    by = people.installer()
    active = people.enrol_device("stays", public_key(), by=by).device_id
    revoked = people.enrol_device("goes", public_key(), by=by).device_id
    people.revoke_device(revoked, by=by)
    sequenced()
    return Enrolled(
        active,
        revoked,
        place("people.device_enrolled", "device", active),
        place("people.device_enrolled", "device", revoked),
        place("people.device_revoked", "device", revoked),
    )


# What is done -> (the statement, which entry it contradicts, the words).
TURNED = {
    "another key": (
        (
            "UPDATE people_device SET public_key = set_byte(public_key, 0, get_byte(public_key, 0) # 1) "
            "WHERE id = %(active)s"
        ),
        "enrolment",
        "another public key",
    ),
    "another key id": (
        "UPDATE people_device SET key_id = 'dev-00000000000000000000' WHERE id = %(active)s",
        "enrolment",
        "a key id that is not its key's",
    ),
    "another source": (
        (
            "UPDATE people_device SET source_id = (SELECT number FROM people_source s WHERE NOT EXISTS "
            "(SELECT FROM people_device d WHERE d.source_id = s.number) LIMIT 1) WHERE id = %(active)s"
        ),
        "enrolment",
        "another source",
    ),
    "gone": ("DELETE FROM people_device WHERE id = %(active)s", "enrolment", "its row is gone"),
    "gone after it was revoked": (
        "DELETE FROM people_device WHERE id = %(revoked)s",
        "enrolment_of_revoked",
        "its row is gone",
    ),
    "awake again": (
        "UPDATE people_device SET revoked_at = NULL WHERE id = %(revoked)s",
        "revocation",
        "its row says that it is not",
    ),
    "revoked at another moment": (
        "UPDATE people_device SET revoked_at = revoked_at + interval '1 us' WHERE id = %(revoked)s",
        "revocation",
        "another moment",
    ),
    "revoked by nobody": (
        "UPDATE people_device SET revoked_at = now() WHERE id = %(active)s",
        "enrolment",
        "no entry revoked it",
    ),
}


@pytest.mark.parametrize("what", TURNED)
def test_a_turned_device_is_found_at_the_entry_that_it_contradicts(enrolled: Enrolled, what: str) -> None:
    statement, entry, words = TURNED[what]
    assert verify_log(config.get()).facts > 0
    change(statement, dataclasses.asdict(enrolled))
    first = difference()
    assert words in str(first)
    assert (first.differs, first.first) == ("device", dataclasses.asdict(enrolled)[entry])
    device = enrolled.active if entry == "enrolment" else enrolled.revoked
    assert f"dev_{device.hex}" in str(first)


def test_a_device_that_nobody_enrolled_is_found(enrolled: Enrolled) -> None:
    key, device = public_key(), uuid.uuid4()
    change(
        "WITH s AS (INSERT INTO people_source (kind, name, simulated) VALUES ('device', 'mine', false) "
        "RETURNING number) INSERT INTO people_device (id, source_id, key_id, public_key, facility, enrolled_at) "
        "SELECT %s, number, %s, %s, '', now() FROM s",
        device,
        key_id_of(key),
        key,
    )
    first = difference()
    assert f"dev_{device.hex} is in the table and no entry enrolled it" in str(first)
    assert (first.differs, first.first) == ("device", None)


def test_a_revocation_of_an_older_version_says_no_moment_and_holds(enrolled: Enrolled) -> None:
    change("UPDATE people_device SET revoked_at = now() WHERE id = %(active)s", dataclasses.asdict(enrolled))
    custody.record_fact("people.device_revoked", {"by": 1, "device": str(enrolled.active)})
    assert verify_log(config.get()).facts > 0


def test_a_fact_that_was_turned_along_with_the_device_is_found_as_before(enrolled: Enrolled) -> None:
    change("DELETE FROM people_device WHERE id = %(active)s", dataclasses.asdict(enrolled))
    change(
        "DELETE FROM custody_fact WHERE kind = 'people.device_enrolled' "
        "AND convert_from(body, 'UTF8')::jsonb ->> 'device' = %s",
        str(enrolled.active),
    )
    first = difference()
    assert (first.differs, first.first) == ("fact", enrolled.enrolment)
