"""What the laws of the record share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.laws.tampering import undone


@pytest.fixture
def clean() -> Iterator[None]:
    """Roll back what the test turns; a module says `pytestmark = pytest.mark.usefixtures("clean")`."""
    with undone():
        yield
