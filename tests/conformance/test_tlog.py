"""Tessera's reference log (transparency-dev/tessera, testdata), read and verified byte for byte."""

from __future__ import annotations

import base64
import re
from functools import cache
from pathlib import Path

import pytest
from tests import shared_data
from tests.custody import slow_tree

from parcelward.custody import checkpoints, keys, notes, policy, proofs, tiles, tree
from parcelward.custody.errors import BadNote
from parcelward.custody.keys import SignatureType, Signer, Verifier
from parcelward.custody.tiles import TileAddress

pytestmark = pytest.mark.shared
SIZE = 15


def _folder() -> Path:
    return shared_data.path("tlog/tessera/testdata/log")


@cache
def _verifier() -> Verifier:
    return keys.parse_vkey(shared_data.path("tlog/tessera/VKEY.txt").read_text().strip())


@cache
def _leaves() -> list[bytes]:
    bundle = (_folder() / TileAddress(None, 0, SIZE).path).read_bytes()
    return [tree.leaf_hash(entry) for entry in tiles.parse_bundle(bundle, SIZE)]


def _fetch(address: TileAddress) -> bytes:
    return (_folder() / address.path).read_bytes()


def _root(size: int) -> bytes:
    data = (_folder() / f"checkpoint.{size}").read_bytes()
    return notes.open_checkpoint(data, logs=[_verifier()]).checkpoint.root


@pytest.mark.parametrize("size", range(SIZE + 1))
def test_every_checkpoint_is_signed_and_has_the_root_of_its_tiles(size: int) -> None:
    data = (_folder() / f"checkpoint.{size}").read_bytes()
    signed = notes.open_checkpoint(data, logs=[_verifier()])
    assert signed.checkpoint.origin == "example.com/log/testdata"
    assert signed.checkpoint.size == size
    assert signed.checkpoint.root == tree.root(size, tiles.reader(_fetch, size)) == slow_tree.mth(_leaves()[:size])
    for changed in (data.replace(b"testdata\n", b"testdatb\n", 1), data[:40] + data[40:].swapcase()):
        with pytest.raises(BadNote):
            notes.open_checkpoint(changed, logs=[_verifier()])


@pytest.mark.parametrize("size", range(SIZE + 1))
def test_every_checkpoint_is_signed_again_byte_for_byte(size: int) -> None:
    script = shared_data.path("tlog/tessera/testdata/build_log.sh").read_text()
    found = re.search(r'LOG_PRIVATE_KEY="PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([^"]+)"', script)
    assert found is not None
    kind, seed = base64.b64decode(found[3])[:1], base64.b64decode(found[3])[1:]
    signer = Signer(keys.key_name(found[1]), SignatureType(kind[0]), seed)
    assert signer.verifier == _verifier()
    data = (_folder() / f"checkpoint.{size}").read_bytes()
    checkpoint = checkpoints.parse(notes.parse(data).text)
    rebuilt = checkpoints.Checkpoint(checkpoint.origin, size, slow_tree.mth(_leaves()[:size]))
    assert notes.sign(rebuilt.text, [signer]) == data


@pytest.mark.parametrize("width", range(1, SIZE + 1))
def test_every_tile_and_bundle_is_computed_equal(width: int) -> None:
    stored = slow_tree.StoredTree(_leaves())
    assert _fetch(TileAddress(0, 0, width)) == stored(0, 0, width)
    bundle = _fetch(TileAddress(None, 0, width))
    entries = tiles.parse_bundle(bundle, width)
    assert tiles.format_bundle(entries) == bundle
    assert [tree.leaf_hash(each) for each in entries] == _leaves()[:width]


def test_every_file_of_the_log_has_its_canonical_path() -> None:
    found = sorted(str(each.relative_to(_folder())) for each in _folder().glob("tile/**/*") if each.is_file())
    assert len(found) == 2 * SIZE
    for path in found:
        assert tiles.parse_path(path).path == path


def test_every_pair_of_checkpoints_is_consistent() -> None:
    for new_size in range(1, SIZE + 1):
        read = tiles.reader(_fetch, new_size)
        for old_size in range(1, new_size + 1):
            path = tree.consistency_path(old_size, new_size, read)
            tree.verify_consistency(old_size, _root(old_size), new_size, _root(new_size), path)


def test_every_entry_is_proven_in_every_checkpoint_offline() -> None:
    trusted = policy.quorum_of(0, logs=[_verifier()], witnesses=[])
    for size in range(1, SIZE + 1):
        note, read = (_folder() / f"checkpoint.{size}").read_bytes(), tiles.reader(_fetch, size)
        for index in range(size):
            proof = proofs.Proof(index, tuple(tree.inclusion_path(index, size, read)), note)
            proofs.verify(proofs.parse(proof.text), _leaves()[index], trusted)
