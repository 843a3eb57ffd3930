"""A plain copy of the log elsewhere, that only grows: its tiles and entries as C2SP tlog-tiles files, any web server's.

    FOLDER/checkpoint            the newest that was copied, as the log signed it
    FOLDER/checkpoints/<size>    every one that was copied
    FOLDER/tile/...              entry bundles and tiles; what is full is never written again
    FOLDER/vkey                  the log's keys, as they were when the copy was begun or told later
    FOLDER/fork-<size>-<hash>    a checkpoint that the log signed and that contradicts the copy: both together prove it

Nothing is believed: entries are hashed again, and the new tree has to have the root that the log signed *and* to begin
with what was copied before. New tiles wait in FOLDER/.new until that is certain. No database and no clock here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from parcelward.base.errors import Conflict
from parcelward.custody import durable, notes, tiles, tree
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import BadTile, LogDiverged, NotInLog, ProofFailed
from parcelward.custody.files import LogFiles
from parcelward.custody.keys import Verifier, parse_vkey
from parcelward.custody.tiles import TileAddress
from parcelward.custody.tree import HASH_BYTES, TILE_WIDTH

CHECKPOINT: Final = "checkpoint"
HISTORY: Final = "checkpoints"
KEYS: Final = "vkey"
NEW: Final = ".new"

Tell = Callable[[int], object]
"""Hears how many more entries were done."""


class Forked(ProofFailed):
    """The log signed two histories: the copy has one of them, and this is another. Neither is written over."""

    default_code = "forked"
    title = "The log contradicts its copy"


class Source(Protocol):
    """Where the log is copied from."""

    def checkpoint(self) -> bytes:
        """Return the newest signed checkpoint. Raises NotInLog before there is one."""
        ...

    def tile(self, address: TileAddress) -> bytes:
        """Return an entry bundle."""
        ...


@dataclass(frozen=True, slots=True)
class Here:
    """The log's own files on this machine."""

    files: LogFiles

    def checkpoint(self) -> bytes:
        """Return what is published."""
        found = self.files.published(CHECKPOINT)
        if found is None:
            raise NotInLog("The log has no checkpoint yet: start the worker first.")
        return found

    def tile(self, address: TileAddress) -> bytes:
        """Return an entry bundle."""
        return self.files.entry_bundle(address.index, address.width)


@dataclass(frozen=True, slots=True)
class Copied:
    """How long the copy was and is."""

    before: int
    size: int


def copy(folder: Path, source: Source, logs: Sequence[Verifier], *, tell: Tell = lambda _: None) -> Copied:
    """Bring the copy to the log's newest checkpoint. Doing it twice changes nothing.

    Raises Forked when the log shows another history than the copy has, LogDiverged when the copy itself was changed,
    BadNote or BadCheckpoint for what none of `logs` signed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = durable.hold_lock(folder / ".lock")
    if lock is None:
        raise Conflict("Another process copies into this folder: wait for it", code="in_use")
    try:
        return _copy(folder, source, logs, tell)
    finally:
        os.close(lock)


def copy_here(log_folder: Path, folder: Path, *, vkeys: Sequence[str], tell: Tell = lambda _: None) -> Copied:
    """Bring the copy to this machine's log, which one of `vkeys` signed; else as `copy`."""
    if folder.resolve() == log_folder.resolve() or log_folder.resolve().parent in folder.resolve().parents:
        raise Conflict("A copy in the installation's home is lost with it: give another folder", code="bad_place")
    files = LogFiles(log_folder, read_only=True)
    try:
        return copy(folder, Here(files), [parse_vkey(each) for each in vkeys], tell=tell)
    finally:
        files.close()


def verify_with(folder: Path, vkeys: Sequence[str], *, tell: Tell = lambda _: None) -> Report:
    """Verify a copy alone; `vkeys` are believed, or without any those that came with it."""
    return verify(folder, [parse_vkey(each) for each in (vkeys or kept_keys(folder))], tell=tell)


def _copy(folder: Path, source: Source, logs: Sequence[Verifier], tell: Tell) -> Copied:
    note = source.checkpoint()
    new = notes.open_checkpoint(note, logs=logs).checkpoint
    old = _held(folder, logs)
    _require_unchanged(folder, old)
    if new.size < old.size:
        raise _forked(folder, note, new, f"it has {new.size} entries, and {old.size} were copied")
    if new.size == old.size:
        if new.root != old.root:
            raise _forked(folder, note, new, f"its {new.size} entries have another root")
        return Copied(old.size, old.size)
    staged = folder / NEW
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    for address, data in _grown(folder, source, old.size, new.size, tell):
        path = staged / address.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if tree.root(new.size, tiles.reader(lambda each: _tile([staged, folder], each), new.size)) != new.root:
        shutil.rmtree(staged)
        raise _forked(folder, note, new, f"what follows the {old.size} copied entries does not give the root it signed")
    _settle(folder, staged)
    (folder / HISTORY).mkdir(exist_ok=True)
    durable.write_file(folder / HISTORY / str(new.size), note)
    durable.write_file(folder / KEYS, "".join(f"{each.vkey}\n" for each in logs).encode())
    durable.write_file(folder / CHECKPOINT, note)
    return Copied(old.size, new.size)


def _held(folder: Path, logs: Sequence[Verifier]) -> Checkpoint:
    path = folder / CHECKPOINT
    if not path.exists():
        return Checkpoint("none", 0, tree.EMPTY_ROOT)
    return notes.open_checkpoint(path.read_bytes(), logs=logs).checkpoint


def _require_unchanged(folder: Path, old: Checkpoint) -> None:
    """Raise LogDiverged unless the copy's tiles still have the root that its checkpoint has."""
    if old.size and tree.root(old.size, tiles.reader(lambda each: _tile([folder], each), old.size)) != old.root:
        raise LogDiverged(
            "The copy was changed since it was made: its tiles do not have its checkpoint's root. Keep it as it is for "
            "whoever looks into that, and begin a new one.",
            differs="copy",
        )


def _grown(folder: Path, source: Source, size: int, wanted: int, tell: Tell) -> Iterator[tuple[TileAddress, bytes]]:
    """Give the bundles and tiles that entries `size` to `wanted - 1` make, hashed from the entries themselves."""
    tails = _tails(folder, size)
    first = size // TILE_WIDTH
    before = _entries(folder, size)
    for index in range(first, -(-wanted // TILE_WIDTH)):
        address = tiles.tile_for(None, index, wanted)
        data = source.tile(address)
        entries = tiles.parse_bundle(data, address.width)
        if index == first and entries[: len(before)] != before:
            raise Forked(f"The log shows other entries after {index * TILE_WIDTH} than those that were copied.")
        yield address, data
        done = len(before) if index == first else 0
        yield from _hashed(tails, 0, index * TILE_WIDTH + done, [tree.leaf_hash(entry) for entry in entries[done:]])
        tell(len(entries) - done)
    for level, tail in enumerate(tails):
        if tail:
            yield tiles.tile_for(level, tiles.hashes_at(level, wanted) // TILE_WIDTH, wanted), bytes(tail)


def _hashed(tails: list[bytearray], level: int, at: int, hashes: list[bytes]) -> Iterator[tuple[TileAddress, bytes]]:
    """Add hashes to a level, from number `at` on; give each tile that becomes full, and those above it."""
    if len(tails) == level:
        tails.append(bytearray())
    for each in hashes:
        tails[level] += each
        at += 1
        if len(tails[level]) == TILE_WIDTH * HASH_BYTES:
            full = bytes(tails[level])
            tails[level].clear()
            yield TileAddress(level, at // TILE_WIDTH - 1), full
            yield from _hashed(tails, level + 1, at // TILE_WIDTH - 1, [tree.fold(full)])


def _tails(folder: Path, size: int) -> list[bytearray]:
    """Return the hashes of each level's last tile, as far as it is not full."""
    tails: list[bytearray] = []
    level = 0
    while held := tiles.hashes_at(level, size):
        width = held % TILE_WIDTH
        tail = _tile([folder], TileAddress(level, held // TILE_WIDTH, width)) if width else b""
        tails.append(bytearray(tail))
        level += 1
    return tails


def _entries(folder: Path, size: int) -> list[bytes]:
    """Return the entries of the last bundle, as far as it is not full."""
    width = size % TILE_WIDTH
    if not width:
        return []
    return tiles.parse_bundle(_read([folder], TileAddress(None, size // TILE_WIDTH, width)), width)


def _settle(folder: Path, staged: Path) -> None:
    """Give new tiles their place; a full one that is there already is never written over."""
    for place, _, names in os.walk(staged):
        for name in names:
            path = Path(place) / name
            target = folder / path.relative_to(staged)
            if target.exists() and target.read_bytes() != path.read_bytes():
                raise LogDiverged(f"{target.relative_to(folder)} was changed since it was copied.", differs="copy")
            target.parent.mkdir(parents=True, exist_ok=True)
            path.chmod(0o444)
            path.rename(target)
    os.sync()
    shutil.rmtree(staged)


def _forked(folder: Path, note: bytes, new: Checkpoint, how: str) -> Forked:
    """Keep the checkpoint that contradicts the copy, and return the error that says so."""
    kept = folder / f"fork-{new.size}-{hashlib.sha256(note).hexdigest()[:16]}"
    durable.write_file(kept, note)
    return Forked(
        f"The log shows another history than the one that was copied: {how}. Nothing was written over; {kept.name} "
        f"beside `{CHECKPOINT}` proves it to anybody. Find out which is right before anything is restored or deleted."
    )


def _tile(folders: Sequence[Path], address: TileAddress) -> bytes:
    """Return the first `width` hashes of a tile, from whichever file has them."""
    return _read(folders, address)[: address.width * HASH_BYTES]


def _read(folders: Sequence[Path], address: TileAddress) -> bytes:
    whole = TileAddress(address.level, address.index)
    for folder in folders:
        for path in (folder / address.path, folder / whole.path):
            if path.exists():
                return path.read_bytes()
    raise NotInLog(f"The copy lacks {address.path}.")


# -- looking at a copy alone -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified of a copy."""

    size: int
    checkpoints: int
    signers: tuple[str, ...]
    forks: int


def verify(folder: Path, logs: Sequence[Verifier], *, tell: Tell = lambda _: None) -> Report:
    """Hash every entry of a copy again, and compare with every tile and every checkpoint that was copied.

    Raises LogDiverged, BadNote or another ParcelwardError at the first that does not hold.
    """
    signed = notes.open_checkpoint((folder / CHECKPOINT).read_bytes(), logs=logs)
    size = signed.checkpoint.size
    tails: list[bytearray] = []
    for index in range(-(-size // TILE_WIDTH)):
        address = tiles.tile_for(None, index, size)
        try:
            entries = tiles.parse_bundle(_read([folder], address), address.width)
        except BadTile as err:
            raise LogDiverged(f"{address.path}: {err}", differs="copy", first=index * TILE_WIDTH) from None
        for where, data in _hashed(tails, 0, index * TILE_WIDTH, [tree.leaf_hash(each) for each in entries]):
            if _tile([folder], where) != data:
                raise LogDiverged(
                    f"{where.path} is not what its entries give.", differs="copy", first=index * TILE_WIDTH
                )
        tell(len(entries))
    reader = tiles.reader(lambda each: _tile([folder], each), size)
    history = sorted((folder / HISTORY).iterdir(), key=lambda path: int(path.name))
    for path in [folder / CHECKPOINT, *history]:
        head = notes.open_checkpoint(path.read_bytes(), logs=logs).checkpoint
        if head.size > size or tree.root(head.size, reader) != head.root:
            raise LogDiverged(f"The checkpoint of {head.size} entries has another root than the copy.", differs="copy")
    return Report(
        size=size,
        checkpoints=len(history),
        signers=tuple(each.verifier.vkey for each in signed.note.verified),
        forks=len(list(folder.glob("fork-*"))),
    )


def kept_keys(folder: Path) -> list[str]:
    """Return the keys that came with the copy: whoever made it believed them."""
    path = folder / KEYS
    return [line for line in path.read_text().splitlines() if line] if path.exists() else []


def newest(folder: Path, logs: Sequence[Verifier]) -> tuple[Checkpoint, bytes]:
    """Return the newest checkpoint that was copied, and its note."""
    path = folder / CHECKPOINT
    if not path.exists():
        raise NotInLog(f"{folder} holds no copy of a log.")
    data = path.read_bytes()
    return notes.open_checkpoint(data, logs=logs).checkpoint, data


def contradiction_here(log_folder: Path, folder: Path, *, vkeys: Sequence[str]) -> tuple[str, bytes]:
    """Return what a copy knows that this log does not, in words (empty: nothing), and the copy's checkpoint."""
    logs = [parse_vkey(each) for each in vkeys]
    files = LogFiles(log_folder, read_only=True)
    try:
        return contradiction(files, folder, logs), newest(folder, logs)[1]
    finally:
        files.close()


def contradiction(files: LogFiles, folder: Path, logs: Sequence[Verifier]) -> str:
    """Return in words what a copy knows that these files do not, or empty words when the files continue the copy."""
    head, _ = newest(folder, logs)
    if head.size > files.size:
        return f"the copy has {head.size} entries, and what was restored {files.size}"
    if files.root(head.size) != head.root:
        return f"the first {head.size} entries are others"
    return ""
