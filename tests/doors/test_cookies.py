"""Every cookie that the house sets: bound to the host, over TLS only, closed to scripts, not sent from elsewhere."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, SessionBase

import parcelward

SRC = Path(parcelward.__file__).parent
ASKED = """
import json
from django.conf import settings as s
from parcelward.doors.portals.accounts.guard import browser_cookie
print(json.dumps({
    "names": [s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.LANGUAGE_COOKIE_NAME, browser_cookie()],
    "secure": [s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE],
    "closed": [s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY],
    "same_site": [s.SESSION_COOKIE_SAMESITE, s.CSRF_COOKIE_SAMESITE],
    "where": [s.SESSION_COOKIE_DOMAIN, s.CSRF_COOKIE_DOMAIN, s.SESSION_COOKIE_PATH, s.CSRF_COOKIE_PATH],
}))
"""


@pytest.mark.asvs("3.3.1", "3.3.2", "3.3.3", "3.3.4")
def test_behind_https_the_frameworks_cookies_are_closed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()\n" + ASKED],
        env=os.environ
        | {"PARCELWARD_HOME": str(tmp_path), "PARCELWARD_PUBLIC_URL": "https://post.example"}
        | {"PARCELWARD_MODE": "production", "PYTHONPATH": str(SRC.parent)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [name for name in said["names"] if not name.startswith("__Host-")] == []
    assert said["secure"] == [True] * 3
    assert said["closed"] == [True] * 2
    assert set(said["same_site"]) == {"Lax"}
    assert said["where"] == [None, None, "/", "/"], "or a browser would not take such a name"


@pytest.mark.asvs("3.3.1", "3.3.2", "3.3.3", "3.3.4")
def test_our_own_cookies_are_closed() -> None:
    seen = 0
    for path in sorted(SRC.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or ast.unparse(call.func).rpartition(".")[2] != "set_cookie":
                continue
            seen += 1
            said = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            how = {name: said.get(name) for name in ("secure", "httponly", "samesite")}
            assert how == {"secure": "settings.SECURE", "httponly": "True", "samesite": "'Lax'"}, path
            assert not {"domain", "path"} & said.keys(), path
            assert ast.unparse(call.args[0]) in {"settings.LANGUAGE_COOKIE_NAME", "browser_cookie()"}, path
    assert seen == 2


@pytest.mark.asvs("7.2.3")
def test_a_sessions_key_cannot_be_guessed() -> None:
    class Store(SessionBase):
        def exists(self, session_key: str) -> bool:
            return False

    keys = {Store()._get_new_session_key() for _ in range(1_000)}  # type: ignore[attr-defined]  # the framework keeps it to itself
    assert len(keys) == 1_000
    assert all(len(VALID_KEY_CHARS) ** len(key) > 2**128 for key in keys)
    assert {char for key in keys for char in key} == set(VALID_KEY_CHARS)
