"""The restore drill: a working house is backed up, goes on, is destroyed, and comes back with all that was promised."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.faults.plant import Plant, until
from tests.scanner import Scanner, event, new_number
from tests.stories.backed_up import (
    ORIGIN,
    a_house,
    copied,
    events_in,
    flip,
)

from parcelward.base.backups import recipients, sets
from parcelward.custody import checkpoints, notes
from parcelward.custody.keys import SignatureType, Signer, key_name

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with a_house(tmp_path_factory.mktemp("drill")) as made:
        yield made


def test_what_was_acknowledged_before_the_backup_comes_back_and_is_proven(house, tmp_path):
    house.scan(20)
    until(lambda: house.plant.published_size() >= 40, seconds=30, what="the log")
    said = house.backup()
    promised, vkey = list(house.acknowledged), house.vkey()
    for kind in sets.KINDS:
        assert str(house.newest(kind)) in said
    manifest = sets.parse_manifest(notes.parse((house.newest("main") / sets.MANIFEST).read_bytes()).text)
    house.scan(5)

    done = house.restore(tmp_path / "home", log=f"--log-key {vkey}")
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
    done = house.restore(tmp_path / "home", **changed)
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
    done = house.restore(None, **changed)
    assert done.returncode == 1
    assert "is not signed by the log's key that you trust" in done.stderr
    unproven = house.restore(None, log="--without-log-key", **changed)
    assert unproven.returncode == 0
    assert (
        f"NOT PROVEN: nobody vouches for main; it says it is signed by {thief.verifier.key_id.hex()}" in unproven.stdout
    )


def test_without_the_logs_key_nothing_is_restored_unless_somebody_says_so(house, tmp_path):
    for into in (None, tmp_path / "home"):
        refused = house.restore(into, log="")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "with --log-key VKEY" in refused.stderr, refused.stderr
        assert "--without-log-key" in refused.stderr
    both = house.restore(tmp_path / "home", more="--without-log-key")
    assert (both.returncode, both.stdout) == (1, ""), "a key and none is a slip of the hand"
    assert list(tmp_path.iterdir()) == [], "nothing was made"
    told = house.restore(tmp_path / "home", log="--without-log-key", more="--without-wal")
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count("NOT PROVEN") == len(sets.KINDS)
    assert (tmp_path / "home" / "log" / "checkpoint").exists()


def test_a_home_that_is_not_empty_is_never_written_to(house, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "mine").write_text("mine")
    done = house.restore(tmp_path / "home")
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["mine"]
    assert list(tmp_path.iterdir()) == [tmp_path / "home"]


def test_a_restore_that_is_killed_leaves_no_home_and_the_next_one_succeeds(house, tmp_path):
    words = [sys.executable, "-m", "parcelward.doors.console", "restore", str(house.at("main"))]
    words += ["--keys", str(house.at("keys")), "--secrets", str(house.at("secrets")), "--key", str(house.private)]
    words += ["--log-key", house.log_key]
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
    done = house.restore(tmp_path / "home")
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
