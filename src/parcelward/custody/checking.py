"""One check of the log: the log itself, then each kind of entry by whoever keeps its rows; the facts are custody's."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from parcelward.base import config, db
from parcelward.custody.erasure_check import check_erasures
from parcelward.custody.hold_check import check_holds
from parcelward.custody.key_check import check_heads
from parcelward.custody.verification import Checker, Findings, Logged, Span, batches_of, check_log, kinds_in
from parcelward.custody.wire import fact_commitment


class FactChecker:
    """Facts: one row an entry, in clear, with its salt."""

    def check(self, batches: Sequence[Logged], findings: Findings) -> int:
        """Compare each fact's row with its commitment."""
        with db.cursor() as cur:
            cur.execute(
                "SELECT batch, leaf, record_time, kind, body, salt FROM custody_fact WHERE batch = ANY(%s) "
                "ORDER BY batch, leaf",
                ([b.batch for b in batches],),
            )
            rows: dict[int, list[Any]] = {}
            for row in cur.fetchall():
                rows.setdefault(row[0], []).append(row)
        for one in batches:
            mine = rows.get(one.batch, [])
            if [row[1] for row in mine] != list(range(one.n)):
                findings.note(
                    f"Batch {one.batch} has {one.n} facts, the table {len(mine)}.",
                    differs="fact",
                    index=one.first_index,
                )
                continue
            for _, leaf, record_time, kind, body, salt in mine:
                wrong = _fact_problem(one, leaf, record_time, kind, bytes(body), bytes(salt))
                if wrong:
                    findings.note(
                        f"The fact differs from what was committed: {wrong}.", differs="fact", index=one.place(leaf)
                    )
        return sum(b.n for b in batches)

    def finish(self, span: Span, findings: Findings) -> None:
        """Find facts that no batch knows, and what is in force although no fact says so."""
        if not span.whole:
            return
        if findings.first is None:
            check_holds(findings)
            check_erasures(findings)
        with db.cursor() as cur:
            cur.execute(
                "SELECT f.batch, f.kind FROM custody_fact f "
                "WHERE NOT EXISTS (SELECT FROM custody_logbatch l WHERE l.batch = f.batch AND l.kind = 'fact') "
                "AND NOT EXISTS (SELECT FROM custody_pendingbatch p WHERE p.batch = f.batch AND p.kind = 'fact') "
                "LIMIT 1"
            )
            row = cur.fetchone()
        if row:
            findings.note(f"A fact ({row[1]}) belongs to batch {row[0]}, which the log does not have.", differs="fact")


def _fact_problem(one: Logged, leaf: int, record_time: dt.datetime, kind: str, body: bytes, salt: bytes) -> str:
    if fact_commitment(salt, body) != one.commitment(leaf):
        return "its body or salt"
    try:
        said = json.loads(body)
        at = dt.datetime.fromisoformat(said["at"])
    except (ValueError, KeyError, TypeError):
        return "its form"
    if said.get("kind") != kind:
        return "its kind"
    return "" if at == record_time == one.record_time else "its time"


class CheckLog:
    """One check of a span: the log itself, then the rows behind each kind of entry that somebody can check."""

    def __init__(self, span: Span, checkers: Mapping[str, Checker], *, tell: Callable[[str, int, int], None]) -> None:
        self._span = span
        self._checkers: dict[str, Checker] = {"fact": FactChecker(), **checkers}
        self._tell = tell
        self.unchecked: dict[str, int] = {}

    def run(self, settings: config.Config, signed: Mapping[str, bytes | None], findings: Findings) -> dict[str, int]:
        """Check; return how many entries of each kind were compared with their rows."""
        kinds, passed = kinds_in(self._span), 0
        length = self._span.end - self._span.first

        def tell_log(n: int) -> None:
            nonlocal passed
            passed += n
            self._tell("log", passed, length)

        check_log(settings, self._span, findings, tell_log)
        if self._span.whole:
            check_heads(settings, self._span.end, signed, findings)
        self.unchecked = {kind: n for kind, n in kinds.items() if kind not in self._checkers}
        done: dict[str, int] = {}
        for kind, checker in self._checkers.items():
            for batches in batches_of(kind, self._span, findings):
                done[kind] = done.get(kind, 0) + checker.check(batches, findings)
                self._tell(kind, done[kind], kinds.get(kind, 0))
            checker.finish(self._span, findings)
        return done
