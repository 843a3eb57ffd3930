"""What people ask about their own data: each right does what it says, for nobody else, and is an entry in the log."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
from django.utils import timezone
from tests.joined import joined
from tests.people.proving import lives_at
from tests.privacy.rights.reading import problems, row, said

from parcelward.base.errors import Conflict, Invalid, NotAllowed, NotFound
from parcelward.people import actions as people
from parcelward.people import proofing
from parcelward.people import queries as who
from parcelward.people.errors import MayNot
from parcelward.people.models import Evidence
from parcelward.people.wire import Level, Method, Role
from parcelward.privacy import actions, facts, queries, rights_rules
from parcelward.privacy.errors import NotInVault, Restricted
from parcelward.privacy.models import Disclosure, RightsRequest
from parcelward.privacy.wire import Field, Kind, Purpose, Reason, RequestState, Right, Subject

LATER = dt.timedelta(days=40)


def test_an_export_holds_everything_once_and_is_in_the_trail(token, anna, ben):
    given = actions.export(by=ben, strong=False)
    json.dumps(given)
    assert (given["schema"], given["schema_version"]) == ("parcelward.my-data", 1)
    assert {Field(name): text for name, text in given["entries"][0]["fields"].items()} == anna
    assert given["requests"][0]["right"] == "export"
    look = queries.looks([token], by=ben)[0]
    assert (look.by, look.purpose, look.about) == (ben.source, Purpose.OWN_DATA, "export")
    assert said(facts.RIGHTS_ASKED)["right"] == "export"


@pytest.mark.asvs("8.2.2")
def test_an_export_is_of_nobody_else(token, installation):
    other = joined(Role.ADDRESSEE)
    assert actions.export(by=other, strong=True)["entries"] == []
    assert not Disclosure.objects.filter(person=token).exists()


@pytest.mark.asvs("7.5.1")
def test_who_has_proven_an_address_needs_more_than_a_code(token, ben):
    proofing.confirm_message(token, Method.EMAIL_CODE, by=ben, now=timezone.now())
    actions.export(by=ben, strong=False)
    Evidence.objects.filter(user=ben.id).update(level=int(Level.ADDRESS))
    try:
        for deed in (actions.export, actions.ask_erasure):
            with pytest.raises(MayNot) as refused:
                deed(by=ben, strong=False)
            assert refused.value.code == "stronger_proof"
        assert not RightsRequest.objects.filter(account=ben.id, right=Right.ERASE).exists()
        actions.export(by=ben, strong=True)
    finally:
        Evidence.objects.filter(user=ben.id).update(level=int(Level.MESSAGE))  # as the log says


def test_a_correction_is_written_and_ends_what_was_proven(token, ben, machinery):
    now = timezone.now()
    lives_at(ben, token, now=now)
    assert proofing.level_of(ben, now=now) is Level.ADDRESS
    actions.correct(token, {Field.NAME: "Benjamin Right"}, by=ben)
    assert proofing.level_of(ben, now=timezone.now()) is Level.NOTHING
    with actions.reveal(token, [Field.NAME], purpose=Purpose.OWN_DATA, by=ben) as kept:
        assert kept[Field.NAME].text == "Benjamin Right"
    assert queries.requests_of(by=ben)[0].right is Right.CORRECT


@pytest.mark.asvs("2.2.3")
@pytest.mark.parametrize("given", [{Field.POSTCODE: "K1A 0B1"}, {Field.COUNTRY: "GB"}, {Field.COUNTRY: "XX"}])
def test_a_postcode_that_no_longer_fits_its_country_is_not_written(token, ben, given):
    actions.correct(token, {Field.POSTCODE: "62701", Field.COUNTRY: "US"}, by=ben)
    with pytest.raises(Invalid):
        actions.correct(token, given, by=ben)
    with actions.reveal(token, [Field.POSTCODE, Field.COUNTRY], purpose=Purpose.OWN_DATA, by=ben) as kept:
        assert [kept[field].text for field in (Field.POSTCODE, Field.COUNTRY)] == ["62701", "US"]
    actions.correct(token, {Field.POSTCODE: "K1A 0B1", Field.COUNTRY: "CA"}, by=ben)


def test_nobody_corrects_a_strangers_entry_or_an_email(token, ben, anna, installation):
    with pytest.raises(NotFound):
        actions.correct(token, {Field.NAME: "Mine Now"}, by=joined(Role.ADDRESSEE))
    with pytest.raises(Invalid):
        actions.correct(token, {Field.EMAIL: "thief@example.com"}, by=ben)
    with actions.reveal(token, [Field.NAME, Field.EMAIL], purpose=Purpose.OWN_DATA, by=ben) as kept:
        assert kept[Field.NAME].text == anna[Field.NAME]
        assert kept[Field.EMAIL].text == anna[Field.EMAIL]


@pytest.mark.parametrize("purpose", [Purpose.NOTICE, Purpose.LETTER, Purpose.LABEL, Purpose.CONTACT, Purpose.COUNTER])
def test_what_is_restricted_is_opened_for_legal_purposes_only(token, ben, machinery, purpose):
    request = actions.restrict(by=ben)
    assert actions.restrict(by=ben) == request
    with pytest.raises(Restricted), actions.reveal(token, [Field.NAME], purpose=purpose, by=machinery):
        pass
    with actions.reveal_many([token], [Field.NAME], purpose=purpose, by=machinery) as opened:
        assert opened == {}
    assert not Disclosure.objects.filter(person=token).exists()
    actions.withdraw_request(request, by=ben)
    with actions.reveal(token, [Field.NAME], purpose=purpose, by=machinery) as kept:
        assert kept


def test_what_is_restricted_is_opened_by_its_person_to_sign_in_and_for_an_investigation(
    token, ben, inspector, machinery, anna, item
):
    actions.restrict(by=ben)
    for purpose, by in (
        (Purpose.OWN_DATA, ben),
        (Purpose.SIGN_IN, machinery),
        (Purpose.INVESTIGATION, inspector),
    ):
        with actions.reveal(token, [Field.NAME], purpose=purpose, by=by, about=item) as kept:
            assert kept[Field.NAME].text == anna[Field.NAME]


def test_what_is_restricted_is_stars_in_lists_is_not_found_and_does_not_expire(token, ben, clerk, machinery, anna):
    pending = actions.put(anna, kind=Kind.PENDING, by=machinery, account=ben.id, expires_at=timezone.now())
    actions.restrict(by=ben)
    assert actions.masked(token, [Field.NAME], by=clerk) == {Field.NAME: "****"}
    assert actions.masked(token, [Field.NAME], by=ben)[Field.NAME] != "****"
    assert actions.find(Field.NAME, anna[Field.NAME], purpose=Purpose.COUNTER, by=clerk) == ()
    actions.forget_expired(timezone.now() + LATER)
    assert queries.kept(pending)
    actions.withdraw_request(queries.requests_of(by=ben)[0].request_id, by=ben)
    actions.forget_expired(timezone.now() + LATER)
    with pytest.raises(NotInVault):
        queries.kept(pending)


def test_an_objection_is_decided_within_thirty_days_with_a_reason(token, ben, admin, machinery):
    request = actions.object_to(Subject.NOTICES, by=ben)
    assert actions.object_to(Subject.NOTICES, by=ben) == request
    asked = queries.request(request, by=admin)
    assert asked.due_at - asked.asked_at == dt.timedelta(days=30)
    assert asked in queries.requests_open(by=admin)
    with pytest.raises(Invalid):
        actions.refuse(request, Reason.ACCEPTED, by=admin)
    with actions.reveal(token, [Field.NAME], purpose=Purpose.NOTICE, by=machinery):
        pass
    actions.uphold(request, by=admin)
    with pytest.raises(Restricted), actions.reveal(token, [Field.NAME], purpose=Purpose.NOTICE, by=machinery):
        pass
    with actions.reveal(token, [Field.NAME], purpose=Purpose.LETTER, by=machinery):
        pass
    with pytest.raises(Conflict):
        actions.refuse(request, Reason.UNFOUNDED, by=admin)


def test_more_time_is_taken_once(ben, admin):
    request = actions.object_to(Subject.CONTACT, by=ben)
    actions.extend(request, Reason.MANY_REQUESTS, by=admin)
    asked = queries.request(request, by=ben)
    assert asked.due_at - asked.asked_at == dt.timedelta(days=90)
    with pytest.raises(Conflict):
        actions.extend(request, Reason.MANY_REQUESTS, by=admin)
    actions.refuse(request, Reason.COMPELLING_GROUNDS, by=admin)
    assert queries.request(request, by=ben).reason is Reason.COMPELLING_GROUNDS


def test_only_who_may_answers_and_nobody_their_own(ben, clerk, admin):
    request = actions.object_to(Subject.NOTICES, by=ben)
    for deed in (lambda: actions.uphold(request, by=clerk), lambda: actions.refuse(request, Reason.UNFOUNDED, by=ben)):
        with pytest.raises(MayNot):
            deed()
    own = actions.object_to(Subject.NOTICES, by=admin)
    with pytest.raises(NotAllowed) as refused:
        actions.uphold(own, by=admin)
    assert refused.value.code == "own_request"
    with pytest.raises(NotFound):
        queries.request(request, by=joined(Role.ADDRESSEE))
    assert row(request).state == row(own).state == RequestState.OPEN


def test_a_key_asks_nothing(installation):
    from parcelward.people.models import Source
    from parcelward.people.wire import Person

    source = Source.objects.create(kind="api_key", name="a key")
    try:
        key = Person(uuid.uuid4(), Role.SENDER_ADMIN, source.number, "key", organisation=uuid.uuid4())
        with pytest.raises(NotAllowed) as refused:
            actions.export(by=key, strong=True)
        assert refused.value.code == "no_person"
    finally:
        source.delete()


def test_a_key_answers_nobody(ben, installation):

    by = people.installer()
    made = people.new_key("answers", Role.ADMINISTRATOR, by=by, mode="test", simulated=True)
    request = actions.object_to(Subject.NOTICES, by=ben)
    with pytest.raises(NotAllowed) as refused:
        actions.uphold(request, by=who.key_holder(made.token))
    assert refused.value.code == "two_people"
    assert row(request).state == RequestState.OPEN
    people.revoke_key(made.id, by=by)


def test_a_turned_row_is_found(ben, admin):
    request = actions.object_to(Subject.NOTICES, by=ben)
    assert problems() == []
    RightsRequest.objects.filter(pk=request).update(state=RequestState.IN_FORCE)
    assert problems() == ["rights_request"]
    RightsRequest.objects.filter(pk=request).update(state=RequestState.OPEN)
    kept = row(request)
    RightsRequest.objects.filter(pk=request).delete()
    assert problems() == ["rights_request"]
    kept.save(force_insert=True)
    assert problems() == []


def test_the_rules():
    assert rights_rules.closed([(Right.OBJECT, Subject.NOTICES)]) == {Purpose.NOTICE}
    assert Purpose.DELIVERY in rights_rules.closed([(Right.RESTRICT, Subject.NONE)])
    assert not rights_rules.closed([(Right.ERASE, Subject.NONE)])
