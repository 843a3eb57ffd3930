"""Sets of the keys database that are too old go every night, also the last one: shredded keys lie in them."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from parcelward.base import config
from parcelward.base.backups import sets
from parcelward.doors.backups import forgetting

NOW = dt.datetime(2026, 11, 20, 3, tzinfo=dt.UTC)


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return dataclasses.replace(config.get(), home=tmp_path / "home", wal_to=())


def made(folder, kind, *, days):
    """Put a set there that was begun so long ago."""
    one = folder / f"{kind}-{NOW - dt.timedelta(days=days):%Y%m%dT%H%M%SZ}"
    one.mkdir()
    (one / "database.dump.sealed").write_bytes(b"shredded keys")
    (one / sets.MANIFEST).write_text(f"{kind}\n")
    return one


def test_the_last_set_of_keys_goes_though_no_other_is_made(home, tmp_path, caplog):
    keys, main = (sets.claim(tmp_path / kind, kind, home=home.home) for kind in ("keys", "main"))
    forgetting.remember(home, keys)
    forgetting.remember(home, keys)
    old, older, kept = made(keys, "keys", days=6.1), made(keys, "keys", days=40), made(main, "main", days=40)
    assert sorted(forgetting.forget_old(home, NOW)) == sorted([old.name, older.name])
    assert [each.name for each in keys.iterdir() if each.is_dir()] == []
    assert kept.exists()
    assert "there is no backup of the keys database any more" in caplog.text
    assert str(tmp_path) not in caplog.text
    assert forgetting.forget_old(home, NOW) == []


def test_a_folder_that_became_another_or_is_not_there_is_left_alone(home, tmp_path):
    gone, other = tmp_path / "unmounted", tmp_path / "main"
    keys = sets.claim(tmp_path / "keys", "keys", home=home.home)
    sets.claim(other, "main", home=home.home)
    for each in (gone, other, keys):
        forgetting.remember(home, each)
    kept, old = made(other, "keys", days=40), made(keys, "keys", days=40)
    assert forgetting.forget_old(home, NOW) == [old.name]
    assert kept.exists()


def test_a_backup_that_is_being_made_is_not_disturbed(home, tmp_path):
    keys = sets.claim(tmp_path / "keys", "keys", home=home.home)
    forgetting.remember(home, keys)
    old = made(keys, "keys", days=40)
    with sets.alone(keys):
        assert forgetting.forget_old(home, NOW) == []
    assert old.exists()


def test_where_wal_is_shipped_to_is_looked_at_too(home, tmp_path):
    keys = sets.claim(tmp_path / "keys", "keys", home=home.home)
    old = made(keys, "keys", days=40)
    shipping = dataclasses.replace(home, wal_to=(tmp_path / "main", keys))
    assert forgetting.forget_old(shipping, NOW) == [old.name]
