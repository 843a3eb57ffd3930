"""The log over HTTP: C2SP's paths and headers, one copy for every cache, and its first entry opened to anyone."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from scripts import build_verify_html
from tests.scanner import Scanner, event, new_number, until

from parcelward.custody import offline
from parcelward.custody.errors import ProofFailed
from parcelward.custody.keys import vkeys_in


def get(url: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{url}/log/{path}", headers=headers, timeout=30)


@pytest.fixture(scope="module")
def size(installation, facilities) -> int:
    Scanner(installation).send(*(event(new_number(), "accepted") for _ in range(3)))
    return int(until(lambda: int([*get(installation.url, "checkpoint").text.split("\n"), "0"][1] or 0)))


def test_tiles_stay_and_checkpoints_do_not(live_url: str, size: int) -> None:
    for path in (f"tile/0/000.p/{size % 256}", "tile/0/000.p/1", "tile/entries/000.p/1"):
        answer = get(live_url, path, **{"Accept-Language": "es", "Cookie": "language=es"})
        assert answer.status_code == 200, path
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Vary" not in answer.headers, "a cache would keep one copy a language"
        assert "Content-Language" not in answer.headers
    for path in ("checkpoint", "vkey"):
        answer = get(live_url, path)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert "Vary" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p/256", "tile/00/000.p/1", "tile/0/0.p/1", "tile/64/000.p/1",
        "tile/0/x000/000.p/1", "tile/0/000.p/1/", "tile/0/999", "tile/entries/999", "tile/-1/000", "tile/data/000",
    ],
)  # fmt: skip
def test_one_tile_has_one_path(live_url: str, size: int, path: str) -> None:
    answer = get(live_url, path)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store", "it may be there in a moment"


def test_the_log_is_only_read(live_url: str, size: int) -> None:
    for path in ("checkpoint", "checkpoint/witnessed", "tile/0/000.p/1", "vkey", "verifier", "succession", "archive"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            answer = httpx.request(method, f"{live_url}/log/{path}", timeout=30)
            assert answer.status_code == 405, (method, path)
            assert answer.headers["Allow"] == "GET, HEAD"
            assert answer.json()["code"] == "method_not_allowed"


def test_the_first_entry_names_the_verifier_and_anyone_can_open_it(live_url: str, size: int, tmp_path: Path) -> None:
    answer = get(live_url, "verifier")
    assert answer.status_code == 200
    held = tmp_path / "verifier.json"
    held.write_bytes(answer.content)
    digest = hashlib.sha256(build_verify_html.TARGET.read_bytes()).hexdigest()
    report = offline.verify_file(held)
    assert json.loads(report.said)["sha256"] == digest
    assert any(digest in each for each in report.words)
    vkey = vkeys_in(get(live_url, "vkey").text)[0]
    assert offline.verify_file(held, vkeys=[vkey]).pinned
    opened = answer.json()
    assert "\nindex 0\n" in opened["proof"], "it is the log's first entry"
    stranger = vkey.replace("+", "x+", 1)
    changes: tuple[dict[str, Any], ...] = (
        {"body": opened["body"].replace(digest, "00" * 32)},
        {"salt": "00" * 32},
        {"proof": opened["proof"].replace("index 0", "index 1")},
        {"origin": "other.example/log"},
        {"vkeys": []},
        {"vkeys": [stranger]},
    )
    for changed in changes:
        held.write_text(json.dumps(opened | changed))
        with pytest.raises(ProofFailed):
            offline.verify_file(held)
