"""Requests as they were sent: the same again gets the same answer, and what was bad in them is kept."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

from parcelward.base import db
from parcelward.custody.wire import pack_signed
from parcelward.parcels.bodies import QUARANTINED, BodyId
from parcelward.parcels.quarantine_check import row_hash
from parcelward.parcels.wire import Answer, BadScan, Submission
from parcelward.privacy import actions as privacy
from parcelward.privacy.wire import SealedBody

Stored = dict[tuple[int, int], tuple[bytes, bytes]]


def stored_answers(submissions: Sequence[Submission]) -> tuple[Stored, dict[int, int]]:
    """Return ({(source, sequence): (digest, answer)}, {source: highest sequence}) for numbered requests."""
    if not submissions:
        return {}, {}
    sources, sequences = [s.by.source for s in submissions], [s.sequence for s in submissions]
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT u.source, u.seq, s.digest, s.answer, m.high_sequence "
            "FROM unnest(%s::int[], %s::bigint[]) AS u(source, seq) "
            "JOIN parcels_sourcemark m ON m.source = u.source "
            "LEFT JOIN parcels_submission s ON s.source = u.source AND s.sequence = u.seq",
            (db.int_array(sources), db.bigint_array(sequences)),
            binary=True,
        )
        rows = cur.fetchall()
    return {(r[0], r[1]): (r[2], r[3]) for r in rows if r[2] is not None}, {r[0]: r[4] for r in rows}


def store_answers(answered: Sequence[tuple[Submission, Answer]], *, now: dt.datetime) -> None:
    """Keep each numbered request's answer and raise its source's mark, in the caller's transaction."""
    numbered = sorted(
        ((s.by.source, s.sequence, s.digest, a.body) for s, a in answered if s.sequence), key=lambda r: r[:2]
    )
    if not numbered:
        return
    high: dict[int, int] = {}
    for source, sequence, _, _ in numbered:
        high[source] = max(sequence, high.get(source, 0))
    with db.cursor() as cur:
        cur.execute(
            "INSERT INTO parcels_submission (source, sequence, digest, answer, record_time) "
            "SELECT s, q, d, a, %s FROM unnest(%s::int[], %s::bigint[], %s::bytea[], %s::bytea[]) AS u(s, q, d, a)",
            (
                *(now, db.int_array([n[0] for n in numbered]), db.bigint_array([n[1] for n in numbered])),
                *(db.bytea_array([n[2] for n in numbered]), db.bytea_array([n[3] for n in numbered])),
            ),
            binary=True,
        )
        cur.execute(
            "INSERT INTO parcels_sourcemark (source, high_sequence, last_seen) "
            "SELECT s, h, %s FROM unnest(%s::int[], %s::bigint[]) AS u(s, h) ORDER BY s "
            "ON CONFLICT (source) DO UPDATE SET last_seen = excluded.last_seen, "
            "high_sequence = greatest(parcels_sourcemark.high_sequence, excluded.high_sequence)",
            (now, db.int_array(list(high)), db.bigint_array(list(high.values()))),
            binary=True,
        )


def signatures(submissions: Iterable[Submission]) -> bytes:
    """Return what the devices among the senders signed, packed; empty when none did."""
    return pack_signed(
        (s.by.source, s.sequence, s.created_s, s.digest, s.signature) for s in submissions if s.signature
    )


def quarantine(
    refused: Sequence[tuple[Submission, BadScan]], *, now: dt.datetime, sealed: dict[BodyId, SealedBody]
) -> dict[str, str]:
    """Keep bad events with their bytes, sealed, and reason; the same bytes from the same source are kept once.

    Returns {number of a new row: hash of what it says}, for the log. `sealed` has what an earlier try sealed.
    """
    fresh: dict[BodyId, tuple[Submission, BadScan]] = {}
    for submission, bad in refused:
        fresh.setdefault((submission.by.source, hashlib.sha256(bad.raw).digest()), (submission, bad))
    for known in _known_among(fresh.keys() - sealed.keys()):
        del fresh[known]
    left = [one for one in fresh if one not in sealed]
    bodies = privacy.seal_bodies(QUARANTINED, [fresh[one][1].raw for one in left], now=now)
    sealed.update(zip(left, bodies, strict=True))
    if not fresh:
        return {}
    with db.cursor() as cur:
        cur.execute(
            "INSERT INTO parcels_quarantine (received_at, source, sequence, position, code, message, raw, body_key, "
            "digest, state, closing_note) SELECT %s, s, q, p, c, m, r, k, d, 'open', '' "
            "FROM unnest(%s::int[], %s::bigint[], %s::int[], %s::text[], %s::text[], %s::bytea[], %s::uuid[], "
            "%s::bytea[]) AS u(s, q, p, c, m, r, k, d) "
            "ON CONFLICT DO NOTHING RETURNING id, source, sequence, position, code, message, digest",
            (
                *(now, [source for source, _ in fresh], [submission.sequence for submission, _ in fresh.values()]),
                [bad.position for _, bad in fresh.values()],
                [bad.code for _, bad in fresh.values()],
                [bad.message for _, bad in fresh.values()],
                [sealed[one].sealed for one in fresh],
                [sealed[one].key for one in fresh],
                [digest for _, digest in fresh],
            ),
            binary=True,
        )
        return {
            str(number): row_hash(
                received_at=now,
                source=source,
                sequence=sequence,
                position=position,
                code=code,
                message=message,
                digest=bytes(digest),
            )
            for number, source, sequence, position, code, message, digest in cur.fetchall()
        }


def _known_among(wanted: Iterable[BodyId]) -> list[BodyId]:
    """Return what of this is in quarantine already: it needs no key of its own."""
    ordered = sorted(wanted)
    if not ordered:
        return []
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT q.source, q.digest FROM parcels_quarantine q "
            "JOIN unnest(%s::int[], %s::bytea[]) AS u(source, digest) USING (source, digest)",
            (db.int_array([source for source, _ in ordered]), db.bytea_array([digest for _, digest in ordered])),
            binary=True,
        )
        return [(source, bytes(digest)) for source, digest in cur.fetchall()]
