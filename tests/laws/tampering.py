"""The record in the hands of whoever has the database: read it, change it, see what `verify-log` finds, roll back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction
from tests.scanner import until

from parcelward.base import config
from parcelward.custody import queries as custody
from parcelward.custody.errors import EntryDiffers
from parcelward.parcels.queries import verify_log


def rows(sql: str, *values: Any) -> list[dict[str, Any]]:
    with connections["default"].cursor() as cur:
        cur.execute(sql, values)
        names = [column.name for column in cur.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cur.fetchall()]


def change(sql: str, *values: Any) -> None:
    with connections["default"].cursor() as cur:
        # One dictionary is a statement's named values.
        cur.execute(sql, values[0] if len(values) == 1 and isinstance(values[0], dict) else values)
        assert cur.rowcount >= 1, "the tampering missed"


@contextlib.contextmanager
def undone() -> Iterator[None]:
    """Roll back whatever is done inside, which all sees one moment: of the database, and of what is signed in files."""
    signed = custody.published_now(config.get())  # before the database, as `verify_log` reads them
    with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(custody, "published_now", lambda _settings: signed)
        with connections["default"].cursor() as cur:
            cur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield
        transaction.set_rollback(True)


def sequenced() -> None:
    """Wait until every batch has its place in the log."""
    until(lambda: not rows("SELECT 1 FROM custody_pendingbatch"))


def place(kind: str, field: str, value: object) -> int:
    """Return where the newest entry of a kind that says so stands in the log."""
    found = rows(
        "SELECT l.first_index + f.leaf AS index FROM custody_fact f JOIN custody_logbatch l ON l.batch = f.batch "
        "WHERE f.kind = %s AND convert_from(f.body, 'UTF8')::jsonb ->> %s = %s ORDER BY index DESC LIMIT 1",
        *(kind, field, str(value)),
    )
    return int(found[0]["index"])


def difference(**part: Any) -> EntryDiffers:
    """Return what `verify-log` finds first, in the whole log or in the part that is asked for."""
    with pytest.raises(EntryDiffers) as caught:
        verify_log(config.get(), **part)
    return caught.value
