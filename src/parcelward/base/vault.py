"""What other rooms hold instead of personal data: a token; and the type that keeps an opened value out of texts.

A `Personal` value cannot be written by accident: formatting, logging or storing it as JSON gives a placeholder or
raises. Who may read it calls `.text`; such calls stand only where data is shown, printed or sent (a test lists them).
"""

from __future__ import annotations

import dataclasses
from typing import Final, NewType
from uuid import UUID

VaultToken = NewType("VaultToken", UUID)
"""One person's entry in the vault. Only `privacy` makes one; it says nothing about the person."""

HIDDEN: Final = "[personal]"


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Personal:
    """One opened value of somebody's personal data."""

    text: str

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __reduce__(self) -> str:
        raise TypeError("a personal value is not stored: put it in the vault")

    def __getstate__(self) -> object:
        raise TypeError("a personal value is not stored: put it in the vault")
