"""A passkey in software: what a browser and a device answer, byte by byte, so that attacks can bend any of it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import struct
import time
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor

UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40  # authenticator data flags (WebAuthn level 3, section 6.1)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Passkey:
    """One credential. The keyword arguments of its two answers say what is bent."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.rp_id = re.sub(r"^https?://|[:/].*$", "", origin)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id = os.urandom(32)
        self.user_handle = b""
        self.count = 0

    @property
    def cose(self) -> dict[int, Any]:
        """The public key as COSE has it (RFC 9052): ES256."""
        point = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}

    def client_data(self, kind: str, challenge: str, **bent: Any) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | bent).encode()

    def auth_data(self, flags: int, *, rp_id: str = "", count: int | None = None, attested: bytes = b"") -> bytes:
        rp = hashlib.sha256((rp_id or self.rp_id).encode()).digest()
        return rp + struct.pack(">BI", flags, self.count if count is None else count) + attested

    def create(
        self,
        options: dict[str, Any],
        *,
        flags: int = UP | UV | AT,
        cose: dict[int, Any] | None = None,
        rp_id: str = "",
        credential_id: bytes = b"",
        fmt: str = "none",
        **bent: Any,
    ) -> dict[str, Any]:
        """Answer what `navigator.credentials.create` was asked."""
        asked = options["publicKey"]
        self.user_handle = unb64(asked["user"]["id"])
        named = credential_id or self.id
        key = cbor.encode(self.cose if cose is None else cose)
        attested = b"\0" * 16 + struct.pack(">H", len(named)) + named + key if flags & AT else b""
        data = self.auth_data(flags, rp_id=rp_id, attested=attested)
        whole = cbor.encode({"fmt": fmt, "attStmt": {}, "authData": data})
        said = self.client_data(bent.pop("type", "webauthn.create"), bent.pop("challenge", asked["challenge"]), **bent)
        response = {"clientDataJSON": b64(said), "attestationObject": b64(whole), "transports": ["internal"]}
        return self._answer(response, named)

    def get(
        self,
        options: dict[str, Any],
        *,
        flags: int = UP | UV,
        rp_id: str = "",
        count: int | None = None,
        handle: bytes | None = None,
        key: ec.EllipticCurvePrivateKey | None = None,
        **bent: Any,
    ) -> dict[str, Any]:
        """Answer what `navigator.credentials.get` was asked."""
        asked = options["publicKey"]
        self.count += 1
        data = self.auth_data(flags, rp_id=rp_id, count=count)
        said = self.client_data(bent.pop("type", "webauthn.get"), bent.pop("challenge", asked["challenge"]), **bent)
        signature = (key or self.key).sign(data + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        user = self.user_handle if handle is None else handle
        response = {
            "clientDataJSON": b64(said),
            "authenticatorData": b64(data),
            "signature": b64(signature),
            "userHandle": b64(user),
        }
        return self._answer(response, self.id)

    def _answer(self, response: dict[str, Any], named: bytes) -> dict[str, Any]:
        return {
            "id": b64(named),
            "rawId": b64(named),
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {"credProps": {"rk": True}},
        }


class Browser:
    """A client that signs in as a browser with a passkey does."""

    def __init__(self, url: str) -> None:
        self.url = url
        # From an address of its own, as another household has: limits by address are not what most tests are about.
        here = f"127.{secrets.randbelow(254) + 1}.{secrets.randbelow(255)}.{secrets.randbelow(254) + 1}"
        self.http = httpx.Client(base_url=url, timeout=60, transport=httpx.HTTPTransport(local_address=here))
        self.passkey = Passkey(url)

    @property
    def user_id(self) -> UUID:
        """The account that the passkey belongs to."""
        return UUID(self.passkey.user_handle.decode())

    def token(self, address: str) -> str:
        """Return the page's token against forged forms."""
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.http.get(address).text)
        assert found, address
        return found[1]

    def post(self, address: str, page: str, **fields: str) -> httpx.Response:
        """Send a form that stands on `page`."""
        sent = {"csrfmiddlewaretoken": self.token(page), **fields}
        return self.http.post(address, data=sent, headers={"Referer": self.url})

    def join(self, link: str, name: str = "security_key", second: str = "") -> httpx.Response:
        """Take an invitation: the code, the second one where two people agreed, then a passkey."""
        code = link.partition("#code=")[2]
        offered = self.post("/accounts/join", "/accounts/join", code=code, second=second)
        assert offered.status_code == 200, offered.text
        options = options_in(offered.text)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', offered.text)
        assert token
        sent = {"csrfmiddlewaretoken": token[1], "code": code, "second": second, "name": name}
        sent["credential"] = json.dumps(self.passkey.create(options))
        return self.http.post("/accounts/join/passkey", data=sent, headers={"Referer": self.url})

    def options(self) -> dict[str, Any]:
        """Ask for a challenge to sign in with."""
        asked = self.post("/accounts/sign-in/passkey/options", "/accounts/sign-in")
        assert asked.status_code == 200, asked.text
        found: dict[str, Any] = asked.json()
        return found

    def answer(self, answer: Any, **fields: str) -> httpx.Response:
        """Send a passkey's answer to the sign-in."""
        said = answer if isinstance(answer, str) else json.dumps(answer)
        return self.post("/accounts/sign-in/passkey", "/accounts/sign-in", credential=said, **fields)

    def sign_in(self, **fields: str) -> httpx.Response:
        """Sign in with the passkey."""
        return self.answer(self.passkey.get(self.options()), **fields)

    def ask_code(self, email: str, **fields: str) -> httpx.Response:
        """Have a code sent to an address."""
        return self.post("/accounts/sign-in/code", "/accounts/sign-in", email=email, **fields)

    def type_code(self, code: str) -> httpx.Response:
        """Type the code that was sent."""
        return self.post("/accounts/sign-in/code/typed", "/accounts/sign-in/code/typed", code=code)

    def by_code(self, email: str, home: Path, **fields: str) -> httpx.Response:
        """Sign in, or up, with a code by e-mail."""
        before = letters(home, email)
        assert self.ask_code(email, **fields).status_code == 302
        return self.type_code(code_in(home, email, before=len(before)))

    def signed_in(self) -> bool:
        """Return whether the account page opens."""
        return self.http.get("/app/account").status_code == 200

    def prove(self) -> httpx.Response:
        """Prove again who it is, with the passkey."""
        asked = self.post("/app/account/prove/options", "/app/account/prove").json()
        said = json.dumps(self.passkey.get(asked))
        return self.post("/app/account/prove", "/app/account/prove", credential=said)

    def cookies(self) -> list[dict[str, Any]]:
        """Return the cookies in the form that a browser test hands to Chromium."""
        host = re.sub(r"^https?://|[:/].*$", "", self.url)
        return [{"name": c.name, "value": c.value, "domain": host, "path": "/"} for c in self.http.cookies.jar]


_CODE = re.compile(r"\b(\d{6,10})\b")


def letters(home: Path, email: str) -> list[str]:
    """Return the simulated messages with a code to an address, the newest last."""
    found = sorted((home / "mail").glob("*.eml"), key=lambda one: one.stat().st_mtime_ns)
    read = [message_from_bytes(one.read_bytes(), policy=policy.default) for one in found]
    said = [str(one.get_content()) for one in read if one["To"] == email]
    return [one for one in said if _CODE.search(one)]


def code_in(home: Path, email: str, *, before: int = 0) -> str:
    """Return the code of the newest message to an address, once there are more than `before`."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        found = letters(home, email)
        if len(found) > before:
            code = _CODE.search(found[-1])
            assert code
            return code[1]
        time.sleep(0.1)
    raise AssertionError("no message came")


def options_in(page: str) -> dict[str, Any]:
    """Return what a page gives to make a passkey from."""
    found = re.search(r'<script id="passkey-options" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert found, page[:2000]
    options: dict[str, Any] = json.loads(found[1])
    return options
