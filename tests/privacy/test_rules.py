"""Every role, purpose and field: what the table does not grant is refused, and refusing leaves nothing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.joined import joined
from tests.privacy.conftest import person

from parcelward.base.errors import Invalid, NotAllowed
from parcelward.people.roles import MAY
from parcelward.people.wire import Role, Task
from parcelward.privacy import actions, rules
from parcelward.privacy.errors import NotInVault
from parcelward.privacy.masking import mask
from parcelward.privacy.models import Disclosure
from parcelward.privacy.wire import Field, Kind, Purpose, Shown, Subject

OPENS = {
    Role.SENDER_MEMBER: {Purpose.LABEL, Purpose.LETTER, Purpose.CONTACT},
    Role.SENDER_ADMIN: {Purpose.LABEL, Purpose.LETTER, Purpose.CONTACT},
    Role.CLERK: {Purpose.COUNTER, Purpose.LABEL, Purpose.LETTER},
    Role.COURIER: {Purpose.DELIVERY},
    Role.INSPECTOR: {Purpose.INVESTIGATION, Purpose.SECURITY, Purpose.OWN_DATA},
    Role.ADMINISTRATOR: {Purpose.OWN_DATA},
    Role.MACHINERY: {
        *(Purpose.SIGN_IN, Purpose.NOTICE, Purpose.LETTER, Purpose.LABEL, Purpose.COUNTER, Purpose.CONTACT),
        *(Purpose.OWN_DATA, Purpose.HOUSEKEEPING, Purpose.SECURITY),
    },
}
"""Said a second time, so that a grant that slips into the table is seen here."""


@pytest.mark.asvs("8.1.2", "8.2.3")
def test_the_table_grants_what_it_is_meant_to_and_nothing_else():
    assert {role: set(sight.reveals) for role, sight in rules.SEES.items() if sight.reveals} == OPENS


def test_a_role_with_something_to_open_may_open_and_the_other_way_round():
    for role, sight in rules.SEES.items():
        own = Task.ANSWER_RIGHTS in MAY[role] and set(sight.reveals) == {Purpose.OWN_DATA}
        assert bool(sight.reveals) == (Task.REVEAL in MAY[role] or own), role


@pytest.mark.asvs("8.2.3")
@pytest.mark.parametrize(("role", "purpose"), list(itertools.product(Role, Purpose)))
def test_each_role_opens_each_field_as_the_table_says(machinery, anna, item, role, purpose):
    ben = joined(Role.ADDRESSEE)
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery, account=ben.id)
    about = str(actions.object_to(Subject.NOTICES, by=ben)) if purpose is Purpose.OWN_DATA else item
    by = machinery if role is Role.MACHINERY else person(role, organisation=None)
    granted = rules.SEES[role].reveals.get(purpose, {}) if not rules.SEES[role].own_tenant else {}
    for field in Field:
        if field in granted:
            with actions.reveal(token, [field], purpose=purpose, by=by, about=about) as found:
                whole = granted[field] is Shown.FULL
                assert found[field].text == (anna[field] if whole else mask(field, anna[field]))
        else:
            refused = pytest.raises((NotAllowed, NotInVault))
            with refused, actions.reveal(token, [field], purpose=purpose, by=by, about=about):
                pytest.fail(f"{role} saw {field} for {purpose}")
    assert Disclosure.objects.filter(person=token).count() == len(granted)


def test_nothing_asked_for_is_refused():
    with pytest.raises(Invalid):
        rules.shown(Role.MACHINERY, Purpose.NOTICE, [])


@pytest.mark.parametrize(
    ("field", "text", "shown"),
    [
        (Field.NAME, "Anna Kowalska", "A. K****"),
        (Field.NAME, "Anna Maria Kowalska", "A. M. K****"),
        (Field.NAME, "Ng", "N****"),
        (Field.NAME, "  ", ""),
        (Field.NAME, "!!", "****"),
        (Field.EMAIL, "someone@example.com", "s***@e***.com"),
        (Field.EMAIL, "broken", "****"),
        (Field.PHONE, "+1 555 010 0199", "**** 99"),
        (Field.PHONE, "112", "****"),
        (Field.POSTCODE, "110011", "110***"),
        (Field.POSTCODE, "123", "***"),
        (Field.ADDRESS, "1 Main Street", "****"),
        (Field.WHERE, "203.0.113.7", "203.0.*.*"),
        (Field.WHERE, "2001:db8:1::7", "2001:0db8:*"),
        (Field.WHERE, "nowhere", "****"),
        (Field.BODY, "{}", "****"),
    ],
)
def test_masks(field, text, shown):
    assert mask(field, text) == shown


@given(st.sampled_from([f for f in Field if f is not Field.COUNTRY]), st.text(max_size=60))
def test_a_mask_never_is_the_value(field, text):
    shown = mask(field, text)
    assert shown == "" or shown != text or set(text) <= {"*", " ", "."}
