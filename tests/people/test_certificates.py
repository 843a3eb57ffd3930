"""A task that needs a training is allowed on the days of a certificate, and on no other."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.people.staffing import acting, facts, member, somebody

from parcelward.base.errors import Conflict, Invalid, NotFound
from parcelward.people import actions, queries
from parcelward.people.actions import certificates
from parcelward.people.errors import MayNot
from parcelward.people.models import Certificate
from parcelward.people.wire import Role, Task

pytestmark = pytest.mark.usefixtures("installation")
TODAY = dt.date(2026, 11, 26)
DAY = dt.timedelta(days=1)


@pytest.fixture
def clerk():
    return acting(*member(Role.CLERK))


@pytest.fixture
def boss():
    return somebody(Role.ADMINISTRATOR)


def noted(clerk, boss, first, last):
    return actions.certify(clerk.id, "dangerous_goods", valid_from=first, valid_until=last, by=boss)


def refused(clerk, on=TODAY):
    with pytest.raises(MayNot) as caught:
        queries.require(clerk, Task.ACCEPT_HAZMAT, on=on)
    return caught.value.code == "not_certified"


def test_without_a_certificate_it_is_refused(clerk):
    assert refused(clerk)


def test_it_counts_from_its_first_day_to_its_last(clerk, boss):
    noted(clerk, boss, TODAY, TODAY + DAY)
    assert refused(clerk, TODAY - DAY)
    queries.require(clerk, Task.ACCEPT_HAZMAT, on=TODAY)
    queries.require(clerk, Task.ACCEPT_HAZMAT, on=TODAY + DAY)
    assert refused(clerk, TODAY + 2 * DAY)


def test_what_expired_yesterday_counts_no_more(clerk, boss):
    noted(clerk, boss, TODAY - 30 * DAY, TODAY - DAY)
    assert refused(clerk)


def test_a_revoked_one_counts_no_more_at_once(clerk, boss):
    certificate = noted(clerk, boss, TODAY, TODAY)
    queries.require(clerk, Task.ACCEPT_HAZMAT, on=TODAY)
    actions.revoke_certificate(certificate, by=boss)
    actions.revoke_certificate(certificate, by=boss)
    assert refused(clerk)
    assert len(facts("people.certificate_revoked", certificate=str(certificate))) == 1


def test_another_training_or_anothers_certificate_is_none(clerk, boss):
    other = acting(*member(Role.CLERK))
    noted(other, boss, TODAY, TODAY)
    made = Certificate.objects.create(
        user_id=clerk.id, training="first_aid", valid_from=TODAY, valid_until=TODAY, noted_by_id=boss.source,
        noted_at=dt.datetime.now(dt.UTC),
    )  # fmt: skip
    try:
        assert refused(clerk)
        with pytest.raises(Invalid):
            actions.certify(clerk.id, "first_aid", valid_from=TODAY, valid_until=TODAY, by=boss)
    finally:
        made.delete()


def test_a_certificate_gives_no_right_that_the_role_has_not(boss):
    sorter = acting(*member(Role.SORTER))
    noted(sorter, boss, TODAY, TODAY)
    with pytest.raises(MayNot) as caught:
        queries.require(sorter, Task.ACCEPT_HAZMAT, on=TODAY)
    assert caught.value.code == "may_not"


def test_who_asks_without_a_day_is_answered_with_no_yes(clerk, boss):
    noted(clerk, boss, TODAY, TODAY)
    with pytest.raises(ValueError, match="certificate"):
        queries.require(clerk, Task.ACCEPT_HAZMAT)


def test_it_is_noted_once_with_an_entry_and_in_their_history(clerk, boss):
    first = noted(clerk, boss, TODAY, TODAY + DAY)
    assert noted(clerk, boss, TODAY, TODAY + DAY) == first
    said = facts("people.certified", certificate=str(first))
    assert [(one["by"], one["person"], one["training"]) for one in said] == [
        (boss.source, str(clerk.id), "dangerous_goods")
    ]
    assert next(line.kind for line in queries.security_history(by=clerk)) == "certified"


def test_nobody_notes_their_own_nor_somebody_who_may_not(clerk, boss):
    with pytest.raises(Conflict):
        actions.certify(boss.id, "dangerous_goods", valid_from=TODAY, valid_until=TODAY, by=boss)
    with pytest.raises(MayNot):
        actions.certify(boss.id, "dangerous_goods", valid_from=TODAY, valid_until=TODAY, by=clerk)
    with pytest.raises(NotFound):
        actions.certify(actions.installer().id, "dangerous_goods", valid_from=TODAY, valid_until=TODAY, by=boss)
    left, membership = member(Role.CLERK)
    actions.end_membership(membership.id, by=boss)
    with pytest.raises(NotFound):
        actions.certify(left.id, "dangerous_goods", valid_from=TODAY, valid_until=TODAY, by=boss)
    for last in (TODAY - DAY, TODAY + (certificates.DAYS_MAX + 1) * DAY):
        with pytest.raises(Invalid):
            noted(clerk, boss, TODAY, last)
    assert not Certificate.objects.filter(user__in=(boss.id, clerk.id, left.id)).exists()
