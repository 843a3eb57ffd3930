"""Devices that are turned afterwards: `verify-log` finds each. All is rolled back."""

from __future__ import annotations

import dataclasses
import os
import uuid
from collections.abc import Iterator

import pytest
from tests.laws.test_tamper_laws import change, rows, undone
from tests.scanner import until

from parcelward.base import config
from parcelward.custody import actions as custody
from parcelward.custody.errors import EntryDiffers
from parcelward.parcels.queries import verify_log
from parcelward.people import actions as people
from parcelward.people.rules import key_id_of


@dataclasses.dataclass(frozen=True)
class Enrolled:
    """Two devices, one of which was revoked, and the entries that say so."""

    active: uuid.UUID
    revoked: uuid.UUID
    enrolment: int
    enrolment_of_revoked: int
    revocation: int


def _place(kind: str, device: uuid.UUID) -> int:
    (found,) = rows(
        "SELECT l.first_index + f.leaf AS index FROM custody_fact f JOIN custody_logbatch l ON l.batch = f.batch "
        "WHERE f.kind = %s AND convert_from(f.body, 'UTF8')::jsonb ->> 'device' = %s",
        kind,
        str(device),
    )
    return int(found["index"])


@pytest.fixture(scope="module")
def enrolled(installation) -> Enrolled:
    by = people.installer()
    active = people.enrol_device("stays", os.urandom(32), by=by).device_id
    revoked = people.enrol_device("goes", os.urandom(32), by=by).device_id
    people.revoke_device(revoked, by=by)
    until(lambda: not rows("SELECT 1 FROM custody_pendingbatch"))
    return Enrolled(
        active,
        revoked,
        _place("people.device_enrolled", active),
        _place("people.device_enrolled", revoked),
        _place("people.device_revoked", revoked),
    )


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    with undone():
        yield


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
    with pytest.raises(EntryDiffers, match=words) as caught:
        verify_log(config.get())
    assert (caught.value.differs, caught.value.first) == ("device", dataclasses.asdict(enrolled)[entry])
    device = enrolled.active if entry == "enrolment" else enrolled.revoked
    assert f"dev_{device.hex}" in str(caught.value)


def test_a_device_that_nobody_enrolled_is_found(enrolled: Enrolled) -> None:
    key, device = os.urandom(32), uuid.uuid4()
    change(
        "WITH s AS (INSERT INTO people_source (kind, name, simulated) VALUES ('device', 'mine', false) "
        "RETURNING number) INSERT INTO people_device (id, source_id, key_id, public_key, facility, enrolled_at) "
        "SELECT %s, number, %s, %s, '', now() FROM s",
        device,
        key_id_of(key),
        key,
    )
    with pytest.raises(EntryDiffers, match=f"dev_{device.hex} is in the table and no entry enrolled it") as caught:
        verify_log(config.get())
    assert (caught.value.differs, caught.value.first) == ("device", None)


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
    with pytest.raises(EntryDiffers) as caught:
        verify_log(config.get())
    assert (caught.value.differs, caught.value.first) == ("fact", enrolled.enrolment)
