"""Production refuses a home that holds samples, whichever process somebody starts there, and an address without TLS."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from parcelward.base import config


def refusal(command, **settings):
    """Return the one line with which a command refuses to start in production."""
    done = subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", command],
        env=os.environ | {"PARCELWARD_MODE": "production", **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stderr.startswith("parcelward: ")
    return done.stderr.removeprefix("parcelward: ")


@pytest.mark.asvs("6.3.2", "15.2.3")
@pytest.mark.parametrize("command", ["install", "serve", "work", "samples", "town"])
def test_production_refuses_what_is_sample_or_simulated(installation, command):
    # The port is never listened on: refused before.
    said = refusal(command, PARCELWARD_PORT="1", PARCELWARD_PUBLIC_URL="https://post.example")
    assert "sample" in said or "test mode" in said


@pytest.mark.asvs("12.2.1")
@pytest.mark.parametrize("command", ["install", "serve", "work"])
def test_production_says_in_one_line_that_browsers_must_reach_it_by_https(tmp_path, command):
    said = refusal(command, PARCELWARD_HOME=str(tmp_path), PARCELWARD_PUBLIC_URL="http://post.example")
    assert said.startswith("PARCELWARD_PUBLIC_URL must begin with https://")
    assert list(tmp_path.iterdir()) == [], "nothing was made"


@pytest.mark.asvs("12.2.1")
@pytest.mark.parametrize(
    ("mode", "address", "taken"),
    [
        ("production", "https://post.example", True),
        ("production", "http://localhost:8000", True),
        ("production", "http://127.0.0.1", True),
        ("production", "http://[::1]:8000/", True),
        ("production", None, True),  # the default: this machine
        ("production", "http://post.example", False),
        ("production", "HTTP://post.example", False),
        ("production", "http://localhost.post.example", False),
        ("production", "http://localhost@post.example", False),
        ("production", "http://192.168.1.5:8000", False),
        ("test", "http://192.168.1.5:8000", True),
        ("test", "http://[::1", False),
        ("test", "post.example", False),
    ],
)
def test_an_address_without_tls_is_for_this_machine(monkeypatch, mode, address, taken):
    monkeypatch.setenv("PARCELWARD_MODE", mode)
    monkeypatch.delenv("PARCELWARD_PUBLIC_URL", raising=False)
    if address is not None:
        monkeypatch.setenv("PARCELWARD_PUBLIC_URL", address)
    if taken:
        assert config.read().public_url == (address or f"http://localhost:{config.get().port}").rstrip("/")
        return
    with pytest.raises(config.BadSetting, match="PARCELWARD_PUBLIC_URL must"):
        config.read()
