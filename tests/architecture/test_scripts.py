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


_NAMED = re.compile(r"[\w.?)}\]]*[\w)}\]](?:\?\.)?\[[a-z][\w.?]*\]")
_INHERITED = re.compile(r"__proto__|\.prototype\b|[(!&|]\s*\w+ in \w|for \((?:const|let) \w+ in\b|= \{\}[;,]")
_COMMENT = re.compile(r"/\*.*?\*/|(?<!:)//[^\n]*", re.DOTALL)
BY_NAME = {
    "all[to]": "a place in a list",
    "b[at]": "a place in bytes",
    "b[i]": "a place in bytes",
    "file.entries[at]": "a place in a list",
    "heads[i]": "a place in a list",
    "kept[i]": "a place in a list",
    "kept[seen.length]": "a place in a list",
    "opened[at]": "a place in a list",
    "opened[newest]": "a place in a list",
    "out[at]": "a place in bytes",
    "c[colour]": "a name from this script",
    "words.results[state]": "a name from this script",
    "event.groups[name]": "a name from this script",
    "event.groups?.[name]": "a name from this script",
    "value[key]": "one of its own keys",
    "of[name]": "after Object.hasOwn",
    "facts[name]": "after Object.hasOwn",
    "keys[event.key]": "after Object.hasOwn",
    "saved.log[path]": "after Object.hasOwn",
    "words.addressee[name]": "after Object.hasOwn",
    "parts[id]": "of an object without a prototype",
    "}[count]": "what is neither of the two is no number, and a policy with it is refused",
    "dialog[open]": "a selector",
    "details[open]": "a selector",
}
"""What scripts look up by a name or place that is not written out, and why nothing inherited can be found there."""


@pytest.mark.asvs("15.3.6")
@pytest.mark.parametrize("path", [*SCRIPTS, *sorted((FOLDER.parent / "map").glob("*.mjs"))], ids=lambda path: path.name)
def test_what_came_from_outside_names_nothing_that_objects_inherit(path: Path) -> None:
    text = _COMMENT.sub("", path.read_text(encoding="utf-8"))
    assert [found[0] for found in _INHERITED.finditer(text)] == []
    assert sorted(set(_NAMED.findall(text)) - BY_NAME.keys()) == [], "use Object.hasOwn, a Map or Object.create(null)"


def test_a_look_up_by_an_inherited_name_would_be_seen() -> None:
    assert _INHERITED.search("if (name in words.addressee)")
    assert _INHERITED.search("const kept = {};")
    assert _NAMED.findall("texts[said.code] ?? words.failed[code]") == ["texts[said.code]", "words.failed[code]"]
