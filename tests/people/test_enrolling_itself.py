"""A device that enrols itself by a code from the desk: once, within minutes, with a key that it has."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.attacks.untouched import untouched
from tests.people.tenants import organisation, person, suspended

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.custody.models import Fact
from parcelward.people import actions as people
from parcelward.people import queries, rules
from parcelward.people.errors import MayNot
from parcelward.people.models import Device, Enrolment, Membership, Organisation
from parcelward.people.wire import Person, Role

pytestmark = pytest.mark.usefixtures("installation")


def opened(**more):
    by = more.pop("by", None) or people.installer()
    return people.open_enrolment("scanner at the dock", by=by, facility="TEST-A", **more)


def take(code, key=None, *, signs=None):
    key = key or Ed25519PrivateKey.generate()
    signature = key.sign(rules.enrolment_message(code if signs is None else signs))
    return people.take_enrolment(code, key.public_key().public_bytes_raw(), signature)


def test_a_device_takes_a_code_and_is_who_the_desk_said():
    code, key = opened(), Ed25519PrivateKey.generate()
    assert queries.enrolment(code.id, by=people.installer()).device is None
    taken = take(code.code, key)
    assert (taken.name, taken.facility) == ("scanner at the dock", "TEST-A")
    assert queries.enrolment(code.id, by=people.installer()).device == taken.device_id
    device = Device.objects.get(pk=taken.device_id)
    assert bytes(device.public_key) == key.public_key().public_bytes_raw()
    assert take(code.code, key) == taken, "whose answer was lost may ask again"
    assert Device.objects.filter(source__name="scanner at the dock", key_id=taken.key_id).count() == 1
    assert code.code not in str(Enrolment.objects.filter(pk=code.id).values())
    for kind in ("people.enrolment_opened", "people.device_enrolled"):
        assert code.code not in bytes(Fact.objects.filter(kind=kind).latest("record_time").body).decode()


@pytest.mark.asvs("6.4.1")
def test_a_replayed_code_enrols_no_second_device():
    code = opened()
    taken = take(code.code)
    with untouched(), pytest.raises(NotFound) as caught:
        take(code.code)
    assert caught.value.code == "bad_code"
    people.revoke_device(taken.device_id, by=people.installer())
    with untouched(), pytest.raises(NotFound):
        take(code.code)


def test_a_code_of_a_revoked_device_does_not_wake_it():
    code, key = opened(), Ed25519PrivateKey.generate()
    people.revoke_device(take(code.code, key).device_id, by=people.installer())
    with untouched(), pytest.raises(NotFound):
        take(code.code, key)


def test_of_two_devices_racing_for_one_code_one_wins():
    for _ in range(5):
        code, before = opened(), Device.objects.count()

        def race(_, code=code.code):
            from django.db import connection

            try:
                return take(code)
            except NotFound:
                return None
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            won = [each for each in pool.map(race, range(8)) if each]
        assert len(won) == 1
        assert Device.objects.count() == before + 1


@pytest.mark.asvs("6.4.1")
def test_an_expired_a_withdrawn_and_an_unknown_code_look_alike():
    expired, withdrawn = opened(), opened()
    Enrolment.objects.filter(pk=expired.id).update(expires_at=dt.datetime.now(dt.UTC))
    for _ in range(2):
        people.withdraw_enrolment(withdrawn.id, by=people.installer())
    said = set()
    with untouched():
        for code in (expired.code, withdrawn.code, "AAAAAAAAAAAAAAAAAAAAAA", ""):
            with pytest.raises(NotFound) as caught:
                take(code)
            said.add((str(caught.value), caught.value.code))
    assert len(said) == 1
    Enrolment.objects.filter(pk=expired.id).update(expires_at=expired.expires_at)  # as the log says


@pytest.mark.parametrize("how", ["locked out", "the role ended"])
def test_whoever_made_the_code_must_have_the_right_still(how):
    operator, by = Organisation.objects.get(kind="operator"), people.installer()
    _id, invitation = people.invite(operator.id, Role.HUB_AGENT, by=by)
    user, _role = people.join(invitation, user_id=uuid.uuid4(), now=dt.datetime.now(dt.UTC))
    agent = Person(user.id, Role.HUB_AGENT, user.source_id, user.login, organisation=operator.id)
    assert take(opened(by=agent).code)
    code = opened(by=agent)
    if how == "locked out":
        people.lock_person(user.login, by=by)
    else:
        people.end_membership(Membership.objects.get(user=user).id, by=by)
    with untouched(), pytest.raises(NotFound):
        take(code.code)


def test_a_signature_of_another_code_or_key_is_refused():
    code, other = opened(), Ed25519PrivateKey.generate()
    with untouched():
        with pytest.raises(Invalid) as caught:
            take(code.code, signs="another code")
        assert caught.value.code == "bad_signature"
        with pytest.raises(Invalid):
            people.take_enrolment(
                code.code,
                Ed25519PrivateKey.generate().public_key().public_bytes_raw(),
                other.sign(rules.enrolment_message(code.code)),
            )
        with pytest.raises(Invalid):  # a key with which anybody could sign
            people.take_enrolment(code.code, (1).to_bytes(32, "little"), (1).to_bytes(32, "little") + bytes(32))
    assert take(code.code)


def test_a_key_that_is_enrolled_already_takes_no_code():
    key = Ed25519PrivateKey.generate()
    take(opened().code, key)
    code = opened()
    with untouched(), pytest.raises(Conflict):
        take(code.code, key)


def test_who_may_make_codes_and_of_which_tenant():
    contractor, other = organisation("contractor"), organisation("contractor")
    people.give_facility(contractor.id, "TEST-A", by=people.installer())
    agent, stranger = person(Role.HUB_AGENT, contractor), person(Role.HUB_AGENT, other)
    code = opened(by=agent)
    device = take(code.code).device_id
    assert Device.objects.get(pk=device).organisation_id == contractor.id
    assert [row.id for row in queries.devices(by=agent)] == [device]
    assert queries.devices(by=stranger) == []
    with untouched():
        for look in (
            lambda: queries.device(device, by=stranger),
            lambda: queries.enrolment(code.id, by=stranger),
            lambda: people.withdraw_enrolment(code.id, by=stranger),
            lambda: people.revoke_device(device, by=stranger),
        ):
            with pytest.raises(NotFound):
                look()
        for role in (Role.COURIER, Role.SORTER, Role.INSPECTOR, Role.CLERK):
            with pytest.raises(MayNot):
                opened(by=person(role))
            with pytest.raises(MayNot):
                queries.devices(by=person(role))


def test_a_suspended_organisations_codes_open_nothing_meanwhile():
    tenant = organisation("contractor")
    people.give_facility(tenant.id, "TEST-A", by=people.installer())
    code = opened(by=person(Role.HUB_AGENT, tenant))
    with suspended(tenant), untouched(), pytest.raises(NotFound):
        take(code.code)
    assert take(code.code)


@pytest.mark.asvs("2.2.1")
@pytest.mark.parametrize("facility", ["a", "test-a", "TEST A", "X" * 21])
def test_a_place_is_a_code(facility):
    with pytest.raises(Invalid):
        people.open_enrolment("scanner", by=people.installer(), facility=facility)


def test_a_code_that_was_made_is_not_made_again():
    first = opened(enrolment_id=uuid.uuid4())
    with pytest.raises(Conflict):
        opened(enrolment_id=first.id)
    take(first.code)
    with pytest.raises(Conflict) as caught:
        people.withdraw_enrolment(first.id, by=people.installer())
    assert caught.value.code == "taken"


def test_a_clock_that_is_off_is_seen_even_where_its_requests_are_refused(installation, facilities):
    import time

    from tests.scanner import Scanner, event, new_number

    from parcelward.doors.simulator import signing
    from parcelward.people import seen
    from parcelward.people.errors import BadSignature

    scanner = Scanner(installation)
    body = scanner.body([event(new_number(), "accepted")])
    for ahead, as_it_is in ((7, contextlib.nullcontext()), (4_000, pytest.raises(BadSignature, match="five minutes"))):
        created = int(time.time()) + ahead
        headers = signing.headers(scanner.key, key_id=scanner.key_id, body=body, sequence=1, created=created)
        lower = {name.lower(): value for name, value in headers.items()}
        device = queries.enrolled_device(lower["signature-input"])
        with as_it_is:
            queries.signed_by(device, method="POST", path="/api/v1/scans", headers=lower, body=body)
        seen.write(time.time() + 120 + ahead)
        shown = queries.device(device.person.id, by=people.installer())
        assert shown.clock_ahead_s is not None
        assert abs(shown.clock_ahead_s - ahead) <= 1
        assert shown.last_seen_at is not None
