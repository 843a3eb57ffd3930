"""Whoever opens somebody's data names what it is about: no role and purpose alone lets anybody read anybody."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone
from tests.joined import joined
from tests.people.staffing import facts
from tests.privacy.conftest import anna, item, machinery, person  # noqa: F401 -- fixtures
from tests.scanner import new_number

from parcelward.base.errors import Invalid
from parcelward.people import proofing
from parcelward.people.models import Letter
from parcelward.people.wire import Role
from parcelward.privacy import about, actions, rules
from parcelward.privacy.models import Disclosure
from parcelward.privacy.wire import Field, Kind, Purpose, Subject

pytestmark = pytest.mark.usefixtures("installation")
FOREIGN = [
    (role, purpose)
    for role, sight in rules.SEES.items()
    for purpose in sight.reveals
    if role is not Role.MACHINERY and not sight.own_tenant
]


@pytest.fixture
def token(machinery, anna):  # noqa: F811
    return actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)


def refused(token, purpose, by, said) -> None:
    before = len(facts("privacy.looked", about=said))
    field = next(iter(rules.SEES[by.role].reveals[purpose]))
    with pytest.raises(Invalid) as caught, actions.reveal(token, [field], purpose=purpose, by=by, about=said):
        pytest.fail(f"{by.role} saw {field} for {purpose} about {said!r}")
    assert caught.value.code == "about_needed"
    assert "Say what it is about" in caught.value.message
    with pytest.raises(Invalid), actions.reveal_many([token], [field], purpose=purpose, by=by, about=said):
        pytest.fail("many at once")
    assert not Disclosure.objects.filter(person=token).exists()
    assert len(facts("privacy.looked", about=said)) == before


def test_every_purpose_of_people_is_in_the_table():
    assert {purpose for _role, purpose in FOREIGN} <= about.NAMES.keys()


@pytest.mark.parametrize(("role", "purpose"), FOREIGN)
@pytest.mark.parametrize("said", ["", "page", "RR000000005US", str(uuid.UUID(int=7)), f"itm_{uuid.UUID(int=7).hex}"])
def test_what_names_nothing_opens_nobody(token, role, purpose, said):
    refused(token, purpose, person(role), said)


def test_a_number_that_nobody_gave_out_opens_nobody(token):
    refused(token, Purpose.DELIVERY, person(Role.COURIER), new_number())


def test_a_check_of_somebody_else_or_one_that_is_over_opens_nobody(token, machinery, anna):  # noqa: F811
    """The number of any check would do otherwise: a clerk sees one every few minutes."""
    ben, clerk, now = joined(Role.ADDRESSEE), person(Role.CLERK), timezone.now()
    theirs = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery, account=ben.id)
    check = proofing.start_check(theirs, by=ben, now=now)
    said = str(check.check_id)
    with actions.reveal(theirs, [Field.NAME], purpose=Purpose.COUNTER, by=clerk, about=said) as opened:
        assert opened[Field.NAME].text == anna[Field.NAME]
    refused(token, Purpose.COUNTER, clerk, said)
    before = Disclosure.objects.filter(person=theirs).count()
    for purpose, by in (
        (Purpose.INVESTIGATION, person(Role.INSPECTOR)),  # it is not in review
        (Purpose.LETTER, clerk),
        (Purpose.DELIVERY, person(Role.COURIER)),
    ):
        with pytest.raises(Invalid), actions.reveal(theirs, [Field.NAME], purpose=purpose, by=by, about=said):
            pytest.fail(f"a check at the counter is no matter for {purpose}")
    assert Disclosure.objects.filter(person=theirs).count() == before
    proofing.cancel_check(by=ben, now=now + dt.timedelta(seconds=1))
    with (
        pytest.raises(Invalid),
        actions.reveal(theirs, [Field.NAME], purpose=Purpose.COUNTER, by=clerk, about=said),
    ):
        pytest.fail("it was cancelled")
    assert Disclosure.objects.filter(person=theirs).count() == before


def test_a_letter_to_somebody_else_or_one_that_is_over_opens_nobody(token, machinery, anna):  # noqa: F811
    ben, clerk, now = joined(Role.ADDRESSEE), person(Role.CLERK), timezone.now()
    theirs = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery, account=ben.id)
    said = str(proofing.request_letter(theirs, same=(), by=ben, now=now).letter_id)
    with actions.reveal(theirs, [Field.NAME], purpose=Purpose.LETTER, by=clerk, about=said) as opened:
        assert opened[Field.NAME].text == anna[Field.NAME]
    refused(token, Purpose.LETTER, clerk, said)
    letter, before = Letter.objects.filter(pk=said), Disclosure.objects.filter(person=theirs).count()
    until = letter.get().expires_at
    letter.update(expires_at=now)
    try:
        with pytest.raises(Invalid), actions.reveal(theirs, [Field.NAME], purpose=Purpose.LETTER, by=clerk, about=said):
            pytest.fail("it has expired")
    finally:
        letter.update(expires_at=until)  # as the log says
    assert Disclosure.objects.filter(person=theirs).count() == before


def test_a_request_of_somebody_else_or_one_that_was_answered_opens_nobody(token, machinery, anna):  # noqa: F811
    ben, inspector = joined(Role.ADDRESSEE), person(Role.INSPECTOR)
    theirs = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery, account=ben.id)
    request = actions.object_to(Subject.NOTICES, by=ben)
    with actions.reveal(theirs, [Field.NAME], purpose=Purpose.OWN_DATA, by=inspector, about=str(request)) as opened:
        assert opened
    refused(token, Purpose.OWN_DATA, inspector, str(request))
    actions.withdraw_request(request, by=ben)
    with (
        pytest.raises(Invalid),
        actions.reveal(theirs, [Field.NAME], purpose=Purpose.OWN_DATA, by=inspector, about=str(request)),
    ):
        pytest.fail("it was withdrawn")


def test_an_item_that_there_is_says_what_a_look_is_about(token, item, anna):  # noqa: F811
    courier = person(Role.COURIER)
    with actions.reveal(token, [Field.NAME], purpose=Purpose.DELIVERY, by=courier, about=item) as opened:
        assert opened[Field.NAME].text == anna[Field.NAME]
    assert Disclosure.objects.get(person=token).about == item
