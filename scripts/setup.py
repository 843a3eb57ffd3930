"""Sets up what is missing: virtual environment, packages, front end; with --tests Chromium, faketime and SoftHSM.

    python3 scripts/setup.py [--tests]

Needs only Python 3.11 and its standard library. Run again it does nothing, and needs no network, until a lock file
changes. As root on Debian it installs the five Debian packages it may need; otherwise it says in one line what to do.
"""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "set-up-from.txt"
LOCK = ROOT / "requirements.lock"
VENDOR = ROOT / "scripts" / "vendor_frontend.py"
PYTHON_MIN = (3, 11)
PIP_TRIES_MAX = 3  # a registry that drops one connection must not end the set-up
PIP_PAUSE_S = 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# The first lines are shell and, to Python, a string: a #! line cannot name a path that is long or has a space.
COMMAND = """#!/bin/sh
'''exec' '{python}' "$0" "$@"
'''
import sys

from {module} import {function}

sys.exit({function}())
"""


class CannotSetUp(Exception):
    """Something is missing that we may not or cannot install; the sentence says what to do."""


def say(line: str) -> None:
    """Print one line of the story."""
    print(f"setup: {line}", flush=True)


def main(arguments: list[str]) -> int:
    """Do what is missing; return the exit code."""
    if sys.version_info < PYTHON_MIN:
        found = ".".join(str(part) for part in sys.version_info[:2])
        print(f"setup: needs Python 3.11 or newer, not {found}: run `make PYTHON=/path/to/python3.11 ...`")
        return 1
    with LOCK.open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # two makes at once take turns
        try:
            python = packages()
            front_end(python)
            threads()
            if "--tests" in arguments:
                browser()
                moved_clock()
                hardware_module()
        except CannotSetUp as missing:
            print(f"setup: {missing}", file=sys.stderr)
            return 1
    return 0


def made_from() -> str:
    """Return the hash of everything that the virtual environment is made from."""
    digest = hashlib.sha256(repr((sys.version_info[:3], str(VENV))).encode())
    for source in (LOCK, ROOT / "pyproject.toml", Path(__file__)):
        digest.update(source.read_bytes() + b"\0")
    return digest.hexdigest()


def packages() -> Path:
    """Make `.venv` with the locked packages and our own; return its Python."""
    python = VENV / "bin" / "python"
    if STAMP.exists() and STAMP.read_text() == made_from() and works(python):
        return python
    if not works(python):
        make_environment()
    say("installing the locked Python packages (some minutes the first time)")
    command: list[str | Path] = [
        python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check",
        "--require-hashes", "-r", LOCK,
    ]  # fmt: skip
    for attempt in range(1, PIP_TRIES_MAX + 1):
        if subprocess.run(command, check=False).returncode == 0:
            break
        if attempt == PIP_TRIES_MAX:
            raise CannotSetUp("pip could not install requirements.lock (its words stand above)")
        say(f"pip failed (try {attempt} of {PIP_TRIES_MAX}); trying again in {PIP_PAUSE_S} s")
        time.sleep(PIP_PAUSE_S)
    install_ourselves(python)
    STAMP.write_text(made_from())
    say(f"ready in {VENV}")
    return python


def works(python: Path) -> bool:
    """Tell whether `.venv` runs, has pip, and is of the Python that runs us."""
    if not python.exists():
        return False
    asked = subprocess.run(
        [python, "-c", "import pip, sys; print(*sys.version_info[:2])"], check=False, capture_output=True, text=True
    )
    return asked.stdout.split() == [str(part) for part in sys.version_info[:2]]


def make_environment() -> None:
    """Make an empty `.venv`, installing Debian's python3-venv where it is missing and we may."""
    if not has_venv():
        version = ".".join(str(part) for part in sys.version_info[:2])
        package = "python3-venv" if Path(sys.executable).resolve() == default_python() else f"python{version}-venv"
        if not may_install():
            raise CannotSetUp(
                f"this Python has no venv: ask root to run `apt-get install {package}`, then run this again"
            )
        install_debian(package)
    say(f"making {VENV} with Python {sys.version.split()[0]}")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=False)
    if made.returncode != 0:
        raise CannotSetUp(f"could not make {VENV} (Python's words stand above)")


def has_venv() -> bool:
    """Tell whether this Python can make an environment with pip: Debian leaves `ensurepip` out of its python3."""
    asked = subprocess.run([sys.executable, "-c", "import venv, ensurepip"], check=False, capture_output=True)
    return asked.returncode == 0


def default_python() -> Path | None:
    """Return the file behind Debian's own `python3`."""
    return Path("/usr/bin/python3").resolve() if Path("/usr/bin/python3").exists() else None


def install_ourselves(python: Path) -> None:
    """Put `src` on the environment's path and write its commands: what an editable install does, without a build.

    A build needs setuptools from the network; this works offline.
    """
    import tomllib  # noqa: PLC0415 - new in Python 3.11, and an older one shall hear a clear sentence first

    asked = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    (Path(asked.stdout.strip()) / "parcelward-checkout.pth").write_text(f"{ROOT / 'src'}\n")
    commands = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for name, target in commands.items():
        module, function = target.split(":")
        script = VENV / "bin" / name
        script.write_text(COMMAND.format(python=python, module=module, function=function))
        script.chmod(0o755)


def front_end(python: Path) -> None:
    """Have the browser's part made, with the machine's Node or the one among the Python packages."""
    if not VENDOR.exists():
        return
    done = subprocess.run([python, VENDOR], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="", file=sys.stderr)
        raise CannotSetUp("the front end could not be made (its words stand above)")
    if "up to date" not in done.stdout:
        say(done.stdout.strip().splitlines()[-1])  # npm talks before


def threads() -> None:
    """Have Debian's OpenMP, which LightGBM is linked with, or say that no model of fraud can be asked."""
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError:
        pass
    else:
        return
    if not may_install():
        say(
            "no OpenMP: no model of fraud can be asked, and its tests will be skipped; "
            "as root, `apt-get install libgomp1` brings it"
        )
        return
    try:
        install_debian("libgomp1")
    except CannotSetUp as missing:
        say(f"{missing}; no model of fraud can be asked, and its tests will be skipped")


def browser() -> None:
    """Have Debian's Chromium for the browser tests, or say that they will be skipped. Never another download."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    if not may_install():
        say("no Chromium: the tests marked `browser` will be skipped; as root, `apt-get install chromium` brings it")
        return
    try:
        install_debian("chromium")
    except CannotSetUp as missing:
        say(f"{missing}; the tests marked `browser` will be skipped")


def moved_clock() -> None:
    """Have Debian's libfaketime for the tests that move the server's clock, or say that they will be skipped."""
    if any(Path("/usr/lib").glob("*/faketime/libfaketime*.so.1")):
        return
    if not may_install():
        say("no faketime: the test of a jumping clock will be skipped; as root, `apt-get install faketime` brings it")
        return
    try:
        install_debian("faketime")
    except CannotSetUp as missing:
        say(f"{missing}; the test of a jumping clock will be skipped")


def hardware_module() -> None:
    """Have Debian's SoftHSM, which stands for a hardware module, or say that its tests will be skipped."""
    if shutil.which("softhsm2-util"):
        return
    if not may_install():
        say("no SoftHSM: the tests of a hardware module will be skipped; as root, `apt-get install softhsm2` brings it")
        return
    try:
        install_debian("softhsm2")
    except CannotSetUp as missing:
        say(f"{missing}; the tests of a hardware module will be skipped")


def may_install() -> bool:
    """Tell whether Debian packages can be installed here."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install_debian(package: str) -> None:
    """Install one Debian package, refreshing the lists only if it is not found at first."""
    say(f"installing Debian's {package}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", package]
    for command in (install, ["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, check=False, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if command is install and done.returncode == 0:
            return
    raise CannotSetUp(
        f"could not install Debian's {package}: {(done.stderr.strip() or 'apt-get failed').splitlines()[-1]}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
