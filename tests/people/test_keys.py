"""API keys: scopes, an end, a rotation with overlap, a tenant; each change is an entry in the log."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from tests.joined import joined
from tests.people.tenants import organisation, person, suspended, token_of

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody.models import Fact
from parcelward.people import actions as people
from parcelward.people import queries, roles
from parcelward.people.errors import BadSignature, MayNot
from parcelward.people.models import ApiKey
from parcelward.people.wire import Role, Task

pytestmark = pytest.mark.usefixtures("installation")
DAY = dt.timedelta(days=1)


@pytest.fixture
def installer(installation):
    return people.installer()


def made(role=Role.PARTNER, **more):
    by = more.pop("by", None) or people.installer()
    return people.new_key("tested key", role, by=by, mode="test", simulated=True, **more)


def facts(kind):
    return Fact.objects.filter(kind=kind).count()


def test_a_key_with_scopes_may_do_those_of_its_roles_tasks_and_no_others():
    token = made(scopes=[Task.SCAN]).token
    holder = queries.key_holder(token)
    assert holder.scopes == frozenset({Task.SCAN})
    assert {task for task in Task if roles.may(holder, task)} == {Task.SCAN}
    with pytest.raises(MayNot) as caught:
        roles.require(holder, Task.CAPTURE)
    assert caught.value.code == "scope"
    everything = queries.key_holder(made().token)
    assert everything.scopes is None
    assert {task for task in Task if roles.may(everything, task)} == roles.MAY[Role.PARTNER]
    nothing = queries.key_holder(made(scopes=[]).token)
    assert not any(roles.may(nothing, task) for task in Task), "no scope is no right, not every right"


def test_what_is_asked_of_sources_later_knows_the_scopes_too():
    wide, narrow = (queries.key_holder(made(Role.ADMINISTRATOR, scopes=s).token) for s in (None, [Task.READ_DESK]))
    assert queries.sources_that_may(Task.CORRECT, [wide.source, narrow.source]) == {wide.source}


def test_a_key_ends_after_a_year_unless_said_otherwise(installer):
    row = ApiKey.objects.get(pk=made().id)
    assert row.expires_at is not None
    assert abs(row.expires_at - row.created_at - people.KEY_LIFETIME) < dt.timedelta(minutes=1)
    assert ApiKey.objects.get(pk=made(lifetime=people.FOR_GOOD).id).expires_at is None
    admin = person(Role.SENDER_ADMIN, organisation())
    for lifetime in (people.FOR_GOOD, dt.timedelta(), -DAY, people.KEY_LIFETIME_MAX + DAY):
        with pytest.raises(Invalid) as caught:
            made(Role.SENDER_MEMBER, by=admin, lifetime=lifetime)
        assert caught.value.code == "bad_lifetime"


def test_a_rotated_key_has_two_tokens_until_the_old_one_ends_and_stays_the_same_key(installer):
    first, before = made(), facts("people.key_rotated")
    second = people.rotate_key(first.id, DAY, by=installer, mode="test")
    holders = [queries.key_holder(token) for token in (first.token, second.token)]
    assert holders[0] == holders[1]
    assert (second.id, holders[0].id) == (first.id, first.id)
    shown = queries.key(first.id, by=installer)
    assert (shown.prefix, shown.previous_prefix) == (second.token[:14], first.token[:14]), "both are shown"
    assert shown.previous_ends_at is not None
    assert facts("people.key_rotated") == before + 1
    with pytest.raises(Conflict) as caught:
        people.rotate_key(first.id, DAY, by=installer, mode="test")  # a form that is sent twice
    assert caught.value.code == "overlap_running"
    queries.key_holder(first.token)
    third = people.rotate_key(first.id, dt.timedelta(), by=installer, mode="test")
    for ended in (first.token, second.token):
        assert not queries.key_is_valid(ended)
    assert queries.key_is_valid(third.token)
    people.revoke_key(first.id, by=installer)
    with pytest.raises(Conflict):
        people.rotate_key(first.id, DAY, by=installer, mode="test")


def test_revoking_a_key_ends_both_of_its_tokens(installer):
    first = made()
    second = people.rotate_key(first.id, DAY, by=installer, mode="test")
    people.revoke_key(first.id, by=installer)
    assert not queries.key_is_valid(first.token)
    assert not queries.key_is_valid(second.token)


@pytest.mark.parametrize("overlap", [-DAY, people.OVERLAP_MAX + dt.timedelta(seconds=1)])
def test_an_old_token_goes_on_for_thirty_days_at_most(installer, overlap):
    with pytest.raises(Invalid):
        people.rotate_key(made().id, overlap, by=installer, mode="test")


def test_an_old_token_never_outlives_the_end_that_its_key_had(installer):
    key = made(lifetime=DAY)
    ended = ApiKey.objects.get(pk=key.id).expires_at
    people.rotate_key(key.id, people.OVERLAP_MAX, by=installer, mode="test")
    row = ApiKey.objects.get(pk=key.id)
    assert ended is not None
    assert row.expires_at is not None
    assert row.previous_ends_at == ended
    assert row.expires_at > ended + people.OVERLAP_MAX


def test_a_tenants_administrator_sees_and_makes_the_keys_of_their_own_organisation(installer):
    ours, theirs = organisation(), organisation()
    admin = person(Role.SENDER_ADMIN, ours)
    own = made(Role.SENDER_MEMBER, by=admin)
    other = token_of(theirs)
    assert queries.key_holder(own.token).organisation == ours.id
    assert {key.id for key in queries.keys(by=admin)} == {own.id}
    assert {own.id, other.id} <= {key.id for key in queries.keys(by=installer)}, "the operator's sees all"
    with pytest.raises(NotFound) as foreign:
        queries.key(other.id, by=admin)
    with pytest.raises(NotFound) as unknown:
        queries.key(uuid.uuid4(), by=admin)
    assert str(foreign.value) == str(unknown.value)


def test_a_tenants_administrator_makes_no_key_of_another_organisation(installer):
    admin, operator = person(Role.SENDER_ADMIN, organisation()), people.ensure_operator("x", by=installer)
    before = ApiKey.objects.count()
    for of in (organisation().id, operator):
        with pytest.raises(NotFound):
            made(Role.SENDER_MEMBER, by=admin, organisation=of)
    assert ApiKey.objects.count() == before


def test_a_sender_without_an_organisation_reaches_nothing(installer):
    nobody = person(Role.SENDER_ADMIN)
    made()
    assert queries.keys(by=nobody) == []
    with pytest.raises(NotFound):
        made(Role.SENDER_MEMBER, by=nobody)
    with pytest.raises(Invalid) as caught:
        made(Role.SENDER_ADMIN)
    assert caught.value.code == "bad_organisation"


@pytest.mark.asvs("2.2.3")
@pytest.mark.parametrize("role", [Role.DEVICE, Role.MACHINERY, Role.ADDRESSEE, Role.ADMINISTRATOR, Role.PARTNER])
def test_a_senders_key_has_a_senders_role(role):
    with pytest.raises((Invalid, NotFound)):
        made(role, by=person(Role.SENDER_ADMIN, organisation()))


def test_a_suspended_organisations_keys_stop_at_once_and_go_on_after():
    tenant = organisation()
    token = token_of(tenant).token
    source = queries.key_holder(token).source
    with suspended(tenant):
        with pytest.raises(BadSignature) as caught:
            queries.key_holder(token)
        with pytest.raises(BadSignature) as unknown:
            queries.key_holder("pw_test_nothing")
        assert (str(caught.value), caught.value.code) == (str(unknown.value), unknown.value.code)
        assert queries.revoked_among([source]) == {source}
    assert queries.key_is_valid(token)


def test_the_same_key_is_not_made_twice(installer):
    key_id = uuid.uuid4()
    made(key_id=key_id)
    before = ApiKey.objects.count(), facts("people.key_made")
    with pytest.raises(Conflict):
        made(key_id=key_id)
    assert (ApiKey.objects.count(), facts("people.key_made")) == before


@pytest.mark.parametrize("role", [Role.INSPECTOR, Role.AUDITOR, Role.CLERK])
def test_an_administrator_alone_makes_no_key_of_a_role_that_takes_two_people(role):
    """As an invitation to such a role does: one person would have both."""
    admin = joined(Role.ADMINISTRATOR)
    before = ApiKey.objects.count()
    with pytest.raises(MayNot) as refused:
        people.make_key("looks into everything", role, by=admin, mode="test")
    assert refused.value.code == "guarded_role"
    assert ApiKey.objects.count() == before
    of_console = people.new_key("at the console", role, by=people.installer(), mode="test", simulated=True)
    with pytest.raises(MayNot) as refused:
        people.rotate_key(of_console.id, dt.timedelta(days=1), by=admin, mode="test")
    assert refused.value.code == "guarded_role"
    assert people.rotate_key(of_console.id, dt.timedelta(days=1), by=people.installer(), mode="test")
    assert people.make_key("of one's own", Role.ADMINISTRATOR, by=admin, mode="test", simulated=True)
