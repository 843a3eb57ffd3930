"""Bring an installation back from its sets: verify first, put everything beside the target, look at it, then rename.

Nothing is written before every file of every set has the hash that its signed manifest says, and nothing has the
target's name before the restored database and log agree. What is half done lies in a folder whose name begins with a
dot; it is removed by whoever restores next.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from parcelward.base.backups import programs, sets
from parcelward.base.backups.archives import unpack
from parcelward.base.backups.errors import BadBackup, BadPlace
from parcelward.base.backups.recipients import PrivateKey
from parcelward.base.backups.sets import BASE, DUMP, MANIFEST, MANIFEST_BYTES_MAX, Kind, Manifest, Tell
from parcelward.base.postgres import KEYS, MAIN, SUPERUSER, Cluster
from parcelward.custody import backup_note
from parcelward.custody.errors import BadNote
from parcelward.doors.backups import wal

LEFTOVER_WAIT_S: Final = 30.0
START_WAIT_S: Final = 24 * 3600.0  # a day of WAL to replay takes its time


@dataclass(frozen=True, slots=True)
class Source:
    """One set to restore from: where it lies, its manifest, and who signed that."""

    folder: Path
    manifest: Manifest
    signers: tuple[str, ...]  # vkeys that were given and signed; empty: none was given
    claimed: tuple[str, ...]  # ids of the keys that it says it is signed by


def read(place: Path, kind: Kind, *, vkeys: Sequence[str]) -> Source:
    """Return the newest set in a folder, or the set that it is. Raises BadPlace, BadBackup or BadNote."""
    folder = sets.newest(place, kind)
    data = (folder / MANIFEST).read_bytes()
    if len(data) > MANIFEST_BYTES_MAX:
        raise BadBackup("The manifest is too large for one.")
    try:
        text, signers = backup_note.open_signed(data, vkeys)
    except BadNote as err:
        raise BadBackup(f"{folder.name}: {err}") from None
    manifest = sets.parse_manifest(text)
    if manifest.kind != kind:
        raise BadBackup(f"{folder} is a backup of {manifest.kind}, and one of {kind} was expected: sets were swapped.")
    return Source(folder, manifest, signers, backup_note.signers_of(data))


def require_one_house(sources: Mapping[Kind, Source]) -> None:
    """Raise BadBackup unless the sets are of one log, and the keys database was copied after the main one."""
    origins = {each.manifest.origin for each in sources.values()}
    if len(origins) > 1:
        raise BadBackup(f"The sets are of different installations: {' and '.join(sorted(origins))}.")


def require_files(sources: Mapping[Kind, Source], tell: Tell) -> None:
    """Raise BadBackup unless every file of every set is what its manifest says."""
    for kind, each in sources.items():
        sets.require_files(each.folder, each.manifest, tell=lambda n, kind=kind: tell(f"verifying {kind}", n))  # type: ignore[misc]  # mypy cannot infer the lambda


def require_openable(sources: Mapping[Kind, Source], keys: Sequence[PrivateKey]) -> None:
    """Raise WrongKey now, not after an hour, when no private key at hand opens one of the sets."""
    for each in sources.values():
        for file in each.manifest.files:
            with sets.opened(each.folder, each.manifest, file.name, keys) as stream:
                stream.peek(1)  # type: ignore[attr-defined]  # a BufferedReader


@contextlib.contextmanager
def beside(target: Path) -> Iterator[Path]:
    """Give a new folder beside the target, which becomes the target at the end; an error leaves nothing."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadPlace(f"{target} is not empty: nothing is written over. Give a folder that does not exist yet.")
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    making = target.with_name(f".{target.name}.restoring")
    with sets.alone(target.parent, f"{target.name}.restoring.lock"):
        _remove(making)
        making.mkdir(mode=0o700)
        try:
            yield making
            os.sync()
            if target.exists():
                target.rmdir()
            making.rename(target)
        finally:
            shutil.rmtree(making, ignore_errors=True)
            (target.parent / f".{target.name}.restoring.lock").unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    """Remove what a killed restore left; its database may still be on its way out, and write."""
    deadline = time.monotonic() + LEFTOVER_WAIT_S
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=time.monotonic() < deadline)
        time.sleep(0.1)


def unpack_files(sources: Mapping[Kind, Source], keys: Sequence[PrivateKey], home: Path, tell: Tell) -> None:
    """Decrypt everything but dumps into the new home; base backups become its databases' folders."""
    os.umask(0o077)
    for kind, each in sources.items():
        for file in each.manifest.files:
            if file.name == DUMP:
                continue
            into = home / "postgres" / kind if file.name == BASE else home
            into.mkdir(mode=0o700, parents=True, exist_ok=True)
            tell(f"unpacking {kind}", 0)
            with sets.opened(each.folder, each.manifest, file.name, keys) as stream:
                unpack(stream, into)
            tell(f"unpacking {kind}", file.bytes)
            if file.name == BASE:
                programs.verify_base(into)
    (home / "log").mkdir(mode=0o755, exist_ok=True)
    (home / "log").chmod(0o755)


@contextlib.contextmanager
def running(
    sources: Mapping[Kind, Source],
    keys: Sequence[PrivateKey],
    home: Path,
    *,
    wal_in: Mapping[Kind, Path],
    vkeys: Sequence[str],
    tell: Tell,
) -> Iterator[None]:
    """Start the restored databases, brought as far as their WAL goes; stop them at the end."""
    with contextlib.ExitStack() as stack:
        for kind in ("main", "keys"):
            source = sources[kind]
            if source.manifest.database != "base":
                continue
            folder = home / "postgres" / kind
            settings, fetched = dict(MAIN if kind == "main" else KEYS), wal.Fetched({}, -1)
            if kind in wal_in:
                fetched = wal.fetch(wal_in[kind], source.manifest, keys, folder, vkeys=vkeys, tell=tell)
                (folder / "recovery.signal").touch(mode=0o600)
            programs.give_to_server(folder)
            tell(f"starting {kind}", 0)
            cluster = Cluster(folder, settings=settings | dict(fetched.told))
            stack.callback(cluster.stop)
            cluster.start(START_WAIT_S)
            with psycopg.connect(cluster.url("postgres", role=SUPERUSER)) as server:
                wal.require_replayed(server, fetched)
            shutil.rmtree(folder / wal.FETCHED, ignore_errors=True)
        yield


@contextlib.contextmanager
def loaded(
    sources: Mapping[Kind, Source], keys: Sequence[PrivateKey], home: Path, *, urls: Mapping[str, str]
) -> Iterator[None]:
    """Put dumps into the operator's own servers, or where none is configured into embedded ones, stopped at the end."""
    with contextlib.ExitStack() as stack:
        _load(sources, keys, home, urls, stack)
        yield


def _load(
    sources: Mapping[Kind, Source],
    keys: Sequence[PrivateKey],
    home: Path,
    urls: Mapping[str, str],
    stack: contextlib.ExitStack,
) -> None:
    for kind in ("main", "keys"):
        source = sources[kind]
        if source.manifest.database != "dump":
            continue
        url = urls.get(kind, "")
        if not url:
            cluster = Cluster(home / "postgres" / kind, settings=KEYS if kind == "keys" else MAIN)
            stack.callback(cluster.stop)
            cluster.start()
            cluster.ensure_database("parcelward")
            url = cluster.url("parcelward")
        programs.require_empty(url)
        with sets.opened(source.folder, source.manifest, DUMP, keys) as stream:
            programs.load(stream, url, home=home)
