"""USPS Intelligent Mail package barcode (IMpb), and the older confirmation numbers it grew from.

    [420 ZIP [+4]]  channel  service type  mailer id  serial  check digit

The routing in front (application identifier 420 and the ZIP code) says where the item goes, not which one it is: two
labels with the same rest are the same item. Source: USPS Publication 199, "Intelligent Mail package barcode (IMpb)
implementation guide"; Publication 91 for numbers under 91. The check digit is GS1's, over everything after the routing.

    digits   with routing   what
    22       30, 34         six or nine digits of mailer id and a serial; retail (95); confirmation numbers (91)
    26       34             the same with a longer serial
    30       38             online labels (94) with the longest serial
    20       --             confirmation numbers printed without their 91
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parcelward.base.standards import gs1
from parcelward.base.standards.errors import CHECK_DIGIT_WORDS, CHECK_DIGIT_WRONG, BadItemNumber
from parcelward.base.standards.typed import TEXT_LENGTH_MAX, compact

NUMBER_DIGITS: Final[dict[str, tuple[int, ...]]] = {
    "91": (22,),  # confirmation services
    "92": (22, 26),  # commercial mailer, mailer id of nine digits
    "93": (22, 26),  # commercial mailer, mailer id of six digits
    "94": (22, 26, 30),  # online or vendor label
    "95": (22, 26),  # USPS retail
}
"""How many digits a number has, by its channel application identifier."""
_ROUTING: Final = "420"
_ZIP5_END: Final = 8  # "420" and five digits
_ZIP9_END: Final = 12  # "420" and nine digits
_UNMARKED_DIGITS: Final = 20


@dataclass(frozen=True, slots=True)
class Impb:
    """A checked number; only `parse` makes one. `str()` gives it without the routing: the item's identity.

    Under 95 (retail) there is no mailer id: `serial` is a post office's device, day and count. Under 91 the mailer id
    is the nine digits of the customer's number.
    """

    channel: str  # two digits, a key of NUMBER_DIGITS; empty for a confirmation number whose check digit leaves 91 out
    service_type: str  # three digits; two under 91
    mailer_id: str  # nine digits when it starts with 9, else six; nine under 91; empty under 95
    serial: str
    check_digit: int
    zip5: str = ""  # where the item goes; empty when the barcode carries no routing
    plus4: str = ""

    def __str__(self) -> str:
        return f"{self.channel}{self.service_type}{self.mailer_id}{self.serial}{self.check_digit}"


def parse(text: str) -> Impb:
    """Return `text` (spaces and hyphens allowed) as an Impb, or raise BadItemNumber."""
    digits = compact(text) if len(text) <= TEXT_LENGTH_MAX else ""
    readings = _splits(digits)
    if not readings:
        raise BadItemNumber(
            "A USPS package number has 20, 22, 26 or 30 digits, with 420 and a ZIP code in front or not."
        )
    for routing, number in readings:
        # "91" adds 9 * 3 + 1 = 28 to the sum, 8 modulo 10: 20 digits fit with it in front or without it, never both.
        for complete in (number,) if len(number) != _UNMARKED_DIGITS else ("91" + number, number):
            if gs1.fits(complete):
                return _parts(complete, routing)
    raise BadItemNumber(CHECK_DIGIT_WORDS, code=CHECK_DIGIT_WRONG)


def is_shaped(digits: str) -> bool:
    """Tell whether compacted text can only be an IMpb, whatever its check digit; 20 digits alone could be anybody's."""
    return len(digits) != _UNMARKED_DIGITS and bool(_splits(digits))


def _splits(digits: str) -> list[tuple[str, str]]:
    """Return every (ZIP code, number) that the text can be split into, by its shape alone.

    34 digits are a ZIP+4 before 22 or a ZIP before 26; ZIP+4 is tried first, since numbers of 26 digits are rare.
    """
    if not (digits.isascii() and digits.isdigit()):
        return []
    if len(digits) == _UNMARKED_DIGITS:
        return [("", digits)]
    ends = (0,) if not digits.startswith(_ROUTING) else (_ZIP9_END, _ZIP5_END)
    return [(digits[len(_ROUTING) : end], digits[end:]) for end in ends if _is_number(digits[end:])]


def _is_number(number: str) -> bool:
    """Tell whether the digits after the routing have a known channel, and a length and mailer id that it allows."""
    channel, mailer_starts = number[:2], number[5:6]
    if len(number) not in NUMBER_DIGITS.get(channel, ()):
        return False
    return (mailer_starts == "9") is (channel == "92") if channel in {"92", "93"} else True


def _parts(number: str, routing: str) -> Impb:
    """Cut a checked number into its fields."""
    check, zip5, plus4 = int(number[-1]), routing[:5], routing[5:]
    channel = number[:2] if len(number) != _UNMARKED_DIGITS else ""
    body = number[len(channel) : -1]
    if channel in {"", "91"}:
        return Impb(channel, body[:2], body[2:11], body[11:], check, zip5, plus4)
    mailer_end = 3 if channel == "95" else 12 if body[3] == "9" else 9
    return Impb(channel, body[:3], body[3:mailer_end], body[mailer_end:], check, zip5, plus4)
