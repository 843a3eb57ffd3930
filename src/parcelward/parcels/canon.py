"""The exact bytes that an event is committed to, group by group. Private to the room.

Bytes are made once, here, and stored; nothing ever makes them again. Keys are sorted, there is no white space, numbers
are integers or the decimal form in which they came (RFC 8785 for what occurs here).
"""

from __future__ import annotations

import datetime as dt
import functools

import msgspec

from parcelward.base import db
from parcelward.parcels.wire import ScanIn

_ENCODE = msgspec.json.Encoder(order="sorted").encode


def instant(when: dt.datetime) -> str:
    """Return an aware UTC time as RFC 3339 with microseconds and Z."""
    return when.isoformat(timespec="microseconds")[:-6] + "Z"


@functools.lru_cache(maxsize=4_096)
def _second(seconds: int) -> str:
    """Return a whole second since 2000, UTC; scans of one batch share few of them."""
    return db.from_micros(seconds * 1_000_000).isoformat()[:-6]


def public(
    *,
    event_us: int,
    item_seq: int,
    event_id: bytes,
    item: str,
    place: str,
    previous: bytes,
    step: str,
    correction: tuple[bytes, bool] | None = None,
) -> bytes:
    """Return what `/track` shows of the event, its number in the item's life, and the commitment before it.

    `event_us` is the event's time in microseconds since 2000. `item` is the item's canonical number as it was scanned,
    or `itm_...`: so no history passes for another item's. `correction` is the id of the event that it declares
    wrong, and whether its actor may correct anybody's: so what a page strikes out can be checked, too.
    """
    named = f'"{item}"' if item.isalnum() else _ENCODE(item).decode()  # some GS1 serials hold quotes or backslashes
    seconds, micros = divmod(event_us, 1_000_000)
    said = ""
    if correction is not None:
        corrects, authorised = correction
        said = f'"authorised":{"true" if authorised else "false"},"corrects":"{corrects.hex()}",'
    return (
        f'{{"at":"{_second(seconds)}.{micros:06d}Z",{said}"event":{item_seq},"id":"{event_id.hex()}","item":{named},"place":"{place}",'
        f'"previous":"{previous.hex()}","step":"{step}"}}'
    ).encode()


def addressee(scan: ScanIn) -> bytes:
    """Return what the customer may see beside the public journey: weight and size."""
    if scan.weight_g is None and scan.size_mm is None:
        return b""
    return _ENCODE({"size_mm": scan.size_mm, "weight_g": scan.weight_g})


def operations(scan: ScanIn, *, position: int, common: str, unknown_step: str, authorised: bool = False) -> bytes:
    """Return what staff need: who recorded it and when, and the operational details.

    `common` is the part that is the same for the whole request: recorded, sequence, source. `authorised` says that its
    actor may correct anybody's event.
    """
    head = '{"authorised":true,' if authorised else "{"
    tail = f'"position":{position},{common}}}'
    if (
        scan.receptacle is None
        and scan.seal is None
        and scan.handover is None
        and scan.corrects is None
        and scan.label_code is None
        and scan.reason is None
        and scan.note_code is None
        and not unknown_step
    ):
        return (head + tail).encode()
    details = {
        name: value
        for name, value in (
            ("corrects", scan.corrects),
            ("handover", scan.handover),
            ("label_code", scan.label_code),
            ("note_code", scan.note_code),
            ("reason", scan.reason),
            ("receptacle", scan.receptacle),
            ("seal", scan.seal),
            ("step", unknown_step or None),
        )
        if value is not None
    }
    return head.encode() + b'"details":' + _ENCODE(details) + b"," + tail.encode()


class _Reasoned(msgspec.Struct, frozen=True):
    reason: str = ""


class _Detailed(msgspec.Struct, frozen=True):
    details: _Reasoned = _Reasoned()


_DETAILED = msgspec.json.Decoder(_Detailed).decode


def scanned_reason(group: bytes) -> str:
    """Return the reason in an operations group; empty where the scan carried none."""
    return _DETAILED(group).details.reason


def common_operations(*, recorded: str, sequence: int, source: int) -> str:
    """Return the part of the operations group that a whole request shares; `recorded` is an `instant`."""
    return f'"recorded":"{recorded}","sequence":{sequence},"source":{source}'


def restricted(scan: ScanIn) -> bytes:
    """Return what only staff with a reason may see: the exact position and raw sensor readings."""
    if scan.position is None and not scan.sensors:
        return b""
    return _ENCODE({"position": scan.position, "sensors": scan.sensors})
