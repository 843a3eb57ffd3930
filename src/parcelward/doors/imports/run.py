"""Import files in-process: rows become scan events, 500 in one transaction, through the same door as every scan."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from django.utils import timezone

from parcelward.base.errors import ParcelwardError, Problem
from parcelward.base.standards.epcis import parse
from parcelward.base.standards.epcis.event import Event, Refused
from parcelward.doors.imports import files
from parcelward.doors.imports.mapping import BadEvent, Columns, NewPlace, Read, plain_row, scan_line
from parcelward.doors.imports.report import Report
from parcelward.network import actions as network
from parcelward.network import queries as places
from parcelward.parcels import actions as parcels
from parcelward.parcels.actions import capture
from parcelward.parcels.wire import BadScan, ScanIn, Submission
from parcelward.people import queries as people
from parcelward.people.wire import Person, Task

BATCH_EVENTS: Final = 500
_EVENT_NUMBER: Final = re.compile(r"(?<=/eventList/)\d+")

Named = Callable[[Sequence[str], str], object]
"""Hears what a made number was made from, and the number: the only way from one to the other."""

_MISSHAPEN: Final = BadEvent("bad_row", "This row has more or fewer cells than the first line.", b"")


class Importer:
    """One run over some files. Running it again changes nothing."""

    def __init__(self, columns: Columns | None, *, by: Person, named: Named = lambda _key, _number: None) -> None:
        people.require(by, Task.IMPORT)
        self.report = Report()
        self._columns, self._by, self._named = columns, by, named
        self._waiting: list[tuple[str, ScanIn]] = []  # where it stood, event
        self._bad: list[tuple[str, BadEvent]] = []
        self._places = set(places.facilities(missing="?").by_code)  # known here, or not worth a second try
        self._made: dict[str, bytes] = {}  # number -> what it was made from: two keys must not share one

    def read(self, path: Path, kind: str, advance: files.Advance) -> None:
        """Import one file. Raises BadFile when it cannot be read; what was read before that stays imported."""
        self.report.files.append(path.name)
        if kind == "epcis":
            self._epcis(path, advance)
            return
        try:
            for number, read in self._rows(path, kind, advance):
                self._take(f"{path.name}:{number}", read)
        finally:
            self._flush()

    def _rows(self, path: Path, kind: str, advance: files.Advance) -> Iterator[tuple[int, Read]]:
        if kind == "ndjson":
            for number, line in files.lines(path, advance):
                yield number, scan_line(line)
            return
        columns = self._columns
        if kind == "csv":
            wanted = None if columns is None else columns.read_columns
            rows: Iterator[tuple[int, dict[str, Any] | None]] = files.csv_rows(path, wanted, advance)
        else:
            rows = files.parquet_rows(path, None if columns is None else columns.read_columns, advance)
        for number, row in rows:
            if row is None:
                yield number, Read((), (_MISSHAPEN,), (), b"")
            else:
                yield number, plain_row(row) if columns is None else columns.read(row)

    def _take(self, where: str, read: Read) -> None:
        self.report.rows += 1
        if not read.scans and not read.bad:
            self.report.without_event += 1
        if read.scans and not self._is_its_own(read, where):
            return
        for place in read.places:
            self._describe(place)
        self._waiting += [(where, scan) for scan in read.scans]
        self._bad += [(where, bad) for bad in read.bad]
        if len(self._waiting) + len(self._bad) >= BATCH_EVENTS:
            self._flush()

    def _is_its_own(self, read: Read, where: str) -> bool:
        """Note the row's number; return False when it was made for another row's key."""
        if not read.key:
            return True
        number = read.scans[0].item_id or read.scans[0].receptacle_id or ""
        digest = hashlib.blake2b(read.key, digest_size=12).digest()
        before = self._made.setdefault(number, digest)
        if before is digest:
            self._named(read.key.decode().split("\x1f"), number)
        if before == digest:
            return True
        self.report.refuse("number_taken", "Another row's number is the same; name more columns.", where, kept=False)
        return False

    def _describe(self, place: NewPlace) -> None:
        """Describe a facility that is not known yet; one that is stays as it is."""
        described = None if self._columns is None else self._columns.mapping.facilities
        if described is None or place.code in self._places:
            return
        self._places.add(place.code)
        try:
            network.put_facility(
                place.code,
                name=place.name,
                kind=described.kind,
                country=described.country,
                time_zone=described.time_zones.get(place.code, described.time_zone),
                coarse_place=place.coarse_place,
                position=None,
                simulated=False,
                by=self._by,
            )
        except ParcelwardError:
            return  # the events there are quarantined as unknown_facility, and the code stands in the report
        self.report.places += 1

    def _flush(self) -> None:
        """Record what waits; count and quarantine what is bad."""
        waiting, bad = self._waiting, self._bad
        self._waiting, self._bad = [], []
        for start in range(0, max(len(waiting), 1), BATCH_EVENTS):
            part = waiting[start : start + BATCH_EVENTS]
            here = bad if start == 0 else []
            if part or here:
                self._record(part, here)

    def _record(self, part: list[tuple[str, ScanIn]], bad: list[tuple[str, BadEvent]]) -> None:
        events = [(position, scan) for position, (_, scan) in enumerate(part)]
        refused = [
            BadScan(len(part) + nth, one.code, one.message, one.raw) for nth, (_, one) in enumerate(bad) if one.raw
        ]
        digest = hashlib.sha256(b"".join(scan.event_id.bytes for _, scan in part)).digest()
        answer = parcels.import_scans(Submission(self._by, 0, digest, events, refused), now=timezone.now())
        said = msgspec.json.decode(answer.body)
        self.report.imported += said["accepted"]
        self.report.duplicates += said["duplicates"]
        here = {one["index"]: one for one in said["quarantined"]}
        for index, (where, scan) in enumerate(part):
            if (one := here.get(index)) is not None:
                self.report.refuse(one["code"], one["message"], where)
            else:
                self.report.follow(scan.item_id or scan.receptacle_id or "")
        for where, event in bad:
            self.report.refuse(event.code, event.message, where, kept=bool(event.raw))

    def _epcis(self, path: Path, advance: files.Advance) -> None:
        for first, message in files.epcis_parts(path, advance):
            try:
                results = parse.read_events(message)
            except Refused as err:
                raise files.BadFile(f"{path.name}: {err}", problems=err.problems) from None
            self.report.rows += len(results)
            for start in range(0, len(results), BATCH_EVENTS):
                self._capture(path.name, first, start, results[start : start + BATCH_EVENTS])

    def _capture(self, name: str, first: int, start: int, results: list[Event | Refused]) -> None:
        incoming = []
        for index, result in enumerate(results, start):
            if isinstance(result, Event):
                incoming.append(capture.Incoming(f"/epcisBody/eventList/{index}", result))
            else:
                self._refuse_epcis(name, first, result.problems[0])
        done = capture.capture(incoming, by=self._by, now=dt.datetime.now(dt.UTC), keep_going=True)
        self.report.imported += done.captured
        self.report.duplicates += done.duplicates
        for problem in done.refused:
            self._refuse_epcis(name, first, problem)

    def _refuse_epcis(self, name: str, first: int, problem: Problem) -> None:
        """Name what is wrong and where in the whole file, of which a part was read that begins with event `first`."""
        pointer = _EVENT_NUMBER.sub(lambda found: str(first + int(found[0])), problem.pointer, count=1)
        self.report.refuse(problem.code, problem.message, f"{name}:{pointer}", kept=False)
