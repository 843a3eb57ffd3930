"""One progress bar for commands that do several things, each counted in its own way."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self


class Bar:
    """A bar on a terminal, nothing elsewhere. `tell` takes what is being done and how much more of it was."""

    def __init__(self, *, quiet: bool, unit: str = "B") -> None:
        from tqdm import tqdm

        self._bar = tqdm(unit=unit, unit_scale=True, disable=quiet or not sys.stderr.isatty(), leave=False)
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def tell(self, what: str, count: int) -> None:
        """Show how far it is."""
        if what != self._shown:
            self._shown = what
            self._bar.reset()
            self._bar.set_description(what, refresh=False)
        self._bar.update(count)

    def clear(self) -> None:
        """Make room for a line of words."""
        self._bar.clear()
