"""Compare requests as devices sent them with what is kept of them: part of `verify-log`.

A device's signature is kept in the row of the batch that its events are in. Nobody but the device can make one, so an
edit is found by the key that the log's own entry enrolled; a removal, because each event names its device and request.
Of the newest requests of a source, the answers are kept too, by which a repeat is known: their digests must be those
that were signed, and the source's mark must be their highest number.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping

from cryptography.exceptions import InvalidSignature

from parcelward.base import db, ed25519
from parcelward.custody.queries import Findings, Logged
from parcelward.custody.wire import Signed, unpack_signed
from parcelward.parcels import rules
from parcelward.people import queries as people
from parcelward.people.queries import EnrolledKey

Request = tuple[int, int]
"""(source, sequence) of a request."""


class SentChecker:
    """What was sent, batch after batch; one object checks one span once."""

    def __init__(self) -> None:
        self.signatures = 0
        self._highest: dict[int, int] = {}

    @functools.cached_property
    def _keys(self) -> Mapping[int, EnrolledKey]:
        return people.enrolled_keys()  # asked at first use: in the same moment of the database as everything else

    @functools.cached_property
    def _marks(self) -> Mapping[int, int]:
        with db.cursor() as cur:
            cur.execute("SELECT source, high_sequence FROM parcels_sourcemark")
            return dict(cur.fetchall())

    def check(self, one: Logged, leaves: Mapping[Request, int], findings: Findings) -> None:
        """Check the signatures beside a batch; `leaves` has each request that it holds events of, with the first."""
        try:
            kept = unpack_signed(one.signed)
        except ValueError:
            what = f"The devices' signatures beside batch {one.batch} cannot be read."
            findings.note(what, differs="signature", index=one.first_index)
            return
        there: set[Request] = set()
        for each in kept:
            key = self._keys.get(each.source)
            if key is None or not _holds(key, each):
                what = f"Request {each.sequence} of {_who(key, each.source)} was not signed by it as it is kept."
                place = one.place(leaves.get((each.source, each.sequence), 0))
                findings.note(what, differs="signature", index=place)
            there.add((each.source, each.sequence))
        for request, leaf in leaves.items():
            source, sequence = request
            self._highest[source] = max(sequence, self._highest.get(source, 0))
            key = self._keys.get(source)
            if key is not None and key.signatures_kept and request not in there:
                what = f"The signature of request {sequence} of {_who(key, source)} was removed."
                findings.note(what, differs="signature", index=one.place(leaf))
        self.signatures += len(kept)
        self._check_answers(kept, leaves, one, findings)

    def _check_answers(
        self, kept: Iterable[Signed], leaves: Mapping[Request, int], one: Logged, findings: Findings
    ) -> None:
        """See that the newest requests are still known, by the digests that were signed."""
        fresh = {
            (each.source, each.sequence): each.digest
            for each in kept
            if each.sequence > self._marks.get(each.source, 0) - rules.SEQUENCE_WINDOW
        }
        if not fresh:
            return
        with db.cursor(binary=True) as cur:
            cur.execute(
                "SELECT s.source, s.sequence, s.digest FROM unnest(%s::int[], %s::bigint[]) AS u(source, sequence) "
                "JOIN parcels_submission s ON s.source = u.source AND s.sequence = u.sequence",
                ([source for source, _ in fresh], [sequence for _, sequence in fresh]),
                binary=True,
            )
            known = {(source, sequence): bytes(digest) for source, sequence, digest in cur}
        for request, digest in fresh.items():
            if known.get(request) != digest:
                how = "is not known any more" if request not in known else "is known by another digest"
                source, sequence = request
                what = f"Request {sequence} of {_who(self._keys.get(source), source)} {how}."
                findings.note(what, differs="submission", index=one.place(leaves.get(request, 0)))

    def finish(self, findings: Findings) -> None:
        """Compare each source's mark with its answers and with the events of the whole log."""
        with db.cursor() as cur:
            cur.execute(
                "SELECT coalesce(m.source, s.source) FROM parcels_sourcemark m FULL JOIN "
                "(SELECT source, max(sequence) AS highest FROM parcels_submission GROUP BY source) s "
                "ON s.source = m.source WHERE m.high_sequence IS DISTINCT FROM s.highest LIMIT 1"
            )
            row = cur.fetchone()
        wrong = row[0] if row else next((s for s, n in self._highest.items() if n > self._marks.get(s, 0)), None)
        if wrong is not None:
            what = f"The mark of {_who(self._keys.get(wrong), wrong)} is not the highest number that it sent."
            findings.note(what, differs="mark")


_public_key = functools.lru_cache(maxsize=1_024)(
    ed25519.PublicKey
)  # seeing that it is one costs as much as a signature


def _holds(key: EnrolledKey, kept: Signed) -> bool:
    try:
        _public_key(key.key).verify(kept.signature, kept.base(key.key_id).encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _who(key: EnrolledKey | None, source: int) -> str:
    return f"source {source}" if key is None else f"device dev_{key.device.hex}"
