"""What the calls about one's own data take and give."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from ninja import Field, Schema

from parcelward.doors import own_data
from parcelward.doors.api.shapes import Strict
from parcelward.privacy.wire import Subject

SUBJECTS: Final[dict[str, Any]] = {"enum": [one.value for one in Subject if one]}
Text = Annotated[str, Field(min_length=1, max_length=own_data.TEXT_MAX, pattern=r"\S")]


class MeOut(Schema):
    """Who the session is, and how fresh their proof."""

    object: Literal["me"] = "me"
    mode: str
    role: str
    proved_at: str
    fresh_until: str = Field(description="until then the calls that need a fresh proof are answered")
    strong: bool = Field(description="whether a proof of theirs is more than a code by e-mail")
    prove_at: str = Field(description="where a proof is renewed: no key and no call does it for a person")
    csrf_token: str = Field(description="for the header X-CSRFToken of whatever changes something")


class EntryOut(Schema):
    """One entry of what is held of you."""

    object: Literal["entry"] = "entry"
    id: str
    mode: str
    created_at: str
    kind: str
    title: str
    kept_until: str | None = Field(description="null: as long as the table of retention says")
    fields: dict[str, str]


class LookOut(Schema):
    """One time that somebody looked: by role, never by name."""

    object: Literal["look"] = "look"
    at: str
    by: str = Field(description="you, or a role")
    purpose: str
    fields: list[str]
    about: str | None
    searched: bool = Field(description="found by what was typed in, and not opened")
    says: str


class RequestOut(Schema):
    """What you asked of your data, and where it stands."""

    object: Literal["request"] = "request"
    id: str
    mode: str
    created_at: str
    right: Literal["export", "correct", "erase", "restrict", "object"]
    subject: str | None
    state: Literal["open", "waiting", "in_force", "done", "refused", "withdrawn"]
    due_at: str
    extended_at: str | None
    not_before: str | None = Field(description="until then an erasure that was agreed to can be called off")
    ended_at: str | None
    reason: str | None = Field(description="why it was answered so: a code")
    says: str = Field(description="where it stands, in words")
    reason_says: str
    legal_hold: str | None = Field(description="of an erasure that is not carried out: what a legal hold keeps")
    can_withdraw: bool
    afterwards: str | None = Field(description="of an erasure: keep it, it says what is left when you are gone")


class TermsOut(Schema):
    """What stands in the way of an erasure."""

    object: Literal["erasure_terms"] = "erasure_terms"
    entries: int
    legal_holds: int = Field(description="entries that a legal hold keeps")
    legal_hold: str | None
    roles: list[str] = Field(description="roles that end first, by whoever gave them")


class AddressIn(Strict):
    """An address: all its lines at once."""

    address: Text = Field(description="street and number, several lines")
    postcode: Text
    locality: Text
    country: str = Field(pattern="^[A-Z]{2}$", examples=["US"])


class CorrectionIn(Strict):
    """What is right in an entry. Another e-mail address signs in, so it is proven first: not here."""

    entry: str = Field(max_length=100, description="ent_...")
    name: Text | None = None
    phone: Text | None = None
    address: AddressIn | None = None


class CorrectionOut(Schema):
    """That it is written. What was proven of these fields must be proven anew."""

    object: Literal["correction"] = "correction"
    entry: str
    mode: str
    fields: list[str]


class ObjectionIn(Strict):
    """What you object to."""

    subject: Annotated[str, Field(json_schema_extra=SUBJECTS)]


class ErasureIn(Strict):
    """That everything is meant: your data, your account, and what you have proven."""

    everything: Literal[True]
