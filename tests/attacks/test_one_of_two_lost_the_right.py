"""What two people agree to is agreed to by two who may: who asked and was locked out since is none of them."""

from __future__ import annotations

import pytest
from tests.joined import joined
from tests.people.staffing import facts, somebody
from tests.privacy.conftest import anna, machinery  # noqa: F401 -- fixtures
from tests.scanner import event, new_number

from parcelward.base.errors import Conflict
from parcelward.custody.models import Erasure
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries as items
from parcelward.people import actions as people
from parcelward.people.models import Membership
from parcelward.people.wire import Person, Role
from parcelward.privacy import actions as privacy
from parcelward.privacy.models import RightsRequest, ShredRequest
from parcelward.privacy.wire import Kind, RequestState

pytestmark = pytest.mark.usefixtures("installation")
GONE = ("locked", "ended")


def lose_the_right(person: Person, how: str) -> None:
    if how == "locked":
        people.lock_person(person.name, by=people.installer())
    else:
        people.end_membership(Membership.objects.get(user=person.id, ended_at=None).id, by=people.installer())


@pytest.mark.parametrize("how", GONE)
def test_an_erasure_that_somebody_asked_for_who_is_gone_is_not_agreed_to(scanner, how):
    number = new_number()
    scanner.send(event(number, "accepted"))
    asker = somebody(Role.INSPECTOR)
    found = items.find(number)
    assert found is not None
    erasure = parcels.request_erasure(found, "asked for", by=asker)
    lose_the_right(asker, how)
    with pytest.raises(Conflict) as caught:
        parcels.approve_erasure(erasure, by=somebody(Role.ADMINISTRATOR))
    assert caught.value.code == "asker_may_not"
    assert Erasure.objects.get(pk=erasure).approved_by is None
    assert not facts("custody.erasure_approved", erasure=erasure)
    parcels.withdraw_erasure(erasure, by=people.installer())


@pytest.mark.parametrize("how", GONE)
def test_a_shredding_that_somebody_asked_for_who_is_gone_is_not_agreed_to(machinery, anna, how):  # noqa: F811
    token = privacy.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    asker = somebody(Role.INSPECTOR)
    request = privacy.ask_to_shred(token, "asked for", by=asker)
    lose_the_right(asker, how)
    other = somebody(Role.ADMINISTRATOR)
    with pytest.raises(Conflict) as caught:
        privacy.agree_to_shred(request, by=other)
    assert caught.value.code == "asker_may_not"
    row = ShredRequest.objects.get(pk=request)
    assert (row.agreed_by, row.not_before) == (None, None)
    assert not facts("privacy.shred_agreed", request=request)
    privacy.withdraw_shred(request, by=other)


def test_of_an_accounts_erasure_who_comes_after_somebody_who_is_gone_is_the_first(machinery, anna):  # noqa: F811
    addressee = joined(Role.ADDRESSEE)
    token = privacy.put(anna, kind=Kind.ADDRESSEE, by=machinery, account=addressee.id)
    asked = privacy.ask_erasure(by=addressee, strong=True)
    first = somebody(Role.INSPECTOR)
    privacy.uphold(asked, by=first)
    lose_the_right(first, "locked")
    second, third = somebody(Role.ADMINISTRATOR), somebody(Role.INSPECTOR)
    assert privacy.uphold(asked, by=second).state is RequestState.OPEN
    row = RightsRequest.objects.get(pk=asked)
    assert (row.first_by, row.not_before) == (second.source, None)
    assert not ShredRequest.objects.filter(person=token).exclude(agreed_by=None).exists()
    assert privacy.uphold(asked, by=third).state is RequestState.WAITING
    one = ShredRequest.objects.get(person=token, withdrawn_at=None)
    assert (one.requested_by, one.agreed_by) == (second.source, third.source)
    privacy.withdraw_request(asked, by=addressee)
