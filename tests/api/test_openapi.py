"""Generated calls against the OpenAPI description of the live API: no 5xx, and nothing that is not described."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.scanner import SEED

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method,use_after_free"
)
SECONDS_MAX = 40


@pytest.fixture(scope="module")
def described(installation):
    return httpx.get(f"{installation.url}/api/v1/openapi.json", timeout=30).json()


def test_scans_are_described_with_all_their_answers(described):
    scans = described["paths"]["/api/v1/scans"]["post"]
    assert set(scans["responses"]) == {"200", "401", "403", "409", "411", "413", "422", "503"}
    assert "ScanIn" in described["components"]["schemas"]
    assert set(scans["requestBody"]["content"]) == {"application/json", "application/x-ndjson"}


def test_every_refusal_is_described_as_a_problem_document(described):
    for path, operations in described["paths"].items():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    assert list(answer["content"]) == ["application/problem+json"], (path, status)


def test_the_headers_that_change_what_a_write_does_are_described(described):
    for path, method, header in (
        ("/api/v1/devices", "post", "Idempotency-Key"),
        ("/api/v1/manifests", "post", "Idempotency-Key"),
        ("/api/v1/facilities/{code}", "put", "If-Match"),
        ("/api/v1/lanes/{origin}/{destination}", "put", "If-Match"),
    ):
        there = [p["name"] for p in described["paths"][path][method]["parameters"] if p["in"] == "header"]
        assert there == [header], path


def test_every_name_that_is_used_is_defined(described):
    def names(value):
        if isinstance(value, dict):
            yield from (text for key, text in value.items() if key == "$ref")
            yield from (name for inner in value.values() for name in names(inner))
        elif isinstance(value, list):
            yield from (name for inner in value for name in names(inner))

    defined = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert set(names(described)) <= defined


@pytest.mark.slow
def test_generated_calls_break_nothing_and_are_answered_as_described(installation, facilities, tmp_path):
    """Two runs: an administrator's key for the network and the devices, a partner's for scans."""
    from parcelward.people import actions
    from parcelward.people.wire import Role

    program = Path(sys.executable).with_name("st")
    if not program.exists():
        program = Path(shutil.which("st") or pytest.skip("schemathesis is not installed"))
    print(f"seed {SEED}")
    partner = actions.make_key("generated calls", Role.PARTNER, by=actions.installer(), mode="test")
    for token, only in (
        (installation.api_key, ("--exclude-path", "/api/v1/scans")),
        (partner, ("--include-path", "/api/v1/scans")),
    ):
        done = subprocess.run(
            [
                *(str(program), "run", f"{installation.url}/api/v1/openapi.json", *only),
                *("--header", f"Authorization: Bearer {token}", "--checks", CHECKS, "--seed", str(SEED)),
                *("--max-time", str(SECONDS_MAX // 2), "--max-examples", "25", "--no-shrink"),
                *("--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--warnings", "off"),
                *("--suppress-health-check", "all", "--request-timeout", "30"),
            ],
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX * 6,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-6_000:]
