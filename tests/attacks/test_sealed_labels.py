"""Whoever is not the hop, or not now, opens no part of a sealed label; each way is refused by name."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from tests.attacks.untouched import untouched
from tests.people.tenants import organisation
from tests.privacy.label_desk import (
    AGENT,
    CLAIM,
    CLERK,
    COURIER,
    DOOR,
    HUB,
    NOW,
    OFFICE,
    OTHER,
    Reader,
    binding_holds,
    make_keys,
    person,
    sealed,
    wanted,
)
from tests.scanner import new_number

from parcelward.base.errors import Conflict, Invalid, NotAllowed
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role
from parcelward.privacy.sealing import actions, queries, rules, wire
from parcelward.privacy.sealing.errors import BadLabel, KeyNotThere, NotLent
from parcelward.privacy.sealing.wire import Hop

EPOCH = queries.epoch_of(NOW)
WEEK = dt.timedelta(days=7)


@pytest.fixture(autouse=True)
def keys(installation):
    make_keys()


@pytest.fixture
def courier() -> Reader:
    return Reader().enrol()


def key_of(place: str, epoch: int = EPOCH) -> bytes:
    return actions._private(place, epoch)


def opened(raw: bytes, hop: Hop, private: bytes, item: str) -> tuple[str, ...]:
    return rules.open_part(wire.parse(raw), hop, private, item=item)


def refused(code: str, kind: type[Exception], does: Any, *args: Any, **how: Any) -> None:
    with untouched(), pytest.raises(kind) as caught:
        does(*args, **how)
    assert getattr(caught.value, "code") == code  # noqa: B009 -- the kinds are ours, each with a code


def test_each_hop_reads_its_own_part(courier):
    label = sealed()
    station = Reader(HUB).enrol(), Reader(OFFICE).enrol()
    read = [(label.item, label.text)]
    for reader, hop, said in zip(
        station, (Hop.HUB, Hop.OFFICE), (("LS1-4471",), ("R12", "Zanzibar Mews 20-58")), strict=True
    ):
        assert actions.open_parts(read, hop, claim=CLAIM, by=reader.person, now=NOW) == [said]
    courier.borrows()
    (handed,) = courier.asks()
    private = rules.open_loan(handed, courier.once.private_bytes_raw(), now=NOW)
    assert opened(label.raw, Hop.COURIER, private, label.item) == DOOR


def test_wrong_hop():
    """The hub's key opens nothing else, and the office's key not the hub's part; the house never a courier's."""
    label, hub, office = sealed(), Reader(HUB).enrol(), Reader(OFFICE).enrol()
    read = [(label.item, label.text)]
    for hop in (Hop.OFFICE, Hop.COURIER):
        refused("other_station", BadLabel, opened, label.raw, hop, key_of(HUB), label.item)
    refused("other_station", BadLabel, opened, label.raw, Hop.HUB, key_of(OFFICE), label.item)
    refused("other_station", BadLabel, actions.open_parts, read, Hop.OFFICE, claim=CLAIM, by=hub.person, now=NOW)
    for by in (office.person, hub.person):
        refused("not_opened_here", NotAllowed, actions.open_parts, read, Hop.COURIER, claim=CLAIM, by=by, now=NOW)


def test_one_hops_part_in_anothers_place():
    """The office's part and the courier's are sealed to one key: what tells them apart is what they are bound to."""
    label = wire.parse(sealed().raw)
    moved = dataclasses.replace(label, parts=label.parts | {Hop.COURIER: label.parts[Hop.OFFICE]})
    with pytest.raises(BadLabel) as caught:
        rules.open_part(moved, Hop.COURIER, key_of(OFFICE), item=label.item)
    assert caught.value.code == "changed"


@pytest.mark.asvs("11.3.3")
@pytest.mark.parametrize("hop", list(Hop))
def test_parts_swapped_between_items(hop):
    one, other = wire.parse(sealed().raw), wire.parse(sealed().raw)
    mixed = dataclasses.replace(one, parts=one.parts | {hop: other.parts[hop]})
    with pytest.raises(BadLabel) as caught:
        rules.open_part(mixed, hop, key_of(HUB if hop is Hop.HUB else OFFICE), item=one.item)
    assert caught.value.code == "changed"
    raw = mixed.public + b"".join(mixed.parts.values()) + mixed.code
    assert not binding_holds(one.item, OFFICE, 900, wire.label_code(raw)), "the next scan sees it, too"


def test_replay_of_a_label_on_another_item():
    """A copied code on another parcel: the reader compares it with the barcode, and so does what checks the scan."""
    label, other, hub = sealed(), new_number(), Reader(HUB).enrol()
    refused("other_item", BadLabel, opened, label.raw, Hop.COURIER, key_of(OFFICE), other)
    read = [(other, label.text)]
    refused("other_item", BadLabel, actions.open_parts, read, Hop.HUB, claim=CLAIM, by=hub.person, now=NOW)
    assert binding_holds(label.item, OFFICE, 900, label.label_code)
    assert not binding_holds(other, OFFICE, 900, label.label_code)
    renamed = label.raw.replace(label.item.encode(), other.encode())
    refused("changed", BadLabel, opened, renamed, Hop.COURIER, key_of(OFFICE), other)


def test_a_label_edited_to_another_place_or_weight_and_one_that_a_stranger_sealed():
    label = sealed()
    assert binding_holds(label.item, OFFICE, 501, label.label_code), "the same class of weight"
    assert not binding_holds(label.item, OTHER, 900, label.label_code)
    assert not binding_holds(label.item, OFFICE, 1_001, label.label_code)
    for code in ("", "0" * 48, label.label_code[:-2], label.label_code + "00", "not hex", label.label_code[:16]):
        assert not binding_holds(label.item, OFFICE, 900, code)
    # Stations' public keys are no secret: anybody can seal an address. What nobody else can make is the code.
    public = {
        place: X25519PrivateKey.from_private_bytes(key_of(place)).public_key().public_bytes_raw()
        for place in (HUB, OFFICE)
    }
    forged = rules.seal(
        wanted(label.item), epoch=EPOCH, hub_key=public[HUB], office_key=public[OFFICE], binding_key=bytes(32)
    )
    assert opened(forged, Hop.COURIER, key_of(OFFICE), label.item) == DOOR
    assert not binding_holds(label.item, OFFICE, 900, wire.label_code(forged))
    mixed = forged[: -wire.CODE_BYTES] + label.raw[-wire.CODE_BYTES :]
    assert not binding_holds(label.item, OFFICE, 900, wire.label_code(mixed))


def test_expired_epoch(courier):
    """When the claim period after a week has passed, nothing of it is opened or lent, destroyed already or not."""
    old = NOW - CLAIM - 2 * WEEK
    epoch = queries.epoch_of(old)
    make_keys(epoch)
    label, hub = sealed(now=old), Reader(HUB).enrol()
    read = [(label.item, label.text)]
    refused("epoch_over", KeyNotThere, actions.open_parts, read, Hop.HUB, claim=CLAIM, by=hub.person, now=NOW)
    refused("epoch_over", KeyNotThere, courier.borrows, epoch)
    refused("epoch_ahead", KeyNotThere, courier.borrows, EPOCH + 1)
    refused("no_station_key", KeyNotThere, sealed, now=NOW + 99 * WEEK)
    assert wire.parse(sealed().raw).epoch == EPOCH, "what is sealed now is sealed to this week's keys"


def test_destroyed_epoch():
    """After the nightly round the label in the bin is dark: for the house, its database, and whoever asks again."""
    from parcelward.people.actions import machinery
    from parcelward.privacy.models import StationKey

    epoch = EPOCH - 100 - uuid.uuid4().int % 100
    then = dt.datetime.combine(rules.FIRST_DAY + epoch * WEEK, dt.time(12), dt.UTC)
    make_keys(epoch, EPOCH)
    label, hub = sealed(now=then), Reader(HUB).enrol()
    private = key_of(OFFICE, epoch)
    assert opened(label.raw, Hop.COURIER, private, label.item) == DOOR
    assert actions.destroy_due_keys(claim=CLAIM, by=machinery(), now=NOW) >= 3
    for row in StationKey.objects.filter(epoch=epoch):
        assert (bytes(row.wrapped), row.destroyed_at) == (b"", NOW)
    read = [(label.item, label.text)]
    late = dt.timedelta(days=3_000)  # even if the setting is made longer afterwards
    refused("key_destroyed", KeyNotThere, actions.open_parts, read, Hop.HUB, claim=late, by=hub.person, now=NOW)
    refused("key_destroyed", KeyNotThere, sealed, now=then)
    make_keys(epoch)
    refused("key_destroyed", KeyNotThere, sealed, now=then)
    assert sealed().raw, "this week's keys are there"
    with untouched():
        assert actions.destroy_due_keys(claim=CLAIM, by=machinery(), now=NOW) == 0, "twice changes nothing"


def test_revoked_device(courier):
    from parcelward.people import actions as people

    courier.borrows()
    assert courier.asks()
    people.revoke_device(courier.device, by=people.installer())
    refused("revoked", NotLent, courier.borrows)
    refused("revoked", NotLent, courier.asks)
    station = Reader(HUB).enrol()
    people.revoke_device(station.device, by=people.installer())
    label = sealed()
    read = [(label.item, label.text)]
    refused("no_station", NotAllowed, actions.open_parts, read, Hop.HUB, claim=CLAIM, by=station.person, now=NOW)


@pytest.mark.asvs("11.3.3")
def test_truncated_and_mutated_bytes():
    """Every single byte, every length: nothing but the whole label opens, and nothing else than BadLabel is raised."""
    label, keys = sealed(), {Hop.HUB: key_of(HUB), Hop.OFFICE: key_of(OFFICE), Hop.COURIER: key_of(OFFICE)}
    for length in range(len(label.raw)):
        with pytest.raises(BadLabel):
            wire.parse(label.raw[:length])
    with pytest.raises(BadLabel):
        wire.parse(label.raw + b"\0")
    for at in range(len(label.raw)):
        changed = bytearray(label.raw)
        changed[at] ^= 1
        assert not binding_holds(label.item, OFFICE, 900, wire.label_code(bytes(changed)))
        try:
            parsed = wire.parse(bytes(changed))
        except BadLabel:
            continue
        held = []
        for hop, key in keys.items():
            try:
                rules.open_part(parsed, hop, key, item=label.item)
            except BadLabel:
                continue
            held.append(hop)
        # A change in the public part shuts all parts; one in a part shuts that part; one in the code is seen by it.
        start, whole = len(parsed.public), set(Hop)
        hit = {hop for hop in Hop if label.raw.find(parsed.parts[hop]) < 0}
        assert set(held) == (set() if at < start else whole - hit), at


def test_key_of_another_facility(courier):
    other = Reader(OTHER).enrol()
    label = sealed()
    refused("other_station", BadLabel, opened, label.raw, Hop.COURIER, key_of(OTHER), label.item)
    refused("other_facility", NotLent, other.borrows, facility=OFFICE)
    refused("other_facility", NotLent, Reader("").enrol().borrows, facility=OFFICE)
    other.borrows()
    (handed,) = other.asks()
    private = rules.open_loan(handed, other.once.private_bytes_raw(), now=NOW)
    refused("other_station", BadLabel, opened, label.raw, Hop.COURIER, private, label.item)


def test_a_row_of_keys_turned_to_another_place_or_to_a_strangers_key_stays_shut():
    from parcelward.privacy.models import StationKey

    mine, theirs = (StationKey.objects.get(facility=place, epoch=EPOCH) for place in (OFFICE, OTHER))
    boxes = bytes(mine.wrapped), bytes(mine.public_key)
    try:
        StationKey.objects.filter(pk=mine.pk).update(wrapped=theirs.wrapped, public_key=theirs.public_key)
        refused("bad_box", KeyNotThere, sealed)
        stranger = X25519PrivateKey.generate().public_key().public_bytes_raw()
        StationKey.objects.filter(pk=mine.pk).update(wrapped=boxes[0], public_key=stranger)
        refused("bad_box", KeyNotThere, sealed)
    finally:
        StationKey.objects.filter(pk=mine.pk).update(wrapped=boxes[0], public_key=boxes[1])


def test_loan_after_expiry(courier):
    courier.borrows(hours=8)
    (handed,) = courier.asks()
    once, over = courier.once.private_bytes_raw(), handed.loan.expires_at
    assert NOW + dt.timedelta(hours=7, minutes=59) < over <= NOW + dt.timedelta(hours=8)
    assert rules.open_loan(handed, once, now=over - dt.timedelta(seconds=1))
    refused("loan_over", BadLabel, rules.open_loan, handed, once, now=over)
    with untouched():
        assert courier.asks(now=over) == [], "it is not handed out again"
    longer = dataclasses.replace(handed.loan, expires_at=over + dt.timedelta(days=1))
    changed = dataclasses.replace(handed, loan=longer)
    refused("not_this_device", BadLabel, rules.open_loan, changed, once, now=over)
    for hours in (0, -1, 25, 10_000):
        refused("bad_hours", Invalid, courier.borrows, hours=hours)


def test_a_loan_that_was_ended_is_not_handed_out(courier):
    (loan,) = courier.borrows()
    actions.end_loan(loan.loan_id, by=AGENT, now=NOW)
    with untouched():
        actions.end_loan(loan.loan_id, by=AGENT, now=NOW)
        assert courier.asks() == []


def test_another_device_cannot_take_or_open_a_loan(courier):
    other = Reader().enrol()
    courier.borrows()
    with untouched():
        assert other.asks() == []
    (handed,) = courier.asks()
    stranger = other.once.private_bytes_raw()
    refused("not_this_device", BadLabel, rules.open_loan, handed, stranger, now=NOW)
    theirs = other.once.public_key().public_bytes_raw()
    refused("bad_signature", NotLent, courier.asks, reader_key=theirs, signature=other.key.sign(b"anything"))
    signed_by_mine = courier.key.sign(rules.reader_statement(courier.once.public_key().public_bytes_raw(), 1))
    refused("bad_signature", NotLent, courier.asks, reader_key=theirs, signature=signed_by_mine)
    refused("not_enrolled", NotLent, Reader().asks)
    at_ms = int(NOW.timestamp() * 1000)
    once = courier.once.public_key().public_bytes_raw()
    said = courier.key.sign(rules.reader_statement(once, at_ms))
    later = NOW + dt.timedelta(minutes=6)
    refused("clock_off", Conflict, actions.hand_out, courier.public, once, at_ms, said, by=COURIER, now=later)
    weak = bytes(32)
    signed = courier.key.sign(rules.reader_statement(weak, at_ms))
    refused("bad_key", BadLabel, courier.asks, reader_key=weak, signature=signed)


def test_a_contractor_lends_itself_no_offices_keys(courier):
    """Its people enrol their devices at any place they name; with a loan each would open that office's labels."""
    carrier = organisation("contractor")
    by = dataclasses.replace(person(Role.HUB_AGENT), organisation=carrier.id)
    for deed in (
        lambda: courier.borrows(by=by),
        lambda: queries.running_loans([OFFICE], by=by, now=NOW),
        lambda: queries.epochs_with_keys(OFFICE, [EPOCH], by=by),
        lambda: actions.end_loan(uuid.uuid4(), by=by, now=NOW),
    ):
        with untouched(), pytest.raises(NotAllowed) as caught:
            deed()
        assert caught.value.code == "not_the_operators"
    assert courier.asks(by=by) == []


@pytest.mark.parametrize("role", list(Role))
def test_each_deed_asks_the_table(role, courier):
    """Sealing, lending, opening and turning keys: whoever lacks the right is refused before anything is looked at."""
    by, label = person(role), sealed()
    read = [(label.item, label.text)]
    deeds: dict[str, tuple[set[Role], Any]] = {
        "seal": (
            {Role.CLERK, Role.SORTER, Role.ADMINISTRATOR, Role.MACHINERY},
            lambda: actions.seal_labels([wanted()], by=by, now=NOW),
        ),
        "lend": ({Role.HUB_AGENT, Role.ADMINISTRATOR}, lambda: courier.borrows(by=by)),
        "end": ({Role.HUB_AGENT, Role.ADMINISTRATOR}, lambda: queries.running_loans([OFFICE], by=by, now=NOW)),
        "fetch": ({Role.SORTER, Role.COURIER, Role.HUB_AGENT, Role.DEVICE}, lambda: courier.asks(by=by)),
        "make": (
            {Role.ADMINISTRATOR, Role.MACHINERY},
            lambda: actions.make_station_keys([OFFICE], [EPOCH], by=by, now=NOW),
        ),
        "destroy": (
            {Role.ADMINISTRATOR, Role.MACHINERY},
            lambda: actions.destroy_due_keys(claim=dt.timedelta(days=3_000), by=by, now=NOW),
        ),
    }
    for name, (may, deed) in deeds.items():
        if role in may:
            deed()
        else:
            with untouched(), pytest.raises(MayNot):
                deed()
            assert name
    if role not in {Role.SORTER, Role.COURIER, Role.HUB_AGENT, Role.DEVICE}:
        with untouched(), pytest.raises(MayNot):
            actions.open_parts(read, Hop.HUB, claim=CLAIM, by=by, now=NOW)
    else:  # the right alone is not enough: the station's own device is needed
        refused("no_station", NotAllowed, actions.open_parts, read, Hop.HUB, claim=CLAIM, by=by, now=NOW)


def test_the_same_loan_twice_is_one_loan(courier):
    (one,) = courier.borrows()
    with untouched():
        (again,) = courier.borrows()
    assert one == again
    (other,) = courier.borrows(round_name="R13")
    assert other.loan_id != one.loan_id


def test_nothing_of_the_address_nor_a_key_is_in_the_log_or_in_a_database(courier):
    """Every deed is an entry, and no row of either database holds a word of the address or a lent key."""
    from django.db import connections

    from parcelward.custody.models import Fact

    before = Fact.objects.count()
    label, hub = sealed(), Reader(HUB).enrol()
    actions.open_parts([(label.item, label.text)], Hop.HUB, claim=CLAIM, by=hub.person, now=NOW)
    (loan,) = courier.borrows()
    courier.asks()
    actions.end_loan(loan.loan_id, by=AGENT, now=NOW)
    kinds = list(Fact.objects.order_by("batch").values_list("kind", flat=True)[before:])
    wanted_kinds = {actions.SEALED, actions.OPENED, actions.LENT, actions.HANDED_OUT, actions.LOAN_ENDED}
    assert wanted_kinds <= set(kinds)
    bodies = b"".join(bytes(body) for body in Fact.objects.values_list("body", flat=True))
    secret = key_of(OFFICE)
    for word in (*(word.encode() for word in DOOR), label.item.encode(), label.label_code.encode(), secret):
        assert word not in bodies
        assert word.hex().encode() not in bodies
    for alias in ("default", "keys"):
        with connections[alias].cursor() as cur:
            cur.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'privacy_%%'")
            for (table,) in cur.fetchall():
                cur.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
                rows = cur.fetchone()[0] or ""
                assert secret.hex() not in rows, table
                assert not any(word in rows for word in (*DOOR, label.item)), table
    assert CLERK.source == 1
