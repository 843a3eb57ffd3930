"""The rows of kept people: sealed columns in, sealed columns out, and the marks that find them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from parcelward.base import db
from parcelward.base.vault import VaultToken
from parcelward.privacy import cipher, keepers, normal
from parcelward.privacy.cipher import Place
from parcelward.privacy.errors import NotInVault
from parcelward.privacy.keyfiles import Version
from parcelward.privacy.keys import DataKey
from parcelward.privacy.models import PersonTombstone
from parcelward.privacy.wire import Field, Kind

TABLE: Final = "privacy_person"
COLUMNS: Final[Mapping[Field, str]] = {field: f"{field.value}_sealed" for field in Field}
NUMBERS: Final[Mapping[Field, int]] = {field: number for number, field in enumerate(Field, start=1)}
"""What the blind index calls a field. Fields are added at the end, or every mark would change its meaning."""

MARKING: Final = 0x7077_6D61_726B
"""The advisory lock that whoever writes marks shares until its commit, so that a new secret can see them pass."""
DIGEST_BYTES: Final = 16
DIGEST_IN_SQL: Final = "encode(substr(sha256({}), 1, {}), 'hex')".format(
    " || ".join(
        f"coalesce(int2send({NUMBERS[field]}::int2) || int4send(octet_length({column})) || {column}, ''::bytea)"
        for field, column in COLUMNS.items()
    ),
    DIGEST_BYTES,
)
"""What `digest` gives, as PostgreSQL computes it of a row of the table."""

_KNOWN: Final = "token, kind, tenant, account, key_version, expires_at"


class PersonRow(NamedTuple):
    """What a person's row says, and those sealed columns that were asked for."""

    token: VaultToken
    kind: Kind
    tenant: UUID | None
    account: UUID | None
    key_version: int
    expires_at: dt.datetime | None
    sealed: Mapping[Field, bytes]


class NewPerson(NamedTuple):
    """A person about to be kept."""

    token: VaultToken
    kind: Kind
    tenant: UUID | None
    account: UUID | None
    expires_at: dt.datetime | None
    fields: Mapping[Field, str]
    made_by: int


def seal_fields(token: UUID, key: DataKey, fields: Mapping[Field, str]) -> dict[Field, bytes | None]:
    """Return each value as its column has it; an empty one is none."""
    return {
        field: cipher.seal(key.key, text, Place(TABLE, COLUMNS[field], token, key.version)) if text else None
        for field, text in fields.items()
    }


def digest(sealed: Mapping[Field, bytes | None]) -> str:
    """Return what an entry of the log says of a person's sealed columns as they stand: any older one gives another.

    A value that is put back opens as it always did, for its key and place are right; the log says that it is not the
    newest. The digest is of random nonces and ciphertext, and tells nothing.
    """
    whole = hashlib.sha256()
    for field, number in NUMBERS.items():
        value = sealed.get(field)
        if value is not None:
            whole.update(number.to_bytes(2, "big") + len(value).to_bytes(4, "big") + value)
    return whole.digest()[:DIGEST_BYTES].hex()


def unseal(row: PersonRow, key: DataKey, field: Field) -> str:
    """Return one value of a row. Raises NotAuthentic when it was changed or moved."""
    place = Place(TABLE, COLUMNS[field], row.token, row.key_version)
    return cipher.unseal(key.key, row.sealed[field], place)


def insert(persons: Sequence[NewPerson], keys: Mapping[UUID, DataKey], *, now: dt.datetime) -> list[str]:
    """Insert people and their marks, in two statements whatever their number. Return the digest of each row."""
    used = [field for field in Field if any(person.fields.get(field) for person in persons)]
    sealed = [seal_fields(person.token, keys[person.token], person.fields) for person in persons]
    columns = "".join([f", {COLUMNS[field]}" for field in used])
    values = [
        (
            *(person.token, person.kind.value, person.tenant, person.account, now, person.made_by, person.expires_at),
            keys[person.token].version,
            *(closed.get(field) for field in used),
        )
        for person, closed in zip(persons, sealed, strict=True)
    ]
    slots = ", ".join(["%s"] * (8 + len(used)))
    with db.cursor() as cur:
        cur.executemany(
            f"INSERT INTO {TABLE} (token, kind, tenant, account, made_at, made_by, expires_at, key_version{columns}) "  # noqa: S608 -- our own columns
            f"VALUES ({slots})",
            values,
        )
    add_marks([(person.token, person.tenant, person.fields) for person in persons])
    return [digest(closed) for closed in sealed]


def add_marks(people: Iterable[tuple[UUID, UUID | None, Mapping[Field, str]]]) -> None:
    """Let people be found by those of these values that people are found by, in the caller's transaction."""
    found = [
        (token, tenant, field, normal.normal(field, text))
        for token, tenant, fields in people
        for field, text in fields.items()
        if field in normal.FINDABLE and text and normal.FINDABLE[field](text)
    ]
    if found:
        with db.cursor() as cur:
            cur.execute("SELECT pg_advisory_xact_lock_shared(%s)", (MARKING,))
            versions = keepers.index_secrets()  # asked for behind the lock: nobody writes by one that is about to go
            newest = max(versions)
            rows = sorted(
                (NUMBERS[field], cipher.mark(versions[newest].secret, field, tenant, form), token, newest)
                for token, tenant, field, form in found
            )
            fields, marks, tokens, numbers = zip(*rows, strict=True)
            cur.execute(
                "INSERT INTO privacy_blind_index (field, mark, person, version) "
                "SELECT * FROM unnest(%s::int2[], %s::int[], %s::uuid[], %s::int2[]) ON CONFLICT DO NOTHING",
                (list(fields), list(marks), list(tokens), list(numbers)),
            )


def drop_marks(token: UUID, fields: Collection[Field]) -> None:
    """Let a person be found by these fields no more."""
    with db.cursor() as cur:
        cur.execute(
            "DELETE FROM privacy_blind_index WHERE person = %s AND field = ANY(%s::int2[])",
            (token, [NUMBERS[field] for field in fields]),
        )


def read(tokens: Collection[UUID], fields: Collection[Field], *, lock: str = "") -> dict[VaultToken, PersonRow]:
    """Return the rows of those who are here; `lock` is FOR UPDATE or FOR KEY SHARE, taken in the order of tokens."""
    wanted = [field for field in Field if field in fields]
    columns = "".join([f", {COLUMNS[field]}" for field in wanted])
    with db.cursor() as cur:
        cur.execute(
            f"SELECT {_KNOWN}{columns} FROM {TABLE} WHERE token = ANY(%s::uuid[]) ORDER BY token {lock}",  # noqa: S608 -- our own words
            (db.uuid_array([token.bytes for token in tokens]),),
        )
        return {row[0]: _person(row, wanted) for row in cur.fetchall()}


def candidates(field: Field, form: str, tenant: UUID | None, *, lasting: bool = False) -> list[PersonRow]:
    """Return whom the blind index finds for a value in its normal form: the right ones, and a few strangers.

    While the index gets a new secret each person has marks by one of those that are asked for; asked again where a
    secret came between asking for the secrets and asking for the marks.
    """
    while True:
        found = keepers.index_secrets()
        near = _near(field, form, tenant, found, lasting=lasting)
        if keepers.index_secrets().keys() == found.keys():
            return near


def _near(
    field: Field, form: str, tenant: UUID | None, found: Mapping[int, Version], *, lasting: bool
) -> list[PersonRow]:
    marks = [cipher.mark(each.secret, field, tenant, form) for each in found.values()]
    with db.cursor() as cur:
        cur.execute(
            "SELECT p.token, p.kind, p.tenant, p.account, p.key_version, p.expires_at, "  # noqa: S608 -- our own column
            f"p.{COLUMNS[field]} FROM privacy_blind_index i JOIN {TABLE} p ON p.token = i.person "
            "JOIN unnest(%s::int[], %s::int2[]) AS u(mark, version) ON u.mark = i.mark AND u.version = i.version "
            "WHERE i.field = %s AND i.mark = ANY(%s::int[]) AND p.tenant IS NOT DISTINCT FROM %s "
            "AND (p.expires_at IS NULL OR NOT %s) ORDER BY p.token",
            (marks, list(found), NUMBERS[field], marks, tenant, lasting),
        )
        return [_person(row, [field]) for row in cur.fetchall()]


def update(token: UUID, sealed: Mapping[Field, bytes | None]) -> None:
    """Write changed columns of a person whose row the caller has locked."""
    changes = ", ".join([f"{COLUMNS[field]} = %s" for field in sealed])
    with db.cursor() as cur:
        cur.execute(f"UPDATE {TABLE} SET {changes} WHERE token = %s", (*sealed.values(), token))  # noqa: S608 -- our own columns


def absent(token: UUID) -> NotInVault:
    """Return the refusal for somebody who is not here."""
    if PersonTombstone.objects.filter(person=token).exists():
        return NotInVault("This person's data was shredded: nobody can open it any more", code="shredded")
    return NotInVault("Nobody is kept under this token")


def _person(row: tuple[Any, ...], fields: Sequence[Field]) -> PersonRow:
    token, kind, tenant, account, version, expires_at, *columns = row
    sealed = {field: bytes(column) for field, column in zip(fields, columns, strict=True) if column is not None}
    return PersonRow(VaultToken(token), Kind(kind), tenant, account, version, expires_at, sealed)
