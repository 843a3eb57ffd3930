"""Numbers, manifests and legal holds that are turned afterwards: `verify-log` finds each. All is rolled back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import httpx
import pytest
from tests.laws.tampering import change, difference, sequenced
from tests.scanner import Scanner, event, new_number

from parcelward.base import config
from parcelward.parcels import actions, queries
from parcelward.parcels.queries import verify_log
from parcelward.people.wire import Person, Role

pytestmark = pytest.mark.usefixtures("clean")

ANNA = Person(uuid.uuid4(), Role.INSPECTOR, 900_011, "inspector-9")
LONG_AGO = -60 * 24 * 500


@dataclasses.dataclass(frozen=True)
class Turned:
    """What there is to turn."""

    plain: uuid.UUID
    earlier: uuid.UUID  # delivered long ago; its number is now another's
    later: uuid.UUID
    announced: uuid.UUID
    passed_on: uuid.UUID  # delivered long ago; a manifest has given its number to another
    held: uuid.UUID  # was under legal hold, was let go, and is held again


def found(number: str) -> uuid.UUID:
    item = queries.find(number)
    assert item is not None
    return item


@pytest.fixture(scope="module")
def turned(installation, facilities) -> Turned:
    scanner = Scanner(installation)
    plain, used_again, announced, passed = new_number(), new_number(), new_number(), new_number()
    scanner.send(event(plain, "accepted"), event(used_again, "accepted", minutes=LONG_AGO))
    scanner.send(event(used_again, "delivered", minutes=LONG_AGO + 9))
    scanner.send(event(passed, "accepted", minutes=LONG_AGO), event(passed, "delivered", minutes=LONG_AGO + 9))
    passed_on = found(passed)
    earlier = found(used_again)
    scanner.send(event(used_again, "accepted"))
    body = {
        "manifest_id": f"M-{announced}",
        "facility": "TEST-A",
        "event_time": (dt.datetime.now(dt.UTC) - dt.timedelta(hours=3)).isoformat(),
        "items": [announced, passed],
    }
    httpx.post(
        f"{installation.url}/api/v1/manifests",
        json=body,
        headers={**installation.headers, "Idempotency-Key": str(uuid.uuid4())},
        timeout=30,
    )
    held, later = found(plain), found(used_again)
    assert earlier != later
    assert passed_on != found(passed)
    actions.place_legal_hold(held, "court order 12", by=ANNA)
    actions.lift_legal_hold(held, by=ANNA)
    actions.place_legal_hold(held, "court order 13", by=ANNA)
    sequenced()
    return Turned(held, earlier, later, found(announced), passed_on, held)


def test_what_nobody_turned_holds(turned: Turned) -> None:
    assert verify_log(config.get()).facts > 0


NUMBERS = {
    "a later beginning": "UPDATE parcels_itemalias SET valid_from = valid_from + interval '1 us' "
    "WHERE item = %(plain)s",
    "an end": "UPDATE parcels_itemalias SET valid_to = now() WHERE item = %(plain)s",
    "another end": "UPDATE parcels_itemalias SET valid_to = valid_to - interval '1 us' WHERE item = %(earlier)s",
    "another end before a manifest": "UPDATE parcels_itemalias SET valid_to = valid_to - interval '1 us' "
    "WHERE item = %(passed_on)s",
    "a second number": "INSERT INTO parcels_itemalias (number, valid_from, item) "
    "SELECT 'RR000000005US', valid_from, item FROM parcels_itemalias WHERE item = %(plain)s",
    "the successor gone": "DELETE FROM parcels_itemalias WHERE item = %(announced)s",
    "an item gone": "DELETE FROM parcels_item WHERE item = %(plain)s",
    "an item made earlier": "UPDATE parcels_item SET made_at = made_at - interval '1 day' WHERE item = %(plain)s",
    "both earlier": "WITH a AS (UPDATE parcels_itemalias SET valid_from = valid_from - interval '1 day' "
    "WHERE item = %(plain)s) UPDATE parcels_item SET made_at = made_at - interval '1 day' WHERE item = %(plain)s",
    "announced, and was not": "UPDATE parcels_item SET announced_at = made_at WHERE item = %(plain)s",
    "announced at another time": "UPDATE parcels_item SET announced_at = announced_at - interval '1 us' "
    "WHERE item = %(announced)s",
    "not announced, and was": "UPDATE parcels_item SET announced_at = NULL WHERE item = %(announced)s",
    "a manifest's line gone": "DELETE FROM parcels_manifest WHERE item = %(announced)s",
    "a manifest's line in another manifest": "UPDATE parcels_manifest SET id = 'M-other' WHERE item = %(announced)s",
    "a manifest's line at another place": "UPDATE parcels_manifest SET facility = facility + 1 "
    "WHERE item = %(announced)s",
    "a manifest's line at another moment": "UPDATE parcels_manifest SET event_time = event_time - interval '1 us' "
    "WHERE item = %(announced)s",
    "another number of what nobody scanned yet": "UPDATE parcels_itemalias SET number = 'RR000000005US' "
    "WHERE item = %(announced)s",
    "a number that hides its item behind one that nobody scanned yet": (
        "UPDATE parcels_itemalias SET valid_to = (SELECT event_time FROM parcels_manifest "
        "WHERE item = %(announced)s) WHERE item = %(plain)s; "
        "UPDATE parcels_itemalias SET number = (SELECT number FROM parcels_itemalias WHERE item = %(plain)s) "
        "WHERE item = %(announced)s"
    ),
    "a manifest's line of another item": "UPDATE parcels_manifest SET item = %(plain)s WHERE item = %(announced)s",
}


@pytest.mark.parametrize("what", NUMBERS)
def test_a_turned_number_is_found(turned: Turned, what: str) -> None:
    change(NUMBERS[what], dataclasses.asdict(turned))
    assert difference().differs in {"number", "manifest"}


def test_two_numbers_exchanged_are_found_at_the_first_entry(turned: Turned) -> None:
    change(
        "UPDATE parcels_itemalias SET item = CASE item WHEN %(plain)s THEN %(later)s::uuid ELSE %(plain)s::uuid END "
        "WHERE item IN (%(plain)s, %(later)s)",
        dataclasses.asdict(turned),
    )
    first = difference()
    assert (first.differs, first.first is not None) == ("number", True)


HOLDS = {
    "a hold gone": "DELETE FROM custody_legalhold WHERE item = %(held)s AND lifted_at IS NULL",
    "all gone": "DELETE FROM custody_legalhold WHERE item = %(held)s",
    "a hold lifted": "UPDATE custody_legalhold SET lifted_at = now(), lifted_by = 1 WHERE item = %(held)s "
    "AND lifted_at IS NULL",
    "another reason": "UPDATE custody_legalhold SET reason = 'none' WHERE item = %(held)s",
    "another person": "UPDATE custody_legalhold SET placed_by = placed_by + 1 WHERE item = %(held)s",
    "another moment": "UPDATE custody_legalhold SET placed_at = placed_at + interval '1 us' WHERE item = %(held)s",
    "lifted by another": "UPDATE custody_legalhold SET lifted_by = 1 WHERE item = %(held)s AND lifted_by IS NOT NULL",
    "lifted earlier": "UPDATE custody_legalhold SET lifted_at = lifted_at - interval '1 us' WHERE item = %(held)s "
    "AND lifted_at IS NOT NULL",
    "of another item": "UPDATE custody_legalhold SET item = %(later)s WHERE item = %(held)s AND lifted_at IS NULL",
    "one more": "INSERT INTO custody_legalhold (item, reason, placed_by, placed_at) "
    "VALUES (%(later)s, 'court order', 1, now())",
}


@pytest.mark.parametrize("what", HOLDS)
def test_a_turned_legal_hold_is_found(turned: Turned, what: str) -> None:
    change(HOLDS[what], dataclasses.asdict(turned))
    first = difference()
    assert first.differs == "legal_hold"
    assert first.item in {turned.held, turned.later}
    assert first.first is not None or first.item == turned.later


def test_the_logs_own_name_in_the_database_is_compared(turned: Turned) -> None:
    change("UPDATE custody_logstate SET origin = 'other.example/log'")
    assert difference().differs == "origin"
