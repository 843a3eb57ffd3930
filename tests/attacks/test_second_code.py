"""Whoever invites, and whoever agrees, holds one of two things: neither becomes a second person alone."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from tests.at_once import at_once
from tests.laws.tampering import undone
from tests.people.staffing import facts, of, operator, rights, sender, somebody

from parcelward.base.errors import Conflict, NotFound
from parcelward.people import actions, codes, queries
from parcelward.people.errors import BadCode
from parcelward.people.models import Invitation, Membership, User
from parcelward.people.proofing_rules import INVITATION_CODE_CHARS, INVITATION_TRIES_MAX
from parcelward.people.wire import Role

pytestmark = pytest.mark.usefixtures("installation")
HOME, TAKE = "/accounts/join", "/app/account/join"


@pytest.fixture
def agreed():
    """An invitation that two people agreed to: its id, its link's code, the second code, and the two."""
    anna, ben = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR)
    invitation, code = actions.invite(operator(), Role.INSPECTOR, by=anna)
    return invitation, code, actions.agree_to_invitation(invitation, by=ben), anna, ben


def join(code: str, proof: bytes = b"") -> Membership:
    now = dt.datetime.now(dt.UTC)
    return actions.join(code, user_id=uuid.uuid4(), now=now, proof=actions.Proof(proof))[1]


def wrong(code: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(BadCode):
            actions.try_code(code, "2222 2222")


@pytest.mark.asvs("2.3.1")
def test_who_invited_does_not_join_alone(agreed, browser):
    invitation, code, second, anna, _ben = agreed
    before = rights()
    for proof in (b"", b"0" * 32, bytes(Invitation.objects.get(id=invitation).digest)):
        with pytest.raises(BadCode):
            join(code, proof)
    mine = browser()
    offered = mine.post(HOME, HOME, code=code)
    assert "passkey-options" not in offered.text
    assert second not in str(queries.organisation(operator(), by=anna))
    forced = mine.post("/accounts/join/passkey", HOME, code=code, credential="{}", name="computer")
    assert (forced.status_code, rights()) == (302, before), "nothing was offered"
    assert join(code, actions.try_code(code, second)).role == "inspector"
    assert len(facts("people.invitation_agreed", invitation=str(invitation))) == 1


def test_who_agreed_has_no_link_and_the_second_code_alone_opens_nothing(agreed):
    invitation, _code, second, _anna, ben = agreed
    before = rights()
    for guess in (second, str(invitation), ""):
        with pytest.raises(NotFound):
            actions.try_code(guess, second)
    assert [row.agreed for row in queries.waiting_invitations(by=ben) if row.id == invitation] == [True]
    assert (rights(), Invitation.objects.get(id=invitation).second_tries) == (before, 0)


@pytest.mark.asvs("6.3.1")
def test_after_five_wrong_codes_the_invitation_ends(agreed):
    invitation, code, second, _anna, ben = agreed
    before = User.objects.count()
    wrong(code, INVITATION_TRIES_MAX - 1)
    with pytest.raises(NotFound) as caught:
        actions.try_code(code, "2222 2222")
    said = str(caught.value)
    with pytest.raises(NotFound) as caught:
        actions.try_code(code, second)
    assert str(caught.value) == said
    with pytest.raises(NotFound):
        join(code, bytes(Invitation.objects.get(id=invitation).second_digest or b""))
    with pytest.raises(NotFound):
        actions.agree_to_invitation(invitation, by=ben)
    assert len(facts("people.invitation_withdrawn", invitation=str(invitation))) == 1
    assert User.objects.count() == before


def test_of_many_wrong_tries_at_once_each_counts(agreed):
    invitation, code, _second, _anna, _ben = agreed
    outcomes = at_once(*[lambda: actions.try_code(code, "2222 2222")] * 8)
    assert sorted(type(each).__name__ for each in outcomes) == ["BadCode"] * 4 + ["NotFound"] * 4
    assert Invitation.objects.get(id=invitation).second_tries == INVITATION_TRIES_MAX


def test_the_code_is_kept_as_a_keyed_hash_and_stands_in_no_entry(agreed):
    invitation, _code, second, _anna, _ben = agreed
    row = Invitation.objects.get(id=invitation)
    assert len(second) == INVITATION_CODE_CHARS
    assert bytes(row.second_digest or b"") == codes.keyed("invitation", row.id.bytes, second.encode())
    entry = facts("people.invitation_agreed", invitation=str(invitation))[0]
    assert set(entry) >= {"by", "invitation"}
    assert second not in str(entry)
    assert bytes(row.second_digest or b"").hex() not in str(entry)


def test_only_who_agreed_makes_a_fresh_code_which_ends_the_old_one(agreed):
    invitation, code, second, anna, ben = agreed
    old = actions.try_code(code, second)
    wrong(code, 1)
    for other in (anna, somebody(Role.ADMINISTRATOR)):
        with pytest.raises(Conflict):
            actions.agree_to_invitation(invitation, by=other)
    assert actions.try_code(code, second) == old
    fresh = actions.agree_to_invitation(invitation, by=ben)
    with pytest.raises(BadCode):
        actions.try_code(code, second)
    with pytest.raises(BadCode):
        join(code, old)
    assert [one["by"] for one in facts("people.invitation_code_renewed", invitation=str(invitation))] == [ben.source]
    assert len(facts("people.invitation_agreed", invitation=str(invitation))) == 1
    assert join(code, actions.try_code(code, fresh)).role == "inspector"
    with pytest.raises(Conflict):
        actions.agree_to_invitation(invitation, by=ben)


def test_what_was_agreed_to_before_there_were_codes_waits_for_a_fresh_one(agreed):
    invitation, code, _second, _anna, ben = agreed
    with undone():
        Invitation.objects.filter(id=invitation).update(second_digest=None)
        with pytest.raises(BadCode):
            join(code)
        assert len(actions.agree_to_invitation(invitation, by=ben)) == INVITATION_CODE_CHARS


def test_of_two_who_come_at_once_with_both_codes_one_gets_in(agreed):
    _invitation, code, second, _anna, _ben = agreed
    proof = actions.try_code(code, second)
    outcomes = at_once(*[lambda: join(code, proof)] * 2)
    assert sum(isinstance(each, NotFound) for each in outcomes) == 1
    assert sum(getattr(each, "role", "") == "inspector" for each in outcomes) == 1


def test_a_link_that_needs_no_second_person_asks_for_no_code():
    anna = somebody(Role.ADMINISTRATOR)
    for by, role in ((anna, Role.SORTER), (actions.installer(), Role.ADMINISTRATOR)):
        code = actions.invite(operator(), role, by=by)[1]
        assert not actions.invitation(code).needs_code
        assert join(code, actions.try_code(code, "")).role == role


def test_with_an_account_the_second_code_is_asked_for_too(browser, link):
    mine = browser()
    mine.join(link("sender_member", sender("First Shop")))
    anna, ben, shop = somebody(Role.ADMINISTRATOR), somebody(Role.ADMINISTRATOR), sender("Second Shop")
    somebody(Role.SENDER_ADMIN, shop, owner=True)
    invitation, code = actions.invite(shop, Role.SENDER_MEMBER, by=anna)
    second = actions.agree_to_invitation(invitation, by=ben)
    before = rights()
    assert "Type the second code" in mine.post(HOME, HOME, code=code).text
    assert mine.post(HOME, HOME, code=code, second="2222-2222").status_code == 422
    assert mine.post(TAKE, HOME, code=code).status_code == 422
    assert rights() == before
    shown = mine.post(HOME, HOME, code=code, second=second)
    assert (shown.status_code, "Second Shop" in shown.text) == (200, True)
    assert mine.post(TAKE, HOME, code=code, second=second).status_code == 302
    assert Membership.objects.filter(user=of(mine), organisation=shop, ended_at=None).exists()
