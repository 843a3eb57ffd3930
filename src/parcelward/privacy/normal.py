"""One writing of a value: what is kept is checked, and what is looked for is compared in its normal form."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

from parcelward.base.errors import Invalid
from parcelward.privacy.wire import Field

CHARS_MAX: Final[Mapping[Field, int]] = {
    Field.NAME: 200,
    Field.EMAIL: 254,  # RFC 5321, 4.5.3.1.3: a path has 256 octets with its brackets
    Field.PHONE: 40,
    Field.ADDRESS: 500,
    Field.POSTCODE: 20,
    Field.LOCALITY: 100,
    Field.COUNTRY: 2,
    Field.DOCUMENT: 200,
    Field.WHERE: 45,  # the longest writing of an IPv6 address
    Field.AGENT: 500,
    Field.BODY: 4_000_000,  # a whole batch of scans, in base64
}
assert CHARS_MAX.keys() == set(Field), "every field has its limit"  # noqa: S101 -- a field without one must stop the start
_LINES: Final = frozenset({Field.ADDRESS, Field.BODY})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SMALL: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_NO_WORD = re.compile(r"[\W_]+")
# Not all that RFC 5322 allows: what only a quoted local part or a comment could hold, nobody's address has.
_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\]\\]{1,64}@[^@\s\"(),:;<>\[\]\\]+")


def checked(fields: Mapping[Field, str]) -> dict[Field, str]:
    """Return the values as they are kept, or raise Invalid; the sentence never repeats what was given."""
    found = {}
    for field, text in fields.items():
        kept = text if field is Field.BODY else text.strip()
        if len(kept) > CHARS_MAX[field]:
            raise Invalid(f"The {field} has more than {CHARS_MAX[field]} characters", code="bad_personal")
        if _CONTROL.search(kept.replace("\n", "").replace("\r", "") if field in _LINES else kept) and (
            field is not Field.BODY
        ):
            raise Invalid(f"The {field} has characters that cannot be printed", code="bad_personal")
        if field is Field.EMAIL and kept and not _EMAIL.fullmatch(kept):
            raise Invalid("This is no e-mail address", code="bad_personal")
        found[field] = kept
    return found


def _mailbox(text: str) -> str:
    """Return an address with its ASCII letters small, and nothing else folded.

    It decides whose account it is: fa\u00df.example and fass.example are two domains with two owners, and so are two
    spellings that only look alike.
    """
    return text.strip().translate(_SMALL)


def _words(text: str) -> str:
    return " ".join(_NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).split())


def _phone(text: str) -> str:
    """+1 (555) 010-0199 and 001 555 0100199 -> 15550100199; without a country it stays without."""
    digits = "".join(c for c in unicodedata.normalize("NFKC", text) if c.isdigit())
    return digits.removeprefix("00")


FINDABLE: Final[Mapping[Field, Callable[[str], str]]] = {
    Field.NAME: _words,
    Field.EMAIL: _mailbox,
    Field.PHONE: _phone,
    Field.ADDRESS: _words,
    Field.DOCUMENT: _words,
}
"""What a person can be found by, and its normal form.

Not by postcode, locality or country: they have so few values that an index of them, keyed or not, would draw the map of
who lives where for whoever counts its rows. Nor by what machinery keeps.
"""


def normal(field: Field, text: str) -> str:
    """Return the normal form of a value that can be looked for. Raises Invalid for other fields and for nothing."""
    if field not in FINDABLE:
        raise Invalid(f"Nobody is found by their {field}", code="not_findable")
    form = FINDABLE[field](text)
    if not form:
        raise Invalid(f"Give the {field} to look for", code="nothing_to_find")
    return form
