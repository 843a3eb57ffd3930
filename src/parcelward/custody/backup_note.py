"""The signatures of a backup's manifest, and small files written whole: no database, for there may be none yet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from parcelward.custody import durable, keys, notes
from parcelward.custody.errors import BadNote


def open_signed(note: bytes, vkeys: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the text of a note and which of the keys signed it, or raise BadNote when none did.

    Without `vkeys` the text is returned as it stands, signed by nobody that anybody vouches for.
    """
    if not vkeys:
        return notes.parse(note).text, ()
    try:
        opened = notes.open_note(note, [keys.parse_vkey(each) for each in vkeys])
    except BadNote as err:
        ids = ", ".join(sorted(each.key_id.hex() for each in notes.parse(note).signatures))
        raise BadNote(
            f"The backup's manifest is not signed by the log's key that you trust, but by {ids}. {err}"
        ) from (None)
    return opened.text, tuple(each.verifier.vkey for each in opened.verified)


def signers_of(note: bytes) -> tuple[str, ...]:
    """Return the ids of the keys that a note claims to be signed by."""
    return tuple(each.key_id.hex() for each in notes.parse(note).signatures)


def replace_file(path: Path, data: bytes) -> None:
    """Replace a small file: after a crash there is the old content or the new. Only its owner can read it."""
    durable.write_file(path, data, mode=0o600)


def plain(path: Path) -> bool:
    """Return whether a file of the keys' folder is one to keep: half-written ones begin with a dot."""
    return path.is_file() and not path.is_symlink() and path.name[:1] != "."
