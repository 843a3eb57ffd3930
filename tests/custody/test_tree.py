from __future__ import annotations

import hashlib
from functools import cache

import pymerkle
import pytest
from tests.custody import slow_tree

from parcelward.custody import tree
from parcelward.custody.errors import LogDiverged, NotInLog, ProofFailed

# Around every boundary: powers of two, a tile's edge, a second tile level.
SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 127, 255, 256, 257, 511, 512, 513, 700)


@cache
def oracle(size: int) -> pymerkle.InmemoryTree:
    other = pymerkle.InmemoryTree(algorithm="sha256")
    other.append_entries([b"entry %d" % i for i in range(size)])
    return other


def leaves(size: int) -> list[bytes]:
    return [tree.leaf_hash(b"entry %d" % i) for i in range(size)]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert tree.root(0, slow_tree.StoredTree([])) == hashlib.sha256(b"").digest() == tree.EMPTY_ROOT


def test_leaves_and_nodes_are_hashed_apart() -> None:
    assert tree.leaf_hash(b"ab") == hashlib.sha256(b"\x00ab").digest()
    assert tree.node_hash(b"a", b"b") == hashlib.sha256(b"\x01ab").digest()


@pytest.mark.parametrize("size", SIZES)
def test_roots_agree_with_an_independent_tree(size: int) -> None:
    assert tree.root(size, slow_tree.StoredTree(leaves(700))) == oracle(700).get_root(size)


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_proofs_agree_with_an_independent_tree(size: int) -> None:
    read = slow_tree.StoredTree(leaves(size))
    for index in {0, size // 2, size - 1}:
        theirs = oracle(700).prove_inclusion(index + 1, size)
        assert theirs.path[0] == leaves(size)[index]
        assert tree.inclusion_path(index, size, read) == theirs.path[1:]


@pytest.mark.parametrize("new_size", SIZES)
def test_consistency_proofs_lead_to_the_roots_of_an_independent_tree(new_size: int) -> None:
    read = slow_tree.StoredTree(leaves(new_size))
    for old_size in {1, new_size // 3 + 1, new_size - 1, new_size} - {0}:
        ours = tree.consistency_path(old_size, new_size, read)
        # Its own proofs are laid out in another way than RFC 6962's, so its roots are the judge.
        tree.verify_consistency(
            old_size, oracle(700).get_root(old_size), new_size, oracle(700).get_root(new_size), ours
        )


def test_every_proof_up_to_a_hundred_entries_is_rfc_6962s_and_verifies() -> None:
    for size in range(1, 101):
        hashes = slow_tree.leaves_of(size)
        read, head = slow_tree.StoredTree(hashes), slow_tree.mth(hashes)
        for index in range(size):
            path = tree.inclusion_path(index, size, read)
            assert path == slow_tree.path(index, hashes)
            tree.verify_inclusion(hashes[index], index, size, path, head)
        for old_size in range(1, size + 1):
            proof = tree.consistency_path(old_size, size, read)
            assert proof == slow_tree.proof(old_size, hashes)
            tree.verify_consistency(old_size, slow_tree.mth(hashes[:old_size]), size, head, proof)


def test_a_proof_reads_few_hashes() -> None:
    read = slow_tree.StoredTree(slow_tree.leaves_of(66_000))
    tree.inclusion_path(40_123, 65_999, read)
    assert read.hashes_read < 3 * 256


def test_nothing_is_proven_beyond_the_end() -> None:
    read = slow_tree.StoredTree(slow_tree.leaves_of(5))
    for index, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(NotInLog):
            tree.inclusion_path(index, size, read)
    for old_size, new_size in ((6, 5), (-1, 5), (1, -1)):
        with pytest.raises(NotInLog):
            tree.consistency_path(old_size, new_size, read)
    with pytest.raises(NotInLog):
        tree.root(2**63, read)


def test_from_nothing_there_is_nothing_to_prove() -> None:
    assert tree.consistency_path(0, 5, slow_tree.StoredTree(slow_tree.leaves_of(5))) == []


def test_a_store_that_lacks_hashes_is_noticed() -> None:
    with pytest.raises(LogDiverged) as caught:
        tree.root(9, slow_tree.StoredTree(slow_tree.leaves_of(8)))
    assert caught.value.differs == "level0"


def test_a_forked_log_of_one_size_is_named() -> None:
    one, other = slow_tree.leaves_of(5), slow_tree.leaves_of(5, "forged ")
    with pytest.raises(ProofFailed, match="forked"):
        tree.verify_consistency(5, slow_tree.mth(one), 5, slow_tree.mth(other), [])
