"""LightGBM and what it brings have one home."""

from __future__ import annotations

from pathlib import Path

import parcelward

SRC = Path(parcelward.__file__).parent
HOME = SRC / "risk" / "learning"


def test_lightgbm_has_one_home_and_scipy_none() -> None:
    asking = {
        (word, path.relative_to(SRC).as_posix())
        for path in SRC.rglob("*.py")
        for word in ("lightgbm", "scipy", "narwhals", "sklearn", "pickle")
        for line in path.read_text().splitlines()
        if line.strip().startswith((f"import {word}", f"from {word}"))
    }
    assert {word for word, _ in asking} == {"lightgbm"}
    assert all((SRC / path).parent == HOME for _, path in asking)
