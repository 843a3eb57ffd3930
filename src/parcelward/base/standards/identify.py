"""The single door for a number that somebody typed or a device scanned: what it is, and the string that stands for it.

    PW 1234 5678 9012 8                               the operator's own number
    RA 4730 1234 5 GB                                 UPU S10
    (00)106141412345678908, urn:epc:id:sscc:...,      GS1, in every form that `gs1` reads
    https://id.gs1.org/00/106141412345678908
    420 10282 9261 2901 1318 5417 4685 10             USPS IMpb
    1Z 999 AA1 01 2345 6784                           another carrier's number
    itm_0190a4f27c3b7d519f2e3a4b5c6d7e8f              our public id of an item

`canonical` gives one string for all spellings of the same number: the key that aliases are stored and found under.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from parcelward.base.standards import carriers, gs1, impb, s10
from parcelward.base.standards.errors import CHECK_DIGIT_WORDS, CHECK_DIGIT_WRONG, BadGs1Key, BadItemNumber
from parcelward.base.standards.typed import TEXT_LENGTH_MAX, compact, without_spaces

Kind = Literal["own_number", "s10", "sscc", "grai", "impb", "carrier", "item_uuid", "digital_link"]
"""`digital_link`: another GS1 key that names one thing (GTIN with serial, GIAI, GSIN ...), whatever form it came in."""

NUMBER_LENGTH_MAX: Final = 96
"""Characters. The longest is (01), 14 digits, (235) and 28 brackets with a backslash each: 79; rounded up."""

ITEM_PREFIX: Final = "itm_"
_ITEM_ID: Final = re.compile(r"itm_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class OwnFormat:
    """The operator's own numbers: letters in front, digits, and a GS1 modulo-10 check digit over the digits.

    Make it from configuration once. Raises ValueError for one that could be mistaken for another standard's number.
    """

    prefix: str = "PW"
    digits: int = 12  # without the check digit

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z]{2,4}", self.prefix) or not 8 <= self.digits <= 20:  # noqa: PLR2004 -- ten million a year to spare, and a label's width
            raise ValueError("an own number has 2 to 4 capital letters in front and 8 to 20 digits")

    def is_shaped(self, compacted: str) -> bool:
        """Tell whether compacted text has this shape, whatever its check digit."""
        rest = compacted[len(self.prefix) :]
        return (
            compacted.startswith(self.prefix) and len(rest) == self.digits + 1 and rest.isascii() and rest.isdigit()
        )  # fmt: skip

    def fits(self, compacted: str) -> bool:
        """Tell whether compacted text has this shape and the right check digit."""
        return self.is_shaped(compacted) and gs1.fits(compacted[len(self.prefix) :])

    def make(self, serial: int) -> str:
        """Return the number for a serial from 0 up, or raise BadItemNumber when it has too many digits."""
        if not 0 <= serial < 10**self.digits:
            raise BadItemNumber(f"A serial number of ours has at most {self.digits} digits.")
        body = f"{serial:0{self.digits}d}"
        return f"{self.prefix}{body}{gs1.check_digit(body)}"


OWN_FORMATS: Final[tuple[OwnFormat, ...]] = (OwnFormat(),)


@dataclass(frozen=True, slots=True)
class Identified:
    """What a number is. `number` is its canonical string; all spellings of one number have the same.

    The canonical string is in capitals without spaces or hyphens; an SSCC is its 18 digits; another GS1 key is its
    element string, `(8003)00614141123452ab-1`, whose serial keeps case and hyphens because GS1 tells them apart;
    an item's id is in small letters.
    """

    kind: Kind
    number: str
    item: uuid.UUID | None = None  # for item_uuid
    gs1_key: gs1.Gs1Key | None = None  # for sscc, grai and digital_link
    readings: tuple[carriers.Recognised, ...] = ()  # for carrier: every reading, those with a check digit first


def canonical(text: str, *, own: Sequence[OwnFormat] = OWN_FORMATS, other_carriers: bool = True) -> str:
    """Return the one string that stands for the number in `text`, or raise BadItemNumber. As `identify(text).number`.

    Made for the scan path: plain S10, SSCC and own numbers take a short way (measured: about 1 microsecond).
    """
    if s10.fits(text) or gs1.sscc_fits(text):
        return text
    for form in own:
        if form.fits(text):
            return text
    return identify(text, own=own, other_carriers=other_carriers).number


def identify(text: str, *, own: Sequence[OwnFormat] = OWN_FORMATS, other_carriers: bool = True) -> Identified:
    """Return what `text` is, or raise BadItemNumber with words that help. It raises nothing else, whatever the text.

    Own numbers come first, then shapes that nobody else uses; where such a shape has a wrong check digit it is refused
    and not offered to the carriers' wider patterns. Numbers known by a carrier's pattern alone can be turned off.
    """
    if len(text) > TEXT_LENGTH_MAX:
        raise BadItemNumber(f"A number is read from at most {TEXT_LENGTH_MAX} characters.", code="too_long")
    text = _unmarked(text)
    if gs1.is_gs1_form(text):
        try:
            return _from_gs1(gs1.parse(text))
        except BadGs1Key:
            if found := _usps_in_gs1(text):
                return found
            if not (tracked := _from_tracking_page(text)):
                raise
            return identify(tracked, own=own, other_carriers=other_carriers)
    number = compact(text)
    if found := _item(number) or _shaped(number, own):
        return found
    if len(number) == 2 + gs1.SSCC_DIGITS and number.startswith("00") and gs1.sscc_fits(number[2:]):
        return _from_gs1(gs1.sscc(number[2:]))  # typed with its application identifier, but without brackets
    if other_carriers and (readings := carriers.recognise(number)):
        return _from_carrier(number, readings)
    raise _refusal(number, other_carriers=other_carriers)


def item_id(item: uuid.UUID) -> str:
    """Return our public id of an item: `itm_` and the 32 hex digits of its UUID."""
    return ITEM_PREFIX + item.hex


def grouped(number: str) -> str:
    """Return a canonical number in groups for people's eyes: `RA 4730 1234 5 GB`, `PW 1234 5678 9012 8`.

    Letters in front stand alone and digits stand in fours; what is neither letters nor digits stays as it is.
    """
    if s10.fits(number):
        return s10.grouped(number)
    match = re.fullmatch(r"([A-Z]*)([0-9]{5,})([A-Z]*)", number)
    if match is None:
        return number
    front, digits, back = match.groups()
    fours = (digits[start : start + 4] for start in range(0, len(digits), 4))
    return " ".join(part for part in (front, *fours, back) if part)


def _unmarked(text: str) -> str:
    """Return `text` without spaces and without a scanner's mark for a plain Code 128, QR ... (ISO/IEC 15424)."""
    if text.isascii() and text.isalnum():
        return text
    text = without_spaces(text)
    return text[3:] if text.startswith("]") and text[:3] not in gs1.SYMBOLOGIES else text


def _item(number: str) -> Identified | None:
    """Return an item's public id, which `compact` has put in capitals."""
    if not number.startswith("ITM_"):
        return None
    public_id = number.lower()
    if not _ITEM_ID.fullmatch(public_id):
        raise BadItemNumber("An item's id is itm_ and 32 characters, 0 to 9 and a to f.")
    return Identified("item_uuid", public_id, item=uuid.UUID(public_id[4:]))


def _shaped(number: str, own: Sequence[OwnFormat]) -> Identified | None:
    """Return a number whose shape alone says what it is; raises BadItemNumber where only the check digit is wrong."""
    if any(form.fits(number) for form in own):
        return Identified("own_number", number)
    if s10.fits(number):
        return Identified("s10", number)
    if gs1.sscc_fits(number):
        return _from_gs1(gs1.sscc(number))
    if impb.is_shaped(number):
        return Identified("impb", str(impb.parse(number)))
    if any(form.is_shaped(number) for form in own) or s10.is_shaped(number) or _is_sscc_shaped(number):
        raise BadItemNumber(CHECK_DIGIT_WORDS, code=CHECK_DIGIT_WRONG)
    return None


def _is_sscc_shaped(number: str) -> bool:
    return len(number) == gs1.SSCC_DIGITS and number.isascii() and number.isdigit()


def _from_gs1(key: gs1.Gs1Key) -> Identified:
    """Return a GS1 key that names one thing; a product, a place or a party is no parcel."""
    if key.ai == "00":
        return Identified("sscc", key.value, gs1_key=key)
    if not key.names_one_thing:
        raise BadGs1Key(f"This {key.name} names a kind of thing, a place or a party, not one parcel.")
    return Identified("grai" if key.ai == "8003" else "digital_link", key.element_string, gs1_key=key)


def _usps_in_gs1(text: str) -> Identified | None:
    """Return an IMpb from a scanned GS1-128 symbol: its application identifiers are those GS1 leaves to companies."""
    digits = (text[3:] if text[:3] in gs1.SYMBOLOGIES else text).replace(gs1.FNC1, "")
    return Identified("impb", str(impb.parse(digits))) if impb.is_shaped(digits) else None


def _from_carrier(number: str, readings: tuple[carriers.Recognised, ...]) -> Identified:
    """Return another carrier's number; the old USPS numbers of 20 digits join the IMpb that they are part of."""
    if any(reading.courier == "usps" for reading in readings):
        try:
            return Identified("impb", str(impb.parse(number)))
        except BadItemNumber:
            pass  # the table knows more of USPS's numbers than `impb` does; the reading stands
    return Identified("carrier", number, readings=readings)


def _from_tracking_page(text: str) -> str:
    """Return the number in the address of a tracking page, `https://.../track/{number}`; empty for any other text."""
    if not text[:8].lower().startswith(("http://", "https://")):
        return ""
    try:
        segments = urlsplit(text).path.split("/")
    except ValueError:
        return ""
    if "track" not in segments[:-1]:
        return ""
    number = unquote(segments[segments.index("track") + 1])
    return "" if gs1.is_gs1_form(number) and "/" in number else number


def _refusal(number: str, *, other_carriers: bool) -> BadItemNumber:
    """Return the error that says what is most likely wrong."""
    if not number:
        return BadItemNumber("Type or scan a number.", code="empty")
    if not (number.isascii() and number.isalnum()):
        return BadItemNumber("A number has letters A to Z and digits, spaces and hyphens; nothing else.")
    if other_carriers and carriers.is_misread(number):
        return BadItemNumber(CHECK_DIGIT_WORDS, code=CHECK_DIGIT_WRONG)
    if len(number) == s10.LENGTH and s10.is_shaped(number[:2] + number[2:11].translate(_LOOKALIKES) + number[11:]):
        return BadItemNumber("There is a letter where a digit belongs: perhaps an O for a 0, or an I for a 1.")
    return BadItemNumber("No carrier's number that we know looks like this. Look for characters missing or too many.")


_LOOKALIKES: Final = str.maketrans("OIL", "011")
