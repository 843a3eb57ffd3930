"""`parcelward retention`: what goes by age, by class and country; shown with --dry-run, done with --run."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Collection
from typing import Any
from uuid import UUID

import django


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two ways to call it."""
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument(
        "--dry-run", action="store_true", help="show as JSON, one class and country a line; change nothing"
    )
    how.add_argument("--run", action="store_true", help="forget it now; the worker does so every night")


def run(options: argparse.Namespace) -> int:
    """Do what was asked and print JSON."""
    django.setup()
    from django.utils import timezone

    from parcelward.base import config, traces

    now = timezone.now()
    if options.dry_run:
        for line in would_go(now):
            print(json.dumps(line))
    else:
        forgotten = forget(now)
        # Last: the keys that were deleted a moment ago are in the files still.
        print(json.dumps({"forgotten": forgotten, "traces_of_keys_removed": traces.remove(config.get())}))
    return 0


def would_go(now: dt.datetime) -> list[dict[str, Any]]:
    """Return what would go, a line for each class and country; changes nothing."""
    from parcelward.base import config
    from parcelward.parcels.actions import retention as parcels
    from parcelward.people.actions import installer
    from parcelward.people.actions import retention as people
    from parcelward.privacy import queries
    from parcelward.privacy.actions import retention as privacy
    from parcelward.risk.actions import retention as risk
    from parcelward.shipping.actions import retention as shipping

    by, home = installer(), config.get().country
    lines = []
    for name in queries.RETENTION_CLASSES:
        before = queries.kept_until(name, home, now=now)
        rows = [
            *people.due_old(name, before, home, by=by),
            *parcels.due_old(name, before, home, by=by),
            *privacy.due_old(name, now, by=by),
            *risk.due_old(name, before, home, by=by),
            *shipping.due_old(name, before, home, by=by),
        ]
        for row in rows:
            held = queries.retention_of(name, row.country)
            lines.append(
                {
                    "class": name,
                    "country": row.country,
                    "days": held.days,
                    "would_go": row.n,
                    "oldest": None if row.oldest is None else row.oldest.date().isoformat(),
                    "ground": held.ground,
                    "source": held.source,
                }
            )
    return lines


def forget(now: dt.datetime) -> dict[str, int]:
    """Forget all that is over its time; return how many rows of each class, and how many backups of keys.

    Safe to repeat, and after a kill.
    """
    from parcelward.base import config
    from parcelward.doors.backups import forgetting
    from parcelward.parcels.actions import retention as parcels
    from parcelward.people.actions import machinery
    from parcelward.people.actions import retention as people
    from parcelward.privacy import queries
    from parcelward.privacy.actions import retention as privacy
    from parcelward.risk.actions import retention as risk
    from parcelward.shipping.actions import retention as shipping
    from parcelward.shipping.actions import webhooks

    by, home = machinery(), config.get().country
    done = {"backups_of_keys": len(forgetting.forget_old(config.get(), now))}
    for name in queries.RETENTION_CLASSES:
        before = queries.kept_until(name, home, now=now)
        done[name] = (
            people.forget_old(name, before, by=by)
            + parcels.forget_old(name, before, by=by)
            + privacy.forget_old(name, now, by=by)
            + risk.forget_old(name, before, by=by)
            + shipping.forget_old(name, before, by=by)
        )

    def also(keys: Collection[UUID]) -> set[UUID]:
        return {*webhooks.secrets_in_use(keys), *shipping.bodies_in_use(keys)}

    parcels.forget_keys_left(made_before=now - parcels.UNUSED_AFTER, also=also, by=by)
    return done
