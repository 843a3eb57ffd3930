"""Compare API keys, people and sources with the entries that made, revoked and locked them: part of `verify-log`.

Whoever can turn a key's row gives a stranger its rights: by another digest, another role, a revocation that vanished.
A person's row does the same for who signs in (roles and passkeys: membership_check); a source's row says whose an event
was, and whether it was simulated. What an entry of an older version does not say is not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from parcelward.base import db
from parcelward.custody.queries import Findings, Told, told
from parcelward.people.device_check import ENROLLED
from parcelward.people.rules import login_hash

KEY_MADE: Final = "people.key_made"
KEY_REVOKED: Final = "people.key_revoked"
ADDED: Final = "people.added"
LOCKED: Final = "people.locked"
UNLOCKED: Final = "people.unlocked"
CONSOLE: Final = ("person", "console", False)  # whoever runs commands here
MACHINERY: Final = ("house", "machinery", False)  # the house's own work; a kind of its own, so nobody can take its name
_UNMADE: Final = (CONSOLE, MACHINERY)  # the sources that no entry makes: one of each
_SOURCE_KINDS: Final = {ENROLLED: "device", KEY_MADE: "api_key", ADDED: "person"}


def check_accounts(findings: Findings) -> None:
    """Note every API key, person and source whose row is not what the log's entries say."""
    made, ended = _from_entries(findings)
    _check_keys(made, ended, findings)
    _check_people(made, ended, findings)
    _check_sources(made, findings)


def _from_entries(findings: Findings) -> tuple[dict[int, Told], dict[int, Told]]:
    """Return what made each source, and what last revoked the key of some, or locked a person out or in again."""
    made: dict[int, Told] = {}
    ended: dict[int, Told] = {}
    for entry in told(*_SOURCE_KINDS, KEY_REVOKED, LOCKED, UNLOCKED):
        source = int(entry.said["source"])
        if entry.kind not in _SOURCE_KINDS:
            ended[source] = entry
        elif source in made:
            findings.note(f"Source {source} was made twice.", differs="source", index=entry.place)
        else:
            made[source] = entry
    return made, ended


def _rows(statement: str) -> dict[int, tuple[Any, ...]]:
    with db.cursor() as cur:
        cur.execute(statement)
        return {row[0]: tuple(row[1:]) for row in cur.fetchall()}


def _mine(made: dict[int, Told], kind: str) -> Iterator[tuple[int, Told]]:
    return ((source, entry) for source, entry in made.items() if entry.kind == kind)


def _check_keys(made: dict[int, Told], ended: dict[int, Told], findings: Findings) -> None:
    stored = _rows("SELECT source_id, id, digest, prefix, role, expires_at, revoked_at FROM people_apikey")
    for source, entry in _mine(made, KEY_MADE):
        row = stored.pop(source, None)
        what, index = _key_problem(entry, ended.get(source), row)
        if what:
            findings.note(f"API key {_name(source, entry)} {what}.", differs="api_key", index=index)
    for source in stored:
        findings.note(f"API key of source {source} is in the table and no entry made it.", differs="api_key")


def _key_problem(entry: Told, ended: Told | None, row: tuple[Any, ...] | None) -> tuple[str, int | None]:
    if row is None:
        return "was made and its row is gone", entry.place
    said, (key, digest, prefix, role, expires_at, revoked_at) = entry.said, row
    expires = None if expires_at is None else expires_at.isoformat()
    for name, value, words in (
        ("role", role, "has another role than it was made with"),
        ("digest", bytes(digest).hex(), "opens with another token than it was made with"),
        ("key", str(key), "has another id than it was made with"),
        ("prefix", prefix, "has another beginning than it was made with"),
        ("expires_at", expires, "ends at another moment than it was made to"),
    ):
        if said.get(name, value) != value:
            return words, entry.place
    if ended is None:
        return ("is revoked in the table and no entry revoked it", entry.place) if revoked_at else ("", None)
    if revoked_at is None:
        return "was revoked and its row says that it is not", ended.place
    if ended.said.get("revoked_at", revoked_at.isoformat()) != revoked_at.isoformat():
        return "was revoked at another moment than its row says", ended.place
    return "", None


def _check_people(made: dict[int, Told], ended: dict[int, Told], findings: Findings) -> None:
    stored = _rows("SELECT source_id, id, login, is_active FROM people_user")
    for source, entry in _mine(made, ADDED):
        what, index = _person_problem(entry, ended.get(source), stored.pop(source, None))
        if what:
            findings.note(f"The person who is source {source} {what}.", differs="person", index=index)
    for source in stored:
        findings.note(f"The person who is source {source} is in the table and no entry added them.", differs="person")


def _person_problem(entry: Told, last: Told | None, row: tuple[Any, ...] | None) -> tuple[str, int | None]:
    if row is None:
        return "was added and their row is gone", entry.place
    said, (person, login, is_active) = entry.said, row
    if UUID(said.get("person", str(person))) != person:
        return "has another id than they were added with", entry.place
    if said.get("login", "") not in {"", login_hash(person, login)}:
        return "signs in under another staff id than they were added with", entry.place
    if last is not None and last.kind == LOCKED:
        return ("was locked out and their row lets them in", last.place) if is_active else ("", None)
    return ("", None) if is_active else ("was locked out, and no entry says so", (last or entry).place)


def _check_sources(made: dict[int, Told], findings: Findings) -> None:
    stored = _rows("SELECT number, kind, name, simulated FROM people_source")
    logins = _rows("SELECT source_id, login FROM people_user")
    for source, entry in made.items():
        kind, said = _SOURCE_KINDS[entry.kind], entry.said
        row = stored.pop(source, None)
        if row is None:
            findings.note(f"Source {_name(source, entry)} is gone.", differs="source", index=entry.place)
            continue
        name = logins.get(source, (row[1],))[0] if kind == "person" else said.get("name", row[1])
        simulated = False if kind == "person" else said.get("simulated", row[2])
        for stands, was, words in zip(row, (kind, name, simulated), ("kind", "name", "mark as simulated"), strict=True):
            if stands != was:
                what = f"Source {_name(source, entry)} has another {words} than it was made with."
                findings.note(what, differs="source", index=entry.place)
    unmade = {next((source for source in sorted(stored) if stored[source] == one), None) for one in _UNMADE}
    for source in stored.keys() - unmade:
        findings.note(f"Source {source} is in the table and no entry made it.", differs="source")


def _name(source: int, entry: Told) -> str:
    named = entry.said.get("name")
    return f"{source}" if named is None else f"{source} ({named})"
