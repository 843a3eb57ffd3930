"""What an order is worth and whether it can be sold: pure. Everything that is wrong is said at once, with where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

from parcelward.base.errors import Problem
from parcelward.base.standards.addresses import checking
from parcelward.base.standards.addresses.address import Address
from parcelward.base.standards.addresses.findings import Finding
from parcelward.parcels.hazmat.queries import screen
from parcelward.parcels.hazmat.wire import Answer, Mode, OperatorRules, Screened
from parcelward.shipping import pricing
from parcelward.shipping.customs import screening as screening_of_goods
from parcelward.shipping.pricing import Offer, Parcel
from parcelward.shipping.tariff import Product, Tariff
from parcelward.shipping.wire import ITEMS_MAX, ItemWanted, Looked, OrderWanted, Party, Why

WEIGHT_G_MAX: Final = 2_000_000
SIDE_MM_MAX: Final = 20_000
COURIER_BYTES_MAX: Final = 182  # what a label's part for the courier holds
OFFICE_BYTES_MAX: Final = 32
ROUTING_CODE_MAX: Final = 12  # bytes of the hub's part
INSPECT: Final = "hazmat_inspect"
ACCEPT: Final = "hazmat_accept"
NEVER_SENT: Final = frozenset({"country_missing", "country_unknown", "too_long", "too_many_lines"})
"""Faults of an address with which nobody can send anything; the others are advice unless `strict` is asked for."""


@dataclass(frozen=True, slots=True, repr=False)
class Sold:
    """One parcel that can be sold: where it goes in its usual form, the offer that was chosen, what was screened."""

    wanted: ItemWanted
    to: Address
    findings: tuple[Finding, ...]
    product: Product
    offer: Offer
    screened: Screened


@dataclass(frozen=True, slots=True, repr=False)
class Checked:
    """An order that was looked at: what can be sold of it, and everything that is wrong."""

    sender: Address
    items: tuple[Sold, ...]
    problems: tuple[Problem, ...]

    @property
    def total_minor(self) -> int:
        """Return what all of it costs."""
        return sum(one.offer.total_minor for one in self.items)

    @property
    def tax_minor(self) -> int:
        """Return the tax in it."""
        return sum(one.offer.tax_minor for one in self.items)


def checked(wanted: OrderWanted, tariff: Tariff, rules: OperatorRules) -> Checked:
    """Return what can be sold of an order by a tariff, and everything that is wrong with it."""
    problems: list[Problem] = []
    sender, faults, _ = _address(wanted.sender, "/sender", strict=wanted.strict)
    problems += faults
    if not 1 <= len(wanted.items) <= ITEMS_MAX:
        problems.append(Problem("/items", "bad_count", f"An order has 1 to {ITEMS_MAX} items"))
    sold = []
    for place, item in enumerate(wanted.items[:ITEMS_MAX]):
        one = item_checked(item, f"/items/{place}", tariff, rules, strict=wanted.strict)
        if isinstance(one, Sold):
            sold.append(one)
        else:
            problems += one
    return Checked(sender, tuple(sold), tuple(problems))


def looked_at(wanted: OrderWanted) -> Looked:
    """Return an order's addresses in their usual form, and what is to be said of it before a product is chosen."""
    problems: list[Problem] = []
    advice: list[Problem] = []
    found: list[Address] = []
    for where, party in (
        ("/sender", wanted.sender),
        *((f"/items/{n}/to", one.to) for n, one in enumerate(wanted.items)),
    ):
        address, faults, findings = _address(party, where, strict=wanted.strict)
        found.append(address)
        problems += faults
        said = {one.pointer for one in faults}
        told = [replace_pointer(one.problem(), f"{where}/address") for one in findings if one.fault]
        advice += [one for one in told if one.pointer not in said]
    for place, item in enumerate(wanted.items):
        where = f"/items/{place}"
        problems += [*_measures(item, where), *_too_long(item.to, found[place + 1], where)]
    return Looked(found[0], tuple(found[1:]), tuple(problems), tuple(advice))


def item_checked(
    item: ItemWanted, where: str, tariff: Tariff, rules: OperatorRules, *, strict: bool
) -> Sold | tuple[Problem, ...]:
    """Return one parcel as it can be sold, or everything that is wrong with it; `where` it stands in the order."""
    to, faults, findings = _address(item.to, f"{where}/to", strict=strict)
    problems = [*faults, *_measures(item, where), *_too_long(item.to, to, where)]
    if problems:
        return tuple(problems)
    found, unsold = pricing.offers(tariff, parcel_of(item, to))
    offer = next((one for one in found if one.product == item.product), None)
    product = next((one for one in tariff.products if one.code == item.product), None)
    if offer is None or product is None:
        why = next((one.code for one in unsold if one.product == item.product), "unknown_product")
        others = ", ".join(one.product for one in found)
        return (Problem(f"{where}/product", why, UNSOLD_WORDS[why], others),)
    screened = screen(item.declaration, Mode(product.mode), rules)
    for_customs = screening_of_goods.worst(item.customs, item.declaration, Mode(product.mode), rules)
    if for_customs is not None and for_customs.answer > screened.answer:
        screened = for_customs
    return Sold(item, to, findings, product, offer, screened)


UNSOLD_WORDS: Final = {
    "unknown_product": "We sell nothing of this name. Choose one of the products",
    "not_to_there": "This product does not go there",
    "extra_not_offered": "This product has not all the extras that were asked for",
    "too_large": "The parcel is larger than this product carries",
    "too_heavy": "The parcel is heavier than this product carries",
}


def parcel_of(item: ItemWanted, to: Address) -> Parcel:
    """Return what a parcel's price depends on."""
    postcode = "".join(to.postcode.split()).replace("-", "")
    return Parcel(item.weight_g, item.sides_mm, to.country, postcode, item.extras)


def _address(party: Party, where: str, *, strict: bool) -> tuple[Address, list[Problem], tuple[Finding, ...]]:
    """Return an address in its usual form, what must be mended, and all that was found."""
    looked = checking.check(party.address)
    wrong = [one for one in looked.findings if one.code in NEVER_SENT or (strict and one.fault)]
    problems = [replace_pointer(one.problem(), f"{where}/address") for one in wrong]
    if not (looked.address.addressee or looked.address.organisation):
        problems.append(Problem(f"{where}/address/addressee", "missing", "Say whose name stands at the door"))
    if not looked.address.street_lines:
        problems.append(Problem(f"{where}/address/street_lines", "missing", "Give at least one line of the address"))
    return looked.address, problems, looked.findings


def replace_pointer(problem: Problem, where: str) -> Problem:
    """Return a problem of a part as one of the whole."""
    return Problem(where + problem.pointer, problem.code, problem.message, problem.suggestion)


def party_problems(party: Party, where: str) -> list[Problem]:
    """Return what must be mended in somebody's address before anything is sent from there."""
    return _address(party, where, strict=False)[1]


def _measures(item: ItemWanted, where: str) -> Iterator[Problem]:
    if not 1 <= item.weight_g <= WEIGHT_G_MAX:
        yield Problem(f"{where}/weight_g", "bad_weight", "A parcel weighs from 1 gram to 2 t")
    if not all(1 <= side <= SIDE_MM_MAX for side in item.sides_mm):
        yield Problem(f"{where}/size_mm", "bad_size", "Give three sides in millimetres, each from 1 to 20,000")
    if not item.declaration.description.strip():
        yield Problem(f"{where}/contents/description", "missing", "Say in a few words what is in the parcel")


def _too_long(party: Party, to: Address, where: str) -> Iterator[Problem]:
    packed = "\x1f".join((name_of(to), party.note, *door_lines(to))).encode()
    if len(packed) > COURIER_BYTES_MAX:
        words = f"Name, note and address have {len(packed)} bytes together, and a label holds {COURIER_BYTES_MAX}"
        yield Problem(f"{where}/to", "too_long_for_label", f"{words}. Shorten them")
    if not party.note.isprintable():
        yield Problem(f"{where}/to/note", "bad_text", "A note for the door is one line")


def name_of(address: Address) -> str:
    """Return whose name stands at the door."""
    return address.addressee or address.organisation


def door_lines(address: Address) -> tuple[str, ...]:
    """Return the lines by which a courier finds the door."""
    organisation = address.organisation if address.addressee else ""
    place = " ".join(part for part in (address.postcode, address.locality, address.administrative_area) if part)
    return tuple(line for line in (organisation, *address.street_lines, address.dependent_locality, place) if line)


def street_of(address: Address, round_code: str) -> str:
    """Return as much of an address as an office sorts by, and as its part of a label holds."""
    room = OFFICE_BYTES_MAX - len(round_code.encode()) - 1
    street = "".join(letter for letter in address.street_lines[0] if letter.isprintable())
    return street.encode()[:room].decode(errors="ignore").strip()


def initials(name: str) -> str:
    """Return what a label says of a name in clear: A. S."""
    return " ".join(f"{word[0].upper()}." for word in name.split()[:3] if word[0].isalnum()) or "-"


def area_of(postcode: str, *, kept: int = 3) -> str:
    """Return what a label says of a postcode in clear: its beginning, which thousands of doors share."""
    return "".join(postcode.split())[:kept].upper()


def screening(sold: Collection[Sold]) -> tuple[Why, ...]:
    """Return why an order may not simply be paid for what is in it: the most severe of its items first."""
    stopped = [(place, one.screened) for place, one in enumerate(sold) if one.screened.answer > Answer.INSPECT]
    stopped += [
        (place, one.screened)
        for place, one in enumerate(sold)
        if one.screened.answer is Answer.ACCEPT_GROUND_ONLY and Mode(one.product.mode) is Mode.AIR
    ]
    ranked = sorted(stopped, key=lambda each: (-each[1].answer, each[0]))
    return tuple(
        Why(f"hazmat_{said.answer.name.lower()}", place, {"rule": said.rule, "clause": said.clause})
        for place, said in ranked
    )


def promised(offer: Offer, posted: dt.date, closed: Collection[dt.date]) -> tuple[dt.date, dt.date]:
    """Return between which days an item comes that is posted on a day."""
    return tuple(pricing.promised(posted, days, closed) for days in (offer.days_min, offer.days_max))  # type: ignore[return-value]  # two days


TAKEN_BY_ANYBODY: Final = frozenset({"", "820"})
"""Codes of USPS for what is handed in without a mark: nobody needs a training for it."""


class Made(Protocol):
    """A parcel that was made of an order."""

    item: UUID | None
    screened: int
    service_code: str


def held_at_the_counter(made: Iterable[Made]) -> dict[str, list[UUID]]:
    """Return which items are held until somebody has looked, by reason: what is in doubt, and what is declared."""
    held: dict[str, list[UUID]] = {}
    for one in made:
        declared = one.screened == Answer.ACCEPT_GROUND_ONLY or one.service_code not in TAKEN_BY_ANYBODY
        reason = INSPECT if one.screened == Answer.INSPECT else ACCEPT if declared else ""
        if reason and one.item is not None:
            held.setdefault(reason, []).append(one.item)
    return held
