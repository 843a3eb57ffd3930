"""Whether a row of a list can be sold, by the same rules as every order, and what is wrong with it: pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from parcelward.base.errors import Problem
from parcelward.base.standards.money import Currency
from parcelward.parcels.hazmat.wire import OperatorRules
from parcelward.shipping import order_rules
from parcelward.shipping.order_rules import Sold
from parcelward.shipping.tariff import Tariff
from parcelward.shipping.uploads import rows
from parcelward.shipping.uploads.wire import Wrong
from parcelward.shipping.wire import ItemWanted


@dataclass(frozen=True, slots=True, repr=False)
class By:
    """What rows are looked at by."""

    tariff: Tariff
    currency: Currency
    here: str  # the house's country
    routed: Callable[[str, str], bool]  # whether somebody delivers to a country's postcode
    rules: OperatorRules
    strict: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Looked:
    """One row that was looked at."""

    item: ItemWanted
    wrong: tuple[Wrong, ...]
    total_minor: int = 0


def looked(values: dict[str, str], by: By) -> Looked:
    """Return a row as an item with its price, or with everything that is wrong."""
    values = with_product(values, by)
    item, unread = rows.item_of(values, here=by.here, currency=by.currency)
    if not item.product:
        codes = ", ".join(one.code for one in by.tariff.products)
        unread = (*unread, Wrong("product", "missing", "Say which product carries the parcel", codes))
    found = order_rules.item_checked(item, "", by.tariff, by.rules, strict=by.strict)
    if isinstance(found, Sold):
        if not by.routed(found.to.country, found.to.postcode):
            unread = (*unread, Wrong("postcode", "no_route", "We do not deliver to there yet"))
        return Looked(item, unread, 0 if unread else found.offer.total_minor)
    fields = {one.field for one in unread}
    more = tuple(one for each in found if (one := of_problem(each)).field not in fields)
    return Looked(item, (*unread, *more))


def with_product(values: dict[str, str], by: By) -> dict[str, str]:
    """Return a row with the only product that is sold, where it names none."""
    products = by.tariff.products
    return {"product": products[0].code} | values if len(products) == 1 else values


def of_order(problem: Problem) -> Wrong:
    """Return what is wrong in an order of one item as what is wrong in the row that it was made of."""
    return of_problem(Problem(problem.pointer.removeprefix("/items/0"), problem.code, problem.message))


def of_problem(problem: Problem) -> Wrong:
    """Return what an order's check says of an item as what is wrong in a row."""
    pointer = problem.pointer
    while pointer and pointer not in rows.FIELD_OF:
        pointer = pointer.rpartition("/")[0]
    return Wrong(rows.FIELD_OF.get(pointer, "contents"), problem.code, problem.message, problem.suggestion)
