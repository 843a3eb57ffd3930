"""What a delivery costs by a tariff, and when it is promised: pure, in integers of the minor unit and in days.

Every product that could carry the item is offered; one that cannot says why not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from parcelward.base.standards import money
from parcelward.base.standards.money import Currency
from parcelward.shipping.tariff import WORLD, Product, Surcharge, Tariff, Zone

SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent, as the sender says: weight in grams, sides in millimetres, where it goes."""

    weight_g: int
    sides_mm: tuple[int, int, int]
    country: str  # ISO 3166-1 alpha-2
    postcode: str = ""  # without spaces, in capitals
    extras: tuple[str, ...] = ()

    @property
    def length_mm(self) -> int:
        """Return the longest side."""
        return max(self.sides_mm)

    @property
    def girth_mm(self) -> int:
        """Return the longest side, and once around the other two."""
        return self.length_mm + 2 * (sum(self.sides_mm) - self.length_mm)


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a price, without tax."""

    code: str  # of the product or the surcharge
    words: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Offer:
    """One product's price for one parcel. All in the tariff's currency."""

    product: str
    words: str
    mode: str
    zone: str
    counted_g: int  # the weight that was counted: the item's, or what its size counts as
    parts: tuple[Part, ...]
    tax_minor: int
    days_min: int
    days_max: int

    @property
    def net_minor(self) -> int:
        """Return the price without tax."""
        return sum(part.amount_minor for part in self.parts)

    @property
    def total_minor(self) -> int:
        """Return what is paid."""
        return self.net_minor + self.tax_minor


@dataclass(frozen=True, slots=True)
class Unsold:
    """A product that cannot carry a parcel, and why: `code` for programs, words by `unsold_words` of the doors."""

    product: str
    code: str


def offers(tariff: Tariff, parcel: Parcel) -> tuple[tuple[Offer, ...], tuple[Unsold, ...]]:
    """Return what can be bought for a parcel, the cheapest first, and what cannot."""
    zone = placed(tariff.zones, parcel)
    sold: list[Offer] = []
    unsold: list[Unsold] = []
    for product in tariff.products:
        found = _priced(tariff, product, zone, parcel)
        (sold if isinstance(found, Offer) else unsold).append(found)  # type: ignore[arg-type]  # each to its own list
    return tuple(sorted(sold, key=lambda one: (one.total_minor, one.product))), tuple(unsold)


def placed(named: Mapping[str, Iterable[str]], parcel: Parcel) -> str:
    """Return which name holds where a parcel goes, by its most exact place; empty: none does."""
    best, found = -1, ""
    for name, places in named.items():
        for place in places:
            exact = _exactness(place, parcel)
            if exact > best:
                best, found = exact, name
    return found


def _exactness(place: str, parcel: Parcel) -> int:
    """Return how exactly a place names where a parcel goes; -1: it does not."""
    country, _, prefix = place.partition(":")
    if place == WORLD:
        return 0
    if country != parcel.country or not parcel.postcode.startswith(prefix):
        return -1
    return 1 + len(prefix)


def _priced(tariff: Tariff, product: Product, zone_code: str, parcel: Parcel) -> Offer | Unsold:
    zone = product.zones.get(zone_code)
    if zone is None:
        return Unsold(product.code, "not_to_there")
    if set(parcel.extras) - set(product.extras):
        return Unsold(product.code, "extra_not_offered")
    if parcel.length_mm > product.length_mm_max or parcel.girth_mm > product.girth_mm_max:
        return Unsold(product.code, "too_large")
    counted = counted_g(product, parcel)
    band = next((band for band in zone.bands if counted <= band.up_to_g), None)
    if band is None:
        return Unsold(product.code, "too_heavy")
    parts = [Part(product.code, product.words, band.price_minor)]
    parts += _added(tariff.surcharges, product, parcel, band.price_minor)
    net = sum(part.amount_minor for part in parts)
    tax = money.share(net, _tax_rate(tariff, parcel), 1_000_000)
    return Offer(
        *(product.code, product.words, product.mode, zone_code, counted, tuple(parts), tax),
        days_min=zone.days_min,
        days_max=zone.days_max,
    )


def counted_g(product: Product, parcel: Parcel) -> int:
    """Return the weight that is counted: a large, light item counts as its size."""
    if not product.cm3_per_kg:
        return parcel.weight_g
    a, b, c = parcel.sides_mm
    # Rounded up: mm3 are a thousandth of cm3, a kilogram is a thousand grams.
    return max(parcel.weight_g, -(-a * b * c // product.cm3_per_kg))


def _added(surcharges: Iterable[Surcharge], product: Product, parcel: Parcel, price_minor: int) -> Iterator[Part]:
    for one in surcharges:
        if not _applies(one, product, parcel):
            continue
        amount = one.amount_minor or money.share(price_minor, one.share_millionths, 1_000_000)
        if amount:
            yield Part(one.code, one.words, amount)


def _applies(one: Surcharge, product: Product, parcel: Parcel) -> bool:
    return (
        (not one.products or product.code in one.products)
        and (not one.extra or one.extra in parcel.extras)
        and (not one.places or any(_exactness(place, parcel) >= 0 for place in one.places))
        and (not one.over_mm or parcel.length_mm > one.over_mm)
        and (not one.over_g or parcel.weight_g > one.over_g)
    )


def _tax_rate(tariff: Tariff, parcel: Parcel) -> int:
    found = placed({str(at): tax.places for at, tax in enumerate(tariff.taxes)}, parcel)
    return tariff.taxes[int(found)].rate_millionths if found else 0


def promised(posted: dt.date, days: int, closed: Collection[dt.date]) -> dt.date:
    """Return the day that is so many working days after a day of posting: no weekends, no closed days."""
    day = posted
    while days or day.weekday() >= SATURDAY or day in closed:
        day += dt.timedelta(days=1)
        if day.weekday() < SATURDAY and day not in closed:
            days -= 1 if days else 0
    return day


@dataclass(frozen=True, slots=True)
class Change:
    """Where a new tariff asks another price than the old one: at one product, zone and weight. None: not sold."""

    product: str
    zone: str
    up_to_g: int
    before_minor: int | None
    after_minor: int | None


def changes(before: Tariff, after: Tariff) -> tuple[Change, ...]:
    """Return where prices without surcharges and tax differ, at every weight that either tariff names."""
    rows: list[Change] = []
    names = dict.fromkeys(product.code for tariff in (before, after) for product in tariff.products)
    for name in names:
        old, new = _zones(before, name), _zones(after, name)
        for zone in dict.fromkeys((*old, *new)):
            weights = sorted({band.up_to_g for one in (old.get(zone), new.get(zone)) if one for band in one.bands})
            for weight in weights:
                was, is_now = _at(old.get(zone), weight), _at(new.get(zone), weight)
                if was != is_now:
                    rows.append(Change(name, zone, weight, was, is_now))
    return tuple(rows)


def _zones(tariff: Tariff, code: str) -> Mapping[str, Zone]:
    return next((product.zones for product in tariff.products if product.code == code), {})


def _at(zone: Zone | None, weight_g: int) -> int | None:
    if zone is None:
        return None
    return next((band.price_minor for band in zone.bands if weight_g <= band.up_to_g), None)


def currency_of(tariff: Tariff) -> Currency:
    """Return what a tariff's prices are in."""
    return money.currency(tariff.currency)
