"""The page about OWASP ASVS is what the tests' marks and its table say, and no mark names what is not asked for."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from scripts import make_asvs
from scripts.make_asvs import NO, OPEN, SHOWN, Mark

TABLE = tomllib.loads(make_asvs.TABLE.read_text(encoding="utf-8"))
ASKED = {number: said for name, chapter in TABLE.items() if name != "nothing" for number, said in chapter.items()}
del ASKED["title"]


def test_the_page_is_what_the_script_makes() -> None:
    assert make_asvs.TARGET.read_text(encoding="utf-8") == make_asvs.page(), "python scripts/make_asvs.py"


def test_no_mark_names_what_is_not_asked_for() -> None:
    found = list(make_asvs.marks())
    assert len(found) > 100
    assert [mark for mark in found if mark.number not in ASKED] == []


def test_the_table_says_what_it_may() -> None:
    for number, said in ASKED.items():
        assert said.keys() <= {"level", "words", "no", "open", "document"}, number
        assert said["level"] in make_asvs.LEVELS, number
        assert not {"no", "open"} <= said.keys(), number
        assert not {"no", "document"} <= said.keys(), number


def test_marks_are_read_from_tests_and_whole_files(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(
        'pytestmark = [pytest.mark.slow, pytest.mark.asvs("1.1.1")]\n\n'
        '@pytest.mark.asvs("2.2.1", "2.2.2")\n@pytest.mark.slow\nasync def test_a(): ...\n'
    )
    (tmp_path / "test_two.py").write_text('pytestmark = pytest.mark.asvs("3.2.1")\n\ndef test_b(): ...\n')
    assert list(make_asvs.marks(tmp_path)) == [
        Mark("1.1.1", "test_one.py", ""),
        Mark("2.2.1", "test_one.py", "test_a"),
        Mark("2.2.2", "test_one.py", "test_a"),
        Mark("3.2.1", "test_two.py", ""),
    ]


def test_what_is_partly_shown_is_open() -> None:
    mark = Mark("1", "test_x.py", "test_y")
    said = {"level": 1, "words": "w"}
    states = {
        (): make_asvs._row("1", said, []).state,
        ("mark",): make_asvs._row("1", said, [mark]).state,
        ("document",): make_asvs._row("1", said | {"document": "d"}, []).state,
        ("mark", "open"): make_asvs._row("1", said | {"open": "o"}, [mark]).state,
        ("no",): make_asvs._row("1", said | {"no": "n"}, []).state,
    }
    assert states == {(): OPEN, ("mark",): SHOWN, ("document",): SHOWN, ("mark", "open"): OPEN, ("no",): NO}
    with pytest.raises(ValueError, match="does not apply"):
        make_asvs._row("1", said | {"no": "n"}, [mark])
