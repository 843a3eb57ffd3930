"""RFC 6962, section 2.1, written down exactly as it stands there: slow, obvious, and shared with nothing it checks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def k(n: int) -> int:
    power = 1
    while power * 2 < n:
        power *= 2
    return power


def mth(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = k(len(leaves))
    return node(mth(leaves[:split]), mth(leaves[split:]))


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = k(len(leaves))
    if m < split:
        return [*path(m, leaves[:split]), mth(leaves[split:])]
    return [*path(m - split, leaves[split:]), mth(leaves[:split])]


def subproof(m: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    split = k(len(leaves))
    if m <= split:
        return [*subproof(m, leaves[:split], whole), mth(leaves[split:])]
    return [*subproof(m - split, leaves[split:], False), mth(leaves[:split])]


def proof(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    return subproof(m, leaves, True) if 0 < m < len(leaves) else []


def leaves_of(count: int, salt: str = "") -> list[bytes]:
    return [hashlib.sha256(f"leaf {salt}{i}".encode()).digest() for i in range(count)]


def level(leaves: Sequence[bytes], number: int) -> list[bytes]:
    """The hashes of tile level `number`: roots of the complete runs of 256**number leaves (C2SP tlog-tiles)."""
    run = 256**number
    return [mth(leaves[i : i + run]) for i in range(0, len(leaves) - run + 1, run)]


class StoredTree:
    """A tree's levels in memory, read as `tree.HashReader` reads; counts what was read."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.levels: list[list[bytes]] = []
        while not self.levels or len(self.levels[-1]) >= 256:
            self.levels.append(list(leaves) if not self.levels else level(self.levels[-1], 1))
        self.hashes_read = 0

    def __call__(self, at: int, index: int, count: int, /) -> bytes:
        self.hashes_read += count
        return b"".join(self.levels[at][index : index + count])
