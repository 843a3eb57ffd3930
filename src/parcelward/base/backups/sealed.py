"""One encrypted file of a backup, written and read as a stream: memory stays the same whatever its length.

    magic | context (uint16 length, UTF-8) | number of recipients (1 byte) | per recipient: key id (8), wrapped key
    then chunks: AES-256-GCM of a MiB each, the last one shorter or not

The file's key is random, used for this file alone, and wrapped for every recipient (`recipients`). A chunk's nonce is
its number and whether it is the last, and its associated data is the hash of all that stands before the chunks: so a
chunk that is changed, left out, moved, doubled or taken from another file does not open, nor does a file that ends too
early. This is the STREAM construction that `age` uses. The context says which file of which set this is, and the
reader says which one it wants. What is encrypted is compressed first (zlib).
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import zlib
from collections.abc import Sequence
from typing import IO, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from parcelward.base.backups.errors import BadBackup, WrongKey
from parcelward.base.backups.recipients import (
    ID_BYTES,
    RECIPIENTS_MAX,
    SECRET_BYTES,
    WRAPPED_BYTES,
    PrivateKey,
    PublicKey,
)

MAGIC: Final = b"parcelward sealed file 1\n"
CHUNK_BYTES: Final = 1 << 20
TAG_BYTES: Final = 16
CONTEXT_BYTES_MAX: Final = 1_000
_INFO: Final = b"parcelward backup 1\0"
_LEVEL: Final = 1  # 60 to 100 MB a second; the higher levels save little more of tables and nothing of secrets


class Out(Protocol):
    """What takes bytes, all of them."""

    def write(self, data: bytes, /) -> int:
        """Write all of it."""
        ...


class Sealer(io.RawIOBase):
    """Encrypts what is written to it into `out`. Only `seal` ends the file: one that is just closed does not open."""

    def __init__(self, out: Out, *, context: str, recipients: Sequence[PublicKey]) -> None:
        if not 0 < len(recipients) <= RECIPIENTS_MAX:
            raise ValueError("a file is sealed for 1 to 16 recipients")  # a caller's bug: they were counted before
        self._out = out
        key = secrets.token_bytes(SECRET_BYTES)
        head = _head(context, [(each.id, each.wrap(key, info=_INFO + context.encode())) for each in recipients])
        out.write(head)
        self._aad = hashlib.sha256(head).digest()
        self._cipher = AESGCM(key)
        self._press = zlib.compressobj(_LEVEL)
        self._waiting = bytearray()
        self._number = 0
        self.bytes_in = 0

    def writable(self) -> bool:
        """Return True: that is what it is for."""
        return True

    def write(self, data: bytes | bytearray | memoryview, /) -> int:  # type: ignore[override]  # typeshed: Buffer
        """Take bytes of any number."""
        self.bytes_in += len(data)
        self._waiting += self._press.compress(data)
        while len(self._waiting) > CHUNK_BYTES:  # one byte more than a chunk: this one is not the last
            self._chunk(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(data)

    def seal(self) -> None:
        """Write the end, after which nothing can be added."""
        self._waiting += self._press.flush()
        while len(self._waiting) > CHUNK_BYTES:
            self._chunk(bytes(self._waiting[:CHUNK_BYTES]), last=False)
            del self._waiting[:CHUNK_BYTES]
        self._chunk(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _chunk(self, plain: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number, last=last), plain, self._aad))
        self._number += 1


class Opener(io.RawIOBase):
    """Gives what was sealed; raises BadBackup at the first byte that is not as it was, WrongKey for another's file.

    What was read before an error is genuine, but not whole: whoever reads does nothing with it before the end.
    """

    def __init__(self, source: IO[bytes], *, context: str, keys: Sequence[PrivateKey]) -> None:
        self._source = source
        head, said, wrapped = _read_head(source)
        if said != context:
            raise BadBackup(f"This file is {said}, and {context} was expected: sets or files were swapped.")
        self._cipher = AESGCM(_file_key(wrapped, context, keys))
        self._aad = hashlib.sha256(head).digest()
        self._press = zlib.decompressobj()
        self._next = source.read(CHUNK_BYTES + TAG_BYTES)
        self._pressed = b""
        self._number = 0
        self._ended = False

    def readable(self) -> bool:
        """Return True: that is what it is for."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # typeshed: any writable buffer
        """Fill the buffer as far as one step goes; 0 at the end, which was authenticated then."""
        while True:
            if not self._pressed and not self._ended:
                self._pressed = self._chunk()
            plain = self._inflate(len(buffer))
            if plain:
                buffer[: len(plain)] = plain
                return len(plain)
            if self._ended and not self._pressed:
                if not self._press.eof:
                    raise BadBackup("The file ends within what was compressed.")
                return 0

    def _inflate(self, most: int) -> bytes:
        """Return at most so many bytes: what is left waits, so that a file of zeros needs no more memory."""
        try:
            plain = self._press.decompress(self._pressed, most)
        except zlib.error:
            raise BadBackup("The file was not written by this program.") from None
        self._pressed = self._press.unconsumed_tail
        return plain

    def _chunk(self) -> bytes:
        sealed, self._next = self._next, self._source.read(CHUNK_BYTES + TAG_BYTES)
        self._ended = not self._next
        try:
            plain = self._cipher.decrypt(_nonce(self._number, last=self._ended), sealed, self._aad)
        except InvalidTag:
            where = f"chunk {self._number}"
            raise BadBackup(
                f"The file is damaged, cut short or put together anew at {where}: it cannot be used."
            ) from (None)
        self._number += 1
        return plain


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _head(context: str, wrapped: Sequence[tuple[bytes, bytes]]) -> bytes:
    said = context.encode()
    parts = [MAGIC, len(said).to_bytes(2, "big"), said, bytes([len(wrapped)])]
    return b"".join([*parts, *(key_id + key for key_id, key in wrapped)])


def _read_head(source: IO[bytes]) -> tuple[bytes, str, dict[bytes, bytes]]:
    magic = _exactly(source, len(MAGIC))
    if magic != MAGIC:
        raise BadBackup("This is not a sealed file of a backup.")
    length = _exactly(source, 2)
    said = _exactly(source, min(int.from_bytes(length, "big"), CONTEXT_BYTES_MAX))
    count = _exactly(source, 1)
    wrapped = [_exactly(source, ID_BYTES + WRAPPED_BYTES) for _ in range(min(count[0], RECIPIENTS_MAX))]
    try:
        context = said.decode()
    except UnicodeDecodeError:
        raise BadBackup("The file's head is damaged.") from None
    return b"".join([magic, length, said, count, *wrapped]), context, {w[:ID_BYTES]: w[ID_BYTES:] for w in wrapped}


def _exactly(source: IO[bytes], count: int) -> bytes:
    data = source.read(count)
    if len(data) != count:
        raise BadBackup("The file ends within its head.")
    return data


def _file_key(wrapped: dict[bytes, bytes], context: str, keys: Sequence[PrivateKey]) -> bytes:
    for key in keys:
        if key.public.id in wrapped:
            return key.unwrap(wrapped[key.public.id], info=_INFO + context.encode())
    here = ", ".join(key.public.id.hex() for key in keys) or "none"
    wanted = ", ".join(sorted(key_id.hex() for key_id in wrapped))
    raise WrongKey(f"It was encrypted for the backup key {wanted}; given: {here}. Give that key's file with --key.")


class Hashing(io.RawIOBase):
    """Passes on what is written and knows its SHA-256 and length."""

    def __init__(self, out: Out) -> None:
        self._out = out
        self._hash = hashlib.sha256()
        self.length = 0

    def writable(self) -> bool:
        """Return True: that is what it is for."""
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # typeshed: Buffer
        """Write all of it."""
        self._out.write(data)
        self._hash.update(data)
        self.length += len(data)
        return len(data)

    @property
    def sha256(self) -> str:
        """The digest so far, in hex."""
        return self._hash.hexdigest()


def sync(file: IO[bytes]) -> None:
    """Bring a file to the disk."""
    file.flush()
    os.fsync(file.fileno())
