"""Compare API keys, people and sources with the entries that made, revoked and locked them: part of `verify-log`.

Whoever can turn a person's row decides who signs in as whom (roles and passkeys: membership_check; keys: key_check). A
source's row says whose an event was, and whether it was simulated. What an entry of an older version does not say is
not compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from parcelward.base import db
from parcelward.custody.queries import Findings, Told, told
from parcelward.people import key_check
from parcelward.people.device_check import ENROLLED
from parcelward.people.key_check import KEY_MADE
from parcelward.people.rules import login_hash

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
    key_check.check_keys(findings)
    _check_people(made, ended, findings)
    _check_sources(made, findings)


def _from_entries(findings: Findings) -> tuple[dict[int, Told], dict[int, Told]]:
    """Return what made each source, and what last locked a person out or in again."""
    made: dict[int, Told] = {}
    ended: dict[int, Told] = {}
    for entry in told(*_SOURCE_KINDS, LOCKED, UNLOCKED):
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


def _check_people(made: dict[int, Told], ended: dict[int, Told], findings: Findings) -> None:
    stored = _rows("SELECT source_id, id, login, is_active, token FROM people_user")
    for source, entry in _mine(made, ADDED):
        what, index = _person_problem(entry, ended.get(source), stored.pop(source, None))
        if what:
            findings.note(f"The person who is source {source} {what}.", differs="person", index=index)
    for source in stored:
        findings.note(f"The person who is source {source} is in the table and no entry added them.", differs="person")


def _person_problem(entry: Told, last: Told | None, row: tuple[Any, ...] | None) -> tuple[str, int | None]:
    if row is None:
        return "was added and their row is gone", entry.place
    said, (person, login, is_active, token) = entry.said, row
    if UUID(said.get("person", str(person))) != person:
        return "has another id than they were added with", entry.place
    if said.get("login", "") not in {"", login_hash(person, login)}:
        return "signs in under another staff id than they were added with", entry.place
    # An account that was closed has none: nobody signs in with it any more.
    if token is not None and said.get("token", str(token)) != str(token):
        return "signs in with the code that goes to another address than they were added with", entry.place
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
