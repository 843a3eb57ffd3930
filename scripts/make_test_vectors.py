"""Write docs/test-vectors/commitments.json: what anyone needs to check their own implementation of our commitments.

It shares no line with the product: hashlib and json alone, so that it is also the oracle that the product and the
browser's verifier are compared with. `python scripts/make_test_vectors.py` writes the file; a test compares it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TARGET = Path(__file__).resolve().parent.parent / "docs" / "test-vectors" / "commitments.json"
GROUPS = ("public", "addressee", "operations", "restricted")
NUMBER, ITEM_ID = "RA473012345GB", "itm_0190a4f27c3b7d519f2e3a4b5c6d7e8f"  # either names the item in an event
NO_SALT = bytes(32)  # of a group that holds nothing
CORRECTION = 4  # the event of the vectors that declares the one before it wrong
NO_EVENT = "0" * 64  # what the first event of an item names as the commitment before it


def canonical(value: dict[str, Any]) -> bytes:
    """Return RFC 8785 JSON of what the groups hold: texts, whole numbers, lists and objects with ASCII keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def group_salts(secret: bytes, event_id: str) -> dict[str, bytes]:
    """Return salt_g of one event's groups, for those that hold something; `event_id` as 32 hex digits."""
    seed = b"parcelward/v1/salts\x00" + secret + bytes.fromhex(event_id)
    often, rare = hashlib.blake2b(seed).digest(), hashlib.blake2b(seed + b"\x01").digest()
    return {"public": often[:32], "operations": often[32:], "addressee": rare[:32], "restricted": rare[32:]}


def link_key(secret: bytes) -> bytes:
    """Return the key that the addressee's link carries."""
    return hashlib.sha256(b"parcelward/v1/link\x00" + secret).digest()


def group_hash(salt: bytes, canon: bytes) -> bytes:
    """Return group_g."""
    return hashlib.sha256(b"parcelward/v1/group\x00" + salt + canon).digest()


def commitment(groups: list[bytes], sealed_body: bytes) -> bytes:
    """Return the commitment of the four group hashes, in order, and the encrypted body."""
    return hashlib.sha256(b"parcelward/v1/event\x00" + b"".join(groups) + hashlib.sha256(sealed_body).digest()).digest()


def seal_for_link(secret: bytes, event_id: str, salt: bytes, canon: bytes, nonce: bytes) -> str:
    """Return `addressee_sealed`: base64 of nonce and AES-256-GCM of salt and canon; empty for nothing."""
    if not canon:
        return ""
    box = AESGCM(link_key(secret)).encrypt(nonce, salt + canon, bytes.fromhex(event_id))
    return base64.b64encode(nonce + box).decode()


def public_group(
    *, at: str, event: int, event_id: str, item: str, place: str, previous: str, step: str, **correction: Any
) -> bytes:
    """Return canon_public; of a correction with `authorised` and `corrects`."""
    said = {"at": at, "event": event, "id": event_id, "item": item, "place": place, "previous": previous, "step": step}
    return canonical(said | correction)


def vector(secret: bytes, event_id: str, canons: list[bytes], sealed_body: bytes) -> dict[str, Any]:
    """Return one event with every figure on the way from its bytes to its leaf hash."""
    made_salts = group_salts(secret, event_id)
    salts = [made_salts[group] if canon else NO_SALT for group, canon in zip(GROUPS, canons, strict=True)]
    hashes = [group_hash(salt, canon) for salt, canon in zip(salts, canons, strict=True)]
    committed = commitment(hashes, sealed_body)
    nonce = hashlib.sha256(b"nonce of a test vector" + bytes.fromhex(event_id)).digest()[:12]
    return {
        "event_id": event_id,
        "groups": {
            group: {"canon": canon.decode(), "salt": salt.hex(), "hash": made.hex()}
            for group, canon, salt, made in zip(GROUPS, canons, salts, hashes, strict=True)
        },
        "sealed_body": sealed_body.hex(),
        "body_hash": hashlib.sha256(sealed_body).hexdigest(),
        "commitment": committed.hex(),
        "entry": (b"\x01" + committed).hex(),
        "leaf_hash": hashlib.sha256(b"\x00\x01" + committed).hexdigest(),
        "link_nonce": nonce.hex(),
        "addressee_sealed": seal_for_link(secret, event_id, salts[1], canons[1], nonce),
    }


def vectors() -> dict[str, Any]:
    """Return the whole file: one item of four events, with empty groups, no place, odd letters and a correction."""
    secret = hashlib.sha256(b"secret of a test vector").digest()
    rows: tuple[tuple[Any, ...], ...] = (
        ("accepted", "2026-11-20T08:15:00.000000Z", "LDS01", {"window": "09:00-13:00"}, {"belt": 7}, {"staff": "t-1"}),
        ("left_sorting", "2026-11-21T21:40:12.345678Z", "", {}, {}, {}),
        ("delivered", "2026-11-22T10:00:00.000000Z", "ZÜR-7", {"handed": 'à la loge "B"'}, {}, {"to": "neighbour"}),
        ("delivered", "2026-11-22T10:04:00.000000Z", "LDS01", {}, {"belt": 8}, {}),
    )
    events: list[dict[str, Any]] = []
    for number, (step, at, place, *others) in enumerate(rows, start=1):
        event_id = hashlib.sha256(f"event {number}".encode()).hexdigest()[:32]
        previous = events[-1]["commitment"] if events else NO_EVENT
        said: dict[str, Any] = {
            "at": at,
            "event": number,
            "event_id": event_id,
            "place": place,
            "previous": previous,
            "step": step,
        }
        if number == CORRECTION:
            said |= {"authorised": False, "corrects": events[-1]["event_id"]}
        public = public_group(item=ITEM_ID if step == "left_sorting" else NUMBER, **said)
        canons = [public, *(canonical(group) if group else b"" for group in others)]
        events.append(vector(secret, event_id, canons, f"sealed body {number}".encode() if number > 1 else b""))
    return {
        "format": "parcelward/v1",
        "words": "Bytes are lower-case hex; canon is exact UTF-8 text; an empty canon is a group that holds nothing.",
        "number": NUMBER,
        "item_id": ITEM_ID,
        "item_secret": secret.hex(),
        "link_key": link_key(secret).hex(),
        "events": events,
    }


def text() -> str:
    """Return the file's text."""
    return json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text(), encoding="utf-8")
    print(TARGET)
