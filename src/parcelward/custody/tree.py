"""The Merkle tree of RFC 6962, section 2.1: roots and proofs from stored hashes, and their strict verification.

Hashes are read through a `HashReader`: tile level L (C2SP tlog-tiles) holds the roots of all complete subtrees of
256**L entries, so any complete subtree is folded from at most 128 stored hashes, and any proof touches a few tiles.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, Protocol

from parcelward.custody.errors import LogDiverged, NotInLog, ProofFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HASH_BYTES: Final = 32
TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
SIZE_MAX: Final = 2**63 - 1  # what C2SP's other numbers are held to; a log of 10,000 entries a second fills it never
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256


class HashReader(Protocol):
    """Where stored hashes come from."""

    def __call__(self, level: int, index: int, count: int, /) -> bytes:
        """Return `count` consecutive hashes of tile level `level` from `index` on, packed: 32 bytes each."""
        ...


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry: SHA-256(0x00 || entry)."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees: SHA-256(0x01 || left || right)."""
    return _sha256(b"\x01" + left + right).digest()


def fold(packed: bytes) -> bytes:
    """Return the root of a complete subtree from its packed hashes; their number must be a power of two."""
    while len(packed) > HASH_BYTES:
        packed = b"".join([_sha256(b"\x01" + packed[i : i + 64]).digest() for i in range(0, len(packed), 64)])
    return packed


def root(size: int, read: HashReader) -> bytes:
    """Return the root of the first `size` entries (RFC 6962 MTH); of none, the hash of nothing."""
    _require_size(size)
    return _subtree_root(0, size, read) if size else EMPTY_ROOT


def inclusion_path(index: int, size: int, read: HashReader) -> list[bytes]:
    """Return the proof that entry `index` is among the first `size`, from the leaf's sibling up (RFC 6962, 2.1.1).

    Raises NotInLog when there is no such entry.
    """
    _require_size(size)
    if not 0 <= index < size:
        raise NotInLog(f"There is no entry {index} among the first {size}.")
    return [_subtree_root(start, end, read) for start, end in _inclusion_siblings(index, size)]


def inclusion_paths(indexes: Iterable[int], size: int, read: HashReader) -> list[list[bytes]]:
    """Return the proofs of many entries; what neighbours share is read and hashed once. Raises NotInLog like one."""
    _require_size(size)
    known: dict[tuple[int, int], bytes] = {}
    paths = []
    for index in indexes:
        if not 0 <= index < size:
            raise NotInLog(f"There is no entry {index} among the first {size}.")
        siblings = _inclusion_siblings(index, size)
        for start, end in siblings:
            if (start, end) not in known:
                known[start, end] = _subtree_root(start, end, read)
        paths.append([known[each] for each in siblings])
    return paths


def consistency_path(old_size: int, new_size: int, read: HashReader) -> list[bytes]:
    """Return the proof that the first `old_size` of `new_size` entries are unchanged (RFC 6962, 2.1.2).

    From size zero, and from a size to itself, there is nothing to prove: the path is empty. Raises NotInLog when
    `old_size` is larger.
    """
    _require_size(new_size)
    if not 0 <= old_size <= new_size:
        raise NotInLog(f"A tree of {new_size} entries has no first {old_size}.")
    if old_size in {0, new_size}:
        return []
    return [_subtree_root(start, end, read) for start, end in _consistency_ranges(old_size, new_size)]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected_root: bytes) -> None:
    """Raise ProofFailed unless `path` shows the leaf hash at `index` in the tree of `size` entries under the root."""
    _require_hashes((leaf, expected_root, *path))
    if not 0 < size <= SIZE_MAX:
        raise ProofFailed("An inclusion proof needs a tree of one entry or more.")
    if not 0 <= index < size:
        raise ProofFailed("The entry's index lies beyond the tree.")
    siblings = _inclusion_siblings(index, size)
    _require_length(path, len(siblings))
    computed = leaf
    for (_, end), sibling in zip(siblings, path, strict=True):
        computed = node_hash(sibling, computed) if end <= index else node_hash(computed, sibling)
    if computed != expected_root:
        raise ProofFailed("The proof leads to another root than the checkpoint's.")


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, path: Sequence[bytes]) -> None:
    """Raise ProofFailed unless `path` shows that the old tree is the beginning of the new one.

    Size zero is refused: every tree begins with nothing, so such a proof would say nothing. Equal sizes need equal
    roots and an empty path.
    """
    _require_hashes((old_root, new_root, *path))
    if not 0 < old_size <= new_size <= SIZE_MAX:
        raise ProofFailed("A consistency proof goes from one entry or more to a tree that is not smaller.")
    if old_size == new_size:
        _require_length(path, 0)
        if old_root != new_root:
            raise ProofFailed("Two roots for one size: the log has forked.")
        return
    ranges = _consistency_ranges(old_size, new_size)
    _require_length(path, len(ranges))
    hashes = list(zip(ranges, path, strict=True))
    # Where the old tree is itself a complete subtree, its root is the seed and the proof leaves it out.
    old = new = old_root if _is_power_of_two(old_size) else hashes.pop(0)[1]
    for (start, _), sibling in hashes:
        if start < old_size:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
        else:
            new = node_hash(new, sibling)
    if old != old_root:
        raise ProofFailed("The proof does not lead to the old root.")
    if new != new_root:
        raise ProofFailed("The proof does not lead to the new root.")


def _split(width: int) -> int:
    """Return the largest power of two smaller than `width`, which is at least 2 (RFC 6962's k)."""
    return 1 << ((width - 1).bit_length() - 1)


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0


def _inclusion_siblings(index: int, size: int) -> list[tuple[int, int]]:
    """Return the ranges [start, end) whose roots prove `index`, from the leaf upwards."""
    start, end, siblings = 0, size, []
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            siblings.append((split, end))
            end = split
        else:
            siblings.append((start, split))
            start = split
    return siblings[::-1]


def _consistency_ranges(old_size: int, new_size: int) -> list[tuple[int, int]]:
    """Return the ranges [start, end) whose roots lead from the old tree to the new one, in the proof's order."""
    start, end, ranges = 0, new_size, []
    while end != old_size:
        split = start + _split(end - start)
        if old_size <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    if start:  # the old tree's last complete subtree; when it is the whole old tree, the verifier has its root
        ranges.append((start, end))
    return ranges[::-1]


def _subtree_root(start: int, end: int, read: HashReader) -> bytes:
    """Return the root of the entries [start, end), where `start` is aligned as RFC 6962 splits trees."""
    complete, at, left = [], start, end - start
    while left:
        height = left.bit_length() - 1
        complete.append(_complete_root(height, at >> height, read))
        at, left = at + (1 << height), left - (1 << height)
    computed = complete.pop()
    while complete:
        computed = node_hash(complete.pop(), computed)
    return computed


def _complete_root(height: int, index: int, read: HashReader) -> bytes:
    """Return the root of the `index`-th complete subtree of 2**height entries."""
    level, above = divmod(height, TILE_HEIGHT)
    packed = read(level, index << above, 1 << above)
    if len(packed) != HASH_BYTES << above:
        raise LogDiverged(f"Level {level} of the tree lacks hashes from {index << above} on.", differs=f"level{level}")
    return fold(packed)


def _require_size(size: int) -> None:
    if not 0 <= size <= SIZE_MAX:
        raise NotInLog("No log has that many entries.")


def _require_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofFailed("Every hash of a proof has 32 bytes.")


def _require_length(path: Sequence[bytes], length: int) -> None:
    if len(path) != length:
        raise ProofFailed(f"The proof has {len(path)} hashes where {length} are needed.")
