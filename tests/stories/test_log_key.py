"""The log gets new signing keys while everything runs: nobody restarts anything, and every old proof still holds.

The tests stand in the order of one log's life; each begins with whatever key the log has by then.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import signal
import stat
import subprocess
import sys
import uuid
from typing import Any

import httpx
import psutil
import pytest
from tests.at_once import at_once
from tests.doors.test_bundle import console
from tests.scanner import Scanner, event, new_number, until

from parcelward.base import config
from parcelward.custody import archive, keyring, keys, notes, policy, queries, rotation, stored_zip, succession
from parcelward.custody.errors import BadReceipt
from parcelward.custody.models import Fact
from parcelward.parcels import queries as parcels

LONG_AGO = dt.timedelta(days=31)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def text(installation: Any, path: str) -> str:
    answer = httpx.get(f"{installation.url}/log/{path}", timeout=30)
    assert answer.status_code == 200, (path, answer.text)
    return answer.text


def vkeys(installation: Any) -> list[str]:
    """Return the Ed25519 keys that /log/vkey gives as signing."""
    found = [keys.parse_vkey(each) for each in keys.vkeys_in(text(installation, "vkey"))]
    return [each.vkey for each in found if each.kind is keys.SignatureType.ED25519]


def signed_by(note: bytes | str, *others: str) -> set[str]:
    """Return the log's keys that signed a note."""
    known = {each.vkey for each in keyring.ring(config.get()).keys} | set(others)
    data = note.encode() if isinstance(note, str) else note
    return {each.verifier.vkey for each in notes.open_note(data, map(keys.parse_vkey, known)).verified}


def published(installation: Any) -> set[str]:
    return signed_by(text(installation, "checkpoint"))


def processes(installation: Any) -> set[int]:
    """Return the ids of what the supervisor runs: web and worker among it."""
    return {p.pid for p in psutil.Process(installation.process.pid).children()}


def facts() -> int:
    return Fact.objects.filter(kind=succession.KIND).count()


def key_files() -> set[str]:
    return {path.name for path in (config.get().home / "keys").iterdir() if path.name.startswith("log")}


def rotate(*, ago: dt.timedelta = dt.timedelta(0)) -> succession.Succession:
    said = rotation.rotate(config.get(), rotation.plan(config.get(), now=now() - ago), by=0)
    until(lambda: keyring.ring(config.get()).newest.vkey == said.new.vkey)
    until(lambda: said.new.vkey in signed_by(queries.published(config.get()) or b""))
    return said


@pytest.fixture(scope="module")
def scanner(installation, facilities):
    scanner = Scanner(installation, name="scanner of the key's story")
    scanner.send(event(new_number(), "accepted"))
    until(lambda: queries.published_size(config.get()) > 2)
    return scanner


@pytest.fixture(scope="module")
def before(installation, scanner, tmp_path_factory):
    """What a reader kept when the log had the key it has before this story: a bundle, a receipt, the key."""
    folder, number = tmp_path_factory.mktemp("kept"), new_number()
    receipt = scanner.send(event(number, "accepted"))["receipt"]
    until(lambda: httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["events_proven"] == 1)
    done = console("bundle", number, "--out", str(folder / "old.zip"))
    assert done.returncode == 0, done.stdout + done.stderr
    return {
        "zip": folder / "old.zip",
        "receipt": receipt,
        "vkey": keyring.ring(config.get()).newest.vkey,
        "item": number,
    }


def receipt_of(recorded: dt.datetime) -> str:
    """Return the text of a receipt for nothing."""
    origin, nothing = config.get().origin, hashlib.sha256(b"").hexdigest()
    return (
        f"{origin}/receipt\nbatch 0\nsource {uuid.uuid4()}\nsequence 1\nbody \ncount 0\ncommitments {nothing}\n"
        f"recorded {recorded:%Y-%m-%dT%H:%M:%S.%f}Z\npromise in the log within 10 s\n"
    )


def test_when_its_time_is_over_a_replaced_key_signs_no_more(installation, scanner):
    settings = config.get()
    old = keyring.log_signer(settings)
    said = rotate(ago=LONG_AGO)
    assert (said.old, said.until < now()) == (old.verifier, True)
    until(lambda: old.verifier.vkey not in published(installation))
    until(
        lambda: (
            old.verifier.vkey
            not in signed_by(scanner.send(event(new_number(), "accepted"))["receipt"], old.verifier.vkey)
        )
    )
    assert old.verifier.vkey not in text(installation, "vkey"), "nobody may take it for one that signs"
    assert old.verifier.vkey in text(installation, "succession")
    # What it signed in its time is still ours; what it signs now is not, whoever holds it.
    in_time, late = (notes.sign(receipt_of(now() - ago), [old]) for ago in (LONG_AGO, dt.timedelta(0)))
    assert queries.open_receipt(settings, in_time).signers == (old.verifier,)
    asked = httpx.post(f"{installation.url}/api/v1/receipts", content=in_time, timeout=30).json()
    assert asked["signed_by"] == [old.verifier.key_id.hex()]
    assert {old.verifier.vkey, said.new.vkey} <= set(asked["vkeys"])
    with pytest.raises(BadReceipt, match="had been replaced"):
        queries.open_receipt(settings, late)
    # Its file is destroyed, and all that follows works without it.
    number = old.verifier.key_id.hex()
    for name in ("log", f"log-{number}"):
        path = settings.home / "keys" / name
        if path.exists() and base64.b64decode(path.read_text()) == old.seed:
            path.unlink()
    parcels.verify_log(settings)


def test_a_rehearsal_and_a_missing_yes_change_nothing(installation, before):
    had = (key_files(), facts(), vkeys(installation))
    rehearsed = console("log-key", "rotate", "--dry-run")
    assert rehearsed.returncode == 0, rehearsed.stderr
    for words in ("What follows", "It cannot be taken back", "until 20", "rehearsal"):
        assert words in rehearsed.stdout
    assert before["vkey"].split("+", 2)[1] in rehearsed.stdout
    asked = console("log-key", "rotate")
    assert asked.returncode == 1
    assert "nobody is here to be asked" in asked.stderr
    assert "Nothing was done" in asked.stdout
    assert (key_files(), facts(), vkeys(installation)) == had


@pytest.mark.asvs("11.2.2")
def test_a_new_key_signs_beside_the_old_one_and_nothing_is_restarted(installation, scanner, before):
    running = processes(installation)
    assert len(running) >= 2
    done = console("log-key", "rotate", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    until(lambda: len(vkeys(installation)) >= 2 and vkeys(installation)[0] != vkeys(installation)[-1])
    new = vkeys(installation)[-1]
    assert new in done.stdout
    assert new != before["vkey"]
    until(lambda: {before["vkey"], new} <= published(installation))
    number = new_number()
    receipt = until(
        lambda: (
            given
            if {before["vkey"], new} <= signed_by(given := scanner.send(event(new_number(), "accepted"))["receipt"])
            else ""
        )
    )
    assert receipt.count("— ") >= 2
    scanner.send(event(number, "accepted"))
    until(lambda: httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["events_proven"] == 1)
    assert {before["vkey"], new} <= set(
        httpx.get(f"{installation.url}/api/v1/items/{number}/proofs", timeout=30).json()["vkeys"]
    )
    shown = text(installation, "vkey")
    assert {before["vkey"], new} <= {keys.parse_vkey(line).vkey for line in shown.splitlines()}, (
        "keys, and nothing else"
    )
    made = config.get().home / "keys" / f"log-{new.split('+', 2)[1]}"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert processes(installation) >= running, "nobody was restarted"
    parcels.verify_log(config.get())


def test_either_key_opens_old_and_new_bundles(installation, scanner, before, tmp_path):
    new, chain, fresh = vkeys(installation)[-1], tmp_path / "succession.json", tmp_path / "new.zip"
    chain.write_text(text(installation, "succession"))
    links = succession.read(chain.read_bytes())
    assert links[-1].said.new.vkey == new
    done = console("bundle", before["item"], "--out", str(fresh))
    assert done.returncode == 0, done.stderr
    files = stored_zip.read(fresh.read_bytes())
    logs = [each.vkey for each in policy.parse(files["policy.txt"]).logs]
    assert {before["vkey"], new} <= set(logs)
    assert logs[-1] == keyring.ring(config.get()).archive_vkey
    assert succession.read(files["succession.json"])[-1].said == links[-1].said
    for key in (before["vkey"], new):
        checked = console("verify", str(fresh), "--key", key, away=tmp_path)
        assert checked.returncode == 0, checked.stdout
        assert key.split("+", 2)[1] in checked.stdout, "the report names the keys"
    served = console("verify", str(fresh), "--key", text(installation, "vkey"), away=tmp_path)
    assert served.returncode == 0, "what the log answers may be given as it is, a line for each key"
    none = console("verify", str(fresh), "--key", new[:-9], away=tmp_path)
    assert (none.returncode, none.stdout) == (2, ""), "a bad key is no finding about the file"
    assert "--key takes what" in none.stderr
    assert console("verify", str(before["zip"]), "--key", new, away=tmp_path).returncode == 1
    proven = console("verify", str(before["zip"]), "--key", new, "--succession", str(chain), away=tmp_path)
    assert proven.returncode == 0, proven.stdout


def test_a_receipt_of_the_old_key_is_checked_with_either(installation, before, tmp_path):
    new, chain, saved = vkeys(installation)[-1], tmp_path / "succession.json", tmp_path / "receipt.json"
    chain.write_text(text(installation, "succession"))
    answer = httpx.post(f"{installation.url}/api/v1/receipts", content=before["receipt"], timeout=30)
    saved.write_bytes(answer.content)
    assert answer.json()["signed_by"] == [before["vkey"].split("+", 2)[1]]
    assert console("verify", str(saved), "--key", before["vkey"], away=tmp_path).returncode == 0
    assert console("verify", str(saved), "--key", new, away=tmp_path).returncode == 1
    proven = console("verify", str(saved), "--key", new, "--succession", str(chain), away=tmp_path)
    assert proven.returncode == 0, proven.stdout
    assert f"signed by key {before['vkey'].split('+', 2)[1]}" in proven.stdout


def test_two_at_once_make_one_successor(installation, before):
    agreed, had = rotation.plan(config.get(), now=now()), facts()
    results = at_once(*[lambda: rotation.rotate(config.get(), agreed, by=0)] * 2)
    won = [each for each in results if isinstance(each, succession.Succession)]
    assert len(won) == 1, results
    assert facts() == had + 1
    assert f"log-{won[0].new.key_id.hex()}" in key_files()
    until(lambda: won[0].new.vkey in published(installation))
    assert {each.vkey for each in keyring.ring(config.get()).signing(now())} <= published(installation), (
        "two in a row: all three sign"
    )


def test_one_that_is_killed_before_its_commit_leaves_nothing(installation, before):
    had, newest = facts(), keyring.ring(config.get()).newest
    code = (
        "import django, os, signal; django.setup()\n"
        "from django.utils import timezone\n"
        "from parcelward.base import config\n"
        "from parcelward.custody import rotation\n"
        "rotation.record_fact = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "rotation.rotate(config.get(), rotation.plan(config.get(), now=timezone.now()), by=0)\n"
    )
    files = key_files()
    killed = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    orphan = key_files() - files
    assert len(orphan) == 1, "the key was made, and nothing names it"
    assert facts() == had
    assert keyring.from_entries(config.get()).newest == newest
    # Nor does it matter when the worker dies in the middle.
    installation.worker().kill()
    said = rotate()
    assert said.old.vkey == newest.vkey
    assert not orphan & key_files(), "the next rotation removes it"


def test_no_more_than_a_few_keys_sign_at_once(installation, before):
    signing = keyring.ring(config.get()).signing(now())
    assert len(signing) == rotation.SIGNING_MAX
    had = (facts(), key_files())
    refused = console("log-key", "rotate", "--yes")
    assert refused.returncode == 1
    assert f"{rotation.SIGNING_MAX} keys sign already; the oldest ends on" in refused.stderr
    assert (facts(), key_files()) == had


def test_the_whole_record_still_agrees(installation, before, tmp_path):
    scanner = Scanner(installation)
    scanner.send(event(new_number(), "accepted"))
    parcels.verify_log(config.get())
    links = succession.read(text(installation, "succession").encode())
    assert [each.said.number for each in links] == list(range(1, len(links) + 1))
    assert links[-1].said.new.vkey == keyring.ring(config.get()).newest.vkey


def test_an_archive_checkpoint_is_kept_of_today_and_everybody_can_check_it(installation, before):
    listed = httpx.get(f"{installation.url}/log/archive", timeout=30)
    assert listed.headers["Cache-Control"] == "no-cache"
    rows = listed.json()["data"]
    assert rows
    answer = httpx.get(f"{installation.url}{rows[-1]['path']}", timeout=30)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    known = [keys.parse_vkey(each) for each in keys.vkeys_in(text(installation, "vkey"))]
    late = [each for each in known if each.kind is keys.SignatureType.COSIGNATURE_MLDSA44]
    assert len(late) == 1
    signed = archive.open_archived(answer.content, logs=keyring.ring(config.get()).verifiers, archive=late)
    assert archive.day_of(signed) == rows[-1]["day"]
    assert 0 < signed.checkpoint.size <= queries.published_size(config.get())
    for wrong in ("2020-01-01", "keys", "..", "2026-11-25x"):
        assert httpx.get(f"{installation.url}/log/archive/{wrong}", timeout=30).status_code == 404
    held = config.get().home / "keys" / "log-mldsa44"
    assert stat.S_IMODE(held.stat().st_mode) == 0o600


def test_a_bundle_holds_the_archive_checkpoint_that_covers_its_events(installation, before, tmp_path):
    settings, held = config.get(), tmp_path / "bundle.zip"
    head = notes.open_checkpoint(queries.published(settings) or b"", logs=keyring.ring(settings).verifiers).checkpoint
    signers, late = keyring.signers_here(settings), keyring.archive_signer(settings)
    tomorrow = now() + dt.timedelta(days=1)
    archive.keep(settings.log_folder, head, signers=signers, archive=late, now=tomorrow)
    try:
        done = console("bundle", before["item"], "--out", str(held))
        files = stored_zip.read(held.read_bytes())
        assert files[archive.NOTE] == queries.archived(settings, f"{tomorrow:%Y-%m-%d}")
        assert f"first {head.size} entries, signed as well with the ML-DSA-44 key" in done.stdout
        known = keys.vkeys_in(text(installation, "vkey"))
        checked = console("verify", str(held), *(word for key in known for word in ("--key", key)), away=tmp_path)
        assert checked.returncode == 0, checked.stdout
        assert late.verifier.key_id.hex() in checked.stdout
        parcels.verify_log(settings)
    finally:
        (settings.log_folder / archive.FOLDER / f"{tomorrow:%Y-%m-%d}").unlink()
