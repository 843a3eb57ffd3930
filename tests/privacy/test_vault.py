"""What is put is opened again by who may, for a purpose, with a trace; and by nobody else."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.privacy.conftest import person

from parcelward.base.errors import Conflict, Invalid, NotAllowed
from parcelward.base.vault import VaultToken
from parcelward.custody.models import Fact
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role
from parcelward.privacy import actions, facts, queries, rows
from parcelward.privacy.errors import NotInVault
from parcelward.privacy.models import BlindIndex, Disclosure, KeptPerson, PersonKey
from parcelward.privacy.wire import Field, Kind, Purpose

NOBODY = VaultToken(uuid.UUID(int=1))


def opened(token, fields, *, purpose, by, about=""):
    with actions.reveal(token, fields, purpose=purpose, by=by, about=about) as found:
        return {field: value.text for field, value in found.items()}


def said(kind, token):
    """Return what the entries of a kind say that name this token."""
    rows = [json.loads(bytes(body)) for body in Fact.objects.filter(kind=kind).values_list("body", flat=True)]
    return [row for row in rows if token.hex in (row.get("person"), *row.get("persons", ()))]


def test_what_is_put_is_opened_again(machinery, anna):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    assert opened(token, list(Field), purpose=Purpose.OWN_DATA, by=machinery) == anna
    assert queries.kept(token).fields == tuple(Field)
    assert [one["fields"] for one in said(facts.KEPT, token)] == [sorted(anna)]
    assert PersonKey.objects.filter(person=token).count() == 1


@settings(max_examples=60)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=300))
def test_any_text_comes_back_as_it_was(machinery, text):
    token = actions.put({Field.BODY: text}, kind=Kind.ADDRESSEE, by=machinery)
    assert opened(token, [Field.BODY], purpose=Purpose.HOUSEKEEPING, by=machinery) == {Field.BODY: text}


def test_two_who_put_the_same_get_two_people(machinery, anna):
    first, second = (actions.put(anna, kind=Kind.ADDRESSEE, by=machinery) for _ in range(2))
    assert first != second
    found = actions.find(Field.EMAIL, anna[Field.EMAIL], purpose=Purpose.SIGN_IN, by=machinery)
    assert set(found) == {first, second}


@pytest.mark.asvs("11.3.2", "14.2.4")
def test_nothing_that_was_put_stands_in_its_row(machinery, anna):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    row = KeptPerson.objects.filter(token=token).values().get()
    stored = b"".join(bytes(value) for value in row.values() if isinstance(value, memoryview | bytes))
    assert len(stored) > 500
    assert [field for field, text in anna.items() if text.encode() in stored] == []


@pytest.mark.asvs("14.2.4", "16.2.1")
def test_a_look_leaves_a_trace_also_when_the_work_after_it_fails(clerk, machinery, anna, item):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    with (
        pytest.raises(ZeroDivisionError),
        actions.reveal(token, [Field.NAME], purpose=Purpose.COUNTER, by=clerk, about=item),
    ):
        raise ZeroDivisionError
    trace = Disclosure.objects.get(person=token)
    assert (trace.by, trace.role, trace.purpose) == (clerk.source, "clerk", "counter")
    assert (trace.fields, trace.about, trace.searched) == (["name"], item, False)
    entries = [json.loads(bytes(f.body)) for f in Fact.objects.filter(kind=facts.LOOKED).order_by("-batch")[:50]]
    mine = next(entry for entry in entries if entry["act"] == trace.act.hex)
    assert (mine["persons"], mine["n"]) == (facts.digest_of([token]), 1)


def test_within_a_transaction_nothing_is_opened_for_it_could_take_the_trace_back(clerk, machinery, anna, item):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    with pytest.raises(RuntimeError), transaction.atomic():
        opened(token, [Field.NAME], purpose=Purpose.COUNTER, by=clerk, about=item)
    assert not Disclosure.objects.filter(person=token).exists()


def test_many_looks_are_one_entry(machinery, anna):
    tokens = actions.put_many([anna] * 5, kind=Kind.SENDER, by=machinery)
    with actions.reveal_many([*tokens, NOBODY], [Field.NAME], purpose=Purpose.LETTER, by=machinery) as found:
        assert {token: value[Field.NAME].text for token, value in found.items()} == dict.fromkeys(
            tokens, anna[Field.NAME]
        )
    looked = [json.loads(bytes(f.body))["persons"] for f in Fact.objects.filter(kind=facts.LOOKED)]
    assert looked.count(facts.digest_of(tokens)) == 1  # the worker looks, too, at whom it sends a message
    assert not {facts.digest_of([token]) for token in tokens} & set(looked)
    assert Disclosure.objects.filter(person__in=tokens).values("act").distinct().count() == 1
    assert Disclosure.objects.filter(person__in=tokens).count() == 5


def test_nobody_looks_like_nobody(machinery, clerk, item):
    with pytest.raises(NotInVault) as refused:
        opened(NOBODY, [Field.NAME], purpose=Purpose.COUNTER, by=clerk, about=item)
    assert refused.value.code == "not_in_vault"
    assert not Disclosure.objects.filter(person=NOBODY).exists()


@pytest.mark.asvs("8.2.2")
def test_people_see_their_own_data_and_nobody_elses(machinery, anna):
    me, other = person(Role.ADDRESSEE), person(Role.ADDRESSEE)
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery, account=me.id)
    assert opened(token, list(Field), purpose=Purpose.OWN_DATA, by=me) == anna
    with pytest.raises(NotInVault):
        opened(token, [Field.NAME], purpose=Purpose.OWN_DATA, by=other)
    with pytest.raises(MayNot):
        opened(token, [Field.NAME], purpose=Purpose.COUNTER, by=me)
    assert [look.by for look in queries.looks([token], by=me)] == [me.source]
    with pytest.raises(MayNot):
        queries.looks([token], by=other)
    assert queries.of_account(me.id) == (token,)


@pytest.mark.asvs("8.2.2", "8.4.1")
def test_a_senders_people_see_and_find_their_own_customers_alone(machinery, anna, item):
    ours, theirs = uuid.uuid4(), uuid.uuid4()
    us = person(Role.SENDER_MEMBER, organisation=ours)
    them = person(Role.SENDER_ADMIN, organisation=theirs)
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=us)
    assert queries.kept(token).tenant == ours
    assert opened(token, [Field.NAME], purpose=Purpose.LABEL, by=us, about=item)[Field.NAME] == anna[Field.NAME]
    assert actions.find(Field.PHONE, anna[Field.PHONE], purpose=Purpose.CONTACT, by=us) == (token,)
    with pytest.raises(NotInVault):
        opened(token, [Field.NAME], purpose=Purpose.LABEL, by=them, about=item)
    with pytest.raises(NotInVault):
        actions.masked(token, [Field.NAME], by=them)
    with pytest.raises(NotInVault):
        actions.change(token, {Field.NAME: "Eve"}, by=them)
    with pytest.raises(NotAllowed):
        actions.find(Field.PHONE, anna[Field.PHONE], purpose=Purpose.CONTACT, by=them, tenant=ours)
    with pytest.raises(NotAllowed):
        actions.put(anna, kind=Kind.ADDRESSEE, by=them, tenant=ours)
    assert actions.find(Field.PHONE, anna[Field.PHONE], purpose=Purpose.CONTACT, by=them) == ()
    assert actions.find(Field.PHONE, anna[Field.PHONE], purpose=Purpose.SIGN_IN, by=machinery) == ()
    assert actions.find(Field.PHONE, anna[Field.PHONE], purpose=Purpose.SIGN_IN, by=machinery, tenant=ours) == (token,)
    with pytest.raises(NotAllowed):
        actions.put(anna, kind=Kind.ADDRESSEE, by=person(Role.SENDER_MEMBER))


def test_what_a_value_is_found_by_has_one_form(machinery, anna, inspector):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    for field, typed in (
        (Field.EMAIL, f"  {anna[Field.EMAIL].upper()} "),
        (Field.PHONE, "00" + anna[Field.PHONE].lstrip("+").replace(" ", "-")),
        (Field.NAME, anna[Field.NAME].lower().replace(" ", "  ")),
        (Field.ADDRESS, anna[Field.ADDRESS].replace("\n", ", ").upper()),
    ):
        assert actions.find(field, typed, purpose=Purpose.INVESTIGATION, by=inspector) == (token,), field
    assert Disclosure.objects.filter(person=token, searched=True).count() == 4
    assert actions.find(Field.NAME, anna[Field.NAME] + "x", purpose=Purpose.INVESTIGATION, by=inspector) == ()
    for field in (Field.POSTCODE, Field.COUNTRY, Field.WHERE):
        with pytest.raises(Invalid):
            actions.find(field, "62701", purpose=Purpose.INVESTIGATION, by=inspector)


@pytest.mark.parametrize("alike", ["fa\u00df", "fas\u017f", "\uff46ass", "FAS\u017f"])
def test_a_mailbox_that_only_looks_alike_is_another_ones(machinery, anna, alike):
    """Who owns one domain would sign in as who has a mailbox at the other: a code by e-mail asks this search."""
    local = anna[Field.EMAIL].partition("@")[0]
    actions.put({Field.EMAIL: f"{local}@fass.example"}, kind=Kind.ADDRESSEE, by=machinery)
    assert actions.find(Field.EMAIL, f"{local}@{alike}.example", purpose=Purpose.SIGN_IN, by=machinery) == ()
    assert actions.find(Field.EMAIL, f"{local}\u212a@fass.example", purpose=Purpose.SIGN_IN, by=machinery) == ()
    assert actions.find(Field.EMAIL, f"{local.upper()}@FASS.example", purpose=Purpose.SIGN_IN, by=machinery)


def test_the_machinerys_own_search_leaves_no_trace_and_may_be_in_a_transaction(machinery, anna):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    with transaction.atomic():
        assert actions.find(Field.EMAIL, anna[Field.EMAIL], purpose=Purpose.SIGN_IN, by=machinery) == (token,)
    assert not Disclosure.objects.filter(person=token).exists()


def test_strangers_who_share_a_mark_are_not_found(machinery, anna, monkeypatch):
    from parcelward.privacy import cipher

    monkeypatch.setattr(cipher, "MARK_BITS", 0)  # everybody of a column shares one mark
    tokens = [actions.put({Field.EMAIL: f"{n}.{anna[Field.EMAIL]}"}, kind=Kind.SENDER, by=machinery) for n in range(4)]
    assert len(set(BlindIndex.objects.filter(person__in=tokens).values_list("mark", flat=True))) == 1
    assert actions.find(Field.EMAIL, f"2.{anna[Field.EMAIL]}", purpose=Purpose.SIGN_IN, by=machinery) == (tokens[2],)


def test_a_change_is_found_by_its_new_value_alone(machinery, anna):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    new = f"new.{anna[Field.EMAIL]}"
    for _ in range(2):
        actions.change(token, {Field.EMAIL: new, Field.PHONE: ""}, by=machinery)
    assert opened(token, [Field.EMAIL, Field.PHONE], purpose=Purpose.NOTICE, by=machinery) == {Field.EMAIL: new}
    assert actions.find(Field.EMAIL, new, purpose=Purpose.SIGN_IN, by=machinery) == (token,)
    assert actions.find(Field.EMAIL, anna[Field.EMAIL], purpose=Purpose.SIGN_IN, by=machinery) == ()
    assert actions.find(Field.PHONE, anna[Field.PHONE], purpose=Purpose.SIGN_IN, by=machinery) == ()
    marks = [
        field for field, number in rows.NUMBERS.items() for _ in BlindIndex.objects.filter(person=token, field=number)
    ]
    assert marks == [Field.NAME, Field.EMAIL, Field.ADDRESS, Field.DOCUMENT]  # one each, and none of what is gone
    assert [one["fields"] for one in said(facts.CHANGED, token)] == [["email", "phone"]] * 2
    with pytest.raises(NotInVault):
        actions.change(NOBODY, {Field.EMAIL: new}, by=machinery)


def test_a_pending_person_has_an_end_until_they_are_known(machinery, anna):
    end = timezone.now() + dt.timedelta(days=30)
    for kind, expires_at in ((Kind.PENDING, None), (Kind.ADDRESSEE, end)):
        with pytest.raises(Invalid) as refused:
            actions.put(anna, kind=kind, by=machinery, expires_at=expires_at)
        assert refused.value.code == "expiry"
    token = actions.put(anna, kind=Kind.PENDING, by=machinery, expires_at=end)
    assert PersonKey.objects.get(person=token).expires_at == queries.kept(token).expires_at == end
    for _ in range(2):
        actions.settle(token, kind=Kind.ADDRESSEE, by=machinery)
    assert (queries.kept(token).kind, queries.kept(token).expires_at) == (Kind.ADDRESSEE, None)
    assert PersonKey.objects.get(person=token).expires_at is None
    assert len(said(facts.SETTLED, token)) == 1
    with pytest.raises(Conflict):
        actions.settle(token, kind=Kind.SENDER, by=machinery)


def test_another_tenant_settles_nobody_and_keeps_no_key_alive(machinery, anna):
    end = timezone.now() + dt.timedelta(days=30)
    token = actions.put(anna, kind=Kind.PENDING, by=machinery, expires_at=end)
    with pytest.raises(NotInVault):
        actions.settle(token, kind=Kind.SENDER, by=person(Role.SENDER_ADMIN, organisation=uuid.uuid4()))
    assert PersonKey.objects.get(person=token).expires_at == queries.kept(token).expires_at == end


@pytest.mark.asvs("8.2.3", "15.3.1")
def test_lists_show_masks_and_leave_no_trace(machinery, clerk, anna):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    shown = actions.masked(token, [Field.NAME, Field.EMAIL, Field.PHONE, Field.POSTCODE], by=clerk)
    assert shown == {
        Field.NAME: "A. K****",
        Field.EMAIL: "a***@e***.com",
        Field.PHONE: f"**** {anna[Field.PHONE][-2:]}",
        Field.POSTCODE: "627***",
    }
    with pytest.raises(NotAllowed):
        actions.masked(token, [Field.DOCUMENT], by=clerk)
    with pytest.raises(NotAllowed):
        actions.masked(token, [Field.NAME], by=person(Role.AUDITOR))
    assert not Disclosure.objects.filter(person=token).exists()


@pytest.mark.asvs("2.2.1")
def test_what_no_field_can_hold_is_refused_without_being_repeated(machinery):
    for field, text in (
        (Field.NAME, "x" * 201),
        (Field.EMAIL, "secret-without-at"),
        (Field.COUNTRY, "USA"),
        (Field.NAME, "Anna\x07"),
    ):
        with pytest.raises(Invalid) as refused:
            actions.put({field: text}, kind=Kind.ADDRESSEE, by=machinery)
        assert text not in str(refused.value)
    for about in ("Anna Kowalska", "a@b", "x" * 81):
        with pytest.raises(Invalid):
            opened(NOBODY, [Field.NAME], purpose=Purpose.LETTER, by=machinery, about=about)
