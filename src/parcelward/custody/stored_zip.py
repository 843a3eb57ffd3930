"""A zip archive in one byte-exact form: nothing compressed, nothing optional, names sorted, no times, no comments.

The same files always give the same bytes, on every machine and in every year. Reading accepts that one form only, so
two programs can never see different files in one archive, and nothing can unfold to more than it weighs. Layout: PKWARE
APPNOTE 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end); method 0, "stored".
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from typing import Final

from parcelward.custody.errors import ProofFailed

ARCHIVE_BYTES_MAX: Final = 1 << 28
FILES_MAX: Final = 60_000  # the plain format counts them in 16 bits
PATH_CHARS_MAX: Final = 200

_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*){0,3}", re.ASCII)
_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_NEEDS_VERSION: Final = 10
_MADE_BY: Final = 3 << 8 | 20  # Unix, so that the mode below is read
_DAY_ONE: Final = 0x21  # 1980-01-01, the format's first day
_PLAIN_FILE: Final = 0o100644 << 16


def write(files: Mapping[str, bytes]) -> bytes:
    """Return the archive of path -> content. Raises ProofFailed for a path or a size that could not be read back."""
    if len(files) > FILES_MAX or sum(map(len, files.values())) > ARCHIVE_BYTES_MAX:
        raise ProofFailed("The archive would be too large.")
    body, directory, at = bytearray(), bytearray(), 0
    for path, content in sorted(files.items()):
        if _PATH.fullmatch(path) is None or len(path) > PATH_CHARS_MAX:
            raise ProofFailed("A path in the archive is not plain.")
        name, size = path.encode("ascii"), len(content)
        about = (_NEEDS_VERSION, 0, 0, 0, _DAY_ONE, zlib.crc32(content), size, size, len(name), 0)
        body += _LOCAL.pack(b"PK\x03\x04", *about) + name + content
        directory += _CENTRAL.pack(b"PK\x01\x02", _MADE_BY, *about, 0, 0, 0, _PLAIN_FILE, at) + name
        at = len(body)
    end = _END.pack(b"PK\x05\x06", 0, 0, len(files), len(files), len(directory), at, 0)
    return bytes(body + directory) + end


def read(data: bytes) -> dict[str, bytes]:
    """Return path -> content, or raise ProofFailed unless `data` is, to the byte, what `write` makes of it."""
    if len(data) > ARCHIVE_BYTES_MAX:
        raise ProofFailed("The archive is too large.")
    files: dict[str, bytes] = {}
    at = 0
    while data[at : at + 4] == b"PK\x03\x04":
        if len(files) == FILES_MAX or at + _LOCAL.size > len(data):
            raise ProofFailed("The archive ends within a file, or holds too many.")
        size, name_bytes = struct.unpack_from("<IH", data, at + 22)
        start = at + _LOCAL.size + name_bytes
        path = data[at + _LOCAL.size : start].decode("ascii", "replace")
        files[path] = data[start : start + size]
        at = start + size
    # Writing it again settles everything at once: order, repeats, sizes, checksums, the directory, what stands around.
    if not files or write(files) != data:
        raise ProofFailed("The archive is not in the one form that evidence bundles have.")
    return files
