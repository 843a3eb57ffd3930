"""What weighs little and would unfold to much is refused before it unfolds, in little memory."""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import zipfile

import pytest
from tests.attacks.untouched import untouched

MEMORY_MAX = 400_000_000
UNFOLDED = 600_000_000  # more than the process may have


def _zipped(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            with archive.open(name, "w", force_zip64=True) as member:
                for _ in range(UNFOLDED // 1_000_000):
                    member.write(b"0" * 1_000_000)
    return packed.getvalue()


def _lying() -> bytes:
    """An archive of one stored file that claims four gigabytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("manifest.json", b"0")
    return packed.getvalue().replace((1).to_bytes(4, "little") * 2, b"\xff\xff\xff\xff" * 2)


BOMBS = {
    "a zip of zeros": lambda: _zipped("manifest.json"),
    "a zip in a zip": lambda: _zipped("events/a.json", "inner.zip"),
    "a zip that claims four gigabytes": _lying,
}


@pytest.mark.asvs("5.2.1", "5.2.3")
@pytest.mark.parametrize("bomb", BOMBS)
def test_an_archive_that_would_unfold_is_refused_unopened(installation, tmp_path, bomb):
    file = tmp_path / "bundle.zip"
    file.write_bytes(BOMBS[bomb]())
    with untouched():
        told = subprocess.run(
            [sys.executable, "-m", "parcelward.doors.console", "verify", str(file)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_MAX, MEMORY_MAX)),
        )
    assert told.returncode == 1
    assert "does not hold" in told.stdout
    assert "Traceback" not in told.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == ["bundle.zip"], "nothing was unpacked"
