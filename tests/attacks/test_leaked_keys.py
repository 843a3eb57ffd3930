"""A key that leaked is over when it is revoked: nothing that its finder made by it goes on."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.attacks.test_keys_and_tenants import ask, key_path
from tests.attacks.untouched import untouched
from tests.people.staffing import facts, sender, somebody
from tests.people.tenants import organisation, token_of

from parcelward.people import actions as people
from parcelward.people import queries
from parcelward.people.errors import MayNot
from parcelward.people.models import ApiKey
from parcelward.people.wire import Role, Task

pytestmark = pytest.mark.usefixtures("installation")


def made_by(maker: people.MadeKey, role: Role = Role.SENDER_MEMBER, **more) -> people.MadeKey:
    return people.new_key("made by a key", role, by=queries.key_holder(maker.token), mode="test", **more)


def test_what_a_leaked_key_made_is_revoked_with_it():
    shop = organisation()
    leaked, other = token_of(shop), token_of(shop)
    theirs = [made_by(leaked), made_by(leaked, Role.SENDER_ADMIN, scopes=[Task.REVEAL, Task.KEEP_PERSONAL])]
    apart = made_by(other)
    people.revoke_key(leaked.id, by=people.installer())
    assert [queries.key_is_valid(each.token) for each in (leaked, *theirs)] == [False] * 3
    assert queries.key_is_valid(apart.token)
    for each in theirs:
        row = ApiKey.objects.get(pk=each.id)
        assert row.maker_id == leaked.id
        assert facts("people.key_made", key=str(each.id))[0]["maker"] == str(leaked.id)
        assert len(facts("people.key_revoked", source=row.source_id)) == 1


def test_a_key_that_was_revoked_a_moment_ago_makes_none():
    """The request had passed the door before the key was revoked."""
    leaked = token_of(organisation())
    by = queries.key_holder(leaked.token)
    people.revoke_key(leaked.id, by=people.installer())
    with untouched(), pytest.raises(MayNot) as caught:
        people.new_key("too late", Role.SENDER_MEMBER, by=by, mode="test")
    assert caught.value.code == "revoked"


def test_a_key_ends_no_later_than_the_one_that_made_it():
    short = token_of(organisation(), lifetime=dt.timedelta(days=2))
    child = made_by(short, lifetime=dt.timedelta(days=365))
    ends_at = ApiKey.objects.get(pk=short.id).expires_at
    assert ApiKey.objects.get(pk=child.id).expires_at == ends_at
    people.rotate_key(child.id, dt.timedelta(), by=queries.key_holder(short.token), mode="test")
    assert ApiKey.objects.get(pk=child.id).expires_at == ends_at


@pytest.mark.parametrize(
    ("role", "scopes"),
    [
        ("sender_admin", None),
        ("sender_admin", ["manage_keys"]),
        ("sender_admin", ["reveal", "grant_spending"]),
        ("sender_admin", ["manage_members"]),
    ],
)
def test_a_key_makes_none_that_gives_rights_away(installation, role, scopes):
    leaked = token_of(organisation())
    with untouched():
        answer = ask(installation, leaked.token, "POST", "/keys", {"name": "again", "role": role, "scopes": scopes})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope")


def test_an_administrators_key_makes_no_second_one(installation):
    with untouched():
        answer = ask(installation, installation.api_key, "POST", "/keys", {"name": "again", "role": "administrator"})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope")


def test_a_key_does_not_take_over_a_key_that_somebody_else_made(installation):
    """It would get the other one's new token, which stays when its own is revoked."""
    shop = organisation()
    leaked, other = token_of(shop), token_of(shop, Role.SENDER_MEMBER)
    with untouched():
        answer = ask(installation, leaked.token, "POST", f"{key_path(other)}/rotate", {"overlap_hours": 0})
        assert (answer.status_code, answer.json()["code"]) == (403, "scope")
    assert queries.key_is_valid(other.token)
    assert (
        ask(installation, leaked.token, "POST", f"{key_path(leaked)}/rotate", {"overlap_hours": 0}).status_code == 201
    )


def test_an_administrator_alone_has_no_token_of_a_sender_that_keeps_its_own_keys():
    """What an invitation takes two people for, a key gives to nobody alone."""
    anna, shop = somebody(Role.ADMINISTRATOR), sender("Their Shop")
    early = people.new_key("the first", Role.SENDER_MEMBER, by=anna, mode="test", organisation=shop)
    owner = somebody(Role.SENDER_ADMIN, shop, owner=True)
    theirs = people.new_key("their own", Role.SENDER_MEMBER, by=owner, mode="test")
    with untouched():
        for attempt in (
            lambda: people.new_key("mine", Role.SENDER_ADMIN, by=anna, mode="test", organisation=shop),
            lambda: people.rotate_key(theirs.id, dt.timedelta(), by=anna, mode="test"),
            lambda: people.rotate_key(early.id, dt.timedelta(), by=anna, mode="test"),
        ):
            with pytest.raises(MayNot) as caught:
                attempt()
            assert caught.value.code == "not_theirs"
    people.revoke_key(theirs.id, by=anna)
    assert not queries.key_is_valid(theirs.token)
