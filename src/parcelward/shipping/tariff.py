"""What is sold, where to, for how much and how fast: one document that an operator edits as a whole.

A tariff is a value. It is never changed: an edited one is another version, and what was sold by the old one keeps its
price. `read` takes it from JSON and says everything that is wrong with it at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from parcelward.base.errors import Problem
from parcelward.base.standards import money
from parcelward.base.standards.errors import BadCurrency
from parcelward.shipping.errors import BadTariff

TARIFF_BYTES_MAX: Final = 1_000_000
PROBLEMS_MAX: Final = 50
MILLION: Final = 1_000_000
WORLD: Final = "*"

Code = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
Words = Annotated[str, Meta(min_length=1, max_length=80)]
Grams = Annotated[int, Meta(ge=1, le=2_000_000)]
Millimetres = Annotated[int, Meta(ge=1, le=20_000)]
Minor = Annotated[int, Meta(ge=0, le=10**9)]
Millionths = Annotated[int, Meta(ge=0, le=MILLION)]
Days = Annotated[int, Meta(ge=0, le=120)]
Place = Annotated[str, Meta(pattern=r"^(\*|[A-Z]{2}(:[0-9A-Z]{1,10})?)$")]
"""Where something goes: `*` for anywhere, a country, or a country and the beginning of a postcode (`GB:BT`)."""


class Band(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What it costs up to a weight."""

    up_to_g: Grams
    price_minor: Minor


class Zone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The prices of one product to one zone, from light to heavy, and its service standard in working days."""

    bands: Annotated[tuple[Band, ...], Meta(min_length=1, max_length=100)]
    days_min: Days
    days_max: Days


class Product(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One service that is sold."""

    code: Code
    words: Words
    mode: Literal["air", "ground"]  # by which dangerous goods are judged
    zones: Mapping[Code, Zone]
    length_mm_max: Millimetres  # of the longest side
    girth_mm_max: Millimetres  # the longest side, and once around the others: UPU Convention Regulations
    cm3_per_kg: Annotated[int, Meta(ge=0, le=20_000)] = 0  # what a light, large item counts as; 0: its weight alone
    extras: tuple[Code, ...] = ()
    s10: Annotated[str, Meta(pattern="^([A-Z]{2})?$")] = ""  # service indicator of its UPU S10 numbers; empty: our own


class Surcharge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is added to a price: an amount, or a share of the band's price. All that is said must hold."""

    code: Code
    words: Words
    amount_minor: Minor = 0
    share_millionths: Millionths = 0
    extra: str = ""  # when this was asked for
    places: tuple[Place, ...] = ()  # when it goes there
    over_mm: int = 0  # when the longest side is more
    over_g: int = 0  # when it weighs more
    products: tuple[Code, ...] = ()  # none named: all


class Tax(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tax on what is sold to a place. The most exact place counts."""

    places: Annotated[tuple[Place, ...], Meta(min_length=1)]
    rate_millionths: Millionths


class Tariff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that is sold. Prices are without tax."""

    currency: str
    zones: Annotated[Mapping[Code, tuple[Place, ...]], Meta(min_length=1, max_length=200)]
    products: Annotated[tuple[Product, ...], Meta(min_length=1, max_length=100)]
    surcharges: Annotated[tuple[Surcharge, ...], Meta(max_length=200)] = ()
    taxes: Annotated[tuple[Tax, ...], Meta(max_length=300)] = ()
    quote_hours: Annotated[int, Meta(ge=1, le=720)] = 24  # how long a quote holds
    sdr_minor: Mapping[str, Annotated[int, Meta(ge=1, le=10**9)]] = msgspec.field(default_factory=dict)
    """What one special drawing right of the IMF is worth, in minor units of each currency: a limit of CN 22 (UPU)."""


def read(body: bytes) -> Tariff:
    """Return the tariff that a JSON document describes. Raises BadTariff with everything that is wrong in it."""
    if len(body) > TARIFF_BYTES_MAX:
        raise _bad(Problem("", "too_large", "A tariff has at most 1 MB"))
    try:
        tariff = msgspec.json.decode(body, type=Tariff)
    except msgspec.ValidationError as err:
        where, what = _said(str(err))
        raise _bad(Problem(where, "bad_value", what)) from None
    except msgspec.DecodeError:
        raise _bad(Problem("", "no_json", "This is no JSON")) from None
    problems = tuple(_problems(tariff))[:PROBLEMS_MAX]
    if problems:
        raise _bad(*problems)
    return tariff


def sample() -> bytes:
    """Return what a sample operator sells: the document of `make up` in test mode. Invented prices."""
    return resources.files(__package__).joinpath("sample_tariff.json").read_bytes()


def written(tariff: Tariff) -> bytes:
    """Return a tariff as JSON, in one form: the same tariff gives the same bytes."""
    return json.dumps(msgspec.to_builtins(tariff), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _bad(*problems: Problem) -> BadTariff:
    words = "The tariff cannot be used; nothing was changed"
    return BadTariff(words, problems=problems)


def _said(text: str) -> tuple[str, str]:
    """Return where and what msgspec found: its path `$.products[0].code` as a JSON Pointer (RFC 6901)."""
    what, _, path = text.partition(" - at `")
    steps = path.rstrip("`").removeprefix("$").replace("[", ".").replace("]", "").strip(".")
    return ("/" + steps.replace(".", "/") if steps else ""), what


def _problems(tariff: Tariff) -> Iterator[Problem]:
    try:
        money.currency(tariff.currency)
    except BadCurrency:
        yield Problem("/currency", "bad_currency", "Name a currency by its three capital letters, as ISO 4217 does")
    for code in tariff.sdr_minor:
        if code not in money.MINOR_DIGITS:
            yield Problem(f"/sdr_minor/{code}", "bad_currency", "Name a currency by its three capital letters")
    yield from _placed_twice("/zones", tariff.zones)
    yield from _placed_twice("/taxes", {str(at): tax.places for at, tax in enumerate(tariff.taxes)})
    extras = {extra for product in tariff.products for extra in product.extras}
    codes: set[str] = set()
    for at, product in enumerate(tariff.products):
        if product.code in codes:
            yield Problem(f"/products/{at}/code", "twice", "Two products have this code")
        codes.add(product.code)
        yield from _of_product(f"/products/{at}", product, tariff)
    for at, one in enumerate(tariff.surcharges):
        where = f"/surcharges/{at}"
        if bool(one.amount_minor) == bool(one.share_millionths):
            yield Problem(where, "one_of_two", "A surcharge is an amount or a share, and one of them")
        if one.extra and one.extra not in extras:
            yield Problem(f"{where}/extra", "unknown", "No product has this extra")
        for name in one.products:
            if name not in codes:
                yield Problem(f"{where}/products", "unknown", "There is no such product")


def _of_product(where: str, product: Product, tariff: Tariff) -> Iterator[Problem]:
    if not product.zones:
        yield Problem(f"{where}/zones", "empty", "A product goes to at least one zone")
    if product.girth_mm_max < product.length_mm_max:
        yield Problem(f"{where}/girth_mm_max", "too_small", "Length and girth together are no less than the length")
    for name, zone in product.zones.items():
        there = f"{where}/zones/{name}"
        if name not in tariff.zones:
            yield Problem(there, "unknown", "There is no such zone")
        if zone.days_min > zone.days_max:
            yield Problem(f"{there}/days_max", "too_small", "The last day is not before the first")
        weights = [band.up_to_g for band in zone.bands]
        prices = [band.price_minor for band in zone.bands]
        if weights != sorted(set(weights)):
            yield Problem(f"{there}/bands", "out_of_order", "Bands go from light to heavy, each weight once")
        if prices != sorted(prices):
            yield Problem(f"{there}/bands", "cheaper", "A heavier item costs no less than a lighter one")


def _placed_twice(where: str, named: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    """Give places that stand in two zones, or two taxes: nobody could say which of them counts."""
    seen: dict[str, str] = {}
    for name, places in named.items():
        for place in places:
            if place in seen:
                yield Problem(f"{where}/{name}", "twice", "A place of this stands in another, too")
            seen[place] = name
