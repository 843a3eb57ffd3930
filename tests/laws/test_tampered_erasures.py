"""Requests for erasure that are turned afterwards: `verify-log` finds each. All is rolled back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

import pytest
from django.utils import timezone
from tests.laws.tampering import change, difference, rows, sequenced
from tests.scanner import Scanner, event, new_number

from parcelward.base import config
from parcelward.custody import shredding
from parcelward.custody.actions import record_fact
from parcelward.parcels import actions, queries
from parcelward.parcels.queries import verify_log
from parcelward.people.wire import Person, Role

pytestmark = pytest.mark.usefixtures("clean")

ANNA = Person(uuid.uuid4(), Role.INSPECTOR, 900_031, "inspector-31")
BEN = Person(uuid.uuid4(), Role.ADMINISTRATOR, 900_032, "admin-32")


@dataclasses.dataclass(frozen=True)
class Asked:
    """What there is to turn: the numbers of requests, each for an item of its own."""

    open: int
    agreed: int
    withdrawn: int
    done: int
    item: uuid.UUID  # that `open` is about


@pytest.fixture(scope="module")
def asked(installation, facilities) -> Asked:
    scanner = Scanner(installation)
    numbers = [new_number() for _ in range(4)]
    scanner.send(*[event(number, "accepted") for number in numbers])
    items = [queries.find(number) for number in numbers]
    requests = [actions.request_erasure(item, "asked for", by=ANNA) for item in items if item]
    actions.approve_erasure(requests[1], by=BEN)
    actions.withdraw_erasure(requests[2], by=ANNA)
    shredding.approve(requests[3], by=BEN.source, now=timezone.now(), wait=dt.timedelta(0))
    actions.erase(requests[3], by=BEN)
    sequenced()
    assert items[0] is not None
    return Asked(requests[0], requests[1], requests[2], requests[3], items[0])


def test_what_nobody_turned_holds(asked: Asked) -> None:
    assert verify_log(config.get()).facts > 0


TURNED = {
    "a request gone": "DELETE FROM custody_erasure WHERE id = %(open)s",
    "a done one gone": "DELETE FROM custody_erasure WHERE id = %(done)s",
    "one more": "INSERT INTO custody_erasure (item, reason, requested_by, requested_at) "
    "VALUES (gen_random_uuid(), 'none', 1, now())",
    "another reason": "UPDATE custody_erasure SET reason = 'none' WHERE id = %(open)s",
    "another item": "UPDATE custody_erasure SET item = gen_random_uuid() WHERE id = %(agreed)s",
    "asked by another": "UPDATE custody_erasure SET requested_by = 1 WHERE id = %(open)s",
    "asked at another moment": "UPDATE custody_erasure SET requested_at = requested_at - interval '1 us' "
    "WHERE id = %(open)s",
    "agreed to, and nobody did": "UPDATE custody_erasure SET approved_by = 1, approved_at = now(), "
    "not_before = now() WHERE id = %(open)s",
    "nobody agreed, and somebody did": "UPDATE custody_erasure SET approved_by = NULL, approved_at = NULL, "
    "not_before = NULL WHERE id = %(agreed)s",
    "agreed to by another": "UPDATE custody_erasure SET approved_by = 1 WHERE id = %(agreed)s",
    "agreed to at another moment": "UPDATE custody_erasure SET approved_at = approved_at - interval '1 us' "
    "WHERE id = %(agreed)s",
    "a shorter wait": "UPDATE custody_erasure SET not_before = now() WHERE id = %(agreed)s",
    "withdrawn, and was not": "UPDATE custody_erasure SET done_at = now() WHERE id = %(open)s",
    "not withdrawn, and was": "UPDATE custody_erasure SET done_at = NULL WHERE id = %(withdrawn)s",
    "withdrawn at another moment": "UPDATE custody_erasure SET done_at = done_at - interval '1 us' "
    "WHERE id = %(withdrawn)s",
    "begun, and was not": "UPDATE custody_erasure SET begun_at = now() WHERE id = %(agreed)s",
    "not begun, and was": "UPDATE custody_erasure SET begun_at = NULL, done_at = NULL WHERE id = %(done)s",
    "begun at another moment": "UPDATE custody_erasure SET begun_at = begun_at - interval '1 us' WHERE id = %(done)s",
    "a tombstone of another moment": "UPDATE custody_tombstone SET shredded_at = shredded_at - interval '1 us' "
    "WHERE item = (SELECT item FROM custody_erasure WHERE id = %(done)s)",
}


@pytest.mark.parametrize("what", TURNED)
def test_a_turned_request_for_erasure_is_found(asked: Asked, what: str) -> None:
    change(TURNED[what], dataclasses.asdict(asked))
    first = difference()
    assert first.differs == "erasure"
    assert (first.first is None) == (what == "one more"), "the entry is named where there is one"


def test_when_the_secret_was_deleted_is_bookkeeping(asked: Asked) -> None:
    """After a crash `done_at` is written later; the tombstone says when the item began to count as erased."""
    change("UPDATE custody_erasure SET done_at = NULL WHERE id = %s", asked.done)
    assert verify_log(config.get()).facts > 0


def said(asked: Asked, **changed: object) -> None:
    """Let the log say that the request that two people agreed to was carried out, in a way that `changed` describes."""
    row = rows("SELECT item, not_before FROM custody_erasure WHERE id = %s", asked.agreed)[0]
    at = row["not_before"] + dt.timedelta(seconds=1)
    whole = {
        "approved_by": BEN.source,
        "erasure": asked.agreed,
        "events": 1,
        "item": str(row["item"]),
        "requested_by": ANNA.source,
        "shredded_at": at.isoformat(),
    }
    if "erasure" not in changed:
        known = {"at": at, "id": asked.agreed, "item": row["item"]}
        change("UPDATE custody_erasure SET begun_at = %(at)s, done_at = %(at)s WHERE id = %(id)s", known)
        change("INSERT INTO custody_tombstone (item, shredded_at, events) VALUES (%(item)s, %(at)s, 1)", known)
    record_fact("custody.tombstone", whole | changed)


TOO_SOON: dict[str, dict[str, int | str]] = {
    "before its wait was over": {"shredded_at": "2026-01-01T00:00:00+00:00"},
    "names other people": {"approved_by": 1},
    "names other people than": {"requested_by": 1},
    "of another item": {"item": str(uuid.UUID(int=7))},
    "had been withdrawn": {"erasure": 0},  # of the request that was
    "by nobody": {"erasure": 999_999_999},
}


@pytest.mark.parametrize("words", TOO_SOON)
def test_an_erasure_that_two_people_did_not_agree_to_is_found(asked: Asked, words: str) -> None:
    """The entry itself is true to the log: who ran the system wrote it."""
    changed = dict(TOO_SOON[words])
    if changed.get("erasure") == 0:
        item = rows("SELECT item FROM custody_erasure WHERE id = %s", asked.withdrawn)[0]["item"]
        changed = {"erasure": asked.withdrawn, "item": str(item)}
    said(asked, **changed)
    first = difference()
    assert first.differs == "erasure"
    assert words in str(first)


TWICE = {
    "asked for twice": ("custody.erasure_requested", {"by": 1, "item": str(uuid.UUID(int=7)), "reason": "none"}),
    "agreed to twice": ("custody.erasure_approved", {"by": 1, "not_before": "2026-01-01T00:00:00+00:00"}),
    "by the same person": ("custody.erasure_approved", {"by": ANNA.source, "not_before": "2026-01-01T00:00:00+00:00"}),
    "done twice": (
        "custody.tombstone",
        {"approved_by": BEN.source, "requested_by": ANNA.source, "shredded_at": "2099-01-01T00:00:00+00:00"},
    ),
}


@pytest.mark.parametrize("words", TWICE)
def test_an_entry_that_cannot_follow_on_those_before_it_is_found(asked: Asked, words: str) -> None:
    kind, said = TWICE[words]
    number = {"by the same person": asked.open, "done twice": asked.done}.get(words, asked.agreed)
    item = rows("SELECT item FROM custody_erasure WHERE id = %s", number)[0]["item"]
    record_fact(kind, {"item": str(item), "events": 1, **said, "erasure": number})
    first = difference()
    assert first.differs == "erasure"
    assert words in str(first)
