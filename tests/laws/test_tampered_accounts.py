"""API keys, people, sources and places that are turned afterwards: `verify-log` finds each. All is rolled back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import uuid

import pytest
from tests.laws.tampering import change, difference, place, rows, sequenced
from tests.scanner import public_key

from parcelward.base import config
from parcelward.custody import actions as custody
from parcelward.network import actions as network
from parcelward.network.wire import Hours
from parcelward.parcels.queries import verify_log
from parcelward.people import actions as people
from parcelward.people import queries as people_queries
from parcelward.people.models import ApiKey, Organisation, Passkey, User
from parcelward.people.wire import OrganisationKind, Role

pytestmark = pytest.mark.usefixtures("clean")


@dataclasses.dataclass(frozen=True)
class Known:
    """Whom and what there is to turn: ids, sources, a place that no event names, and where the log tells of each."""

    key: uuid.UUID
    key_source: int
    ended: uuid.UUID
    ended_source: int
    person: uuid.UUID
    person_source: int
    locked: uuid.UUID
    locked_source: int
    unlocked: uuid.UUID
    unlocked_source: int
    tenant: uuid.UUID
    keyed: uuid.UUID
    device_source: int
    code: str
    other: str


@pytest.fixture(scope="module")
def known(installation, staff) -> Known:
    by = people.installer()

    def key(name: str) -> ApiKey:
        token = people.make_key(name, Role.PARTNER, by=by, mode="test", simulated=True)
        return ApiKey.objects.get(pk=people_queries.key_holder(token).id)

    stays, ends = key("partner that stays"), key("partner that goes")
    people.revoke_key(ends.id, by=by)

    def person() -> User:
        login = f"staff-{os.urandom(4).hex()}"
        operator = Organisation.objects.get(kind="operator")
        _id, code = people.invite(operator.id, Role.CLERK, by=by, login=login)
        return people.join(code, user_id=uuid.uuid4(), now=dt.datetime.now(dt.UTC))[0]

    user, locked, unlocked = person(), person(), person()
    tenant = people.make_organisation(OrganisationKind.SENDER, "Turned Shop", by=by, simulated=True)
    people.suspend_organisation(tenant, by=by)
    staff("clerk")
    keyed = Passkey.objects.filter(user__membership__role="clerk").latest("authenticator__created_at").user_id
    for out in (locked, unlocked):
        people.lock_person(out.login, by=by)
    people.unlock_person(unlocked.login, by=by)
    device = people.enrol_device("turned device", public_key(), by=by, facility="TEST-A", simulated=True)
    (source,) = rows("SELECT source_id FROM people_device WHERE id = %s", device.device_id)
    code, other = (f"Q-{os.urandom(4).hex().upper()}" for _ in range(2))
    for each in (code, other):
        network.put_facility(
            each,
            name="Quiet",
            kind="hub",
            country="US",
            time_zone="UTC",
            coarse_place="Quiet",
            position=(5, 52.25),
            simulated=True,
            by=by,
        )
    network.put_lane(code, other, usual_duration_s=60, departures=["07:30"], mode="road", by=by)
    network.put_calendar(code, hours=(), closed_days=[dt.date(2026, 12, 25)], by=by)
    # The calendar that follows says all anew.
    network.put_calendar(other, hours=(), closed_days=[dt.date(2026, 12, 24)], by=by)
    network.put_calendar(other, hours=[Hours(1, "09:00", "17:30")], closed_days=[dt.date(2026, 12, 26)], by=by)
    network.put_network_calendar(closed_days=[dt.date(2026, 12, 31)], by=by)
    sequenced()
    return Known(
        *(stays.id, stays.source_id, ends.id, ends.source_id, user.id, user.source_id),
        locked=locked.id,
        locked_source=locked.source_id,
        unlocked=unlocked.id,
        unlocked_source=unlocked.source_id,
        tenant=tenant,
        keyed=keyed,
        device_source=source["source_id"],
        code=code,
        other=other,
    )


# What is done -> (the statement, the entry it contradicts, what differs, the words).
TURNED = {
    "somebody's codes go to another mailbox": (
        "UPDATE people_user SET token = gen_random_uuid() WHERE id = %(person)s",
        *("person", "person", "another address"),
    ),
    "another role of a key": (
        "UPDATE people_apikey SET role = 'administrator' WHERE id = %(key)s",
        *("key", "api_key", "another role"),
    ),
    "another token of a key": (
        "UPDATE people_apikey SET digest = set_byte(digest, 0, get_byte(digest, 0) # 1) WHERE id = %(key)s",
        *("key", "api_key", "another token"),
    ),
    "another beginning of a key": (
        "UPDATE people_apikey SET prefix = 'pw_live_abcdef' WHERE id = %(key)s",
        *("key", "api_key", "another beginning"),
    ),
    "another end of a key": (
        "UPDATE people_apikey SET expires_at = now() + interval '1 day' WHERE id = %(key)s",
        *("key", "api_key", "another moment"),
    ),
    "another id of a key": (
        "UPDATE people_apikey SET id = gen_random_uuid() WHERE id = %(key)s",
        *("key", "api_key", "another id"),
    ),
    "a key gone": ("DELETE FROM people_apikey WHERE id = %(key)s", "key", "api_key", "its row is gone"),
    "a key awake again": (
        "UPDATE people_apikey SET revoked_at = NULL WHERE id = %(ended)s",
        *("revocation", "api_key", "its row says that it is not"),
    ),
    "a key revoked earlier": (
        "UPDATE people_apikey SET revoked_at = revoked_at - interval '1 us' WHERE id = %(ended)s",
        *("revocation", "api_key", "another moment"),
    ),
    "a key revoked by nobody": (
        "UPDATE people_apikey SET revoked_at = now() WHERE id = %(key)s",
        *("key", "api_key", "no entry revoked it"),
    ),
    "a key of another source": (
        (
            "WITH s AS (INSERT INTO people_source (kind, name, simulated) VALUES ('api_key', 'x', false) "
            "RETURNING number) UPDATE people_apikey SET source_id = (SELECT number FROM s) WHERE id = %(key)s"
        ),
        *("key", "api_key", "its row is gone"),
    ),
    "another role of a person": (
        "UPDATE people_membership SET role = 'administrator' WHERE user_id = %(person)s",
        *("membership", "membership", "another role"),
    ),
    "a role in another organisation": (
        "UPDATE people_membership SET organisation_id = %(tenant)s WHERE user_id = %(person)s",
        *("membership", "membership", "another organisation or person"),
    ),
    "a role that ended by no entry": (
        "UPDATE people_membership SET ended_at = now() WHERE user_id = %(person)s",
        *("membership", "membership", "no entry says so"),
    ),
    "a role gone": (
        "DELETE FROM people_membership WHERE user_id = %(person)s",
        *("membership", "membership", "its row is gone"),
    ),
    "a suspended organisation that acts again": (
        "UPDATE people_organisation SET suspended_at = NULL WHERE id = %(tenant)s",
        *("suspension", "organisation", "says otherwise"),
    ),
    "an organisation of another kind": (
        "UPDATE people_organisation SET kind = 'partner' WHERE id = %(tenant)s",
        *("organisation", "organisation", "not of the kind"),
    ),
    "a passkey's key exchanged": (
        "UPDATE people_passkey SET key_digest = decode(repeat('ab', 32), 'hex') WHERE user_id = %(keyed)s",
        *("passkey", "passkey", "another person or key"),
    ),
    "a passkey gone": (
        "DELETE FROM people_passkey WHERE user_id = %(keyed)s",
        *("passkey", "passkey", "its row is gone"),
    ),
    "another staff id": (
        "UPDATE people_user SET login = 'somebody-else' WHERE id = %(person)s",
        *("person", "person", "another staff id"),
    ),
    "a person locked out": (
        "UPDATE people_user SET is_active = false WHERE id = %(person)s",
        *("person", "person", "locked out"),
    ),
    "a person who was locked out and is let in": (
        "UPDATE people_user SET is_active = true WHERE id = %(locked)s",
        *("lock", "person", "their row lets them in"),
    ),
    "a person locked out once more": (
        "UPDATE people_user SET is_active = false WHERE id = %(unlocked)s",
        *("unlock", "person", "was locked out, and no entry says so"),
    ),
    "a person gone": ("DELETE FROM people_user WHERE id = %(person)s", "person", "person", "their row is gone"),
    "a device that is real now": (
        "UPDATE people_source SET simulated = false WHERE number = %(device_source)s",
        *("device", "source", "another mark as simulated"),
    ),
    "a key's source that is real now": (
        "UPDATE people_source SET simulated = false WHERE number = %(key_source)s",
        *("key", "source", "another mark as simulated"),
    ),
    "another name of a device": (
        "UPDATE people_source SET name = 'scanner of somebody else' WHERE number = %(device_source)s",
        *("device", "source", "another name"),
    ),
    "another name of a person": (
        "UPDATE people_source SET name = 'somebody-else' WHERE number = %(person_source)s",
        *("person", "source", "another name"),
    ),
    "another kind of a source": (
        "UPDATE people_source SET kind = 'person' WHERE number = %(key_source)s",
        *("key", "source", "another kind"),
    ),
    "a device of another place": (
        "UPDATE people_device SET facility = 'TEST-B' WHERE source_id = %(device_source)s",
        *("device", "device", "another facility"),
    ),
    "another name of a place": (
        "UPDATE network_facility SET name = 'Loud' WHERE code = %(code)s",
        *("facility", "network", "not as it was described: name"),
    ),
    "a place elsewhere": (
        "UPDATE network_facility SET longitude = 6 WHERE code = %(code)s",
        *("facility", "network", "not as it was described: longitude"),
    ),
    "a place that is real now": (
        "UPDATE network_facility SET simulated = false WHERE code = %(code)s",
        *("facility", "network", "not as it was described: simulated"),
    ),
    "another time on a lane": (
        (
            "UPDATE network_lane SET departures = '{09:30}' WHERE origin_id = "
            "(SELECT number FROM network_facility WHERE code = %(code)s)"
        ),
        *("lane", "network", "not as it was described: departures"),
    ),
    "a lane gone": (
        "DELETE FROM network_lane WHERE origin_id = (SELECT number FROM network_facility WHERE code = %(code)s)",
        *("lane", "network", "was described and is gone"),
    ),
    "a closed day gone": (
        "DELETE FROM network_closedday WHERE facility_id = (SELECT number FROM network_facility WHERE code = %(code)s)",
        *("day", "network", "was described and is gone"),
    ),
    "a calendar's closed day gone": (
        "DELETE FROM network_closedday c USING network_facility f WHERE f.number = facility_id AND f.code = %(other)s",
        *("calendar", "network", "2026-12-26 was described and is gone"),
    ),
    "a day on which the whole network rests gone": (
        "DELETE FROM network_closedday WHERE facility_id IS NULL",
        *("rest", "network", "Closed day 2026-12-31 was described and is gone"),
    ),
    "opening hours gone": (
        "DELETE FROM network_openinghours USING network_facility WHERE number = facility_id AND code = %(other)s",
        *("calendar", "network", "1 09:00-17:30 was described and is gone"),
    ),
}


def test_who_was_locked_out_and_in_again_by_an_entry_is_no_difference(known: Known) -> None:
    stands = rows("SELECT is_active FROM people_user WHERE id IN (%s, %s) ORDER BY 1", known.locked, known.unlocked)
    assert [row["is_active"] for row in stands] == [False, True]
    assert verify_log(config.get()).facts > 0


@pytest.mark.parametrize("what", TURNED)
def test_what_was_turned_is_found_at_the_entry_that_it_contradicts(known: Known, what: str) -> None:
    statement, entry, differs, words = TURNED[what]
    change(statement, dataclasses.asdict(known))
    first = difference()
    assert words in str(first)
    asked = {
        "key": ("people.key_made", "source", known.key_source),
        "revocation": ("people.key_revoked", "source", known.ended_source),
        "person": ("people.added", "source", known.person_source),
        "lock": ("people.locked", "source", known.locked_source),
        "unlock": ("people.unlocked", "source", known.unlocked_source),
        "device": ("people.device_enrolled", "source", known.device_source),
        "facility": ("network.facility", "code", known.code),
        "lane": ("network.lane", "origin", known.code),
        "day": ("network.calendar", "code", known.code),
        "rest": ("network.calendar", "code", ""),
        "calendar": ("network.calendar", "code", known.other),
        "membership": ("people.member_began", "person", str(known.person)),
        "organisation": ("people.organisation_made", "organisation", str(known.tenant)),
        "suspension": ("people.organisation_suspended", "organisation", str(known.tenant)),
        "passkey": ("people.passkey_added", "person", str(known.keyed)),
    }
    assert (first.differs, first.first) == (differs, place(*asked[entry]))


ADDED = {
    "api_key": (
        "WITH s AS (INSERT INTO people_source (kind, name, simulated) VALUES ('api_key', 'mine', false) RETURNING "
        "number) INSERT INTO people_apikey (id, source_id, prefix, digest, role, created_at) "
        "SELECT gen_random_uuid(), number, 'pw_test_abcd', decode(repeat('ab', 32), 'hex'), 'administrator', now() "
        "FROM s"
    ),
    "person": (
        "WITH s AS (INSERT INTO people_source (kind, name, simulated) VALUES ('person', 'mine', false) RETURNING "
        "number) INSERT INTO people_user (id, source_id, login, password, role, is_active, created_at) "
        "SELECT gen_random_uuid(), number, 'mine', '!', 'administrator', true, now() FROM s"
    ),
    "source": "INSERT INTO people_source (kind, name, simulated) VALUES ('person', 'console', false)",
    "network": (
        "INSERT INTO network_facility (code, name, kind, country, time_zone, coarse_place, gln, simulated, created_at) "
        "VALUES ('NOBODY-1', 'x', 'hub', 'US', 'UTC', 'x', '', false, now())"
    ),
}


@pytest.mark.parametrize("differs", ADDED)
def test_what_no_entry_made_is_found(known: Known, differs: str) -> None:
    assert rows("SELECT 1 FROM people_source WHERE name = 'console'"), "there is one console already"
    change(ADDED[differs])
    first = difference()
    assert (first.differs, first.first) == (differs, None)
    assert "no entry" in str(first)


def test_opening_hours_that_no_entry_described_are_found(known: Known) -> None:
    where = "WHERE facility_id = (SELECT number FROM network_facility WHERE code = %(other)s)"
    change(f"UPDATE network_openinghours SET closes = '19:00' {where}", dataclasses.asdict(known))
    first = difference()
    assert (first.differs, first.first) == ("network", place("network.calendar", "code", known.other))


def test_entries_of_an_older_version_say_less_and_hold(known: Known) -> None:
    change(
        "WITH s AS (INSERT INTO people_source (kind, name, simulated) VALUES ('api_key', 'old', true) "
        "RETURNING number) INSERT INTO people_apikey (id, source_id, prefix, digest, role, created_at, revoked_at) "
        "SELECT gen_random_uuid(), number, 'pw_test_old', decode(repeat('cd', 32), 'hex'), 'partner', now(), now() "
        "FROM s"
    )
    source = rows("SELECT source_id FROM people_apikey WHERE prefix = 'pw_test_old'")[0]["source_id"]
    custody.record_fact("people.key_made", {"by": 1, "role": "partner", "source": source})
    custody.record_fact("people.key_revoked", {"by": 1, "source": source})
    assert verify_log(config.get()).facts > 0


def test_the_log_tells_neither_a_staff_id_nor_a_token(known: Known) -> None:
    (login,) = rows("SELECT login FROM people_user WHERE id = %s", known.person)
    bodies = [bytes(row["body"]) for row in rows("SELECT body FROM custody_fact WHERE kind = 'people.added'")]
    assert bodies
    assert not any(login["login"].encode() in body for body in bodies)
