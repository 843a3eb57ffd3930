"""Production refuses a home that holds samples, whichever process somebody starts there."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("command", ["install", "serve", "work", "samples", "town"])
def test_production_refuses_what_is_sample_or_simulated(installation, command):
    done = subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", command],
        env=os.environ
        | {
            "PARCELWARD_MODE": "production",
            "PARCELWARD_PORT": "1",  # never listened on: refused before
            "PARCELWARD_PUBLIC_URL": "https://post.example",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stderr.startswith("parcelward: ")
    assert len(done.stderr.splitlines()) == 1
    assert "sample" in done.stderr or "test mode" in done.stderr
