"""WAL beside backups: what is needed stays, what is not goes, and a gap is seen."""

from __future__ import annotations

import datetime as dt

import pytest

from parcelward.base.backups import recipients, sets
from parcelward.base.backups.errors import BadBackup
from parcelward.custody import notes
from parcelward.custody.keys import SignatureType, Signer, key_name
from parcelward.doors.backups import wal

KEY = recipients.make()
ORIGIN = "wal.example/log"
SIGNER = Signer(key_name(ORIGIN), SignatureType.ED25519, bytes(range(32)))
NOW = dt.datetime(2026, 5, 4, 3, 2, 1, tzinfo=dt.UTC)


def name(number: int, timeline: int = 1) -> str:
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


def shipping(folder, kind="main") -> wal.Shipping:
    sets.claim(folder, kind, home=folder.parent / "home")
    return wal.Shipping(folder, kind, ORIGIN, [KEY.public], lambda text: notes.sign(text, [SIGNER]))


def ship(to: wal.Shipping, number: int, *, now=NOW, content=b"") -> None:
    path = to.folder.parent / name(number)
    path.write_bytes(content or number.to_bytes(8, "big") * 4_096)
    wal.ship(to, path, now=now)


def make_set(folder, kind, wal_from, now=NOW):
    with sets.making(folder, kind, recipients=[KEY.public], now=now) as made:
        with made.file(sets.BASE) as out:
            out.write(b"base")
        manifest = sets.Manifest(
            *("parcelward_backup", kind, made.name, made.made_at, "0", ORIGIN, 0, "", "base", 18, wal_from, ()),
            tuple(made.files),
        )
        made.finish(manifest, lambda text: notes.sign(text, [SIGNER]))
    return manifest


def held(folder) -> list[str]:
    return sorted(path.name.removesuffix(".note") for path in (folder / "wal").glob("*.note"))


@pytest.mark.parametrize(
    ("numbers", "last"),
    [([], -1), ([5], 5), ([5, 6, 7], 7), ([5, 7, 8], 5), ([254, 255, 256, 257], 257)],
)
def test_the_unbroken_part_ends_at_the_first_gap(numbers, last):
    assert wal.unbroken([name(each) for each in numbers]) == last


def test_after_a_restore_the_newest_timeline_counts():
    assert wal.unbroken([name(5), name(6), name(9), name(6, 2), name(7, 2)]) == 7


def test_what_no_set_begins_before_goes_and_what_one_needs_stays(tmp_path):
    to = shipping(tmp_path / "main")
    make_set(to.folder, "main", name(4))
    make_set(to.folder, "main", name(6), NOW + dt.timedelta(days=1))
    for number in (2, 3, 4, 5, 6):
        ship(to, number)
    assert wal.forget(to.folder, "main", older_than=None) == 2
    assert held(to.folder) == [name(4), name(5), name(6)]
    assert len(list((to.folder / "wal").glob("*.sealed"))) == 3


def test_of_the_keys_database_nothing_is_kept_too_long(tmp_path):
    to = shipping(tmp_path / "keys", "keys")
    make_set(to.folder, "keys", name(1))
    ship(to, 1, now=NOW - dt.timedelta(days=7))
    ship(to, 2, now=NOW)
    assert wal.forget(to.folder, "keys", older_than=NOW - dt.timedelta(days=6)) == 1
    assert held(to.folder) == [name(2)]


def fetch(to, manifest, into):
    into.mkdir()
    return wal.fetch(to.folder, manifest, [KEY], into, vkeys=[SIGNER.verifier.vkey], tell=lambda *_: None)


def test_what_was_shipped_comes_back_zeros_and_all(tmp_path):
    to = shipping(tmp_path / "main")
    manifest = make_set(to.folder, "main", name(4))
    content = b"x" * 8_192 + bytes(16 * 1024 * 1024 - 8_192)
    ship(to, 3)
    ship(to, 4, content=content)
    ship(to, 4, content=content)  # once more, as after a kill
    fetched = fetch(to, manifest, tmp_path / "data")
    path = tmp_path / "data" / wal.FETCHED / name(4)
    assert path.read_bytes() == content
    assert path.stat().st_blocks * 512 < 1_000_000, "a quiet minute takes no room"
    assert fetched.last == 4
    assert not (tmp_path / "data" / wal.FETCHED / name(3)).exists()
    assert len(b"".join(p.read_bytes() for p in (to.folder / "wal").glob("*4.sealed"))) < 100_000


def test_a_segment_in_anothers_place_or_signed_by_another_is_refused(tmp_path):
    to = shipping(tmp_path / "main")
    manifest = make_set(to.folder, "main", name(4))
    ship(to, 4)
    ship(to, 5)
    folder = to.folder / "wal"
    for suffix in (".sealed", ".note"):
        (folder / f"{name(5)}{suffix}").rename(folder / f"{name(6)}{suffix}")
    with pytest.raises(BadBackup, match="has the note of"):
        fetch(to, manifest, tmp_path / "one")
    (folder / f"{name(6)}.note").unlink()
    stranger = Signer(key_name(ORIGIN), SignatureType.ED25519, bytes(32))
    text = notes.parse((folder / f"{name(4)}.note").read_bytes()).text
    (folder / f"{name(4)}.note").write_bytes(notes.sign(text, [stranger]))
    with pytest.raises(BadBackup, match="not signed by the log's key"):
        fetch(to, manifest, tmp_path / "two")
