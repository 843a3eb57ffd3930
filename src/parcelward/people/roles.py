"""Who may do what: one table, closed by default, asked in every action."""

from __future__ import annotations

from collections.abc import Mapping

from parcelward.people.errors import MayNot
from parcelward.people.wire import Person, Role, Task

MAY: Mapping[Role, frozenset[Task]] = {
    Role.ADMINISTRATOR: frozenset(Task) - {Task.SCAN},
    Role.INSPECTOR: frozenset(
        {Task.HOLD, Task.RELEASE, Task.CORRECT, Task.READ_DESK, Task.REPAIR, Task.READ_EVENTS, Task.SHRED},
    ),
    Role.PARTNER: frozenset({Task.SCAN, Task.CAPTURE, Task.READ_EVENTS}),
    Role.DEVICE: frozenset({Task.SCAN}),
}
assert MAY.keys() == set(Role), "every role is in the table"  # noqa: S101 -- a hole in the table must stop the start


def may(person: Person, task: Task) -> bool:
    """Return whether the table lets `person` do `task`."""
    return task in MAY[person.role]


def require(person: Person, task: Task) -> None:
    """Raise MayNot unless the table lets `person` do `task`."""
    if not may(person, task):
        words = task.replace("_", " ")
        raise MayNot(f"Your role, {person.role}, may not {words}. Ask an administrator if it should.")
