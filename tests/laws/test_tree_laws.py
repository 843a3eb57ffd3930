"""Laws of the log's tree and files, for all inputs."""

from __future__ import annotations

import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.custody import slow_tree

from parcelward.custody import checkpoints, notes, proofs, tiles, tree
from parcelward.custody.errors import BadTile, ProofFailed
from parcelward.custody.files import LogFiles
from parcelward.custody.keys import KeyName, SignatureType, Signer, parse_vkey

sizes = st.integers(1, 600)
hashes_32 = st.binary(min_size=32, max_size=32)
seeds = st.binary(min_size=32, max_size=32)
names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters="+"), min_size=1).filter(
    lambda name: len(name.encode()) < 256
)


@given(sizes, st.data())
def test_every_leaf_is_provable_and_no_other(size: int, data: st.DataObject) -> None:
    hashes = slow_tree.leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index)) if size > 1 else None
    head = slow_tree.mth(hashes)
    path = tree.inclusion_path(index, size, slow_tree.StoredTree(hashes))
    tree.verify_inclusion(hashes[index], index, size, path, head)
    with pytest.raises(ProofFailed):
        tree.verify_inclusion(tree.leaf_hash(b"forged entry"), index, size, path, head)
    if other is not None:
        with pytest.raises(ProofFailed):
            tree.verify_inclusion(hashes[index], other, size, path, head)


@given(sizes, sizes, st.data())
def test_a_log_that_only_grew_is_provable_and_a_rewritten_one_is_not(a: int, b: int, data: st.DataObject) -> None:
    old_size, new_size = sorted((a, b))
    hashes = slow_tree.leaves_of(new_size)
    old, new = slow_tree.mth(hashes[:old_size]), slow_tree.mth(hashes)
    path = tree.consistency_path(old_size, new_size, slow_tree.StoredTree(hashes))
    tree.verify_consistency(old_size, old, new_size, new, path)
    rewritten = list(hashes)
    rewritten[data.draw(st.integers(0, old_size - 1))] = tree.leaf_hash(b"rewritten")
    forged = tree.consistency_path(old_size, new_size, slow_tree.StoredTree(rewritten))
    for attempt in (path, forged):
        with pytest.raises(ProofFailed):
            tree.verify_consistency(old_size, old, new_size, slow_tree.mth(rewritten), attempt)


@given(sizes, st.data())
def test_a_proof_with_any_bit_changed_fails(size: int, data: st.DataObject) -> None:
    hashes = slow_tree.leaves_of(size)
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_path(index, size, slow_tree.StoredTree(hashes))
    whole = bytearray(b"".join([hashes[index], slow_tree.mth(hashes), *path]))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << (bit % 8)
    leaf, head, *rest = (bytes(whole[i : i + 32]) for i in range(0, len(whole), 32))
    with pytest.raises(ProofFailed):
        tree.verify_inclusion(leaf, index, size, rest, head)


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, tiles.INDEX_MAX), st.integers(1, 256))
def test_a_tile_has_one_path(level: int | None, index: int, width: int) -> None:
    address = tiles.TileAddress(level, index, width)
    assert tiles.parse_path(address.path) == address


@given(st.from_regex(r"tile/(entries|[0-9]{1,3})/(x?[0-9]{1,4}/){0,3}[0-9]{1,4}(\.p/[0-9]{1,4})?", fullmatch=True))
def test_what_parses_as_a_tiles_path_is_that_tiles_path(text: str) -> None:
    try:
        address = tiles.parse_path(text)
    except BadTile:
        return
    assert address.path == text


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=256))
def test_a_bundle_gives_its_entries_back_and_no_other_width(entries: list[bytes]) -> None:
    data = tiles.format_bundle(entries)
    assert tiles.parse_bundle(data, len(entries)) == entries
    for width in (len(entries) - 1, len(entries) + 1):
        with pytest.raises(BadTile):
            tiles.parse_bundle(data, width)
    with pytest.raises(BadTile):
        tiles.parse_bundle(data[:-1], len(entries))


@given(names, seeds, st.sampled_from(SignatureType), st.integers(0, 2**63 - 1), hashes_32, st.integers(1, 2**63 - 1))
@settings(max_examples=40)
def test_what_a_key_signs_its_vkey_opens(
    name: str, seed: bytes, kind: SignatureType, size: int, root: bytes, timestamp_s: int
) -> None:
    checkpoint = checkpoints.Checkpoint("log.example", size, root)
    signer = Signer(KeyName(name), kind, seed)
    note = notes.sign(checkpoint.text, [signer], timestamp_s=timestamp_s)
    opened = notes.open_note(note, [parse_vkey(signer.verifier.vkey)])
    assert checkpoints.parse(opened.text) == checkpoint
    assert [each.timestamp_s for each in opened.verified] == [timestamp_s if kind.timed else 0]


@given(st.integers(0, 2**63 - 1), st.lists(hashes_32, max_size=63), st.one_of(st.none(), st.binary(max_size=200)))
def test_a_proof_file_gives_the_proof_back(index: int, path: list[bytes], extra: bytes | None) -> None:
    note = notes.sign(
        checkpoints.Checkpoint("log.example", 1, bytes(32)).text,
        [Signer(KeyName("log.example"), SignatureType.ED25519, bytes(32))],
    )
    proof = proofs.Proof(index, tuple(path), note, extra)
    assert proofs.parse(proof.text) == proof


@given(st.lists(st.integers(1, 700), min_size=1, max_size=6), st.data())
@settings(max_examples=30, deadline=None)
def test_files_are_the_tree_however_the_entries_came_and_to_whatever_size_they_go_back(
    batches: list[int], data: st.DataObject
) -> None:
    commitments = slow_tree.leaves_of(sum(batches))
    leaves = [tree.leaf_hash(b"\x01" + each) for each in commitments]
    with tempfile.TemporaryDirectory() as folder, LogFiles(folder) as files:
        at = 0
        for count in batches:
            assert files.append(b"".join(commitments[at : at + count])) == at
            at += count
        assert files.root() == slow_tree.mth(leaves)
        size = data.draw(st.integers(0, at))
        files.truncate(size, root=slow_tree.mth(leaves[:size]))
        assert files.size == size
        if size < at:
            files.append(b"".join(commitments[size:]))
        assert files.root() == slow_tree.mth(leaves)
        files.check()
