"""Every text is marked, every marked text is translated, and what is committed is what the sources give."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "src/parcelward/doors/templates"
BLOCKS = re.compile(
    r"\{% (blocktranslate|comment)\b.*?\{% end\1 %\}|\{% block \w+_class %\}.*?\{% endblock %\}", re.DOTALL
)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


@pytest.fixture(scope="module")
def messages() -> ModuleType:
    pytest.importorskip("babel", reason="Babel reads and compiles the catalogs")
    return importlib.import_module("scripts.compile_messages")


def test_nothing_is_left_untranslated(messages: ModuleType) -> None:
    assert {language: messages.missing(language) for language in messages.LANGUAGES} == {"es": []}


def test_the_committed_catalogs_are_those_of_their_sources(messages: ModuleType) -> None:
    for language in messages.LANGUAGES:
        committed = (messages.LOCALE / language / "LC_MESSAGES" / "django.mo").read_bytes()
        assert committed == messages.compiled(messages.read(language)), "run scripts/compile_messages.py compile"


def test_translations_keep_every_placeholder(messages: ModuleType) -> None:
    for language in messages.LANGUAGES:
        for message in messages.read(language):
            if not message.id:
                continue
            ids = message.id if isinstance(message.id, tuple | list) else [message.id]
            said = message.string if isinstance(message.string, tuple | list) else [message.string]
            for index, text in enumerate(said):  # the singular may do without its number
                allowed = [sorted(PLACEHOLDER.findall(one)) for one in (ids if index == 0 else ids[-1:])]
                assert sorted(PLACEHOLDER.findall(text)) in allowed, message.id


def test_no_template_says_anything_that_is_not_marked() -> None:
    """Whatever stands between tags and is not a tag, a variable or a name of ours must go through gettext."""
    ours = {"Parcelward", "j", "k", "n", "p", "g", "Enter", "Esc", "UTC", "RA 4730 1234 5 GB"}
    for path in sorted(TEMPLATES.glob("*.html")):
        text = BLOCKS.sub("", path.read_text())
        text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", "", text, flags=re.DOTALL)
        text = re.sub(r"<(script|style|svg)\b.*?</\1>|<!.*?>|<[^<>]*>", "\n", text, flags=re.DOTALL)
        bare = {line.strip(" ·,()/?+…—*.") for line in text.splitlines()} - ours - {""}
        assert {word for word in bare if re.search(r"[A-Za-z]", word)} == set(), path.name


@pytest.mark.asvs("1.2.1")
def test_no_template_carries_code_or_style_in_an_attribute() -> None:
    for path in sorted(TEMPLATES.glob("*.html")):
        text = path.read_text()
        assert not re.search(r"""\s(?:on[a-z]+|style)=["']""", text), (
            f"{path.name}: the content security policy forbids it"
        )
        for script in re.findall(r"<script\b[^>]*>", text):
            assert "nonce=" in script or 'type="application/json"' in script, f"{path.name}: {script}"
