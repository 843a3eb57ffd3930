"""A saved answer about a receipt, checked without any installation: many proofs at once, and the witnesses' part."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec
import pytest
from tests.custody import slow_tree
from tests.custody.sample_log import ORIGIN, WITNESSED_AT_S, signer, witness

from parcelward.base.errors import Invalid
from parcelward.custody import checkpoints, lines, notes, tree
from parcelward.custody.errors import NotInLog
from parcelward.custody.keys import Signer
from parcelward.custody.receipts import EntryProof, ReceiptProof, verify_receipt
from parcelward.custody.wire import ENTRY_PREFIX

COMMITMENTS = [hashlib.sha256(b"commitment %d" % n).digest() for n in range(300)]
LEAVES = [tree.leaf_hash(ENTRY_PREFIX + each) for each in COMMITMENTS]
LOG = signer(ORIGIN)


def answer(indexes: Sequence[int], *, cosigners: Sequence[Signer] = (), quorum: int = 0) -> bytes:
    """Return the answer about a request whose entries lie at these indexes of a log of 300."""
    promised = [COMMITMENTS[index] for index in indexes]
    said = (
        f"{ORIGIN}/receipt\nbatch 7\nsource 019c0000-0000-7000-8000-000000000001\nsequence 3\nbody {'0' * 64}\n"
        f"count {len(promised)}\ncommitments {hashlib.sha256(b''.join(promised)).hexdigest()}\n"
        "recorded 2026-11-25T10:00:00.000000Z\npromise in the log within 10 s\n"
    )
    head = checkpoints.Checkpoint(ORIGIN, len(LEAVES), slow_tree.mth(LEAVES)).text
    note = notes.sign(head, [LOG])
    note = notes.add_signatures(note, [notes.signature(head, each, timestamp_s=WITNESSED_AT_S) for each in cosigners])
    paths = tree.inclusion_paths(indexes, len(LEAVES), slow_tree.StoredTree(LEAVES))
    return msgspec.json.encode(
        ReceiptProof(
            object="receipt_proof",
            mode="test",
            origin=ORIGIN,
            vkeys=[LOG.verifier.vkey],
            witness_vkeys=[witness(n).verifier.vkey for n in (1, 2, 3)],
            witness_quorum=quorum,
            state="in_log",
            message="",
            due_in_s=None,
            receipt=notes.sign(said, [LOG]).decode(),
            entries=[
                EntryProof(COMMITMENTS[index].hex(), index, [lines.base64_text(each) for each in path])
                for index, path in zip(indexes, paths, strict=True)
            ],
            checkpoint=note.decode(),
        )
    )


@pytest.mark.parametrize("indexes", [[0], [299], [17, 18, 19, 20], [3, 90, 256, 299], list(range(300)), []])
def test_many_proofs_at_once_are_those_made_one_by_one(indexes: list[int]) -> None:
    read = slow_tree.StoredTree(LEAVES)
    together = tree.inclusion_paths(indexes, len(LEAVES), read)
    assert together == [tree.inclusion_path(index, len(LEAVES), read) for index in indexes]
    assert verify_receipt(answer(indexes), vkeys=[LOG.verifier.vkey]).events == len(indexes)


@pytest.mark.parametrize("index", [-1, 300])
def test_one_entry_beyond_the_log_spoils_all(index: int) -> None:
    with pytest.raises(NotInLog):
        tree.inclusion_paths([0, index], len(LEAVES), slow_tree.StoredTree(LEAVES))


def test_as_many_witnesses_as_the_log_promises_have_to_have_signed() -> None:
    assert verify_receipt(answer([5, 6], cosigners=[witness(1), witness(2)], quorum=2)).witnesses == (
        "w1.example",
        "w2.example",
    )
    with pytest.raises(Invalid, match="Too few of the trusted witnesses"):
        verify_receipt(answer([5, 6], cosigners=[witness(1)], quorum=2))
    with pytest.raises(Invalid, match="Too few of the trusted witnesses"):
        verify_receipt(answer([5, 6], cosigners=[witness(1), witness(9)], quorum=2))


def test_only_witnesses_that_the_holder_trusts_count() -> None:
    held = answer([5], cosigners=[witness(1), witness(2)], quorum=2)
    trusted = [LOG.verifier.vkey, witness(1).verifier.vkey]
    with pytest.raises(Invalid, match="Too few of the trusted witnesses"):
        verify_receipt(held, vkeys=trusted)
    assert verify_receipt(held, vkeys=[*trusted, witness(2).verifier.vkey]).pinned


def test_a_file_that_brings_its_own_keys_says_so() -> None:
    words = verify_receipt(answer([5])).words
    assert words[0].startswith("All that the receipt promises (batch 7, source 019c0000")
    assert any("The keys came with the file" in line for line in words)
