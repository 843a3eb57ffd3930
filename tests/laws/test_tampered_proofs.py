"""Levels, letters and checks that are turned afterwards: `verify-log` finds each. All is rolled back."""

from __future__ import annotations

import dataclasses
import uuid

import pytest
from tests.laws.tampering import change, difference, place, sequenced
from tests.people.proving import DAY, NOW, address, checked, letter_for, lives_at, somebody

from parcelward.base import config
from parcelward.parcels.queries import verify_log
from parcelward.people import proofing
from parcelward.people.models import Evidence, Letter
from parcelward.people.wire import CounterState, Level, Role

pytestmark = pytest.mark.usefixtures("clean")


@dataclasses.dataclass(frozen=True)
class Known:
    """Whom there is to turn."""

    thief: uuid.UUID
    evidence: uuid.UUID
    letter: uuid.UUID
    ended: uuid.UUID
    check: uuid.UUID
    source: int


@pytest.fixture(scope="module")
def known(installation) -> Known:
    victim, thief, other = somebody(), somebody(), somebody()
    lives_at(victim, address())
    letter_for(thief, address())
    checked(thief, address(), CounterState.FAILED)
    token = address()
    lives_at(other, token, now=NOW - DAY)
    proofing.end_proofs([token], [Level.ADDRESS], by=other, now=NOW)
    sequenced()
    check = proofing.mine(by=thief, now=NOW).check
    assert check is not None
    return Known(
        thief=thief.id,
        evidence=Evidence.objects.get(user=victim.id).id,
        letter=Letter.objects.get(user=thief.id).id,
        ended=Evidence.objects.get(user=other.id).id,
        check=check.check_id,
        source=somebody(Role.CLERK).source,
    )


# What is done -> (the statement, the entry it contradicts, what differs, the words).
TURNED = {
    "evidence of another": (
        "UPDATE people_evidence SET user_id = %(thief)s WHERE id = %(evidence)s",
        *("evidence", "proven_level", "differs from its entry: person"),
    ),
    "evidence about another address": (
        "UPDATE people_evidence SET token = gen_random_uuid() WHERE id = %(evidence)s",
        *("evidence", "proven_level", "token"),
    ),
    "evidence of a higher level": (
        "UPDATE people_evidence SET level = 3, method = 'counter' WHERE id = %(evidence)s",
        *("evidence", "proven_level", "level, method"),
    ),
    "evidence that holds longer": (
        "UPDATE people_evidence SET until = until + interval '1 us' WHERE id = %(evidence)s",
        *("evidence", "proven_level", "until"),
    ),
    "evidence that was ended holds again": (
        "UPDATE people_evidence SET ended_at = NULL WHERE id = %(ended)s",
        *("end", "proven_level", "ended_at"),
    ),
    "evidence gone": (
        "DELETE FROM people_evidence WHERE id = %(evidence)s",
        *("evidence", "proven_level", "its row is gone"),
    ),
    "evidence made by nobody": (
        (
            "INSERT INTO people_evidence (id, user_id, level, method, token, source_id, since, until) "
            "VALUES (gen_random_uuid(), %(thief)s, 3, 'counter', gen_random_uuid(), %(source)s, now(), now() + '1 day')"
        ),
        *("nowhere", "proven_level", "no entry made it"),
    ),
    "a letter's code is another": (
        "UPDATE people_letter SET digest = set_byte(digest, 0, get_byte(digest, 0) # 1) WHERE id = %(letter)s",
        *("letter", "proofing_letter", "digest"),
    ),
    "a letter to another address": (
        "UPDATE people_letter SET token = gen_random_uuid() WHERE id = %(letter)s",
        *("letter", "proofing_letter", "token"),
    ),
    "a letter that holds longer": (
        "UPDATE people_letter SET expires_at = expires_at + interval '1 year' WHERE id = %(letter)s",
        *("letter", "proofing_letter", "expires_at"),
    ),
    "a check that passed": (
        "UPDATE people_counterproof SET state = 'passed' WHERE id = %(check)s",
        *("check", "counter_check", "state"),
    ),
    "a check by another clerk": (
        "UPDATE people_counterproof SET source_id = %(source)s WHERE id = %(check)s",
        *("check", "counter_check", "source"),
    ),
}


@pytest.mark.parametrize("what", TURNED)
def test_a_turned_row_is_found_at_its_entry(what: str, known: Known) -> None:
    statement, entry, differs, words = TURNED[what]
    change(statement, dataclasses.asdict(known))
    at = {
        "evidence": lambda: place("people.level_proven", "evidence", known.evidence),
        "end": lambda: place("people.level_ended", "evidence", known.ended),
        "letter": lambda: place("people.letter_printed", "letter", known.letter),
        "check": lambda: place("people.check_decided", "check", known.check),
        "nowhere": lambda: None,
    }[entry]()
    found = difference()
    assert (found.differs, found.first) == (differs, at)
    assert words in str(found)


def test_what_is_no_part_of_the_record_may_change(known: Known) -> None:
    change("UPDATE people_letter SET tries = 4 WHERE id = %(letter)s", dataclasses.asdict(known))
    change("UPDATE people_counterproof SET document = 'passport' WHERE id = %(check)s", dataclasses.asdict(known))
    verify_log(config.get())
