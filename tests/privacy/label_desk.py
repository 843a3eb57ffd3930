"""A hub, two offices and a courier's device, for the tests of sealed labels."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from tests.scanner import new_number

from parcelward.base.vault import Personal
from parcelward.people.wire import Person, Role
from parcelward.privacy.sealing import actions, keybox, queries, rules, wire
from parcelward.privacy.sealing.wire import Doorstep, LabelIn, Sealed

CLAIM = dt.timedelta(days=90)
HUB, OFFICE, OTHER = "LBL-HUB", "LBL-NORTH", "LBL-SOUTH"
NOW = dt.datetime.now(dt.UTC)
DOOR = ("Canary Quillfeather", "Leave with no. 29", "27 Zanzibar Mews", "Flat 3")


def person(role: Role) -> Person:
    return Person(id=uuid.uuid4(), role=role, source=1, name=f"test {role}")


CLERK, AGENT, COURIER = person(Role.CLERK), person(Role.HUB_AGENT), person(Role.COURIER)


def make_keys(*epochs: int) -> None:
    from parcelward.people.actions import machinery

    actions.make_station_keys([HUB, OFFICE, OTHER], epochs or [queries.epoch_of(NOW)], by=machinery(), now=NOW)


def wanted(item: str = "", **other: Any) -> LabelIn:
    name, note, *lines = map(Personal, DOOR)
    label = LabelIn(
        item=item or new_number(),
        hub=HUB,
        office=OFFICE,
        weight_g=900,
        routing_code="LS1-4471",
        round_code="R12",
        street="Zanzibar Mews 20-58",
        doorstep=Doorstep(name, tuple(lines), note),
    )
    return dataclasses.replace(label, **other)


def binding_holds(item: str, destination: str, weight_g: int, label_code: str) -> bool:
    """Return whether a scan's code is what some key that is believed makes of all this (docs/sealed-labels.md)."""
    keys = keybox.binding_versions().values()
    return any(made_with(key, item, destination, wire.weight_class(weight_g), label_code) for key in keys)


def made_with(key: bytes, item: str, destination: str, weight_class: int, label_code: str) -> bool:
    given, digest = label_code[: 2 * wire.CODE_BYTES].lower(), label_code[2 * wire.CODE_BYTES :]
    if len(digest) != 2 * wire.DIGEST_BYTES:
        return False
    made = rules.code(key, item=item, destination=destination, weight_class=weight_class, digest=bytes.fromhex(digest))
    return made.hex() == given


def sealed(item: str = "", *, now: dt.datetime = NOW, **other: Any) -> Sealed:
    (made,) = actions.seal_labels([wanted(item, **other)], by=CLERK, now=now)
    return made


@dataclasses.dataclass
class Reader:
    """A device as its page is: an enrolled Ed25519 key, and a one-time X25519 key each time it asks."""

    facility: str = OFFICE
    key: Ed25519PrivateKey = dataclasses.field(default_factory=Ed25519PrivateKey.generate)
    once: X25519PrivateKey = dataclasses.field(default_factory=X25519PrivateKey.generate)
    device: uuid.UUID = dataclasses.field(default_factory=uuid.uuid4)
    person: Person = COURIER  # as which it acts by itself

    def enrol(self) -> Reader:
        from parcelward.people import actions as people
        from parcelward.people.queries import standing_device

        by = people.installer()
        self.device = people.enrol_device("courier's telephone", self.public, by=by, facility=self.facility).device_id
        found = standing_device(self.device)
        assert found is not None
        self.person = Person(id=self.device, role=Role.DEVICE, source=found.source, name=found.name)
        return self

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    def asks(self, *, now: dt.datetime = NOW, by: Person = COURIER, **other: Any) -> Any:
        at_ms, once = int(now.timestamp() * 1000), self.once.public_key().public_bytes_raw()
        said = {"signature": self.key.sign(rules.reader_statement(once, at_ms)), "reader_key": once, **other}
        return actions.hand_out(self.public, said["reader_key"], at_ms, said["signature"], by=by, now=now)

    def borrows(self, *epochs: int, now: dt.datetime = NOW, by: Person = AGENT, **other: Any) -> Any:
        how = {"facility": self.facility, "round_name": "R12", "hours": 8, **other}
        weeks = epochs or (queries.epoch_of(now),)
        return actions.lend(
            how["facility"], weeks, self.device, how["round_name"], hours=how["hours"], claim=CLAIM, by=by, now=now
        )
