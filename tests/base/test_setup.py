"""Setting up: once, then nothing; and where it cannot, one line that says what to do."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NO_OP_S_MAX = 10.0  # measured 0.1 s; the margin is for a busy machine
VERBS = ("setup", "up", "test", "check", "bench", "format", "clean")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A tiny project in a folder with a space in its name: no packages to fetch, one command. Set up once."""
    folder = _new_checkout(tmp_path_factory.mktemp("tiny"))
    first = _set_up(folder)
    assert first.returncode == 0, first.stderr
    assert "making" in first.stdout
    return folder


def _new_checkout(parent):
    folder = parent / "check out"
    (folder / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup.py", folder / "scripts")
    (folder / "requirements.lock").write_text("")
    (folder / "pyproject.toml").write_text('[project]\nname = "tiny"\n[project.scripts]\ntiny = "tiny:main"\n')
    (folder / "src").mkdir()
    (folder / "src" / "tiny.py").write_text(
        "import sys\n\ndef main():\n    print('hello', *sys.argv[1:])\n    return 7\n"
    )
    return folder


def _set_up(folder, *arguments, **env):
    return subprocess.run(
        [sys.executable, folder / "scripts" / "setup.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PIP_NO_INDEX": "1", **env},
    )


def test_what_was_set_up_works_and_a_second_run_does_nothing(checkout):
    done = subprocess.run([checkout / ".venv" / "bin" / "tiny", "world"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (7, "hello world\n")
    began = time.monotonic()
    second = _set_up(checkout)
    took_s = time.monotonic() - began
    print(f"nothing to do in {took_s:.2f} s")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert took_s < NO_OP_S_MAX
    (checkout / "requirements.lock").write_text("# another day\n")
    third = _set_up(checkout)
    assert "installing the locked Python packages" in third.stdout
    assert "making" not in third.stdout


def test_an_environment_of_a_python_that_is_gone_is_made_anew(checkout):
    for link in (checkout / ".venv" / "bin").glob("python*"):
        link.unlink()
        link.symlink_to("/nowhere/python3")
    again = _set_up(checkout)
    assert again.returncode == 0
    assert "making" in again.stdout


def test_without_venv_and_the_right_to_install_it_one_line_says_what_to_do(tmp_path):
    checkout = _new_checkout(tmp_path)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "ensurepip.py").write_text("raise ImportError('Debian ships it apart')\n")
    told = _set_up(checkout, PYTHONPATH=str(tmp_path / "bare"), PATH=str(tmp_path / "bare"))
    assert told.returncode == 1
    assert re.fullmatch(
        r"setup: this Python has no venv: ask root to run `apt-get install python3[.\d]*-venv`, then run this again\n",
        told.stderr,
    )
    assert not (checkout / ".venv").exists()


@pytest.mark.asvs("15.1.2")
def test_a_package_is_installed_with_its_hash_and_with_no_other(checkout, tmp_path):
    wheel = tmp_path / "smallest-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("smallest.py", "")
        archive.writestr("smallest-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: smallest\nVersion: 1.0\n")
        archive.writestr(
            "smallest-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("smallest-1.0.dist-info/RECORD", "")
    script = checkout / "scripts" / "setup.py"
    script.write_text(script.read_text().replace("PIP_PAUSE_S = 5", "PIP_PAUSE_S = 0"))
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for locked in ("smallest==1.0\n", f"smallest==1.0 --hash=sha256:{'0' * 64}\n"):
        (checkout / "requirements.lock").write_text(locked)
        for _ in range(2):  # a failed run leaves no stamp
            told = _set_up(checkout, PIP_FIND_LINKS=str(tmp_path))
            assert told.returncode == 1
            assert "hash" in told.stderr.lower()
            assert "pip could not install requirements.lock" in told.stderr
    (checkout / "requirements.lock").write_text(f"smallest==1.0 --hash=sha256:{right}\n")
    assert _set_up(checkout, PIP_FIND_LINKS=str(tmp_path)).returncode == 0
    assert subprocess.run([checkout / ".venv" / "bin" / "python", "-c", "import smallest"], check=False).returncode == 0


def test_a_front_end_that_cannot_be_made_is_told_and_ends_the_set_up(checkout):
    (checkout / "scripts" / "vendor_frontend.py").write_text("import sys\nsys.exit('Node is missing')\n")
    told = _set_up(checkout)
    assert told.returncode == 1
    assert "Node is missing" in told.stderr
    assert "the front end could not be made" in told.stderr
    (checkout / "scripts" / "vendor_frontend.py").unlink()


def test_without_a_browser_the_tests_that_will_not_run_are_named(checkout, tmp_path):
    told = _set_up(checkout, "--tests", PATH=str(tmp_path))
    assert told.returncode == 0
    assert "the tests marked `browser` will be skipped" in told.stdout


def test_an_older_python_hears_what_is_needed():
    older = "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path(sys.argv[1], run_name='__main__')"
    told = subprocess.run(
        [sys.executable, "-c", older, ROOT / "scripts" / "setup.py"], capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert told.stdout.startswith("setup: needs Python 3.11 or newer, not 3.9")


def test_make_lists_its_verbs():
    listed = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    assert [verb for verb in VERBS if not re.search(rf"^ +make {verb} +\w", listed, re.MULTILINE)] == []
