"""To be erased: two people agree, a wait, legal holds; then the account is closed and nothing opens any more."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import transaction
from django.utils import timezone
from tests.at_once import at_once
from tests.joined import joined
from tests.privacy.rights.reading import problems, row, said

from parcelward.base.errors import Conflict, NotAllowed, NotFound
from parcelward.custody.verification import Findings
from parcelward.people import actions as people
from parcelward.people import queries as who
from parcelward.people.errors import BadSignature, MayNot
from parcelward.people.models import SecurityEvent, User
from parcelward.people.wire import Role
from parcelward.privacy import actions, facts, queries
from parcelward.privacy.errors import NotInVault
from parcelward.privacy.models import KeptPerson, RightsRequest, ShredRequest
from parcelward.privacy.wire import Kind, Reason, RequestState

LATER = dt.timedelta(days=40)


def test_an_erasure_takes_two_people_where_nothing_is_kept(ben, admin, inspector):
    request = actions.ask_erasure(by=ben, strong=False)
    actions.uphold(request, by=admin)
    with pytest.raises(NotAllowed) as refused:
        actions.uphold(request, by=admin)
    assert refused.value.code == "two_people"
    assert row(request).state == RequestState.OPEN
    assert actions.uphold(request, by=inspector).state is RequestState.WAITING


def test_an_erasure_takes_two_people_and_a_wait_and_ends_the_account(token, ben, admin, inspector):
    request = actions.ask_erasure(by=ben, strong=False)
    assert actions.ask_erasure(by=ben, strong=False) == request
    actions.uphold(request, by=admin)
    with pytest.raises(NotAllowed) as refused:
        actions.uphold(request, by=admin)
    assert refused.value.code == "two_people"
    assert row(request).state == RequestState.OPEN
    actions.uphold(request, by=inspector)
    assert row(request).state == RequestState.WAITING
    actions.shred_due(timezone.now())
    actions.finish_erasures(timezone.now())
    assert queries.kept(token)
    assert row(request).state == RequestState.WAITING
    later = timezone.now() + LATER
    actions.shred_due(later)
    actions.finish_erasures(later)
    actions.finish_erasures(later)
    with pytest.raises(NotInVault):
        queries.kept(token)
    with pytest.raises(BadSignature):
        who.person_of(User.objects.get(id=ben.id))
    user = User.objects.get(id=ben.id)
    assert (user.is_active, user.token) == (False, None)
    assert not KeptPerson.objects.filter(account=ben.id).exists()
    assert not SecurityEvent.objects.filter(user=ben.id).exists()
    assert queries.what_is_left(request).state is RequestState.DONE
    assert said(facts.RIGHTS_ENDED)["id"] == str(request)
    assert problems() == []


def test_an_erasure_waits_for_a_legal_hold_and_is_refused_with_the_reason(token, ben, admin, inspector):
    actions.hold(token, "court order 7", by=inspector)
    request = actions.ask_erasure(by=ben, strong=False)
    with pytest.raises(Conflict) as refused:
        actions.uphold(request, by=admin)
    assert refused.value.code == "legal_hold"
    assert queries.holds_on(ben.id, by=ben) == 1
    actions.refuse(request, Reason.LEGAL_HOLD, by=admin)
    assert queries.requests_of(by=ben)[0].reason is Reason.LEGAL_HOLD
    assert queries.kept(token)
    actions.lift(token, by=inspector)


def test_what_is_proven_while_it_waits_goes_with_the_account(token, ben, admin, inspector, machinery, anna):
    now = timezone.now()
    letter = actions.put(anna, kind=Kind.PENDING, by=machinery, account=ben.id, expires_at=now + 2 * LATER)
    request = actions.ask_erasure(by=ben, strong=False)
    actions.uphold(request, by=admin)
    actions.uphold(request, by=inspector)
    actions.settle(letter, kind=Kind.ADDRESSEE, by=machinery)  # the code of a letter that was under way
    actions.finish_erasures(now + LATER)
    assert row(request).state == RequestState.WAITING, "what two people agreed on is shredded first"
    actions.shred_due(now + LATER)
    actions.finish_erasures(now + LATER)
    assert row(request).state == RequestState.DONE
    for gone in (token, letter):
        with pytest.raises(NotInVault):
            queries.kept(gone)
    assert not User.objects.get(id=ben.id).is_active


def test_a_hold_placed_during_the_wait_keeps_everything(token, ben, admin, inspector):
    request = actions.ask_erasure(by=ben, strong=False)
    actions.uphold(request, by=admin)
    actions.uphold(request, by=inspector)
    actions.hold(token, "court order 8", by=inspector)
    later = timezone.now() + LATER
    actions.shred_due(later)
    actions.finish_erasures(later)
    assert queries.kept(token)
    assert User.objects.get(id=ben.id).is_active
    actions.lift(token, by=inspector)


def test_who_calls_an_erasure_off_keeps_everything(token, ben, admin, inspector):
    request = actions.ask_erasure(by=ben, strong=False)
    actions.uphold(request, by=admin)
    actions.uphold(request, by=inspector)
    with pytest.raises(NotFound):
        actions.withdraw_request(request, by=joined(Role.ADDRESSEE))
    actions.withdraw_request(request, by=ben)
    actions.withdraw_request(request, by=ben)
    later = timezone.now() + LATER
    actions.shred_due(later)
    actions.finish_erasures(later)
    assert queries.kept(token)
    assert User.objects.get(id=ben.id).is_active
    assert not ShredRequest.objects.filter(person=token, withdrawn_at=None).exists()


def test_once_the_wait_is_over_nobody_calls_it_off(token, ben, admin, inspector):
    request = actions.ask_erasure(by=ben, strong=False)
    actions.uphold(request, by=admin)
    actions.uphold(request, by=inspector)
    with transaction.atomic():
        RightsRequest.objects.filter(pk=request).update(not_before=timezone.now())
        with pytest.raises(Conflict) as refused:
            actions.withdraw_request(request, by=ben)
        assert refused.value.code == "too_late"
        transaction.set_rollback(True)
    actions.withdraw_request(request, by=ben)


def test_an_erasure_that_is_refused_after_the_first_agreed_shreds_nobody(token, ben, admin, inspector):
    request = actions.ask_erasure(by=ben, strong=False)
    actions.uphold(request, by=admin)
    actions.refuse(request, Reason.LEGAL_HOLD, by=inspector)
    assert not ShredRequest.objects.filter(person=token, withdrawn_at=None).exists()


def test_a_hold_on_what_would_have_expired_keeps_the_account(token, ben, admin, inspector, machinery, anna):
    later = timezone.now() + LATER
    held = actions.put(anna, kind=Kind.PENDING, by=machinery, account=ben.id, expires_at=later + LATER)
    actions.hold(held, "court order 9", by=inspector)
    request = actions.ask_erasure(by=ben, strong=False)
    actions.uphold(request, by=admin)
    actions.uphold(request, by=inspector)
    actions.shred_due(later)
    actions.finish_erasures(later)
    assert queries.kept(held)
    assert User.objects.get(id=ben.id).is_active
    assert row(request).state == RequestState.WAITING
    actions.lift(held, by=inspector)
    actions.finish_erasures(later)
    assert row(request).state == RequestState.DONE


def test_what_was_kept_since_the_first_agreed_is_looked_at_again(token, ben, admin, inspector, machinery, anna):
    request = actions.ask_erasure(by=ben, strong=False)
    actions.uphold(request, by=admin)
    actions.put(anna, kind=Kind.ADDRESSEE, by=machinery, account=ben.id)
    with pytest.raises(Conflict) as refused:
        actions.uphold(request, by=inspector)
    assert refused.value.code == "new_entry"
    assert ShredRequest.objects.filter(requested_by=inspector.source).count() == 0
    actions.uphold(request, by=admin)
    actions.uphold(request, by=inspector)
    assert row(request).state == RequestState.WAITING


def test_who_has_a_role_ends_it_first(admin):
    with pytest.raises(Conflict) as refused:
        actions.ask_erasure(by=admin, strong=True)
    assert refused.value.code == "has_role"


@pytest.mark.asvs("7.4.2")
def test_a_closed_account_has_no_passkey_and_no_session_and_the_log_says_so(token, ben, admin, inspector):
    from allauth.mfa.models import Authenticator
    from django.contrib.sessions.models import Session

    from parcelward.people.account_check import check_accounts
    from parcelward.people.membership_check import check_memberships
    from parcelward.people.models import KnownBrowser, Passkey, SignedIn

    now = timezone.now()
    key = Authenticator.objects.create(user_id=ben.id, type=Authenticator.Type.WEBAUTHN, data={"name": "mine"})
    credential, public = uuid.uuid4().bytes, uuid.uuid4().bytes
    people.add_passkey(ben.id, key, credential_id=credential, public_key=public, signatures=0)
    user = User.objects.get(id=ben.id)
    cookie = Session.objects.create(session_key=uuid.uuid4().hex, session_data="x", expire_date=now + LATER)
    people.begin_session(
        user, cookie.session_key, method="passkey", browser=uuid.uuid4().bytes, seen_from=None, now=now
    )
    request = actions.ask_erasure(by=ben, strong=True)
    actions.uphold(request, by=admin)
    actions.uphold(request, by=inspector)
    assert not people.close_account(admin.id, by=people.machinery())  # who has a role stays
    assert User.objects.get(id=admin.id).is_active
    actions.shred_due(now + LATER)
    actions.finish_erasures(now + LATER)
    for model in (Passkey, SignedIn, KnownBrowser, Authenticator):
        assert not model.objects.filter(user=user).exists(), model
    assert not Session.objects.filter(session_key=cookie.session_key).exists()
    findings = Findings()
    check_accounts(findings)
    check_memberships(findings)
    said_of = "" if findings.first is None else str(findings.first)
    assert str(ben.source) not in said_of
    assert "Passkey" not in said_of


def test_nobody_but_the_house_closes_an_account(ben, clerk):

    with pytest.raises(MayNot):
        people.close_account(ben.id, by=clerk)
    assert User.objects.get(id=ben.id).is_active


def test_two_who_agree_at_once_are_two_people(token, ben, admin):
    request = actions.ask_erasure(by=ben, strong=True)
    outcomes = at_once(*[lambda: actions.uphold(request, by=admin)] * 2)
    assert [each.code for each in outcomes if isinstance(each, NotAllowed)] == ["two_people"]
    assert row(request).state == RequestState.OPEN


def test_an_account_of_which_nothing_is_kept_takes_two_people_too(ben, admin, inspector):
    request = actions.ask_erasure(by=ben, strong=False)
    assert actions.uphold(request, by=admin).state is RequestState.OPEN
    with pytest.raises(NotAllowed) as caught:
        actions.uphold(request, by=admin)
    assert caught.value.code == "two_people"
    assert row(request).state == RequestState.OPEN
    assert actions.uphold(request, by=inspector).state is RequestState.WAITING
    actions.withdraw_request(request, by=ben)


def test_what_the_first_had_begun_ends_when_a_colleague_refuses(token, ben, admin, inspector):
    request = actions.ask_erasure(by=ben, strong=False)
    actions.uphold(request, by=admin)
    assert ShredRequest.objects.filter(person=token, withdrawn_at=None).exists()
    actions.refuse(request, Reason.CLAIM_RUNNING, by=inspector)
    assert not ShredRequest.objects.filter(person=token, withdrawn_at=None).exists(), "nobody agrees to it alone later"
