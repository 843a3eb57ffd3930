"""Files and folders as tar streams, in and out; out only plain files and folders, at plain relative names."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from parcelward.base.backups.errors import BadBackup

NAME_CHARS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Packed:
    """One file for an archive: its name there, where it lies or what it holds, and how much of it (None: all)."""

    name: str
    source: Path | bytes
    length: int | None = None


def pack(out: IO[bytes], files: Iterable[Packed]) -> int:
    """Write files into a tar stream; return how many. A file that grows meanwhile is kept as it was."""
    count = 0
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for each in files:
            about = tarfile.TarInfo(each.name)
            if isinstance(each.source, bytes):
                about.size, about.mode = len(each.source), 0o644
                tar.addfile(about, io.BytesIO(each.source))
            else:
                with each.source.open("rb") as stored:
                    found = os.fstat(stored.fileno())
                    about.size = found.st_size if each.length is None else each.length
                    about.mode, about.mtime = found.st_mode & 0o777, int(found.st_mtime)
                    tar.addfile(about, stored)  # raises when the file is shorter
            tar.members.clear()  # type: ignore[attr-defined]  # it remembers every member, which grows with the log
            count += 1
    return count


def unpack(source: IO[bytes], folder: Path) -> int:
    """Write what a tar stream holds into a folder; return how many files. Raises BadBackup for anything odd in it."""
    count = 0
    try:
        with tarfile.open(fileobj=source, mode="r|") as tar:
            for member in tar:
                _unpack_one(tar, member, folder)
                count += member.isfile()
                tar.members.clear()  # type: ignore[attr-defined]  # as above
        while source.read(1 << 20):  # to the end of the sealed file: only that shows that it is whole
            pass
    except tarfile.TarError:
        raise BadBackup("What was encrypted is no archive.") from None
    return count


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or len(member.name) > NAME_CHARS_MAX:
        raise BadBackup("The archive holds a name that leads out of it.")
    target = folder / name
    if member.isdir():
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    content = tar.extractfile(member) if member.isfile() else None
    if content is None:
        raise BadBackup("The archive holds something else than files and folders.")
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, member.mode & 0o700 or 0o600)
    with os.fdopen(descriptor, "wb") as out:
        shutil.copyfileobj(content, out, 1 << 20)
        os.fchmod(out.fileno(), member.mode & 0o755)
