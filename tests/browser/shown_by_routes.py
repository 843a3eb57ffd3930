"""One object for each screen that shows one, so that it is seen with something in it."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import uuid
from typing import Any

from django.utils import timezone
from tests.browser.conftest import World
from tests.joined import joined
from tests.people.staffing import member, operator, sender, somebody
from tests.scanner import event, new_number
from tests.shipping import shop as shops

from parcelward.base.vault import VaultToken
from parcelward.doors.api.order_shapes import OrderIn
from parcelward.parcels import actions as parcels
from parcelward.parcels import queries
from parcelward.people import actions, proofing
from parcelward.people import queries as people
from parcelward.people.wire import CounterState, Document, OrganisationKind, Person, Role
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Kind, Subject
from parcelward.risk import actions as risk
from parcelward.risk import queries as rules
from parcelward.risk.learning.challenging import Challenger, as_text
from parcelward.risk.wire import Answer
from parcelward.shipping import actions as shipping

MODEL_CARD: dict[str, Any] = {
    "learnt": {"rows": 51_200, "frauds": 412},
    "measured": {
        "from": 1_790_000_000_000_000,
        "until": 1_791_209_600_000_000,
        "orders": 9_100,
        "frauds": 77,
        "auc": 0.951,
        "average_precision": 0.713,
        "calibration_error": 0.004,
    },
    "against": None,
    "shapes": [],
    "usual": [],
}
"""What is known of a model, as the worker writes it."""
NOBODYS = str(uuid.UUID(int=7))


def prepared(world: World, reader: Person, boss: Person, event_key: str) -> dict[str, dict[str, str]]:
    """Make what the screens show; return, for the beginning of an address, what stands in its places."""
    anna = somebody(Role.ADMINISTRATOR)
    user, membership = member(Role.CLERK)
    held, given = queries.find(world.held), queries.find(world.delivered)
    assert held
    assert given
    request = actions.ask_for_role(membership.id, Role.SORTER, "moves to the sorting hall", by=anna)
    waiting = actions.invite(operator(), Role.INSPECTOR, by=anna)[0]
    erasure = parcels.request_erasure(given, "asked by the sender", by=anna)
    own = actions.ask_for_role(member(Role.SORTER)[1].id, Role.CLERK, "moves to the counter", by=boss)
    own_waiting = actions.invite(operator(), Role.INSPECTOR, by=boss)[0]
    stopped, doomed = new_number(), new_number()
    world.scanner.send(event(stopped, "accepted"), event(stopped, "held", minutes=5, reason="address_query"))
    world.scanner.send(event(doomed, "accepted"))
    found = queries.find(doomed)
    assert found
    own_erasure = parcels.request_erasure(found, "sent twice", by=boss)
    shop = sender(f"Stamps and Albums {os.urandom(2).hex()}")
    member(Role.SENDER_ADMIN, shop, owner=True)
    seller = member(Role.SENDER_MEMBER, shop)[1]
    invited = actions.invite(shop, Role.SENDER_MEMBER, by=actions.installer())[0]
    today = timezone.now().date()
    until = today + dt.timedelta(days=365)
    noted = actions.certify(user.id, "dangerous_goods", valid_from=today, valid_until=until, by=anna)
    key = actions.new_key("seen in a browser", Role.PARTNER, by=actions.installer(), mode="test")
    caps = {"cap_payment_minor": 2500, "cap_day_minor": 10_000, "cap_month_minor": None}
    week = dt.timedelta(days=7)
    grant = actions.grant_spending(key.id, currency="EUR", **caps, lifetime=week, by=anna)  # type: ignore[arg-type]  # as it is
    enrolment = actions.open_enrolment("telephone", by=anna, facility="TEST-A")
    proofs = _proofs(reader)
    carrier = actions.make_organisation(OrganisationKind.CONTRACTOR, "Carrier", by=actions.installer(), simulated=True)
    actions.give_facility(carrier, "TEST-A", by=anna)
    two = "/app/desk/two-people"
    return {
        "": {
            "item_id": world.derived,
            "event_key": event_key,
            "organisation_id": str(shop),
            "invitation_id": str(invited),
            "membership": str(membership.id),
            "certificate_id": str(noted),
            "key_id": str(key.id),
            "grant_id": str(grant),
            "enrolment_id": str(enrolment.id),
            "passkey_id": str(people.passkeys(by=boss)[0].id),
            "device_id": str(uuid.UUID(world.scanner.device_id.removeprefix("dev_"))),
            **proofs,
            "contact": str(_contact(reader, shop, held)),
        },
        "/app/organisations/<uuid:organisation_id>/places": {"organisation_id": str(carrier)},
        "/app/organisation/members/<uuid:membership>/hand-over": {"membership": str(seller.id)},
        f"{two}/requests": {"request_id": str(request)},
        f"{two}/invitations": {"invitation_id": str(waiting)},
        f"{two}/erasures": {"erasure_id": str(erasure)},
        f"{two}/requests/<uuid:request_id>/withdraw": {"request_id": str(own)},
        f"{two}/invitations/<uuid:invitation_id>/withdraw": {"invitation_id": str(own_waiting)},
        f"{two}/erasures/<int:erasure_id>/withdraw": {"erasure_id": str(own_erasure)},
        "/app/desk/items/<str:item_id>/release": {"item_id": stopped},
        "/app/desk/items/<str:item_id>/release-security": {"item_id": world.held},
        "/language": {"code": "es"},
        "/app/reviews": {"check_id": proofs["reviewed"]},
        "/app/rules": {"version_id": str(in_shadow(boss))},
        "/app/rules/models": {"model_id": str(learnt_model(boss))},
        "/app/rules/<uuid:version_id>/only-watch": {"version_id": str(shipped_one(boss))},
    }


def in_shadow(by: Person) -> uuid.UUID:
    """Write a rule and put it in shadow."""
    code = f"seen_{os.urandom(4).hex()}"
    made = risk.write_rule(code, "items > 900", Answer.REVIEW, "Very many parcels in one order", by=by)
    risk.move_rule(made, rules.Stage.SHADOW, by=by)
    return made


def learnt_model(by: Person) -> uuid.UUID:
    """Keep a challenger, as the worker does."""
    text = os.urandom(8)
    made = Challenger(text, hashlib.sha256(text).hexdigest(), MODEL_CARD)
    return risk.keep_challenger(made, as_text(made.card), by=by)


def shipped_one(by: Person) -> uuid.UUID:
    return next(row.id for row in rules.rules(by=by) if row.rule == "labels_of_printer" and row.stage == "active")


def ordered(seller: Person, **contents: str) -> dict[str, str]:
    """Let somebody buy a delivery for a parcel; what it holds may stop it."""
    shops.open_shop()
    assert seller.organisation
    shops.give(seller.organisation, 10_000)
    said = {"item_contents": contents} if contents else {}
    wanted = OrderIn.model_validate(shops.order(**said)).value()
    order = shipping.place_within(uuid.uuid4(), wanted, by=seller)
    return {"order_id": str(order), "place": "0", "form": "png"}


def leaving(seller: Person) -> dict[str, str]:
    """Let somebody buy a delivery abroad, and say for customs what is in it."""
    shops.open_shop()
    assert seller.organisation
    shops.give(seller.organisation, 10_000)
    goods = {"description": "Cotton T-shirts", "quantity": 2, "net_weight_g": 400, "value_minor": 4_000}
    goods |= {"currency": "USD", "origin": "PT", "hs_code": "6109.10"}
    there = {"country": "FR", "addressee": shops.NAME, "street_lines": ["3 rue des Lilas"], "locality": "Lyon"}
    said = {
        "item_to": {"address": there | {"postcode": "69003"}, "email": "canary.quillfeather@mail.example"},
        "item_product": "world",
        "item_customs": {"reason": "gift", "goods": [goods], "sender_contact": "+1 217 555 0175"},
    }
    order = shipping.place_within(uuid.uuid4(), OrderIn.model_validate(shops.order(**said)).value(), by=seller)
    return {"order_id": str(order), "place": "0"}


def _contact(reader: Person, shop: uuid.UUID, item: uuid.UUID) -> uuid.UUID:
    """Let the reader write to a shop about an item."""
    mark, by = os.urandom(4).hex(), actions.machinery()
    seller = privacy.put({Field.EMAIL: f"shop.{mark}@shop.example"}, kind=Kind.SENDER, by=by, tenant=shop)
    kept = {Field.EMAIL: f"reader.{mark}@mail.example"}
    entry = privacy.put(kept, kind=Kind.ADDRESSEE, by=by, tenant=shop, account=reader.id)
    return privacy.open_contact(item, entry, seller, by=reader, now=timezone.now()).ref


def _home(owner: Person, kind: Kind) -> VaultToken:
    fields = {
        Field.NAME: "Katharina Hohenlohe-Langenburg",
        Field.ADDRESS: f"{os.urandom(2).hex()} Evergreen Terrace",
        Field.POSTCODE: "62701",
        Field.LOCALITY: "Springfield",
        Field.COUNTRY: "US",
    }
    ends: dict[str, Any] = {"expires_at": timezone.now() + dt.timedelta(days=60)} if kind is Kind.PENDING else {}
    return privacy.put(fields, kind=kind, by=actions.machinery(), account=owner.id, **ends)


def _proofs(reader: Person) -> dict[str, str]:
    """Let the reader wait for a letter and for a counter, another for a review, and ask for their rights."""
    now = timezone.now()
    _home(reader, Kind.ADDRESSEE)
    letter = proofing.request_letter(_home(reader, Kind.PENDING), same=(), by=reader, now=now).letter_id
    proofing.print_letter(letter, by=somebody(Role.CLERK), now=now)
    check = proofing.start_check(_home(reader, Kind.PENDING), by=reader, now=now).check_id
    other, clerk = joined(Role.ADDRESSEE), somebody(Role.CLERK)
    reviewed = proofing.start_check(_home(other, Kind.PENDING), by=other, now=now).check_id
    proofing.decide_check(reviewed, CounterState.IN_FRAUD_REVIEW, Document.IDENTITY_CARD, by=clerk, now=now)
    asked = privacy.object_to(next(iter(set(Subject) - {Subject.NONE})), by=reader)
    return {
        "letter_id": str(letter),
        "check_id": str(check),
        "reviewed": str(reviewed),
        "request_id": str(asked),
    }


def address(route: str, objects: dict[str, dict[str, str]]) -> str:
    """Return the route with an object in each of its places; the longest beginning says which."""
    chosen: dict[str, str] = {}
    for beginning in sorted(objects, key=len):
        if route.startswith(beginning):
            chosen |= objects[beginning]

    def stands(found: re.Match[str]) -> str:
        kind, name = found[1].split(":")
        return chosen.get(name, "1" if kind == "int" else NOBODYS)

    return re.sub(r"<([^>]+)>", stands, route)
