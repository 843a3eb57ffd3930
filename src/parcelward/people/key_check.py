"""Compare API keys, what they may spend, and bans with the entries that decided on them: part of `verify-log`.

Whoever can turn a key's row gives a stranger its rights: by another digest, another role or organisation, wider scopes,
a revocation that vanished, a token before the last one that never ends; by a higher cap; by a ban that is gone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from parcelward.base import db
from parcelward.custody.queries import Findings, Told, told

KEY_MADE: Final = "people.key_made"
KEY_ROTATED: Final = "people.key_rotated"
KEY_REVOKED: Final = "people.key_revoked"
SPENDING_GRANTED: Final = "people.spending_granted"
SPENDING_WITHDRAWN: Final = "people.spending_withdrawn"
ADDRESS_BANNED: Final = "people.address_banned"
BAN_ENDED: Final = "people.ban_ended"


@dataclass(slots=True)
class _Key:
    """What the entries of one key add up to."""

    made: Told
    now: Told  # what gave it its present token: the making, or the last rotation
    before: Told | None = None  # what gave it the token before that
    revoked: Told | None = None


def check_keys(findings: Findings) -> None:
    """Note every key, grant and ban whose row is not what the log's entries say."""
    keys = _keys()
    stored = {row["source_id"]: row for row in _rows("people_apikey")}
    for source, key in keys.items():
        what, index = _key_problem(key, stored.pop(source, None))
        if what:
            named = key.made.said.get("name")
            shown = f"{source}" if named is None else f"{source} ({named})"
            findings.note(f"API key {shown} {what}.", differs="api_key", index=index)
    for source in stored:
        findings.note(f"API key of source {source} is in the table and no entry made it.", differs="api_key")
    _check_grants(findings)
    _check_bans(findings)


def _rows(table: str) -> Iterator[dict[str, Any]]:
    with db.cursor() as cur:
        cur.execute(f"SELECT * FROM {table}")  # noqa: S608 -- one of our own names
        names = [column.name for column in cur.description or ()]
        return (dict(zip(names, row, strict=True)) for row in cur.fetchall())


def _keys() -> dict[int, _Key]:
    keys: dict[int, _Key] = {}
    for entry in told(KEY_MADE, KEY_ROTATED, KEY_REVOKED):
        source = int(entry.said["source"])
        if entry.kind == KEY_MADE:
            keys.setdefault(source, _Key(entry, entry))
        elif source in keys and entry.kind == KEY_ROTATED:
            keys[source].before, keys[source].now = keys[source].now, entry
        elif source in keys:
            keys[source].revoked = entry
    return keys


def _moment(value: dt.datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _key_problem(key: _Key, row: dict[str, Any] | None) -> tuple[str, int | None]:
    """Return what is wrong with a row and the entry that it contradicts; empty words if nothing is.

    What an entry of an older version does not say is not compared; it knew neither scopes nor organisations.
    """
    if row is None:
        return "was made and its row is gone", key.made.place
    made, now, before = key.made.said, key.now.said, key.before
    digest, former = (None if row[name] is None else bytes(row[name]).hex() for name in ("digest", "previous_digest"))
    expires_at, former_ends_at = (_moment(row[name]) for name in ("expires_at", "previous_ends_at"))
    former_said = before.said.get("digest", former) if before else None
    for entry, was, is_now, words in (
        (key.made, made.get("role", row["role"]), row["role"], "has another role than it was made with"),
        (key.now, now.get("digest", digest), digest, "opens with another token than it was made with"),
        (key.made, made.get("key", str(row["id"])), str(row["id"]), "has another id than it was made with"),
        (key.now, now.get("prefix", row["prefix"]), row["prefix"], "has another beginning than it was made with"),
        (key.now, now.get("expires_at", expires_at), expires_at, "ends at another moment than it was made to"),
        (key.made, made.get("scopes"), row["scopes"], "has other scopes than it was made with"),
        (key.made, made.get("maker"), _text(row["maker_id"]), "was made by another key than its row says"),
        (key.made, made.get("organisation"), _text(row["organisation_id"]), "belongs to another organisation"),
        (key.now, now.get("previous_ends_at"), former_ends_at, "has a former token that ends at another moment"),
        (key.now, former_said, former, "has another former token than it was rotated from"),
    ):
        if was != is_now:
            return words, entry.place
    return _revocation_problem(key, row["revoked_at"])


def _revocation_problem(key: _Key, revoked_at: dt.datetime | None) -> tuple[str, int | None]:
    if key.revoked is None:
        return ("is revoked in the table and no entry revoked it", key.made.place) if revoked_at else ("", None)
    if revoked_at is None:
        return "was revoked and its row says that it is not", key.revoked.place
    if key.revoked.said.get("revoked_at", revoked_at.isoformat()) != revoked_at.isoformat():
        return "was revoked at another moment than its row says", key.revoked.place
    return "", None


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


_GRANTED: Final = ("cap_payment_minor", "cap_day_minor", "cap_month_minor", "currency")


def _check_grants(findings: Findings) -> None:
    granted, withdrawn = _by_id(SPENDING_GRANTED, "grant"), _by_id(SPENDING_WITHDRAWN, "grant")
    stored = {str(row["id"]): row for row in _rows("people_spendgrant")}
    for grant, entry in granted.items():
        row, ended = stored.pop(grant, None), withdrawn.get(grant)
        what = _grant_problem(entry.said, ended.said if ended else None, row)
        if what:
            findings.note(f"Grant {grant} {what}.", differs="spend_grant", index=(ended or entry).place)
    for grant in stored:
        findings.note(f"Grant {grant} is in the table and no entry made it.", differs="spend_grant")


def _grant_problem(said: dict[str, Any], ended: dict[str, Any] | None, row: dict[str, Any] | None) -> str:
    if row is None:
        return "was made and its row is gone"
    if any(said[name] != row[name] for name in _GRANTED) or said["key"] != str(row["key_id"]):
        return "lets another key spend, or another amount, than it was made to"
    if said["by"] != row["granted_by_id"] or said["expires_at"] != _moment(row["expires_at"]):
        return "is somebody else's, or ends at another moment, than it was made"
    if ended is None:
        by_itself = row["withdrawn_at"] in {None, row["expires_at"]}  # another one took its place
        return "" if by_itself else "is withdrawn in the table and no entry withdrew it"
    if ended["withdrawn_at"] != _moment(row["withdrawn_at"]):
        return "was withdrawn, and its row says otherwise"
    return ""


def _by_id(kind: str, field: str) -> dict[str, Told]:
    return {entry.said[field]: entry for entry in told(kind)}


def _check_bans(findings: Findings) -> None:
    """Note every ban that is gone before its end or was never decided on; whose address it is, the log is not told."""
    banned, ended, now = _by_id(ADDRESS_BANNED, "ban"), _by_id(BAN_ENDED, "ban"), timezone.now().isoformat()
    stored = {str(row["id"]): _moment(row["until"]) for row in _rows("people_bannedaddress")}
    for ban, entry in banned.items():
        until = stored.pop(ban, None)
        if until is None and ban not in ended and entry.said["until"] > now:
            findings.note(f"Ban {ban} was decided and its row is gone.", differs="ban", index=entry.place)
        elif until is not None and (ban in ended or until != entry.said["until"]):
            findings.note(f"Ban {ban} ends at another moment than was decided.", differs="ban", index=entry.place)
    for ban in stored:
        findings.note(f"Ban {ban} is in the table and no entry decided on it.", differs="ban")
