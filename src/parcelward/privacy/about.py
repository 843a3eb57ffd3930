"""What a look is about: for each purpose, what a person must name before anything is opened. One table.

A role and a purpose alone would let a clerk read anybody. What is named has to exist, be open, and, where it says of
whom it is, be of the very person whose data is opened. The house's own machinery, and who opens their own, name none.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping
from typing import Final
from uuid import UUID

from django.utils import timezone

from parcelward.base.errors import Invalid
from parcelward.people import proofing
from parcelward.privacy import rows
from parcelward.privacy.models import RightsRequest
from parcelward.privacy.wire import Purpose, RequestState


class Matter(enum.StrEnum):
    """What a look can be about."""

    ITEM = "the number of an item"
    CHECK = "the id of a check at the counter that is open"
    REVIEW = "the id of a check that is in review"
    LETTER = "the id of a letter that is under way"
    REQUEST = "the id of a request of theirs that is open"


NAMES: Final[Mapping[Purpose, tuple[Matter, ...]]] = {
    Purpose.COUNTER: (Matter.CHECK, Matter.ITEM),
    Purpose.DELIVERY: (Matter.ITEM,),
    Purpose.LABEL: (Matter.ITEM,),
    Purpose.LETTER: (Matter.LETTER, Matter.ITEM),
    Purpose.CONTACT: (Matter.ITEM,),
    Purpose.INVESTIGATION: (Matter.ITEM, Matter.REVIEW, Matter.REQUEST),
    Purpose.SECURITY: (Matter.ITEM, Matter.REVIEW, Matter.REQUEST),
    Purpose.OWN_DATA: (Matter.REQUEST,),
}
"""Purpose -> what a person names for it. A purpose that is not here is the machinery's alone."""

_items: list[Callable[[str], bool]] = []


def know_items(exists: Callable[[str], bool]) -> None:
    """Be told by the room above how to ask whether an item has this number. Until then there is none."""
    _items[:] = [exists]


def require(about: str, persons: Collection[rows.PersonRow], purpose: Purpose) -> None:
    """Raise Invalid unless `about` names something open that this purpose is for, and that is of these people."""
    matters = NAMES.get(purpose, ())
    if not any(_is(matter, about, persons) for matter in matters):
        words = " or ".join(matters) or "nothing: it is for the machinery alone"
        raise Invalid(f"Say what it is about: for this purpose, {words}", code="about_needed")


def _is(matter: Matter, about: str, persons: Collection[rows.PersonRow]) -> bool:
    if matter is Matter.ITEM:
        return bool(about) and any(exists(about) for exists in _items)
    try:
        number = UUID(about)
    except ValueError:
        return False
    if matter is Matter.REQUEST:
        found = RightsRequest.objects.filter(pk=number, state__in=[RequestState.OPEN, RequestState.WAITING])
        account = found.values_list("account", flat=True).first()
        return account is not None and all(person.account == account for person in persons)
    ask = {Matter.CHECK: proofing.of_check, Matter.REVIEW: proofing.of_review, Matter.LETTER: proofing.of_letter}
    token = ask[matter](number, now=timezone.now())
    return token is not None and all(person.token == token for person in persons)
