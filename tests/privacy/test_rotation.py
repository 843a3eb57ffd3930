"""A new key-encryption key under load: no read fails, a kill is made good, an old version goes only when it may."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import threading

import pytest
from django.db import connections
from django.utils import timezone
from tests.privacy.conftest import person
from tests.privacy.test_vault import opened

from parcelward.base import config
from parcelward.base.config import BadSetting
from parcelward.base.errors import Conflict, NotFound
from parcelward.people.errors import MayNot
from parcelward.people.wire import Role
from parcelward.privacy import actions, keepers, queries
from parcelward.privacy.actions import turn_keys
from parcelward.privacy.cipher import person_context
from parcelward.privacy.errors import KeysAway, NotAuthentic
from parcelward.privacy.keepers import FileKeeper
from parcelward.privacy.keyfiles import KeyFile
from parcelward.privacy.models import PersonKey
from parcelward.privacy.wire import Field, Kind, Purpose


def name_of(token, by):
    return opened(token, [Field.NAME], purpose=Purpose.LETTER, by=by)[Field.NAME]


@pytest.mark.asvs("11.2.2")
def test_every_read_succeeds_while_all_keys_are_wrapped_anew(machinery, anna, monkeypatch):
    monkeypatch.setattr(turn_keys, "AT_ONCE", 25)
    tokens = list(actions.put_many([anna] * 200, kind=Kind.ADDRESSEE, by=machinery))
    stop, odd, reads, puts = threading.Event(), [], [0], []

    def read() -> None:
        while not stop.is_set():
            for token in tokens[::7]:
                try:
                    assert name_of(token, machinery) == anna[Field.NAME]
                    reads[0] += 1
                except Exception as err:  # noqa: BLE001 -- whatever it is, the test names it
                    odd.append(err)
        connections.close_all()

    def put() -> None:
        while not stop.is_set():
            try:
                puts.append(actions.put({Field.NAME: anna[Field.NAME]}, kind=Kind.SENDER, by=machinery))
            except Exception as err:  # noqa: BLE001 -- as above
                odd.append(err)
        connections.close_all()

    busy = [threading.Thread(target=each, daemon=True) for each in (read, read, put)]
    for each in busy:
        each.start()
    before = max(keepers.keeper().versions())
    for n in (1, 2):
        turned = actions.rotate_kek(by=machinery, now=timezone.now())
        assert (turned.version, turned.resumed) == (before + n, False)
        assert turned.rewrapped >= 200
    stop.set()
    for each in busy:
        each.join(60)
    assert odd == []
    assert reads[0] > 20
    assert puts
    turn_keys.rewrap(before + 2)  # what was put in the very moment
    assert {n for version, n in queries.kek_status().items() if version != before + 2} <= {0}
    assert all(name_of(token, machinery) == anna[Field.NAME] for token in (*tokens[:5], *puts[:5]))


def test_a_rotation_that_was_killed_is_ended_and_no_other_begun(machinery, anna, monkeypatch):
    monkeypatch.setattr(turn_keys, "AT_ONCE", 10)
    tokens = actions.put_many([anna] * 40, kind=Kind.ADDRESSEE, by=machinery)
    real, calls = turn_keys._rewrap_some, iter(range(100_000))

    def dies(newest, after):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return real(newest, after)

    with monkeypatch.context() as killed:
        killed.setattr(turn_keys, "_rewrap_some", dies)
        with pytest.raises(KeyboardInterrupt):
            actions.rotate_kek(by=machinery, now=timezone.now())
    assert all(name_of(token, machinery) == anna[Field.NAME] for token in tokens[::8])
    newest = max(keepers.keeper().versions())
    turned = actions.rotate_kek(by=machinery, now=timezone.now())
    assert (turned.version, turned.resumed) == (newest, True)
    assert set(PersonKey.objects.filter(person__in=tokens).values_list("kek_version", flat=True)) == {newest}


def test_two_rotations_do_not_wrap_each_others_keys_without_end(machinery):
    refused: list[str] = []

    def second() -> None:
        with pytest.raises(Conflict) as caught:
            actions.rotate_kek(by=machinery, now=timezone.now())
        refused.append(caught.value.code)
        connections.close_all()

    before = keepers.keeper().versions()
    with turn_keys._turn():
        other = threading.Thread(target=second, daemon=True)
        other.start()
        other.join(30)
    assert refused == ["rotating"]
    assert keepers.keeper().versions() == before


def test_a_person_deleted_in_the_middle_does_not_come_back(machinery, anna, monkeypatch):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    keeper = keepers.keeper()
    real = keeper.wrap

    def deleted_meanwhile(key, context, kek_version):
        PersonKey.objects.filter(person=token).delete()
        return real(key, context, kek_version)

    monkeypatch.setattr(keeper, "wrap", deleted_meanwhile)
    newest = keeper.make(now=timezone.now())
    turn_keys.rewrap(newest)
    assert not PersonKey.objects.filter(person=token).exists()


def test_an_old_version_goes_only_when_nothing_needs_it(machinery, anna):
    actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    actions.rotate_kek(by=machinery, now=timezone.now())
    *_, old, newest = keepers.keeper().versions()
    now = timezone.now()
    for version, when, code in (
        (newest, now + dt.timedelta(days=30), "newest"),
        (old, now + dt.timedelta(days=6), "too_early"),
    ):
        with pytest.raises(Conflict) as refused:
            actions.retire_kek(version, by=machinery, now=when)
        assert refused.value.code == code
    with pytest.raises(Conflict):
        actions.retire_kek(old, by=machinery, now=now + dt.timedelta(minutes=9), backups_gone=True)
    with pytest.raises(NotFound):
        actions.retire_kek(999, by=machinery, now=now)
    with pytest.raises(MayNot):
        actions.retire_kek(old, by=person(Role.INSPECTOR), now=now + dt.timedelta(days=30))
    with pytest.raises(MayNot):
        actions.rotate_kek(by=person(Role.INSPECTOR), now=now)
    assert old in keepers.keeper().versions()
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    row = PersonKey.objects.get(person=token)
    wrapped, keeper = bytes(row.wrapped), keepers.keeper()
    key = keeper.unwrap(wrapped, person_context(token, 1), newest)
    again = keeper.wrap(key, person_context(token, 1), old)
    PersonKey.objects.filter(person=token).update(kek_version=old, wrapped=again)
    with pytest.raises(Conflict) as refused:
        actions.retire_kek(old, by=machinery, now=now + dt.timedelta(days=30))
    assert refused.value.code == "in_use"
    assert actions.rotate_kek(by=machinery, now=now).rewrapped >= 1
    actions.retire_kek(old, by=machinery, now=timezone.now() + dt.timedelta(days=8))
    assert old not in keepers.keeper().versions()
    assert name_of(token, machinery) == anna[Field.NAME]


def test_the_command_says_what_it_did(machinery, anna):
    actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)

    def vault(*words):
        done = subprocess.run(
            [sys.executable, "-m", "parcelward.doors.console", "vault", *words],
            capture_output=True, text=True, timeout=120, env=os.environ, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    code, out, _ = vault("rotate-kek", "--quiet")
    turned = json.loads(out)
    assert (code, turned["version"]) == (0, max(keepers.keeper().versions()))
    code, out, _ = vault("status")
    wraps = json.loads(out)["keys_by_kek_version"]
    assert {version for version, n in wraps.items() if n} == {str(turned["version"])}
    code, out, err = vault("retire", str(turned["version"]))
    assert (code, out) == (1, "")
    assert "newest" in err


@pytest.mark.asvs("13.3.2")
def test_a_key_file_that_others_may_read_is_refused_with_what_to_type(tmp_path):
    keeper = FileKeeper(tmp_path / "keys" / "vault-kek")
    keeper._file._in_use = lambda: False
    assert keeper.versions() == (1,)
    path = tmp_path / "keys" / "vault-kek"
    assert path.stat().st_mode & 0o777 == 0o600
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        with pytest.raises(BadSetting) as refused:
            KeyFile(path, in_use=lambda: True).versions()
        assert f"chmod 600 {path}" in str(refused.value)


def test_a_key_file_that_is_gone_or_broken_is_not_made_anew_while_something_needs_it(tmp_path):
    path = tmp_path / "keys" / "vault-kek"
    for content in (None, "", "1 2026-01-01T00:00:00+00:00 c2hvcnQ=\n", "nonsense\n"):
        path.parent.mkdir(exist_ok=True)
        if content is not None:
            path.write_text(content)
            path.chmod(0o600)
        with pytest.raises(KeysAway):
            KeyFile(path, in_use=lambda: True).versions()
        assert not path.exists() or path.read_text() == content
        path.unlink(missing_ok=True)


def test_two_processes_that_begin_at_once_have_one_key(tmp_path):
    path = tmp_path / "keys" / "vault-kek"
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(KeyFile(path, in_use=lambda: False).newest().secret), daemon=True)
        for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.asvs("11.3.3")
def test_a_wrapped_key_opens_for_its_person_version_and_kek_alone(machinery, anna):
    one, two = actions.put_many([anna] * 2, kind=Kind.ADDRESSEE, by=machinery)
    row = PersonKey.objects.get(person=one)
    keeper = keepers.keeper()
    for who, version, kek, wrapped in (
        (two, 1, row.kek_version, bytes(row.wrapped)),
        (one, 2, row.kek_version, bytes(row.wrapped)),
        (one, 1, row.kek_version, bytes(row.wrapped[:-1]) + bytes([row.wrapped[-1] ^ 1])),
        (one, 1, row.kek_version, b""),
    ):
        with pytest.raises(NotAuthentic):
            keeper.unwrap(wrapped, person_context(who, version), kek)
    with pytest.raises(KeysAway):
        keeper.unwrap(bytes(row.wrapped), person_context(one, 1), 10_000)


@pytest.mark.asvs("16.2.5")
def test_no_secret_stands_in_a_repr():
    newest = keepers.index_secrets()[max(keepers.index_secrets())]
    assert newest.secret.hex() not in repr(newest)
    assert str(newest.secret) not in repr(newest)
    assert (config.get().home / "keys" / "vault-index").stat().st_mode & 0o777 == 0o600
