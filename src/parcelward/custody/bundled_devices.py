"""Collect what a bundle shows of devices: for each event, the signature that its request came with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from parcelward.base import config, db
from parcelward.base.errors import Busy
from parcelward.custody import queries
from parcelward.custody.evidence_devices import DeviceEvidence, Enrolment, SignedBatch
from parcelward.custody.models import Fact
from parcelward.custody.wire import Published, Signed, unpack_signed


class Signer(NamedTuple):
    """A device as its room knows it from the log: its key, and where the entry is that enrolled it."""

    device_id: str  # dev_...
    key_id: str
    public_key: bytes
    batch: int
    leaf: int


class Recorded(NamedTuple):
    """An event that is shown, `<item>/<number>`, and the request that it came in."""

    shown: str
    batch: int
    source: int
    sequence: int


def devices(
    settings: config.Config,
    events: Sequence[Recorded],
    signers: Mapping[int, Signer],
    at: Mapping[int, Published],
    size: int,
) -> tuple[DeviceEvidence, ...]:
    """Return the devices among the senders of `events`, with the requests whose signatures are kept.

    Raises Busy when the checkpoint of `size` entries does not cover an enrolment yet.
    """
    kept = _kept([at[batch] for batch in {event.batch for event in events}])
    requests: dict[int, dict[int, tuple[Signed, list[str]]]] = {}
    for event in events:
        signed = kept.get((event.batch, event.source, event.sequence))
        if signed is not None and event.source in signers:
            mine = requests.setdefault(event.source, {})
            mine.setdefault(event.sequence, (signed, []))[1].append(event.shown)
    return tuple(
        DeviceEvidence(
            device_id=signers[source].device_id,
            key_id=signers[source].key_id,
            public_key=signers[source].public_key,
            enrolled=_enrolment(settings, signers[source], size),
            batches=tuple(_batch(*mine[sequence], signers[source].key_id) for sequence in sorted(mine)),
        )
        for source, mine in sorted(requests.items())
    )


def _batch(signed: Signed, events: Sequence[str], key_id: str) -> SignedBatch:
    return SignedBatch(signed.sequence, signed.base(key_id), signed.signature, signed.digest, tuple(sorted(events)))


def _kept(batches: Sequence[Published]) -> dict[tuple[int, int, int], Signed]:
    """Return the signatures beside these batches, by (batch, source, sequence)."""
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT id, signed FROM custody_batch "
            "WHERE (record_time, id) IN (SELECT * FROM unnest(%s::timestamptz[], %s::bigint[]))",
            ([each.record_time for each in batches], [each.batch for each in batches]),
            binary=True,
        )
        return {
            (batch, each.source, each.sequence): each for batch, packed in cur for each in unpack_signed(bytes(packed))
        }


def _enrolment(settings: config.Config, signer: Signer, size: int) -> Enrolment:
    fact = Fact.objects.get(batch=signer.batch, leaf=signer.leaf)
    place = queries.places([signer.batch]).get(signer.batch)
    if place is None or place.first_index + signer.leaf >= size:
        raise Busy("No checkpoint covers the enrolment of a device yet; try again in a minute", retry_after_s=60)
    index = place.first_index + signer.leaf
    return Enrolment(bytes(fact.body), bytes(fact.salt), index, queries.inclusion_path(settings, index, size))
