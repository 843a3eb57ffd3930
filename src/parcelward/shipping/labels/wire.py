"""What a label says, before it is drawn. Everything is checked when it is made: what is one can be printed."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from parcelward.base.standards import gs1, s10
from parcelward.base.standards.addresses import tables
from parcelward.base.standards.addresses.address import Address
from parcelward.base.standards.addresses.labels import country_line, label_lines
from parcelward.base.vault import Personal
from parcelward.parcels.wire import PRINTINGS_MAX
from parcelward.privacy.sealing import wire as sealing
from parcelward.privacy.sealing.errors import BadLabel
from parcelward.shipping.labels import code128
from parcelward.shipping.labels.errors import Unprintable
from parcelward.shipping.labels.lettering import legible

WORDS_MAX: Final = 40  # letters of one line
NUMBER_MODULES_MAX: Final = 245  # what 100 mm hold with modules of 3 dots and both quiet zones
RETURN_LINES_MAX: Final = 5
COUNTRY_LINES_MAX: Final = 2
WEIGHT_G_MAX: Final = 2_000_000
CUSTOMS: Final = ("", "CN 22", "CN 23")
"""Nothing within a customs union; CN 22 up to 300 SDR and CN 23 above, as UPU Convention Regulations say."""
_NUMBER: Final = re.compile(r"[A-Z0-9]{1,20}")
_BINDING: Final = re.compile(r"[0-9A-F]{16}|")


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """Everything on one label. Raises Unprintable for what has no place there.

    Of the addressee nothing but what the sealed label leaves in clear: routing code, initials, area. `sealed` is the
    text of its QR code (`privacy.sealing.wire.Sealed.text`), `binding` its label code, for a person to type.
    """

    operator: str
    service: str  # words: "Parcel 24, signed for"
    number: str  # canonical
    weight_g: int
    routing_code: str
    initials: str
    postcode_area: str
    sealed: str
    binding: str = ""  # 16 hex digits: the label code without its digest
    sscc: str = ""  # 18 digits
    return_lines: tuple[Personal, ...] = ()
    country_lines: tuple[str, ...] = ()
    customs: str = ""
    printing: int = 1  # 2 is the first reprint
    marked: str = ""  # SAMPLE ...; empty on a label that travels

    def __post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.number) or len(code128.widths(self.number)) > NUMBER_MODULES_MAX:
            raise Unprintable("This number is too long for a label's bars", code="bad_number")
        if self.sscc and not gs1.sscc_fits(self.sscc):
            raise Unprintable("An SSCC has 18 digits, the last its check digit", code="bad_sscc")
        if self.customs not in CUSTOMS:
            raise Unprintable("The customs mark is CN 22 or CN 23", code="bad_customs")
        if not _BINDING.fullmatch(self.binding):
            raise Unprintable("A label code has 16 hex digits", code="bad_binding")
        if not 1 <= self.printing <= PRINTINGS_MAX or not 1 <= self.weight_g <= WEIGHT_G_MAX:
            raise Unprintable("A label is of 1 to 4 printings, and of an item of at most 2 t", code="bad_count")
        if len(self.return_lines) > RETURN_LINES_MAX or len(self.country_lines) > COUNTRY_LINES_MAX:
            raise Unprintable("More lines than a label has", code="too_many_lines")
        texts = (self.operator, self.service, self.routing_code, self.initials, self.postcode_area, self.marked)
        for text in (*texts, *self.country_lines, *(line.text for line in self.return_lines)):
            if len(legible(text)) > WORDS_MAX:
                raise Unprintable(f"A line of a label has at most {WORDS_MAX} letters", code="text_too_long")
        self._require_sealed()

    def _require_sealed(self) -> None:
        """Raise Unprintable unless the QR code is a label sealed for this number, with this label code."""
        try:
            raw = sealing.from_base45(self.sealed)
            item = sealing.parse(raw).item
        except BadLabel as err:
            raise Unprintable(err.message, code="bad_sealed") from err
        if item != self.number:
            raise Unprintable("This label was sealed for another number", code="other_item")
        if self.binding not in {"", sealing.label_code(raw)[: 2 * sealing.CODE_BYTES].upper()}:
            raise Unprintable("This label code is not the one of the QR code", code="other_code")


def return_lines(
    name: str, street: str, town: str, *, postcode: str = "", state: str = "", country: str, latin: bool = True
) -> tuple[Personal, ...]:
    """Return a sender's lines in the order of their country; lines within `street` are kept."""
    address = Address(
        country=country,
        addressee=name,
        street_lines=tuple(street.splitlines()),
        locality=town,
        administrative_area=state,
        postcode=postcode,
    )
    return tuple(Personal(line) for line in fitted(label_lines(address, from_country=country, latin=latin)))


def fitted(lines: Sequence[str]) -> list[str]:
    """Return lines as a label has room for them: long ones go on in the next, and if those are too many, all run on.

    What does not fit even so has too many lines, and is refused where the label is made.
    """
    shown = [legible(line) for line in lines]
    wrapped = [part for line in shown for part in textwrap.wrap(line, WORDS_MAX)]
    if len(wrapped) <= RETURN_LINES_MAX:
        return wrapped
    return textwrap.wrap(", ".join(shown), WORDS_MAX)


def country_lines(*, here: str, to: str) -> tuple[str, ...]:
    """Return the destination's country as an item that leaves has to carry it: name in capitals, and code.

    Nothing for post that stays in the country. Raises Unprintable for a country that nobody knows.
    """
    if to not in tables.names().called:
        raise Unprintable("There is no such country", code="bad_country")
    return () if here == to else (country_line(to, "en"), to)


def grouped(number: str) -> str:
    """Return a number in groups that people can compare: RA 473 012 345 GB, PW 123 456 789 012 8."""
    head = re.match(r"[A-Z]*", number)[0]  # type: ignore[index]  # it matches the empty text, too
    tail = number[-2:] if s10.is_shaped(number) else ""
    middle = number[len(head) : len(number) - len(tail)]
    return " ".join(part for part in (head, *(middle[at : at + 3] for at in range(0, len(middle), 3)), tail) if part)
