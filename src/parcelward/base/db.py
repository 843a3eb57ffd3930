"""Database habits that every room shares: where the databases are, binary COPY, retry."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import os
import random
import struct
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec
import psycopg
from django.db import connections, transaction
from django.db.models import AutoField, BinaryField, Model
from django.db.utils import InterfaceError, OperationalError
from psycopg.adapt import Dumper
from psycopg.conninfo import conninfo_to_dict

from parcelward.base.config import BadSetting, Config
from parcelward.base.errors import Busy, NotDurable

T = TypeVar("T")

TRIES_MAX = 8  # a transaction that loses eight races in a row is refused as busy
RETRY_STATES = frozenset({"40001", "40P01"})  # serialization failure, deadlock: PostgreSQL asks to try again
AWAY = (
    *(psycopg.OperationalError, psycopg.InterfaceError, OperationalError, InterfaceError),
    psycopg.errors.ReadOnlySqlTransaction,  # the server became a standby: the next connection finds the new one
)
"""What the driver raises, bare or wrapped by Django: connection gone, server starting or stopping, disk full."""
CONNECT_WAIT_S = 10
CONNECTION = {
    "connect_timeout": CONNECT_WAIT_S,
    # A server that vanished without a word, as behind a pulled cable, is noticed within half a minute: by its silence
    # to what was sent, or to the probes that follow while an answer is waited for. On a Unix socket none of it counts.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,  # milliseconds
}
"""libpq's settings of every connection; the database's address may say others."""
SERVER_VERSION_MIN = 150_000  # PostgreSQL 15.0, as libpq counts; what Debian 12 ships
PG_EPOCH = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
COPY_TRAILER = struct.pack(">h", -1)
PREPARE_AFTER = 5  # runs of a statement on one connection before it is prepared; only `cursor` below prepares any


def secret_file(path: Path, make: Callable[[], str]) -> str:
    """Return the secret kept in `path` (mode 0600), making it once; two processes that race read the same one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A name of its own: what a killed process left behind must not stop the next one with its number.
        descriptor, mine = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w") as out:
                out.write(make())
                out.flush()
                os.fsync(out.fileno())
            with contextlib.suppress(FileExistsError):  # another was first: then its secret is the one
                os.link(mine, path)
        finally:
            Path(mine).unlink()
        for folder in (path.parent, path.parent.parent):  # the name, too, must survive a loss of power
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    return path.read_text().strip()


def embedded_url(config: Config, name: str) -> str:
    """Return the address of the embedded server `name` (main or keys), whether it runs or not."""
    from parcelward.base.postgres import Cluster  # noqa: PLC0415 -- only where the embedded server is used

    return Cluster(config.home / "postgres" / name).url("parcelward")


def django_database(url: str) -> dict[str, Any]:
    """Turn a postgresql:// URL into Django's form. Raises BadSetting when it is not one."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise BadSetting("a database address begins with postgresql://, for example postgresql://me@host/parcelward")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = query.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/") or "parcelward",
        "USER": query.pop("user", "") or unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "")),
        "CONN_MAX_AGE": None,  # a connection lives as long as its thread
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"prepare_threshold": PREPARE_AFTER} | CONNECTION | query,
        "TEST": {"SERIALIZE": False},
    }


DURABILITY = "current_setting('fsync'), current_setting('synchronous_commit')"
"""SQL: what a session runs with. A server that was away at the start, or was changed since, is found out by it."""


def require_durable_commit(fsync: str, synchronous_commit: str) -> None:
    """Raise NotDurable unless a commit of the session that said `DURABILITY` is on the disk when it is confirmed."""
    for name, value in (("fsync", fsync), ("synchronous_commit", synchronous_commit)):
        if value == "off":
            raise NotDurable(
                f"The database runs with {name} = off, so a commit could be lost: nothing is recorded until it is on",
                retry_after_s=30,
            )


def require_durable(config: Config) -> None:
    """Refuse a PostgreSQL of the operator's own that is too old or could lose a commit; the embedded checks itself.

    Raises BadSetting, and psycopg.OperationalError when a server does not answer.
    """
    for name, url in (("PARCELWARD_DATABASE_URL", config.database_url), ("PARCELWARD_KEYS_URL", config.keys_url)):
        if not url:
            continue
        settings: dict[str, Any] = CONNECTION | conninfo_to_dict(url)
        with psycopg.connect(**settings) as server:
            if server.info.server_version < SERVER_VERSION_MIN:
                raise BadSetting(f"{name} leads to PostgreSQL {server.info.server_version // 10_000}: 15 is the oldest")
            for setting in ("fsync", "synchronous_commit"):
                if server.execute("SELECT current_setting(%s)", (setting,)).fetchone() == ("off",):
                    raise BadSetting(
                        f"{name} leads to a server with {setting} = off, so a commit could be lost: set it to on there"
                    )


def raw(alias: str = "default") -> psycopg.Connection[Any]:
    """Return psycopg's own connection of this thread, for COPY and binary parameters."""
    wrapper = connections[alias]
    wrapper.ensure_connection()
    return wrapper.connection  # type: ignore[no-any-return]  # django-stubs types it as Any


def drop_connections() -> None:
    """Close this thread's connections: Django notices a dead one only where its own cursor failed."""
    for connection in connections.all(initialized_only=True):
        connection.close()


def cursor(alias: str = "default", *, binary: bool = False) -> psycopg.Cursor[Any]:
    """Return a cursor with server-side parameters on this thread's connection (Django's own bind on the client)."""
    cur = psycopg.Cursor(raw(alias))
    if binary:
        cur.format = psycopg.pq.Format.BINARY
    return cur


@functools.cache
def _insert_of(model: type[Model]) -> tuple[str, tuple[tuple[str, str, bool], ...]]:
    """Return the statement that inserts rows of a model from JSON, and (column, attribute, is bytes) of each field."""
    about = model._meta  # noqa: SLF001 -- what Django documents as a model's own
    fields = [
        (one.column or one.attname, one.attname, isinstance(one, BinaryField))
        for one in about.concrete_fields
        if not isinstance(one, AutoField)
    ]
    names, table = ", ".join(f'"{column}"' for column, *_ in fields), about.db_table
    statement = (
        f'INSERT INTO "{table}" ({names}) SELECT {names} FROM json_populate_recordset(NULL::"{table}", %s::json) '  # noqa: S608 -- our own names
        "ON CONFLICT "
    )
    return statement, tuple(fields)


def insert_rows(rows: Sequence[Model], *, there: str = "") -> None:
    """Insert rows of one model with one statement and one parameter; an id that the database gives is not read back.

    A hundred rows of thirty columns as a parameter each cost the framework and the driver a third of a purchase.
    `there`: what a row does that is there already, such as "DO NOTHING"; else that is the database's error.
    """
    if not rows:
        return
    statement, fields = _insert_of(type(rows[0]))
    said = [{column: _in_json(getattr(row, name), binary) for column, name, binary in fields} for row in rows]
    statement = f"{statement}{there}" if there else statement.removesuffix("ON CONFLICT ")
    with cursor() as cur:
        cur.execute(statement, (msgspec.json.encode(said).decode(),))


def _in_json(value: Any, binary: bool) -> Any:
    return value if value is None or not binary else "\\x" + bytes(value).hex()


def atomically(work: Callable[[], T], *, retry_on: frozenset[str] = RETRY_STATES) -> T:
    """Run `work` in one transaction, again when PostgreSQL says that it lost a race.

    Raises Busy when it keeps losing; anything else `work` raises goes through at once.
    """
    for attempt in range(TRIES_MAX):
        try:
            with transaction.atomic():
                return work()
        except (psycopg.Error, OperationalError, LostRace) as err:
            cause = err if isinstance(err, psycopg.Error | LostRace) else err.__cause__
            state = getattr(cause, "sqlstate", None)
            if not (isinstance(cause, LostRace) or state in retry_on):
                raise
            if attempt + 1 == TRIES_MAX:
                raise Busy("Too many others write the same rows; send it again", retry_after_s=1) from err
        # Jitter, not secrecy: it only keeps two losers from meeting again.
        time.sleep(random.uniform(0, 0.002 * 2**attempt))  # noqa: S311 -- see above
    raise AssertionError("unreachable")  # pragma: no cover -- the loop returns or raises


class LostRace(Exception):
    """Another transaction changed what this one had read; the whole of it is tried again."""


def pg_micros(when: dt.datetime) -> int:
    """Return an aware time as PostgreSQL's binary timestamptz: microseconds since 2000-01-01 UTC."""
    delta = when - PG_EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(micros: int) -> dt.datetime:
    """Return PostgreSQL's binary timestamptz as an aware UTC time."""
    return PG_EPOCH + dt.timedelta(microseconds=micros)


class Packed(bytes):
    """A parameter that is in PostgreSQL's binary form already. The statement must cast it: `%s::uuid[]`."""

    __slots__ = ()


class _PackedDumper(Dumper):
    format = psycopg.pq.Format.BINARY
    oid = 0  # unknown: the cast says what it is

    def dump(self, obj: Packed) -> Packed:
        return obj


psycopg.adapters.register_dumper(Packed, _PackedDumper)

_ARRAY_HEAD = struct.Struct(">iiiii")  # dimensions, has nulls, element type, length, first index
_LENGTH_4, _LENGTH_8, _LENGTH_16 = struct.pack(">i", 4), struct.pack(">i", 8), struct.pack(">i", 16)
_INT4, _INT8, _TEXT, _UUID, _BYTEA = 23, 20, 25, 2950, 17  # pg_type.dat


def record_array(element_type: int, records: Sequence[bytes]) -> Packed:
    """Return an array of values in their binary form; `element_type` is the type's number in pg_type."""
    if not records:
        return Packed(struct.pack(">iii", 0, 0, element_type))
    head = _ARRAY_HEAD.pack(1, 0, element_type, len(records), 1)
    return Packed(head + b"".join([len(one).to_bytes(4, "big") + one for one in records]))


def text_array(texts: Sequence[str]) -> Packed:
    """Return a text[]."""
    return record_array(_TEXT, [text.encode() for text in texts])


def bytea_array(values: Sequence[bytes]) -> Packed:
    """Return a bytea[]."""
    return record_array(_BYTEA, values)


def uuid_array(ids: Sequence[bytes]) -> Packed:
    """Return a uuid[] of ids of 16 bytes each."""
    if not ids:
        return record_array(_UUID, ids)
    return Packed(_ARRAY_HEAD.pack(1, 0, _UUID, len(ids), 1) + _LENGTH_16 + _LENGTH_16.join(ids))


def int_array(numbers: Sequence[int]) -> Packed:
    """Return an int[]."""
    return _numbers(_INT4, 4, _LENGTH_4, numbers)


def bigint_array(numbers: Sequence[int]) -> Packed:
    """Return a bigint[]."""
    return _numbers(_INT8, 8, _LENGTH_8, numbers)


def _numbers(element_type: int, size: int, length: bytes, numbers: Sequence[int]) -> Packed:
    if not numbers:
        return record_array(element_type, ())
    packed = length.join([number.to_bytes(size, "big", signed=True) for number in numbers])
    return Packed(_ARRAY_HEAD.pack(1, 0, element_type, len(numbers), 1) + length + packed)


def copy_binary(conn: psycopg.Connection[Any], table: str, columns: str, rows: Iterable[bytes]) -> None:
    """COPY rows that are already in PostgreSQL's binary tuple form; `table` and `columns` are our own constants."""
    with psycopg.Cursor(conn) as cur, cur.copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(b"".join((COPY_HEADER, *rows, COPY_TRAILER)))
