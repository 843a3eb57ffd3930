"""`parcelward check --production`: each check is seen red for what it is about, and green without it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import subprocess
import sys
from typing import Any

import pytest

from parcelward.base import config
from parcelward.base.backups import recipients
from parcelward.doors.production import checks, looking
from parcelward.doors.production.checks import Seen, Server, Severity

NOW = dt.datetime(2026, 5, 4, tzinfo=dt.UTC)
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on"}
HERE = Server(
    host="/run/pg",
    sslmode="",
    password="",
    embedded=True,
    answers=True,
    settings=DURABLE,
    identifier="1",
    name="parcelward",
)


def good(**changed) -> Seen:
    """Return an installation with which nothing is wrong, but for what is changed: of it, or of its settings."""
    settings = dataclasses.replace(
        config.get(),
        mode="production",
        public_url="https://post.example",
        bind="127.0.0.1",
        trusted_proxies=1,
        witnesses=("a=http://a", "b=http://b", "c=http://c"),
        witness_quorum=2,
        tsa_url="https://tsa.example",
        erasure_wait_days=7,
        kek="pkcs11:token=post",
        smtp_url="smtp://mail.example:587",
    )
    names = {field.name for field in dataclasses.fields(config.Config)}
    settings = dataclasses.replace(settings, **{name: value for name, value in changed.items() if name in names})
    seen = Seen(
        settings=settings,
        hsts_s=31_536_000,
        open_files=(),
        vault_files=(),
        home_mode=0o755,
        samples=(),
        weak_secrets=(),
        private_backup_keys=(),
        backup_keys=1,
        backups=dict.fromkeys(("main", "keys", "secrets"), NOW - dt.timedelta(hours=3)),
        main=HERE,
        keys=dataclasses.replace(HERE, identifier="2"),
        administrators=2,
        clock_synchronised=True,
        now=NOW,
    )
    return dataclasses.replace(seen, **{name: value for name, value in changed.items() if name not in names})


def remote(**changed) -> Server:
    server = Server(
        host="db.example",
        sslmode="verify-full",
        password="4Zq8-kd93",
        embedded=False,
        answers=True,
        settings=DURABLE,
        identifier="3",
    )
    return dataclasses.replace(server, **changed)


RED: dict[str, list[dict[str, Any]]] = {
    "mode": [{"mode": "test"}],
    "https": [{"public_url": "http://localhost:8000"}],
    "front_tls": [{"front": ("TLS 1.1 or older is spoken, too",)}],
    "hsts": [{"hsts_s": 0}, {"hsts_s": 3_600}],
    "trusted_proxies": [{"trusted_proxies": 0}],
    "bind": [{"bind": "0.0.0.0"}, {"bind": "::"}, {"bind": "8.8.8.8"}, {"bind": "web.example"}],
    "bind_near": [{"bind": "10.0.0.5"}],
    "key_files": [{"open_files": ("keys/log",)}],
    "vault_files": [{"vault_files": ("keys/vault-kek",)}],
    "vault_on_disk": [{"kek": ""}],
    "smtp": [{"smtp_url": ""}],
    "home": [{"home_mode": 0o777}, {"home_mode": 0o775}],
    "samples": [{"samples": ("samples.json",)}],
    "secrets": [{"weak_secrets": ("keys/django",)}],
    "passwords": [{"main": remote(password="")}, {"keys": remote(password="Postgres")}],
    "database_tls": [{"main": remote(sslmode=name)} for name in ("", "disable", "prefer", "require", "verify-ca")],
    "same_database": [{"keys": HERE}],
    "same_server": [{"keys": dataclasses.replace(HERE, name="keys")}],
    "databases": [{"keys": dataclasses.replace(HERE, answers=False, identifier="")}],
    "durable": [
        {"main": dataclasses.replace(HERE, settings=DURABLE | {name: "off"})}
        for name in ("fsync", "synchronous_commit", "full_page_writes")
    ],
    "checksums": [{"main": dataclasses.replace(HERE, settings=DURABLE | {"data_checksums": "off"})}],
    "superuser": [{"main": dataclasses.replace(HERE, superuser=True)}],
    "witnesses": [{"witnesses": (), "witness_quorum": 0}],
    "quorum": [{"witness_quorum": 0}, {"witness_quorum": 4}],
    "timestamps": [{"tsa_url": ""}],
    "backup_keys": [{"backup_keys": 0}],
    "private_backup_key": [{"private_backup_keys": ("backup.key",)}],
    "backups": [
        {"backups": {"main": None, "keys": NOW, "secrets": NOW}},
        {"backups": {"main": NOW, "keys": NOW - dt.timedelta(days=2), "secrets": NOW}},
    ],
    "erasure_wait": [{"erasure_wait_days": 0}],
    "administrators": [{"administrators": 1}, {"administrators": 0}],
    "clock": [{"main": dataclasses.replace(HERE, clock_off_s=-6.0)}],
    "clock_synchronised": [{"clock_synchronised": False}],
}


def test_nothing_is_wrong_with_a_good_installation():
    assert checks.judge(good()) == []
    assert checks.judge(good(main=remote(), clock_synchronised=None)) == []


@pytest.mark.asvs("12.2.1", "12.3.1", "12.3.2", "12.3.4", "13.2.3", "16.2.2")
@pytest.mark.parametrize(("name", "changed"), [(name, one) for name, all_of in RED.items() for one in all_of], ids=str)
def test_a_check_is_red_for_what_it_is_about_and_says_how_to_mend_it(name, changed):
    found = checks.judge(good(**changed))
    assert [each.name for each in found] == [name]
    assert found[0].words
    assert found[0].mend.endswith(".")


def test_every_check_is_seen_red_and_none_has_anothers_name():
    names = [each.name for each in checks.CHECKS]
    assert sorted(names) == sorted(set(names)) == sorted(RED)


def test_at_the_start_only_what_must_never_run_is_refused():
    refusing = {each.name for each in checks.CHECKS if each.at_start}
    assert refusing == {
        "key_files",
        "vault_files",
        "home",
        "samples",
        "secrets",
        "database_tls",
        "same_database",
        "durable",
    }
    assert all(each.severity is Severity.REFUSE for each in checks.CHECKS if each.at_start)
    assert checks.judge(good(witnesses=(), erasure_wait_days=0, home_mode=0o777), at_start=True)[0].name == "home"


def test_the_real_installation_is_looked_at(installation):
    done = subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", "check", "--production", "--json"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    found = {each["name"]: each for each in map(json.loads, done.stdout.splitlines())}
    assert {
        "smtp",
        "vault_on_disk",
        "mode",
        "https",
        "hsts",
        "samples",
        "backups",
        "backup_keys",
        "witnesses",
        "timestamps",
    } <= found.keys()
    assert (
        not {
            "key_files",
            "vault_files",
            "secrets",
            "durable",
            "superuser",
            "same_server",
            "same_database",
            "checksums",
            "databases",
        }
        & found.keys()
    )
    assert "sample people" in found["samples"]["words"]
    assert "samples.json with invitations" in found["samples"]["words"]
    in_words = subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", "check", "--production"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert in_words.returncode == 1
    assert "Set PARCELWARD_MODE=production" in in_words.stdout
    assert f"{len(checks.CHECKS)} checks:" in in_words.stdout


@pytest.mark.asvs("13.3.2")
def test_files_are_looked_at_as_they_are(tmp_path):
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    (keys / "django").write_text("x" * 60)
    (keys / "django").chmod(0o600)
    assert looking._open_files(keys) == ()
    assert looking._weak(keys) == ("keys/django",)
    (keys / "django").write_text(os.urandom(40).hex())
    (keys / "django").chmod(0o640)
    assert looking._weak(keys) == ()
    assert looking._open_files(keys) == ("keys/django",)
    keys.chmod(0o755)
    assert looking._open_files(keys) == ("keys", "keys/django")
    assert looking._private_keys(tmp_path) == ()
    (tmp_path / "mine.key").write_text(recipients.make().text)
    assert looking._private_keys(tmp_path) == ("mine.key",)


@pytest.mark.asvs("13.3.2")
def test_the_vaults_files_are_the_services_users_alone(tmp_path, monkeypatch):
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    assert looking._vault_files(tmp_path) == ()
    for name in looking.VAULT_FILES:
        (tmp_path / name).write_text("1\n")
        (tmp_path / name).chmod(0o600)
    assert looking._vault_files(tmp_path) == ()
    (keys / "vault-kek").chmod(0o640)
    assert looking._vault_files(tmp_path) == ("keys/vault-kek",)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert looking._vault_files(tmp_path) == looking.VAULT_FILES


def test_a_server_that_does_not_answer_is_noted():
    found = looking._server("postgresql://me:pw@127.0.0.1:1/x?sslmode=require", embedded="")
    assert (found.answers, found.sslmode, found.password, found.remote) == (False, "require", "pw", False)


@pytest.mark.asvs("13.3.2")
@pytest.mark.parametrize("command", ["serve", "work"])
def test_production_does_not_start_with_keys_that_others_can_read(tmp_path, command):
    keys = tmp_path / "keys"
    keys.mkdir(mode=0o700)
    (keys / "django").write_text(os.urandom(40).hex())
    (keys / "django").chmod(0o644)
    done = subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", command],
        env=os.environ
        | {"PARCELWARD_MODE": "production", "PARCELWARD_PUBLIC_URL": "https://post.example"}
        | {"PARCELWARD_HOME": str(tmp_path), "PARCELWARD_PORT": "1"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "others can read or write keys/django" in done.stderr
    assert "chmod" in done.stderr
    assert done.stderr.count("\n") == 1
