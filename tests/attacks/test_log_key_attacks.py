"""Whoever reaches the database, the files or a key that was replaced, makes himself no key of the log."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os

import pytest
from django.db import transaction
from django.utils import timezone
from tests.attacks.test_tampered_log import copied
from tests.attacks.untouched import untouched
from tests.scanner import until

from parcelward.base import config
from parcelward.custody import archive, checkpoints, keyring, keys, notes, queries, rotation, succession
from parcelward.custody.actions import Sequencer
from parcelward.custody.errors import EntryDiffers, LogDiverged
from parcelward.custody.models import Fact, LogState
from parcelward.parcels import queries as parcels

home = copied  # settings whose log and keys are a copy of the installation's; the database is its own


@pytest.fixture(scope="module")
def replaced(installation, facilities):
    """Return the signer of a key that was replaced and whose time is over; the log has had two keys at least.

    Over, so that whatever runs after this in the same installation meets one signing key, as it does when run alone.
    """
    settings = config.get()
    until(lambda: queries.published_size(settings) > 0)
    if len(keyring.ring(settings).keys) == 1:
        long_ago = timezone.now() - dt.timedelta(days=31)
        said = rotation.rotate(settings, rotation.plan(settings, now=long_ago), by=0)
        until(lambda: keyring.ring(settings).newest.vkey == said.new.vkey)
        line = f"{settings.origin} {said.new.key_id.hex()}"
        until(lambda: line in {f"{each.name} {each.key_id.hex()}" for each in published(settings).signatures})
    return keyring.signer(settings, keyring.ring(settings).keys[-2].vkey)


def published(settings):
    return notes.parse(queries.published(settings) or b"")


def stranger(settings):
    return keys.Signer(keys.key_name(settings.origin), keys.SignatureType.ED25519, os.urandom(32))


def both_sign(home):
    """Put the copy into the days in which the key before the newest still signs."""
    path = home.log_folder / keyring.SIGNERS
    held = json.loads(path.read_text())
    held["keys"][-2]["until"] = (timezone.now() + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    path.write_text(json.dumps(held))


def differs(settings):
    with pytest.raises(EntryDiffers) as caught:
        parcels.verify_log(settings)
    return caught.value.differs


def text_now(settings):
    state = LogState.objects.get(id=1)
    return checkpoints.Checkpoint(settings.origin, state.size, bytes(state.root)).text


def test_an_honest_copy_agrees(replaced, home):
    parcels.verify_log(home)
    Sequencer(home).close()


def test_a_checkpoint_by_a_replaced_key_alone_is_found(replaced, home):
    (home.log_folder / "checkpoint").write_bytes(notes.sign(text_now(home), [replaced]))
    assert differs(home) == "checkpoint"


def test_a_checkpoint_by_a_stranger_is_found(replaced, home):
    (home.log_folder / "checkpoint").write_bytes(notes.sign(text_now(home), [stranger(home)]))
    assert differs(home) == "checkpoint"


def test_a_key_that_only_the_files_name_is_found_and_cleared_away(replaced, home):
    path, new = home.log_folder / keyring.SIGNERS, stranger(home)
    honest = path.read_bytes()
    held = json.loads(honest)
    held["keys"].append({"vkey": new.verifier.vkey, "since": None, "until": None})
    path.write_text(json.dumps(held))
    (home.home / "keys" / f"log-{new.verifier.key_id.hex()}").write_text("")
    assert differs(home) == "keys"
    newest, now = keyring.ring(config.get()).newest.vkey, timezone.now()
    agreed = rotation.Plan(newest, now, now + dt.timedelta(days=30), ())
    with untouched(), pytest.raises(LogDiverged, match="no entry of the log names"):
        rotation.rotate(home, agreed, by=0)
    Sequencer(home).close()
    assert path.read_bytes() == honest


@pytest.mark.parametrize("who", ["stranger", "replaced"])
def test_an_entry_that_the_newest_key_did_not_sign_makes_no_key(replaced, home, who):
    """An insider writes the row, and even the entry; without the newest key it starts nothing."""
    old, new = keyring.log_signer(home), stranger(home)
    by = replaced if who == "replaced" else new
    since = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
    number, until_ = len(keyring.ring(home).keys), since + dt.timedelta(days=900)
    said = succession.Succession(home.origin, number, old.verifier, new.verifier, since, until_)
    if who == "replaced":
        said = dataclasses.replace(said, old=replaced.verifier)
    note = notes.sign(said.text, [by, new] if by != new else [new]).decode()
    with transaction.atomic():
        body = json.dumps({"at": timezone.now().isoformat(), "kind": succession.KIND, "note": note}).encode()
        row = {"record_time": timezone.now(), "kind": succession.KIND, "body": body, "salt": bytes(32)}
        Fact.objects.create(batch=2**62, leaf=0, **row)
        with pytest.raises(LogDiverged) as caught:
            Sequencer(home).close()
        assert caught.value.differs == "keys"
        with pytest.raises(LogDiverged):
            rotation.plan(home, now=timezone.now())
        transaction.set_rollback(True)
    Sequencer(home).close()


def test_without_the_private_half_nothing_is_signed(replaced, home):
    newest = keyring.log_signer(home).verifier
    (home.home / "keys" / f"log-{newest.key_id.hex()}").unlink()
    keyring.signer.cache_clear()
    before = (home.log_folder / "checkpoint").read_bytes()
    with pytest.raises(LogDiverged, match="is not in") as caught:
        Sequencer(home).close()
    assert caught.value.differs == "keys"
    assert (home.log_folder / "checkpoint").read_bytes() == before


def test_a_web_process_on_another_home_takes_scans_with_the_key_that_it_has(replaced, home):
    newest = keyring.log_signer(home).verifier
    both_sign(home)
    (home.home / "keys" / f"log-{newest.key_id.hex()}").unlink()
    keyring.signer.cache_clear()
    note = queries.sign_receipts(home, ["a promise\n"])[0].encode()
    assert notes.open_note(note, [replaced.verifier]).verified
    assert newest.key_id not in {each.key_id for each in notes.parse(note).signatures}
    for path in (home.home / "keys").glob("log*"):
        path.unlink()
    keyring.signer.cache_clear()
    with pytest.raises(LogDiverged, match="is not in"):
        queries.sign_receipts(home, ["a promise\n"])


def test_a_lost_first_key_is_never_made_anew(replaced, home):
    """It may be destroyed once it signs no more: then nothing may take its place."""
    (home.home / "keys" / "log").unlink(missing_ok=True)
    (home.log_folder / keyring.SIGNERS).unlink()
    with pytest.raises(LogDiverged, match="start the worker"):
        keyring.ring(home)
    assert not (home.home / "keys" / "log").exists()


def test_an_archive_checkpoint_that_was_changed_is_found(replaced, home):
    days = archive.days(home.log_folder)
    assert days
    path = home.log_folder / archive.FOLDER / days[0]
    honest, late = path.read_bytes(), keyring.archive_signer(home)
    head = notes.open_checkpoint(honest, logs=keyring.ring(home).verifiers).checkpoint
    signers = keyring.signers_here(home)
    at = int(timezone.now().timestamp())
    yesterday = at - 86_400
    other = keys.Signer(keys.key_name(home.origin), keys.SignatureType.COSIGNATURE_MLDSA44, os.urandom(32))
    forked = dataclasses.replace(head, root=bytes(32))
    for note in (
        notes.sign(head.text, signers),
        notes.sign(head.text, [late], timestamp_s=at),
        notes.sign(head.text, [*signers, other], timestamp_s=at),
        notes.sign(head.text, [*signers, late], timestamp_s=yesterday),
        notes.sign(forked.text, [*signers, late], timestamp_s=at),
    ):
        path.write_bytes(note)
        assert differs(home) == f"archive checkpoint of {days[0]}"
    path.write_bytes(honest)
    parcels.verify_log(home)
