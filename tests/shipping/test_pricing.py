"""Prices by a tariff: bands, zones, sizes, surcharges, tax, promised days, and what a new tariff changes."""

from __future__ import annotations

import copy
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelward.shipping import pricing, tariff
from parcelward.shipping.errors import BadTariff
from parcelward.shipping.pricing import Change, Parcel

BODY: dict[str, Any] = {
    "currency": "EUR",
    "zones": {"home": ["DE"], "islands": ["DE:27498", "DE:2756"], "near": ["AT", "FR"], "world": ["*"]},
    "products": [
        {
            "code": "parcel",
            "words": "Parcel",
            "mode": "ground",
            "length_mm_max": 1200,
            "girth_mm_max": 3000,
            "cm3_per_kg": 5000,
            "extras": ["signed_for"],
            "zones": {
                "home": {
                    "bands": [{"up_to_g": 2000, "price_minor": 499}, {"up_to_g": 10000, "price_minor": 899}],
                    "days_min": 1,
                    "days_max": 2,
                },
                "islands": {"bands": [{"up_to_g": 2000, "price_minor": 699}], "days_min": 3, "days_max": 5},
                "world": {"bands": [{"up_to_g": 2000, "price_minor": 1999}], "days_min": 5, "days_max": 12},
            },
        },
        {
            "code": "express",
            "words": "Express",
            "mode": "air",
            "length_mm_max": 600,
            "girth_mm_max": 1500,
            "zones": {"home": {"bands": [{"up_to_g": 5000, "price_minor": 1500}], "days_min": 0, "days_max": 1}},
        },
    ],
    "surcharges": [
        {"code": "signed", "words": "Signed for", "extra": "signed_for", "amount_minor": 150},
        {"code": "bulky", "words": "Bulky", "over_mm": 1000, "share_millionths": 100_000, "products": ["parcel"]},
    ],
    "taxes": [{"places": ["DE"], "rate_millionths": 190_000}],
}


def made(**other: Any) -> tariff.Tariff:
    return tariff.read(json.dumps(BODY | other).encode())


def parcel(weight_g: int = 1000, sides: tuple[int, int, int] = (200, 150, 100), to: str = "DE", **more: Any) -> Parcel:
    return Parcel(weight_g, sides, to, **more)


def sold(one: Parcel, by: tariff.Tariff | None = None) -> dict[str, pricing.Offer]:
    return {offer.product: offer for offer in pricing.offers(by or made(), one)[0]}


def unsold(one: Parcel) -> dict[str, str]:
    return {each.product: each.code for each in pricing.offers(made(), one)[1]}


def test_a_price_is_of_the_band_with_its_tax():
    offer = sold(parcel())["parcel"]
    assert (offer.net_minor, offer.tax_minor, offer.total_minor, offer.zone) == (499, 95, 594, "home")
    assert sold(parcel(2000))["parcel"].net_minor == 499
    assert sold(parcel(2001))["parcel"].net_minor == 899


def test_the_cheapest_stands_first():
    assert [offer.product for offer in pricing.offers(made(), parcel())[0]] == ["parcel", "express"]


def test_the_most_exact_place_counts():
    assert sold(parcel(postcode="27498"))["parcel"].zone == "islands"
    assert sold(parcel(postcode="27565"))["parcel"].zone == "islands"
    assert sold(parcel(postcode="27400"))["parcel"].zone == "home"
    assert sold(parcel(to="JP"))["parcel"].zone == "world"
    assert sold(parcel(to="JP"))["parcel"].tax_minor == 0


def test_what_cannot_be_carried_says_why():
    assert unsold(parcel(to="AT")) == {"parcel": "not_to_there", "express": "not_to_there"}
    assert unsold(parcel(10_001))["parcel"] == "too_heavy"
    assert unsold(parcel(sides=(1201, 10, 10)))["parcel"] == "too_large"
    assert unsold(parcel(sides=(1100, 500, 500)))["parcel"] == "too_large"  # 1100 + 2 x 1000
    assert unsold(parcel(extras=("signed_for",))) == {"express": "extra_not_offered"}


def test_a_large_light_item_counts_as_its_size():
    assert sold(parcel(500, (400, 300, 200)))["parcel"].counted_g == 4800  # 24,000 cm3 at 5,000 a kilogram
    assert sold(parcel(500, (400, 300, 200)))["express"].counted_g == 500


def test_surcharges_are_lines_of_their_own():
    offer = sold(parcel(sides=(1100, 100, 50), extras=("signed_for",)))["parcel"]
    assert [(part.code, part.amount_minor) for part in offer.parts] == [("parcel", 499), ("signed", 150), ("bulky", 50)]
    assert offer.net_minor == 699


@pytest.mark.parametrize(
    ("posted", "days", "arrives"),
    [
        ("2026-11-27", 0, "2026-11-27"),  # a Friday
        ("2026-11-27", 1, "2026-11-30"),
        ("2026-11-28", 0, "2026-11-30"),  # a Saturday: nobody works
        ("2026-12-23", 2, "2026-12-28"),  # the 25th is closed
    ],
)
def test_promised_days_are_working_days(posted, days, arrives):
    closed = {dt.date(2026, 12, 25)}
    assert pricing.promised(dt.date.fromisoformat(posted), days, closed) == dt.date.fromisoformat(arrives)


def broken(change: Any) -> BadTariff:
    body = copy.deepcopy(BODY)
    change(body)
    with pytest.raises(BadTariff) as refused:
        tariff.read(json.dumps(body).encode())
    return refused.value


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        (lambda b: b.update(currency="EURO"), "/currency", "bad_currency"),
        (lambda b: b["zones"].update(other=["AT"]), "/zones/other", "twice"),
        (lambda b: b["products"][1].update(code="parcel"), "/products/1/code", "twice"),
        (lambda b: b["products"][0]["zones"].update(nowhere=b["products"][0]["zones"]["home"]), None, "unknown"),
        (lambda b: b["products"][0]["zones"]["home"]["bands"].reverse(), None, "out_of_order"),
        (lambda b: b["products"][0]["zones"]["home"]["bands"][1].update(price_minor=1), None, "cheaper"),
        (lambda b: b["products"][0]["zones"]["home"].update(days_max=0), None, "too_small"),
        (lambda b: b["products"][0].update(girth_mm_max=10), "/products/0/girth_mm_max", "too_small"),
        (lambda b: b["surcharges"][0].update(share_millionths=1), "/surcharges/0", "one_of_two"),
        (lambda b: b["surcharges"][0].update(extra="flown"), "/surcharges/0/extra", "unknown"),
        (lambda b: b["surcharges"][1].update(products=["x"]), "/surcharges/1/products", "unknown"),
        (lambda b: b["products"][0].update(weight=1), "/products/0", "bad_value"),
        (lambda b: b["products"][0]["zones"]["home"]["bands"][0].update(price_minor=1.5), None, "bad_value"),
        (lambda b: b.pop("products"), "", "bad_value"),
    ],
)
def test_a_tariff_that_cannot_be_used_says_where(change, pointer, code):
    (problem, *_) = broken(change).problems
    assert problem.code == code
    assert pointer in {None, problem.pointer}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b" " * 1_000_001])
def test_what_is_no_tariff_is_refused(body):
    with pytest.raises(BadTariff):
        tariff.read(body)


def test_a_tariff_is_written_in_one_form():
    assert tariff.read(tariff.written(made())) == made()
    assert tariff.written(tariff.read(tariff.written(made()))) == tariff.written(made())


def test_a_new_tariff_shows_what_it_changes():
    body = copy.deepcopy(BODY)
    home = body["products"][0]["zones"]["home"]["bands"]
    home[0]["price_minor"] = 529
    home.append({"up_to_g": 20000, "price_minor": 1499})
    del body["products"][0]["zones"]["islands"]
    new = tariff.read(json.dumps(body).encode())
    assert pricing.changes(made(), new) == (
        Change("parcel", "home", 2000, 499, 529),
        Change("parcel", "home", 20000, None, 1499),
        Change("parcel", "islands", 2000, 699, None),
    )
    assert pricing.changes(made(), made()) == ()


@given(
    weight=st.integers(1, 12_000),
    more=st.integers(0, 2_000),
    sides=st.tuples(*[st.integers(1, 1300)] * 3),
    to=st.sampled_from(["DE", "JP", "AT"]),
    extras=st.sampled_from([(), ("signed_for",)]),
)
def test_heavier_is_never_cheaper_and_every_product_is_answered(weight, more, sides, to, extras):
    light, heavy = (parcel(grams, sides, to, extras=extras) for grams in (weight, weight + more))
    cheap, dear = sold(light), sold(heavy)
    assert dear.keys() <= cheap.keys()
    assert all(dear[code].total_minor >= cheap[code].total_minor for code in dear)
    assert len(cheap) + len(unsold(light)) == len(BODY["products"])
    assert all(
        offer.tax_minor >= 0 and offer.total_minor == offer.net_minor + offer.tax_minor for offer in cheap.values()
    )
