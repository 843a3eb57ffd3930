"""Enrolment for a stranger's address: each way is refused, and nothing is proven."""

from __future__ import annotations

import secrets

import pytest
from tests.people.proving import DAY, NOW, address, checked, letter_for, lives_at, rows, somebody, told

from parcelward.base.errors import TooMany
from parcelward.people import proofing
from parcelward.people import proofing_rules as rules
from parcelward.people.errors import BadCode, MayNot
from parcelward.people.wire import Level, Method, Role

PLACE = (Level.ADDRESS, Level.IDENTITY)
pytestmark = pytest.mark.usefixtures("installation")


def proves_nothing(person, *tokens, now=NOW):
    for token in tokens:
        with pytest.raises(MayNot) as err:
            proofing.require_address_level(person, token, now=now)
        assert err.value.code == "address_not_proven"


@pytest.mark.asvs("2.3.1", "6.4.2")
def test_saying_that_one_lives_there_is_not_enough():
    thief, victims_home = somebody(), address()
    proofing.confirm_message(victims_home, Method.EMAIL_CODE, by=thief, now=NOW)
    proves_nothing(thief, victims_home)
    proofing.request_letter(victims_home, same=(), by=thief, now=NOW)
    proofing.start_check(victims_home, by=thief, now=NOW)
    proves_nothing(thief, victims_home, now=NOW + DAY)


def test_what_somebody_else_has_proven_of_the_address_is_not_the_thiefs():
    victim, thief, home, same_home = somebody(), somebody(), address(), address()
    lives_at(victim, home)
    proves_nothing(thief, home, same_home)


@pytest.mark.asvs("6.6.2")
def test_the_code_in_anothers_letter_is_good_for_nothing():
    victim, thief, home = somebody(), somebody(), address()
    code = letter_for(victim, home)
    stolen = address()  # the thief's own entry of the victim's address
    letter_for(thief, stolen, same=[home])
    before = rows(victim), rows(thief)
    with pytest.raises(BadCode):
        proofing.confirm_letter(code, by=thief, now=NOW)
    assert (rows(victim), rows(thief)) == before
    proves_nothing(thief, home, stolen)
    proofing.confirm_letter(code, by=victim, now=NOW)


def test_a_letter_for_ones_own_address_does_not_prove_another():
    thief, own, victims_home = somebody(), address(), address()
    code = letter_for(thief, own)
    proofing.cancel_letter(by=thief, now=NOW)
    asked = proofing.request_letter(victims_home, same=(), by=thief, now=NOW + DAY)
    with pytest.raises(BadCode):
        proofing.confirm_letter(code, by=thief, now=NOW + DAY)
    proofing.print_letter(asked.letter_id, by=somebody(Role.CLERK), now=NOW + DAY)
    with pytest.raises(BadCode):
        proofing.confirm_letter(code, by=thief, now=NOW + DAY)
    proves_nothing(thief, own, victims_home, now=NOW + DAY)


def test_a_code_that_proved_ones_own_address_is_not_taken_for_the_next_letter():
    thief, own, victims_home = somebody(), address(), address()
    code = letter_for(thief, own)
    proofing.confirm_letter(code, by=thief, now=NOW)
    proofing.request_letter(victims_home, same=(), by=thief, now=NOW)
    with pytest.raises(BadCode):
        proofing.confirm_letter(code, by=thief, now=NOW)
    proves_nothing(thief, victims_home)


@pytest.mark.asvs("2.3.1")
def test_writing_a_strangers_address_over_ones_own_ends_what_was_proven():
    thief, token, other = somebody(), address(), address()
    lives_at(thief, token)
    lives_at(thief, other)
    checked(thief, token, now=NOW - DAY)
    proofing.require_address_level(thief, token, now=NOW)
    proofing.end_proofs([token], PLACE, by=thief, now=NOW)
    proves_nothing(thief, token)
    proofing.require_address_level(thief, other, now=NOW)
    assert told(thief).count("level_ended") == 2
    before = rows(thief), told(thief)
    proofing.end_proofs([token], PLACE, by=thief, now=NOW)
    assert (rows(thief), told(thief)) == before


@pytest.mark.asvs("2.3.1")
@pytest.mark.parametrize("when", ["requested", "printed", "at the counter", "before it is told"])
def test_nor_does_it_help_while_the_proof_is_under_way(when):
    thief, token, clerk = somebody(), address(), somebody(Role.CLERK)
    code = ""
    if when in {"requested", "printed"}:
        asked = proofing.request_letter(token, same=(), by=thief, now=NOW)
        code = proofing.print_letter(asked.letter_id, by=clerk, now=NOW).code if when == "printed" else ""
    elif when == "at the counter":
        proofing.start_check(token, by=thief, now=NOW)
    else:
        checked(thief, token)
    proofing.end_proofs([token], PLACE, by=thief, now=NOW)
    assert proofing.letters_to_print(by=clerk, now=NOW, limit=10_000) == tuple(
        each for each in proofing.letters_to_print(by=clerk, now=NOW, limit=10_000) if each.token != token
    )
    with pytest.raises(BadCode):
        proofing.confirm_letter(code, by=thief, now=NOW)
    proves_nothing(thief, token, now=NOW + DAY)


@pytest.mark.asvs("2.3.2", "6.6.3")
def test_guessing_gets_five_tries_a_letter_and_four_letters_a_month():
    thief, tries = somebody(), 0
    for _ in range(5):
        try:
            letter_for(thief, address())
        except TooMany:
            break
        for _ in range(20):
            with pytest.raises(BadCode):
                proofing.confirm_letter("".join(secrets.choice(rules.ALPHABET) for _ in range(10)), by=thief, now=NOW)
        tries += rules.LETTER_TRIES_MAX
    assert tries == 20
    assert tries / len(rules.ALPHABET) ** rules.LETTER_CODE_CHARS < 1e-13
    assert proofing.level_of(thief, now=NOW) is Level.NOTHING
    assert told(thief).count("letter_expired") == 4


def test_staff_do_not_prove_addresses_for_themselves_or_without_the_paper():
    for role in (Role.CLERK, Role.INSPECTOR, Role.ADMINISTRATOR, Role.COURIER):
        staff, token = somebody(role), address()
        for act in (
            lambda: proofing.request_letter(token, same=(), by=staff, now=NOW),  # noqa: B023 -- called at once
            lambda: proofing.start_check(token, by=staff, now=NOW),  # noqa: B023 -- as above
            lambda: proofing.confirm_message(token, Method.EMAIL_CODE, by=staff, now=NOW),  # noqa: B023 -- as above
            lambda: proofing.confirm_letter("2222222222", by=staff, now=NOW),  # noqa: B023 -- as above
        ):
            with pytest.raises(MayNot):
                act()
        assert rows(staff) == []
        proves_nothing(staff, token)


def test_nobody_cancels_anothers_proof():
    victim, thief, home = somebody(), somebody(), address()
    proofing.request_letter(home, same=(), by=victim, now=NOW)
    proofing.start_check(home, by=victim, now=NOW)
    before = rows(victim)
    proofing.cancel_letter(by=thief, now=NOW)
    proofing.cancel_check(by=thief, now=NOW)
    assert rows(victim) == before
