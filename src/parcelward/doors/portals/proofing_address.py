"""A name and an address as somebody types them: checked, put into the vault, and found again under other names."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.http import QueryDict
from django.utils.translation import gettext as _

from parcelward.base import config
from parcelward.base.standards import postcodes
from parcelward.base.vault import VaultToken
from parcelward.doors.portals.proofing_letter import printable
from parcelward.people import actions as people
from parcelward.people.wire import Person
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import Field, Kind, Purpose

FORGOTTEN_AFTER: Final = dt.timedelta(
    days=60
)  # what was not proven; a letter or a check holds for 30, a review follows
LENGTH_MAX: Final = 100
NAME: Final = ("name",)
AT_ONCE: Final = 500
ADDRESS: Final = ("line1", "line2", "locality", "postcode", "country")
PLACE: Final = (Field.ADDRESS, Field.POSTCODE, Field.LOCALITY, Field.COUNTRY)


@dataclass(frozen=True, slots=True, repr=False)
class Typed:
    """What was typed. Nothing typed is ever lost, and it is shown to nobody but who typed it."""

    values: Mapping[str, str]

    @classmethod
    def parse(cls, form: QueryDict) -> Typed:
        """Read a form; control characters and what is too long are cut off."""
        cut = {name: _plain(form.get(name, ""))[:LENGTH_MAX] for name in (*NAME, *ADDRESS)}
        cut["country"] = (cut["country"] or config.get().country).upper()
        return cls(cut)

    def problems(self, names: tuple[str, ...]) -> dict[str, str]:
        """Return what is wrong with these fields."""
        needed = {
            "name": _("Enter your full name, as on your letterbox."),
            "line1": _("Enter the street and the number."),
            "locality": _("Enter the town."),
        }
        found = {name: words for name, words in needed.items() if name in names and not self.values[name]}
        for name in names:
            if not printable(self.values[name]):
                found[name] = _("Write it in Latin letters, as for a letter from abroad: we can print no others yet.")
        if "country" in names:
            found |= self._problem_of_country()
        return found

    def _problem_of_country(self) -> dict[str, str]:
        """Return what is wrong with the country, or with the postcode in it: many countries have no postcodes."""
        form = postcodes.form_of(self.values["country"])
        if form is None:
            return {"country": _("Enter the country's two letters, such as US.")}
        if form.pattern and not self.values["postcode"]:
            return {"postcode": _("Enter the postcode.")}
        if form.fits(self.values["postcode"]):
            return {}
        if not form.example:
            return {"postcode": _("Postcodes of this country look different. Check the postcode and the country.")}
        words = _("Postcodes of this country look like %(example)s. Check the postcode and the country.")
        return {"postcode": words % {"example": form.example}}

    def fields(self) -> dict[Field, str]:
        """Return it as the vault keeps it."""
        lines = (self.values["line1"], self.values["line2"])
        return {
            Field.NAME: self.values["name"],
            Field.ADDRESS: "\n".join(line for line in lines if line),
            Field.POSTCODE: self.values["postcode"],
            Field.LOCALITY: self.values["locality"],
            Field.COUNTRY: self.values["country"],
        }

    def put(self, *, owner: Person, now: dt.datetime) -> VaultToken:
        """Keep it in the vault until it is proven or forgotten."""
        return privacy.put(
            self.fields(),
            kind=Kind.PENDING,
            by=people.machinery(),
            account=owner.id,
            expires_at=now + FORGOTTEN_AFTER,
        )

    def same_address(self, *, about: str) -> tuple[VaultToken, ...]:
        """Return every entry of the vault with this address, whoever lives there."""
        house = people.machinery()
        near = privacy.find(Field.ADDRESS, self.fields()[Field.ADDRESS], purpose=Purpose.LETTER, by=house)
        wanted = self.fields()
        fields = (Field.POSTCODE, Field.COUNTRY)
        same: list[VaultToken] = []
        for start in range(0, len(near), AT_ONCE):
            some = near[start : start + AT_ONCE]
            with privacy.reveal_many(some, fields, purpose=Purpose.LETTER, by=house, about=about) as opened:
                same += (
                    token
                    for token, kept in opened.items()
                    if all(_folded(kept[f].text if f in kept else "") == _folded(wanted[f]) for f in fields)
                )
        return tuple(same)


def known(token: VaultToken) -> None:
    """Note that what was kept until it is proven is proven: it is forgotten no more."""
    privacy.settle(token, kind=Kind.ADDRESSEE, by=people.machinery())


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _folded(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())
