"""Read the log: item keys, places of batches, the published checkpoint."""

from __future__ import annotations

import functools
import json
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connections
from django.utils import timezone

from parcelward.base import config, db
from parcelward.custody import archive, checkpoints, keyring, notes, tiles, tree
from parcelward.custody.checking import CheckLog
from parcelward.custody.errors import BadReceipt, NotInLog
from parcelward.custody.facts import Told, told, told_in
from parcelward.custody.files import CHECKPOINT, CHECKPOINT_WITNESSED, LogFiles
from parcelward.custody.keys import parse_vkey
from parcelward.custody.models import Fact, LogState, PendingBatch, Tombstone
from parcelward.custody.opened import ARCHIVE_KEY_KIND, TOMBSTONE_KIND, VERIFIER_KIND, Entry
from parcelward.custody.opened import proof as entry_proof
from parcelward.custody.opened import successions as opened_successions
from parcelward.custody.opened import tombstone as tombstone_entry
from parcelward.custody.opened import verifier as verifier_entry
from parcelward.custody.receipts import RECEIPT_BYTES_MAX, EntryProof, Receipt, ReceiptProof
from parcelward.custody.receipts import open_receipt as receipt_in
from parcelward.custody.tree import HASH_BYTES, TILE_WIDTH
from parcelward.custody.tree import inclusion_path as inclusion
from parcelward.custody.tree import inclusion_paths as inclusions
from parcelward.custody.verification import Checker, Findings, Logged, Span, read_span
from parcelward.custody.verification import published as published_now
from parcelward.custody.wire import ItemKeys, Published

__all__ = [
    "ARCHIVE_KEY_KIND",
    "RECEIPT_BYTES_MAX",
    "TOMBSTONE_KIND",
    "VERIFIER_KIND",
    "CheckLog",
    "Checker",
    "Entry",
    "EntryProof",
    "Findings",
    "Logged",
    "Receipt",
    "ReceiptProof",
    "Span",
    "Told",
    "entry_proof",
    "opened_successions",
    "published_now",
    "read_span",
    "told",
    "told_in",
    "tombstone_entry",
    "verifier_entry",
]

TOMBSTONES_AT_ONCE = 1_000
KEYS_KEPT_MAX = 20_000  # about 70 MB a process; an item is scanned several times within minutes

_kept: OrderedDict[bytes, ItemKeys] = OrderedDict()


@functools.lru_cache(maxsize=4)
def _files(settings: config.Config) -> LogFiles:
    """Return this process's reader of the log's files; its descriptors stay open."""
    return LogFiles(settings.log_folder, read_only=True)


@dataclass(frozen=True, slots=True)
class LogHead:
    """How far the log has come."""

    size: int
    pending: int
    waits_s: float  # how long the oldest of them has waited; 0 if none does
    published_size: int
    witnessed_size: int


def item_keys(items: Iterable[UUID]) -> dict[UUID, ItemKeys]:
    """Return the keys of these items; a shredded or unknown one is missing from the answer.

    Keys are kept in memory, so tombstones are asked for each time: what was erased opens nowhere from that moment on.
    """
    items = list(items)
    if items:
        erased = erased_among(items)
        forget_keys(erased)
        items = [item for item in items if item not in erased]
    return {UUID(bytes=item): keys for item, keys in keys_of_living([item.bytes for item in items]).items()}


def keys_of_living(items: Sequence[bytes]) -> dict[bytes, ItemKeys]:
    """Return the keys of items (16 bytes each) that the caller has seen not to be erased, by the items' own rows."""
    found: dict[bytes, ItemKeys] = {}
    missing: list[bytes] = []
    for item in items:
        known = _kept.get(item)
        if known is None:
            missing.append(item)
        else:
            found[item] = known
    if missing:
        with db.cursor("keys", binary=True) as cur:
            cur.execute(
                "SELECT uuid_send(item), secret FROM custody_itemsecret WHERE item = ANY(%s::uuid[])",
                (db.uuid_array(missing),),
                binary=True,
            )
            found |= keep_keys(dict(cur.fetchall()))
    return found


def keep_keys(secrets: Mapping[bytes, bytes]) -> dict[bytes, ItemKeys]:
    """Return what these items' secrets open, and keep it in memory: an item is scanned again within minutes."""
    fresh = {item: ItemKeys(secret) for item, secret in secrets.items()}
    _kept.update(fresh)
    while len(_kept) > KEYS_KEPT_MAX:
        try:
            _kept.popitem(last=False)
        except KeyError:  # another thread emptied it
            break
    return fresh


def forget_keys(items: Iterable[UUID]) -> None:
    """Drop kept keys of items whose secret was destroyed."""
    for item in items:
        _kept.pop(item.bytes, None)


def places(batches: Iterable[int]) -> dict[int, Published]:
    """Return where these batches stand; one that is not sequenced yet is missing."""
    with connections["default"].cursor() as cur:
        cur.execute(
            "SELECT first_index, batch, record_time, n, kind FROM custody_logbatch WHERE batch = ANY(%s)",
            [list(set(batches))],
        )
        return {row[1]: Published(*row) for row in cur.fetchall()}


def commitments(batches: Iterable[Published]) -> dict[int, list[bytes]]:
    """Return each batch's commitments, 32 bytes each, in leaf order. They stay when an item's secret is destroyed."""
    wanted = list(batches)
    with db.cursor(binary=True) as cur:
        cur.execute(
            "SELECT id, commitments FROM custody_batch "
            "WHERE (record_time, id) IN (SELECT * FROM unnest(%s::timestamptz[], %s::bigint[]))",
            ([each.record_time for each in wanted], [each.batch for each in wanted]),
            binary=True,
        )
        return {
            batch: [bytes(packed[at : at + HASH_BYTES]) for at in range(0, len(packed), HASH_BYTES)]
            for batch, packed in cur
        }


def erased_among(items: Iterable[UUID]) -> frozenset[UUID]:
    """Return which of these items have a tombstone."""
    return frozenset(Tombstone.objects.filter(item__in=list(items)).values_list("item", flat=True))


def shredded_now(item: UUID) -> bool:
    """Return whether the item has a tombstone by now, whatever moment the caller's transaction sees."""
    apart = connections.create_connection("default")
    try:
        with apart.cursor() as cur:
            cur.execute("SELECT FROM custody_tombstone WHERE item = %s", [item])
            return cur.fetchone() is not None
    finally:
        apart.close()


def tombstones() -> Iterator[list[tuple[UUID, int]]]:
    """Give (item, how many events) of every tombstone, some at a time."""
    after = UUID(int=0)
    while rows := list(
        Tombstone.objects.filter(item__gt=after).order_by("item").values_list("item", "events")[:TOMBSTONES_AT_ONCE]
    ):
        yield rows
        after = rows[-1][0]


def tombstone_facts() -> dict[UUID, int]:
    """Return what the log's own entries say was erased: item -> how many events."""
    bodies = Fact.objects.filter(kind=TOMBSTONE_KIND).values_list("body", flat=True).iterator()
    said = (json.loads(bytes(body)) for body in bodies)
    return {UUID(one["item"]): int(one["events"]) for one in said}


def published(settings: config.Config, *, witnessed: bool = False) -> bytes | None:
    """Return the newest signed checkpoint, or the newest with enough cosignatures; None before there is one."""
    return _files(settings).published(CHECKPOINT_WITNESSED if witnessed else CHECKPOINT)


def size_of(note: bytes) -> int:
    """Return how many entries a checkpoint of ours covers."""
    return checkpoints.parse(notes.parse(note).text).size


def published_size(settings: config.Config, *, witnessed: bool = False) -> int:
    """Return how many entries that checkpoint covers."""
    data = published(settings, witnessed=witnessed)
    return 0 if data is None else size_of(data)


def checkpoint_age_s(settings: config.Config) -> float:
    """Return how long ago the newest checkpoint was signed, in seconds; 0 before there is one."""
    try:
        return max(0.0, time.time() - (settings.log_folder / CHECKPOINT).stat().st_mtime)
    except FileNotFoundError:
        return 0.0


def head(settings: config.Config) -> LogHead:
    """Return how far the log has come and how much waits."""
    state = LogState.objects.filter(id=1).first()
    with connections["default"].cursor() as cur:
        cur.execute("SELECT coalesce(sum(n), 0), min(record_time) FROM custody_pendingbatch")
        pending, oldest = cur.fetchone() or (0, None)
    size = state.size if state else 0
    return LogHead(
        size=size,
        pending=int(pending),
        waits_s=0.0 if oldest is None else max(0.0, time.time() - oldest.timestamp()),
        published_size=published_size(settings),
        witnessed_size=published_size(settings, witnessed=True),
    )


def vkeys(settings: config.Config) -> tuple[str, ...]:
    """Return the Ed25519 keys that sign for the log now, oldest first, in signed-note form."""
    return tuple(each.vkey for each in keyring.ring(settings).signing(timezone.now()))


def log_keys(settings: config.Config) -> keyring.Ring:
    """Return all keys that the log ever had, oldest first, and the key of its archive checkpoints."""
    return keyring.ring(settings)


def archive_days(settings: config.Config) -> list[str]:
    """Return the days that have an archive checkpoint, newest first."""
    return archive.days(settings.log_folder)


def archived_before(settings: config.Config, size: int, *, after: int) -> archive.Archived | None:
    """Return the newest archive checkpoint that a checkpoint of `size` entries continues and that covers entry `after`.

    With the path that shows it; None when there is no such one.
    """
    for day in archive.days(settings.log_folder):
        note = archive.read(settings.log_folder, day)
        old = size_of(note)
        if old <= after:
            return None
        if old <= size:
            path = tuple(tree.consistency_path(old, size, _files(settings).read_hashes))
            return archive.Archived(note, path, archive.timestamp(settings.log_folder, day))
    return None


def archived(settings: config.Config, day: str) -> bytes:
    """Return a day's archive checkpoint; NotInLog when there is none."""
    return archive.read(settings.log_folder, day)


def archive_timestamp(settings: config.Config, day: str) -> bytes:
    """Return the RFC 3161 timestamp of a day's archive checkpoint; empty when it has none."""
    return archive.timestamp(settings.log_folder, day)


def witness_vkeys(settings: config.Config) -> tuple[str, ...]:
    """Return the configured witnesses' verifier keys."""
    return tuple(one.partition("=http")[0] for one in settings.witnesses)


def tile(settings: config.Config, path: str) -> bytes:
    """Return a tile or entry bundle by its C2SP path.

    Raises BadTile for an impossible path and NotInLog for what the published checkpoint does not cover.
    """
    address = tiles.parse_path(path)
    size = published_size(settings)
    level = 0 if address.level is None else address.level
    if address.index * TILE_WIDTH + address.width > tiles.hashes_at(level, size):
        raise NotInLog("The published log ends before this tile.")
    files = _files(settings)
    if address.level is None:
        return files.entry_bundle(address.index, address.width)
    return files.tile(address.level, address.index, address.width)


def inclusion_path(settings: config.Config, index: int, size: int) -> tuple[bytes, ...]:
    """Return the proof that entry `index` is among the first `size`; NotInLog when it is not."""
    return tuple(inclusion(index, size, _files(settings).read_hashes))


def inclusion_paths(settings: config.Config, indexes: Iterable[int], size: int) -> list[list[bytes]]:
    """Return the proofs of many entries under a checkpoint of `size` entries."""
    return inclusions(indexes, size, _files(settings).read_hashes)


def open_receipt(settings: config.Config, data: bytes) -> Receipt:
    """Return what a receipt of this log promises. Raises BadNote or BadReceipt for anything else."""
    known = keyring.ring(settings).keys
    receipt = receipt_in(data, [parse_vkey(each.vkey) for each in known])
    in_force = {each.vkey for each in known if each.signs(receipt.recorded)}
    if not any(each.vkey in in_force for each in receipt.signers):
        raise BadReceipt("The key that signed this receipt had been replaced before the receipt says it was made.")
    return receipt


def waiting(batch: int) -> Published | None:
    """Return a batch that has no place in the log yet, with -1 for its place; None if it does not wait."""
    row = PendingBatch.objects.filter(batch=batch).first()
    return None if row is None else Published(-1, row.batch, row.record_time, row.n, row.kind)


def sign_receipts(settings: config.Config, texts: Iterable[str]) -> list[str]:
    """Return each text as a note of each of the log's keys that signs now: a promise that its holder can show."""
    signers = keyring.signers_here(settings)
    return [notes.sign(text, signers).decode() for text in texts]


def fact_exists(kind: str, text: str) -> bool:
    """Return whether an entry of this kind says `text` (a hash, a number) in its body."""
    return any(text.encode() in bytes(body) for body in Fact.objects.filter(kind=kind).values_list("body", flat=True))
