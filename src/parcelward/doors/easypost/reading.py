"""What is read of a request: every part that is wrong is said at once, by EasyPost's own names of fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from parcelward.base import config
from parcelward.base.errors import Invalid, Problem
from parcelward.base.standards.addresses import checking
from parcelward.base.standards.addresses.address import Address, ordered
from parcelward.base.standards.addresses.checking import Checked
from parcelward.doors.easypost import units
from parcelward.shipping.wire import Party

TEXT_MAX: Final = 200
NUMBER_MAX: Final = Decimal(1_000_000)
NUMBER_DIGITS_MAX: Final = 30
ITEMS_MAX: Final = 100


@dataclass(slots=True)
class Faults:
    """What is wrong with a request, so far."""

    found: list[Problem] = field(default_factory=list)

    def add(self, where: str, code: str, message: str, suggestion: str = "") -> None:
        """Note one thing."""
        self.found.append(Problem(where, code, message, suggestion))

    def settle(self, code: str, message: str) -> None:
        """Raise Invalid where anything was noted."""
        if self.found:
            raise Invalid(message, code=code, problems=tuple(self.found))


@dataclass(frozen=True, slots=True)
class Fields:
    """One object of a request."""

    values: Mapping[str, Any]
    where: str
    faults: Faults

    def at(self, name: str) -> str:
        """Return the name of a part: `to_address.zip`."""
        return f"{self.where}.{name}".strip(".")

    def text(self, name: str, longest: int = TEXT_MAX) -> str:
        """Return a text; a number is taken as one, nothing as an empty one."""
        value = self.values.get(name)
        if value is None:
            return ""
        if isinstance(value, bool | dict | list):
            self.faults.add(self.at(name), "bad_text", "This is a text")
            return ""
        text = str(value).strip()
        if len(text) > longest or not text.isprintable():
            self.faults.add(self.at(name), "bad_text", f"This has at most {longest} characters that can be printed")
            return ""
        return text

    def number(self, name: str, *, needed: bool = False) -> Decimal | None:
        """Return a number above zero, exactly as it was written; also one in a text."""
        value = self.values.get(name)
        if value is None or value == "":
            if needed:
                self.faults.add(self.at(name), "missing", "Give this as a number above zero")
            return None
        number = _decimal(value)
        if not (number.is_finite() and 0 < number <= NUMBER_MAX):
            self.faults.add(self.at(name), "bad_number", "Give this as a number above zero")
            return None
        return number

    def inner(self, name: str) -> Fields | None:
        """Return an object within; None where there is none."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.faults.add(self.at(name), "bad_object", "This is an object")
            return None
        return Fields(value, self.at(name), self.faults)

    def many(self, name: str) -> list[Fields]:
        """Return the objects of a list."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > ITEMS_MAX or not all(isinstance(one, dict) for one in value):
            self.faults.add(self.at(name), "bad_list", f"This is a list of at most {ITEMS_MAX} objects")
            return []
        return [Fields(one, f"{self.at(name)}.{nth}", self.faults) for nth, one in enumerate(value)]

    @property
    def id(self) -> str:
        """Return the id of an object that is referred to; empty where it is sent whole."""
        value = self.values.get("id")
        return value if isinstance(value, str) else ""


def _decimal(value: Any) -> Decimal:
    """Return a number that was sent as one or as a text; 0 for what is none."""
    if isinstance(value, bool | dict | list) or len(str(value)) > NUMBER_DIGITS_MAX:
        return Decimal(0)
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)


@dataclass(frozen=True, slots=True, repr=False)
class AddressRead:
    """An address as it is remembered, and what was found in it."""

    party: Party
    looked: Checked
    verify: bool
    strict: bool

    @property
    def facts(self) -> dict[str, Any]:
        """Return what is remembered in clear."""
        return {"verify": self.verify, "residential": {"residential": True, "business": False}.get(self.looked.kind)}


def address(one: Fields, *, verify: object = None, strict: object = None) -> AddressRead:
    """Return an address; in its usual form where it is to be verified, as it was sent otherwise.

    What makes it none is noted, and every fault where it is to be verified strictly.
    """
    strictly = bool(strict or one.values.get("verify_strict"))
    wanted = bool(strictly or verify or one.values.get("verify"))
    lines = (one.text("street1"), one.text("street2"))
    given = Address(
        country=one.text("country", 80) or config.get().country,
        addressee=one.text("name"),
        organisation=one.text("company"),
        street_lines=tuple(line for line in lines if line),
        locality=one.text("city", 100),
        administrative_area=one.text("state"),
        postcode=one.text("zip", 20),
    )
    email, phone = one.text("email", 254), one.text("phone", 40)
    looked = checking.check(given)
    for finding in looked.findings:
        if finding.code == "country_unknown" or (strictly and finding.fault):
            one.faults.add(one.at(part_of(finding.pointer)), finding.code, str(finding.message), finding.suggestion)
    kept = looked.address if wanted else replace(ordered(given), country=looked.address.country)
    return AddressRead(Party(kept, email, phone), looked, wanted, strictly)


def part_of(pointer: str) -> str:
    """Return EasyPost's name of a part of an address."""
    names = {
        "addressee": "name",
        "organisation": "company",
        "street_lines": "street1",
        "street_lines/1": "street2",
        "locality": "city",
        "administrative_area": "state",
        "postcode": "zip",
    }
    path = pointer.strip("/")
    return names.get(path, names.get(path.partition("/")[0], path))


@dataclass(frozen=True, slots=True)
class ParcelRead:
    """A parcel's measures, as they were given and in our units."""

    facts: Mapping[str, Any]


def parcel(one: Fields) -> ParcelRead:
    """Return a parcel: three sides in inches, its weight in ounces. What is wrong is noted."""
    if one.text("predefined_package"):
        one.faults.add(
            one.at("predefined_package"), "not_offered", "Give the parcel's length, width and height instead"
        )
    names = ("length", "width", "height")
    sides = [one.number(name, needed=True) for name in names]
    weight = one.number("weight", needed=True)
    if weight is None or None in sides:
        return ParcelRead({})
    return ParcelRead(
        {
            **{name: str(side) for name, side in zip(names, sides, strict=True)},
            "weight": str(weight),
            "sides_mm": [units.millimetres(side) for side in sides if side is not None],
            "weight_g": units.grams(weight),
        }
    )


HONOURED: Final = frozenset({"delivery_confirmation", "label_format", "label_size", "content_description"})
_PASSED_OVER: Final = frozenset(
    {
        *("currency", "label_date", "invoice_number", "incoterm", "importer_address_id", "date_advance"),
        *("print_custom_1", "print_custom_2", "print_custom_3", "print_custom", "commercial_invoice_format"),
        *("commercial_invoice_size", "payment", "dropoff_type", "machinable", "address_validation_level"),
        *(
            "postage_label_inline",
            "smartpost_hub",
            "smartpost_manifest",
            "neutral_delivery",
            "carrier_notification_email",
        ),
    }
)
"""Options that change neither what is bought nor what it costs here: taken, and without effect."""
_CONFIRMED: Final[Mapping[str, tuple[str, ...]]] = {
    "": (),
    "NO_SIGNATURE": (),
    "SIGNATURE": ("signed_for",),
}
LABEL_FORMATS: Final = {"": "png", "PNG": "png", "PDF": "pdf", "ZPL": "zpl"}


@dataclass(frozen=True, slots=True)
class Options:
    """What a shipment's options ask for."""

    extras: tuple[str, ...] = ()
    label_format: str = "png"
    contents: str = ""


def options(one: Fields | None) -> Options:
    """Return what the options ask for. One that would change what is bought, and that we do not know, is noted."""
    if one is None:
        return Options()
    for name, value in one.values.items():
        if name not in HONOURED | _PASSED_OVER and value not in (None, False, "", 0):
            words = "This option is not offered here; nothing is bought without it being honoured"
            if name == "hazmat":
                words = "Dangerous goods need answers that this API has no fields for: use POST /api/v1/orders"
            one.faults.add(one.at(name[:40]), "not_offered", words)
    confirmed = one.text("delivery_confirmation").upper()
    if confirmed not in _CONFIRMED:
        words = "NO_SIGNATURE and SIGNATURE are offered"
        one.faults.add(one.at("delivery_confirmation"), "not_offered", words)
    form = one.text("label_format").upper()
    if form not in LABEL_FORMATS:
        one.faults.add(one.at("label_format"), "not_offered", "Labels are PNG, PDF or ZPL")
    return Options(_CONFIRMED.get(confirmed, ()), LABEL_FORMATS.get(form, "png"), one.text("content_description"))
