from __future__ import annotations

import os
import random
import shutil
import signal
import threading
from pathlib import Path

import pytest
from tests.custody import slow_tree

from parcelward.custody import checkpoints, notes, tiles, tree
from parcelward.custody.errors import BadTile, LogDiverged, LogInUse, NotInLog
from parcelward.custody.files import APPEND_MAX, CHECKPOINT, CHECKPOINT_WITNESSED, LogFiles
from parcelward.custody.keys import KeyName, SignatureType, Signer
from parcelward.custody.tiles import TileAddress

COMMITMENTS = slow_tree.leaves_of(70_000, "commitment ")
LEAVES = [tree.leaf_hash(b"\x01" + each) for each in COMMITMENTS]
LOG = Signer(KeyName("log.example"), SignatureType.ED25519, bytes(32))
NAMES = ("entries", "level0", "level1", "level2")


def packed(start: int, end: int) -> bytes:
    return b"".join(COMMITMENTS[start:end])


def root(size: int) -> bytes:
    return tree.root(size, STORED)


STORED = slow_tree.StoredTree(LEAVES)


def checkpoint(size: int, head: bytes | None = None) -> bytes:
    return notes.sign(checkpoints.Checkpoint("log.example", size, head or root(size)).text, [LOG])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 70,000 entries: the standard's example, with a third level."""
    folder = tmp_path_factory.mktemp("whole")
    with LogFiles(folder) as files:
        for start in range(0, 70_000, 7_000):
            assert files.append(packed(start, start + 7_000)) == start
    return folder


def test_every_tile_of_the_standards_example_is_a_slice(whole: Path) -> None:
    with LogFiles(whole, read_only=True) as files:
        assert files.size == 70_000
        assert files.root() == slow_tree.mth(LEAVES)
        for address in tiles.tiles_of(70_000):
            assert address.level is not None
            expected = STORED(address.level, address.index * 256, address.width)
            assert files.tile(address.level, address.index, address.width) == expected
        files.check()


def test_bundles_hold_the_entries_behind_their_leaves(whole: Path) -> None:
    with LogFiles(whole, read_only=True) as files:
        for address in (TileAddress(None, 0), TileAddress(None, 7, 3), TileAddress(None, 273, 112)):
            entries = tiles.parse_bundle(files.entry_bundle(address.index, address.width), address.width)
            assert {len(each) for each in entries} == {33}
            start = address.index * 256
            assert [tree.leaf_hash(each) for each in entries] == LEAVES[start : start + address.width]
        assert files.commitments(69_999, 1) == COMMITMENTS[-1]


def test_older_sizes_are_proven_too(whole: Path) -> None:
    with LogFiles(whole, read_only=True) as files:
        for size in (1, 255, 256, 257, 65_536, 65_537, 69_999):
            assert files.root(size) == slow_tree.mth(LEAVES[:size])
            path = tree.inclusion_path(size // 2, size, files.read_hashes)
            tree.verify_inclusion(LEAVES[size // 2], size // 2, size, path, root(size))


def test_nothing_is_read_beyond_the_end(whole: Path) -> None:
    with LogFiles(whole, read_only=True) as files:
        for level, index, width in ((0, 273, 113), (0, 274, 1), (1, 1, 18), (2, 0, 2), (3, 0, 1), (63, 0, 1)):
            with pytest.raises(NotInLog):
                files.tile(level, index, width)
        for index, width in ((273, 113), (274, 1)):
            with pytest.raises(NotInLog):
                files.entry_bundle(index, width)
        for level, index, width in ((0, -1, 1), (64, 0, 1), (0, 0, 0), (0, 0, 257), (-1, 0, 1)):
            with pytest.raises(BadTile):
                files.tile(level, index, width)
        for index, count in ((-1, 1), (0, -1), (70_000, 1)):
            with pytest.raises(NotInLog):
                files.commitments(index, count)
            with pytest.raises(NotInLog):
                files.read_hashes(0, index, count)
        with pytest.raises(NotInLog):
            files.root(70_001)


def test_an_append_is_whole_commitments(tmp_path: Path) -> None:
    with LogFiles(tmp_path) as files:
        for bad in (b"", bytes(31), bytes(33), bytes(32 * (APPEND_MAX + 1))):
            with pytest.raises(ValueError, match="An append takes"):
                files.append(bad)
        assert files.size == 0
        assert files.root() == tree.EMPTY_ROOT


def test_one_process_writes_and_any_number_read(tmp_path: Path) -> None:
    with LogFiles(tmp_path) as files, LogFiles(tmp_path, read_only=True) as reader:
        with pytest.raises(LogInUse):
            LogFiles(tmp_path)
        for step in (lambda: reader.append(packed(0, 1)), lambda: reader.truncate(0)):
            with pytest.raises(LogInUse):
                step()
        with pytest.raises(LogInUse):
            reader.publish(CHECKPOINT, checkpoint(1))
        assert reader.size == 0
        files.append(packed(0, 300))
        assert reader.size == 300
        assert reader.tile(1, 0, 1) == STORED(1, 0, 1)
        files.truncate(299)
        assert reader.size == 299
    with LogFiles(tmp_path) as files:
        assert files.size == 299


def test_a_reader_of_no_log_sees_an_empty_one(tmp_path: Path) -> None:
    with LogFiles(tmp_path / "none", read_only=True) as reader:
        assert reader.size == 0
        assert reader.root() == tree.EMPTY_ROOT
        assert reader.published(CHECKPOINT) is None
    assert not (tmp_path / "none").exists()


def test_readers_on_many_threads_see_only_what_is_whole(tmp_path: Path) -> None:
    wrong: list[BaseException] = []
    done = threading.Event()

    def look(reader: LogFiles) -> None:
        try:
            while not done.is_set():
                size = reader.size
                if size:
                    assert reader.root(size) == root(size)
        except BaseException as error:  # noqa: BLE001 - carried to the main thread, which fails with it
            wrong.append(error)

    with LogFiles(tmp_path) as files, LogFiles(tmp_path, read_only=True) as reader:
        threads = [threading.Thread(target=look, args=(each,), daemon=True) for each in (reader, reader, files)]
        for thread in threads:
            thread.start()
        for start in range(0, 6_000, 150):
            files.append(packed(start, start + 150))
        done.set()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_between_any_two_writes_a_reader_finds_all_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, write = 0, os.pwrite

    def look_and_write(descriptor: int, data: bytes, at: int) -> int:
        nonlocal writes
        writes += 1
        assert reader.root() == root(reader.size)
        return write(descriptor, data, at)

    with LogFiles(tmp_path) as files, LogFiles(tmp_path, read_only=True) as reader:
        monkeypatch.setattr(os, "pwrite", look_and_write)
        for start in range(0, 2_100, 300):
            files.append(packed(start, start + 300))
    assert writes > 7 * 2


def test_opening_completes_the_levels(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    os.truncate(tmp_path / "entries", 66_000 * 32)
    os.truncate(tmp_path / "level0", 65_000 * 32)
    os.truncate(tmp_path / "level1", 250 * 32)
    with LogFiles(tmp_path) as files:
        assert files.append(packed(66_000, 70_000)) == 66_000
        files.check()
        assert files.root() == root(70_000)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_was_half_written_goes_back_to_the_known_size(whole: Path, tmp_path: Path, seed: int) -> None:
    """Power is lost during an append: each file keeps what was acknowledged, and any part, or garbage, of the rest."""
    dice = random.Random(seed)
    known = dice.choice([0, 1, 255, 256, 257, 65_535, 65_536, 65_537, dice.randrange(70_000)])
    for name in NAMES:
        data = (whole / name).read_bytes()
        acknowledged = known if name == "entries" else tiles.hashes_at(int(name[5:]), known)
        kept = dice.randint(acknowledged * 32, len(data))
        torn = data[: acknowledged * 32] + dice.choice([data[acknowledged * 32 : kept], dice.randbytes(kept % 10_000)])
        if acknowledged or dice.random() < 0.5:
            (tmp_path / name).write_bytes(torn)
    with LogFiles(tmp_path) as files:
        files.truncate(known, root=root(known))
        assert files.size == known
        assert files.append(packed(known, 70_000)) == known
        assert files.root() == root(70_000)
        files.check()
    for name in NAMES:
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("name", NAMES[1:])
@pytest.mark.parametrize("kept_bytes", [0, 31, 32, 40])
def test_a_level_that_is_too_short_is_computed_again(whole: Path, tmp_path: Path, name: str, kept_bytes: int) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    os.truncate(tmp_path / name, kept_bytes)
    with LogFiles(tmp_path) as files:
        files.truncate(70_000, root=root(70_000))
        files.check()
    assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_level_that_is_lost_is_computed_again(whole: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).unlink()
    with LogFiles(tmp_path) as files:
        files.truncate(70_000, root=root(70_000))
    assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()


def test_lost_entries_are_named(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    os.truncate(tmp_path / "entries", 69_990 * 32 + 5)
    with LogFiles(tmp_path) as files:
        with pytest.raises(LogDiverged) as caught:
            files.truncate(70_000)
        assert (caught.value.differs, caught.value.first) == ("entries", 69_990)
        with pytest.raises(LogDiverged, match="truncate"):
            files.append(packed(0, 1))
        files.truncate(69_990, root=root(69_990))
        files.append(packed(69_990, 70_000))
        assert files.root() == root(70_000)


@pytest.mark.parametrize(
    ("name", "record", "differs", "first"),
    [
        ("entries", 69_999, "level0", 69_999),
        ("level0", 69_999, "level0", 69_999),
        ("level0", 60_000, "level0", 60_000),
        ("level1", 272, "level1", 272 * 256),
        ("level2", 0, "level2", 0),
        ("entries", 5, "level0", 5),
        ("level0", 5, "level0", 5),
        ("level1", 0, "level1", 0),
    ],
)
def test_a_changed_bit_is_found_and_named(
    whole: Path, tmp_path: Path, name: str, record: int, differs: str, first: int
) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    data = bytearray((tmp_path / name).read_bytes())
    data[record * 32 + 17] ^= 4
    (tmp_path / name).write_bytes(data)
    with LogFiles(tmp_path) as files:
        with pytest.raises(LogDiverged) as caught:
            files.check()
        assert (caught.value.differs, caught.value.first) == (differs, first)
        if first >= 60_000:  # among the newest, which every start looks at
            with pytest.raises(LogDiverged):
                files.truncate(70_000)


def test_another_root_than_the_databases_is_noticed(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    with LogFiles(tmp_path) as files, pytest.raises(LogDiverged) as caught:
        files.truncate(69_000, root=root(69_001))
    assert caught.value.differs == "root"


def test_what_was_signed_for_is_not_cut_away(tmp_path: Path) -> None:
    with LogFiles(tmp_path) as files:
        files.append(packed(0, 500))
        files.publish(CHECKPOINT, checkpoint(400))
        files.truncate(450)
        with pytest.raises(LogDiverged) as caught:
            files.truncate(399)
        assert caught.value.differs == "checkpoint"
        assert (tmp_path / "entries").stat().st_size == 450 * 32
        files.truncate(400, root=root(400))


def test_a_checkpoint_with_another_root_is_noticed(tmp_path: Path) -> None:
    with LogFiles(tmp_path) as files:
        files.append(packed(0, 500))
        (tmp_path / CHECKPOINT).write_bytes(checkpoint(400, bytes(32)))
        with pytest.raises(LogDiverged) as caught:
            files.truncate(500)
        assert caught.value.differs == "checkpoint"


def test_a_failed_write_stops_the_log_until_it_is_settled(tmp_path: Path) -> None:
    import resource

    with LogFiles(tmp_path) as files:
        files.append(packed(0, 500))
        # A file-size limit stands in for a full disk: the kernel cuts the write short and then refuses it.
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (700 * 32 + 7, before[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                files.append(packed(500, 1_000))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, handler)
        with pytest.raises(LogDiverged):
            files.append(packed(500, 501))
        files.truncate(500, root=root(500))
        assert files.append(packed(500, 1_000)) == 500
        assert files.root() == root(1_000)
        files.check()


def test_checkpoints_are_replaced_whole(tmp_path: Path) -> None:
    with LogFiles(tmp_path) as files:
        files.append(packed(0, 2))
        assert files.published_head() is None
        for size in (0, 1, 2, 2):
            files.publish(CHECKPOINT, checkpoint(size))
            head = files.published_head()
            assert head is not None
            assert head.size == size
        files.publish(CHECKPOINT_WITNESSED, checkpoint(1))
        assert files.published(CHECKPOINT) == checkpoint(2)
        assert files.published(CHECKPOINT_WITNESSED) == checkpoint(1)
        assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]
        for name in ("entries", "../checkpoint", "checkpoint.x"):
            with pytest.raises(ValueError, match="Only checkpoints"):
                files.publish(name, b"")
            with pytest.raises(ValueError, match="Only checkpoints"):
                files.published(name)


@pytest.mark.parametrize("found", [b"", b"junk\n", checkpoint(300)[:60]])
def test_a_checkpoint_that_cannot_be_read_is_named(tmp_path: Path, found: bytes) -> None:
    with LogFiles(tmp_path) as files:
        files.append(packed(0, 300))
        (tmp_path / CHECKPOINT).write_bytes(found)
        with pytest.raises(LogDiverged, match="checkpoint cannot be read") as said:
            files.truncate(300)
        assert said.value.differs == CHECKPOINT
    assert (tmp_path / CHECKPOINT).read_bytes() == found


def test_only_what_the_files_hold_is_published(tmp_path: Path) -> None:
    with LogFiles(tmp_path) as files:
        files.append(packed(0, 300))
        files.publish(CHECKPOINT, checkpoint(200))
        for wrong in (checkpoint(199), checkpoint(301), checkpoint(250, root(251))):
            with pytest.raises(LogDiverged):
                files.publish(CHECKPOINT, wrong)
        assert files.published(CHECKPOINT) == checkpoint(200)
