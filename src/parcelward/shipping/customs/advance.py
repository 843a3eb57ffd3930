"""A parcel's advance data as a document of our own, after the fields of UPU M33 (ITMATT): pure. See docs/customs.md."""

from __future__ import annotations

from typing import Any, Final

from parcelward.base.standards.addresses.address import Address
from parcelward.shipping.customs import hs, rules
from parcelward.shipping.customs.wire import Customs

PROFILE: Final = "parcelward-itmatt-1"


def party(address: Address, email: str, phone: str, contact: str, reference: str) -> dict[str, Any]:
    """Return who sends or gets it. `contact` is what was given for customs alone."""
    by_mail = "@" in contact
    return {
        "name": address.addressee,
        "organisation": address.organisation,
        "address_lines": [*address.street_lines, *([address.dependent_locality] if address.dependent_locality else [])],
        "postcode": address.postcode,
        "city": address.locality,
        "state": address.administrative_area,
        "country": address.country,
        "telephone": phone or ("" if by_mail else contact),
        "email": email or (contact if by_mail else ""),
        "customs_reference": reference,
    }


def contents(said: Customs) -> list[dict[str, Any]]:
    """Return what is inside, a piece for each kind of goods."""
    return [
        {
            "number": at,
            "description": one.description,
            "number_of_units": one.quantity,
            "net_weight_g": one.net_weight_g,
            "declared_value_minor": one.value_minor,
            "currency": one.currency,
            "origin_country": one.origin,
            "tariff_heading": rules.bare_code(one.hs_code),
            "tariff_words": hs.words_of(rules.bare_code(one.hs_code)[: hs.DIGITS]),
        }
        for at, one in enumerate(said.goods, 1)
    ]
