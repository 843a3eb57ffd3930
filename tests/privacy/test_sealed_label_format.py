"""A label byte for byte: against an oracle that shares no line with the product, and that against RFC 9180."""

from __future__ import annotations

import datetime as dt
import json
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from scripts import make_label_vectors as oracle
from tests.privacy.label_desk import made_with

from parcelward.base.vault import Personal
from parcelward.privacy.sealing import rules, wire
from parcelward.privacy.sealing.errors import BadLabel
from parcelward.privacy.sealing.wire import Doorstep, Hop, LabelIn

VECTORS = json.loads(oracle.TARGET.read_text(encoding="utf-8"))
HEX = bytes.fromhex


@pytest.mark.asvs("11.3.2")
def test_the_oracle_is_rfc_9180():
    """Appendix A.1.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence 0."""
    sealed = oracle.seal(
        HEX("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d"),
        HEX("4f6465206f6e2061204772656369616e2055726e"),
        HEX("4265617574792069732074727574682c20747275746820626561757479"),
        once=HEX("52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736"),
        aead=oracle.AES_128_GCM,
        aad=HEX("436f756e742d30"),
    )
    assert sealed[:32] == HEX("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431")
    assert sealed[32:] == HEX(
        "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a"
    )


def test_the_written_vectors_are_what_the_script_makes():
    assert oracle.TARGET.read_text(encoding="utf-8") == oracle.text()


@pytest.mark.parametrize("vector", VECTORS["labels"], ids=["short", "long"])
def test_the_product_reads_the_vectors(vector):
    raw = wire.from_base45(vector["text"])
    assert raw == HEX(vector["label"])
    assert wire.to_base45(raw) == vector["text"]
    label = wire.parse(raw)
    assert (label.item, label.epoch, label.public) == (vector["item"], vector["epoch"], HEX(vector["public"]))
    for hop in Hop:
        part = vector["parts"][hop.name.lower()]
        assert label.parts[hop] == HEX(part["part"])
        private = HEX(VECTORS["hub_private" if hop is Hop.HUB else "office_private"])
        assert rules.open_part(label, hop, private, item=vector["item"]) == tuple(part["texts"])
    assert wire.label_code(raw) == vector["label_code"]
    said = vector["item"], vector["destination"], vector["weight_class"], vector["label_code"]
    assert made_with(HEX(VECTORS["binding_key"]), *said)


def test_the_product_opens_the_loan_of_the_vectors():
    told = VECTORS["loan"]
    expires = dt.datetime.fromtimestamp(told["expires_at"], dt.UTC)
    loan = wire.LoanRow(
        *(uuid.UUID(told["loan"]), uuid.UUID(told["device"]), told["facility"], told["epoch"]),
        *("R12", expires - dt.timedelta(hours=8), expires, None),
    )
    assert rules.loan_info(loan) == HEX(told["info"])
    handed = wire.HandedOut(loan, HEX(told["public"]), HEX(told["sealed"]))
    opened = rules.open_loan(handed, HEX(told["reader_private"]), now=expires - dt.timedelta(seconds=1))
    assert opened == HEX(VECTORS["office_private"])


texts = st.text(st.characters(exclude_categories=("C", "Z")), max_size=30)


@given(
    lines=st.lists(texts, max_size=4).filter(lambda lines: len("\x1f".join(("", "", *lines)).encode()) <= 182),
    item=st.from_regex(r"[A-Z0-9]{1,20}", fullmatch=True),
    epoch=st.integers(0, rules.EPOCHS_MAX - 1),
)
def test_what_is_sealed_opens_at_its_hop_and_is_of_one_length(lines, item, epoch):
    hub, office = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    none = Personal("")
    wanted = LabelIn(
        item, "HUB", "OFFICE", 700, "LS1", "R1", "Street", Doorstep(none, tuple(map(Personal, lines)), none)
    )
    raw = rules.seal(
        wanted,
        epoch=epoch,
        hub_key=hub.public_key().public_bytes_raw(),
        office_key=office.public_key().public_bytes_raw(),
        binding_key=bytes(32),
    )
    label = wire.parse(wire.from_base45(wire.to_base45(raw)))
    assert rules.open_part(label, Hop.HUB, hub.private_bytes_raw(), item=item) == ("LS1",)
    assert rules.open_part(label, Hop.OFFICE, office.private_bytes_raw(), item=item) == ("R1", "Street")
    assert rules.open_part(label, Hop.COURIER, office.private_bytes_raw(), item=item) == ("", "", *lines)
    assert len(raw) - len(item) in {321 - 20, 411 - 20}, "the length tells the form and nothing of the address"
    assert not any(line.encode() in raw for line in lines if len(line.encode()) > 3)


@given(st.binary(max_size=60))
def test_base45_comes_back(raw):
    assert wire.from_base45(wire.to_base45(raw)) == raw
    assert wire.to_base45(raw) == oracle.base45(raw)


def test_base45_is_the_rfcs():
    """RFC 9285 section 4.3 and 4.4."""
    assert wire.to_base45(b"AB") == "BB8"
    assert wire.to_base45(b"Hello!!") == "%69 VD92EX0"
    assert wire.from_base45("QED8WEX0") == b"ietf!"
    for wrong in ("GGW5", ":::", "GGW:::", "::", "bb8", "A"):
        with pytest.raises(BadLabel):
            wire.from_base45(wrong)


def test_weeks_are_isos_in_utc():
    sunday = dt.datetime(2026, 11, 29, 23, 59, 59, tzinfo=dt.UTC)
    epoch = rules.epoch_of(sunday)
    assert rules.epoch_name(epoch) == "2026-W48"
    assert rules.epoch_of(sunday + dt.timedelta(seconds=1)) == epoch + 1
    assert rules.epoch_ends(epoch) == sunday + dt.timedelta(seconds=1)
    west = dt.timezone(dt.timedelta(hours=-8))
    assert rules.epoch_of(sunday.astimezone(west)) == epoch
    for year in range(2020, 2060):
        day = dt.datetime(year, 1, 4, 12, tzinfo=dt.UTC)  # always in week 1 (ISO 8601)
        assert rules.epoch_name(rules.epoch_of(day)) == f"{year}-W01"


def test_a_weeks_key_is_destroyed_when_its_claim_period_is_over_and_not_a_second_before():
    claim, epoch = dt.timedelta(days=90), 360
    over = rules.epoch_ends(epoch) + claim
    assert rules.newest_over(over, claim) == epoch
    assert rules.newest_over(over - dt.timedelta(seconds=1), claim) == epoch - 1


@pytest.mark.parametrize(("weight_g", "number"), [(1, 0), (100, 0), (101, 1), (31_500, 8), (31_501, 9)])
def test_a_weight_falls_into_its_class(weight_g, number):
    assert wire.weight_class(weight_g) == number
