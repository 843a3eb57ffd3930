"""What gives a key or a code its rights, turned afterwards: `verify-log` finds each. All is rolled back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.laws.tampering import change, difference, place, rows, sequenced
from tests.people.tenants import organisation

from parcelward.base import config
from parcelward.parcels.queries import verify_log
from parcelward.people import actions as people
from parcelward.people import rules
from parcelward.people.wire import Role, Task

pytestmark = pytest.mark.usefixtures("clean")


@dataclasses.dataclass(frozen=True)
class Known:
    """What there is to turn: ids, and the source that entries about the key name."""

    key: uuid.UUID
    source: int
    tenant: uuid.UUID
    grant: uuid.UUID
    ended_grant: uuid.UUID
    ban: uuid.UUID
    open: uuid.UUID
    taken: uuid.UUID
    withdrawn: uuid.UUID
    device: uuid.UUID


@pytest.fixture(scope="module")
def known(installation) -> Iterator[Known]:
    by, tenant = people.installer(), organisation("partner")
    made = people.new_key(
        "turned key", Role.PARTNER, by=by, mode="test", simulated=True, organisation=tenant.id, scopes=[Task.SCAN]
    )
    people.rotate_key(made.id, dt.timedelta(days=1), by=by, mode="test")

    def grant(currency: str) -> uuid.UUID:
        return people.grant_spending(
            made.id,
            currency=currency,
            cap_payment_minor=100,
            cap_day_minor=1_000,
            cap_month_minor=None,
            lifetime=dt.timedelta(days=2),
            by=by,
        )

    running, ended = grant("EUR"), grant("USD")
    people.withdraw_spending(ended, by=by)
    ban = people.ban_address("198.51.100.7", dt.timedelta(hours=1), by=by)
    codes = [people.open_enrolment(name, by=by, facility="TEST-A") for name in ("open", "taken", "withdrawn")]
    pair = Ed25519PrivateKey.generate()
    device = people.take_enrolment(
        codes[1].code, pair.public_key().public_bytes_raw(), pair.sign(rules.enrolment_message(codes[1].code))
    )
    people.withdraw_enrolment(codes[2].id, by=by)
    (row,) = rows("SELECT source_id FROM people_apikey WHERE id = %s", made.id)
    sequenced()
    yield Known(
        *(made.id, row["source_id"], tenant.id, running, ended, ban),
        *(codes[0].id, codes[1].id, codes[2].id, device.device_id),
    )
    people.end_ban("198.51.100.7", by=by)  # by the deed: a test that lets a day pass would forget it before its end


# What is done -> (the statement, the entry it contradicts, what differs).
TURNED = {
    "wider scopes": ("UPDATE people_apikey SET scopes = '{scan,capture}' WHERE id = %(key)s", "key", "api_key"),
    "no scopes, which is every right": ("UPDATE people_apikey SET scopes = NULL WHERE id = %(key)s", "key", "api_key"),
    "another organisation": ("UPDATE people_apikey SET organisation_id = NULL WHERE id = %(key)s", "key", "api_key"),
    "another token": (
        "UPDATE people_apikey SET digest = set_byte(digest, 0, get_byte(digest, 0) # 1) WHERE id = %(key)s",
        *("rotation", "api_key"),
    ),
    "another former token": (
        "UPDATE people_apikey SET previous_digest = decode(repeat('ab', 32), 'hex') WHERE id = %(key)s",
        *("rotation", "api_key"),
    ),
    "a former token that goes on": (
        "UPDATE people_apikey SET previous_ends_at = previous_ends_at + interval '1 us' WHERE id = %(key)s",
        *("rotation", "api_key"),
    ),
    "a later end": (
        "UPDATE people_apikey SET expires_at = expires_at + interval '1 day' WHERE id = %(key)s",
        *("rotation", "api_key"),
    ),
    "a higher cap": ("UPDATE people_spendgrant SET cap_day_minor = 10000 WHERE id = %(grant)s", "grant", "spend_grant"),
    "another key's grant": (
        (
            "UPDATE people_spendgrant SET key_id = (SELECT id FROM people_apikey WHERE id <> key_id LIMIT 1) "
            "WHERE id = %(grant)s"
        ),
        *("grant", "spend_grant"),
    ),
    "a grant that ends later": (
        "UPDATE people_spendgrant SET expires_at = expires_at + interval '1 day' WHERE id = %(grant)s",
        *("grant", "spend_grant"),
    ),
    "a grant gone": ("DELETE FROM people_spendgrant WHERE id = %(grant)s", "grant", "spend_grant"),
    "a grant awake again": (
        "UPDATE people_spendgrant SET withdrawn_at = NULL WHERE id = %(ended_grant)s",
        *("grant's end", "spend_grant"),
    ),
    "a ban gone": ("DELETE FROM people_bannedaddress WHERE id = %(ban)s", "ban", "ban"),
    "a ban that ends earlier": (
        "UPDATE people_bannedaddress SET until = until - interval '1 minute' WHERE id = %(ban)s",
        *("ban", "ban"),
    ),
    "another code": (
        "UPDATE people_enrolment SET digest = decode(repeat('ab', 32), 'hex') WHERE id = %(open)s",
        *("open", "enrolment"),
    ),
    "a code that is valid for longer": (
        "UPDATE people_enrolment SET expires_at = expires_at + interval '1 day' WHERE id = %(open)s",
        *("open", "enrolment"),
    ),
    "a code that was taken and is not": (
        "UPDATE people_enrolment SET device_id = NULL WHERE id = %(taken)s",
        *("taken", "enrolment"),
    ),
    "a code that was withdrawn and is not": (
        "UPDATE people_enrolment SET withdrawn_at = NULL WHERE id = %(withdrawn)s",
        *("withdrawn", "enrolment"),
    ),
    "another organisation's device": (
        "UPDATE people_device SET organisation_id = %(tenant)s WHERE id = %(device)s",
        *("device", "device"),
    ),
}


def test_what_was_done_by_entries_is_no_difference(known: Known) -> None:
    assert verify_log(config.get()).facts > 0


@pytest.mark.parametrize("what", TURNED)
def test_what_was_turned_is_found_at_the_entry_that_it_contradicts(known: Known, what: str) -> None:
    statement, entry, differs = TURNED[what]
    change(statement, dataclasses.asdict(known))
    asked = {
        "key": ("people.key_made", "source", known.source),
        "rotation": ("people.key_rotated", "source", known.source),
        "grant": ("people.spending_granted", "grant", known.grant),
        "grant's end": ("people.spending_withdrawn", "grant", known.ended_grant),
        "ban": ("people.address_banned", "ban", known.ban),
        "open": ("people.enrolment_opened", "enrolment", known.open),
        "taken": ("people.enrolment_opened", "enrolment", known.taken),
        "withdrawn": ("people.enrolment_opened", "enrolment", known.withdrawn),
        "device": ("people.device_enrolled", "device", known.device),
    }
    first = difference()
    assert (first.differs, first.first) == (differs, place(*asked[entry]))


ADDED = {
    "spend_grant": (
        "INSERT INTO people_spendgrant (id, key_id, currency, cap_payment_minor, cap_day_minor, granted_by_id, "
        "granted_at, expires_at) SELECT gen_random_uuid(), %(key)s, 'GBP', 9, 9, %(source)s, now(), now()"
    ),
    "ban": (
        "INSERT INTO people_bannedaddress (id, digest, until, banned_by_id, banned_at) SELECT gen_random_uuid(), "
        "decode(repeat('cd', 32), 'hex'), now() + interval '1 day', %(source)s, now()"
    ),
    "enrolment": (
        "INSERT INTO people_enrolment (id, digest, name, facility, made_by_id, made_at, expires_at) SELECT "
        "gen_random_uuid(), decode(repeat('cd', 32), 'hex'), 'mine', '', %(source)s, now(), now() + interval '1 day'"
    ),
}


@pytest.mark.parametrize("differs", ADDED)
def test_what_no_entry_made_is_found(known: Known, differs: str) -> None:
    change(ADDED[differs], dataclasses.asdict(known))
    first = difference()
    assert (first.differs, first.first) == (differs, None)


def test_the_log_tells_neither_a_code_nor_an_address_nor_a_token(known: Known) -> None:
    bodies = [bytes(row["body"]) for row in rows("SELECT body FROM custody_fact WHERE kind LIKE 'people.%%'")]
    (ban,) = rows("SELECT digest FROM people_bannedaddress WHERE id = %s", known.ban)
    assert bodies
    for secret in (b"198.51.100.7", bytes(ban["digest"]).hex().encode()):
        assert not any(secret in body for body in bodies)
