"""Write docs/test-vectors/sealed-labels.json: what anyone needs to check a sealed label of their own, byte for byte.

It shares no line with the product: HPKE is written out here over X25519, HMAC and AES-GCM (RFC 9180 sections 4 and 5),
so that it is also the oracle that the product and the courier's page are compared with; a test compares this one with
the vectors of the RFC. `python scripts/make_label_vectors.py` writes the file; a test compares it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import struct
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TARGET = Path(__file__).resolve().parent.parent / "docs" / "test-vectors" / "sealed-labels.json"
AES_128_GCM, AES_256_GCM = (1, 16), (2, 32)  # RFC 9180 table 5: number, bytes of key
HOPS = {"hub": (1, 12), "office": (2, 32), "courier": (3, 92)}  # number, bytes of text
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def hkdf_extract(salt: bytes, material: bytes) -> bytes:
    """Return PRK (RFC 5869 section 2.2)."""
    return hmac.digest(salt, material, "sha256")


def hkdf_expand(prk: bytes, info: bytes, length: int) -> bytes:
    """Return at most 32 bytes: one round is all that is needed here."""
    return hmac.digest(prk, info + b"\x01", "sha256")[:length]


def seal(key: bytes, info: bytes, plain: bytes, *, once: bytes, aead: tuple[int, int], aad: bytes = b"") -> bytes:
    """Return enc and ct of HPKE in base mode; `once` is the sender's one-time private key, `key` the public one."""
    sender = X25519PrivateKey.from_private_bytes(once)
    enc = sender.public_key().public_bytes_raw()
    kem = b"KEM" + struct.pack(">H", 0x20)
    shared = sender.exchange(X25519PublicKey.from_public_bytes(key))
    prk = hkdf_extract(b"", b"HPKE-v1" + kem + b"eae_prk" + shared)
    secret = hkdf_expand(prk, struct.pack(">H", 32) + b"HPKE-v1" + kem + b"shared_secret" + enc + key, 32)
    number, key_bytes = aead
    suite = b"HPKE" + struct.pack(">HHH", 0x20, 1, number)
    nothing = hkdf_extract(b"", b"HPKE-v1" + suite + b"psk_id_hash")
    context = b"\0" + nothing + hkdf_extract(b"", b"HPKE-v1" + suite + b"info_hash" + info)
    prk = hkdf_extract(secret, b"HPKE-v1" + suite + b"secret")
    made, nonce = (
        hkdf_expand(prk, struct.pack(">H", size) + b"HPKE-v1" + suite + label + context, size)
        for label, size in ((b"key", key_bytes), (b"base_nonce", 12))
    )
    return enc + AESGCM(made).encrypt(nonce, plain, aad)


def base45(raw: bytes) -> str:
    """Return RFC 9285 text."""
    out = ""
    for at in range(0, len(raw), 2):
        number, letters = int.from_bytes(raw[at : at + 2], "big"), 3 if at + 1 < len(raw) else 2
        out += "".join(ALPHABET[number // 45**power % 45] for power in range(letters))
    return out


def fixed(name: str) -> bytes:
    """Return 32 bytes that are the same each time."""
    return hashlib.sha256(f"sealed label, test vector: {name}".encode()).digest()


def public_of(private: bytes) -> bytes:
    """Return the X25519 public key."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def mark(public: bytes) -> bytes:
    """Return a station key's mark."""
    return hashlib.sha256(b"parcelward/station-key/v1\0" + public).digest()[:4]


def label(texts: dict[str, list[str]], *, item: str, epoch: int, lengths: dict[str, int]) -> dict[str, Any]:
    """Return one label with every figure on the way from its texts to its code."""
    hub, office = public_of(fixed("hub")), public_of(fixed("office"))
    public = b"P\x01" + struct.pack(">H", epoch) + mark(hub) + mark(office) + bytes([len(item)]) + item.encode()
    parts: dict[str, Any] = {}
    raw = public
    for name, (number, _) in HOPS.items():
        info = b"parcelward/label/v1\0" + bytes([number]) + public
        plain = "\x1f".join(texts[name]).encode().ljust(lengths[name], b"\0")
        once = fixed(f"{item} once {name}")
        part = seal(hub if name == "hub" else office, info, plain, once=once, aead=AES_256_GCM)
        raw += part
        parts[name] = {"texts": texts[name], "plain": plain.hex(), "info": info.hex(), "once": once.hex()}
        parts[name]["part"] = part.hex()
    digest = hashlib.sha256(raw).digest()[:16]
    destination, weight_class = "LDS-NORTH", 4
    said = b"".join(bytes([len(text)]) + text.encode() for text in (item, destination))
    message = b"parcelward/label-code/v1\0" + said + bytes([weight_class]) + digest
    code = hmac.digest(fixed("binding"), message, "sha256")[:8]
    return {
        "item": item,
        "epoch": epoch,
        "destination": destination,
        "weight_class": weight_class,
        "public": public.hex(),
        "parts": parts,
        "code": code.hex(),
        "label_code": (code + digest).hex().upper(),
        "label": (raw + code).hex(),
        "text": base45(raw + code),
    }


def loan() -> dict[str, Any]:
    """Return one lent key on its way to a device."""
    facility, epoch, expires = "LDS-NORTH", 360, 1_795_700_000
    ids = {name: fixed(name)[:16] for name in ("loan", "device")}
    info = b"parcelward/loan/v1\0" + ids["loan"] + ids["device"] + struct.pack(">HQ", epoch, expires)
    info += bytes([len(facility)]) + facility.encode()
    reader = fixed("reader")
    sealed = seal(public_of(reader), info, fixed("office"), once=fixed("once loan"), aead=AES_256_GCM)
    return {
        **{name: value.hex() for name, value in ids.items()},
        "facility": facility,
        "epoch": epoch,
        "expires_at": expires,
        "reader_private": reader.hex(),
        "info": info.hex(),
        "public": public_of(fixed("office")).hex(),
        "sealed": sealed.hex(),
    }


def vectors() -> dict[str, Any]:
    """Return the whole file: a label in the short form, one in the long form, and a loan."""
    texts = {"hub": ["LS1-4471"], "office": ["R12", "Harrogate Street 20-58"]}
    short = {**texts, "courier": ["Ana Sample", "Leave with no. 29", "27 Harrogate Street", "Flat 3"]}
    long = {**texts, "courier": ["Zoë Muster-Łukasiewicz", "Ring twice; the bell of the flat below does not work", *(
        "Σπίτι των δοκιμών 12β", "second courtyard, staircase C", "LS1 4AB Leeds")]}  # fmt: skip
    lengths = {name: size for name, (_, size) in HOPS.items()}
    return {
        "format": "parcelward/label/v1",
        "words": "Bytes are lower-case hex. `once` is the sender's one-time private key, which a real label forgets.",
        "hub_private": fixed("hub").hex(),
        "office_private": fixed("office").hex(),
        "binding_key": fixed("binding").hex(),
        "labels": [
            label(short, item="RA473012345GB", epoch=360, lengths=lengths),
            label(long, item="00340123450000000018", epoch=361, lengths=lengths | {"courier": 182}),
        ],
        "loan": loan(),
    }


def text() -> str:
    """Return the file's text."""
    return json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    print(TARGET)
