"""What an embedded database wrote since its last base backup: shipped while it runs, replayed when it is restored.

    FOLDER/wal/<segment>.sealed   16 MB of WAL, compressed and encrypted; of a quiet minute a few kB
    FOLDER/wal/<segment>.note     its name, length and SHA-256, signed by the log's key

A segment is whole when its note is there. Replaying ends at the first one that is missing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import psycopg

from parcelward.base.backups import sets
from parcelward.base.backups.errors import BadBackup
from parcelward.base.backups.recipients import PrivateKey, PublicKey
from parcelward.base.backups.sealed import Hashing, Opener, Sealer, sync
from parcelward.base.backups.sets import SUFFIX, Kind, Manifest, Sign, Tell
from parcelward.custody import backup_note
from parcelward.custody.errors import BadNote

FOLDER: Final = "wal"
NOTE: Final = ".note"
NAME: Final = re.compile(r"[0-9A-F]{24}|[0-9A-F]{8}\.history", re.ASCII)
FETCHED: Final = "backup_wal"  # within the data folder, while it is replayed
BLOCK_BYTES: Final = 8_192
SEGMENT_BYTES: Final = 16 * 1024 * 1024  # initdb's default, which the embedded servers keep
PLACE: Final = 8  # digits of the timeline, before those of the place in the WAL
_NOTE_BYTES_MAX: Final = 20_000


class Segment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One piece of WAL."""

    object: Literal["parcelward_wal"]
    kind: Kind
    name: str
    at: dt.datetime  # when it was shipped: all of it was written before
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """WAL that lies ready: what the server must be told to replay it, and the number of the last segment."""

    told: Mapping[str, str]
    last: int  # -1: none


@dataclass(frozen=True, slots=True)
class Shipping:
    """Where WAL goes to and for whom."""

    folder: Path  # of the sets of this kind
    kind: Kind
    origin: str
    recipients: Sequence[PublicKey]
    sign: Sign


def ship(to: Shipping, path: Path, *, now: dt.datetime) -> Segment:
    """Encrypt one whole segment into the folder; when this returns it is on the disk there. Safe to be repeated."""
    folder = to.folder / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    making = folder / f".making-{path.name}"
    with making.open("wb") as out, path.open("rb") as stored:
        hashing = Hashing(out)
        sealer = Sealer(hashing, context=_context(to.kind, path.name), recipients=to.recipients)
        while data := stored.read(1 << 20):
            sealer.write(data)
        sealer.seal()
        sync(out)
    said = Segment("parcelward_wal", to.kind, path.name, now.astimezone(dt.UTC), hashing.length, hashing.sha256)
    making.rename(folder / f"{path.name}{SUFFIX}")
    backup_note.replace_file(folder / f"{path.name}{NOTE}", to.sign(_text(to.origin, said)))
    return said


def forget(folder: Path, kind: Kind, *, older_than: dt.datetime | None) -> int:
    """Delete segments that no kept set begins before, and those shipped before a time; return how many."""
    starts = [_manifest_unsigned(each).wal_from for each in sets.complete(folder, kind)]
    oldest = min((each[PLACE:] for each in starts if each), default="")
    gone = 0
    for note in sorted((folder / FOLDER).glob(f"*{NOTE}")):
        name = note.name.removesuffix(NOTE)
        needless = ".history" not in name and name[PLACE:] < oldest
        if not needless and older_than is not None:
            needless = _parse(backup_note.open_signed(note.read_bytes(), ())[0]).at < older_than
        if needless:
            note.unlink()
            (folder / FOLDER / f"{name}{SUFFIX}").unlink(missing_ok=True)
            gone += 1
    return gone


def fetch(
    place: Path, manifest: Manifest, keys: Sequence[PrivateKey], data: Path, *, vkeys: Sequence[str], tell: Tell
) -> Fetched:
    """Decrypt the WAL that continues a set into its data folder, where the server's user finds it.

    Runs of zeros become holes, so a quiet minute's 16 MB take no room. Raises BadBackup for a segment that is not what
    its note says; a missing one ends it.
    """
    into = data / FETCHED
    into.mkdir(mode=0o700)
    folder = (place.parent if (place / sets.MANIFEST).exists() else place) / FOLDER
    names = []
    for said in notes(folder, manifest.kind, after=manifest.wal_from, vkeys=vkeys):
        tell(f"unpacking the WAL of {manifest.kind}", said.bytes)
        path = folder / f"{said.name}{SUFFIX}"
        if not path.exists() or _sha256(path) != said.sha256:
            raise BadBackup(f"The WAL segment {said.name} is not what was written: its SHA-256 differs.")
        with path.open("rb") as stored, (into / said.name).open("xb") as out:
            opener = Opener(stored, context=_context(manifest.kind, said.name), keys=keys)
            while data_read := opener.read(BLOCK_BYTES):
                if data_read.count(0) == len(data_read):
                    out.seek(len(data_read), os.SEEK_CUR)
                else:
                    out.write(data_read)
            out.truncate(out.tell())
        names.append(said.name)
    # Nobody reads before all of it is replayed: a server that answers would be taken for one that is done.
    told = {
        "hot_standby": "off",
        "restore_command": f'cp "{FETCHED}/%f" "%p"',  # the server works in its data folder
        "recovery_target_timeline": "latest",
    }
    return Fetched(told, unbroken([name for name in names if ".history" not in name]))


def unbroken(names: Sequence[str]) -> int:
    """Return the number of the last segment of the newest timeline that no other before it lacks; -1 for none."""
    newest = max((name[:PLACE] for name in names), default="")
    numbers = sorted(int(n[PLACE:16], 16) * 256 + int(n[16:], 16) for n in names if n[:PLACE] == newest)
    last = -1
    for number in numbers:
        if last not in {-1, number - 1}:
            break
        last = number
    return last


def require_replayed(server: psycopg.Connection[Any], fetched: Fetched) -> None:
    """Raise BadBackup unless a server that came up has replayed all that was there for it, without a gap."""
    row = server.execute("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint").fetchone()
    if row is None or row[0] < fetched.last * SEGMENT_BYTES:
        raise BadBackup(
            "The database came up without all of its WAL, which is there: see server_log in its folder. Nothing was "
            "restored; with --without-wal the base backup alone is."
        )


def notes(folder: Path, kind: Kind, *, after: str, vkeys: Sequence[str] = ()) -> Iterator[Segment]:
    """Give the segments of a folder from `after` on, and the histories of timelines, in their order."""
    for note in sorted(folder.glob(f"*{NOTE}")):
        name = note.name.removesuffix(NOTE)
        if not NAME.fullmatch(name) or (".history" not in name and name[PLACE:] < after[PLACE:]):
            continue
        if note.stat().st_size > _NOTE_BYTES_MAX:
            raise BadBackup(f"The note of the WAL segment {name} is too large for one.")
        try:
            text, _ = backup_note.open_signed(note.read_bytes(), vkeys)
        except BadNote as err:
            raise BadBackup(f"WAL segment {name}: {err}") from None
        said = _parse(text)
        if said.name != name or said.kind != kind:
            raise BadBackup(f"The WAL segment {name} of {kind} has the note of {said.name} of {said.kind}.")
        yield said


def _context(kind: Kind, name: str) -> str:
    return f"wal {name} of {kind}"


def _text(origin: str, said: Segment) -> str:
    return f"{origin}/backup-wal\n{msgspec.json.encode(said).decode()}\n"


def _parse(text: str) -> Segment:
    try:
        return msgspec.json.decode(text.partition("\n")[2], type=Segment)
    except msgspec.DecodeError:
        raise BadBackup("The note of a WAL segment says nothing about one.") from None


def _manifest_unsigned(folder: Path) -> Manifest:
    return sets.parse_manifest(backup_note.open_signed((folder / sets.MANIFEST).read_bytes(), ())[0])


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stored:
        while data := stored.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()
