"""Enrol, revoke, make keys: each twice is harmless, each leaves an entry, and nothing secret is stored."""

from __future__ import annotations

import hashlib
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.laws.tampering import change, undone
from tests.scanner import public_key

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.doors.simulator import signing
from parcelward.people.errors import BadSignature


def facts(kind):
    from parcelward.custody.models import Fact

    return Fact.objects.filter(kind=kind).count()


@pytest.fixture
def installer(installation):
    from parcelward.people import actions

    return actions.installer()


def test_a_device_is_enrolled_once_and_revoked_once(installer):
    from parcelward.people import actions, queries
    from parcelward.people.models import Device, Source

    key, enrolled_before, revoked_before = public_key(), facts("people.device_enrolled"), facts("people.device_revoked")
    enrolled = actions.enrol_device("desk scanner", key, by=installer)
    sources = Source.objects.count()
    with pytest.raises(Conflict) as caught:
        actions.enrol_device("the same again", key, by=installer)
    assert (caught.value.code, Source.objects.count()) == ("key_known", sources)
    number = Device.objects.get(id=enrolled.device_id).source_id
    assert queries.revoked_among([number]) == frozenset()
    for _ in range(2):
        actions.revoke_device(enrolled.device_id, by=installer)
    assert queries.revoked_among([number, number]) == {number}
    assert facts("people.device_enrolled") == enrolled_before + 1
    assert facts("people.device_revoked") == revoked_before + 1
    with pytest.raises(NotFound):
        actions.revoke_device(uuid.uuid4(), by=installer)


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\0b", "a\nb"])
def test_a_device_needs_a_name_that_can_be_read(installer, name):
    from parcelward.people import actions

    with pytest.raises(Invalid) as caught:
        actions.enrol_device(name, public_key(), by=installer)
    assert caught.value.code == "bad_name"


NO_KEYS = {
    "of small order: anybody could sign": 1,
    "another form of 3": 2**255 - 19 + 3,
    "no point of the curve": 2,
    "zero": 0,
}


@pytest.mark.asvs("11.6.1")
@pytest.mark.parametrize("what", NO_KEYS)
def test_what_nobody_or_anybody_could_sign_with_is_not_enrolled(installer, what):
    from parcelward.people import actions

    with pytest.raises(Invalid) as caught:
        actions.enrol_device("no key", NO_KEYS[what].to_bytes(32, "little"), by=installer)
    assert caught.value.code == "bad_key"


def test_a_key_that_an_older_version_took_opens_nothing(installation):
    from parcelward.people import queries
    from parcelward.people.rules import key_id_of

    key = NO_KEYS["no point of the curve"].to_bytes(32, "little")
    signed = signing.headers(
        Ed25519PrivateKey.generate(), key_id=key_id_of(key), body=b"[]", sequence=1, created=1_800_000_000
    )
    with undone():
        change(
            "WITH s AS (INSERT INTO people_source (kind, name, simulated) VALUES ('device', 'old', false) "
            "RETURNING number) INSERT INTO people_device (id, source_id, key_id, public_key, facility, enrolled_at) "
            "SELECT gen_random_uuid(), number, %s, %s, '', now() FROM s",
            key_id_of(key),
            key,
        )
        with pytest.raises(BadSignature) as caught:
            queries.enrolled_device(signed["Signature-Input"])
    assert caught.value.code == "bad_key"


def test_only_the_hash_of_an_api_key_is_stored(installer):
    from parcelward.people import actions, queries
    from parcelward.people.errors import BadSignature
    from parcelward.people.models import ApiKey
    from parcelward.people.wire import Role

    token = actions.make_key("partner", Role.PARTNER, by=installer, mode="test")
    row = ApiKey.objects.latest("created_at")
    assert bytes(row.digest) == hashlib.sha256(token.encode()).digest()
    assert token.startswith(row.prefix)
    assert len(token) - len(row.prefix) >= 32, "what is shown of it leaves enough to guess"
    assert queries.key_holder(token).role is Role.PARTNER
    for _ in range(2):
        actions.revoke_key(row.id, by=installer)
    with pytest.raises(BadSignature):
        queries.key_holder(token)
    with pytest.raises(Invalid):
        actions.make_key("device", Role.DEVICE, by=installer, mode="test")


def test_an_expired_key_opens_nothing(installer):
    import datetime as dt

    from parcelward.people import actions, queries
    from parcelward.people.models import ApiKey
    from parcelward.people.wire import Role

    token = actions.make_key("partner", Role.PARTNER, by=installer, mode="test")
    row = ApiKey.objects.latest("created_at")
    before = row.expires_at
    ApiKey.objects.filter(id=row.id).update(expires_at=dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1))
    try:
        assert not queries.key_is_valid(token)
        assert queries.revoked_among([row.source_id]) == {row.source_id}
    finally:  # as it was made, for whoever compares keys with the log
        ApiKey.objects.filter(id=row.id).update(expires_at=before)
