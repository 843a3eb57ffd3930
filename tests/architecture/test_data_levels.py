"""Every table stands in one level of protection, and the homes of people and keys in none that is open."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from django.apps import apps

PAGE = (Path(__file__).parents[2] / "docs" / "data-levels.md").read_text(encoding="utf-8")
LEVELS = ("open", "inside", "personal", "secret")
_LISTED = re.compile(r"^\*\*(\w+)\*\*: (.+?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)


def listed() -> dict[str, list[str]]:
    return {level: re.findall(r"`(\w+)`", tables) for level, tables in _LISTED.findall(PAGE)}


@pytest.mark.asvs("14.1.1", "14.1.2")
def test_every_table_stands_in_one_level() -> None:
    tables = sorted(model._meta.db_table for model in apps.get_models(include_auto_created=True))
    assert sorted(itertools.chain(*listed().values())) == tables
    assert tuple(listed()) == LEVELS


@pytest.mark.asvs("14.1.2")
def test_each_level_has_its_rules() -> None:
    rows = {row.split("|")[1].strip(): row.count("|") for row in PAGE.splitlines() if row.startswith("| ")}
    assert all(rows[level] == rows["level"] for level in LEVELS)


@pytest.mark.asvs("14.1.1")
def test_the_homes_of_people_and_of_keys_are_not_called_open() -> None:
    levels = {table: level for level, tables in listed().items() for table in tables}
    odd = [table for table in levels if table.startswith("privacy_") and levels[table] == "open"]
    odd += [table for table in levels if table.endswith(("key", "secret")) and levels[table] != "secret"]
    assert odd == []
