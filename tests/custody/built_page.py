"""The built verify.html beside the Python verifier: what one refuses, both must refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripts import build_verify_html
from tests.custody.node import run
from tests.custody.sample_log import base64_text

from parcelward.custody import evidence_check, offline
from parcelward.custody.errors import ProofFailed


def written_to(folder: Path) -> Path:
    """Write the script that stands in the built file, as a module."""
    page = build_verify_html.TARGET.read_text(encoding="utf-8")
    script = page.partition('<script type="module">')[2].partition("</script>")[0]
    held = folder / "verify.mjs"
    held.write_text(f"{script}\nexport {{ checkFile }};\n", encoding="utf-8")
    return held


def check(module: Path, *files: bytes, keys: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return run(
        *({"kind": "file", "module": str(module), "data": base64_text(data), "keys": "\n".join(keys)} for data in files)
    )


def both_refuse(module: Path, *files: bytes, keys: tuple[str, ...] = ()) -> None:
    for data in files:
        with pytest.raises(ProofFailed):
            evidence_check.verify_bundle(data, vkeys=keys) if data[:2] == b"PK" else offline.verify_saved(
                data, vkeys=keys
            )
    for i, answer in enumerate(check(module, *files, keys=keys)):
        assert not answer["ok"], f"file {i} passed in the browser"
