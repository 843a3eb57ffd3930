"""The door for passkeys in this process, from an address of one's own: no try is lost to the throttle."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.wsgi import get_wsgi_application
from django.db import connection
from tests.attacks.untouched import untouched
from tests.passkey import Browser, Passkey, b64, options_in

from parcelward.base import config

_ONCE = re.compile(r'(csrfmiddlewaretoken" value|nonce|passkey-options" type)="[^"]+"|"challenge": ?"[^"]+"')
REFUSED = "This passkey was not accepted. Try again, or use another one."
_KEPT = {
    "passkeys": "SELECT md5(string_agg(p::text, '|' ORDER BY credential)) FROM people_passkey p",
    "authenticators": "SELECT md5(string_agg(a::text, '|' ORDER BY id)) FROM mfa_authenticator a",
    "signed in": "SELECT count(*), count(ended_at), max(began_at), max(proved_at) FROM people_signedin",
    "memberships": "SELECT count(*), count(ended_at) FROM people_membership",
    "invitations": "SELECT md5(string_agg(i::text, '|' ORDER BY id)) FROM people_invitation i",
    "history": "SELECT count(*) FROM people_securityevent",
    "facts": "SELECT count(*) FROM custody_fact WHERE kind LIKE 'people.%'",
}


class Near(Browser):
    """A browser with a passkey that asks the house in this process."""

    def __init__(self) -> None:
        super().__init__(config.get().public_url)
        self.http.close()
        address = "10." + ".".join(str(byte) for byte in secrets.token_bytes(3))
        door = httpx.WSGITransport(get_wsgi_application(), raise_app_exceptions=False, remote_addr=address)
        self.http = httpx.Client(base_url=self.url, transport=door, timeout=60)

    def offered(self, link: str) -> tuple[dict[str, str], dict[str, Any]]:
        """Take an invitation up to where the passkey is made: the form's fields, and what to make it from."""
        code = link.partition("#code=")[2]
        page = self.post("/accounts/join", "/accounts/join", code=code)
        assert page.status_code == 200, page.text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token
        return {"csrfmiddlewaretoken": token[1], "code": code, "name": "test key"}, options_in(page.text)

    def finish(self, fields: dict[str, str], answer: Any) -> httpx.Response:
        """Send what the passkey made."""
        said = answer if isinstance(answer, str) else json.dumps(answer)
        return self.http.post("/accounts/join/passkey", data={**fields, "credential": said})

    def sign_out(self) -> None:
        assert self.post("/accounts/sign-out", "/app/account").status_code == 302
        assert not self.signed_in()


def shape(answer: httpx.Response) -> tuple[int, str]:
    """Return all that an answer tells: without the tokens, of which each page has its own."""
    return answer.status_code, _ONCE.sub("", answer.text)


@contextlib.contextmanager
def nothing_done(*except_for: str) -> Iterator[None]:
    """Fail when an account, a session, a passkey or an entry was made, ended or changed in the block."""

    def kept() -> dict[str, Any]:
        found = {}
        with connection.cursor() as cur:
            for name, statement in _KEPT.items():
                cur.execute(statement)
                found[name] = cur.fetchone()
        return found

    with untouched(*except_for):
        before = kept()
        yield
        after = kept()
    changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    assert set(changed) <= set(except_for), changed


def bent(answer: dict[str, Any], *path: str, to: Any) -> dict[str, Any]:
    """Return the answer with one field changed, or left out where `to` is `...`."""
    whole: dict[str, Any] = json.loads(json.dumps(answer))
    inner = whole
    for step in path[:-1]:
        inner = inner[step]
    if to is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return whole


def signed_over(key: Passkey, options: dict[str, Any], *, data: bytes = b"", said: bytes = b"") -> dict[str, Any]:
    """Return an answer over any authenticator data and client data, rightly signed."""
    whole = key.get(options)
    data = data or key.auth_data(0x05)
    said = said or key.client_data("webauthn.get", options["publicKey"]["challenge"])
    signature = key.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
    parts = {"clientDataJSON": b64(said), "authenticatorData": b64(data), "signature": b64(signature)}
    return {**whole, "response": {**whole["response"], **parts}}


def random_id() -> str:
    return b64(os.urandom(32))
