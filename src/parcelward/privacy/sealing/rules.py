"""Seal and open parts of a label, bind it to its item, and lend keys: pure cryptography, no clock, no database.

HPKE is RFC 9180 in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, one message a key.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from parcelward.privacy.sealing import wire
from parcelward.privacy.sealing.errors import BadLabel
from parcelward.privacy.sealing.wire import Hop, Label, LabelIn

SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
LABEL_DOMAIN: Final = b"parcelward/label/v1\x00"
CODE_DOMAIN: Final = b"parcelward/label-code/v1\x00"
BINDING_DOMAIN: Final = b"parcelward/label-binding/v1\x00"
LOAN_DOMAIN: Final = b"parcelward/loan/v1\x00"
READER_DOMAIN: Final = b"parcelward/reader/v1\x00"
MARK_DOMAIN: Final = b"parcelward/station-key/v1\x00"
SEPARATOR: Final = "\x1f"  # between the texts of a part
FIRST_DAY: Final = dt.date(2019, 12, 30)  # the Monday of 2020-W01: epoch 0
EPOCHS_MAX: Final = 2**16
WEEK_DAYS: Final = 7
LOAN_HOURS_MAX: Final = 24
CLOCK_SKEW_MAX: Final = dt.timedelta(minutes=5)


def epoch_of(now: dt.datetime) -> int:
    """Return the epoch of a moment: ISO weeks since 2020-W01, in UTC."""
    return (now.astimezone(dt.UTC).date() - FIRST_DAY).days // WEEK_DAYS


def epoch_name(epoch: int) -> str:
    """Return an epoch as people write it: 2026-W48."""
    year, week, _ = (FIRST_DAY + dt.timedelta(days=epoch * WEEK_DAYS)).isocalendar()
    return f"{year}-W{week:02}"


def epoch_ends(epoch: int) -> dt.datetime:
    """Return when the next epoch begins."""
    return dt.datetime.combine(FIRST_DAY + dt.timedelta(days=(epoch + 1) * WEEK_DAYS), dt.time(), dt.UTC)


def newest_over(now: dt.datetime, claim: dt.timedelta) -> int:
    """Return the newest epoch whose claim period is over: its keys and all before it are to be destroyed."""
    return epoch_of(now - claim) - 1


def mark_of(public_key: bytes) -> bytes:
    """Return the few bytes by which a label names a station's key."""
    return hashlib.sha256(MARK_DOMAIN + public_key).digest()[: wire.MARK_BYTES]


def _info(hop: Hop, public: bytes) -> bytes:
    return LABEL_DOMAIN + bytes([hop]) + public


def _padded(texts: tuple[str, ...], hop: Hop) -> bytes:
    """Return a part's texts as bytes of one of its lengths. Raises BadLabel for what is too long or not printable."""
    if not all(text.isprintable() for text in texts):
        raise BadLabel("A label's texts are printable characters", code="bad_text")
    packed = SEPARATOR.join(texts).encode()
    size = next((size for size in wire.TEXT_BYTES[hop] if len(packed) <= size), None)
    if size is None:
        most = wire.TEXT_BYTES[hop][-1]
        raise BadLabel(
            f"The {hop.name.lower()}'s part has more than {most} bytes: shorten its texts", code="text_too_long"
        )
    return packed.ljust(size, b"\0")


def seal(wanted: LabelIn, *, epoch: int, hub_key: bytes, office_key: bytes, binding_key: bytes) -> bytes:
    """Return a label's bytes. The keys are the stations' public ones of this epoch; `binding_key` makes the code."""
    item, door = wire.item_number(wanted.item), wanted.doorstep
    public = wire.public_part(epoch=epoch, hub_mark=mark_of(hub_key), office_mark=mark_of(office_key), item=item)
    texts = {
        Hop.HUB: (wanted.routing_code,),
        Hop.OFFICE: (wanted.round_code, wanted.street),
        Hop.COURIER: (door.name.text, door.note.text, *(line.text for line in door.lines)),
    }
    keys = {Hop.HUB: hub_key, Hop.OFFICE: office_key, Hop.COURIER: office_key}
    raw = public + b"".join(seal_part(_padded(texts[hop], hop), keys[hop], hop=hop, public=public) for hop in Hop)
    digest = wire.digest(raw + bytes(wire.CODE_BYTES))
    weight = wire.weight_class(wanted.weight_g)
    return raw + code(binding_key, item=item, destination=wanted.office, weight_class=weight, digest=digest)


def seal_part(plain: bytes, station_key: bytes, *, hop: Hop, public: bytes) -> bytes:
    """Encrypt one part to a station's public key, bound to its hop and to the label's public part."""
    return SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(station_key), _info(hop, public))


def open_part(label: Label, hop: Hop, private_key: bytes, *, item: str) -> tuple[str, ...]:
    """Return the texts of one hop's part. Raises BadLabel: another item's, not for this station, or changed."""
    if label.item != item:
        raise BadLabel("This label belongs to another item", code="other_item")
    key = X25519PrivateKey.from_private_bytes(private_key)
    if mark_of(key.public_key().public_bytes_raw()) != label.mark(hop):
        raise BadLabel("This part is for another station, or of another week", code="other_station")
    try:
        plain = SUITE.decrypt(label.parts[hop], key, _info(hop, label.public))
        return tuple(plain.rstrip(b"\0").decode().split(SEPARATOR))
    except (InvalidTag, ValueError):  # ValueError, too, for what a stranger sealed that is no text
        raise BadLabel("This part was changed, or was cut from another label", code="changed") from None


def code(key: bytes, *, item: str, destination: str, weight_class: int, digest: bytes) -> bytes:
    """Return a label's code: a MAC over item, destination facility, weight class and all that is sealed."""
    said = b"".join(struct.pack(">B", len(text)) + text.encode() for text in (item, destination))
    message = CODE_DOMAIN + said + bytes([weight_class]) + digest
    return hmac.digest(key, message, "sha256")[: wire.CODE_BYTES]


def binding(key: bytes, version: int, said: bytes) -> bytes:
    """Return the code of a label that was issued for an item: a MAC over what the issuer says it is bound to.

    The key's version is bound, too, so that no code of one is ever taken for another's.
    """
    return hmac.digest(key, BINDING_DOMAIN + bytes([version % 256]) + said, "sha256")[: wire.CODE_BYTES]


def reader_statement(reader_key: bytes, at_ms: int) -> bytes:
    """Return what a device signs with its Ed25519 key: to which one-time X25519 key loans may be sealed now."""
    return READER_DOMAIN + reader_key + struct.pack(">Q", at_ms)


def loan_info(loan: wire.LoanRow) -> bytes:
    """Return what a handed-out key is bound to: whoever changes its expiry on the way makes it useless."""
    facility = loan.facility.encode()
    numbers = struct.pack(">HQB", loan.epoch, int(loan.expires_at.timestamp()), len(facility))
    return LOAN_DOMAIN + loan.loan_id.bytes + loan.device.bytes + numbers + facility


def seal_loan(private_key: bytes, loan: wire.LoanRow, reader_key: bytes) -> bytes:
    """Encrypt a station's private key to the device's one-time key."""
    return SUITE.encrypt(private_key, X25519PublicKey.from_public_bytes(reader_key), loan_info(loan))


def open_loan(handed: wire.HandedOut, reader_private: bytes, *, now: dt.datetime) -> bytes:
    """Return the lent private key as an honest device does: not past its expiry. The browser's own is label.js."""
    if now >= handed.loan.expires_at:
        raise BadLabel("This key was lent for a round that is over", code="loan_over")
    try:
        return SUITE.decrypt(handed.sealed, X25519PrivateKey.from_private_bytes(reader_private), loan_info(handed.loan))
    except (InvalidTag, ValueError):
        raise BadLabel("This key was lent to another device, or changed on the way", code="not_this_device") from None
