"""The restore drill: a working house is backed up, goes on, is destroyed, and comes back with all that was promised."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.faults.plant import Plant, until
from tests.scanner import Scanner, event, new_number
from tests.stories.backed_up import (
    ORIGIN,
    House,
    asked,
    command,
    copied,
    events_in,
    flip,
    inside,
    ring,
    shred,
)

from parcelward.base.backups import recipients, sets
from parcelward.custody import checkpoints, notes
from parcelward.custody.keys import SignatureType, Signer, key_name

pytestmark = pytest.mark.slow
PLACES = {"main": "main", "keys": "--keys", "secrets": "--secrets"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drill")
    made = House(folder)
    yield made
    made.plant.close()
    shutil.rmtree(folder, ignore_errors=True)


def test_what_was_acknowledged_before_the_backup_comes_back_and_is_proven(house, tmp_path):
    house.scan(20)
    until(lambda: house.plant.published_size() >= 40, seconds=30, what="the log")
    said = house.backup()
    promised, vkey = list(house.acknowledged), house.vkey()
    for kind in sets.KINDS:
        assert str(house.newest(kind)) in said
    manifest = sets.parse_manifest(notes.parse((house.newest("main") / sets.MANIFEST).read_bytes()).text)
    house.scan(5)

    done = house.restore(tmp_path / "home", more=f"--log-key {vkey}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The record and the log agree" in done.stdout
    assert "NOT PROVEN" not in done.stdout
    home = tmp_path / "home"
    assert set(promised) <= events_in(home)
    log = notes.parse((home / "log" / "checkpoint").read_bytes())
    assert checkpoints.parse(log.text).size == manifest.log_size
    assert stat.S_IMODE((home / "keys").stat().st_mode) == 0o700
    for path in (home / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert path.read_bytes() == (house.plant.home / "keys" / path.name).read_bytes()
    assert not list(tmp_path.glob(".home*")), "nothing is left beside it"
    # It works on, under its name: the log goes on where the backup's checkpoint was.
    again = Plant(home, extra={"PARCELWARD_LOG_ORIGIN": ORIGIN})
    try:
        Scanner(again, name="another").send(event(new_number(), "accepted", facility="FAULT-A"))
        until(lambda: again.published_size() > manifest.log_size + 2, seconds=30, what="the log")
        assert again.run("verify-log", "--quiet").returncode == 0
    finally:
        again.close()


def test_backups_are_entries_of_the_log_and_say_no_path(house):
    with house.plant.database() as database:
        rows = database.execute("SELECT body FROM custody_fact WHERE kind = 'custody.backup' ORDER BY batch").fetchall()
        keys = database.execute("SELECT body FROM custody_fact WHERE kind = 'custody.backup_key'").fetchall()
    said = [json.loads(bytes(row[0])) for row in rows]
    assert [each["what"] for each in said[:3]] == ["main", "keys", "secrets"]
    for each, kind in zip(said[:3], sets.KINDS, strict=True):
        note = (sets.complete(house.at(kind), kind)[0] / sets.MANIFEST).read_bytes()
        assert each["manifest_sha256"] == hashlib.sha256(note).hexdigest()
    assert len(keys) == 1
    assert not any("/" in value for each in said for value in each.values() if isinstance(value, str))


def test_nothing_of_a_backup_can_be_read_without_the_key(house):
    secret = (house.plant.home / "keys" / "django").read_bytes().strip()
    for kind in sets.KINDS:
        for path in house.newest(kind).glob(f"*{sets.SUFFIX}"):
            data = path.read_bytes()
            assert secret not in data
            assert b"CREATE TABLE" not in data
            assert b"parcels_scan_event" not in data
    assert house.private.read_text().splitlines()[-1] not in "".join(
        path.read_text(errors="replace") for path in (house.plant.home / "keys").iterdir()
    )


def hurt_a_byte(at: dict[str, Path]) -> dict[str, str]:
    flip(next(at["main"].glob(f"*/base.tar{sets.SUFFIX}")), -1)
    return {}


def hurt_the_end(at: dict[str, Path]) -> dict[str, str]:
    path = next(at["keys"].glob(f"*/base.tar{sets.SUFFIX}"))
    path.write_bytes(path.read_bytes()[:-100])
    return {}


def hurt_the_manifest(at: dict[str, Path]) -> dict[str, str]:
    path = next(at["main"].glob(f"*/{sets.MANIFEST}"))
    text = path.read_text()
    size = re.search(r'"log_size":(\d+)', text)
    assert size
    path.write_text(text.replace(size[0], '"log_size":1', 1))
    return {}


def hurt_by_swapping_folders(at: dict[str, Path]) -> dict[str, str]:
    return {"main": str(next(at["keys"].glob("keys-*"))), "keys": str(next(at["main"].glob("main-*")))}


def hurt_by_a_missing_file(at: dict[str, Path]) -> dict[str, str]:
    next(at["secrets"].glob(f"*/*{sets.SUFFIX}")).unlink()
    return {}


def hurt_by_half_a_set(at: dict[str, Path]) -> dict[str, str]:
    next(at["main"].glob(f"*/{sets.MANIFEST}")).unlink()
    return {}


def hurt_by_another_key(at: dict[str, Path]) -> dict[str, str]:
    path = at["main"].parent / "other.key"
    path.write_text(recipients.make().text)
    return {"key": str(path)}


def hurt_by_the_public_half(at: dict[str, Path]) -> dict[str, str]:
    path = at["main"].parent / "public.key"
    path.write_text(recipients.make().public.text)
    return {"key": str(path)}


@pytest.mark.parametrize(
    ("hurt", "words"),
    [
        (hurt_a_byte, "SHA-256 differs"),
        (hurt_the_end, "and should have"),
        (hurt_the_manifest, "does not verify"),
        (hurt_by_swapping_folders, "was expected: sets were swapped"),
        (hurt_by_a_missing_file, "is missing"),
        (hurt_by_half_a_set, "no finished backup"),
        (hurt_by_another_key, "was encrypted for the backup key"),
        (hurt_by_the_public_half, "the public half"),
    ],
)
def test_what_is_wrong_with_a_backup_is_said_and_nothing_is_made(house, tmp_path, hurt, words):
    at = copied(house, tmp_path / "sets")
    changed = {kind: str(path) for kind, path in at.items()} | hurt(at)
    done = house.restore(tmp_path / "home", more=f"--log-key {house.vkey()}", **changed)
    assert done.returncode == 1, done.stdout
    assert words in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["sets"], "nothing was made"


def test_a_forged_set_with_right_hashes_and_another_signature_is_refused(house, tmp_path):
    at = copied(house, tmp_path / "sets")
    thief = Signer(key_name(ORIGIN), SignatureType.ED25519, bytes(range(32)))
    path = next(at["main"].glob(f"*/{sets.MANIFEST}"))
    path.write_bytes(notes.sign(notes.parse(path.read_bytes()).text, [thief]))
    changed = {kind: str(folder) for kind, folder in at.items()}
    done = house.restore(None, more=f"--log-key {house.vkey()}", **changed)
    assert done.returncode == 1
    assert "is not signed by the log's key that you trust" in done.stderr
    unproven = house.restore(None, **changed)
    assert unproven.returncode == 0
    assert (
        f"NOT PROVEN: nobody vouches for main; it says it is signed by {thief.verifier.key_id.hex()}" in unproven.stdout
    )


def test_a_home_that_is_not_empty_is_never_written_to(house, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "mine").write_text("mine")
    done = house.restore(tmp_path / "home")
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["mine"]
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]


def test_keys_never_go_where_the_main_database_is(house):
    before = sorted(path.name for path in house.at("main").iterdir())
    for wrong in (house.at("main"), house.at("main") / "below", house.plant.home / "backups"):
        refused = house.plant.run("backup", "--keys", str(wrong))
        assert refused.returncode == 1, refused.stdout
        assert "apart" in refused.stderr or "in each other" in refused.stderr
    assert sorted(path.name for path in house.at("main").iterdir()) == before
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


def test_a_restore_that_is_killed_leaves_no_home_and_the_next_one_succeeds(house, tmp_path):
    words = [sys.executable, "-m", "parcelward.doors.console", "restore", str(house.at("main"))]
    words += ["--keys", str(house.at("keys")), "--secrets", str(house.at("secrets")), "--key", str(house.private)]
    home, making = tmp_path / "home", tmp_path / ".home.restoring"
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PARCELWARD_", "DJANGO_"))}
    with subprocess.Popen([*words, "--into", str(home)], env=clean, stdout=subprocess.DEVNULL) as process:
        until((making / "postgres" / "main" / "postmaster.pid").exists, seconds=60, what="the restored database")
        process.kill()
    assert not home.exists()
    assert making.exists()
    done = house.restore(home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


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


def test_with_wal_everything_that_was_acknowledged_comes_back(house, tmp_path):
    house.backup()
    house.scan(10)
    with house.plant.database() as database:
        at = database.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
    assert at
    shipped = house.at("main") / "wal" / f"{at[0]}.note"
    until(shipped.exists, seconds=90, what="the WAL's way out")
    assert list((house.at("keys") / "wal").glob("*.note"))
    house.plant.kill_everything()  # and its disk is gone
    done = house.restore(tmp_path / "home", more=f"--log-key {ring(house)}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(house.acknowledged) <= events_in(tmp_path / "home")
    assert "The record and the log agree" in done.stdout

    # A segment that was changed, or is another's, is refused; without the last ones it ends earlier, and says so.
    segments = sorted((house.at("main") / "wal").glob(f"*{sets.SUFFIX}"))
    flip(segments[-1], 2_000)
    refused = house.restore(tmp_path / "other")
    assert refused.returncode == 1
    assert "SHA-256 differs" in refused.stderr
    assert not (tmp_path / "other").exists()
    flip(segments[-1], 2_000)
    segments[-1].with_suffix(".note").unlink()
    without = house.restore(tmp_path / "earlier")
    assert without.returncode == 0, without.stdout + without.stderr
