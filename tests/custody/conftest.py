"""The journeys that most tests of the verifiers alter."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.custody import built_page
from tests.custody.sample_log import STEPS, Item, SampleLog, journey


@pytest.fixture(scope="module")
def small() -> tuple[SampleLog, Item]:
    return journey(3, 2, 4)


@pytest.fixture(scope="module")
def log_and_item() -> tuple[SampleLog, Item]:
    log, item = SampleLog(), Item("one")
    log.grow(300)
    log.enrol()
    for step in STEPS:
        log.record(item, step)
        log.grow(3)
    return log, item


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script that stands in the built file, as a module."""
    return built_page.written_to(tmp_path_factory.mktemp("built"))
