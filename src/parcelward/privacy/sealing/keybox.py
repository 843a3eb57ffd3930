"""Where station keys are wrapped and unwrapped, and the key that makes label codes: the one place that knows how.

What wraps them is the vault's key-encryption key, in its file or its token; `parcelward vault rotate-kek` turns both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.db import transaction
from django.db.models import Count

from parcelward.base import db
from parcelward.privacy import cipher, keepers
from parcelward.privacy.errors import NotAuthentic
from parcelward.privacy.models import StationKey
from parcelward.privacy.sealing.errors import KeyNotThere

REWRAPPED_AT_ONCE: Final = 2_000


def _context(row: StationKey) -> bytes:
    """Return what a wrapped key is bound to: a row turned to another place, week or public key stays shut."""
    return cipher.station_context(row.facility, row.epoch, bytes(row.public_key))


def newest_version() -> int:
    """Return the version of the key-encryption key that wraps what is made now."""
    return max(keepers.keeper().versions())


def put(row: StationKey, key: bytes, version: int) -> None:
    """Put a private key into its row, wrapped by this version of the key-encryption key."""
    row.wrapped, row.kek_version = keepers.keeper().wrap(key, _context(row), version), version


def take(row: StationKey) -> bytes:
    """Return a row's private key. Raises KeyNotThere where the row was changed, KeysAway without what opens it."""
    try:
        return keepers.keeper().unwrap(bytes(row.wrapped), _context(row), row.kek_version)
    except NotAuthentic:
        raise KeyNotThere("This station key does not open: its row was changed", code="bad_box") from None


def status() -> Mapping[int, int]:
    """Return how many station keys each version of the key-encryption key wraps; what was destroyed needs none."""
    standing = StationKey.objects.filter(destroyed_at=None).values_list("kek_version")
    return dict(standing.annotate(keys=Count("pk")))


def rewrap(newest: int) -> int:
    """Wrap every station key that another version wraps with the newest; return how many there were.

    Safe to be killed: what is left is found again. A key that is destroyed meanwhile stays destroyed.
    """
    done, after = 0, 0
    while True:
        left = StationKey.objects.filter(pk__gt=after, destroyed_at=None).exclude(kek_version=newest)
        rows = list(left.order_by("pk")[:REWRAPPED_AT_ONCE])
        if not rows:
            return done
        done, after = done + _rewrap(rows, newest), rows[-1].pk


def _rewrap(rows: list[StationKey], newest: int) -> int:
    olds = [row.kek_version for row in rows]
    for row in rows:
        put(row, _opened(row), newest)
    with transaction.atomic(using="keys"), db.cursor("keys") as cur:
        cur.execute(
            "UPDATE privacy_stationkey k SET wrapped = u.wrapped, kek_version = %s "
            "FROM unnest(%s::bigint[], %s::int[], %s::bytea[]) AS u(id, old, wrapped) "
            "WHERE k.id = u.id AND k.kek_version = u.old AND k.destroyed_at IS NULL",
            (
                newest,
                db.bigint_array([row.pk for row in rows]),
                db.int_array(olds),
                db.bytea_array([bytes(row.wrapped) for row in rows]),
            ),
        )
        return cur.rowcount


def _opened(row: StationKey) -> bytes:
    return keepers.keeper().unwrap(bytes(row.wrapped), _context(row), row.kek_version)


def binding_key() -> bytes:
    """Return the key that label codes are made with now."""
    return keepers.label_codes().newest().secret


def binding_versions() -> Mapping[int, bytes]:
    """Return the same keys by version; the newest has the highest number."""
    return {number: version.secret for number, version in keepers.label_codes().versions().items()}
