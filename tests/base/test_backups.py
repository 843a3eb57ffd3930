"""Sealed files and sets: whatever is done to them, they open as they were written or not at all."""

from __future__ import annotations

import datetime as dt
import io
import os
import signal
import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcelward.base.backups import archives, recipients, sealed, sets
from parcelward.base.backups.archives import Packed
from parcelward.base.backups.errors import BadBackup, BadKeyText, BadPlace, WrongKey
from parcelward.base.backups.sealed import CHUNK_BYTES, TAG_BYTES, Opener, Sealer

KEY, OTHER = recipients.make(), recipients.make()
NOW = dt.datetime(2026, 5, 4, 3, 2, 1, tzinfo=dt.UTC)
LONG = os.urandom(2 * CHUNK_BYTES + 77)  # three chunks, which do not compress


def seal(data: bytes, *, context: str = "a of b", to=(KEY,)) -> bytes:
    out = io.BytesIO()
    sealer = Sealer(out, context=context, recipients=[each.public for each in to])
    sealer.write(data)
    sealer.seal()
    return out.getvalue()


def unseal(data: bytes, *, context: str = "a of b", keys=(KEY,)) -> bytes:
    return io.BufferedReader(Opener(io.BytesIO(data), context=context, keys=keys)).read()


@given(st.binary(max_size=3_000), st.integers(1, 4))
def test_what_was_sealed_comes_back_for_each_of_its_keys(data, count):
    keys = [recipients.make() for _ in range(count)]
    written = seal(data, to=keys)
    assert unseal(written, keys=[keys[-1]]) == data
    assert len(data) < 32 or data not in written


def test_every_length_around_a_chunk_comes_back():
    for length in (CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES):
        data = os.urandom(length)
        assert unseal(seal(data)) == data, length
    assert unseal(seal(bytes(5 * CHUNK_BYTES))) == bytes(5 * CHUNK_BYTES)


@pytest.mark.asvs("11.3.3")
@given(st.data())
def test_a_changed_byte_anywhere_is_noticed(data):
    written = bytearray(seal(b"what must not change" * 50))
    at = data.draw(st.integers(0, len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((BadBackup, WrongKey)):
        unseal(bytes(written))


@given(st.data())
def test_a_file_that_ends_too_early_or_too_late_is_noticed(data):
    written = seal(b"all of it" * 500)
    cut = data.draw(st.integers(0, len(written) - 1))
    with pytest.raises(BadBackup):
        unseal(written[:cut])
    with pytest.raises(BadBackup):
        unseal(written + data.draw(st.binary(min_size=1, max_size=40)))


def chunks_of(written: bytes) -> tuple[bytes, list[bytes]]:
    """Return head and chunks: all chunks but the last have one length."""
    step = CHUNK_BYTES + TAG_BYTES
    body = written[len(head_of(written)) :]
    return head_of(written), [body[i : i + step] for i in range(0, len(body), step)]


def head_of(written: bytes) -> bytes:
    source = io.BytesIO(written)
    return sealed._read_head(source)[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda c: [c[1], c[0], *c[2:]],
        lambda c: [c[0], *c[2:]],
        lambda c: [c[0], c[0], *c[1:]],
        lambda c: c[:-1],
        lambda c: [*c, c[-1]],
        lambda c: [c[-1]],
    ],
    ids=["swapped", "one left out", "one doubled", "the last cut off", "the last doubled", "the last alone"],
)
def test_chunks_that_were_put_together_anew_are_noticed(change):
    head, chunks = chunks_of(seal(LONG))
    assert len(chunks) == 3
    assert unseal(head + b"".join(chunks)) == LONG
    with pytest.raises(BadBackup, match="damaged, cut short"):
        unseal(head + b"".join(change(chunks)))


def test_a_chunk_of_another_file_for_the_same_key_does_not_fit():
    (head, mine), (_, theirs) = chunks_of(seal(LONG)), chunks_of(seal(LONG[::-1]))
    with pytest.raises(BadBackup):
        unseal(head + mine[0] + theirs[1] + mine[2])


def test_another_key_is_named_and_a_file_that_is_another_too():
    with pytest.raises(WrongKey, match=KEY.public.id.hex()):
        unseal(seal(b"x"), keys=[OTHER])
    with pytest.raises(BadBackup, match="files were swapped"):
        unseal(seal(b"x", context="keys of the other set"))


def test_memory_stays_the_same_whatever_the_length():
    class Nowhere(io.RawIOBase):
        def write(self, data):
            return len(data)

    piece = os.urandom(1 << 16)
    sealer = Sealer(Nowhere(), context="a of b", recipients=[KEY.public])
    tracemalloc.start()
    try:
        for _ in range(1_000):  # 64 MB
            sealer.write(piece)
        sealer.seal()
        assert tracemalloc.get_traced_memory()[1] < 8 * CHUNK_BYTES
    finally:
        tracemalloc.stop()


# -- keys as text ------------------------------------------------------------------------------------------------------


def test_keys_as_text_come_back_and_no_half_is_taken_for_the_other():
    assert recipients.parse_public(f" {KEY.public.text}\n") == KEY.public
    assert recipients.parse_private(f"# words\n{KEY.text}\n").public == KEY.public
    assert KEY.text.split("+")[2] not in repr(KEY)
    with pytest.raises(BadKeyText, match="must not be on this machine"):
        recipients.parse_public(KEY.text)
    with pytest.raises(BadKeyText, match="public half"):
        recipients.parse_private(KEY.public.text)


@pytest.mark.parametrize(
    "change", [lambda t: t[:-4], lambda t: t.replace("+", "-"), lambda t: t[:60] + "AAAA" + t[64:], lambda _: ""]
)
def test_a_key_that_was_not_copied_whole_is_refused(change):
    with pytest.raises(BadKeyText):
        recipients.parse_public(change(KEY.public.text))
    with pytest.raises(BadKeyText):
        recipients.parse_private(change(KEY.text))


# -- sets --------------------------------------------------------------------------------------------------------------


def make_set(folder, kind="main", *, now=NOW, name=sets.LOG):
    place = sets.claim(folder, kind, home=folder.parent / "home")
    with sets.making(place, kind, recipients=[KEY.public], now=now) as made:
        with made.file(name) as out:
            out.write(b"content")
        manifest = sets.Manifest(
            "parcelward_backup",
            kind,
            made.name,
            made.made_at,
            "0",
            "log.example/log",
            0,
            "",
            "none",
            0,
            "",
            (),
            tuple(made.files),
        )
        made.finish(manifest, lambda text: text.encode())
    return place / made.name, manifest


def test_a_set_is_read_as_it_was_made(tmp_path):
    folder, manifest = make_set(tmp_path / "main")
    assert sets.parse_manifest((folder / sets.MANIFEST).read_text()) == manifest
    assert sets.newest(tmp_path / "main", "main") == sets.newest(folder, "main") == folder
    sets.require_files(folder, manifest)
    with sets.opened(folder, manifest, sets.LOG, [KEY]) as stream:
        assert stream.read() == b"content"


def test_sets_of_different_kinds_never_share_a_folder(tmp_path):
    make_set(tmp_path / "main")
    for wrong in (tmp_path / "main", tmp_path / "main" / "keys", tmp_path):
        with pytest.raises(BadPlace):
            sets.claim(wrong, "keys", home=tmp_path / "elsewhere" / "home")
    make_set(tmp_path / "keys", "keys", name=sets.BASE)
    for inside in (tmp_path / "home", tmp_path / "home" / "backups"):
        with pytest.raises(BadPlace, match="lie in each other"):
            sets.claim(inside, "keys", home=tmp_path / "home")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(BadPlace, match="not empty"):
        sets.claim(tmp_path / "full", "main", home=tmp_path / "home")
    assert [each.name for each in (tmp_path / "full").iterdir()] == ["thesis.txt"], "nothing was put there"


def test_sets_that_are_too_old_go_and_no_other(tmp_path):
    old, _ = make_set(tmp_path / "keys", "keys", now=NOW - dt.timedelta(days=7), name=sets.BASE)
    young, _ = make_set(tmp_path / "keys", "keys", now=NOW - dt.timedelta(days=5), name=sets.BASE)
    assert sets.forget(tmp_path / "keys", "keys", before=NOW - dt.timedelta(days=6)) == [old.name]
    assert sets.complete(tmp_path / "keys", "keys") == [young]
    assert not list((tmp_path / "keys").glob(".gone*"))


def test_a_set_that_is_not_what_its_manifest_says_is_refused(tmp_path):
    folder, manifest = make_set(tmp_path / "main")
    other, _ = make_set(tmp_path / "main", now=NOW + dt.timedelta(days=1))
    stored = folder / f"{sets.LOG}{sets.SUFFIX}"
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-1])
    with pytest.raises(BadBackup, match="and should have"):
        sets.require_files(folder, manifest)
    stored.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(BadBackup, match="SHA-256"):
        sets.require_files(folder, manifest)
    stored.write_bytes((other / stored.name).read_bytes())
    with pytest.raises(BadBackup):
        sets.require_files(folder, manifest)
    with pytest.raises(BadBackup, match="swapped"), sets.opened(folder, manifest, sets.LOG, [KEY]) as stream:
        stream.read()
    stored.unlink()
    with pytest.raises(BadBackup, match="missing"):
        sets.require_files(folder, manifest)
    folder.rename(folder.with_name("main-20300101T000000Z"))
    with pytest.raises(BadBackup, match="is named"):
        sets.require_files(folder.with_name("main-20300101T000000Z"), manifest)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"name":"log.tar"', '"name":"../../etc/passwd"'),
        ('"kind":"main"', '"kind":"keys"'),
        ('"kind":"main"', '"kind":"all"'),
        ("log.example/log/backup\n", "log.example/other/backup\n"),
        ('"set":"main-', '"set":"/tmp/main-'),
        ('"files":', '"more":1,"files":'),
    ],
)
def test_a_manifest_that_contradicts_itself_is_none(tmp_path, old, new):
    _, manifest = make_set(tmp_path / "main")
    assert old in manifest.text
    with pytest.raises(BadBackup):
        sets.parse_manifest(manifest.text.replace(old, new, 1))


def test_what_is_killed_or_fails_leaves_nothing_that_looks_whole(tmp_path):
    code = (
        "import datetime as dt, os, signal, sys\n"
        "from pathlib import Path\n"
        "from parcelward.base.backups import recipients, sets\n"
        "place = sets.claim(Path(sys.argv[1]), 'main', home=Path(sys.argv[1]).parent / 'home')\n"
        "with sets.making(place, 'main', recipients=[recipients.make().public], now=dt.datetime.now(dt.UTC)) as made:\n"
        "    with made.file('log.tar') as out:\n"
        "        out.write(os.urandom(5_000_000))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "main")], timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list((tmp_path / "main").glob(".making-*"))
    with pytest.raises(BadPlace, match="never finished"):
        sets.newest(tmp_path / "main", "main")
    with pytest.raises(ZeroDivisionError), sets.making(tmp_path / "main", "main", recipients=[KEY.public], now=NOW):
        1 / 0  # noqa: B018 -- any error
    folder, _ = make_set(tmp_path / "main")
    assert sets.newest(tmp_path / "main", "main") == folder
    assert not list((tmp_path / "main").glob(".making-*")), "the next backup removed what was left"


def test_two_backups_at_once_do_not_meet_in_one_folder(tmp_path):
    sets.claim(tmp_path / "main", "main", home=tmp_path / "home")
    with (
        sets.making(tmp_path / "main", "main", recipients=[KEY.public], now=NOW),
        pytest.raises(BadPlace, match="Another backup"),
        sets.making(tmp_path / "main", "main", recipients=[KEY.public], now=NOW + dt.timedelta(seconds=1)),
    ):
        pass


# -- archives ----------------------------------------------------------------------------------------------------------


@pytest.mark.asvs("5.3.2")
@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out"])
def test_an_archive_leads_nowhere_else(tmp_path, name):
    out = io.BytesIO()
    archives.pack(out, [Packed(name, b"x")])
    out.seek(0)
    with pytest.raises(BadBackup):
        archives.unpack(out, tmp_path / "in")
    assert not (tmp_path / "out").exists()


@pytest.mark.asvs("5.3.2")
def test_an_archive_with_a_link_is_refused(tmp_path):
    import tarfile

    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        about = tarfile.TarInfo("link")
        about.type, about.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(about)
    out.seek(0)
    with pytest.raises(BadBackup, match="something else"):
        archives.unpack(out, tmp_path)


def test_a_file_that_grows_is_kept_as_it_was(tmp_path):
    (tmp_path / "entries").write_bytes(b"0123456789")
    out = io.BytesIO()
    assert archives.pack(out, [Packed("log/entries", tmp_path / "entries", 4), Packed("b", b"text")]) == 2
    out.seek(0)
    assert archives.unpack(out, tmp_path / "in") == 2
    assert (tmp_path / "in" / "log" / "entries").read_bytes() == b"0123"
    assert (tmp_path / "in" / "b").read_bytes() == b"text"
