"""What people read about orders: each state, each reason, what is not sold and why, and what is wrong at a field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from parcelward.base.errors import Problem
from parcelward.shipping.wire import State, Why

STATES: Final[Mapping[State, tuple[Any, Any]]] = {
    State.PAYING: (
        gettext_lazy("Not paid yet"),
        gettext_lazy("The label is made as soon as it is paid. After a day without payment the order is closed."),
    ),
    State.MAKING: (
        gettext_lazy("Being paid"),
        gettext_lazy("Your bank agreed, and the payment is being taken. Look again in a minute."),
    ),
    State.REVIEW: (
        gettext_lazy("A person looks at it"),
        gettext_lazy("Nothing was paid. You need do nothing: we decide by what you wrote."),
    ),
    State.BOUGHT: (gettext_lazy("Paid"), gettext_lazy("Print the label, put it on the parcel and hand it in.")),
    State.REFUSED: (
        gettext_lazy("We cannot take this"),
        gettext_lazy("Nothing was paid, and no label was made."),
    ),
    State.UNDONE: (
        gettext_lazy("Closed, nothing was paid"),
        gettext_lazy("No label was made. You can send the same parcel with a new order."),
    ),
    State.CANCELLED: (
        gettext_lazy("Cancelled"),
        gettext_lazy("What was paid goes back to where it came from."),
    ),
}
"""State -> (its name, what it means)."""
assert STATES.keys() == set(State), "every state has its words"  # noqa: S101 -- a hole must stop the start

TONES: Final[Mapping[State, str]] = {
    State.BOUGHT: "good",
    State.PAYING: "wait",
    State.MAKING: "wait",
    State.REVIEW: "wait",
    State.REFUSED: "bad",
}
"""State -> its colour, always beside its words; the others have none."""

REASONS: Final[Mapping[str, Any]] = {
    "hazmat_refuse": gettext_lazy("What is in it may not be posted."),
    "hazmat_hold": gettext_lazy("Somebody trained in dangerous goods decides whether what is in it may be posted."),
    "hazmat_accept_ground_only": gettext_lazy("What is in it may go by road only, and this service flies."),
    "hazmat_inspect": gettext_lazy("We look at what is in it when it is handed in."),
    "card_declined": gettext_lazy("The card was declined."),
    "not_paid": gettext_lazy("It was not paid."),
    "appealed": gettext_lazy("You asked that a person looks at it."),
    "allowed": gettext_lazy("A person looked at it and let it go on."),
    "refused_by_person": gettext_lazy("A person looked at it and refused it."),
    "given_up": gettext_lazy("You closed it before it was paid."),
    "forgotten": gettext_lazy("The addressee's data were erased meanwhile, so nothing can be sent to them."),
}
"""Reason -> what it says."""
RISK: Final = gettext_lazy("Something about this order is unusual, so a person looks at it.")
UNKNOWN: Final = gettext_lazy("There is a reason that we cannot say here. Ask us, and name the order.")

UNSOLD: Final[Mapping[str, Any]] = {
    "not_to_there": gettext_lazy("It does not go there"),
    "extra_not_offered": gettext_lazy("It has not all that you asked for, such as a signature"),
    "too_large": gettext_lazy("The parcel is larger than it carries"),
    "too_heavy": gettext_lazy("The parcel is heavier than it carries"),
}
"""Why a product does not carry a parcel -> its words."""

BATTERIES: Final[Mapping[str, Any]] = {
    "none": gettext_lazy("No battery"),
    "lithium_ion": gettext_lazy("Lithium-ion: rechargeable, as in phones and laptops"),
    "lithium_metal": gettext_lazy("Lithium metal: not rechargeable, such as coin cells"),
    "dry": gettext_lazy("Alkaline or NiMH, such as AA and AAA"),
    "more": gettext_lazy("Another kind"),
    "unknown": gettext_lazy("I do not know"),
}
"""What the form asks of every parcel; the rarer kinds are the next question."""

_UNSURE: Final = gettext_lazy("I do not know")
CHOICES: Final[Mapping[str, Any]] = {
    "true": gettext_lazy("Yes"),
    "false": gettext_lazy("No"),
    "unknown": _UNSURE,
    "none": gettext_lazy("None"),
    **{name: BATTERIES[name] for name in ("lithium_ion", "lithium_metal", "dry")},
    "sodium_ion": gettext_lazy("Sodium-ion"),
    "lead_acid_sealed": gettext_lazy("Lead-acid, sealed: nothing can run out"),
    "lead_acid_filled": gettext_lazy("Lead-acid, filled with liquid"),
    "other": gettext_lazy("None of these"),
    "in_device": gettext_lazy("In the device"),
    "beside_device": gettext_lazy("Beside the device"),
    "alone": gettext_lazy("Alone, without a device"),
    "cell": gettext_lazy("A single cell"),
    "battery": gettext_lazy("A battery of several cells, as in laptops"),
    "new": gettext_lazy("New, in its unopened packing"),
    "used": gettext_lazy("Used"),
    "refurbished_by_maker": gettext_lazy("Made like new by its maker"),
    "flammable": gettext_lazy("It burns"),
    "non_flammable": gettext_lazy("It does not burn"),
    "small": gettext_lazy("A small one"),
    "strong": gettext_lazy("A strong one"),
    "purged": gettext_lazy("Yes, and it was cleaned since"),
    "residue": gettext_lazy("Yes, and some may be left"),
    "fuelled": gettext_lazy("Yes, and it is in it now"),
    "never_filled": gettext_lazy("It was never filled"),
    "cleaned": gettext_lazy("It was emptied and cleaned"),
    "not_cleaned": gettext_lazy("It was emptied, not cleaned"),
    "exempt": gettext_lazy("Exempt: nothing in it can infect"),
    "category_b": gettext_lazy("Category B"),
    "category_a": gettext_lazy("Category A"),
}
"""What can be answered about what is in a parcel -> its words."""
NO: Final = gettext_lazy("No")
NONE_OF: Final = {"fuel": NO, "magnet": NO, "sample": NO, "battery": BATTERIES["none"]}
"""Question -> what its answer `none` says."""
UNITS: Final[Mapping[str, str]] = {
    "watt_hours": "Wh",
    "lithium_g": "g",
    "flash_point_c": "°C",
    "alcohol_percent": "%",
    "active_percent": "%",
    "dry_ice_kg": "kg",
    "magnet_field_ut_at_2_1_m": "µT",
    "magnet_field_ut_at_4_6_m": "µT",
}

MISSING: Final[Mapping[str, Any]] = {
    "from_name": gettext_lazy("Enter your name or your company's"),
    "from_street": gettext_lazy("Enter your street and number"),
    "from_town": gettext_lazy("Enter your town or city"),
    "from_area": gettext_lazy("Enter your state or region"),
    "from_postcode": gettext_lazy("Enter your postcode"),
    "from_country": gettext_lazy("Choose the country that you send from"),
    "to_name": gettext_lazy("Enter whose name stands at the door"),
    "to_street": gettext_lazy("Enter the addressee's street and number"),
    "to_town": gettext_lazy("Enter the addressee's town or city"),
    "to_area": gettext_lazy("Enter the addressee's state or region"),
    "to_postcode": gettext_lazy("Enter the addressee's postcode"),
    "to_country": gettext_lazy("Choose the country that it goes to"),
    "contents": gettext_lazy("Say in a few words what is in it"),
}
"""Field -> what to do where it is empty."""
PROBLEMS: Final[Mapping[str, Any]] = {
    "bad_weight": gettext_lazy("A parcel weighs from 1 gram to 2 tonnes"),
    "bad_size": gettext_lazy("A side is from 1 mm to 20 m long"),
    "bad_text": gettext_lazy("A note for the door is one line"),
    "no_route": gettext_lazy("We do not deliver to there yet"),
    "too_long_for_label": gettext_lazy(
        "Name, address and note together are longer than a label has room for. Shorten them"
    ),
    "unknown_product": gettext_lazy("We do not sell this any more. Choose one of the services below"),
    **UNSOLD,
}
"""What is wrong with an order -> its words, where the error has not its own for people."""


def state_name(state: State) -> str:
    """Return what a state is called."""
    return str(STATES[state][0])


def reason(why: Why) -> str:
    """Return why an order does not go on, in words."""
    if why.code.startswith("risk_"):
        return str(RISK)
    return str(REASONS.get(why.code, UNKNOWN))


def choice(field: str, code: str) -> str:
    """Return what an answer says."""
    return str(NONE_OF[field]) if code == "none" and field in NONE_OF else str(CHOICES[code])


def problem_words(problem: Problem, field: str) -> str:
    """Return what is wrong at a field, for whoever typed it."""
    if problem.code == "missing" and field in MISSING:
        return str(MISSING[field])
    return str(PROBLEMS[problem.code]) if problem.code in PROBLEMS else _(problem.message)
