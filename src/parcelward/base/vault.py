"""What other rooms hold instead of personal data: a token; and the type that keeps an opened value out of texts.

A `Personal` value cannot be written by accident: formatting, logging or storing it as JSON gives a placeholder or
raises. Who may read it calls `.text`; such calls stand only where data is shown, printed or sent (a test lists them).
"""

from __future__ import annotations

from typing import Final, NewType
from uuid import UUID

VaultToken = NewType("VaultToken", UUID)
"""One person's entry in the vault. Only `privacy` makes one; it says nothing about the person."""

HIDDEN: Final = "[personal]"


class Personal:
    """One opened value of somebody's personal data.

    No dataclass: what writes those out (`asdict`, msgspec) would write this one, too.
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    @property
    def text(self) -> str:
        """The value itself, for whoever shows, prints or sends it."""
        return self._text

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a personal value does not change")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Personal) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Personal, self._text))

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __reduce__(self) -> str:
        raise TypeError("a personal value is not stored: put it in the vault")

    def __getstate__(self) -> object:
        raise TypeError("a personal value is not stored: put it in the vault")
