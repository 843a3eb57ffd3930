"""What the columns of a file mean: a TOML file read into values, and one row turned into scan events. Pure.

docs/operating/mappings shows two with every part explained.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tomllib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from parcelward.base.errors import Invalid
from parcelward.base.standards.identify import OWN_FORMATS
from parcelward.parcels.wire import RAW_KEPT_MAX, ScanIn

IMPORTED: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://parcelward.example/import/")
NUMBERS_FROM: Final = 9 * 10 ** (OWN_FORMATS[0].digits - 1)
"""Numbers made for imported things begin with a 9: nobody takes them for parcels that the operator accepted itself."""
MAPPING_BYTES_MAX: Final = 100_000
EVENTS_PER_ROW_MAX: Final = 50

Row = Mapping[str, Any]


class BadMapping(Invalid):
    """A mapping file that cannot be used; the sentence says which part and what to write."""

    default_code = "bad_mapping"


class ValueIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a value comes from: a column, or a constant; then cut, translated, and given a prefix."""

    column: str = ""
    constant: str = ""
    until: str = ""  # only what stands before this text
    after: str = ""  # only what stands behind it
    map: dict[str, str] = {}
    prefix: str = ""


class EventIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event that a row may hold. No time in its column: it has not happened."""

    step: str | ValueIn
    time: str  # column
    facility: ValueIn
    name: ValueIn | None = None  # of the facility, where it has to be described
    coarse_place: ValueIn | None = None
    only_if: dict[str, list[str]] = {}  # column -> texts, one of which it must hold
    weight_g: ValueIn | None = None
    receptacle: ValueIn | None = None


class NumberIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a row's item is known: made from columns (`own`), or the number that a column holds (`as_is`)."""

    columns: list[str]
    make: Literal["own", "as_is"] = "own"
    kind: Literal["item", "receptacle"] = "item"


class TimeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How times are written. A zone is used where a time says none itself."""

    zone: str = "UTC"  # IANA name
    format: str = ""  # as in strptime; empty: ISO 8601


class FacilitiesIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to describe places that are not known here yet. Without this part such rows are quarantined."""

    country: str
    time_zone: str
    kind: str = "hub"
    time_zones: dict[str, str] = {}  # facility code -> IANA name, where it differs


class MappingIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole mapping file."""

    label: str  # short: stands in each event as `imported:label`
    number: NumberIn
    events: list[EventIn]
    about: str = ""
    time: TimeIn = TimeIn()
    facilities: FacilitiesIn | None = None


class NewPlace(NamedTuple):
    """A facility as a row describes it."""

    code: str
    name: str
    coarse_place: str


class BadEvent(NamedTuple):
    """One event of a row that cannot be imported; `raw` holds the columns that the mapping reads and no others."""

    code: str
    message: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Read:
    """What a row says."""

    scans: tuple[ScanIn, ...]
    bad: tuple[BadEvent, ...]
    places: tuple[NewPlace, ...]
    key: bytes  # what a made number was made from; empty for `as_is`


class _Bad(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


LABEL_CHARS_MAX: Final = 30
_PLAIN_FIELDS: Final = frozenset(ScanIn.__struct_fields__)


class Columns:
    """A mapping, ready for rows."""

    def __init__(self, mapping: MappingIn) -> None:
        self.mapping = mapping
        try:
            self._zone = ZoneInfo(mapping.time.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise BadMapping(f"time.zone is an IANA name such as America/Chicago, not {mapping.time.zone!r}") from None
        if not 1 <= len(mapping.events) <= EVENTS_PER_ROW_MAX:
            raise BadMapping(f"A row has 1 to {EVENTS_PER_ROW_MAX} events: write [[events]] for each")
        if not mapping.number.columns:
            raise BadMapping("number.columns names at least one column")
        if not (mapping.label.isascii() and mapping.label.isprintable() and 1 <= len(mapping.label) <= LABEL_CHARS_MAX):
            raise BadMapping(f"label has 1 to {LABEL_CHARS_MAX} plain characters")
        self.read_columns = sorted(self._named())

    def _named(self) -> set[str]:
        """Return every column that the mapping reads."""
        named = set(self.mapping.number.columns)
        for event in self.mapping.events:
            named |= {event.time, *event.only_if}
            values = (event.step, event.facility, event.name, event.coarse_place, event.weight_g, event.receptacle)
            named |= {value.column for value in values if isinstance(value, ValueIn) and value.column}
        return named

    def read(self, row: Row) -> Read:
        """Return the row's events, and what is wrong with those that cannot be read."""
        misread = _misread(self.read_columns, row)
        if misread is not None:
            return misread
        scans, bad, places = [], [], []
        key = b"\x1f".join(_text(row.get(column)).encode() for column in self.mapping.number.columns)
        for event in self.mapping.events:
            if not all(_text(row.get(column)) in texts for column, texts in event.only_if.items()):
                continue
            if not _text(row.get(event.time)):
                continue
            try:
                scan, place = self._scan(row, event, key)
            except _Bad as err:
                bad.append(BadEvent(err.code, err.message, self._raw(row)))
            else:
                scans.append(scan)
                places += [place] if place is not None else []
        return Read(tuple(scans), tuple(bad), tuple(places), key if self.mapping.number.make == "own" else b"")

    def _scan(self, row: Row, event: EventIn, key: bytes) -> tuple[ScanIn, NewPlace | None]:
        number = self._number(row, key)
        step = event.step if isinstance(event.step, str) else _value(row, event.step)
        time, facility = self._time(row[event.time]), _value(row, event.facility)
        if not facility:
            raise _Bad("no_facility", "The column of the facility is empty.")
        if not step:
            raise _Bad("no_step", "The column of the step is empty.")
        said: dict[str, Any] = {
            "event_time": time,
            "step": step,
            "facility": facility,
            f"{self.mapping.number.kind}_id": number,
            "note_code": f"imported:{self.mapping.label}",
        }
        weight = "" if event.weight_g is None else _value(row, event.weight_g)
        if weight not in {"", "0", "0.0"}:
            said["weight_g"] = _whole(weight)
        if event.receptacle is not None:
            said["receptacle"] = _value(row, event.receptacle)
        content = f"{number}|{step}|{facility}|{time.isoformat()}|{self.mapping.label}"
        said["event_id"] = uuid.uuid5(IMPORTED, content)  # the same row in any file is the same event
        return scan_of(said), self._place(row, event, facility)

    def _number(self, row: Row, key: bytes) -> str:
        if not key.replace(b"\x1f", b""):
            raise _Bad("no_number", "The columns that the number is made from are empty.")
        if self.mapping.number.make == "as_is":
            return _text(row.get(self.mapping.number.columns[0]))
        return own_number(key)

    def _time(self, value: Any) -> dt.datetime:
        if isinstance(value, dt.datetime):
            time = value
        else:
            text, pattern = _text(value), self.mapping.time.format
            try:
                time = dt.datetime.strptime(text, pattern) if pattern else dt.datetime.fromisoformat(text)  # noqa: DTZ007 -- the zone is added below
            except ValueError:
                raise _Bad("bad_time", "A time is not written as the mapping says.") from None
        if time.tzinfo is None:
            time = time.replace(tzinfo=self._zone)
        try:
            return time.astimezone(dt.UTC)
        except OverflowError:  # the last day of the year 9999, or the first of the year 1
            raise _Bad("bad_time", "A time is not written as the mapping says.") from None

    def _place(self, row: Row, event: EventIn, code: str) -> NewPlace | None:
        if self.mapping.facilities is None:
            return None
        name = (_value(row, event.name) if event.name is not None else "") or code
        coarse = (_value(row, event.coarse_place) if event.coarse_place is not None else "") or name
        return NewPlace(code, name[:80], coarse[:80])

    def _raw(self, row: Row) -> bytes:
        """Return what the mapping reads of a row: other columns may hold what we must not keep."""
        return json.dumps({column: _text(row.get(column)) for column in self.read_columns}).encode()


def own_number(key: bytes) -> str:
    """Return the own number that stands for a key: always the same, in the range of imported things."""
    digest = int.from_bytes(hashlib.sha256(b"parcelward import\x00" + key).digest())
    return OWN_FORMATS[0].make(NUMBERS_FROM + digest % 10 ** (OWN_FORMATS[0].digits - 1))


def scan_of(said: Mapping[str, Any]) -> ScanIn:
    """Return a scan from plain values, or raise _Bad with what is wrong."""
    try:
        return msgspec.convert(said, ScanIn)
    except msgspec.ValidationError as err:
        raise _Bad("bad_event", str(err)) from None


def read_mapping(text: bytes) -> Columns:
    """Read a mapping file. Raises BadMapping."""
    if len(text) > MAPPING_BYTES_MAX:
        raise BadMapping(f"A mapping file has at most {MAPPING_BYTES_MAX} bytes")
    try:
        return Columns(msgspec.convert(tomllib.loads(text.decode()), MappingIn))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as err:
        raise BadMapping(f"The mapping file cannot be read: {err}") from None


def plain_row(row: Row) -> Read:
    """Return a row whose columns are named as the fields of a scan event; empty ones are left out."""
    misread = _misread(_PLAIN_FIELDS, row)
    if misread is not None:
        return misread
    said = {name: value for name, value in row.items() if name in _PLAIN_FIELDS and _text(value)}
    unknown = [name for name in row if name not in _PLAIN_FIELDS]
    raw = json.dumps({name: _text(value) for name, value in said.items()}, sort_keys=True).encode()
    if unknown:
        words = "These columns are not those of scan events. Say what they mean: --mapping."
        return Read((), (BadEvent("unknown_column", words, raw),), (), b"")
    try:
        return Read((_plain_scan(said, raw),), (), (), b"")
    except _Bad as err:
        return Read((), (BadEvent(err.code, err.message, raw),), (), b"")


def _plain_scan(said: dict[str, Any], raw: bytes) -> ScanIn:
    if isinstance(said.get("event_time"), dt.datetime):
        said["event_time"] = said["event_time"].isoformat()
    for name in ("position", "seal", "handover", "corrects", "size_mm", "sensors", "weight_g"):
        if isinstance(said.get(name), str):
            try:
                said[name] = json.loads(said[name])
            except (ValueError, RecursionError):
                raise _Bad("bad_event", f"The column {name} does not hold JSON.") from None
    said.setdefault("event_id", str(uuid.uuid5(IMPORTED, raw.decode())))
    return scan_of(said)


def scan_line(line: bytes) -> Read:
    """Return one line of NDJSON: a scan event as the API takes it; without an id it gets one from its content."""
    try:
        said = msgspec.json.decode(line)
        if isinstance(said, dict) and "event_id" not in said:
            said["event_id"] = str(uuid.uuid5(IMPORTED, json.dumps(said, sort_keys=True)))
        return Read((scan_of(said),), (), (), b"")
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Read((), (BadEvent("not_json", "This is not one JSON object.", line[:RAW_KEPT_MAX]),), (), b"")
    except _Bad as err:
        return Read((), (BadEvent(err.code, err.message, line[:RAW_KEPT_MAX]),), (), b"")


def _value(row: Row, value: ValueIn) -> str:
    text = value.constant or _text(row.get(value.column))
    if value.until:
        text = text.partition(value.until)[0]
    if value.after:
        text = text.partition(value.after)[2]
    text = value.map.get(text, text)  # what is not in the table stays as it came: nothing is guessed
    return f"{value.prefix}{text}" if text else ""


def _whole(text: str) -> int:
    try:
        return round(float(text))
    except (ValueError, OverflowError):
        raise _Bad("bad_number", "A weight is not a number.") from None


def _text(value: Any) -> str:
    """Return a cell as a text; None and the not-a-number of data frames are empty."""
    if value is None or value != value:  # noqa: PLR0124 -- only not-a-number differs from itself
        return ""
    return str(value).strip()


def _is_utf8(text: str) -> bool:
    """Return whether a text was read from UTF-8: bytes that were none came in as surrogates."""
    return text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def _misread(columns: Iterable[str], row: Row) -> Read | None:
    """Return the refusal of a row that is not UTF-8."""
    texts = {column: _text(row.get(column)) for column in columns}
    if all(map(_is_utf8, texts.values())):
        return None
    raw = json.dumps({column: text.encode("utf-8", "backslashreplace").decode() for column, text in texts.items()})
    return Read((), (BadEvent("not_utf8", "This row is not UTF-8.", raw.encode()),), (), b"")
