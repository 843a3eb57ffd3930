"""Look at an installation: files, databases, clock. What is found is judged elsewhere (`checks`)."""

from __future__ import annotations

import ctypes
import datetime as dt
import os
import stat
import time
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from parcelward.base import config, db
from parcelward.base.backups.recipients import PRIVATE
from parcelward.custody import backing_up
from parcelward.doors.backups import trusted
from parcelward.doors.production.checks import BACKUP_AGE_MAX, SECRET_CHARS_MIN, Seen, Server
from parcelward.people import queries as people

SMALL_BYTES: Final = 100_000
SETTINGS: Final = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
KNOWN_SECRETS: Final = ("django-insecure", "changeme", "secret", "AAAAAAAAAAAAAAAAAAAAAAAA")
VAULT_FILES: Final = ("keys/vault-kek", "keys/vault-index", "keys/label-code")  # privacy/keepers.py
_TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised


def observe(settings: config.Config, *, now: dt.datetime) -> Seen:
    """Return what there is; Django is set up. A database that does not answer is noted, not raised."""
    from django.conf import settings as framework  # noqa: PLC0415 -- as every door

    main = _server(settings.database_url, embedded=db.embedded_url(settings, "main"))
    keys = _server(settings.keys_url, embedded=db.embedded_url(settings, "keys"))
    known = main.answers and _has_tables()
    return Seen(
        settings=settings,
        hsts_s=framework.SECURE_HSTS_SECONDS,
        open_files=tuple(name for name in _open_files(settings.home / "keys") if name not in VAULT_FILES),
        vault_files=_vault_files(settings.home),
        home_mode=stat.S_IMODE(settings.home.stat().st_mode) if settings.home.exists() else 0o700,
        samples=_samples(settings, known=known),
        weak_secrets=_weak(settings.home / "keys"),
        private_backup_keys=_private_keys(settings.home),
        backup_keys=len(trusted.listed(settings)),
        backups={what: backing_up.newest(what) if known else None for what in BACKUP_AGE_MAX},
        main=main,
        keys=keys,
        administrators=people.administrators() if known else 0,
        clock_synchronised=_synchronised(),
        now=now,
    )


def _server(url: str, *, embedded: str) -> Server:
    said: dict[str, Any] = conninfo_to_dict(url or embedded)
    about = {
        "host": str(said.get("host") or ""),
        "sslmode": str(said.get("sslmode") or ""),
        "password": str(said.get("password") or ""),
        "embedded": not url,
    }
    try:
        with psycopg.connect(**(db.CONNECTION | said)) as server:
            began = time.time()
            row = server.execute(
                "SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user), current_database(), "
                "extract(epoch FROM clock_timestamp())::float8"
            ).fetchone()
            assert row is not None  # noqa: S101 -- a SELECT without FROM gives one
            found = {name: _setting(server, name) for name in SETTINGS}
            return Server(
                **about,  # type: ignore[arg-type]  # as Server names them
                answers=True,
                superuser=bool(row[0]),
                name=str(row[1]),
                settings=found,
                identifier=_identifier(server),
                clock_off_s=float(row[2]) - began,
            )
    except psycopg.OperationalError:
        return Server(**about)  # type: ignore[arg-type]  # as above


def _setting(server: psycopg.Connection[Any], name: str) -> str:
    row = server.execute("SELECT current_setting(%s, true)", (name,)).fetchone()
    return str(row[0]) if row else ""


def _identifier(server: psycopg.Connection[Any]) -> str:
    """Return the cluster's own number, or nothing where our role may not ask."""
    try:
        row = server.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
    except psycopg.errors.InsufficientPrivilege:
        server.rollback()
        return ""
    return str(row[0]) if row else ""


def _has_tables() -> bool:
    with db.cursor() as cur:
        cur.execute("SELECT to_regclass('custody_fact') IS NOT NULL AND to_regclass('people_user') IS NOT NULL")
        return bool(cur.fetchall()[0][0])


def _open_files(folder: Path) -> tuple[str, ...]:
    if not folder.exists():
        return ()
    return tuple(
        f"keys/{path.name}" if path != folder else "keys"
        for path in [folder, *sorted(folder.iterdir())]
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    )


def _vault_files(home: Path) -> tuple[str, ...]:
    """Return which of the vault's own files others can read, or own."""
    others = set(_open_files(home / "keys"))
    here = [name for name in VAULT_FILES if (home / name).exists()]
    return tuple(name for name in here if name in others or (home / name).stat().st_uid != os.geteuid())


def _samples(settings: config.Config, *, known: bool) -> tuple[str, ...]:
    found = (
        ["sample people, organisations, keys or simulated devices"] if known and people.has_simulated_sources() else []
    )
    invited = ("samples.json with invitations",) if (settings.home / "samples.json").exists() else ()
    return (*found, *invited)


def _weak(folder: Path) -> tuple[str, ...]:
    path = folder / "django"
    if not path.exists():
        return ()
    text = path.read_text().strip()
    weak = len(text) < SECRET_CHARS_MIN or len(set(text)) < 5 or any(each in text for each in KNOWN_SECRETS)  # noqa: PLR2004 -- as Django's own check
    return ("keys/django",) if weak else ()


def _private_keys(home: Path) -> tuple[str, ...]:
    """Look at small files at the top of the home and in keys/."""
    small = [
        path
        for path in [*home.glob("*"), *(home / "keys").glob("*")]
        if path.is_file() and path.stat().st_size < SMALL_BYTES
    ]
    return tuple(str(path.relative_to(home)) for path in small if PRIVATE.encode() in path.read_bytes())


def _synchronised() -> bool | None:
    """Ask the kernel whether somebody keeps its clock right (adjtimex(2)); None where it does not say."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # modes = 0: only ask
    except (OSError, AttributeError):
        return None
    return None if state < 0 else bool(state != _TIME_ERROR)
