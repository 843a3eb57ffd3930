"""People of an order as the vault keeps them, and back: pure.

What a vault entry has no field for (an organisation, a state, the note for the door, what is in the parcel) lies in its
body, as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from parcelward.base.standards.addresses.address import Address
from parcelward.base.vault import Personal
from parcelward.parcels.hazmat.wire import Answers, Declaration
from parcelward.privacy.wire import Field
from parcelward.shipping.customs.wire import Customs, Goods
from parcelward.shipping.wire import Party

KEPT: Final = (
    *(Field.NAME, Field.EMAIL, Field.PHONE, Field.ADDRESS, Field.POSTCODE, Field.LOCALITY, Field.COUNTRY),
    Field.BODY,
)
_REST: Final = ("organisation", "dependent_locality", "administrative_area", "sorting_code")


def kept(
    party: Party, address: Address, declaration: Declaration | None = None, customs: Customs | None = None
) -> dict[Field, str]:
    """Return what is kept of somebody: the address in its usual form, and what is in the parcel."""
    rest: dict[str, Any] = {name: getattr(address, name) for name in _REST} | {"note": party.note}
    if declaration is not None:
        rest["contents"] = asdict(declaration)
    if customs is not None:
        rest["customs"] = asdict(customs)
    return {
        Field.NAME: address.addressee,
        Field.EMAIL: party.email,
        Field.PHONE: party.phone,
        Field.ADDRESS: "\n".join(address.street_lines),
        Field.POSTCODE: address.postcode,
        Field.LOCALITY: address.locality,
        Field.COUNTRY: address.country,
        Field.BODY: _written(rest),
    }


def _written(rest: Mapping[str, Any]) -> str:
    return json.dumps(rest, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def party_of(opened: Mapping[Field, Personal]) -> Party:
    """Return somebody as they were kept."""

    def text(field: Field) -> str:
        return opened[field].text if field in opened else ""

    rest = _rest(opened)
    address = Address(
        country=text(Field.COUNTRY),
        addressee=text(Field.NAME),
        street_lines=tuple(text(Field.ADDRESS).splitlines()),
        locality=text(Field.LOCALITY),
        postcode=text(Field.POSTCODE),
        **{name: str(rest.get(name, "")) for name in _REST},
    )
    return Party(address, text(Field.EMAIL), text(Field.PHONE), str(rest.get("note", "")))


def declaration_of(opened: Mapping[Field, Personal]) -> Declaration | None:
    """Return what was declared to be in the parcel; None where nothing is kept of it."""
    contents = _rest(opened).get("contents")
    return None if contents is None else Declaration(**contents | {"answers": Answers(**contents["answers"])})


def customs_of(opened: Mapping[Field, Personal]) -> Customs | None:
    """Return what was declared to customs of the parcel; None where nothing was."""
    said = _rest(opened).get("customs")
    return None if said is None else Customs(**said | {"goods": tuple(Goods(**one) for one in said["goods"])})


def with_customs(opened: Mapping[Field, Personal], customs: Customs) -> dict[Field, str]:
    """Return what changes of what is kept where this is declared to customs."""
    return {Field.BODY: _written({**_rest(opened), "customs": asdict(customs)})}


def _rest(opened: Mapping[Field, Personal]) -> Mapping[str, Any]:
    return json.loads(opened[Field.BODY].text) if Field.BODY in opened else {}
