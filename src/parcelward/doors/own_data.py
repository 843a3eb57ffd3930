"""What somebody's own data looks like, for the screens and the API alike: one download, one rule of what is strong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils import timezone

from parcelward.base.standards import postcodes
from parcelward.doors.portals import mydata_words as words
from parcelward.people import proofing
from parcelward.people import queries as who
from parcelward.people.wire import Person, Task
from parcelward.privacy import actions as privacy
from parcelward.privacy import queries
from parcelward.privacy.wire import Field, Kept

ENTRIES_SHOWN_MAX: Final = 200
LOOKS_EXPORTED_MAX: Final = 100_000
DEEDS_PER_MINUTE: Final = 20
"""From one address, at the screens and by the API together (`throttle.allow`, bucket `mydata`)."""
TEXT_MAX: Final = 300
PARTS: Final[dict[str, tuple[Field, ...]]] = {
    "name": (Field.NAME,),
    "phone": (Field.PHONE,),
    "address": (Field.ADDRESS, Field.POSTCODE, Field.LOCALITY, Field.COUNTRY),
}
"""What is corrected at once -> its fields."""


def strong(person: Person) -> bool:
    """Return whether a fresh proof of theirs is more than a code by e-mail: `prove_again` takes nothing weaker."""
    held = who.proofs_of(by=person)
    return bool(held.passkey or held.app_codes)


def needed(typed: Mapping[Field, str]) -> list[Field]:
    """Return which of these fields may not be empty: a postcode may, where the country has none."""
    form = postcodes.form_of(typed.get(Field.COUNTRY, "").upper())
    return [field for field in typed if not (field is Field.POSTCODE and form is not None and not form.pattern)]


def entries(person: Person) -> list[Kept]:
    """Return what is kept of somebody, unopened: the newest, in the order in which it came."""
    return [queries.kept(token) for token in queries.of_account(person.id)[-ENTRIES_SHOWN_MAX:]]


def proven(person: Person) -> tuple[proofing.Proven, ...]:
    """Return what somebody has proven of who they are."""
    return proofing.mine(by=person, now=timezone.now()).proven if who.may(person, Task.PROVE_SELF) else ()


def document(person: Person) -> dict[str, Any]:
    """Return all that is held of somebody as JSON's own values: what is kept, who looked, what they asked, the account.

    Raises what `privacy.export` raises. It is a look like any other, and stands in the trail before it is given.
    """
    given = privacy.export(by=person, strong=strong(person))
    rows = queries.looks(queries.of_account(person.id), by=person, limit=LOOKS_EXPORTED_MAX)
    given["looks"] = words.export_looks(rows, own_source=person.source)
    given["account"] = _account(person)
    return given


def _account(person: Person) -> dict[str, Any]:
    return {
        "id": str(person.id),
        "signs_in_as": person.name,
        "passkeys": [{"name": one.name, "made_at": one.made_at.isoformat()} for one in who.passkeys(by=person)],
        "roles": [
            {"role": one.role.value, "organisation": one.organisation, "since": one.since.isoformat()}
            for one in who.memberships(by=person)
        ],
        "proven": [
            {"level": one.level.name.lower(), "method": one.method.value, "since": one.since.isoformat()}
            for one in proven(person)
        ],
        "security_history": [
            {"what": one.kind, "at": one.at.isoformat(), "by_you": one.by_self}
            for one in who.security_history(by=person, limit=10_000)
        ],
    }
