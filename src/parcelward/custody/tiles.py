"""Tiles and entry bundles as static resources: C2SP tlog-tiles, their paths and their bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from parcelward.custody.errors import BadTile, NotInLog
from parcelward.custody.tree import HASH_BYTES, SIZE_MAX, TILE_HEIGHT, TILE_WIDTH, HashReader

LEVEL_MAX: Final = 63
INDEX_MAX: Final = SIZE_MAX >> TILE_HEIGHT  # a tile holds entries, and no log has more than SIZE_MAX of them
PATH_CHARS_MAX: Final = 64
ENTRY_BYTES_MAX: Final = 0xFFFF

_PATH = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class TileAddress:
    """Which tile: `level` 0 to 63, or None for an entry bundle; `index` in its level; `width` 1 to 256 (full)."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if self.level is not None and not 0 <= self.level <= LEVEL_MAX:
            raise BadTile("A tile's level is between 0 and 63.")
        if not 0 <= self.index <= INDEX_MAX:
            raise BadTile("A tile's index is too large.")
        if not 1 <= self.width <= TILE_WIDTH:
            raise BadTile("A tile holds 1 to 256 hashes.")

    @property
    def path(self) -> str:
        """The path below the log's prefix, such as `tile/0/x001/x234/067.p/8`."""
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        where = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{where}{partial}"


def parse_path(text: str) -> TileAddress:
    """Return the address that `text` (`tile/...`) is the one canonical path of, or raise BadTile."""
    found = _PATH.fullmatch(text) if len(text) <= PATH_CHARS_MAX else None
    if found is None:
        raise BadTile("Not a tile's path.")
    level, index, width = found.groups()
    address = TileAddress(
        level=None if level == "entries" else int(level),
        index=int(index.replace("x", "").replace("/", "")),
        width=TILE_WIDTH if width is None else int(width),
    )
    # Leading zeros, and a partial tile of width 256, have another path: there is one path for one tile.
    if address.path != text:
        raise BadTile("Not the canonical path of a tile.")
    return address


def hashes_at(level: int, size: int) -> int:
    """Return how many hashes level `level` holds for a tree of `size` entries."""
    return size >> (TILE_HEIGHT * level)


def tile_for(level: int | None, index: int, size: int) -> TileAddress:
    """Return the address, full or partial, of a tile in the tree of `size` entries; NotInLog if it would be empty."""
    held = hashes_at(level or 0, size) - index * TILE_WIDTH
    if held <= 0:
        raise NotInLog(f"A log of {size} entries has no such tile.")
    return TileAddress(level, index, min(held, TILE_WIDTH))


def tiles_of(size: int) -> Iterator[TileAddress]:
    """Yield every tile, not the entry bundles, that a tree of `size` entries is made of, lowest level first."""
    level = 0
    while held := hashes_at(level, size):
        for index in range(-(-held // TILE_WIDTH)):
            yield tile_for(level, index, size)
        level += 1


def reader(fetch: Callable[[TileAddress], bytes], size: int) -> HashReader:
    """Return a HashReader over fetched tiles of a tree of `size` entries; each tile is fetched once.

    Raises BadTile for a tile of the wrong length. What it reads is not trusted: compare the root.
    """
    held: dict[tuple[int, int], bytes] = {}

    def tile(level: int, index: int) -> bytes:
        if (level, index) not in held:
            address = tile_for(level, index, size)
            data = fetch(address)
            require_tile(data, address.width)
            held[level, index] = data
        return held[level, index]

    def read(level: int, index: int, count: int, /) -> bytes:
        first, last = index // TILE_WIDTH, (index + count - 1) // TILE_WIDTH
        packed = b"".join(tile(level, at) for at in range(first, last + 1))
        skip = (index - first * TILE_WIDTH) * HASH_BYTES
        return packed[skip : skip + count * HASH_BYTES]

    return read


def require_tile(data: bytes, width: int) -> None:
    """Raise BadTile unless `data` has the length of `width` hashes."""
    if len(data) != width * HASH_BYTES:
        raise BadTile("The tile has another length than its width says.")


def format_bundle(entries: Sequence[bytes]) -> bytes:
    """Return an entry bundle: each entry behind its length, big-endian uint16. 1 to 256 entries."""
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise BadTile("An entry bundle holds 1 to 256 entries.")
    if any(len(entry) > ENTRY_BYTES_MAX for entry in entries):
        raise BadTile("An entry has at most 65,535 bytes.")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def parse_bundle(data: bytes, width: int) -> list[bytes]:
    """Return the entries of a bundle of exactly `width`, or raise BadTile when it is short, long or torn."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) <= width:
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if start > len(data) or at > len(data):
            raise BadTile("The entry bundle ends within an entry.")
        entries.append(data[start:at])
    if len(entries) != width:
        raise BadTile("The entry bundle holds another number of entries than its width says.")
    return entries
