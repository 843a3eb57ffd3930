"""What a label is bound to, and what a scan of it says: pure decisions, no clock, no I/O.

A label's code is a MAC over the item, where it goes, its weight class, which label of the item it is, and all that is
sealed on it. So a label that was copied to another item, edited, voided or replaced is seen at the next scan that
brings its code, `label_code`: the code's 8 bytes and the 16 of the sealed parts' digest, in hex (docs/labels.md).
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import hmac
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

CODE_BYTES: Final = 8
DIGEST_BYTES: Final = 16
_TEXT_LENGTH: Final = 2 * (CODE_BYTES + DIGEST_BYTES)
_HEX: Final = frozenset("0123456789ABCDEFabcdef")

SERIAL_MAX: Final = 99  # of one item
WEIGHT_CLASS_MAX: Final = 9
SPEED_KMH_MAX: Final = 1_000  # nothing that we send goes faster
NEAR_KM: Final = 50.0  # two gates of one place, and positions that are not exact
CLOCKS_APART: Final = dt.timedelta(minutes=10)  # two clocks, each up to five minutes off
_EARTH_KM: Final = 6_371.0


class Wrong(enum.StrEnum):
    """What is wrong with a label that was scanned."""

    OTHER_ITEM = "other_item"  # no label of this item has this digest
    NOT_BOUND = "not_bound"  # code, item, place, weight and number do not belong together
    KEY_GONE = "key_gone"  # made with a key that is not believed any more
    VOIDED = "voided"
    REPRINTED = "reprinted"  # a newer one was printed in its place
    FAR_APART = "far_apart"  # seen at two places that nothing travels between in that time


VOID_REASONS: Final = frozenset({Wrong.VOIDED, Wrong.REPRINTED})


class Issued(NamedTuple):
    """A label as it was issued."""

    serial: int
    digest: bytes  # of all that is sealed on it
    destination: str  # facility code
    weight_class: int
    key_version: int
    void_reason: str  # empty: it stands


def read_back(label: Issued, *, is_void: bool) -> Issued:
    """Return a label as its row says; one that we cannot have written is bound to nothing."""
    numbers = 1 <= label.serial <= SERIAL_MAX and 0 <= label.weight_class <= WEIGHT_CLASS_MAX
    reason = label.void_reason in VOID_REASONS if is_void else not label.void_reason
    if numbers and reason and len(label.digest) == DIGEST_BYTES:
        return label
    return Issued(0, label.digest, "", 0, 0, Wrong.NOT_BOUND)


def bound_to(item: bytes, label: Issued) -> bytes:
    """Return what a label's code is a MAC over; every part has one length."""
    place = hashlib.sha256(label.destination.encode()).digest()[:DIGEST_BYTES]
    return item + place + bytes([label.weight_class, label.serial]) + label.digest


def read(label_code: str) -> tuple[bytes, bytes] | None:
    """Return (code, digest) of what a scanner sent; None for what is no code of ours."""
    if len(label_code) != _TEXT_LENGTH or not _HEX.issuperset(label_code):
        return None
    raw = bytes.fromhex(label_code)
    return raw[:CODE_BYTES], raw[CODE_BYTES:]


def scanned(label_code: str, labels: Sequence[Issued]) -> Issued | Wrong | None:
    """Return which label of the item this is, or what is wrong.

    None where nothing is known: a foreign label's code on an item for which none was issued.
    """
    found = read(label_code)
    if found is None:
        return Wrong.OTHER_ITEM if labels else None
    return next((label for label in labels if label.digest == found[1]), Wrong.OTHER_ITEM)


def judged(label_code: str, label: Issued, expected: bytes) -> Wrong | None:
    """Return what is wrong with a label of the item; `expected` is its code, empty where its key is not believed."""
    if label.void_reason == Wrong.NOT_BOUND:
        return Wrong.NOT_BOUND
    if not expected:
        return Wrong.KEY_GONE
    found = read(label_code)
    if found is None or not hmac.compare_digest(found[0], expected):
        return Wrong.NOT_BOUND
    return Wrong(label.void_reason) if label.void_reason else None


def too_far(before: tuple[float, float], now: tuple[float, float], seconds: float) -> bool:
    """Return whether one thing cannot have been at both places (longitude, latitude) within so many seconds."""
    hours = (abs(seconds) + CLOCKS_APART.total_seconds()) / 3_600
    return _km(before, now) > NEAR_KM + hours * SPEED_KMH_MAX


def _km(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the great-circle distance (haversine)."""
    east_a, north_a, east_b, north_b = (math.radians(degrees) for degrees in (*a, *b))
    half = math.sin((north_b - north_a) / 2) ** 2
    half += math.cos(north_a) * math.cos(north_b) * math.sin((east_b - east_a) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(half))
