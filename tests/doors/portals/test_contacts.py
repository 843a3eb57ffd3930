"""Write to the other side of a parcel: who may, whom they find, and that nobody else sees or closes it."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from tests.joined import signed_in_as
from tests.passkey import Browser
from tests.scanner import Scanner, event, new_number

from parcelward.people import actions as people
from parcelward.people.wire import OrganisationKind, Person, Role
from parcelward.privacy import actions, queries
from parcelward.privacy.models import Contact, Disclosure
from parcelward.privacy.wire import Field, Kind

ADDRESS = re.compile(r"mailto:(r-[a-z2-7]{12}@relay\.post\.example)")


class Parties(NamedTuple):
    """A shop, whom it keeps, and a parcel."""

    item: str
    shop: Browser
    anna: Browser
    sender: UUID
    addressee: UUID
    email: str
    shop_email: str


def shop_of(installation: Any) -> tuple[Browser, UUID]:
    """Return somebody who acts for a new sender."""
    mine = Browser(installation.url)
    of = people.make_organisation(OrganisationKind.SENDER, f"Stamps {uuid.uuid4().hex[:6]}", by=people.installer())
    _id, code = people.invite(of, Role.SENDER_MEMBER, by=people.installer())
    assert mine.join(f"{installation.url}/accounts/join#code={code}").status_code == 302
    return mine, of


def parties_of(installation: Any) -> Parties:
    number, mark = new_number(), os.urandom(4).hex()
    Scanner(installation).send(event(number, "accepted"))
    shop, tenant = shop_of(installation)
    anna = Browser(installation.url)
    person = signed_in_as(anna, Role.ADDRESSEE, installation)
    by = people.machinery()
    shop_email = f"shop.{mark}@shop.example"
    said = {Field.NAME: "Stamps and Albums", Field.EMAIL: shop_email}
    sender = actions.put(said, kind=Kind.SENDER, by=by, tenant=tenant)
    email = f"anna.{mark}@mail.example"
    kept = {Field.NAME: "Anna Kowalska", Field.EMAIL: email}
    addressee = actions.put(kept, kind=Kind.ADDRESSEE, by=by, tenant=tenant, account=person.id)
    return Parties(number, shop, anna, sender, addressee, email, shop_email)


@pytest.fixture
def parties(installation: Any, facilities: Any) -> Iterator[Parties]:
    found = parties_of(installation)
    yield found
    for each in (found.shop, found.anna):
        each.http.close()


def opened_by(mine: Browser, **fields: Any) -> Any:
    return mine.post("/app/contacts/open", "/app/contacts/open", **{name: str(text) for name, text in fields.items()})


def shown_at(mine: Browser, where: str) -> str:
    found = ADDRESS.search(mine.http.get(where).text)
    assert found, where
    return found[1]


def contacts(parties: Parties) -> int:
    return Contact.objects.filter(first__in=[parties.sender, parties.addressee]).count()


def test_an_addressee_writes_to_the_sender_and_closes_it_again(parties: Parties, installation: Any) -> None:
    page = parties.anna.http.get(f"/track/{parties.item}").text
    assert "/app/contacts/open?item=" in page
    answer = opened_by(parties.anna, item=parties.item, sender=parties.sender)
    assert answer.status_code == 302, answer.text
    where = answer.headers["location"]
    text = parties.anna.http.get(where).text
    assert parties.email not in text
    assert "two weeks after delivery" in text
    assert opened_by(parties.anna, item=parties.item, sender=parties.sender).headers["location"] == where
    assert contacts(parties) == 1
    assert shown_at(parties.anna, where) != shown_at(parties.shop, where), "each has the other's address"
    asked = parties.anna.http.get(f"{where}/close")
    assert asked.status_code == 200
    assert Contact.objects.get(pk=where.rpartition("/")[2]).closed_at is None, "a page that asks does nothing"
    assert parties.anna.post(f"{where}/close", f"{where}/close").status_code == 302
    closed = Contact.objects.get(pk=where.rpartition("/")[2]).closed_at
    assert parties.anna.post(f"{where}/close", f"{where}/close").status_code == 302
    assert Contact.objects.get(pk=where.rpartition("/")[2]).closed_at == closed
    assert not ADDRESS.search(parties.anna.http.get(where).text)


def test_a_senders_member_writes_to_whom_their_organisation_keeps(parties: Parties) -> None:
    answer = opened_by(parties.shop, item=parties.item, sender=parties.sender, email=parties.email)
    assert answer.status_code == 302, answer.text
    assert parties.email not in parties.shop.http.get(answer.headers["location"]).text
    look = Disclosure.objects.get(person=parties.addressee, searched=True)
    assert look.purpose == "contact"
    where = answer.headers["location"]
    assert parties.shop.post(f"{where}/close", f"{where}/close").status_code == 302


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("item", "RA473012345GB"),
        ("item", ""),
        ("sender", uuid.uuid4()),
        ("email", ""),
        ("email", "nobody@mail.example"),
        ("email", "no address"),
    ],
)
def test_what_leads_to_nobody_is_said_and_opens_nothing(parties: Parties, field: str, typed: Any) -> None:
    good = {"item": parties.item, "sender": parties.sender, "email": parties.email}
    answer = opened_by(parties.shop, **good | {field: typed})
    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert contacts(parties) == 0


def test_a_senders_own_address_is_no_addressees(parties: Parties) -> None:
    answer = opened_by(parties.shop, item=parties.item, sender=parties.sender, email=parties.shop_email)
    assert answer.status_code == 422
    assert "keeps no addressee with this e-mail address" in answer.text
    assert contacts(parties) == 0


@pytest.mark.asvs("8.2.2", "8.4.1")
def test_nobody_else_sees_opens_or_closes_it(parties: Parties, installation: Any) -> None:
    where = opened_by(parties.anna, item=parties.item, sender=parties.sender).headers["location"]
    other, tenant = shop_of(installation)
    stranger = Browser(installation.url)
    signed_in_as(stranger, Role.ADDRESSEE, installation)
    for mine in (other, stranger):
        assert mine.http.get(where).status_code == 404
        assert mine.post(f"{where}/close", "/app/account").status_code == 404
        assert where not in mine.http.get("/app/contacts").text
        said = mine.http.get("/app/contacts/open").text
        assert str(parties.sender) not in said
        tried = mine.post(
            "/app/contacts/open",
            "/app/account",
            item=parties.item,
            sender=str(parties.sender),
            email=parties.email,
        )
        assert tried.status_code == 422
        mine.http.close()
    member = Person(uuid.uuid4(), Role.SENDER_MEMBER, 910_501, "theirs", organisation=tenant)
    assert queries.senders_to_write_for(by=member) == (), "not even to choose from"
    assert contacts(parties) == 1
    assert Contact.objects.get(pk=where.rpartition("/")[2]).closed_at is None
    parties.anna.post(f"{where}/close", f"{where}/close")


def test_who_is_known_to_no_sender_is_told_so(installation: Any) -> None:
    mine = Browser(installation.url)
    with mine.http:
        signed_in_as(mine, Role.ADDRESSEE, installation)
        assert "No sender has told us yet" in mine.http.get("/app/contacts/open").text
        assert "There is none yet." in mine.http.get("/app/contacts").text
