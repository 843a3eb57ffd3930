"""PostgreSQL's own programs for backups, run as streams: pg_basebackup, pg_dump, pg_restore, pg_verifybackup."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from parcelward.base import lifeline
from parcelward.base.backups.errors import BadBackup, BadPlace
from parcelward.base.errors import Busy
from parcelward.base.postgres import SUPERUSER, Cluster
from parcelward.base.postgres_programs import NoPrograms, Programs, environment, find, server_user

COPY_BYTES: Final = 1 << 20
MANIFEST: Final = "backup_manifest"  # of pg_basebackup, within the archive


def base_backup(cluster: Cluster, out: IO[bytes]) -> None:
    """Write a base backup of a running embedded server, with the WAL that makes it consistent, as one tar stream."""
    programs = _programs(cluster.folder, "pg_basebackup")
    address = cluster.url("postgres", role=SUPERUSER)
    # With `fetch` the segments come last, in the same stream; a slot is not needed for a copy that takes minutes,
    # and a segment that was removed meanwhile fails it as a whole.
    _stream(
        [programs.path("pg_basebackup"), "-D", "-", "-F", "tar", "-X", "fetch", "-c", "fast", "-w", "-d", address], out
    )


def dump(url: str, out: IO[bytes], *, home: Path) -> None:
    """Write one database of a server of the operator's own, as it was at one moment."""
    programs = _programs(home / "postgres" / "main", "pg_dump")
    address, secret = _address(url)
    _stream([programs.path("pg_dump"), "-F", "custom", "-Z", "0", "--no-owner", "-w", "-d", address], out, **secret)


def load(source: IO[bytes], url: str, *, home: Path) -> None:
    """Put a dump into an empty database."""
    programs = _programs(home / "postgres" / "main", "pg_restore")
    address, secret = _address(url)
    argv = [programs.path("pg_restore"), "--no-owner", "--exit-on-error", "-w", "-d", address]
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(  # noqa: S603 -- our own argument list, no shell
            lifeline.argv(argv, signal_number=signal.SIGTERM), stdin=subprocess.PIPE, stderr=said, cwd="/",
            env=environment() | secret,
        ) as child:  # fmt: skip
            assert child.stdin is not None  # noqa: S101 -- PIPE gives one
            try:
                shutil.copyfileobj(source, child.stdin, COPY_BYTES)
                child.stdin.close()
            except BrokenPipeError:
                pass  # it says why below
        if child.returncode != 0:
            raise BadBackup(f"pg_restore did not take the dump: {_last_words(said)}")


def require_empty(url: str) -> None:
    """Raise BadPlace for a database that has tables: a dump is loaded into an empty one."""
    with psycopg.connect(url) as server:
        row = server.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    if row is None or row[0]:
        raise BadPlace("The database to restore into has tables already: nothing is written over. Make an empty one.")


def verify_base(folder: Path) -> None:
    """Compare an unpacked base backup with the manifest that the server made: every file, and its WAL."""
    programs = _programs(folder, "pg_verifybackup")
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(  # noqa: S603 -- our own argument list, no shell
            [programs.path("pg_verifybackup"), "--quiet", "--exit-on-error", "--no-parse-wal", str(folder)],
            check=False, stdout=said, stderr=said, cwd="/", env=environment(),
        )  # fmt: skip
        if done.returncode != 0:
            raise BadBackup(f"The base backup is not what its server wrote: {_last_words(said)}")


def give_to_server(folder: Path) -> None:
    """Let the server's user own an unpacked base backup, whoever unpacked it."""
    if os.geteuid() != 0:
        return
    user = server_user(folder)
    for place, _, names in os.walk(folder):
        os.chown(place, user.uid, user.gid)
        for name in names:
            os.chown(Path(place) / name, user.uid, user.gid, follow_symlinks=False)


def program(folder: Path, name: str) -> str:
    """Return the path of one of PostgreSQL's programs, for a server whose data lies there."""
    return _programs(folder, name).path(name)


def _programs(folder: Path, wanted: str) -> Programs:
    programs = find(server_user(folder))
    if not Path(programs.path(wanted)).is_file():
        raise NoPrograms(f"{programs.folder} holds no {wanted}: set PG_BIN to a folder that does, or run `make setup`")
    return programs


def _address(url: str) -> tuple[str, dict[str, str]]:
    """Return the address without its password, which goes where other users do not see it."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    password = parts.pop("password", "")
    return make_conninfo(**parts), {"PGPASSWORD": password} if password else {}


def _stream(argv: Sequence[str], out: IO[bytes], **more: str) -> None:
    """Copy what a program writes; raise Busy with its last words when it fails."""
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(  # noqa: S603 -- our own argument list, no shell
            lifeline.argv(argv, signal_number=signal.SIGTERM), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=said, cwd="/", env=environment() | more,
        ) as child:  # fmt: skip
            assert child.stdout is not None  # noqa: S101 -- PIPE gives one
            try:
                shutil.copyfileobj(child.stdout, out, COPY_BYTES)
            except BaseException:
                child.kill()
                raise
        if child.returncode != 0:
            name = Path(argv[0]).name
            raise Busy(f"{name} ended with an error: {_last_words(said)}", code="no_copy")


def _last_words(said: IO[bytes]) -> str:
    said.seek(0)
    lines = [line.strip() for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
