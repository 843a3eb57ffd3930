"""What the screens of customs say: why something is sent, and what is wrong with what was declared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy

from parcelward.shipping.customs import rules
from parcelward.shipping.customs.wire import Reason

REASONS: Final[Mapping[Reason, Any]] = {
    Reason.SALE: gettext_lazy("It was sold"),
    Reason.GIFT: gettext_lazy("A gift"),
    Reason.DOCUMENTS: gettext_lazy("Documents"),
    Reason.SAMPLE: gettext_lazy("A commercial sample"),
    Reason.RETURNED: gettext_lazy("It goes back to its seller"),
    Reason.OTHER: gettext_lazy("Another reason"),
}
"""Reason -> what its choice says."""
assert REASONS.keys() == set(Reason), "a reason has no words"  # noqa: S101 -- a hole must stop the start

_CONTACT: Final = gettext_lazy("Enter a telephone number or an e-mail address in one line")
_REFERENCE: Final = gettext_lazy("Enter the number in one line of at most 40 letters")
PROBLEMS: Final[Mapping[tuple[str, str], Any]] = {
    ("", "missing"): gettext_lazy("Say for customs what is in the parcel, line by line, and why it is sent"),
    ("reason", "missing"): gettext_lazy("Choose why it is sent"),
    ("explanation", "missing"): gettext_lazy("Say in a few words why it is sent"),
    ("explanation", "bad_text"): gettext_lazy("Say why it is sent in one line of at most 40 letters"),
    ("sender_contact", "missing"): gettext_lazy("Enter a telephone number or an e-mail address of yours"),
    ("sender_contact", "bad_text"): _CONTACT,
    ("addressee_contact", "missing"): gettext_lazy("Enter a telephone number or an e-mail address of the addressee"),
    ("addressee_contact", "bad_text"): _CONTACT,
    ("sender_reference", "bad_text"): _REFERENCE,
    ("importer_reference", "bad_text"): _REFERENCE,
    ("goods", "bad_count"): gettext_lazy("Name each kind of goods in a line of its own, 1 to 20 lines"),
    ("goods", "too_heavy"): gettext_lazy("The goods together weigh more than the whole parcel. Check the weights"),
    ("description", "missing"): gettext_lazy("Say what it is, such as cotton T-shirts"),
    ("description", "bad_text"): gettext_lazy("Describe it in one line of at most 140 letters"),
    ("description", "vague"): gettext_lazy(
        "Customs cannot tell what this is. Name the thing itself, such as cotton T-shirts"
    ),
    ("quantity", "missing"): gettext_lazy("Enter how many of it are in the parcel, such as 2"),
    ("net_weight_g", "missing"): gettext_lazy("Enter what this line weighs without packing, such as 0.4"),
    ("value_minor", "missing"): gettext_lazy("Enter what this line is worth; a gift has a value, too"),
    ("currency", "missing"): gettext_lazy("Enter the currency, such as EUR"),
    ("currency", "bad_currency"): gettext_lazy("Enter the currency by its three letters, such as EUR"),
    ("currency", "other_currency"): gettext_lazy("Give all values of a parcel in one currency"),
    ("origin", "missing"): gettext_lazy("Choose the country where it was made"),
    ("origin", "bad_country"): gettext_lazy("Choose the country where it was made"),
    ("hs_code", "missing"): gettext_lazy("Enter the tariff code, or find it by what the goods are called"),
    ("hs_code", "bad_code"): gettext_lazy("A tariff code has six to ten digits, such as 6109.10"),
    ("hs_code", "unknown_code"): gettext_lazy("There is no such tariff code. Find it by what the goods are called"),
}
"""Field and code -> what to do, for whoever types it."""
assert PROBLEMS.keys() == rules.WORDS.keys(), "a problem has no words"  # noqa: S101 -- as above
