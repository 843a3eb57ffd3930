"""UPU S10: the 13-character identifier of a postal item, `RA473012345GB`.

Two letters of service indicator, eight digits, one check digit, two letters of the country whose post issued it
(ISO 3166-1 alpha-2). Source: UPU Technical Standard S10, "Identification of postal items, 13-character identifier".
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from parcelward.base.standards.errors import CHECK_DIGIT_WORDS, CHECK_DIGIT_WRONG, BadItemNumber
from parcelward.base.standards.typed import TEXT_LENGTH_MAX, compact

LENGTH: Final = 13
SERIAL_DIGITS: Final = 8
WEIGHTS: Final = (8, 6, 4, 2, 3, 5, 9, 7)


class Family(enum.StrEnum):
    """What the service indicator's first letter says. A letter that S10 leaves open is UNASSIGNED, never guessed."""

    PARCEL = "parcel"
    ECOMMERCE = "ecommerce"
    EMS = "ems"
    TRACKED = "tracked"
    REGISTERED = "registered"
    INSURED = "insured"
    UNTRACKED = "untracked"
    M_BAG = "m_bag"
    BUSINESS_REPLY = "business_reply"
    BY_AGREEMENT = "by_agreement"
    RESERVED = "reserved"
    UNASSIGNED = "unassigned"


WORDS: Final[dict[Family, str]] = {
    Family.PARCEL: "Parcel",
    Family.ECOMMERCE: "E-commerce parcel",
    Family.EMS: "Express (EMS)",
    Family.TRACKED: "Tracked letter post",
    Family.REGISTERED: "Registered letter post",
    Family.INSURED: "Insured letter post",
    Family.UNTRACKED: "Letter post with a customs form, not tracked",
    Family.M_BAG: "M bag: printed matter for one addressee",
    Family.BUSINESS_REPLY: "International business reply",
    Family.BY_AGREEMENT: "Domestic, or by agreement between posts",
    Family.RESERVED: "Reserved by the UPU",
    Family.UNASSIGNED: "Service not known",
}
assert WORDS.keys() == set(Family), "every family has its words"  # noqa: S101 -- a hole in the table must stop the start

# One letter says the family, but for G and Q, of which S10 assigns only a part (see `family`).
_BY_LETTER: Final[dict[str, Family]] = {
    "C": Family.PARCEL,
    "E": Family.EMS,
    "H": Family.ECOMMERCE,
    "L": Family.TRACKED,
    "M": Family.M_BAG,
    "R": Family.REGISTERED,
    "U": Family.UNTRACKED,
    "V": Family.INSURED,
    **dict.fromkeys("ABDNPZ", Family.BY_AGREEMENT),
    **dict.fromkeys("JKSTW", Family.RESERVED),
}


@dataclass(frozen=True, slots=True)
class S10:
    """A checked identifier; only `parse` and `make` make one. `str()` gives the 13 characters.

    The check digit folds 11 remainders into 10 digits: remainders 0 and 6 both give 5, so 1 misread digit in 55 slips
    through. A parsed identifier is well formed, not proven to exist.
    """

    service_indicator: str  # two letters
    serial: str  # eight digits
    check_digit: int
    country: str  # ISO 3166-1 alpha-2 in shape; whether it is assigned is not checked

    def __str__(self) -> str:
        return f"{self.service_indicator}{self.serial}{self.check_digit}{self.country}"

    @property
    def family(self) -> Family:
        """What kind of service the indicator says."""
        return family(self.service_indicator)


def check_digit(serial8: str) -> int:
    """Return the check digit of eight ASCII digits: 11 less the weighted sum modulo 11; 10 becomes 0 and 11 becomes 5.

    Raises BadItemNumber when `serial8` is not eight digits.
    """
    if len(serial8) != SERIAL_DIGITS or not (serial8.isascii() and serial8.isdigit()):
        raise BadItemNumber("A UPU S10 serial number has eight digits.")
    left = 11 - sum(int(digit) * weight for digit, weight in zip(serial8, WEIGHTS, strict=True)) % 11
    return {10: 0, 11: 5}.get(left, left)


def fits(text: str) -> bool:
    """Tell whether `text` is exactly 13 characters of S10 in capitals, check digit included; made for the scan path."""
    if not is_shaped(text):
        return False
    a, b, c, d, e, f, g, h, check = text[2:11].encode()
    # The same sum as in `check_digit`, over ASCII codes: 48 times the weights' sum (44) is 0 modulo 11.
    left = 11 - (8 * a + 6 * b + 4 * c + 2 * d + 3 * e + 5 * f + 9 * g + 7 * h) % 11
    return check - 48 == (left if left < 10 else 0 if left == 10 else 5)  # noqa: PLR2004 -- S10's own two exceptions


def is_shaped(compacted: str) -> bool:
    """Tell whether compacted text has the shape of an S10 identifier, whatever its check digit."""
    letters = compacted[:2] + compacted[11:]
    return (
        len(compacted) == LENGTH and compacted.isascii() and compacted[2:11].isdigit()
        and letters.isalpha() and letters.isupper()
    )  # fmt: skip


def parse(text: str) -> S10:
    """Return `text` (spaces, hyphens and small letters allowed) as an S10, or raise BadItemNumber."""
    if len(text) > TEXT_LENGTH_MAX:
        raise BadItemNumber("A UPU S10 identifier has 13 characters; this is far longer.")
    number = compact(text)
    if not is_shaped(number):
        raise BadItemNumber(
            "A UPU S10 identifier has two letters, nine digits and two letters, as in RA 4730 1234 5 GB."
        )
    if not fits(number):
        raise BadItemNumber(CHECK_DIGIT_WORDS, code=CHECK_DIGIT_WRONG)
    return S10(number[:2], number[2:10], int(number[10]), number[11:])


def make(service_indicator: str, serial: int, country: str) -> S10:
    """Return the identifier with its check digit. `serial` is 0 to 99,999,999; letters are A to Z, in capitals.

    Raises BadItemNumber where a part does not fit. Who hands out serials is the caller's affair: UPU S10 asks that
    none is used again within 12 months.
    """
    for letters in (service_indicator, country):
        if len(letters) != 2 or not (letters.isascii() and letters.isalpha() and letters.isupper()):  # noqa: PLR2004 -- both are two letters by the standard
            raise BadItemNumber("The service indicator and the country are two capital letters each.")
    if not 0 <= serial < 10**SERIAL_DIGITS:
        raise BadItemNumber("A UPU S10 serial number has eight digits.")
    serial8 = f"{serial:0{SERIAL_DIGITS}d}"
    return S10(service_indicator, serial8, check_digit(serial8), country)


def family(service_indicator: str) -> Family:
    """Return the family of a two-letter service indicator; what S10 does not assign is UNASSIGNED."""
    first, second = service_indicator[:1], service_indicator[1:]
    if first == "Q":
        return Family.BUSINESS_REPLY if "A" <= second <= "M" else Family.UNASSIGNED
    if first == "G":
        return Family.BY_AGREEMENT if second in {"A", "D"} else Family.UNASSIGNED
    return _BY_LETTER.get(first, Family.UNASSIGNED)


def grouped(text: str) -> str:
    """Return an identifier for people's eyes: `RA 4730 1234 5 GB`. Raises BadItemNumber."""
    item = parse(text)
    return f"{item.service_indicator} {item.serial[:4]} {item.serial[4:]} {item.check_digit} {item.country}"
