"""A letter with a code: who asked for it proves the address, and nobody else proves anything."""

from __future__ import annotations

import re
from functools import partial

import pytest
from tests.at_once import at_once
from tests.people.proving import DAY, NOW, address, letter_for, lives_at, rows, somebody, told

from parcelward.base.errors import Conflict, NotFound, TooMany
from parcelward.people import proofing
from parcelward.people import proofing_rules as rules
from parcelward.people.errors import BadCode, MayNot
from parcelward.people.models import Letter, ProofNotice
from parcelward.people.wire import LetterKind, LetterState, Level, Method, Role

pytestmark = pytest.mark.usefixtures("installation")


def newest(person, *, now=NOW):
    return proofing.mine(by=person, now=now).letter


def test_the_code_of_the_letter_proves_the_address_for_two_years():
    person, token = somebody(), address()
    with pytest.raises(MayNot):
        proofing.require_address_level(person, token, now=NOW)
    code = letter_for(person, token)
    assert re.fullmatch(f"[{rules.ALPHABET}]{{10}}", code)
    assert newest(person).state is LetterState.PRINTED
    assert proofing.level_of(person, now=NOW) is Level.NOTHING
    proofing.confirm_letter(f" {code[:5].lower()}-{code[5:]} ", by=person, now=NOW + 29 * DAY)
    later = NOW + 29 * DAY
    proofing.require_address_level(person, token, now=later)
    assert proofing.level_of(person, now=later) is Level.ADDRESS
    (proven,) = proofing.mine(by=person, now=later).proven
    assert (proven.method, proven.token, proven.until) == (Method.LETTER, token, later + 730 * DAY)
    with pytest.raises(MayNot):
        proofing.require_address_level(person, token, now=later + 730 * DAY)
    assert told(person) == ["letter_requested", "letter_printed", "letter_confirmed", "level_proven"]


def test_the_right_code_sent_twice_changes_nothing():
    person, token = somebody(), address()
    code = letter_for(person, token)
    proofing.confirm_letter(code, by=person, now=NOW)
    before = rows(person), told(person)
    proofing.confirm_letter(code, by=person, now=NOW)
    assert (rows(person), told(person)) == before
    with pytest.raises(BadCode):
        proofing.confirm_letter(code, by=person, now=NOW + DAY)
    assert (rows(person), told(person)) == before


def test_of_twenty_right_answers_at_once_one_is_evidence():
    person, token = somebody(), address()
    code = letter_for(person, token)
    at_once(*[lambda: proofing.confirm_letter(code, by=person, now=NOW)] * 20)
    assert told(person).count("level_proven") == 1
    assert len(proofing.mine(by=person, now=NOW).proven) == 1


def test_a_letter_expires_after_thirty_days():
    person, token = somebody(), address()
    code = letter_for(person, token)
    assert newest(person, now=NOW + 30 * DAY).state is LetterState.EXPIRED
    with pytest.raises(BadCode):
        proofing.confirm_letter(code, by=person, now=NOW + 30 * DAY)
    with pytest.raises(Conflict):
        proofing.print_letter(newest(person).letter_id, by=somebody(Role.CLERK), now=NOW + 30 * DAY)
    proofing.request_letter(address(), same=(), by=person, now=NOW + 30 * DAY)
    assert "letter_expired" in told(person)


def test_asking_twice_for_one_address_is_one_letter_and_for_another_has_to_wait():
    person, token = somebody(), address()
    one = proofing.request_letter(token, same=(), by=person, now=NOW)
    assert proofing.request_letter(token, same=(), by=person, now=NOW).letter_id == one.letter_id
    with pytest.raises(Conflict) as err:
        proofing.request_letter(address(), same=(), by=person, now=NOW)
    assert err.value.code == "letter_under_way"
    for _ in range(2):
        proofing.cancel_letter(by=person, now=NOW)
    assert newest(person).state is LetterState.CANCELLED
    assert told(person) == ["letter_requested", "letter_cancelled"]
    proofing.request_letter(address(), same=(), by=person, now=NOW)


def ask_and_cancel(person, token, *, same=(), now=NOW):
    proofing.request_letter(token, same=same, by=person, now=now)
    proofing.cancel_letter(by=person, now=now)


@pytest.mark.asvs("2.3.2")
def test_a_fifth_letter_in_thirty_days_is_refused_for_the_person():
    person = somebody()
    for day in range(4):
        ask_and_cancel(person, address(), now=NOW + day * DAY)
    before = rows(person), told(person)
    with pytest.raises(TooMany) as err:
        ask_and_cancel(person, address(), now=NOW + 29 * DAY)
    assert err.value.retry_after_s == 24 * 3600
    assert (rows(person), told(person)) == before
    ask_and_cancel(person, address(), now=NOW + 30 * DAY)


def test_a_fifth_letter_in_thirty_days_is_refused_for_the_address_with_the_same_words():
    tokens = [address() for _ in range(5)]  # five people's entries of one address
    for token in tokens[:4]:
        ask_and_cancel(somebody(), token, same=tokens)
    fifth = somebody()
    with pytest.raises(TooMany) as of_address:
        ask_and_cancel(fifth, tokens[4], same=tokens)
    assert rows(fifth) == []
    for _ in range(4):
        ask_and_cancel(fifth, address())
    with pytest.raises(TooMany) as of_person:
        ask_and_cancel(fifth, address())
    assert of_address.value.message == of_person.value.message, "it does not tell that others asked"


def test_of_twenty_people_who_ask_for_one_address_at_once_four_get_a_letter():
    tokens = [address() for _ in range(20)]
    asked = [(somebody(), token) for token in tokens]
    works = [partial(proofing.request_letter, token, same=tokens, by=person, now=NOW) for person, token in asked]
    assert [isinstance(each, TooMany) for each in at_once(*works)].count(True) == 16
    assert Letter.objects.filter(token__in=tokens).count() == 4


@pytest.mark.asvs("6.6.3")
def test_five_wrong_tries_and_the_letter_is_over():
    person, token = somebody(), address()
    code = letter_for(person, token)
    for _ in range(4):
        with pytest.raises(BadCode):
            proofing.confirm_letter("2222222222", by=person, now=NOW)
    assert newest(person).state is LetterState.PRINTED
    with pytest.raises(BadCode):
        proofing.confirm_letter("2222222222", by=person, now=NOW)
    assert newest(person).state is LetterState.EXPIRED
    with pytest.raises(BadCode):
        proofing.confirm_letter(code, by=person, now=NOW)
    assert told(person)[-1] == "letter_expired"
    with pytest.raises(MayNot):
        proofing.require_address_level(person, token, now=NOW)


def test_every_refusal_is_the_same():
    person = somebody()
    said = set()

    def refused(code, now=NOW):
        with pytest.raises(BadCode) as err:
            proofing.confirm_letter(code, by=person, now=now)
        said.add((err.value.code, err.value.message, err.value.retry_after_s))

    refused("2222222222")  # none was asked for
    asked = proofing.request_letter(address(), same=(), by=person, now=NOW)
    refused("")  # not printed
    code = proofing.print_letter(asked.letter_id, by=somebody(Role.CLERK), now=NOW).code
    refused("\x00")
    refused(code, now=NOW + 31 * DAY)
    proofing.cancel_letter(by=person, now=NOW)
    refused(code)
    assert len(said) == 1


def test_printing_again_is_an_entry_and_ends_the_code_before():
    person, token, clerk = somebody(), address(), somebody(Role.CLERK)
    asked = proofing.request_letter(token, same=(), by=person, now=NOW)
    codes = [proofing.print_letter(asked.letter_id, by=clerk, now=NOW).code for _ in range(3)]
    with pytest.raises(Conflict):
        proofing.print_letter(asked.letter_id, by=clerk, now=NOW)
    assert told(person).count("letter_printed") == 3
    for old in codes[:2]:
        with pytest.raises(BadCode):
            proofing.confirm_letter(old, by=person, now=NOW)
    proofing.confirm_letter(codes[2], by=person, now=NOW)


def test_the_code_is_not_stored():
    person, token = somebody(), address()
    code = letter_for(person, token)
    row = Letter.objects.get(user=person.id)
    assert code not in str(Letter.objects.filter(pk=row.pk).values())
    assert code.encode() not in bytes(row.digest or b"")


def test_who_has_proven_the_address_is_told_and_so_are_the_persons_other_addresses():
    resident, mover = somebody(), somebody()
    home, same_home, old_home, mail = address(), address(), address(), address()
    lives_at(resident, home)
    lives_at(mover, old_home)
    for person, token in ((resident, mail), (mover, address())):
        proofing.confirm_message(token, Method.EMAIL_CODE, by=person, now=NOW)
    asked = proofing.request_letter(same_home, same=[home], by=mover, now=NOW)
    assert mail in asked.notify
    assert len(asked.notify) == 2
    assert proofing.mine(by=resident, now=NOW).told == (NOW,)
    assert proofing.mine(by=mover, now=NOW).told == ()
    clerk = somebody(Role.CLERK)
    waits = [each for each in proofing.letters_to_print(by=clerk, now=NOW, limit=1000) if each.token == old_home]
    assert [each.kind for each in waits] == [LetterKind.NOTICE]
    notice = proofing.print_letter(waits[0].letter_id, by=clerk, now=NOW)
    assert notice.code == ""
    assert newest(mover).letter_id == asked.letter_id, "a notice is not the letter that they wait for"
    again = proofing.request_letter(same_home, same=[home], by=mover, now=NOW)
    assert again.notify == ()
    assert ProofNotice.objects.filter(user=resident.id).count() == 1


def test_only_a_clerk_prints_and_never_their_own():
    person, token = somebody(), address()
    asked = proofing.request_letter(token, same=(), by=person, now=NOW)
    before = rows(person)
    for role in (Role.ADDRESSEE, Role.ADMINISTRATOR, Role.INSPECTOR, Role.COURIER):
        with pytest.raises(MayNot):
            proofing.print_letter(asked.letter_id, by=somebody(role), now=NOW)
    import dataclasses

    both = dataclasses.replace(person, role=Role.CLERK)
    with pytest.raises(MayNot):
        proofing.print_letter(asked.letter_id, by=both, now=NOW)
    assert asked.letter_id not in [each.letter_id for each in proofing.letters_to_print(by=both, now=NOW, limit=1000)]
    with pytest.raises(NotFound):
        proofing.letter_to_print(asked.letter_id, by=both, now=NOW)
    assert rows(person) == before


def test_a_code_by_message_is_the_first_level():
    person, token = somebody(), address()
    for _ in range(2):
        proofing.confirm_message(token, Method.EMAIL_CODE, by=person, now=NOW)
    assert proofing.level_of(person, now=NOW) is Level.MESSAGE
    assert told(person) == ["level_proven"]
    with pytest.raises(MayNot):
        proofing.require_address_level(person, token, now=NOW)
    proofing.confirm_message(token, Method.EMAIL_CODE, by=person, now=NOW + 31 * DAY)
    assert proofing.level_of(person, now=NOW + 366 * DAY) is Level.MESSAGE
