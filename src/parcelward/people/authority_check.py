"""Ask of each entry that gives rights whether its author had the right to it at that place of the log: `verify-log`.

The rows may all fit the entries, and the entries may still be somebody's who wrote them in the name of a member whose
role had ended. What each author might do is what the log's own entries before that place add up to. Of authors whom the
log does not know as people, such as the console or people that an older version made, nothing is asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from parcelward.custody.queries import Findings, Told, told
from parcelward.people.account_check import ADDED, LOCKED, UNLOCKED
from parcelward.people.device_check import FACILITY_GIVEN, FACILITY_TAKEN_BACK
from parcelward.people.membership_check import MEMBER_BEGAN, MEMBER_ENDED, ORGANISATION_MADE, RESUMED, SUSPENDED
from parcelward.people.roles import MAY
from parcelward.people.two_check import AGREED, ASKED, INVITATION_AGREED, INVITATION_CODE
from parcelward.people.wire import Role, Task

NEEDS: Final[dict[str, frozenset[Task]]] = {
    MEMBER_BEGAN: frozenset({Task.MANAGE_MEMBERS, Task.CHANGE_ROLES}),
    ORGANISATION_MADE: frozenset({Task.MANAGE_ORGANISATIONS}),
    SUSPENDED: frozenset({Task.MANAGE_ORGANISATIONS}),
    RESUMED: frozenset({Task.MANAGE_ORGANISATIONS}),
    FACILITY_GIVEN: frozenset({Task.MANAGE_ORGANISATIONS}),
    FACILITY_TAKEN_BACK: frozenset({Task.MANAGE_ORGANISATIONS}),
    AGREED: frozenset(),  # to what was asked for: said there
    INVITATION_AGREED: frozenset({Task.CHANGE_ROLES}),
    INVITATION_CODE: frozenset({Task.CHANGE_ROLES}),
}
"""Kind of entry -> one of these tasks its author needs."""
HANDING_OVER: Final = dt.timedelta(seconds=5)
"""Whoever hands an organisation over ends their own role first, and gives the new ones a moment later."""


class _Held(NamedTuple):
    """A role, and the organisation that it is held in."""

    role: Role
    organisation: str

    def gives(self, needed: frozenset[Task], said: dict[str, Any]) -> bool:
        """Return whether it lets somebody do what an entry says: an administrator anywhere, others where they are."""
        here = self.role is Role.ADMINISTRATOR or said.get("organisation", self.organisation) == self.organisation
        return here and bool(needed & MAY[self.role])


@dataclass(slots=True)
class _Standing:
    """Who had which rights, as the entries read so far say."""

    source_of: dict[str, int] = field(default_factory=dict)  # person -> source
    roles: dict[int, dict[str, _Held]] = field(default_factory=dict)  # source -> membership -> role, and where
    whose: dict[str, int] = field(default_factory=dict)  # membership -> source
    gave_up: dict[int, tuple[dt.datetime, _Held]] = field(default_factory=dict)  # source -> what they ended themselves
    locked: set[int] = field(default_factory=set)
    asked: dict[str, Task] = field(default_factory=dict)

    def read(self, entry: Told) -> None:
        """Follow one entry."""
        said = entry.said
        if entry.kind == ADDED and "invitation" in said:
            self.source_of[said["person"]] = int(said["source"])
            self.roles[int(said["source"])] = {}
        elif entry.kind == MEMBER_BEGAN and said["person"] in self.source_of:
            source = self.whose[said["membership"]] = self.source_of[said["person"]]
            self.roles[source][said["membership"]] = _Held(Role(said["role"]), said["organisation"])
        elif entry.kind == MEMBER_ENDED and said["membership"] in self.whose:
            source = self.whose[said["membership"]]
            held = self.roles[source].pop(said["membership"], None)
            if held is not None and said["by"] == source:
                self.gave_up[source] = (dt.datetime.fromisoformat(said["ended_at"]), held)
        elif entry.kind in {LOCKED, UNLOCKED}:
            (self.locked.add if entry.kind == LOCKED else self.locked.discard)(int(said["source"]))
        elif entry.kind == ASKED:
            self.asked[said["request"]] = Task(said["of_task"])

    def may(self, entry: Told) -> bool:
        """Return whether the author of an entry had the right to it, or is nobody whom the log knows."""
        said, by = entry.said, entry.said["by"]
        if by not in self.roles or (entry.kind == AGREED and said["request"] not in self.asked):
            return True  # what nobody asked for is named by the check of requests
        needed = frozenset({self.asked[said["request"]]}) if entry.kind == AGREED else NEEDS[entry.kind]
        return by not in self.locked and any(held.gives(needed, said) for held in self._held(by, said))

    def _held(self, by: int, said: dict[str, Any]) -> Iterator[_Held]:
        yield from self.roles[by].values()
        ended = self.gave_up.get(by)
        if ended is not None and "since" in said:
            later = dt.datetime.fromisoformat(said["since"]) - ended[0]
            if dt.timedelta(0) <= later <= HANDING_OVER:
                yield ended[1]


def check_authority(findings: Findings) -> None:
    """Note every entry that gave a right and whose author had none to give."""
    standing = _Standing()
    for entry in told(ADDED, MEMBER_ENDED, LOCKED, UNLOCKED, ASKED, *NEEDS):
        if entry.kind in NEEDS and not standing.may(entry):
            words = f"An entry of the kind {entry.kind} is by source {entry.said['by']}, who had no right to it then."
            findings.note(words, differs="authority", index=entry.place)
        standing.read(entry)
