"""Addresses: made, verified by their form, and given back to whoever made them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from parcelward.base.errors import NotFound
from parcelward.base.standards.addresses import checking
from parcelward.base.standards.addresses.checking import Checked
from parcelward.doors.easypost import reading
from parcelward.doors.easypost.http import base, id_of, page_of
from parcelward.doors.easypost.reading import AddressRead, Faults, Fields
from parcelward.people.wire import Person
from parcelward.shipping import actions, queries
from parcelward.shipping.wire import Memory, MemoryKind, Party, Recalled, ToRemember

PREFIX: Final = "adr"
Sent = Mapping[str, Any]


def create(by: Person, sent: Sent) -> Any:
    """Remember an address; `verify` looks at its form, `verify_strict` refuses one that has a fault."""
    faults = Faults()
    one = Fields(sent, "", faults).inner("address")
    fields = Fields(one.values if one else {}, "", faults)
    read = reading.address(fields, verify=sent.get("verify"), strict=sent.get("verify_strict"))
    _settle(faults, strict=read.strict)
    return 201, _made(read, by=by)


def create_and_verify(by: Person, sent: Sent) -> Any:
    """Remember an address that has no fault."""
    faults = Faults()
    one = Fields(sent, "", faults).inner("address")
    read = reading.address(Fields(one.values if one else {}, "", faults), strict=True)
    _settle(faults, strict=True)
    return 201, {"address": _made(read, by=by)}


def _settle(faults: Faults, *, strict: bool) -> None:
    faults.settle("ADDRESS.VERIFY.FAILURE" if strict else "ADDRESS.INVALID", "Unable to verify address.")


def _made(read: AddressRead, *, by: Person) -> dict[str, Any]:
    (memory,) = actions.remember([to_remember(read)], by=by)
    return shown(memory, Recalled(read.party), read.looked)


def to_remember(read: AddressRead) -> ToRemember:
    """Return what is remembered of an address."""
    return ToRemember(MemoryKind.ADDRESS, read.facts, party=read.party)


def retrieve(by: Person, _sent: Sent, address_id: str) -> Any:
    """Return an address, for 90 days from when it was made."""
    memory, party = _held(by, address_id)
    return shown(memory, Recalled(party))


def verify(by: Person, _sent: Sent, address_id: str) -> Any:
    """Return an address that has no fault, in its usual form."""
    memory, party = _held(by, address_id)
    looked = checking.check(party.address)
    faults = Faults()
    for finding in looked.findings:
        if finding.fault:
            words = str(finding.message)
            faults.add(reading.part_of(finding.pointer), finding.code, words, finding.suggestion)
    _settle(faults, strict=True)
    return {"address": shown(memory, Recalled(Party(looked.address, party.email, party.phone)), looked)}


def _held(by: Person, address_id: str) -> tuple[Memory, Party]:
    memory = queries.memory(MemoryKind.ADDRESS, id_of(PREFIX, address_id), by=by)
    recalled = actions.opened([memory], by=by).get(memory.id)
    if recalled is None or recalled.party is None:
        raise NotFound("This address was forgotten: addresses are kept for 90 days")
    return memory, recalled.party


def listed(by: Person, sent: Sent) -> Any:
    """Return a page of addresses, newest first."""
    size, before = page_of(sent, PREFIX)
    found = queries.memories(MemoryKind.ADDRESS, by=by, limit=size + 1, before=before)
    opened = actions.opened(found[:size], by=by)
    return {"addresses": [shown(one, opened.get(one.id)) for one in found[:size]], "has_more": len(found) > size}


def shown(memory: Memory, recalled: Recalled | None, looked: Checked | None = None) -> dict[str, Any]:
    """Return an address as EasyPost shows it; one that was forgotten has its id alone."""
    party = None if recalled is None else recalled.party
    made = base(PREFIX, "Address", memory.id, memory.made_at, memory.changed_at)
    lines = () if party is None else party.address.street_lines
    at = None if party is None else party.address
    return made | {
        "name": (at.addressee or None) if at else None,
        "company": (at.organisation or None) if at else None,
        "street1": lines[0] if lines else None,
        "street2": ", ".join(lines[1:]) or None,
        "city": (at.locality or None) if at else None,
        "state": (at.administrative_area or None) if at else None,
        "zip": (at.postcode or None) if at else None,
        "country": at.country if at else None,
        "phone": (party.phone or None) if party else None,
        "email": (party.email or None) if party else None,
        "residential": memory.facts.get("residential"),
        "carrier_facility": None,
        "federal_tax_id": None,
        "state_tax_id": None,
        "verifications": _verified(looked or checking.check(party.address))
        if party is not None and memory.facts.get("verify")
        else {},
    }


def _verified(looked: Checked) -> dict[str, Any]:
    found = [
        {
            "code": f"E.{finding.code.upper()}",
            "field": reading.part_of(finding.pointer),
            "message": str(finding.message),
            "suggestion": finding.suggestion or None,
        }
        for finding in looked.findings
        if finding.fault
    ]
    return {"delivery": {"success": not found, "errors": found, "details": None}}
