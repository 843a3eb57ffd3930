"""Faults that were seen in systems like ours, each tried here."""

from __future__ import annotations

import ast
import datetime as dt
import ipaddress
import json
import os
import re
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from tests.attacks.untouched import untouched
from tests.scanner import Scanner, event

import parcelward
from parcelward.base import egress

SRC = Path(parcelward.__file__).parent
FILES = sorted(path for path in SRC.rglob("*.py") if "migrations" not in path.parts)


@pytest.fixture(scope="module")
def scanner(installation, facilities):
    return Scanner(installation, name="scanner of the peers")


@pytest.mark.asvs("8.4.1")
def test_a_tracker_of_another_tenant_is_not_read_without_a_key(installation, scanner, number):
    """An unauthenticated read across tenants: what is public has no name, weight, position, source or inner id."""
    scanner.send(event(number, "accepted", weight_g=4_711, position=[-89.1234567, 39.7]))
    said = httpx.get(f"{installation.url}/api/v1/items/{number}/events", timeout=30)
    assert said.status_code == 200
    for private in ("4711", "89.1234567", scanner.device_id, scanner.key_id):
        assert private not in said.text
    for door in ("events", "queries", "capture", f"epcs/{number}/events"):
        assert httpx.get(f"{installation.url}/epcis/{door}", timeout=30).status_code == 401, door


def calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.asvs("12.3.2")
@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SRC)))
def test_no_file_turns_tls_off_or_looks_at_how_it_was_started(path):
    """TLS verification off; password hashing weakened by sniffing `argv`; a code that always opens."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    for call in calls(tree):
        for keyword in call.keywords:
            if keyword.arg in {"verify", "verify_ssl", "check_hostname", "ssl_verify"}:
                assert not (isinstance(keyword.value, ast.Constant) and not keyword.value.value), ast.unparse(call)
    for word in ("CERT_NONE", "_create_unverified_context", "disable_warnings", "sslmode=disable", "INSECURE"):
        assert word not in text, word
    assert not re.search(r"check_hostname\s*=\s*False|\bverify\s*=\s*False", text)
    if "console" not in path.parts and path.name != "lifeline.py":  # it starts a program
        assert "sys.argv" not in text, "only a command may look at its own words"
    assert not re.search(r"(?i)\b(bypass|master|magic|static)_?(code|otp|token|password|proof)\b", text)


@pytest.mark.asvs("12.3.2")
def test_a_server_with_a_certificate_of_its_own_is_not_spoken_to(tmp_path):
    """TLS verification off: the one way out refuses whom nobody vouches for, before a byte is said."""
    heard: list[bytes] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_own_certificate(tmp_path))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with pytest.raises(egress.NotReached):
            egress.post(f"https://127.0.0.1:{server.server_port}/", b"a secret")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert heard == []


def _own_certificate(folder: Path) -> Path:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(hours=1))
    ours = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = made.add_extension(ours, critical=False).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "own.pem"
    path.write_bytes(private + signed.public_bytes(pem))
    return path


ASKED = """
import json, django
from django.conf import settings
django.setup()
from allauth.mfa import app_settings as mfa
print(json.dumps({
    "bypass": mfa.TOTP_INSECURE_BYPASS_CODE,
    "any origin": mfa.WEBAUTHN_ALLOW_INSECURE_ORIGIN,
    "verification": mfa.WEBAUTHN_USER_VERIFICATION,
    "hashers": settings.PASSWORD_HASHERS,
    "debug": settings.DEBUG,
    "signup": mfa.PASSKEY_SIGNUP_ENABLED,
    "trusted browsers": mfa.TRUST_ENABLED,
}))
"""


@pytest.mark.asvs("6.3.4")
@pytest.mark.parametrize("mode", ["production", "test"])
@pytest.mark.parametrize("words", [[], ["test"], ["pytest"], ["manage.py", "test"]], ids=" ".join)
def test_nothing_that_is_set_or_said_at_the_start_weakens_a_proof(tmp_path, mode, words):
    """A one-time code that always opens; hashing weakened because a word of the command line was `test`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PARCELWARD_")}
    env |= {
        "PARCELWARD_HOME": str(tmp_path),
        "PARCELWARD_MODE": mode,
        "PARCELWARD_PUBLIC_URL": "https://post.example",
        "DJANGO_SETTINGS_MODULE": "parcelward.doors.settings",
        "MFA_TOTP_INSECURE_BYPASS_CODE": "000000",
        "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN": "1",
        "DJANGO_DEBUG": "1",
        "DEBUG": "1",
    }
    done = subprocess.run([sys.executable, "-c", ASKED, *words], env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {
        "bypass": None,
        "any origin": False,
        "verification": "required",
        "hashers": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
        "debug": False,
        "signup": False,
        "trusted browsers": False,
    }


@pytest.mark.asvs("6.3.4")
def test_a_bypass_code_would_not_be_taken_if_somebody_wrote_one(installation):
    """A static one-time code: the library itself refuses one where it is not being debugged."""
    from allauth.mfa import app_settings as mfa
    from django.core.exceptions import ImproperlyConfigured
    from django.test import override_settings

    with override_settings(MFA_TOTP_INSECURE_BYPASS_CODE="000000"), pytest.raises(ImproperlyConfigured):
        _ = mfa.TOTP_INSECURE_BYPASS_CODE


@pytest.mark.asvs("6.3.4")
def test_no_command_has_an_option_that_skips_a_proof():
    """`bypass_proof` by any user of the console: no word of ours does that."""
    from parcelward.doors.console.main import COMMANDS

    seen: list[object] = []
    for path in sorted((SRC / "doors/console").glob("*.py")):
        for call in calls(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument":
                seen.extend(arg.value for arg in call.args if isinstance(arg, ast.Constant))
    assert len(seen) > 20
    for word in (*seen, *COMMANDS):
        assert not re.search(r"bypass|skip|insecure|no-verify|without-proof|trust", str(word)), word


@pytest.mark.parametrize("words", ["Your parcel was delivered", "delivered", "out for delivery", "in_transit"])
def test_no_prose_makes_a_status(installation, scanner, number, words):
    """A status from substrings of English prose: a step is a word of the table, and an unknown one is none of ours."""
    scanner.send(event(number, "accepted"))
    body = scanner.body([event(number, words if "_" in words or " " in words else f"{words}_to_neighbour", minutes=9)])
    scanner.post(body)
    scanner.post(scanner.body([event(number, "accepted", minutes=10, note_code="delivered")]))
    shown = httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()
    assert shown["step"] == "accepted"
    with untouched():
        free = scanner.post(scanner.body([event(number, "accepted", minutes=11) | {"text": words}]), sequence=1)
        assert free.status_code in {409, 422}, "there is no field for prose"
