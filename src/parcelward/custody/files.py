"""The log as flat files: one file of entries, one of hashes per tile level. A tile, partial ones too, is a slice.

    folder/entries                the 32-byte commitments, in order (an entry is 0x01 || commitment, 33 bytes)
    folder/level0                 the leaf hash of every entry
    folder/level1, level2, ...    the root of every complete run of 256 hashes of the level below
    folder/checkpoint             the newest signed checkpoint
    folder/checkpoint.witnessed   the newest one with enough cosignatures

Every file only grows, and everything beside `entries` is derived from it. The files follow the database, which says how
long the log is: after any doubt, a crash or a failed write, `truncate` to that size makes them whole again.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from parcelward.custody import checkpoints, durable, notes, tiles, tree
from parcelward.custody.errors import BadCheckpoint, BadNote, LogDiverged, LogInUse, NotInLog
from parcelward.custody.tree import HASH_BYTES, TILE_WIDTH
from parcelward.custody.wire import ENTRY_PREFIX

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

COMMITMENT_BYTES: Final = 32
APPEND_MAX: Final = 100_000  # commitments in one append: 100 ms of hashing, and 10 MB of memory
TAIL_CHECKED: Final = 16_384  # entries re-hashed by `truncate`: 10 ms; `check` re-hashes all
CHECK_CHUNK: Final = 65_536  # entries that `check` holds in memory at once; a whole number of level 1 tiles
LEVELS_MAX: Final = 8  # 256**8 entries are more than SIZE_MAX
CHECKPOINT: Final = "checkpoint"
CHECKPOINT_WITNESSED: Final = "checkpoint.witnessed"

_ENTRIES: Final = "entries"
_LEAF_PREFIX: Final = b"\x00" + ENTRY_PREFIX
_BUNDLE_PREFIX: Final = (1 + COMMITMENT_BYTES).to_bytes(2, "big") + ENTRY_PREFIX
_PARENT_BYTES: Final = TILE_WIDTH * HASH_BYTES

_sha256 = hashlib.sha256


def leaf_hashes(commitments: bytes) -> bytes:
    """Return the packed leaf hashes of packed commitments: SHA-256(0x00 || 0x01 || commitment) of each."""
    return b"".join(
        [
            _sha256(_LEAF_PREFIX + commitments[i : i + COMMITMENT_BYTES]).digest()
            for i in range(0, len(commitments), COMMITMENT_BYTES)
        ]
    )


def parents(packed: bytes) -> bytes:
    """Return the packed roots of packed complete runs of 256 hashes."""
    return b"".join([tree.fold(packed[i : i + _PARENT_BYTES]) for i in range(0, len(packed), _PARENT_BYTES)])


class LogFiles:
    """The files of one log. Reading is safe from many threads; one process at a time may hold them for writing.

    A writer keeps a lock on the folder until `close`, so a second one gets LogInUse; opening for writing brings the
    levels to the length of the entries. With `read_only=True` files may appear, grow and shrink under the
    reader: each call looks again, and whoever serves tiles to others must not go beyond the published checkpoint.
    """

    def __init__(self, folder: Path | str, *, read_only: bool = False) -> None:
        self._folder = Path(folder)
        self._read_only = read_only
        self._descriptors: dict[str, int] = {}
        self._opening = threading.Lock()
        self._changing = threading.Lock()  # a thread that publishes waits for one that appends
        self._doubtful = False
        self._size = 0
        self._lock = -1
        if not read_only:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = durable.hold_lock(self._folder / "lock")
            if lock is None:
                raise LogInUse("Another process holds the log's files for writing.")
            self._lock = lock
            try:
                self._settle(self._stored(_ENTRIES))  # the entries are never cut here: all else can be made from them
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the files, and the lock, back. Waits for a thread that publishes; none may be reading any more."""
        with self._changing:
            while self._descriptors:
                os.close(self._descriptors.popitem()[1])
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    def reader(self) -> LogFiles:
        """Return a reader of the same files with descriptors of its own, for another thread."""
        return LogFiles(self._folder, read_only=True)

    # Reading ---------------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """How many entries the log has, on disk and whole."""
        return min(self._stored(_ENTRIES), self._stored("level0")) if self._read_only else self._size

    def root(self, size: int | None = None) -> bytes:
        """Return the root of the first `size` entries (all, by default). Raises NotInLog beyond the end."""
        size = self.size if size is None else size
        if size > self.size:
            raise NotInLog(f"The log has fewer than {size} entries.")
        return tree.root(size, self.read_hashes)

    def read_hashes(self, level: int, index: int, count: int, /) -> bytes:
        """Return packed hashes of a tile level: a `tree.HashReader`. Raises NotInLog beyond the end."""
        if index < 0 or count < 0 or index + count > tiles.hashes_at(level, self.size):
            raise NotInLog(f"Level {level} of the log ends before {index + count} hashes.")
        return self._read(f"level{level}", index, count)

    def commitments(self, index: int, count: int) -> bytes:
        """Return packed commitments. Raises NotInLog beyond the end."""
        if index < 0 or count < 0 or index + count > self.size:
            raise NotInLog(f"The log ends before entry {index + count}.")
        return self._read(_ENTRIES, index, count)

    def tile(self, level: int, index: int, width: int = TILE_WIDTH) -> bytes:
        """Return a tile of `width` hashes. Raises BadTile for an impossible one, NotInLog beyond the end."""
        address = tiles.TileAddress(level, index, width)
        return self.read_hashes(level, address.index * TILE_WIDTH, address.width)

    def entry_bundle(self, index: int, width: int = TILE_WIDTH) -> bytes:
        """Return a bundle of `width` entries, each behind its length. Raises BadTile or NotInLog like `tile`."""
        address = tiles.TileAddress(None, index, width)
        packed = self.commitments(address.index * TILE_WIDTH, address.width)
        cut = [packed[i : i + COMMITMENT_BYTES] for i in range(0, len(packed), COMMITMENT_BYTES)]
        return _BUNDLE_PREFIX + _BUNDLE_PREFIX.join(cut)

    def published(self, name: str) -> bytes | None:
        """Return what `publish` last stored under the name, or None."""
        _require_published_name(name)
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def published_head(self, name: str = CHECKPOINT) -> checkpoints.Checkpoint | None:
        """Return the checkpoint that is published, its signatures not looked at, or None."""
        data = self.published(name)
        return None if data is None else checkpoints.parse(notes.parse(data).text)

    def check(self) -> None:
        """Hash every entry again; raise LogDiverged at the first that a level contradicts. About 2 us per entry."""
        self._check(0, self.size)

    # Writing ---------------------------------------------------------------------------------------------------------

    def append(self, commitments: bytes) -> int:
        """Add packed commitments (32 bytes each, at most 100,000); return the log index of the first.

        When this returns, entries and hashes are on disk. If it raises OSError, nothing may be appended until
        `truncate` settled what was half written.
        """
        self._require_writer()
        count, rest = divmod(len(commitments), COMMITMENT_BYTES)
        if rest or not 0 < count <= APPEND_MAX:
            raise ValueError("An append takes 1 to 100,000 commitments of 32 bytes.")  # a caller's bug, not input
        if self._doubtful:
            raise LogDiverged("The last write failed: truncate the log to its known size first.", differs="files")
        with self._changing:
            first = self._size
            self._doubtful = True
            # From the top down and entries last: a reader who sees an entry finds every hash above it.
            levels = self._grown(first, leaf_hashes(commitments))
            written = [self._write(name, at, hashes) for name, at, hashes in reversed(levels)]
            written.append(self._write(_ENTRIES, first, commitments))
            for descriptor in written:
                os.fdatasync(descriptor)
            self._size, self._doubtful = first + count, False
        return first

    def truncate(self, size: int, *, root: bytes | None = None) -> None:
        """Bring the files to exactly `size` entries, whatever was half written before, and check the newest of them.

        Levels are completed from the one below. Raises LogDiverged when entries are missing, when the newest entries
        and their hashes disagree, when the root is not the expected `root`, or when a published checkpoint says
        otherwise: what was signed for cannot be cut away.
        """
        self._require_writer()
        self._doubtful = True
        held = self._stored(_ENTRIES)
        if held < size:
            raise LogDiverged(f"{size - held} entries are missing from the files.", differs=_ENTRIES, first=held)
        try:
            head = self.published_head()
        except (BadNote, BadCheckpoint) as err:
            raise LogDiverged(f"The published checkpoint cannot be read: {err}", differs=CHECKPOINT) from None
        if head is not None and head.size > size:
            raise LogDiverged("A checkpoint was published for more entries.", differs=CHECKPOINT, first=size)
        self._settle(size)
        self._check(max(0, size - TAIL_CHECKED) // TILE_WIDTH * TILE_WIDTH, size)
        if root is not None and self.root() != root:
            raise LogDiverged(f"The files have another root for {size} entries.", differs="root")
        if head is not None and self.root(head.size) != head.root:
            raise LogDiverged(f"The checkpoint for {head.size} entries has another root.", differs=CHECKPOINT)
        self._doubtful = False

    def publish(self, name: str, data: bytes) -> None:
        """Replace `checkpoint` or `checkpoint.witnessed`; readers see the old or the new, also after a crash.

        Raises LogDiverged unless the note is of a checkpoint that these files hold, on disk, and that is not smaller
        than the published one. Whoever signed it is the caller's concern. Waits for a thread that appends.
        """
        _require_published_name(name)
        with self._changing:
            self._require_writer()
            head, last = checkpoints.parse(notes.parse(data).text), self.published_head(name)
            if self._doubtful or head.size > self._size or (last is not None and last.size > head.size):
                raise LogDiverged("The checkpoint is not of a size to publish now.", differs=name)
            if self.root(head.size) != head.root:
                raise LogDiverged(f"The checkpoint for {head.size} entries has another root.", differs=name)
            durable.write_file(self._folder / name, data)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _settle(self, size: int) -> None:
        """Cut every file to `size` entries; write again what a level lacks from the one below."""
        changed = {self._cut(_ENTRIES, size)}
        for level in range(LEVELS_MAX):
            name, wanted = f"level{level}", tiles.hashes_at(level, size)
            if not wanted and not (self._folder / name).exists():
                continue
            changed.add(self._cut(name, wanted))
            while (have := self._stored(name)) < wanted:
                count = min(wanted - have, CHECK_CHUNK)
                changed.add(self._write(name, have, self._derived(level, have, count)))
        for descriptor in changed:
            os.fsync(descriptor)
        self._size = size

    def _derived(self, level: int, index: int, count: int) -> bytes:
        """Return hashes of a level computed from what lies below it."""
        if level == 0:
            return leaf_hashes(self._read(_ENTRIES, index, count))
        # One parent at a time keeps the memory at 8 KiB, however high the level.
        return b"".join(
            tree.fold(self._read(f"level{level - 1}", at * TILE_WIDTH, TILE_WIDTH))
            for at in range(index, index + count)
        )

    def _grown(self, size: int, leaves: bytes) -> list[tuple[str, int, bytes]]:
        """Return what `leaves` after the first `size` add to each level: the file, the place, the packed hashes."""
        grown: list[tuple[str, int, bytes]] = []
        hashes = leaves
        while hashes:
            level = len(grown)
            at = tiles.hashes_at(level, size)
            grown.append((f"level{level}", at, hashes))
            hashes = self._completed(level, at, hashes)
        return grown

    def _completed(self, level: int, at: int, hashes: bytes) -> bytes:
        """Return the parents that `hashes`, to be written at `at`, complete."""
        start, end = at // TILE_WIDTH, (at + len(hashes) // HASH_BYTES) // TILE_WIDTH
        if start == end:
            return b""
        tail = at - start * TILE_WIDTH
        packed = self._read(f"level{level}", at - tail, tail) + hashes
        return parents(packed[: (end - start) * _PARENT_BYTES])

    def _check(self, start: int, size: int) -> None:
        """Compare the levels of the entries from `start`, a tile's first, to `size` with what they derive from."""
        for level in range(LEVELS_MAX):
            name, first, end = f"level{level}", tiles.hashes_at(level, start), tiles.hashes_at(level, size)
            for at in range(first, end, CHECK_CHUNK):
                count = min(end - at, CHECK_CHUNK)
                stored, derived = self._read(name, at, count), self._derived(level, at, count)
                if stored != derived:
                    wrong = at + _first_difference(stored, derived)
                    raise LogDiverged(
                        f"Hash {wrong} of level {level} is not that of what lies below it.",
                        differs=name,
                        first=wrong << (tree.TILE_HEIGHT * level),
                    )

    def _stored(self, name: str) -> int:
        """Return how many whole 32-byte records a file has; an absent file has none."""
        descriptor = self._descriptor(name)
        return 0 if descriptor is None else os.fstat(descriptor).st_size // HASH_BYTES

    def _descriptor(self, name: str) -> int | None:
        held = self._descriptors.get(name)
        if held is not None:
            return held
        with self._opening:
            if name not in self._descriptors:
                try:
                    self._descriptors[name] = self._open(name)
                except FileNotFoundError:
                    return None
            return self._descriptors[name]

    def _open(self, name: str) -> int:
        path = self._folder / name
        if self._read_only:
            return os.open(path, os.O_RDONLY)
        created = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if created:
            durable.sync_folder(self._folder)
        return descriptor

    def _read(self, name: str, index: int, count: int) -> bytes:
        """Return records of a file; raise LogDiverged when it is shorter than the log's size says."""
        if not count:
            return b""
        descriptor, length = self._descriptor(name), count * HASH_BYTES
        data = b"" if descriptor is None else os.pread(descriptor, length, index * HASH_BYTES)
        if len(data) != length:
            raise LogDiverged(f"File {name} ends before record {index + count}.", differs=name)
        return data

    def _write(self, name: str, index: int, data: bytes) -> int:
        """Write records at their place; return the descriptor, for syncing."""
        descriptor = self._writable(name)
        left, at = memoryview(data), index * HASH_BYTES
        while left:  # one write but for signals and full disks, which may cut it short
            done = os.pwrite(descriptor, left, at)
            left, at = left[done:], at + done
        return descriptor

    def _cut(self, name: str, count: int) -> int:
        descriptor = self._writable(name)
        if os.fstat(descriptor).st_size > count * HASH_BYTES:
            os.ftruncate(descriptor, count * HASH_BYTES)
        return descriptor

    def _writable(self, name: str) -> int:
        descriptor = self._descriptor(name)
        if descriptor is None:
            raise FileNotFoundError(self._folder / name)
        return descriptor

    def _require_writer(self) -> None:
        if self._lock < 0:
            raise LogInUse("These files are not open for writing.")


def _first_difference(stored: bytes, derived: bytes) -> int:
    """Return the number of the first record that differs."""
    return next(i for i in range(len(derived)) if stored[i] != derived[i]) // HASH_BYTES


def _require_published_name(name: str) -> None:
    if name not in {CHECKPOINT, CHECKPOINT_WITNESSED}:
        raise ValueError("Only checkpoints are published beside the log.")  # a caller's bug, not input
