"""A new key of label codes: labels that live are believed, new ones have new codes, in the end the old key is gone."""

from __future__ import annotations

import datetime as dt
import secrets
import threading

import pytest
from django.utils import timezone
from tests.doors.test_bundle import console
from tests.privacy.conftest import person
from tests.privacy.label_desk import CLAIM, OFFICE, binding_holds, made_with, make_keys, sealed

from parcelward.base import config
from parcelward.custody.models import Fact
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role
from parcelward.privacy import actions, keepers
from parcelward.privacy.errors import KeysAway
from parcelward.privacy.keyfiles import KeyFile
from parcelward.privacy.sealing import rules, wire


def holds(label) -> bool:
    return binding_holds(label.item, OFFICE, 900, label.label_code)


@pytest.fixture(autouse=True)
def stations(installation):
    make_keys()


@pytest.mark.asvs("11.2.2")
def test_labels_are_believed_while_their_keys_successor_is_made(machinery):
    old, odd, stop, seen = sealed(), [], threading.Event(), [0]

    def check() -> None:
        while not stop.is_set():
            seen[0] += 1
            if not holds(old):
                odd.append(seen[0])

    checks = [threading.Thread(target=check, daemon=True) for _ in range(2)]
    for each in checks:
        each.start()
    made = [actions.rotate_label_code(by=machinery, now=timezone.now()) for _ in range(3)]
    new = sealed()
    stop.set()
    for each in checks:
        each.join(30)
    assert odd == []
    assert seen[0] > 10
    assert made == sorted(set(made))
    assert holds(new)
    newest = keepers.label_codes().newest()
    assert newest.number == made[-1]
    weight = wire.weight_class(900)
    assert made_with(newest.secret, new.item, OFFICE, weight, new.label_code)


@pytest.mark.asvs("11.2.2")
def test_the_old_key_goes_when_its_last_labels_are_dark_and_not_before(machinery):
    old, now = sealed(), timezone.now()
    before = keepers.label_codes().newest()
    made = actions.rotate_label_code(by=machinery, now=now)
    dark = rules.epoch_ends(rules.epoch_of(now)) + CLAIM
    actions.end_label_codes(claim=CLAIM, by=machinery, now=dark - dt.timedelta(seconds=1))
    assert holds(old)
    assert actions.end_label_codes(claim=CLAIM, by=machinery, now=dark) >= 1
    assert actions.end_label_codes(claim=CLAIM, by=machinery, now=dark) == 0, "twice changes nothing"
    assert list(keepers.label_codes().versions()) == [made]
    assert not holds(old)
    assert before.secret not in [each.secret for each in keepers.label_codes().versions().values()]
    assert Fact.objects.filter(kind="privacy.label_code_retired").exists()
    assert holds(sealed())


def test_a_stolen_key_is_believed_no_more_and_whoever_has_it_makes_no_label(machinery):
    old, thief = sealed(), keepers.label_codes().newest().secret
    rehearsed = console("secrets", "rotate", "label-code", "--dry-run", "--stolen")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert "rehearsal" in rehearsed.stdout
    assert holds(old)
    done = console("secrets", "rotate", "label-code", "--stolen")
    assert done.returncode == 0, done.stderr
    assert "Make it anew" in done.stdout
    path = config.get().home / "keys" / "label-code"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text().splitlines()) == 1
    assert not holds(old)
    digest = bytes.fromhex(old.label_code)[8:]
    weight = wire.weight_class(900)
    code = rules.code(thief, item=old.item, destination=OFFICE, weight_class=weight, digest=digest)
    forged = (code + digest).hex()
    assert not binding_holds(old.item, OFFICE, 900, forged)
    assert holds(sealed())


def test_only_who_turns_keys_may(machinery):
    before = dict(keepers.label_codes().versions())
    for deed in (
        lambda by: actions.rotate_label_code(by=by, now=timezone.now()),
        lambda by: actions.end_label_codes(claim=CLAIM, by=by, now=timezone.now() + dt.timedelta(days=900)),
    ):
        with pytest.raises(MayNot):
            deed(person(Role.CLERK))
    assert dict(keepers.label_codes().versions()) == before


def test_a_key_from_before_there_were_versions_is_the_first(tmp_path):
    path, secret = tmp_path / "label-code", secrets.token_bytes(32)
    path.write_text(secret.hex())
    path.chmod(0o600)
    file = KeyFile(path, in_use=lambda: True)
    assert file.newest().secret == secret
    assert file.add(now=timezone.now()).number == 2
    again = KeyFile(path, in_use=lambda: True)
    assert [each.secret == secret for each in again.versions().values()] == [True, False]


def test_a_key_that_is_lost_while_labels_are_about_is_not_made_anew(machinery):
    sealed()
    file = keepers.label_codes()
    path = config.get().home / "keys" / "label-code"
    kept = path.read_bytes()
    path.unlink()
    try:
        with pytest.raises(KeysAway):
            file.versions()
        assert not path.exists()
    finally:
        path.write_bytes(kept)
        path.chmod(0o600)
