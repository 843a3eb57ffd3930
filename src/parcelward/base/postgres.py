"""The embedded database: a PostgreSQL server of our own, started, checked and stopped by us. No Django here.

One `Cluster` is one data folder. The server listens on a socket inside that folder and nowhere else, admits only the
operating-system user who started it (and root), and ends when its starter ends. As root the server runs as another
user; it is then given its folder as an open handle (/proc/self/fd), so that the data may lie under a home that only
root can enter.

A server that could lose an acknowledged commit is refused: a kill -9 test cannot notice that fsync is off, so the
settings themselves are read back at each start.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from parcelward.base import lifeline, processes
from parcelward.base.postgres_programs import (
    ClusterFailed,
    NoPrograms,
    Owner,
    Programs,
    environment,
    find,
    run,
    server_user,
)
from parcelward.base.postgres_settings import KEYS, MAIN, MUST_BE, MUST_NOT_BE, PORT

__all__ = ["KEYS", "MAIN", "Cluster", "ClusterFailed", "NoPrograms", "NotDurable"]

log = logging.getLogger(__name__)

ROLE = "parcelward"
"""The role that the application uses: it owns its databases and is no superuser."""
SUPERUSER = "postgres"
SOCKET_PATH_BYTES_MAX = 107  # sockaddr_un.sun_path less its closing zero, unix(7)
START_WAIT_S = 60.0
STOP_FAST_S = 10.0
STOP_AT_ONCE_S = 5.0
ORPHANS_WAIT_S = 1.0
"""How long the children of a killed server may take to end by themselves before they are killed too."""
POLL_S = 0.02
DATABASE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
LINGERING = ("lock file", "pre-existing shared memory block", "could not create lock file")


class NotDurable(ClusterFailed):
    """The server runs with a setting that could lose an acknowledged commit."""


_PREPARE = f"""
DO $$ BEGIN CREATE ROLE {ROLE} LOGIN CREATEDB; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$;
GRANT pg_monitor TO {ROLE};
SELECT name || '=' || setting FROM pg_settings
 WHERE name IN ('fsync', 'full_page_writes', 'data_checksums', 'synchronous_commit')
UNION ALL SELECT unnest(setconfig) FROM pg_db_role_setting;
"""  # noqa: S608 - ROLE is a constant


class Cluster:
    """One PostgreSQL server on one data folder.

    `start` and `stop` may be called any number of times. `stop` ends only a server that this object started or whose
    starter is gone: a command that found a running server leaves it running.
    """

    def __init__(self, folder: Path, *, settings: Mapping[str, str] = MAIN) -> None:
        self.folder = folder.absolute()
        self.settings = dict(settings)
        self._child: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None

    @property
    def pid(self) -> int | None:
        """The running server's process, or None."""
        return self._pid if self.alive() else None

    def alive(self) -> bool:
        """Tell whether the server's process lives."""
        if self._child is not None:
            return self._child.poll() is None
        return self._pid is not None and self._pid in processes.working_in(self.folder, name="postgres")

    def start(self, wait_s: float = START_WAIT_S) -> None:
        """Return when the server answers with durable settings; raise ClusterFailed after `wait_s` seconds.

        Makes the data folder when it is missing, adopts a server that already runs on it, and waits for what a
        killed one left behind.
        """
        deadline = time.monotonic() + wait_s
        user = server_user(self.folder)
        programs = find(user)
        self._make_parent(user)
        if not (self.folder / "PG_VERSION").exists():
            self._initialise(programs, user)
        self._require_same_version(programs)
        self._write_access_rules(user)
        if not self._adopt(deadline):
            self._spawn_until_ready(programs, user, deadline)
        try:
            self._require_durable(programs)
        except ClusterFailed:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server: fast (open transactions are rolled back), then at once (recovery follows), then by force."""
        pid = self.pid
        if pid is None or (self._child is None and self._starter_lives()):
            self._child = self._pid = None
            return
        for number, wait_s in (
            (signal.SIGINT, STOP_FAST_S), (signal.SIGQUIT, STOP_AT_ONCE_S), (signal.SIGKILL, STOP_AT_ONCE_S),
        ):  # fmt: skip
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + wait_s
            while self.alive() and time.monotonic() < deadline:
                time.sleep(POLL_S)
            if not self.alive():
                break
            log.warning("the database in %s did not stop on %s in %.0f s", self.folder, number.name, wait_s)
        self._child = self._pid = None

    def url(self, dbname: str, *, role: str = ROLE) -> str:
        """Return the address of the database `dbname` as libpq and psycopg read it; the server need not run."""
        return f"postgresql://{role}@/{dbname}?host={quote(str(self._socket_folder()), safe='')}&port={PORT}"

    def ensure_database(self, name: str) -> None:
        """Make the database `name`, owned by the application's role, unless it exists."""
        if not DATABASE_NAME.fullmatch(name):
            raise ValueError("a database name is lower-case letters, digits and underscores, 63 at most")
        programs = find(server_user(self.folder))
        if not self._sql(programs, f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # noqa: S608 - matched above
            self._sql(programs, f'CREATE DATABASE "{name}" OWNER {ROLE}')

    # -- making the data folder ------------------------------------------------------------------------------------

    def _make_parent(self, user: Owner) -> None:
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.folder.exists():
            owner = self.folder.stat().st_uid
            if owner != user.uid:
                raise ClusterFailed(f"{self.folder} belongs to user {owner}: start as that user or as root")

    def _initialise(self, programs: Programs, user: Owner) -> None:
        """Make an empty cluster beside the folder and move it into place, so that a half-made one is never used."""
        if self.folder.exists() and any(self.folder.iterdir()):
            raise ClusterFailed(f"{self.folder} is not empty and holds no PostgreSQL data: move it away")
        making = self.folder.with_name(f".{self.folder.name}.making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        os.chown(making, user.uid, user.gid)
        # 17 and later carry their own C.UTF-8, so an upgrade of the system's C library cannot break an index.
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if programs.major >= 17  # noqa: PLR2004 - the release that brought it
            else ["--locale=C.UTF-8"]
        )
        with _handle(making) as (data, fds):
            made = run(
                lifeline.argv(
                    [programs.path("initdb"), "-D", data, "-U", SUPERUSER, "-k", "-E", "UTF8", *locale,
                     "--auth-local=peer", "--auth-host=reject", "--no-instructions"],
                    signal_number=signal.SIGKILL, user=_switch(user),
                ),
                fds=fds,
            )  # fmt: skip
        if made.returncode != 0:
            shutil.rmtree(making, ignore_errors=True)
            raise ClusterFailed(f"PostgreSQL could not make its data folder {self.folder}: {_last_line(made.stderr)}")
        making.rename(self.folder)

    def _require_same_version(self, programs: Programs) -> None:
        version = (self.folder / "PG_VERSION").read_text().strip()
        if version != str(programs.major):
            raise ClusterFailed(
                f"{self.folder} was made by PostgreSQL {version} and {programs.folder} is {programs.major}: "
                f"set PG_BIN to PostgreSQL {version}'s programs"
            )

    def _write_access_rules(self, user: Owner) -> None:
        """Admit root, whoever starts the server and the server's own user, proven by the kernel; nobody else."""
        admitted = {"root", Owner.of(os.geteuid()).name, user.name} - {"nobody"}  # 'nobody' is shared by strangers
        ident = "".join(f'owners "{name}" {role}\n' for name in sorted(admitted) for role in (ROLE, SUPERUSER))
        rules = "local all all peer map=owners\nlocal replication all peer map=owners\n"  # the latter for backups
        for name, text in (("pg_ident.conf", ident), ("pg_hba.conf", rules)):
            file = self.folder / name
            if file.read_text() == text:
                continue
            with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False) as new:
                new.write(text)
            os.chown(new.name, user.uid, user.gid)
            Path(new.name).replace(file)

    # -- starting --------------------------------------------------------------------------------------------------

    def _adopt(self, deadline: float) -> bool:
        """Take over a server that already runs here; wait for one that is going down; clear what a dead one left."""
        orphans_deadline = time.monotonic() + ORPHANS_WAIT_S
        while running := processes.working_in(self.folder, name="postgres"):
            pid, status = self._lock(self.folder / "postmaster.pid")
            if pid in running:
                if status == "ready":
                    self._pid = pid
                    if self._child is not None and self._child.pid != pid:
                        self._child = None
                    log.info("the database in %s already runs as process %d: using it", self.folder, pid)
                    return True
            elif time.monotonic() > orphans_deadline:
                for orphan in running:
                    log.warning("process %d outlived its killed database server: ending it", orphan)
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(orphan, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise ClusterFailed(f"process {min(running)} holds {self.folder} and neither serves nor ends")
            time.sleep(POLL_S)
        self.alive()  # collects our own child if it is what died
        for name in ("postmaster.pid", f".s.PGSQL.{PORT}.lock"):
            lock = self.folder / name
            pid, _ = self._lock(lock)
            if pid is not None and processes.listed(pid):
                # Nothing runs in the folder, so the number now belongs to a stranger, or to the dead server's entry
                # that its parent has not collected yet. PostgreSQL itself would refuse to start.
                log.info("clearing the lock %s of a dead database server", lock)
                lock.unlink(missing_ok=True)
        return False

    def _spawn_until_ready(self, programs: Programs, user: Owner, deadline: float) -> None:
        while True:
            complaint = self._spawn(programs, user, deadline)
            if complaint is None:
                return
            if not any(words in complaint for words in LINGERING) or time.monotonic() > deadline:
                raise ClusterFailed(f"the database in {self.folder} does not start: {_last_line(complaint)}")
            time.sleep(0.2)
            if self._adopt(deadline):
                return

    def _spawn(self, programs: Programs, user: Owner, deadline: float) -> str | None:
        """Start the server and wait until it is ready; return what it said if it ended instead."""
        settings = dict(self.settings)
        if settings.get("wal_compression") == "lz4" and not programs.has_lz4():
            settings["wal_compression"] = "pglz"
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        logged = self._log_sizes()
        with tempfile.TemporaryFile() as said, _handle(self.folder) as (data, fds):
            self._child = subprocess.Popen(  # noqa: S603 - our own argument list, no shell
                lifeline.argv(
                    [programs.path("postgres"), "-D", data, *arguments],
                    signal_number=signal.SIGINT, user=_switch(user),
                ),
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, pass_fds=fds, cwd="/", env=environment(),
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the server when its users are gone
            )  # fmt: skip
            self._pid = self._child.pid
            self._starter_file().write_text(f"{os.getpid()} {processes.born(os.getpid())}\n")
            while self._child.poll() is None:
                if self._lock(self.folder / "postmaster.pid") == (self._pid, "ready"):
                    return None
                if time.monotonic() > deadline:
                    self.stop()
                    raise ClusterFailed(
                        f"the database in {self.folder} was not ready in time; see {self.folder}/server_log"
                    )
                time.sleep(POLL_S)
            self._child = self._pid = None
            said.seek(0)
            return said.read().decode(errors="replace") + self._logged_since(logged)

    def _require_durable(self, programs: Programs) -> None:
        for line in self._sql(programs, _PREPARE).splitlines():
            name, _, value = line.partition("=")
            if (name in MUST_BE and value not in MUST_BE[name]) or value in MUST_NOT_BE.get(name, ()):
                raise NotDurable(
                    f"refusing the database in {self.folder}: {name} is {value}, so a commit could be lost"
                )

    def _sql(self, programs: Programs, statements: str) -> str:
        address = self.url("postgres", role=SUPERUSER)
        done = run([programs.path("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", address, "-f", "-"], text=statements)
        if done.returncode != 0:
            raise ClusterFailed(f"the database in {self.folder} does not answer: {_last_line(done.stderr)}")
        return done.stdout

    # -- looking ---------------------------------------------------------------------------------------------------

    def _lock(self, file: Path) -> tuple[int | None, str]:
        """Return the process and the status word that PostgreSQL wrote into a lock file (lines 1 and 8)."""
        try:
            lines = file.read_text().splitlines()
            return int(lines[0]), lines[7].strip() if len(lines) > 7 else ""  # noqa: PLR2004 - PostgreSQL's pidfile.h
        except (OSError, ValueError, IndexError):
            return None, ""

    def _log_sizes(self) -> dict[Path, int]:
        return {file: file.stat().st_size for file in (self.folder / "server_log").glob("*.log")}

    def _logged_since(self, sizes: Mapping[Path, int]) -> str:
        """Return what the server wrote into its log files after they had these sizes (bytes)."""
        return "".join(
            file.read_bytes()[sizes.get(file, 0) :].decode(errors="replace") for file in sorted(self._log_sizes())
        )

    def _starter_file(self) -> Path:
        return self.folder.with_name(f".{self.folder.name}.starter")

    def _starter_lives(self) -> bool:
        try:
            pid, born = self._starter_file().read_text().split()
        except (OSError, ValueError):
            return False
        return processes.born(int(pid)) == born

    def _socket_folder(self) -> Path:
        """Return a folder by which the socket's path is short enough: the data folder, or a short link to it."""
        name = f".s.PGSQL.{PORT}"
        if len(os.fsencode(self.folder / name)) <= SOCKET_PATH_BYTES_MAX:
            return self.folder
        key = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        link = Path("/tmp") / f"parcelward-{os.geteuid()}-{key}"  # noqa: S108 - whose it is and where it leads is checked
        with contextlib.suppress(FileExistsError):
            link.symlink_to(self.folder)
        if link.lstat().st_uid != os.geteuid() or not link.is_symlink() or link.readlink() != self.folder:
            raise ClusterFailed(f"{link} stands in the way of the database's socket: remove it")
        return link


@contextlib.contextmanager
def _handle(folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Give a path by which a child reaches `folder` even if it may not enter the folders above it."""
    if os.geteuid() != 0:
        yield str(folder), ()
        return
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}", (fd,)
    finally:
        os.close(fd)


def _switch(user: Owner) -> tuple[int, int] | None:
    return (user.uid, user.gid) if os.geteuid() == 0 else None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (telling or lines or ["it said nothing"])[-1]
