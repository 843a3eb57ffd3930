"""What the documents name is there: files, functions, commands and links."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import parcelward
from parcelward.doors.console.main import COMMANDS

SRC = Path(parcelward.__file__).parent
ROOT = SRC.parent.parent
ROOMS = ("base", "custody", "people", "privacy", "network", "parcels", "doors")
TOPS = (*ROOMS, "src", "docs", "tests", "benchmarks", "scripts")
TRACKED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
DOCUMENTS = sorted(ROOT / name for name in TRACKED.split())

_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(rf"(?:{'|'.join(TOPS)})/[\w./*-]*")
_PLACE = re.compile(r"([\w./]+\.py): (\w+)")
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
_COMMAND = re.compile(r"^(?:\S+/)?parcelward ([a-z-]+)")


def missing(document: Path, text: str) -> list[str]:
    """Return what a document names and is not there."""
    found = []
    for said in _CODE.findall(text):
        path = _PATH.fullmatch(said.split(":")[0])
        if path and not any(list(base.glob(path[0])) for base in (ROOT, SRC)):
            found.append(said)
        place = _PLACE.fullmatch(said)
        if place and not re.search(rf"^(?:def |async def |class )?{place[2]}\b", _source(place[1]), re.MULTILINE):
            found.append(said)
        command = _COMMAND.match(said)
        if command and command[1] not in COMMANDS:
            found.append(said)
    return found + [link for link in _LINK.findall(text) if not (document.parent / link).exists()]


def _source(name: str) -> str:
    path = SRC / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_document_names_is_there(document: Path) -> None:
    assert missing(document, document.read_text(encoding="utf-8")) == []


def test_what_is_not_there_would_be_seen() -> None:
    wrong = ["parcels/nowhere.py", "custody/actions.py: nothing", "parcelward verify-nothing --all"]
    right = "`custody/actions.py: follow` `parcelward verify-log` [the map](ARCHITECTURE.md)"
    said = "".join(f"`{each}` " for each in wrong) + right + "[page](nowhere.md)"
    assert missing(ROOT / "README.md", said) == [*wrong, "nowhere.md"]
