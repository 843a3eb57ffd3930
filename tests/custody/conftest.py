"""The journey that most tests of the verifiers alter."""

from __future__ import annotations

import pytest
from tests.custody.sample_log import (
    Item,
    SampleLog,
    journey,
)


@pytest.fixture(scope="module")
def small() -> tuple[SampleLog, Item]:
    return journey(3, 2, 4)
