"""How the files of an evidence bundle are read: strictly, and with the file's name in front of whatever fails."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeVar

import msgspec

from parcelward.base.errors import Invalid
from parcelward.custody import tree
from parcelward.custody.errors import ProofFailed

_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)

S = TypeVar("S", bound=msgspec.Struct)


@contextlib.contextmanager
def within(path: str) -> Iterator[None]:
    """Let whatever fails inside be a ProofFailed that begins with the file's path."""
    try:
        yield
    except Invalid as error:
        raise ProofFailed(f"{path}: {error.message}") from error


def canonical(value: msgspec.Struct | Mapping[str, object]) -> bytes:
    """Return the one JSON spelling (RFC 8785: texts, whole numbers, lists, objects with ASCII keys)."""
    return msgspec.json.encode(value, order="sorted")


def held(files: Mapping[str, bytes], path: str) -> bytes:
    """Return a file's content, or raise ProofFailed."""
    if path not in files:
        raise ProofFailed("The file is missing.")
    return files[path]


def decode(data: bytes, kind: type[S]) -> S:
    """Return the value in its one spelling, or raise ProofFailed."""
    try:
        value = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProofFailed("The content is not of the form that it should have.") from None
    if canonical(value) != data:
        raise ProofFailed("The content is not in its one spelling.")
    return value


def unhex(text: str) -> bytes:
    """Return the 32 bytes of a hash or a salt, or raise ProofFailed."""
    if len(text) != 2 * tree.HASH_BYTES or _HEX.fullmatch(text) is None:
        raise ProofFailed("A hash or salt is not 32 bytes in lower-case hex.")
    return bytes.fromhex(text)
