"""What is locked is asked about, its page says how soon each is replaced, and a known weakness is found."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from scripts import check_dependencies as ours

ROOT = Path(__file__).parents[2]
LOCK = (
    "good==1.0 \\\n    --hash=sha256:aa\n    # via x\nweak-part==2.0 ; python_version < '4' \\\n    --hash=sha256:bb\n"
)
SAYS: dict[str, Any] = {
    "/good/1.0/json": {"vulnerabilities": [{"id": "PYSEC-0", "withdrawn": "2026-01-01"}], "urls": [{"yanked": False}]},
    "/weak-part/2.0/json": {
        "vulnerabilities": [{"id": "GHSA-1", "aliases": ["CVE-2026-1"]}, {"id": "PYSEC-2", "aliases": []}],
        "urls": [{"yanked": True}],
    },
}


@pytest.fixture
def index() -> Iterator[str]:
    """A package index of two packages."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = json.dumps(SAYS[self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def asked(tmp_path: Path, index: str, lock: str, made: str, capsys: Any) -> tuple[int, str]:
    path = tmp_path / "lock"
    path.write_text(lock)
    status = ours.main(["--lock", str(path), "--index", index, "--made", made])
    return status, capsys.readouterr().out


@pytest.mark.asvs("15.2.1")
def test_a_known_weakness_and_a_withdrawn_version_are_found(tmp_path: Path, index: str, capsys: Any) -> None:
    status, said = asked(tmp_path, index, LOCK, "9999-01-01", capsys)
    assert status == 1
    assert "weak-part 2.0: CVE-2026-1, PYSEC-2; replace it within 7 days" in said
    assert "weak-part 2.0 was withdrawn" in said
    assert "good" not in said


@pytest.mark.asvs("15.2.1")
def test_an_old_lock_is_found_and_a_good_one_passes(tmp_path: Path, index: str, capsys: Any) -> None:
    good = LOCK.partition("weak")[0]
    assert asked(tmp_path, index, good, "9999-01-01", capsys)[0] == 0
    status, said = asked(tmp_path, index, good, "2020-01-01", capsys)
    assert status == 1
    assert "days old" in said


@pytest.mark.asvs("15.1.1", "15.2.1")
def test_everything_that_is_locked_is_asked_about_and_the_page_says_the_same_days() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert len(ours.pins(lock)) == len(re.findall(r"^\S+==", lock, re.MULTILINE)) > 50
    page = (ROOT / "docs/operating/dependencies.md").read_text()
    for what, days in ours.DAYS.items():
        assert f"| {what} | {days} days |" in page
