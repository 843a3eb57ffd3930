"""A sealed label, byte for byte (docs/sealed-labels.md), and the values that cross the room's door.

    0x50 0x01   epoch      hub's mark  office's mark  n   item      hub's part  office's part  courier's part   code
       2       2, big-end.     4            4         1   n ASCII      60            80          140 or 230       8

A part is an HPKE message: 32 bytes of the sender's one-time public key, then the text, padded, with its 16-byte tag.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import re
import struct
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from parcelward.base.vault import Personal
from parcelward.privacy.sealing.errors import BadLabel

MAGIC: Final = b"P\x01"  # of this format; another version has another second byte
MARK_BYTES: Final = 4  # of a station's public key: tells a reader whether it holds the right one
CODE_BYTES: Final = 8  # the label code: 2^64 guesses, each a scan that an operator sees
DIGEST_BYTES: Final = 16
OVERHEAD_BYTES: Final = 48  # of HPKE: one-time key 32, tag 16
ITEM_LENGTH_MAX: Final = 20
_ITEM = re.compile(rf"[A-Z0-9]{{1,{ITEM_LENGTH_MAX}}}")
_HEAD = struct.Struct(f">2sH{MARK_BYTES}s{MARK_BYTES}sB")
BASE45: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"  # RFC 9285: what QR codes hold in 5.5 bits a letter


class Hop(enum.IntEnum):
    """Who on the way opens a part; the number is in what the part is bound to."""

    HUB = 1
    OFFICE = 2
    COURIER = 3


TEXT_BYTES: Final = {Hop.HUB: (12,), Hop.OFFICE: (32,), Hop.COURIER: (92, 182)}
"""What a part holds, padded, so that its length says nothing; the courier's has a long form for long addresses."""
assert TEXT_BYTES.keys() == set(Hop), "every hop has its lengths"  # noqa: S101 -- a hole in the table must stop the start
_FIXED_BYTES: Final = sum(TEXT_BYTES[hop][0] + OVERHEAD_BYTES for hop in (Hop.HUB, Hop.OFFICE))

WEIGHT_CLASSES_G: Final = (100, 250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 31_500)
"""The upper bound of each weight class; class 9 is heavier than all."""


@dataclass(frozen=True, slots=True)
class Doorstep:
    """What only the courier reads."""

    name: Personal
    lines: tuple[Personal, ...]  # of the address
    note: Personal  # for the door; may be empty


@dataclass(frozen=True, slots=True)
class LabelIn:
    """One label to be sealed. `hub` and `office` are codes of facilities."""

    item: str  # its number as the barcode on the label says it
    hub: str
    office: str
    weight_g: int
    routing_code: str  # for the hub
    round_code: str  # for the office
    street: str  # for the office: as much of the address as sorts into rounds
    doorstep: Doorstep


@dataclass(frozen=True, slots=True)
class Sealed:
    """One label as bytes and as the text of its QR code."""

    item: str
    raw: bytes

    @property
    def text(self) -> str:
        """What the QR code says, in letters that it holds in 5.5 bits each."""
        return to_base45(self.raw)

    @property
    def label_code(self) -> str:
        """What scanners send as `label_code`."""
        return label_code(self.raw)


@dataclass(frozen=True, slots=True)
class Label:
    """A label taken apart: well formed, not proven to be ours."""

    epoch: int
    hub_mark: bytes
    office_mark: bytes
    item: str
    parts: dict[Hop, bytes]
    public: bytes  # all before the parts: every part is bound to it
    code: bytes

    def mark(self, hop: Hop) -> bytes:
        """Return the mark of the key that a hop's part was sealed to."""
        return self.hub_mark if hop is Hop.HUB else self.office_mark


@dataclass(frozen=True, slots=True)
class LoanRow:
    """A key lent to a device. Nothing secret is in it."""

    loan_id: UUID
    device: UUID
    facility: str
    epoch: int
    round_name: str
    lent_at: dt.datetime
    expires_at: dt.datetime
    ended_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A lent key on its way: only the device that asked can open `sealed`."""

    loan: LoanRow
    public_key: bytes
    sealed: bytes  # HPKE: one-time key 32, then 32 bytes of private key with their tag


def item_number(text: str) -> str:
    """Return an item's number as labels carry it, or raise BadLabel."""
    found = text.replace(" ", "").upper()
    if not _ITEM.fullmatch(found):
        raise BadLabel(f"An item's number on a label has 1 to {ITEM_LENGTH_MAX} letters and digits", code="bad_item")
    return found


def weight_class(weight_g: int) -> int:
    """Return the number of the class that a weight falls into."""
    return sum(weight_g > bound for bound in WEIGHT_CLASSES_G)


def public_part(*, epoch: int, hub_mark: bytes, office_mark: bytes, item: str) -> bytes:
    """Return what stands before the parts."""
    return _HEAD.pack(MAGIC, epoch, hub_mark, office_mark, len(item)) + item.encode("ascii")


def parse(raw: bytes) -> Label:
    """Take a label apart, or raise BadLabel: for what is cut, longer, of another version or no label at all."""
    if len(raw) < _HEAD.size or not raw.startswith(MAGIC):
        raise BadLabel("This code is no sealed label of ours, or one of another version", code="no_label")
    _, epoch, hub_mark, office_mark, length = _HEAD.unpack_from(raw)
    start = _HEAD.size + length
    item = raw[_HEAD.size : start].decode("ascii", "replace")
    courier_bytes = len(raw) - start - _FIXED_BYTES - CODE_BYTES - OVERHEAD_BYTES
    if not _ITEM.fullmatch(item) or courier_bytes not in TEXT_BYTES[Hop.COURIER]:
        raise BadLabel("This code is damaged: its length is none that a label has", code="cut_label")
    parts, at = {}, start
    for hop, size in zip(Hop, (TEXT_BYTES[Hop.HUB][0], TEXT_BYTES[Hop.OFFICE][0], courier_bytes), strict=True):
        parts[hop] = raw[at : at + size + OVERHEAD_BYTES]
        at += size + OVERHEAD_BYTES
    return Label(epoch, hub_mark, office_mark, item, parts, raw[:start], raw[at:])


def digest(raw: bytes) -> bytes:
    """Return what a label's code is bound to beside the item: the public part and all sealed parts, hashed."""
    return hashlib.sha256(raw[:-CODE_BYTES]).digest()[:DIGEST_BYTES]


def label_code(raw: bytes) -> str:
    """Return what a scanner sends of a label: its code, then the digest of what it read; 48 hex digits."""
    return (raw[-CODE_BYTES:] + digest(raw)).hex().upper()


def with_code(raw: bytes, code: bytes) -> bytes:
    """Return a label with another code: what seals it does not know to which item's label of which number it goes."""
    return raw[:-CODE_BYTES] + code


def to_base45(raw: bytes) -> str:
    """Return bytes as RFC 9285 says."""
    out = []
    for at in range(0, len(raw), 2):
        pair = raw[at : at + 2]
        number = int.from_bytes(pair, "big")
        out += [BASE45[number % 45], BASE45[number // 45 % 45]]
        if len(pair) == 2:  # noqa: PLR2004 -- a whole pair has a third letter
            out.append(BASE45[number // 2025])
    return "".join(out)


def from_base45(text: str) -> bytes:
    """Return the bytes of RFC 9285 text, or raise BadLabel; the one spelling only."""
    values = [BASE45.find(letter) for letter in text]
    if -1 in values or len(values) % 3 == 1:
        raise BadLabel("This code is no sealed label of ours", code="no_label")
    out = bytearray()
    for at in range(0, len(values), 3):
        group = values[at : at + 3]
        number, size = sum(value * 45**power for power, value in enumerate(group)), len(group) - 1
        if number >= 256**size:
            raise BadLabel("This code is no sealed label of ours", code="no_label")
        out += number.to_bytes(size, "big")
    return bytes(out)
