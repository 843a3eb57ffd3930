"""Words of lists of orders: what a column can be, what is wrong in a row, and how a list stands."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from parcelward.shipping.uploads.columns import FIELDS, measure_of
from parcelward.shipping.uploads.wire import State, UploadSeen, Wrong


def fields() -> Mapping[str, str]:
    """Return what people call each field of a list."""
    plain = {
        "reference": _("Reference"),
        "addressee": _("Name"),
        "organisation": _("Company"),
        "street_1": _("Street and number"),
        "street_2": _("Second line of the address"),
        "street_3": _("Third line of the address"),
        "house_number": _("House number alone"),
        "dependent_locality": _("District"),
        "locality": _("Town or city"),
        "administrative_area": _("State or province"),
        "postcode": _("Postcode"),
        "country": _("Country"),
        "email": _("E-mail"),
        "phone": _("Telephone"),
        "note": _("Note for the door"),
        "product": _("Service"),
        "extras": _("Extras"),
        "contents": _("What is in it"),
        "hs_code": _("Customs tariff number"),
        "un": _("UN number"),
        "battery": _("Battery"),
        "value": _("Value"),
    }
    measures = {
        "weight": _("Weight"),
        "length": _("Length"),
        "width": _("Width"),
        "height": _("Height"),
        "size": _("Size"),
    }
    units = {
        field: _("%(measure)s in %(unit)s") % {"measure": measures[measure_of(field)], "unit": field.rpartition("_")[2]}
        for field in FIELDS
        if measure_of(field)
    }
    return {**plain, **units, **measures}


def wrong(one: Wrong) -> str:
    """Return what is wrong, in the reader's language."""
    words = {
        "missing": _("This is needed."),
        "too_long": _("This is too long."),
        "bad_email": _("This is no e-mail address."),
        "bad_number": _("Write a number, such as 0.9, or three sides, such as 30 x 20 x 10."),
        "bad_amount": _("Write an amount, such as 25.00."),
        "bad_choice": _("Write one of: %(choices)s.") % {"choices": one.suggestion},
        "bad_reference": _("Use letters without marks, digits, dots, dashes, spaces and slashes: 40 at most."),
        "bad_weight": _("A parcel weighs from 1 gram to 2 tonnes."),
        "bad_size": _("Each side has from 1 to 20,000 millimetres."),
        "bad_text": _("A note for the door is one line."),
        "too_long_for_label": _("Name, note and address together are too long for the label. Shorten them."),
        "no_route": _("We do not deliver to there yet."),
        "unknown_product": _("We sell nothing of this name."),
        "not_to_there": _("This service does not go there."),
        "extra_not_offered": _("This service has not all of these extras."),
        "too_large": _("The parcel is larger than this service carries."),
        "too_heavy": _("The parcel is heavier than this service carries."),
        "reference_twice": _("This reference stands in another row above."),
        "reference_ordered": _("A parcel with this reference was ordered by a list before."),
        "forgotten": _("An order could not be made of this row."),
    }
    return words.get(one.code) or one.message


def reason(code: str) -> str:
    """Return why a list stands still, and what to do."""
    words = {
        "not_enough": _("The balance does not hold enough for the next row. Pay in, then go on."),
        "over_cap": _("Whoever placed it may not spend more today. Go on tomorrow, or let somebody else place it."),
        "tariff_changed": _("Prices have changed meanwhile. Look at the new total before you go on."),
        "forgotten": _("The sender's address is not kept any more. Say again whom the parcels are from."),
        "not_theirs_any_more": _("Whoever placed it may not order any more. Place it yourself."),
        "no_tariff": _("Nothing is sold here at the moment."),
    }
    return words.get(code) or _("It stopped. Nothing is lost and nothing was ordered twice: go on when you like.")


def state(one: UploadSeen) -> str:
    """Return how a list stands, in a few words."""
    if one.state is State.PLACING and one.reason:
        return _("Stands still")
    return {
        State.MAPPING: _("Say what its columns mean"),
        State.CHECKING: _("Its rows are being looked at"),
        State.PREVIEW: _("Ready to look at and place"),
        State.PLACING: _("Being placed"),
        State.DONE: _("Placed"),
        State.GIVEN_UP: _("Given up"),
    }[one.state]
