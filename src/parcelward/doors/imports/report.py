"""What became of an import, for people and as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LINES_SHOWN = 5


@dataclass(slots=True)
class Reason:
    """One reason why events were not imported."""

    message: str
    count: int = 0
    lines: list[str] = field(default_factory=list)  # "file:line", the first few


@dataclass(slots=True)
class Report:
    """Counts while an import runs."""

    files: list[str] = field(default_factory=list)
    rows: int = 0
    without_event: int = 0
    imported: int = 0
    duplicates: int = 0
    places: int = 0
    reasons: dict[str, Reason] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def refuse(self, code: str, message: str, where: str) -> None:
        """Count one event, or one row, that was not imported."""
        reason = self.reasons.setdefault(code, Reason(message))
        reason.count += 1
        if len(reason.lines) < LINES_SHOWN:
            reason.lines.append(where)

    @property
    def quarantined(self) -> int:
        """How many events were not imported."""
        return sum(reason.count for reason in self.reasons.values())

    def as_json(self) -> dict[str, Any]:
        """Return the report as it is written with --report."""
        took_s = time.monotonic() - self._began
        return {
            "files": self.files,
            "rows": self.rows,
            "rows_without_event": self.without_event,
            "imported": self.imported,
            "duplicates": self.duplicates,
            "facilities_described": self.places,
            "quarantined": {
                code: {"count": reason.count, "message": reason.message, "lines": reason.lines}
                for code, reason in sorted(self.reasons.items())
            },
            "seconds": round(took_s, 3),
            "events_per_second": round((self.imported + self.duplicates) / took_s, 1) if took_s else 0.0,
        }

    def as_lines(self) -> Iterator[str]:
        """Return the report for people."""
        said = self.as_json()
        yield f"{said['rows']} rows from {', '.join(self.files)}"
        yield f"  imported     {said['imported']}"
        yield f"  duplicates   {said['duplicates']}   (known already: nothing changed)"
        if self.without_event:
            yield f"  no event     {self.without_event} rows"
        if self.places:
            yield f"  facilities   {self.places} described"
        yield f"  quarantined  {self.quarantined}"
        for code, reason in sorted(self.reasons.items()):
            more = " ..." if reason.count > len(reason.lines) else ""
            yield f"    {reason.count:>7}  {code}: {reason.message} ({', '.join(reason.lines)}{more})"
        yield f"  {said['seconds']} s, {said['events_per_second']} events/s"
