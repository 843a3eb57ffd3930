"""Finds the conformance data, which is not part of the project (CONTRIBUTING.md says where it comes from).

It lies in the folder that PARCELWARD_TEST_DATA names, else beside the checkout; tests that need it skip where it is
absent.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
ROOT = Path(os.environ.get("PARCELWARD_TEST_DATA") or BESIDE)


def path(relative: str) -> Path:
    """Return the path of a conformance file or folder, or skip the test that asked."""
    found = ROOT / relative
    if not found.exists():
        pytest.skip(f"no conformance data '{relative}' in {ROOT}: PARCELWARD_TEST_DATA names the folder")
    return found
