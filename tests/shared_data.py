"""Finds the conformance data that may lie beside the checkout; tests that need it skip where it is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "shared" / "data"


def path(relative: str) -> Path:
    """Return the path of a conformance file or folder, or skip the test that asked."""
    found = ROOT / relative
    if not found.exists():
        pytest.skip(f"conformance data '{relative}' is not beside this checkout")
    return found
