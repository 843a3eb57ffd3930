"""GS1 identification keys, whatever form they come in: element strings, EPC URIs and GS1 Digital Link URIs.

    (00)106141412345678908                    element string as printed, application identifiers in brackets
    ]C100106141412345678908                   the same as a scanner sends it, FNC1 (U+001D) between fields
    urn:epc:id:sscc:0614141.1234567890        EPC URI, as in EPCIS 1.2
    https://id.gs1.org/00/106141412345678908  GS1 Digital Link URI, any domain, any path before the key

All of these are one `Gs1Key`. Sources: GS1 General Specifications, sections 3 and 7; EPC Tag Data Standard (TDS) 1.13,
sections 6 and 7; GS1 Digital Link Standard: URI Syntax (uncompressed only; convenience names as `/sscc/` are refused).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from parcelward.base.standards.errors import CHECK_DIGIT_WORDS, CHECK_DIGIT_WRONG, BadGs1Key
from parcelward.base.standards.typed import TEXT_LENGTH_MAX, without_spaces

SSCC_DIGITS: Final = 18
COMPANY_PREFIX_DIGITS_MIN: Final = 6
COMPANY_PREFIX_DIGITS_MAX: Final = 12
DIGITAL_LINK_DOMAIN: Final = "id.gs1.org"  # the domain of the canonical form
FNC1: Final = "\x1d"

# What a scanner may put in front (ISO/IEC 15424): GS1-128, GS1 DataBar, GS1 DataMatrix, GS1 QR Code, GS1 DotCode.
SYMBOLOGIES: Final = ("]C1", "]e0", "]d2", "]Q3", "]J1")

# The two character sets of alphanumeric fields: GS1 General Specifications, figures 7.11-1 (82) and 7.11-2 (39).
_CSET_82: Final = r'[!"%-?A-Z_a-z]'
_CSET_39: Final = r"[#\-/0-9A-Z]"


class Names(enum.Enum):
    """What a key points at."""

    ONE_THING = enum.auto()
    ONE_THING_IF_SERIAL = enum.auto()  # without its serial it names a product or an asset type
    NO_THING = enum.auto()  # a place, a party, a relation or a coupon


@dataclass(frozen=True, slots=True)
class _Kind:
    """One key in every vocabulary. A value is `digits`, of which the last is the check digit, then `serial`."""

    ai: str
    name: str
    names: Names
    digits: int = 0  # how many, check digit included; 0: the value has no check digit and starts with a company prefix
    serial: str = ""  # pattern of what follows the digits
    filler: str = ""  # digits that stand first and mean nothing
    extra: int = 0  # digits that follow the check digit: piece and total of an ITIP
    leads: bool = False  # the first digit stands before the reference in the EPC URI (extension digit, indicator)
    epc: str = ""  # EPC scheme of the key without qualifier
    qualifiers: Mapping[str, str] = field(default_factory=dict)  # AI that completes the key's identity -> EPC scheme
    beside: tuple[str, ...] = ()  # AIs that a Digital Link may carry in its path without changing what is named

    @property
    def body_digits(self) -> int:
        """How many digits the first two parts of the EPC URI have together."""
        return self.digits - len(self.filler) - 1


KINDS: Final[dict[str, _Kind]] = {
    kind.ai: kind
    for kind in (
        _Kind("00", "SSCC", Names.ONE_THING, 18, leads=True, epc="sscc"),
        _Kind("01", "GTIN", Names.ONE_THING_IF_SERIAL, 14, leads=True,
              qualifiers={"21": "sgtin", "235": "upui"}, beside=("22", "10")),
        _Kind("253", "GDTI", Names.ONE_THING_IF_SERIAL, 13, _CSET_82 + "{0,17}", epc="gdti"),
        _Kind("255", "GCN", Names.NO_THING, 13, "[0-9]{0,12}", epc="sgcn"),
        _Kind("401", "GINC", Names.ONE_THING, serial=_CSET_82 + "{1,30}", epc="ginc"),
        _Kind("402", "GSIN", Names.ONE_THING, 17, epc="gsin"),
        _Kind("414", "GLN", Names.NO_THING, 13, epc="sgln", qualifiers={"254": "sgln"}, beside=("7040",)),
        _Kind("417", "party GLN", Names.NO_THING, 13, epc="pgln", beside=("7040",)),
        _Kind("8003", "GRAI", Names.ONE_THING_IF_SERIAL, 14, _CSET_82 + "{0,16}", filler="0", epc="grai"),
        _Kind("8004", "GIAI", Names.ONE_THING, serial=_CSET_82 + "{1,30}", epc="giai", beside=("7040",)),
        _Kind("8006", "ITIP", Names.ONE_THING_IF_SERIAL, 14, extra=4, leads=True,
              qualifiers={"21": "itip"}, beside=("22", "10")),
        _Kind("8010", "CPID", Names.ONE_THING_IF_SERIAL, serial=_CSET_39 + "{5,30}", qualifiers={"8011": "cpi"}),
        _Kind("8017", "provider GSRN", Names.NO_THING, 18, epc="gsrnp", beside=("8019",)),
        _Kind("8018", "recipient GSRN", Names.NO_THING, 18, epc="gsrn", beside=("8019",)),
    )
}  # fmt: skip

_PATTERNS: Final = {
    kind.ai: re.compile(f"({kind.filler}[0-9]{{{kind.digits - len(kind.filler)}}})([0-9]{{{kind.extra}}}{kind.serial})")
    if kind.digits
    else re.compile(f"()({kind.serial})")
    for kind in KINDS.values()
}
_QUALIFIERS: Final = {
    "21": re.compile(_CSET_82 + "{1,20}"),
    "235": re.compile(_CSET_82 + "{1,28}"),
    "254": re.compile(_CSET_82 + "{1,20}"),
    "8011": re.compile("[0-9]{1,12}"),
}
_SCHEMES: Final = {
    scheme: (kind, qualifier_ai)
    for kind in KINDS.values()
    for qualifier_ai, scheme in (*kind.qualifiers.items(), ("", kind.epc))
    if scheme
} | {"sgln": (KINDS["414"], "254")}

_EPC_SAFE: Final = "!'()*+,-.:;=_"  # what an EPC URI carries unescaped beside letters and digits (TDS section 6.3)
_EPC_PART: Final = re.compile(rf"(?:[A-Za-z0-9{re.escape(_EPC_SAFE)}]|%[0-9A-Fa-f]{{2}})*")
_PRINTED_AI: Final = re.compile(r"(?<!\\)\(([0-9]{2,4})\)")
_NO_EXTENSION: Final = "0"  # how an SGLN says that the GLN has no extension (TDS section 6.3.3)


@dataclass(frozen=True, slots=True)
class Gs1Key:
    """A checked key in its one canonical form; only this module makes one.

    `value` is everything that follows the application identifier `ai`, check digit and serial included. A GTIN,
    GLN, ITIP or CPID carries its serial or extension as `qualifier` under `qualifier_ai`; both are empty without one.
    Serials keep their case and punctuation: GS1 tells "ab-1" from "AB1".
    """

    ai: str
    value: str
    qualifier_ai: str = ""
    qualifier: str = ""

    @property
    def name(self) -> str:
        """The key's name: SSCC, GRAI, GTIN ..."""
        return KINDS[self.ai].name

    @property
    def names_one_thing(self) -> bool:
        """True when exactly one thing, shipment or document has this key; false for a class, a place or a party."""
        names = KINDS[self.ai].names
        return names is Names.ONE_THING or (names is Names.ONE_THING_IF_SERIAL and bool(self._serial()))

    @property
    def element_string(self) -> str:
        r"""The key as printed, `(8003)00614141123452ABC`. A bracket inside a serial is written `\(`."""
        tail = f"({self.qualifier_ai}){_escaped(self.qualifier)}" if self.qualifier else ""
        return f"({self.ai}){_escaped(self.value)}{tail}"

    def to_digital_link(self, domain: str = DIGITAL_LINK_DOMAIN) -> str:
        """Return the GS1 Digital Link URI; the default domain gives the canonical one."""
        tail = f"/{self.qualifier_ai}/{quote(self.qualifier, safe='')}" if self.qualifier else ""
        return f"https://{domain}/{self.ai}/{quote(self.value, safe='')}{tail}"

    def to_epc_uri(self, *, company_prefix_length: int) -> str:
        """Return the EPC URI. A key does not tell how long its company prefix is (6 to 12 digits): the caller knows.

        Raises BadGs1Key when the prefix cannot have that length or the key names a class, which has no EPC URI.
        """
        kind = KINDS[self.ai]
        scheme = kind.qualifiers.get(self.qualifier_ai, kind.epc)
        serial = self._serial() or (_NO_EXTENSION if scheme == "sgln" else "")
        if not scheme or (not serial and kind.names is Names.ONE_THING_IF_SERIAL) or (scheme == "sgcn" and not serial):
            raise BadGs1Key(f"A {kind.name} without a serial names a class of things and has no EPC URI.")
        length = company_prefix_length
        if not COMPANY_PREFIX_DIGITS_MIN <= length <= COMPANY_PREFIX_DIGITS_MAX:
            raise BadGs1Key("A GS1 company prefix has 6 to 12 digits.")
        if kind.digits:
            body = self.value[len(kind.filler) : kind.digits - 1]
            lead, body = (body[0], body[1:]) if kind.leads else ("", body)
            prefix, reference = body[:length], lead + body[length:]
        else:
            prefix, reference = self.value[:length], quote(self.value[length:], safe=_EPC_SAFE)
            if not (len(prefix) == length and prefix.isdigit() and reference):
                raise BadGs1Key(f"This {kind.name} does not start with a company prefix of that length.")
        pieces = [self.value[kind.digits :][i : i + 2] for i in range(0, kind.extra, 2)]
        parts = [prefix, reference, *pieces, *([quote(serial, safe=_EPC_SAFE)] if serial else [])]
        return f"urn:epc:id:{scheme}:{'.'.join(parts)}"

    def _serial(self) -> str:
        """Return what tells one thing from others of its class, wherever the key keeps it."""
        kind = KINDS[self.ai]
        return self.qualifier if kind.qualifiers else self.value[kind.digits :] if kind.digits else ""


def check_digit(digits: str) -> int:
    """Return the mod-10 check digit for `digits` (ASCII, check digit left out): weights 3, 1, 3 ... from the right.

    Source: GS1 General Specifications, section 7.9.1. Raises BadGs1Key when there is anything but digits. It catches
    every single misread digit, and every swap of neighbours unless they differ by 5.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise BadGs1Key("A GS1 check digit is calculated over digits only.")
    codes = digits.encode()
    # Over ASCII codes: every digit brings 48 too much, three times where it weighs 3.
    threes, ones = codes[-1::-2], codes[-2::-2]
    return (48 * (3 * len(threes) + len(ones)) - 3 * sum(threes) - sum(ones)) % 10


def fits(digits: str) -> bool:
    """Tell whether the last of these ASCII digits is the mod-10 check digit of those before it."""
    return check_digit(digits[:-1]) == ord(digits[-1]) - 48


def sscc_fits(text: str) -> bool:
    """Tell whether `text` is exactly 18 digits with the right check digit; made for the scan path."""
    if len(text) != SSCC_DIGITS or not (text.isascii() and text.isdigit()):
        return False
    codes = text.encode()
    # Nine digits weigh 3 and nine weigh 1; over ASCII codes that is 48 * 36 = 1728 too much, and 1728 is 8 modulo 10.
    return (3 * sum(codes[::2]) + sum(codes[1::2])) % 10 == 8  # noqa: PLR2004 -- see the line above


def sscc(digits: str) -> Gs1Key:
    """Return 18 digits as an SSCC, or raise BadGs1Key."""
    return _key("00", digits)


def make_sscc(extension_digit: int, company_prefix: str, serial: int) -> Gs1Key:
    """Return the SSCC of a serial number under our company prefix (6 to 12 digits), or raise BadGs1Key.

    `serial` fills what the extension digit (0 to 9) and the prefix leave of 17 digits. GS1 asks that no SSCC is used
    again within a year; that is the caller's affair.
    """
    if not COMPANY_PREFIX_DIGITS_MIN <= len(company_prefix) <= COMPANY_PREFIX_DIGITS_MAX:
        raise BadGs1Key("A GS1 company prefix has 6 to 12 digits.")
    room = SSCC_DIGITS - 2 - len(company_prefix)
    if not (0 <= extension_digit <= 9 and 0 <= serial < 10**room):  # noqa: PLR2004 -- one digit
        raise BadGs1Key("The extension digit or the serial number does not fit into an SSCC.")
    body = f"{extension_digit}{company_prefix}{serial:0{room}d}"
    return _key("00", f"{body}{check_digit(body)}")


def parse(text: str) -> Gs1Key:
    """Return the one key that `text` names, in any of the forms above, or raise BadGs1Key.

    Spaces are ignored. Attributes beside the key (weight, postcode, lot ...) are left out; beside an SSCC so are other
    keys, because a logistic label carries those of its consignment.
    """
    if len(text) > TEXT_LENGTH_MAX:
        raise BadGs1Key(f"A GS1 key is read from at most {TEXT_LENGTH_MAX} characters.")
    plain = without_spaces(text)
    if not plain.isascii():
        raise BadGs1Key("A GS1 key has plain letters, digits and punctuation only.")
    start = plain[:11].lower()
    if start.startswith(("http://", "https://")):
        return _from_digital_link(plain)
    if start == "urn:epc:id:":
        return _from_epc_uri(plain[11:])
    return _chosen(_printed_fields(plain) if plain.startswith("(") else _scanned_fields(plain))


def is_gs1_form(text: str) -> bool:
    """Tell whether `text` says of itself that it is GS1: a web address, an EPC URI, brackets, or a scanner's marks."""
    start = text[:8].lower()
    return start.startswith(("(", "http://", "https://", "urn:epc:")) or text[:3] in SYMBOLOGIES or FNC1 in text


def _key(ai: str, value: str, qualifier_ai: str = "", qualifier: str = "") -> Gs1Key:
    """Check every part and return the canonical key. The only place that makes one."""
    kind = KINDS[ai]
    match = _PATTERNS[ai].fullmatch(value)
    if match is None:
        raise BadGs1Key(f"This {kind.name} ({ai}) has the wrong length or a character that is not allowed.")
    if kind.digits and not fits(match[1]):
        raise BadGs1Key(CHECK_DIGIT_WORDS, code=CHECK_DIGIT_WRONG)
    if not qualifier or (qualifier_ai == "254" and qualifier == _NO_EXTENSION):
        return Gs1Key(ai, value)
    if not _QUALIFIERS[qualifier_ai].fullmatch(qualifier):
        raise BadGs1Key(f"The serial ({qualifier_ai}) of this {kind.name} is too long or has a character not allowed.")
    return Gs1Key(ai, value, qualifier_ai, qualifier)


def _chosen(fields: Iterable[tuple[str, str]]) -> Gs1Key:
    """Return the one key among the fields of an element string: an SSCC before all, else the only key there is."""
    by_ai = dict(fields)
    keys = ["00"] if "00" in by_ai else [ai for ai in by_ai if ai in KINDS]
    if len(keys) != 1:
        raise BadGs1Key("This names no GS1 key." if not keys else "This names more than one thing.")
    (ai,) = keys
    qualifier_ai = next((q for q in KINDS[ai].qualifiers if q in by_ai), "")
    return _key(ai, by_ai[ai], qualifier_ai, by_ai.get(qualifier_ai, ""))


def _escaped(value: str) -> str:
    return value.replace("(", r"\(")


def _printed_fields(text: str) -> list[tuple[str, str]]:
    r"""Split `(AI)value(AI)value`. A bracketed number of two to four digits starts a field unless written `\(`."""
    parts = _PRINTED_AI.split(text)
    if parts[0]:
        raise BadGs1Key("An element string starts with an application identifier in brackets, as in (00).")
    return [(ai, value.replace(r"\(", "(")) for ai, value in zip(parts[1::2], parts[2::2], strict=True)]


def _scanned_fields(text: str) -> list[tuple[str, str]]:
    """Split a scanner's element string by the lengths of the application identifiers, which biip knows."""
    import biip  # noqa: PLC0415 -- 0.15 s to load, and most processes never meet an unbracketed element string
    from biip.gs1_messages import GS1Message  # noqa: PLC0415 -- as above

    plain = text[3:] if text[:3] in SYMBOLOGIES else text
    try:
        message = GS1Message.parse(plain.lstrip(FNC1))
    except biip.ParseError as wrong:
        raise BadGs1Key(
            "This is not a GS1 element string: an application identifier or its length is wrong."
        ) from wrong
    return [(element.ai.ai, element.value) for element in message.element_strings]


def _from_epc_uri(rest: str) -> Gs1Key:
    """Read `scheme:prefix.reference.serial`, the part of an EPC URI after `urn:epc:id:`."""
    scheme, _, dotted = rest.partition(":")
    kind, qualifier_ai = _SCHEMES.get(scheme, (None, ""))
    if kind is None:
        raise BadGs1Key("This EPC URI has a scheme that names none of the keys known here.")
    serial_in_value = kind.names is Names.ONE_THING_IF_SERIAL or scheme == "sgcn"
    wanted = 2 + kind.extra // 2 + bool(qualifier_ai or serial_in_value)
    parts = dotted.split(".", wanted - 1)
    if len(parts) != wanted or not all(map(_EPC_PART.fullmatch, parts)):
        raise BadGs1Key("This EPC URI has too few parts or a character that must be escaped.")
    prefix, reference, *others = parts
    serial = unquote(others.pop()) if others and (qualifier_ai or serial_in_value) else ""
    if (qualifier_ai or serial_in_value) and not serial:
        raise BadGs1Key("This EPC URI has no serial.")
    if not (prefix.isdigit() and COMPANY_PREFIX_DIGITS_MIN <= len(prefix) <= COMPANY_PREFIX_DIGITS_MAX):
        raise BadGs1Key("A GS1 company prefix has 6 to 12 digits.")
    if kind.digits:
        body = reference[:1] + prefix + reference[1:] if kind.leads else prefix + reference
        if not (body.isdigit() and len(body) == kind.body_digits):
            raise BadGs1Key(f"Prefix and reference of this EPC URI must have {kind.body_digits} digits together.")
        value = f"{kind.filler}{body}{check_digit(body)}{''.join(others)}"
    else:
        value = prefix + unquote(reference)
    return _key(kind.ai, value, qualifier_ai, serial) if qualifier_ai else _key(kind.ai, value + serial)


def _from_digital_link(uri: str) -> Gs1Key:
    """Read a Digital Link URI: the key is the last run of `/AI/value` pairs in the path; the query is ignored."""
    try:
        path = urlsplit(uri).path
    except ValueError as wrong:
        raise BadGs1Key("This web address is malformed.") from wrong
    segments = [unquote(segment) for segment in path.removesuffix("/").split("/")[1:]]
    first_wrong: BadGs1Key | None = None
    for start, segment in enumerate(segments):
        if segment not in KINDS or (len(segments) - start) % 2:
            continue
        try:
            return _from_pairs(segments[start::2], segments[start + 1 :: 2])
        except BadGs1Key as wrong:  # the path before the key may hold a number that looks like one: read on
            first_wrong = first_wrong or wrong
    raise first_wrong or BadGs1Key("This web address holds no GS1 key, such as /00/ and the 18 digits of an SSCC.")


def _from_pairs(ais: list[str], values: list[str]) -> Gs1Key:
    """Return the key of a Digital Link's path; only what belongs to the key may stand behind it, each at most once."""
    kind = KINDS[ais[0]]
    if len(set(ais)) != len(ais) or not set(ais[1:]) <= {*kind.qualifiers, *kind.beside}:
        raise BadGs1Key(f"Something stands behind the {kind.name} in this web address that does not belong to it.")
    fields = dict(zip(ais, values, strict=True))
    value = fields[kind.ai]
    if kind.ai == "01" and len(value) in {8, 12, 13}:  # shorter GTINs were once allowed unpadded
        value = value.zfill(kind.digits)
    qualifier_ai = next((q for q in kind.qualifiers if q in fields), "")
    return _key(kind.ai, value, qualifier_ai, fields.get(qualifier_ai, ""))
