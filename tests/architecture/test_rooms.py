"""The house is as its plan says: rooms on the map, doors between them, pure rules, small files, honest help."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import parcelward

SRC = Path(parcelward.__file__).parent
ROOT = SRC.parent.parent
ROOMS = sorted(p.name for p in SRC.iterdir() if (p / "__init__.py").exists())
FILES = sorted(p for p in SRC.rglob("*.py") if "migrations" not in p.parts)
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

FRONT_DOORS = frozenset({"actions", "queries", "errors", "wire"})
"""What a room shows to others."""
SIDE_DOORS = {
    "people.codes": "short codes, in a file of their own",
    "people.proofing": "the actions and queries of proving who one is: a room within the room, with a front of its own",
    "custody.backing_up": "custody's actions for backups, in a file of their own",
    "custody.backup_note": "a backup's signatures, where there is no database yet",
    "custody.log_copy": "a copy of the log elsewhere: files, no database",
    "custody.bundling": "custody's action for evidence bundles, in a file of its own",
    "custody.durable": "writing small files whole",
    "custody.rebuilding": "custody's action for lost entries, in a file of its own",
    "custody.rotation": "custody's action for a new signing key, in a file of its own",
    "custody.shredding": "custody's actions for erasure, in a file of their own",
    "privacy.sealing": "sealed labels: actions, queries, errors and wire in a folder of their own",
    "payments.providers": "who takes payments: the simulated one's own server reads its secrets, without a database",
    "shipping.uploads": "values of lists of orders, in a folder of their own",
    "shipping.customs": "values, forms and tariff codes of customs, in a folder of their own",
    "shipping.labels": "drawing labels: values and renderers, in a folder of their own",
    "parcels.hazmat": "dangerous goods: a room within the room, with a front of its own",
    "parcels.proofs": "queries about proofs, in a file of their own",
    "parcels.captured": "queries for EPCIS, in a file of their own",
    "parcels.captured_lists": "the same, for its lists",
}
ENGINES = {
    "custody.log_source": "copies a log over HTTP, where there is no database",
    "custody.offline": "checks files where there is no database: queries would need one",
    "custody.timestamping": "the worker runs it",
    "custody.witness_server": "a program of its own, without a database",
    "custody.witnessing": "the worker runs it",
    "parcels.follows": "the worker runs it",
    "payments.work": "the worker runs it",
    "risk.work": "the worker runs it",
    "risk.here": "each web process reads the features that it decides by",
    "shipping.webhooks": "the worker runs it",
    "shipping.work": "the worker runs it",
}
"""What only a door may start."""
FRAMEWORKS = frozenset({"django", "ninja", "psycopg", "httpx", "granian", "tqdm", "socket", "subprocess"})


def imports(path: Path) -> Iterator[str]:
    """Give every module or name that a file imports, dotted."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def trespasses(path: Path, names: Iterator[str]) -> list[str]:
    """Return what a file takes from another room past its doors."""
    room = path.relative_to(SRC).parts[0]
    found = []
    for name in names:
        parts = name.split(".")
        if parts[0] != "parcelward" or len(parts) < 2 or parts[1] not in ROOMS or parts[1] in {room, "base"}:
            continue
        inner = parts[2] if len(parts) > 2 else ""
        shown = f"{parts[1]}.{inner}"
        if inner in FRONT_DOORS or shown in SIDE_DOORS or (room == "doors" and shown in ENGINES):
            continue
        if room == "doors" and path.name == "install_command.py" and name == "parcelward.doors":
            continue
        found.append(f"{path.relative_to(SRC)}: {name}")
    return found


def test_every_room_is_on_the_map() -> None:
    assert parcelward.__doc__ is not None
    assert ROOMS
    for room in ROOMS:
        assert re.search(rf"^{room}\b", parcelward.__doc__, re.MULTILINE), f"{room} is not on the map"


def test_every_room_says_what_it_is() -> None:
    for room in ROOMS:
        sign = ast.get_docstring(ast.parse((SRC / room / "__init__.py").read_text()))
        assert sign, f"{room} has no sign at its door"


def test_rooms_are_entered_through_their_doors() -> None:
    assert [each for path in FILES for each in trespasses(path, imports(path))] == []


def test_a_trespass_would_be_seen() -> None:
    assert trespasses(SRC / "parcels" / "x.py", iter(["parcelward.custody.models.Batch"]))
    assert trespasses(SRC / "parcels" / "x.py", iter(["parcelward.custody.witnessing.ask_all"]))
    assert not trespasses(SRC / "doors" / "x.py", iter(["parcelward.custody.witnessing.ask_all"]))
    assert not trespasses(SRC / "parcels" / "x.py", iter(["parcelward.custody.queries.item_keys"]))


def test_no_side_door_is_forgotten() -> None:
    used = {
        ".".join(name.split(".")[1:3]) for path in FILES for name in imports(path) if name.startswith("parcelward.")
    }
    assert [door for door in (*SIDE_DOORS, *ENGINES) if door not in used] == []


@pytest.mark.parametrize("path", sorted(SRC.rglob("*rules.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_rules_know_no_framework(path: Path) -> None:
    assert [name for name in imports(path) if name.split(".")[0] in FRAMEWORKS] == []
    assert not re.search(r"\.now\(|time\.time\(|os\.environ|timezone\.now", path.read_text()), "a rule has no clock"


def test_no_file_is_too_long() -> None:
    lengths = {str(path.relative_to(SRC)): len(path.read_text().splitlines()) for path in FILES}
    assert {name: n for name, n in lengths.items() if n > FILE_LINES_MAX} == {}


def test_no_function_is_too_long() -> None:
    found = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    found.append(f"{path.relative_to(SRC)}: {node.name} has {lines} lines")
    assert found == []


def threads_that_stay(source: str) -> list[int]:
    """Return the lines of a test file where a thread is started that would keep the run from ending when it hangs."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"threading.Thread", "Thread"}
        and not any(key.arg == "daemon" for key in node.keywords)
    ]


def test_a_failed_test_does_not_keep_the_run_from_ending() -> None:
    tests = ROOT.joinpath("tests").rglob("*.py")
    assert [f"{path}:{line}" for path in tests for line in threads_that_stay(path.read_text(encoding="utf-8"))] == []
    assert threads_that_stay("import threading\nthreading.Thread(target=print)") == [2]


def test_the_readme_shows_the_commands_own_help() -> None:
    readme = (ROOT / "README.md").read_text()
    block = re.search(r"^```\w*\n(usage: parcelward.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert block, "the README shows no help"
    said = subprocess.run(
        [sys.executable, "-m", "parcelward.doors.console", "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100"},
        timeout=60,
    ).stdout
    assert block[1].split() == said.split()


def test_every_command_has_its_file_and_every_file_its_command() -> None:
    from parcelward.doors.console.main import COMMANDS

    files = {p.name.removesuffix("_command.py").replace("_", "-") for p in SRC.rglob("*_command.py")}
    assert files == set(COMMANDS)


def test_every_setting_is_on_the_operating_page() -> None:
    settings = set(re.findall(r"PARCELWARD_[A-Z_]+", (SRC / "base" / "config.py").read_text()))
    page = (ROOT / "docs" / "operating" / "README.md").read_text()
    assert sorted(name for name in settings if f"`{name}`" not in page) == []


# Spelled apart, so that this file does not contain them.
FORBIDDEN = ["/wo" + "rk/", "../sha" + "red", "TO" + "DO", "FIX" + "ME", "X" + "XX"]


def test_nothing_speaks_of_where_it_was_made() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    texts = {".py", ".md", ".toml", ".html", ".css", ".js", ".txt", ".yml"}
    found = []
    for name in tracked:
        path = ROOT / name
        if path.suffix not in texts or not path.exists() or "vendor" in path.parts:
            continue
        text = path.read_text(errors="replace")
        allowed = name.startswith("tests/") and "shared" in name
        found += [f"{name}: {word}" for word in FORBIDDEN if word in text and not allowed]
    assert found == []


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert parcelward.__version__ == project["version"]
