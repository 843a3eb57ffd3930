"""Whoever opens a connection to somebody stands in docs/outgoing.md, and nobody else does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "parcelward"
PAGE = (ROOT / "docs" / "outgoing.md").read_text(encoding="utf-8")
CLIENTS = frozenset(
    [
        "aiohttp",
        "asyncore",
        "ftplib",
        "http.client",
        "httpcore",
        "httplib2",
        "httpx",
        "imaplib",
        "nntplib",
        "poplib",
        "pycurl",
        "requests",
        "smtplib",
        "socket",
        "telnetlib",
        "urllib.request",
        "urllib3",
        "websocket",
        "websockets",
        "xmlrpc.client",
        "django.core.mail",
        "paramiko",
    ]
)
OPENERS = frozenset({"create_connection", "open_connection", "create_datagram_endpoint", "open_unix_connection"})


def opens(source: str) -> bool:
    """Tell whether a module can open a connection by itself."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        if any(name in CLIENTS or name.partition(".")[0] in CLIENTS for name in names):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            if called.startswith("psycopg.") and node.func.attr == "connect":
                return True
            if node.func.attr in OPENERS and called != "connections.create_connection":
                return True
    return False


@pytest.mark.asvs("13.2.4")
def test_the_page_names_every_place_that_asks_somebody_and_no_other() -> None:
    found = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py") if opens(path.read_text(encoding="utf-8"))}
    assert found == set(re.findall(r"`((?:base|custody|doors|privacy|parcels|people|network)/[\w/]+\.py)`", PAGE))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import httpx", True),
        ("def f():\n    from urllib import request", True),
        ("from urllib.parse import quote", False),
        ("import http.client as c", True),
        ("async def f():\n    await asyncio.open_connection('a', 1)", True),
        ("psycopg.connect('a')", True),
        ("psycopg.AsyncConnection.connect('a')", True),
        ("signal.connect(f)", False),
        ("from parcelward.doors import requests", False),
    ],
)
def test_a_place_is_known_by_what_it_opens_with(source: str, said: bool) -> None:
    assert opens(source) is said
