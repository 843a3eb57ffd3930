"""Compare which item a number means, and since when, with what was recorded: part of `verify-log`.

A number that means another item shows another history under a true label. Which numbers were scanned, the log commits
to (`event_check`); here, that each item has one number since it was made, that a number passed on only where the log
has the acceptance that took it over or counts the manifest that did, and that what was announced was on such a
manifest.
"""

from __future__ import annotations

import json
from typing import Final

from parcelward.base import db
from parcelward.base.standards.steps import Step
from parcelward.custody.queries import Findings
from parcelward.parcels.models import ItemKind

MANIFEST_KIND: Final = "parcels.manifest"

# What is wrong -> the statement that finds one item of which it is so.
_PROBLEMS: Final = {
    "A number of the item begins or ends at another moment than the log's events say.": (
        "WITH known AS (SELECT item, valid_to, lead(item) OVER (PARTITION BY number ORDER BY valid_from) AS next "
        "FROM parcels_itemalias) SELECT item FROM known k WHERE (valid_to IS NULL) <> (next IS NULL) "
        "OR (valid_to IS NOT NULL AND NOT EXISTS (SELECT FROM parcels_scan_event e "
        "WHERE e.item = k.next AND e.event_time = k.valid_to AND e.step = %(accepted)s) "
        "AND NOT EXISTS (SELECT FROM parcels_manifest m WHERE m.item = k.next AND m.event_time = k.valid_to)) LIMIT 1"
    ),
    "The item has no number, or no row of its own, or they are not of one moment.": (
        "SELECT coalesce(i.item, a.item) FROM parcels_item i FULL JOIN parcels_itemalias a ON a.item = i.item "
        "WHERE i.item IS NULL OR a.item IS NULL OR a.valid_from <> i.made_at LIMIT 1"
    ),
    "The item has more than one number.": (
        "SELECT item FROM parcels_itemalias GROUP BY item HAVING count(*) > 1 LIMIT 1"
    ),
    "The item was made at another moment than its first event or manifest was recorded.": (
        "SELECT i.item FROM parcels_scan_event e JOIN custody_logbatch l ON l.batch = e.batch "
        "JOIN parcels_item i ON i.item = e.item WHERE e.item_seq = 1 AND (i.made_at > l.record_time OR "
        "(i.kind = %(item)s AND i.announced_at IS NULL AND i.made_at <> l.record_time)) LIMIT 1"
    ),
    "The item was announced at another moment than its first manifest came, or without one.": (
        "SELECT coalesce(i.item, m.item) FROM (SELECT item, announced_at FROM parcels_item "
        "WHERE announced_at IS NOT NULL) i FULL JOIN (SELECT item, min(record_time) AS at FROM parcels_manifest "
        "GROUP BY item) m ON m.item = i.item WHERE i.announced_at IS DISTINCT FROM m.at LIMIT 1"
    ),
}


def check_numbers(findings: Findings) -> None:
    """Note one item for each way in which a number can have been turned; none of these has a place in the log."""
    with db.cursor() as cur:
        for what, statement in _PROBLEMS.items():
            cur.execute(statement, {"accepted": int(Step.ACCEPTED), "item": int(ItemKind.ITEM)})
            row = cur.fetchone()
            if row is not None:
                findings.note(what, differs="number", item=row[0])
    _check_manifests(findings)


def _check_manifests(findings: Findings) -> None:
    """See that each manifest has as many items as the log's entries about it say."""
    with db.cursor() as cur:
        cur.execute("SELECT id, source, count(*) FROM parcels_manifest GROUP BY id, source")
        counted = {(manifest, source): int(n) for manifest, source, n in cur.fetchall()}
        cur.execute("SELECT body FROM custody_fact WHERE kind = %s", (MANIFEST_KIND,))
        for (body,) in cur.fetchall():
            said = json.loads(bytes(body))
            key = said["manifest"], said["by"]
            counted[key] = counted.get(key, 0) - said["items"]
    for (manifest, _), difference in counted.items():
        if difference:
            what = (
                f"Manifest {manifest} has {abs(difference)} items {'more' if difference > 0 else 'fewer'} than logged."
            )
            findings.note(what, differs="manifest")
