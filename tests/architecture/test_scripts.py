"""Our own scripts write text as text, run nothing that was typed, and listen to no other window."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import parcelward

FOLDER = Path(parcelward.__file__).parent / "doors" / "static" / "parcelward"
SCRIPTS = sorted(FOLDER.rglob("*.js"))

_AS_HTML = re.compile(r"\.(?:inner|outer)HTML\b|insertAdjacentHTML|document\.write|createContextualFragment|srcdoc")
_AS_CODE = re.compile(r"\beval\s*\(|\bnew Function\b|\bset(?:Timeout|Interval)\s*\(\s*[\"'`]|javascript:")
_OTHERS = re.compile(r"addEventListener\(\s*[\"']message[\"']|(?<!\btabs\.)\b(?:onmessage|postMessage)\b|\btabs\b")
_TABS = re.compile(r"\btabs(?:\.\w+| = (?:globalThis\.BroadcastChannel \? )?new BroadcastChannel\()|\(tabs\)")
OUR_OWN_TABS = frozenset({"session.js", "site.js"})  # what they hear only makes them ask the server


@pytest.mark.asvs("3.2.2", "1.3.2")
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_writes_text_as_text_and_runs_none(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name in OUR_OWN_TABS:
        text = _TABS.sub("", text)
    assert [found[0] for pattern in (_AS_HTML, _AS_CODE, _OTHERS) for found in pattern.finditer(text)] == []


def test_scripts_were_found_and_a_trespass_would_be_seen() -> None:
    assert len(SCRIPTS) > 5
    assert _AS_HTML.search("row.innerHTML = said")
    assert _AS_CODE.search('setTimeout("go()", 1)')
    assert _OTHERS.search('addEventListener("message", hear)')
    assert _OTHERS.search("tabs.postMessage(text)")
    assert _OTHERS.search(_TABS.sub("", "const tabs = parent; tabs.postMessage(text)"))
