"""What can be found in an address: each with a stable code, and the words for it.

The words never repeat what was typed. They are read in the language of whoever reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from parcelward.base.errors import Problem

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

FAULTS: Final[Mapping[str, _StrPromise]] = {
    "country_missing": _("Say which country it is, by its two letters such as US."),
    "country_unknown": _("There is no such country. Give its two letters, such as US."),
    "country_is_name": _("Give the country by its two letters."),
    "missing": _("An address in this country needs this field."),
    "too_long": _("This is longer than a label has room for. Shorten it."),
    "too_many_lines": _("A label has no room for so many lines. Put some together."),
    "postcode_form": _("Postcodes of this country look different. Check the postcode and the country."),
    "postcode_form_like": _("Postcodes of this country look like %(example)s. Check the postcode and the country."),
    "postcode_not_in_area": _("The postcode does not belong to this state or region. Check which of the two is wrong."),
    "area_unknown": _("This country has no such state or region. Check how it is written."),
    "swapped": _("This looks as if two fields had changed places. Check both."),
    "postcode_in_locality": _("The postcode stands with the place. Put it in its own field."),
}
"""Why something could not be delivered, or somebody would have to guess: `strict` refuses these."""

ADVICE: Final[Mapping[str, _StrPromise]] = {
    "area_other": _("Labels in this country name another kind of area. The postcode says which."),
    "changed": _("This was put into the usual form."),
    "not_printed": _("Addresses in this country do not have this. It is not printed on the label."),
    "po_box": _("This is a post office box. Couriers cannot deliver there."),
}
"""What is good to know; nothing is refused for it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found: `pointer` is a JSON Pointer (RFC 6901) into the address.

    `suggestion` is what could stand there instead, from our tables or mended from what was typed; empty where we
    know of nothing.
    """

    pointer: str
    code: str
    suggestion: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def fault(self) -> bool:
        """Return whether `strict` refuses it."""
        return self.code in FAULTS

    @property
    def message(self) -> str:
        """Return what it is and what to do, for people."""
        words = FAULTS.get(self.code) or ADVICE[self.code]
        return str(words) % self.details if self.details else str(words)

    def problem(self) -> Problem:
        """Return it as part of an error."""
        return Problem(self.pointer, self.code, self.message, self.suggestion)
