"""The text of a checkpoint: C2SP tlog-checkpoint. Its signatures are `notes`' matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parcelward.custody import lines
from parcelward.custody.errors import BadCheckpoint
from parcelward.custody.tree import HASH_BYTES, SIZE_MAX

_FIXED_LINES: Final = 3
EXTENSION_LINES_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: the log's `origin`, its `size` in entries, its 32-byte `root`, and extension lines (rarely any)."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= SIZE_MAX or len(self.root) != HASH_BYTES:
            raise BadCheckpoint("A checkpoint has a size below 2^63 and a root of 32 bytes.")
        if len(self.extensions) > EXTENSION_LINES_MAX:
            raise BadCheckpoint("A checkpoint has too many extension lines.")
        for line in (self.origin, *self.extensions):
            if not line or "\n" in line:
                raise BadCheckpoint("A checkpoint's lines are not empty.")
            try:
                lines.utf8(line.encode("utf-8"), BadCheckpoint)
            except UnicodeEncodeError:
                raise BadCheckpoint("A checkpoint's lines are text.") from None

    @property
    def text(self) -> str:
        """The note text that is signed; ends in a newline."""
        return "\n".join([self.origin, str(self.size), lines.base64_text(self.root), *self.extensions, ""])


def parse(text: str) -> Checkpoint:
    """Return the checkpoint that a note's text is, or raise BadCheckpoint. Says nothing about who signed it."""
    if not text.endswith("\n"):
        raise BadCheckpoint("A checkpoint ends in a newline.")
    found = text[:-1].split("\n")
    if len(found) < _FIXED_LINES:
        raise BadCheckpoint("A checkpoint has three lines or more.")
    origin, size, root, *extensions = found
    return Checkpoint(
        origin=origin,
        size=lines.number(size, BadCheckpoint),
        root=lines.hash_bytes(root, BadCheckpoint),
        extensions=tuple(extensions),
    )
