"""Keeps the translations: `update` merges new texts into each .po, `compile` writes each .mo, `check` lists gaps.

Needs Babel, and no GNU gettext. The .mo files are committed, so that a running system needs neither; a test compares.

    python scripts/compile_messages.py update|compile|check
"""

from __future__ import annotations

import ast
import datetime as dt
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "parcelward"
LOCALE = SOURCE / "doors" / "locale"
LANGUAGES = ("es",)
MARKERS = frozenset({"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext"})
ERRORS = frozenset(
    {
        *("BadItemNumber", "Conflict", "Invalid", "MayNot", "NotFound", "TooMany", "IntentReused", "NoProvider"),
        *("NotEnough", "NotRefundable", "PostingEnded", "PostingReused", "BadOrder", "NoTariff", "NotNow", "QuoteOver"),
        *("Forbidden", "EndpointChanged"),
        "BadFile",
    }
)
"""Errors whose sentence people read: their first argument is a text to translate."""

REFUSAL = "_Bad"
"""Why one scan was set aside: its second argument is the sentence that the desk shows."""

FOR_PROGRAMS = (
    "doors/api",
    "doors/console",
    "doors/easypost",
    "doors/simulator",
)  # what they say is read by programs and their makers
WORDS_END = "_WORDS"  # module constants with this ending hold a sentence that several errors share
IN_TEMPLATE = re.compile(r"""\b(n?gettext|_)\(\s*((?:u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")\s*,?\s*){1,2})""")
# What is written once and never changes would only make differences between two runs.
WRITTEN = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)

BOILERPLATE = (b'"Project-Id-Version', b'"Report-Msgid', b'"Last-Translator', b'"Language-Team', b'"Generated-By')

Text = str | tuple[str, str]
"""A text, or its singular and plural."""


def _in_module(path: Path) -> Iterator[Text]:
    """Yield the texts that a module marks, or hands to an error that people read."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            named = isinstance(target, ast.Name) and target.id.endswith(WORDS_END)
            if named and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                yield node.value.value
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
            continue
        texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
        if node.func.id == "ngettext" and len(texts) > 1:
            yield texts[0], texts[1]
        elif node.func.id == REFUSAL and len(texts) > 1:
            yield texts[1]
        elif node.func.id in MARKERS | ERRORS and texts and isinstance(node.args[0], ast.Constant):
            yield texts[0]


def _in_template(path: Path) -> Iterator[Text]:
    """Yield the texts that a template marks, in the form in which Django looks them up."""
    for marker, literals in IN_TEMPLATE.findall(templatize(path.read_text(encoding="utf-8"), origin=path.name)):
        texts = ast.literal_eval(f"({literals.strip().rstrip(',')},)")
        yield (texts[0], texts[1]) if marker == "ngettext" else texts[0]


def _for_people(path: Path) -> bool:
    return "migrations" not in path.parts and not path.relative_to(SOURCE).as_posix().startswith(FOR_PROGRAMS)


def found() -> dict[Text, list[tuple[str, int]]]:
    """Return every text that can be shown, and the files in which it stands."""
    if not settings.configured:
        settings.configure(USE_I18N=True)
    texts: dict[Text, list[tuple[str, int]]] = {}
    modules = [(p, _in_module) for p in sorted(SOURCE.rglob("*.py")) if _for_people(p)]
    pages = [p for p in SOURCE.rglob("templates/**/*") if p.suffix in {".html", ".txt"}]
    templates = [(p, _in_template) for p in sorted(pages)]
    for path, read in [*modules, *templates]:
        for text in read(path):
            place = (path.relative_to(ROOT).as_posix(), 0)
            if place not in texts.setdefault(text, []):
                texts[text].append(place)
    return texts


def read(language: str) -> Catalog:
    """Return the catalog of `language`, an empty one where there is none yet."""
    path = LOCALE / language / "LC_MESSAGES" / "django.po"
    if not path.exists():
        return Catalog(locale=language, creation_date=WRITTEN)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(language: str) -> None:
    """Merge: new texts come in empty, texts that nobody shows any more go."""
    old = read(language)
    new = Catalog(locale=language, creation_date=WRITTEN, revision_date=WRITTEN, fuzzy=False)
    new.header_comment = f"# {language}: see CONTRIBUTING.md for how to add a text or a language."
    for text, places in found().items():
        known = old.get(text[0] if isinstance(text, tuple) else text)
        new.add(text, known.string if known else None, locations=places)
    save(language, new)


def save(language: str, catalog: Catalog) -> None:
    """Write the catalog in an order and a form that do not change from run to run."""
    out = io.BytesIO()
    write_po(out, catalog, width=120, include_lineno=False, sort_output=True)
    # Babel's header names people and addresses that this project does not have.
    lines = [line for line in out.getvalue().splitlines(keepends=True) if not line.startswith(BOILERPLATE)]
    path = LOCALE / language / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(lines))


def compiled(catalog: Catalog) -> bytes:
    """Return the catalog as a .mo file."""
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def missing(language: str) -> list[Text]:
    """Return the texts that have no translation."""
    catalog = read(language)
    lacking = []
    for text in found():
        message = catalog.get(text[0] if isinstance(text, tuple) else text)
        said = message.string if message else ""
        if not (all(said) if isinstance(said, tuple | list) else said):
            lacking.append(text)
    return lacking


def main(verb: str) -> int:
    """Run one verb for every language."""
    for language in LANGUAGES:
        if verb == "update":
            update(language)
        elif verb == "compile":
            (LOCALE / language / "LC_MESSAGES" / "django.mo").write_bytes(compiled(read(language)))
        lacking = missing(language)
        print(f"{language}: {len(found()) - len(lacking)} texts translated, {len(lacking)} missing")
        for text in lacking:
            print(f"  {text!r}")
    return 1 if verb == "check" and any(missing(language) for language in LANGUAGES) else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in {"update", "compile", "check"}:  # noqa: PLR2004 -- the program and its verb
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
