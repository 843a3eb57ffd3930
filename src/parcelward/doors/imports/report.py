"""What became of an import, for people and as JSON."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

LINES_SHOWN = 5
FOLLOWED_SHOWN = 3


@dataclass(slots=True)
class Reason:
    """One reason why events were not imported."""

    message: str
    kept: bool  # in quarantine, where it can be repaired; else it has to be put right in the file
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
    reasons: dict[tuple[str, bool], Reason] = field(default_factory=dict)
    followed: list[str] = field(default_factory=list)  # the first numbers that events were imported for
    _began: float = field(default_factory=time.monotonic)

    def refuse(self, code: str, message: str, where: str, *, kept: bool = True) -> None:
        """Count one event, or one row, that was not imported."""
        reason = self.reasons.setdefault((code, kept), Reason(message, kept))
        reason.count += 1
        if len(reason.lines) < LINES_SHOWN:
            reason.lines.append(where)

    def follow(self, number: str) -> None:
        """Remember a number that somebody may want to look at."""
        if len(self.followed) < FOLLOWED_SHOWN and number not in self.followed:
            self.followed.append(number)

    def bad(self, *, kept: bool) -> int:
        """Return how many were not imported: those in quarantine, or those that have to be put right in the file."""
        return sum(reason.count for reason in self.reasons.values() if reason.kept == kept)

    def _reasons(self, *, kept: bool) -> dict[str, Any]:
        return {
            code: {"count": reason.count, "message": reason.message, "lines": reason.lines}
            for (code, _), reason in sorted(self.reasons.items())
            if reason.kept == kept
        }

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
            "quarantined": self._reasons(kept=True),
            "refused": self._reasons(kept=False),
            "follow": self.followed,
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
        yield from self._bad_lines("quarantined", "kept: put right at the desk", kept=True)
        yield from self._bad_lines("refused", "not kept: put right in the file, then import it again", kept=False)
        if self.followed:
            yield f"  to follow    {', '.join(f'/track/{number}' for number in self.followed)}"
        yield f"  {said['seconds']} s, {said['events_per_second']} events/s"

    def _bad_lines(self, name: str, words: str, *, kept: bool) -> Iterator[str]:
        count = self.bad(kept=kept)
        yield f"  {name:<11}  {count}{f'   ({words})' if count else ''}"
        for code, reason in self._reasons(kept=kept).items():
            more = " ..." if reason["count"] > len(reason["lines"]) else ""
            yield f"    {reason['count']:>7}  {code}: {reason['message']} ({', '.join(reason['lines'])}{more})"
