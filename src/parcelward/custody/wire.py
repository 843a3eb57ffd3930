"""How one event becomes one opaque commitment, byte for byte (docs/test-vectors shows worked examples).

Each item has a secret of 32 random bytes. An event's fields fall into four groups; each group's exact bytes are hashed
with a salt that only the item's secret can make, so that an entry says nothing, any group can be opened by itself, and
destroying the secret closes all of them for good. A group that holds nothing has no salt: its hash says so to who
is shown it, and costs nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcelward.base.standards import signed_request

GROUPS = ("public", "addressee", "operations", "restricted")
GROUP_DOMAIN = b"parcelward/v1/group\x00"
EVENT_DOMAIN = b"parcelward/v1/event\x00"
ENTRY_PREFIX = b"\x01"
NOTHING_BEFORE = bytes(32)  # what an item's first event names as its previous commitment
NONCE_SIZE = 12
EVENTS_AT_ONCE_MAX = 1_000  # newest events of one item that a page shows and /proofs proves; verify.js has it, too
GROUP_SIZE_MAX = 65_535  # bytes; the encrypted body carries each group's length in two

_LENGTHS = struct.Struct(">4H")  # the four groups' sizes, in front of their bytes in an encrypted body
_SALTS_DOMAIN = b"parcelward/v1/salts\x00"
_BODY_DOMAIN = b"parcelward/v1/body\x00"
_LINK_DOMAIN = b"parcelward/v1/link\x00"
_SALT_SIZE = 32


class ItemKeys:
    """What an item's secret opens: every event's salts, the key of its bodies, the key of its addressee's link.

    Each is a hash of the secret under a name of its own (docs/decisions/0008).
    """

    __slots__ = ("_salts", "body", "secret")

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self._salts = _SALTS_DOMAIN + secret
        self.body = AESGCM(hashlib.sha256(_BODY_DOMAIN + secret).digest())

    def commit(
        self,
        event_id: bytes,
        nonce: bytes,
        public: bytes,
        addressee: bytes = b"",
        operations: bytes = b"",
        restricted: bytes = b"",
    ) -> tuple[bytes, bytes]:
        """Encrypt the four groups of one event and commit to them; return (commitment, encrypted body).

        The commitment is 32 opaque bytes for the log; the body is what only the item's secret opens.

        `event_id` has 16 bytes, `nonce` 12 fresh random ones. Each group holds at most GROUP_SIZE_MAX bytes; `public`
        always holds something.
        """
        sha256 = hashlib.sha256
        lengths = _LENGTHS.pack(len(public), len(addressee), len(operations), len(restricted))
        body = nonce + self.body.encrypt(nonce, lengths + public + addressee + operations + restricted, event_id)
        # Written out, without a loop: this is what a scan costs.
        salts = hashlib.blake2b(self._salts + event_id).digest()
        group_1 = sha256(GROUP_DOMAIN + salts[:32] + public).digest()
        group_2 = group_3 = group_4 = EMPTY_GROUP
        if operations:
            group_3 = sha256(GROUP_DOMAIN + salts[32:] + operations).digest()
        if addressee or restricted:
            rare = self.salts(event_id)
            group_2 = group_hash(rare["addressee"], addressee) if addressee else EMPTY_GROUP
            group_4 = group_hash(rare["restricted"], restricted) if restricted else EMPTY_GROUP
        all_of_it = EVENT_DOMAIN + group_1 + group_2 + group_3 + group_4 + sha256(body).digest()
        return sha256(all_of_it).digest(), body

    def salts(self, event_id: bytes) -> dict[str, bytes]:
        """Return the salts of an event's four groups, for those that hold something."""
        often = hashlib.blake2b(self._salts + event_id).digest()
        rare = hashlib.blake2b(self._salts + event_id + b"\x01").digest()
        return {
            "public": often[:_SALT_SIZE],
            "addressee": rare[:_SALT_SIZE],
            "operations": often[_SALT_SIZE:],
            "restricted": rare[_SALT_SIZE:],
        }

    def link(self) -> bytes:
        """Return the key that the addressee's link carries: it opens their group of every event, and nothing else."""
        return hashlib.sha256(_LINK_DOMAIN + self.secret).digest()


def group_hash(salt: bytes, canon: bytes) -> bytes:
    """Return the hash of a group's exact bytes with their salt, as the commitment uses it."""
    return hashlib.sha256(GROUP_DOMAIN + salt + canon).digest()


NO_SALT = bytes(32)
"""The salt of a group that holds nothing: there is nothing to hide but that (docs/decisions/0007)."""
EMPTY_GROUP = group_hash(NO_SALT, b"")


class Published(NamedTuple):
    """A batch's place in the log: its entries are `first_index` to `first_index + n - 1`."""

    first_index: int
    batch: int
    record_time: dt.datetime
    n: int
    kind: str


@dataclass(frozen=True, slots=True)
class Opened:
    """One event's groups, as committed to, with their salts and hashes."""

    groups: dict[str, bytes]
    salts: dict[str, bytes]
    group_hashes: dict[str, bytes]
    body_hash: bytes
    commitment: bytes


def open_body(keys: ItemKeys, event_id: bytes, body: bytes) -> Opened:
    """Open an encrypted body and recompute what it commits to.

    Raises `cryptography.exceptions.InvalidTag` when the body or the event id was changed.
    """
    plain = keys.body.decrypt(body[:NONCE_SIZE], body[NONCE_SIZE:], event_id)
    groups: dict[str, bytes] = {}
    at = _LENGTHS.size
    for name, size in zip(GROUPS, _LENGTHS.unpack_from(plain), strict=True):
        groups[name] = plain[at : at + size]
        at += size
    salts = {name: salt if groups[name] else NO_SALT for name, salt in keys.salts(event_id).items()}
    hashes = {name: group_hash(salts[name], canon) for name, canon in groups.items()}
    body_hash = hashlib.sha256(body).digest()
    total = hashlib.sha256(EVENT_DOMAIN + b"".join(hashes[name] for name in GROUPS) + body_hash).digest()
    return Opened(groups, salts, hashes, body_hash, total)


def fact_commitment(salt: bytes, body: bytes) -> bytes:
    """Return the commitment of an entry that is not a scan: one salted group, no encrypted body."""
    return hashlib.sha256(EVENT_DOMAIN + group_hash(salt, body)).digest()


_SIGNED: Final = struct.Struct("!iqq32s64s")  # 116 bytes a request


class Signed(NamedTuple):
    """A device's signature of one request, kept in the row of the batch that holds the request's events.

    `source` is the device's number, `sequence` its number of the request. What it signed can be made again from these
    few values and its key id, so nothing else is kept: not the request's body either, only its SHA-256.
    """

    source: int
    sequence: int
    created_s: int  # Unix seconds, as the signature says
    digest: bytes  # SHA-256 of the body
    signature: bytes

    def base(self, key_id: str) -> str:
        """Return what the device signed, as text."""
        params = signed_request.parameters(created_s=self.created_s, key_id=key_id)
        return signed_request.base(
            path=signed_request.SCANS_PATH, digest=self.digest, sequence=self.sequence, params=params
        )


def pack_signed(requests: Iterable[tuple[int, int, int, bytes, bytes]]) -> bytes:
    """Return these requests' signatures, in the order given, as they are stored."""
    return b"".join([_SIGNED.pack(*each) for each in requests])


def unpack_signed(packed: bytes) -> list[Signed]:
    """Return what `pack_signed` was given. Raises ValueError for bytes that it cannot have made."""
    if len(packed) % _SIGNED.size:
        raise ValueError("not a whole number of signatures")
    return [Signed(*each) for each in _SIGNED.iter_unpack(packed)]


def open_group(keys: ItemKeys, event_id: bytes, body: bytes, group: str) -> bytes:
    """Return one group of an encrypted body, and nothing of what it commits to: a tenth of what `open_body` costs.

    Raises `cryptography.exceptions.InvalidTag` when the body or the event id was changed.
    """
    plain = keys.body.decrypt(body[:NONCE_SIZE], body[NONCE_SIZE:], event_id)
    sizes, nth = _LENGTHS.unpack_from(plain), GROUPS.index(group)
    at = _LENGTHS.size + sum(sizes[:nth])
    return plain[at : at + sizes[nth]]
