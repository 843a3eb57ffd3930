"""Whose orders are somebody's own: those of their organisation, or those of a person who acts for nobody else."""

from __future__ import annotations

from uuid import UUID

from parcelward.people.wire import Person


def owner_of(by: Person) -> UUID:
    """Return whose order it is that somebody makes."""
    return by.organisation or by.id


def theirs(owner: UUID, by: Person) -> bool:
    """Return whether a decision is about somebody's own order."""
    return owner == owner_of(by)
