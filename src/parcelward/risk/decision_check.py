"""Compare decisions with their entries: part of `verify-log`."""

from __future__ import annotations

from typing import Final

DECIDED: Final = "risk.decision"
