"""Reads about personal data that open nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from parcelward.base import db
from parcelward.base.vault import VaultToken
from parcelward.people.queries import require
from parcelward.people.wire import Person, Task
from parcelward.privacy import (
    asked,
    bodies,
    contact_reads,
    keepers,
    linking,
    retention,
    rights_rules,
    rows,
    verification,
)
from parcelward.privacy.actions import messages, turn_index, turn_keys
from parcelward.privacy.models import Contact, KeptPerson
from parcelward.privacy.wire import Field, Kept, Kind, Look, Purpose

messages_waiting = messages.waiting
check_privacy = verification.check_privacy
kek_status = turn_keys.status
index_status = turn_index.index_status
requests_of = asked.requests_of
requests_open = asked.requests_open
request = asked.request
what_is_left = asked.what_is_left
holds_on = asked.holds_on
contacts_of = contact_reads.contacts_of
contact = contact_reads.contact
senders_to_write_for = contact_reads.senders_to_write_for
relay_on = contact_reads.relay_on
REFUSES = rights_rules.REFUSES
EXTENDS = rights_rules.EXTENDS
RETENTION_CLASSES = retention.CLASSES
retention_of = retention.of
kept_until = retention.before
link_mark = linking.link_mark
opener = bodies.opener
Opener = bodies.Opener


def require_keys() -> None:
    """Have the keys of the vault, made once. Raises BadSetting or KeysAway with how to mend it."""
    keepers.keeper().versions()
    keepers.index_secrets()


def is_kept(token: VaultToken) -> bool:
    """Return whether anything is kept of a person."""
    return token in kept_among([token])


def kept_among(tokens: Iterable[VaultToken]) -> frozenset[VaultToken]:
    """Return of which of these people anything is kept."""
    return frozenset(map(VaultToken, KeptPerson.objects.filter(token__in=set(tokens)).values_list("token", flat=True)))


def kept(token: VaultToken) -> Kept:
    """Return what is said of a person without opening anything. Raises NotInVault."""
    row = KeptPerson.objects.filter(token=token).first()
    if row is None:
        raise rows.absent(token)
    return Kept(
        token=token,
        kind=Kind(row.kind),
        tenant=row.tenant,
        account=row.account,
        fields=tuple(field for field in Field if getattr(row, rows.COLUMNS[field]) is not None),
        made_at=row.made_at,
        expires_at=row.expires_at,
    )


def of_account(account: UUID) -> tuple[VaultToken, ...]:
    """Return whatever is kept of the person who signs in with this account."""
    tokens = KeptPerson.objects.filter(account=account).order_by("made_at", "token").values_list("token", flat=True)
    return tuple(VaultToken(token) for token in tokens)


def looks(tokens: Collection[VaultToken], *, by: Person, limit: int = 1_000) -> tuple[Look, ...]:
    """Return who looked at these people's data, newest first: for themselves, or for who may read the trail."""
    own = set(KeptPerson.objects.filter(account=by.id).values_list("token", flat=True))
    if not set(tokens) <= own:
        require(by, Task.READ_TRAIL)
    with db.cursor() as cur:
        cur.execute(
            "SELECT at, by, role, purpose, fields, about, searched FROM privacy_disclosure "
            "WHERE person = ANY(%s::uuid[]) ORDER BY at DESC, id DESC LIMIT %s",
            (db.uuid_array([token.bytes for token in tokens]), limit),
        )
        return tuple(
            Look(at, by_source, role, Purpose(purpose), tuple(Field(f) for f in fields), about, searched)
            for at, by_source, role, purpose, fields, about, searched in cur.fetchall()
        )


def contact_items(after: UUID, limit: int) -> list[UUID]:
    """Return the items about which people can write to each other, in their order from `after` on."""
    found = Contact.objects.filter(closed_at=None, item__gt=after).order_by("item").distinct()
    return list(found.values_list("item", flat=True)[:limit])
