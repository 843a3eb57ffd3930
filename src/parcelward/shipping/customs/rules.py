"""What customs needs to know of a parcel, whether it is there, and on which form it goes: pure.

Sources: Universal Postal Convention, Regulations (Convention Manual, Berne 2018), article 20-001 (items subject to
customs control: CN 22 up to 300 SDR, CN 23 above it and with parcels) and article 08-002 (electronic advance data);
the fields are those of the forms CN 22 and CN 23. That every line needs a code of the Harmonized System, also a gift's,
is what the European Union asks of postal items (ICS2: Regulation (EU) 952/2013, article 127, and Delegated Regulation
(EU) 2015/2446, annex B, set F43), with Norway and Switzerland. The texts are put in our own words here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from parcelward.base.errors import Problem
from parcelward.base.standards import money
from parcelward.base.standards.addresses import tables
from parcelward.shipping.customs import hs
from parcelward.shipping.customs.wire import CN22, CN23, LINES_MAX, Customs, Goods, Reason

CN22_SDR_MAX: Final = 300
CN22_WEIGHT_G_MAX: Final = 2_000  # of the letter post, which is what CN 22 is for
WORDS_MAX: Final = 140  # of one description: what a line of a form and of a message holds
VALUE_MINOR_MAX: Final = 10**12
QUANTITY_MAX: Final = 100_000
REFERENCE_MAX: Final = 40
CONTACT_MAX: Final = 254


def _these(text: str) -> frozenset[str]:
    return frozenset(text.split())


EU: Final = _these("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK")
UNIONS: Final = (EU | {"MC"}, frozenset({"CH", "LI"}), frozenset({"GB", "IM"}), frozenset({"US", "PR"}))
"""Countries between which nothing is declared. Territories with a code of their own that are outside the tax area
(AX, GP, MQ, RE, JE ...) are not here: what goes there is declared."""
CODES_ALWAYS: Final = EU | {"CH", "NO"}
"""Where every line needs a code, whatever it is sent for; elsewhere what is sold needs one."""
PLAIN: Final = frozenset({Reason.DOCUMENTS})
"""Reasons for which no code, origin or value is asked."""

VAGUE: Final = _these(
    "accessories accessory article articles assorted belongings box clothing content contents cosmetics ecommerce "
    "electronic electronics equipment freight gift gifts good goods household item items kit material materials "
    "merchandise misc miscellaneous object objects online order package parcel part parts personal present presents "
    "product products purchase purchased sample samples shopping shop sold spare stuff supplies thing things toy toys "
    "various"
)
"""Words that name nothing by themselves (European Commission, guidance on acceptable and unacceptable terms)."""
_EMPTY: Final = _these("a an and for from in my new of other pcs pieces piece set some the to used with x")
_WORD: Final = re.compile(r"[^\W\d_]+")
_CODE: Final = re.compile(r"\d{6,10}", re.ASCII)


def needed(origin: str, to: str) -> bool:
    """Return whether something that goes from one country to the other is declared to customs."""
    return origin != to and not any(origin in union and to in union for union in UNIONS)


def problems(
    said: Customs | None, *, to: str, weight_g: int, sender_reached: bool = False, addressee_reached: bool = False
) -> tuple[Problem, ...]:
    """Return everything that is missing or wrong in what was declared of a parcel; nothing where it is complete.

    `..._reached`: the order has a telephone number or an e-mail address of theirs.
    """
    if said is None:
        return (problem("", "missing"),)
    head = _head(said, sender_reached=sender_reached, addressee_reached=addressee_reached)
    return (*head, *_lines(said, to=to, weight_g=weight_g))


def problem(where: str, code: str, suggestion: str = "") -> Problem:
    """Return what is wrong at a place, in words."""
    return Problem(where, code, WORDS[name_of(where), code], suggestion)


def name_of(where: str) -> str:
    """Return which field a pointer names."""
    return where.rpartition("/")[2]


WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("", "missing"): "Say for customs what is in the parcel, line by line, and why it is sent",
    ("reason", "missing"): "Say why it is sent: a sale, a gift, documents, a sample, a return",
    ("explanation", "missing"): "Say in a few words why it is sent",
    ("explanation", "bad_text"): f"Say why it is sent in one line of at most {REFERENCE_MAX} letters",
    ("sender_contact", "missing"): "Give a telephone number or an e-mail address at which customs reaches you",
    (
        "sender_contact",
        "bad_text",
    ): f"A telephone number or an e-mail address is one line of at most {CONTACT_MAX} letters",
    (
        "addressee_contact",
        "missing",
    ): "Give a telephone number or an e-mail address of the addressee: customs asks them",
    (
        "addressee_contact",
        "bad_text",
    ): f"A telephone number or an e-mail address is one line of at most {CONTACT_MAX} letters",
    ("sender_reference", "bad_text"): f"A number at customs is one line of at most {REFERENCE_MAX} letters",
    ("importer_reference", "bad_text"): f"A number at customs is one line of at most {REFERENCE_MAX} letters",
    ("goods", "bad_count"): f"Name each kind of goods in a line of its own, 1 to {LINES_MAX} lines",
    ("goods", "too_heavy"): "The goods together weigh more than the whole parcel. Check the weights",
    ("description", "missing"): "Say what it is, such as cotton T-shirts",
    ("description", "bad_text"): f"Describe it in one line of at most {WORDS_MAX} letters",
    ("description", "vague"): "Customs cannot tell what this is. Name the thing itself, such as cotton T-shirts",
    ("quantity", "missing"): "Say how many of it are in the parcel",
    ("net_weight_g", "missing"): "Say what all of this line weighs without packing, at least 1 gram",
    ("value_minor", "missing"): "Say what all of this line is worth; a gift has a value, too",
    ("currency", "missing"): "Say in which currency the value is, such as EUR",
    ("currency", "bad_currency"): "Name the currency by its three capital letters, such as EUR",
    ("currency", "other_currency"): "Give all values of a parcel in one currency",
    ("origin", "missing"): "Say in which country it was made, by two letters such as DE",
    ("origin", "bad_country"): "Name the country of origin by its two letters, such as DE",
    ("hs_code", "missing"): "Give the tariff code (HS) of the goods. Search for it by what they are called",
    ("hs_code", "bad_code"): "A tariff code has six to ten digits, such as 6109.10",
    ("hs_code", "unknown_code"): "There is no such tariff code. Search for it by what the goods are called",
}
"""Field and code -> what to do."""


def _head(said: Customs, *, sender_reached: bool, addressee_reached: bool) -> Iterator[Problem]:
    if said.reason not in set(Reason):
        yield problem("/reason", "missing", ", ".join(Reason))
    if said.reason == Reason.OTHER and not said.explanation.strip():
        yield problem("/explanation", "missing")
    if not (sender_reached or said.sender_contact.strip()):
        yield problem("/sender_contact", "missing")
    if not (addressee_reached or said.addressee_contact.strip()):
        yield problem("/addressee_contact", "missing")
    for name in ("explanation", "sender_contact", "addressee_contact", "sender_reference", "importer_reference"):
        text = getattr(said, name)
        if len(text) > (CONTACT_MAX if name.endswith("contact") else REFERENCE_MAX) or not text.isprintable():
            yield problem(f"/{name}", "bad_text")


def _lines(said: Customs, *, to: str, weight_g: int) -> Iterator[Problem]:
    if not 1 <= len(said.goods) <= LINES_MAX:
        yield problem("/goods", "bad_count")
    first = said.currency
    for at, one in enumerate(said.goods[:LINES_MAX]):
        yield from _line(one, f"/goods/{at}", reason=said.reason, to=to)
        if one.currency and first and one.currency != first:
            yield problem(f"/goods/{at}/currency", "other_currency", first)
    if said.net_weight_g > weight_g:
        yield problem("/goods", "too_heavy")


def _line(one: Goods, where: str, *, reason: str, to: str) -> Iterator[Problem]:
    why = description_problem(one.description)
    if why:
        yield problem(f"{where}/description", why)
    if not 1 <= one.quantity <= QUANTITY_MAX:
        yield problem(f"{where}/quantity", "missing")
    if one.net_weight_g < 1:
        yield problem(f"{where}/net_weight_g", "missing")
    if one.currency and one.currency not in money.MINOR_DIGITS:
        yield problem(f"{where}/currency", "bad_currency")
    if reason not in PLAIN:
        if not 1 <= one.value_minor <= VALUE_MINOR_MAX:
            yield problem(f"{where}/value_minor", "missing")
        if not one.currency:
            yield problem(f"{where}/currency", "missing")
        if not one.origin:
            yield problem(f"{where}/origin", "missing")
    if one.origin and one.origin not in tables.names().called:
        yield problem(f"{where}/origin", "bad_country")
    code = code_problem(one.hs_code, asked=code_asked(reason, to))
    if code:
        yield problem(f"{where}/hs_code", code)


def code_asked(reason: str, to: str) -> bool:
    """Return whether each line needs a code of the Harmonized System."""
    return reason not in PLAIN and (reason == Reason.SALE or to in CODES_ALWAYS)


def code_problem(text: str, *, asked: bool) -> str:
    """Return what is wrong with a tariff code; nothing for one that may stand there."""
    digits = bare_code(text)
    if not digits:
        return "missing" if asked else ""
    if not _CODE.fullmatch(digits):
        return "bad_code"
    return "" if hs.is_code(digits[: hs.DIGITS]) else "unknown_code"


def bare_code(text: str) -> str:
    """Return a tariff code without what people write between its digits: 6109.10 is 610910."""
    return re.sub(r"[\s.]", "", text)


def description_problem(text: str) -> str:
    """Return what is wrong with the words for some goods; nothing where customs can use them."""
    if len(text) > WORDS_MAX or not text.isprintable():
        return "bad_text"
    words = [word.casefold() for word in _WORD.findall(text)]
    if not words:
        return "missing"
    vague = all(word in VAGUE or word in _EMPTY or len(word) == 1 for word in words)
    return "vague" if vague else ""


def form_of(said: Customs | None, *, weight_g: int, s10_mark: str, sdr_minor: Mapping[str, int]) -> str:
    """Return which form goes with a parcel: CN 22 for a light letter-post item of little value, CN 23 for all else.

    `sdr_minor` is what one special drawing right is worth, in minor units of each currency, as the operator says.
    Where that is not known, or not all is declared, it is CN 23, which is right for any value.
    """
    if said is None or weight_g > CN22_WEIGHT_G_MAX or s10_mark[:1] in {"C", "E"}:  # parcels and EMS: UPU S10
        return CN23
    one_sdr = sdr_minor.get(said.currency, 0)
    is_small = said.value_minor == 0 or (one_sdr > 0 and said.value_minor <= CN22_SDR_MAX * one_sdr)
    return CN22 if is_small else CN23
