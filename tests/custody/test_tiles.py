from __future__ import annotations

import pytest
from tests.custody import slow_tree

from parcelward.custody import tiles, tree
from parcelward.custody.errors import BadTile, NotInLog
from parcelward.custody.tiles import TileAddress

GOOD = {
    "tile/0/000": TileAddress(0, 0),
    "tile/0/x001/x234/067": TileAddress(0, 1_234_067),
    "tile/63/999.p/1": TileAddress(63, 999, 1),
    "tile/1/x001/000.p/255": TileAddress(1, 1_000, 255),
    "tile/entries/x001/x234/067.p/8": TileAddress(None, 1_234_067, 8),
}


@pytest.mark.parametrize("path", GOOD)
def test_paths_are_read_and_written(path: str) -> None:
    assert tiles.parse_path(path) == GOOD[path]
    assert GOOD[path].path == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000",
        "tile/0/x000/001",  # leading zeros
        "tile/0/001/002",  # the x is missing
        "tile/0/x001/x002",  # the last element has none
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/-01",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/08",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/000?x",
        "tile/entry/000",
        "tile/entries/..",
        "tile/0/../entries/000",
        "tile/\u0660/000",  # an Arabic zero
        "tile/0/\u0660\u0660\u0660",
        "tile/0/" + "x999/" * 6 + "999",  # beyond any log
        "tile/0/" + "x999/" * 100_000 + "999",
    ],
)
def test_every_other_path_is_refused(path: str) -> None:
    with pytest.raises(BadTile):
        tiles.parse_path(path)


def test_the_standards_example_of_70_000_entries() -> None:
    found = list(tiles.tiles_of(70_000))
    assert sum(1 for each in found if each.level == 0 and each.width == 256) == 273
    assert [each for each in found if each.width != 256] == [
        TileAddress(0, 273, 112),
        TileAddress(1, 1, 17),
        TileAddress(2, 0, 1),
    ]
    assert [each for each in found if each.level == 1] == [TileAddress(1, 0), TileAddress(1, 1, 17)]


def test_the_standards_example_of_256_entries() -> None:
    assert list(tiles.tiles_of(256)) == [TileAddress(0, 0), TileAddress(1, 0, 1)]


def test_an_empty_tile_does_not_exist() -> None:
    assert list(tiles.tiles_of(0)) == []
    with pytest.raises(NotInLog):
        tiles.tile_for(0, 1, 256)


def test_a_tree_is_read_from_its_tiles_alone_and_each_once() -> None:
    leaves = slow_tree.leaves_of(1_000)
    stored, fetched = slow_tree.StoredTree(leaves), list[str]()

    def fetch(address: TileAddress) -> bytes:
        fetched.append(address.path)
        return stored(address.level or 0, address.index * 256, address.width)

    read = tiles.reader(fetch, 1_000)
    assert tree.root(1_000, read) == slow_tree.mth(leaves)
    assert tree.inclusion_path(5, 1_000, read) == slow_tree.path(5, leaves)
    assert sorted(fetched) == ["tile/0/000", "tile/0/003.p/232", "tile/1/000.p/3"]


def test_a_fetched_tile_of_another_length_is_refused() -> None:
    with pytest.raises(BadTile):
        tree.root(3, tiles.reader(lambda _: bytes(32 * 2), 3))


def test_bundles_are_read_strictly() -> None:
    assert tiles.format_bundle([b"one", b""]) == b"\x00\x03one\x00\x00"
    assert tiles.parse_bundle(b"\x00\x03one\x00\x00", 2) == [b"one", b""]
    for torn in (b"\x00", b"\x00\x03on", b"\x00\x03one\x00", b"\x00\x03one\x00\x01"):
        with pytest.raises(BadTile):
            tiles.parse_bundle(torn, 2)
    for entries in ([], [b""] * 257, [bytes(65_536)]):
        with pytest.raises(BadTile):
            tiles.format_bundle(entries)
