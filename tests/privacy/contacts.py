"""A sender and an addressee who can write to each other about an item, and the mail that they write."""

from __future__ import annotations

import dataclasses
import uuid
from email.message import EmailMessage
from typing import NamedTuple

from django.utils import timezone

from parcelward.base import config
from parcelward.base.vault import VaultToken
from parcelward.people import actions as people
from parcelward.people.wire import Person, Role
from parcelward.privacy import actions
from parcelward.privacy.wire import Answer, Field, Kind

DOMAIN = "relay.post.example"


def relay_on(monkeypatch, **changes) -> None:
    """Let this process pass mail on."""
    settings = dataclasses.replace(config.get(), **({"relay_domain": DOMAIN} | changes))
    monkeypatch.setattr(config, "get", lambda: settings)


class Pair(NamedTuple):
    """An open contact."""

    ref: uuid.UUID
    item: uuid.UUID
    tenant: uuid.UUID
    by: Person  # the addressee
    shop: VaultToken
    anna: VaultToken
    shop_email: str
    anna_email: str
    to_shop: str  # where the shop is reached
    to_anna: str


def put_pair() -> tuple[uuid.UUID, Person, VaultToken, VaultToken, str, str]:
    mark = uuid.uuid4().hex
    tenant, account = uuid.uuid4(), uuid.uuid4()
    by = people.machinery()
    shop_email, anna_email = f"shop.{mark}@shop.example", f"anna.{mark}@mail.example"
    shop = actions.put({Field.NAME: f"Shop {mark}", Field.EMAIL: shop_email}, kind=Kind.SENDER, by=by, tenant=tenant)
    anna = actions.put(
        {Field.NAME: f"Anna {mark}", Field.EMAIL: anna_email},
        kind=Kind.ADDRESSEE,
        by=by,
        tenant=tenant,
        account=account,
    )
    return tenant, Person(account, Role.ADDRESSEE, 910_500, "anna"), shop, anna, shop_email, anna_email


def opened_pair() -> Pair:
    tenant, by, shop, anna, shop_email, anna_email = put_pair()
    item = uuid.uuid4()
    made = actions.open_contact(item, shop, anna, by=by, now=timezone.now())
    return Pair(
        made.ref, item, tenant, by, shop, anna, shop_email, anna_email, made.reached_at[shop], made.reached_at[anna]
    )


def letter(pair: Pair, text: str = "Is it at home?", *, subject: str = "My parcel", **headers: str) -> EmailMessage:
    """Return what the addressee writes to the shop."""
    message = EmailMessage()
    message["From"] = f"Anna Kowalska <{pair.anna_email}>"
    message["To"] = pair.to_shop
    message["Subject"] = subject
    message["Message-ID"] = f"<{uuid.uuid4()}@mail.example>"
    message["Reply-To"] = pair.anna_email
    message["X-Originating-IP"] = "203.0.113.77"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def give(pair: Pair, message: EmailMessage | bytes, *, sender: str = "", recipient: str = "", now=None) -> Answer:
    """Bring mail to the door, from the addressee to the shop unless said otherwise."""
    return actions.pass_on(
        message if isinstance(message, bytes) else message.as_bytes(),
        sender=sender or pair.anna_email,
        recipient=recipient or pair.to_shop,
        by=people.machinery(),
        now=now or timezone.now(),
    )
