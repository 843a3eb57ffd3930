"""Backups as they are made day by day: where their sets may lie, what goes and what stays, whose keys open them."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys

import pytest
from tests.faults.plant import until
from tests.stories.backed_up import ORIGIN, a_house, asked, command, inside, ring, shred

from parcelward.base.backups import recipients, sets
from parcelward.custody.keys import SignatureType, Signer, key_name

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with a_house(tmp_path_factory.mktemp("kept")) as made:
        made.scan(2)
        until(lambda: made.plant.published_size() >= 4, seconds=30, what="the log")
        made.backup()
        yield made


def test_keys_never_go_where_the_main_database_is(house):
    before = {path.name for path in house.at("main").iterdir()}
    for wrong in (house.at("main"), house.at("main") / "below", house.plant.home / "backups"):
        refused = house.plant.run("backup", "--keys", str(wrong))
        assert refused.returncode == 1, refused.stdout
        assert "apart" in refused.stderr or "in each other" in refused.stderr
    new = {path.name for path in house.at("main").iterdir()} - before
    assert new <= {"wal"}, "no more than what the worker ships there of the main database meanwhile"
    assert not (house.plant.home / "backups").exists()


def test_older_sets_of_the_keys_go_when_a_new_one_is_made_and_main_ones_stay(house):
    for kind in ("main", "keys"):
        newest = house.newest(kind)
        old = newest.with_name(f"{kind}-20200102T030405Z")
        shutil.copytree(newest, old)
    said = house.backup()
    assert "deleted: keys-20200102T030405Z" in said
    assert not list(house.at("keys").glob("keys-2020*"))
    assert (house.at("main") / "main-20200102T030405Z").exists()
    shutil.rmtree(house.at("main") / "main-20200102T030405Z")


def test_older_sets_of_the_keys_go_every_night_though_no_new_one_is_made(house):
    newest = house.newest("keys")
    shutil.copytree(newest, newest.with_name("keys-20200102T030405Z"))
    shutil.copytree(house.newest("main"), house.at("main") / "main-20200102T030405Z")
    said = house.plant.run("retention", "--run")
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["forgotten"]["backups_of_keys"] == 1
    assert not list(house.at("keys").glob("keys-2020*"))
    assert newest.exists()
    assert (house.at("main") / "main-20200102T030405Z").exists()
    shutil.rmtree(house.at("main") / "main-20200102T030405Z")


def test_a_backup_that_is_killed_leaves_nothing_that_looks_whole(house):
    def whole() -> list[str]:
        return [path.name for kind in sets.KINDS for path in sets.complete(house.at(kind), kind)]

    before = whole()
    words = [sys.executable, "-m", "parcelward.doors.console", "backup", str(house.at("main"))]
    with subprocess.Popen(words, env=house.plant._env) as process:
        until(lambda: list(house.at("main").glob(".making-*/base.tar*")), seconds=60, what="the base backup")
        process.kill()
    assert list(house.at("main").glob(".making-*"))
    assert whole() == before
    assert house.restore(None).returncode == 0, "the one before is still the newest"
    house.backup()
    assert not list(house.at("main").glob(".making-*"))


PUT = """
print(privacy.put({Field.NAME: sys.argv[1]}, kind=Kind.ADDRESSEE, by=people.machinery()))
"""
SHRED_PERSON = """
from uuid import UUID
from parcelward.base.vault import VaultToken
request = privacy.ask_to_shred(VaultToken(UUID(sys.argv[1])), "asked to", by=joined(Role.ADMINISTRATOR))
privacy.agree_to_shred(request, by=joined(Role.ADMINISTRATOR))
"""


def test_what_was_erased_stays_erased_when_an_older_keys_database_comes_back(house, tmp_path):
    house.scan(2)
    number = house.numbers[-1]
    until(lambda: house.plant.published_size() > 0, seconds=30, what="the log")
    house.backup()
    older = house.newest("keys")
    shred(house, number)
    house.backup()
    done = house.restore(tmp_path / "home", keys=str(older), more="--without-wal")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Secrets of 1 erased items were in the backup and were destroyed again" in done.stdout
    assert "are of erased items and cannot" in done.stdout
    erased = asked(tmp_path / "home", "main", "SELECT item FROM custody_tombstone")
    held = asked(tmp_path / "home", "keys", "SELECT item FROM custody_itemsecret WHERE item = ANY(%s)", erased)
    assert (len(erased), held) == (1, [])


def test_who_was_shredded_stays_shredded_when_an_older_keys_database_comes_back(house, tmp_path):
    gone, stays = inside(house, PUT, "Anna Kowalska"), inside(house, PUT, "Bela Kovacs")
    house.backup()
    older = house.newest("keys")
    inside(house, SHRED_PERSON, gone)
    said = house.plant.run("shred", "execute")
    assert json.loads(said.stdout)["people_shredded"] == 1, said.stdout + said.stderr
    house.backup()
    done = house.restore(tmp_path / "home", keys=str(older), more="--without-wal")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Keys of 1 shredded people were in the backup and were destroyed again" in done.stdout
    tombstones = asked(tmp_path / "home", "main", "SELECT person::text FROM privacy_tombstone")
    assert tombstones == [gone]
    keys = asked(tmp_path / "home", "keys", "SELECT person::text FROM privacy_personkey")
    assert stays in keys
    assert gone not in keys


def test_the_backup_key_is_replaced_and_old_backups_stay_with_the_old_one(house):
    other = house.private.with_name("second.key")
    made = command("backup-key", "make", str(other))
    assert stat.S_IMODE(other.stat().st_mode) == 0o600
    again = command("backup-key", "make", str(other))
    assert (again.returncode, "Nothing is written over" in again.stderr) == (1, True)
    old_id = recipients.parse_private(house.private.read_text()).public.id.hex()
    new_id = recipients.parse_private(other.read_text()).public.id.hex()
    only = house.plant.run("backup-key", "distrust", old_id)
    assert (only.returncode, "only key" in only.stderr) == (1, True)
    private = house.plant.run("backup-key", "trust", str(other))
    assert (private.returncode, "must not be on this machine" in private.stderr) == (1, True)

    before = {kind: str(house.newest(kind)) for kind in sets.KINDS}
    assert house.plant.run("backup-key", "trust", made.stdout).returncode == 0
    assert house.plant.run("backup-key", "distrust", old_id).returncode == 0
    house.backup()
    assert house.restore(None, key=str(other)).returncode == 0
    refused = house.restore(None)
    assert refused.returncode == 1
    assert new_id in refused.stderr
    assert house.restore(None, **before).returncode == 0, "old backups open with the old key"

    assert house.plant.run("backup-key", "trust", "--set", "secrets", made.stdout).returncode == 0
    old = recipients.parse_private(house.private.read_text()).public.text
    assert house.plant.run("backup-key", "trust", old).returncode == 0
    assert house.plant.run("backup-key", "distrust", new_id).returncode == 0
    house.backup()
    assert new_id in house.restore(None).stderr, "the secrets are for somebody else"
    assert house.restore(None, more=f"--key {other}").returncode == 0
    assert house.plant.run("backup-key", "distrust", "--set", "secrets", new_id).returncode == 0
    house.backup()
    assert house.restore(None).returncode == 0


@pytest.mark.asvs("16.4.3")
def test_a_log_copy_is_made_over_http_verifies_alone_and_knows_what_a_restore_lost(house, tmp_path):
    copy, vkey = house.folder / "copy", house.vkey()
    unknown = command("log-copy", str(copy), "--from", f"{house.plant.url}/log")
    assert unknown.returncode == 1
    assert "Give its key with --key" in unknown.stderr
    other = Signer(key_name(ORIGIN), SignatureType.ED25519, bytes(range(32))).verifier.vkey
    assert command("log-copy", str(copy), "--from", f"{house.plant.url}/log", "--key", other).returncode == 1
    assert not (copy / "checkpoint").exists()

    house.backup()
    size = house.plant.published_size()
    house.scan(5)
    until(lambda: house.plant.published_size() >= size + 10, seconds=30, what="the log")
    done = command("log-copy", str(copy), "--from", f"{house.plant.url}/log", "--key", vkey)
    assert done.returncode == 0, done.stderr
    near = house.plant.run("log-copy", str(house.folder / "near"))
    assert near.returncode == 0, near.stderr
    assert (copy / "tile" / "entries" / "000.p").exists() == (
        house.folder / "near" / "tile" / "entries" / "000.p"
    ).exists()
    checked = command("verify", str(copy), "--key", vkey)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "give every tile and the roots of all 1 copied checkpoints" in checked.stdout
    inside = house.plant.run("log-copy", str(house.plant.home / "copy"))
    assert inside.returncode == 1
    assert "lost with it" in inside.stderr

    lost = house.restore(tmp_path / "home", more=f"--without-wal --log-copy {copy}")
    assert lost.returncode == 1, lost.stdout
    assert "THE LOG STANDS STILL, on purpose: the copy has" in lost.stdout
    assert (tmp_path / "home" / "log" / "checkpoint").read_bytes() == (copy / "checkpoint").read_bytes()
    house.backup()
    kept = house.restore(tmp_path / "all", more=f"--without-wal --log-copy {copy}")
    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert "knows no more than this" in kept.stdout

    assert house.plant.run("log-key", "rotate", "--yes").returncode == 0
    until(lambda: house.vkey() != vkey, seconds=30, what="the new key")
    house.scan(1)
    until(lambda: ring(house) == house.vkey(), seconds=30, what="the new key's first signature")
    followed = command("log-copy", str(copy), "--from", f"{house.plant.url}/log")
    assert followed.returncode == 0, followed.stderr
    assert command("verify", str(copy), "--key", vkey).returncode == 0, "the old key vouches while it signs"
