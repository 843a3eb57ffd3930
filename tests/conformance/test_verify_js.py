"""The page's verifier over a log that another implementation wrote: Tessera's test data."""

from __future__ import annotations

from typing import Any

import pytest
from tests import shared_data
from tests.custody.node import refused, run
from tests.custody.sample_log import base64_text

from parcelward.custody import tiles, tree

pytestmark = pytest.mark.shared


def test_every_entry_and_every_growth_of_a_foreign_log_is_proven_and_no_other() -> None:
    folder = shared_data.path("tlog/tessera/testdata/log")
    vkey = shared_data.path("tlog/tessera/VKEY.txt").read_text(encoding="utf-8").split()[0]
    checkpoints = sorted(folder.glob("checkpoint.*"), key=lambda path: int(path.suffix[1:]))
    size = int(checkpoints[-1].suffix[1:])
    bundle = (folder / tiles.tile_for(None, 0, size).path).read_bytes()
    case: dict[str, Any] = {
        "kind": "log",
        "origin": vkey.partition("+")[0],
        "vkey": vkey,
        "checkpoints": [base64_text(path.read_bytes()) for path in checkpoints],
        "files": {
            path.relative_to(folder).as_posix(): base64_text(path.read_bytes())
            for path in folder.glob("tile/**/*")
            if path.is_file()
        },
        "leaves": [tree.leaf_hash(entry).hex() for entry in tiles.parse_bundle(bundle, size)],
    }
    swapped = case | {"leaves": [case["leaves"][1], case["leaves"][0], *case["leaves"][2:]]}
    elsewhere = case | {"origin": "another.example"}
    honest, *wrong = run(case, swapped, elsewhere)
    sizes = [int(path.suffix[1:]) for path in checkpoints]
    assert honest == {"ok": True, "proofs": sum(sizes) + len(sizes) * (len(sizes) + 1) // 2}
    refused(wrong, "inclusion", "origin")
