"""What rules and models may ask about an order: ONE table of plain facts, then the features, then the model's score.

Whoever asks for a decision names facts as they are named here (`OrderFacts.known`); what they do not know is left out.
No framework, no clock, no database. No personal data: a country is as near as a place comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from parcelward.risk.features.store import Values
from parcelward.risk.features.table import TABLE, What
from parcelward.risk.features.words import WORDS
from parcelward.risk.language import schema
from parcelward.risk.language.schema import Schema
from parcelward.risk.wire import Fact, Field, FieldType, OrderFacts, Unit


def _(text: str) -> str:
    """Mark a text to be translated."""
    return text


PLAIN: Final = (
    Field("items", FieldType.INT, _("%(value)s items")),
    Field("weight_g", FieldType.INT, _("%(value)s g in all")),
    Field("declared_value_minor", FieldType.INT, _("%(value)s declared as its value"), Unit.MINOR),
    Field("origin_country", FieldType.TEXT, _("sent from %(value)s")),
    Field("destination_country", FieldType.TEXT, _("sent to %(value)s")),
    Field("service", FieldType.TEXT, _("service %(value)s")),
    Field("account_age_s", FieldType.INT, _("an account %(value)s old"), Unit.SECONDS),
    Field("first_order", FieldType.BOOL, _("the first order of this account")),
    Field("proof_level", FieldType.INT, _("proof of who they are at level %(value)s"), most=9),
    Field("by_key", FieldType.BOOL, _("ordered by a program, with a key")),
    Field("payment", FieldType.TEXT, _("paid by %(value)s")),  # balance or card
    Field("card_country", FieldType.TEXT, _("a card from %(value)s")),
    Field("authenticated", FieldType.BOOL, _("the payer has proven who they are")),
    Field("address_checked", FieldType.BOOL, _("the address is known to exist")),
    Field("hazmat", FieldType.TEXT, _("dangerous goods: %(value)s")),  # the answer of parcels/hazmat
)
"""What whoever asks may tell."""

OF_THE_ORDER: Final = (
    Field("amount_minor", FieldType.INT, _("an order for %(value)s"), Unit.MINOR),
    Field("currency", FieldType.TEXT, _("in %(value)s")),
)
SCORE: Final = Field("score", FieldType.FLOAT, _("a probability of %(value)s that it is fraud, says the model"), most=1)

_TYPES: Final = {
    What.COUNT: (FieldType.INT, Unit.PLAIN),
    What.SUM: (FieldType.INT, Unit.MINOR),
    What.MEAN: (FieldType.FLOAT, Unit.MINOR),
    What.DISTINCT: (FieldType.INT, Unit.PLAIN),
    What.RISK: (FieldType.FLOAT, Unit.PLAIN),
}
FEATURES: Final = tuple(Field(one.name, *_TYPES[one.what][:1], WORDS[one.name], _TYPES[one.what][1]) for one in TABLE)

SCHEMA: Final = Schema((*OF_THE_ORDER, *PLAIN, *FEATURES, SCORE))
_NAMES: Final = frozenset(one.name for one in PLAIN)


def used(order: OrderFacts, features: Values, score: float | None) -> dict[str, Fact]:
    """Return what is known of an order, each under its name, in the order of the table; what is missing is not there.

    Raises ValueError for a fact that the table does not have: the caller's bug.
    """
    strange = order.known.keys() - _NAMES
    if strange:
        raise ValueError(f"risk has no such facts: {', '.join(sorted(strange))}")
    told: Mapping[str, object] = {
        "amount_minor": order.amount_minor,
        "currency": order.currency,
        **order.known,
        **features,
        SCORE.name: score,
    }
    found = ((field.name, schema.value(field, told)) for field in SCHEMA.fields)
    return {name: value for name, value in found if value is not None}
