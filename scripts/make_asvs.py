"""Write docs/asvs.md: what OWASP ASVS 5.0.0 asks for at levels 1 and 2, what shows it here, and what is open.

What is asked for stands in docs/asvs.toml, in our own words. What shows it is said by the tests themselves:
`@pytest.mark.asvs("6.3.1")` on a test, or `pytestmark` with it for a whole file. They are read, not run.
`python scripts/make_asvs.py` writes the page; a test compares it.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
TABLE, TARGET, TESTS = ROOT / "docs" / "asvs.toml", ROOT / "docs" / "asvs.md", ROOT / "tests"
SHOWN, OPEN, NO = "shown", "open", "not applicable"
LEVELS = (1, 2)
HEAD = """# OWASP ASVS 5.0.0, levels 1 and 2

Made by `scripts/make_asvs.py` from the tests' own marks and `docs/asvs.toml`; change those and make it anew.
Requirements are named by their numbers and told in our own words: the standard's are at
<https://github.com/OWASP/ASVS>. We measured ourselves; nobody else has looked.

*Shown* is what a test or a lint goes red for, or what a page says where a page is asked for. *OPEN* is everything else,
also where part of it is shown. *Not applicable* is what there is no object for here.
"""


class Mark(NamedTuple):
    """A test, or a whole file of them, that says which requirement it shows."""

    number: str
    file: str  # from tests/, as in tests/attacks/test_matrix.py
    test: str  # empty for the whole file


class Row(NamedTuple):
    """One requirement and how it stands."""

    number: str
    level: int
    words: str
    state: str
    shown: str


def _numbers(node: ast.AST) -> list[str]:
    """Return the numbers of a mark; none if it is another."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) != "pytest.mark.asvs":
        return []
    return [str(ast.literal_eval(each)) for each in node.args]


def _pytestmark(node: ast.stmt) -> list[ast.expr]:
    if not isinstance(node, ast.Assign) or ast.unparse(node.targets[0]) != "pytestmark":
        return []
    return node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]


def marks(folder: Path = TESTS) -> Iterator[Mark]:
    """Give every mark of every test, by file and name."""
    for path in sorted(folder.rglob("test_*.py")):
        file = path.relative_to(folder).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for each in (mark for node in tree.body for mark in _pytestmark(node)):
            yield from (Mark(number, file, "") for number in _numbers(each))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for each in node.decorator_list:
                    yield from (Mark(number, file, node.name) for number in _numbers(each))


def rows(chapter: dict[str, Any], found: list[Mark]) -> list[Row]:
    """Return a chapter's requirements, each with how it stands."""
    return [_row(number, said, found) for number, said in chapter.items() if number != "title"]


def _row(number: str, said: dict[str, Any], found: list[Mark]) -> Row:
    tests: dict[str, list[str]] = {}
    for mark in found:
        if mark.number == number:
            tests.setdefault(mark.file, []).append(mark.test)
    shown = [_tests(file, names) for file, names in tests.items()]
    if "document" in said:
        shown.append(said["document"])
    if "no" in said:
        if shown:
            raise ValueError(f"{number} does not apply and is shown all the same")
        return Row(number, said["level"], said["words"], NO, f"not applicable: {said['no']}")
    state = OPEN if "open" in said or not shown else SHOWN
    if state == OPEN:
        shown.insert(0, f"**OPEN**: {said.get('open', 'nothing shows it')}")
    return Row(number, said["level"], said["words"], state, "; ".join(shown))


def _tests(file: str, names: list[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names if name)
    return f"`tests/{file}`" + (f" ({listed})" if listed else "")


def _counts(every: list[Row], level: int) -> str:
    of_level = [row.state for row in every if row.level == level]
    return " | ".join(str(of_level.count(state)) for state in (SHOWN, OPEN, NO))


def page() -> str:
    """Return docs/asvs.md."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    nothing: dict[str, str] = table.pop("nothing")
    found = list(marks())
    known = {number for chapter in table.values() for number in chapter if number != "title"}
    if unknown := [mark for mark in found if mark.number not in known]:
        raise ValueError(f"no such requirement: {unknown}")
    chapters = {name: (said["title"], rows(said, found)) for name, said in table.items()}
    every = [row for _title, all_of in chapters.values() for row in all_of]
    lines = [HEAD, "| level | shown | open | not applicable |", "|---|---|---|---|"]
    lines += [f"| {level} | {_counts(every, level)} |" for level in LEVELS]
    lines += ["", "Nothing of these chapters applies, and they are not counted:", ""]
    lines += [f"* {name}, {why}" for name, why in nothing.items()]
    for name, (title, all_of) in chapters.items():
        lines += [
            "",
            f"## {name} {title}",
            "",
            "| requirement | level | in our words | shown by |",
            "|---|---|---|---|",
        ]
        lines += [f"| {row.number} | {row.level} | {row.words} | {row.shown} |" for row in all_of]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
    print(f"wrote {TARGET.relative_to(ROOT)}")
