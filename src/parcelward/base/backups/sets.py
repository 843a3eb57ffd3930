"""Backup sets: folders of sealed files beside a signed manifest, in a folder that is for one kind of set alone.

    FOLDER/parcelward-backups          which kind of sets lies here
    FOLDER/main-20261126T182518Z/      one set: `<name>.sealed` files and `manifest.note`
    FOLDER/wal/                        what the database wrote since: `<segment>.sealed` and its `.note` (wal_sets)

A set is made in a folder whose name begins with a dot and gets its own name when all of it is on the disk. The
manifest is a signed note (C2SP): its text says what each file is, with size and SHA-256, and how long the log was.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import hashlib
import io
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Literal

import msgspec

from parcelward.base.backups.errors import BadBackup, BadPlace
from parcelward.base.backups.recipients import PrivateKey, PublicKey
from parcelward.base.backups.sealed import Hashing, Opener, Sealer, sync

Kind = Literal["main", "keys", "secrets"]
KINDS: Final[tuple[Kind, ...]] = ("main", "keys", "secrets")
MARK: Final = "parcelward-backups"
MANIFEST: Final = "manifest.note"
SUFFIX: Final = ".sealed"
BASE, DUMP, LOG, SECRETS = "base.tar", "database.dump", "log.tar", "secrets.tar"
FILES: Final[dict[str, frozenset[str]]] = {
    "main": frozenset({LOG, BASE, DUMP}),
    "keys": frozenset({BASE, DUMP}),
    "secrets": frozenset({SECRETS}),
}
MANIFEST_BYTES_MAX: Final = 200_000
READ_BYTES: Final = 1 << 20
_TIME: Final = "%Y%m%dT%H%M%SZ"
_NAME: Final = re.compile(r"(main|keys|secrets)-\d{8}T\d{6}Z", re.ASCII)
_SEGMENT: Final = re.compile(r"([0-9A-F]{24})?", re.ASCII)

Sign = Callable[[str], bytes]
"""Makes a signed note of a text."""
Count = Callable[[int], object]
"""Hears how many more bytes were done."""
Tell = Callable[[str, int], object]
"""Hears what is being done and how many more bytes of it were."""


class SealedFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a set, as it lies there encrypted."""

    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a set is."""

    object: Literal["parcelward_backup"]
    kind: Kind
    set: str  # its name, which its files are bound to
    made_at: dt.datetime
    version: str  # of Parcelward
    origin: str  # the log's name
    log_size: int  # entries that the published checkpoint covered when the backup began
    log_root: str  # hex
    database: Literal["base", "dump", "none"]  # how the database lies in it
    server_major: int  # PostgreSQL's release; 0 for none
    wal_from: str  # the WAL segment from which on the set can be brought further; empty: it cannot
    keys: tuple[str, ...]  # ids of the backup keys that open it
    files: tuple[SealedFile, ...]

    @property
    def text(self) -> str:
        """The text that is signed: its second line is no number, so it can never pass for a checkpoint."""
        return f"{self.origin}/backup\n{msgspec.json.encode(self).decode()}\n"


def parse_manifest(text: str) -> Manifest:
    """Return the manifest that a note's text is, or raise BadBackup. Says nothing about who signed it."""
    first, _, rest = text.partition("\n")
    try:
        found = msgspec.json.decode(rest, type=Manifest)
    except msgspec.DecodeError:
        raise BadBackup("The manifest is no manifest of a backup.") from None
    names = [each.name for each in found.files]
    if first != f"{found.origin}/backup" or len(set(names)) != len(names):
        raise BadBackup("The manifest contradicts itself.")
    if not _NAME.fullmatch(found.set) or not found.set.startswith(f"{found.kind}-"):
        raise BadBackup("The manifest names a set that it cannot be of.")
    if not _SEGMENT.fullmatch(found.wal_from) or not FILES[found.kind].issuperset(names):
        raise BadBackup("The manifest names files that no backup of its kind has.")
    return found


# -- where sets lie ----------------------------------------------------------------------------------------------------


def claim(folder: Path, kind: Kind, *, home: Path) -> Path:
    """Return the folder, made if it is missing, once it is certain that it is for sets of this kind alone.

    Raises BadPlace for one that holds other sets or other files, lies in the home, or beneath or above other sets: who
    can read one of them must not find the others there.
    """
    folder = folder.resolve()
    home = home.resolve()
    if folder == home or home in folder.parents or folder in home.parents:
        raise BadPlace(f"{folder} and the installation lie in each other: what takes one would take both.")
    mark = folder / MARK
    if folder.exists() and not mark.exists() and any(folder.iterdir()):
        raise BadPlace(f"{folder} is not empty and was no folder for backups so far: give an empty or a new one.")
    around = [*folder.parents, *(each for each in folder.glob("*") if each.is_dir())] if folder.exists() else [
        *folder.parents
    ]  # fmt: skip
    for other in around:
        if (other / MARK).exists():
            raise BadPlace(f"{folder} and {other} lie in each other: keep main, keys and secrets apart.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if mark.exists():
        held = mark.read_text().strip()
        if held != kind:
            raise BadPlace(
                f"{folder} holds backups of {held}, not of {kind}: keep them apart, or whoever finds one of them "
                "can open the other, and what was erased comes back."
            )
        return folder
    with mark.open("x") as out:
        out.write(f"{kind}\n")
        out.flush()
        os.fsync(out.fileno())
    _sync_folder(folder)
    return folder


def complete(folder: Path, kind: Kind) -> list[Path]:
    """Return the whole sets in a folder, oldest first."""
    return sorted(
        each for each in folder.glob(f"{kind}-*") if _NAME.fullmatch(each.name) and (each / MANIFEST).exists()
    )


def newest(place: Path, kind: Kind) -> Path:
    """Return the set that `place` is, or the newest in it. Raises BadPlace where there is none."""
    if (place / MANIFEST).exists():
        return place
    if not place.is_dir():
        raise BadPlace(f"{place} is no folder.")
    found = complete(place, kind)
    if not found:
        half = " (a backup was begun there and never finished)" if list(place.glob(".making-*")) else ""
        raise BadPlace(f"{place} holds no finished backup of {kind}{half}.")
    return found[-1]


def time_of(name: str) -> dt.datetime:
    """Return when a set of this name was begun."""
    return dt.datetime.strptime(name.rpartition("-")[2], _TIME).replace(tzinfo=dt.UTC)


def forget(folder: Path, kind: Kind, *, before: dt.datetime) -> list[str]:
    """Delete the sets that were begun before; return their names. Also half-made ones, which nobody is making now."""
    gone = []
    for each in complete(folder, kind):
        if time_of(each.name) < before:
            hidden = each.with_name(f".gone-{each.name}")
            each.rename(hidden)  # from here on it is no set, whatever happens
            shutil.rmtree(hidden)
            gone.append(each.name)
    for left in [*folder.glob(".making-*"), *folder.glob(".gone-*")]:
        shutil.rmtree(left, ignore_errors=True)
    _sync_folder(folder)
    return gone


@contextlib.contextmanager
def alone(folder: Path, what: str = "lock") -> Iterator[None]:
    """Hold a folder of sets; raise BadPlace when another backup is being made there."""
    descriptor = os.open(folder / f".{what}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadPlace(f"Another backup is being made in {folder}: wait for it.") from None
        yield
    finally:
        os.close(descriptor)


# -- making one --------------------------------------------------------------------------------------------------------


@dataclass
class Making:
    """A set that is being made."""

    folder: Path
    kind: Kind
    name: str
    made_at: dt.datetime
    recipients: Sequence[PublicKey]
    tell: Count
    files: list[SealedFile] = field(default_factory=list)

    @contextlib.contextmanager
    def file(self, name: str) -> Iterator[IO[bytes]]:
        """Give a stream whose content becomes the sealed file `name`; an error leaves none."""
        with (self._making / f"{name}{SUFFIX}").open("xb") as out:
            hashing = Hashing(out)
            sealer = Sealer(hashing, context=context(self.name, name), recipients=self.recipients)
            yield _Told(sealer, self.tell)  # type: ignore[misc]  # as above
            sealer.seal()
            sync(out)
            self.files.append(SealedFile(name, hashing.length, hashing.sha256))

    def finish(self, manifest: Manifest, sign: Sign) -> bytes:
        """Write the manifest and give the set its name; return the signed note."""
        note = sign(manifest.text)
        with (self._making / MANIFEST).open("xb") as out:
            out.write(note)
            sync(out)
        _sync_folder(self._making)
        self._making.rename(self.folder / self.name)
        _sync_folder(self.folder)
        return note

    @property
    def _making(self) -> Path:
        return self.folder / f".making-{self.name}"


@contextlib.contextmanager
def making(
    folder: Path, kind: Kind, *, recipients: Sequence[PublicKey], now: dt.datetime, tell: Count = lambda _: None
) -> Iterator[Making]:
    """Begin a set in a claimed folder. What fails or is killed leaves nothing that looks like one."""
    with alone(folder):
        forget(folder, kind, before=dt.datetime.min.replace(tzinfo=dt.UTC))
        name = f"{kind}-{now.astimezone(dt.UTC).strftime(_TIME)}"
        if (folder / name).exists():
            raise BadPlace("Another backup was made in this second: try again.")
        made = Making(folder, kind, name, now.astimezone(dt.UTC).replace(microsecond=0), recipients, tell)
        made._making.mkdir(mode=0o700)  # noqa: SLF001 -- the same file
        try:
            yield made
        finally:
            shutil.rmtree(made._making, ignore_errors=True)  # noqa: SLF001 -- as above; gone when it was finished


def context(set_name: str, file: str) -> str:
    """Return what a sealed file is bound to."""
    return f"{file} of {set_name}"


class _Told(io.RawIOBase):
    def __init__(self, sealer: Sealer, tell: Count) -> None:
        self._sealer, self._tell = sealer, tell

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  # typeshed: Buffer
        self._tell(len(data))
        return self._sealer.write(data)


# -- reading one -------------------------------------------------------------------------------------------------------


def require_files(folder: Path, manifest: Manifest, *, tell: Count = lambda _: None) -> None:
    """Raise BadBackup unless every file of the set is there, as long as the manifest says and with its hash."""
    if folder.name != manifest.set:
        raise BadBackup(f"The folder is named {folder.name} and its manifest is that of {manifest.set}.")
    for each in manifest.files:
        path = folder / f"{each.name}{SUFFIX}"
        if not path.is_file():
            raise BadBackup(f"{each.name} is missing from the backup {manifest.set}.")
        if (held := path.stat().st_size) != each.bytes:
            raise BadBackup(f"{each.name} of {manifest.set} has {held} bytes and should have {each.bytes}.")
        digest = hashlib.sha256()
        with path.open("rb") as stored:
            while data := stored.read(READ_BYTES):
                digest.update(data)
                tell(len(data))
        if digest.hexdigest() != each.sha256:
            raise BadBackup(f"{each.name} of {manifest.set} is not what was written: its SHA-256 differs.")


@contextlib.contextmanager
def opened(folder: Path, manifest: Manifest, name: str, keys: Sequence[PrivateKey]) -> Iterator[IO[bytes]]:
    """Give the content of a sealed file as a stream."""
    with (folder / f"{name}{SUFFIX}").open("rb") as stored:
        opener = Opener(stored, context=context(manifest.set, name), keys=keys)
        yield io.BufferedReader(opener, READ_BYTES)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
