"""A small timestamping authority over real HTTP, made with `openssl ts`: honest, or as a test tells it to be."""

from __future__ import annotations

import contextlib
import functools
import http.server
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

_CONFIG: Final = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[authority]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ts]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/authority.pem
signer_key = {folder}/authority.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
ess_cert_id_alg = sha256
"""
_KEY: Final = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@functools.cache
def missing() -> str:
    """Return why there can be no authority here; empty when there can."""
    if shutil.which("openssl") is None:
        return "there is no openssl command"
    helped = subprocess.run(["openssl", "ts", "-help"], capture_output=True, text=True, check=False, timeout=30)
    return "" if "-reply" in helped.stdout + helped.stderr else "the openssl command has no `ts -reply`"


def required() -> None:
    if missing():
        pytest.skip(missing())


class Authority:
    """`lie` turns an answer into what is sent instead; it is given the request and the honest answer."""

    def __init__(self, folder: Path, *, name: str = "Test TSA", digests: str = "sha256"):
        self.folder, self.root, self.url = folder, folder / "root.pem", ""
        self.asked: list[tuple[str, bytes]] = []  # content type, body
        self.status, self.wait_s = 200, 0.0
        self.lie: Any = lambda _query, answer: answer
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "openssl.cnf").write_text(_CONFIG.format(name=name, folder=folder, digests=digests))
        (folder / "serial").write_text("01\n")
        self._openssl("req", "-x509", *_KEY, "-keyout", "root.key", "-out", "root.pem", "-days", "3650",
                      "-config", "openssl.cnf", "-extensions", "root")  # fmt: skip
        self._openssl("req", *_KEY, "-keyout", "authority.key", "-out", "authority.csr", "-config", "openssl.cnf",
                      "-subj", f"/CN={name} signer")  # fmt: skip
        self._openssl("x509", "-req", "-in", "authority.csr", "-CA", "root.pem", "-CAkey", "root.key", "-set_serial",
                      "2", "-days", "3650", "-extfile", "openssl.cnf", "-extensions", "authority",
                      "-out", "authority.pem")  # fmt: skip

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True, timeout=60)

    def answer(self, query: bytes) -> bytes:
        """Return the honest answer to a request."""
        (self.folder / "query.tsq").write_bytes(query)
        self._openssl("ts", "-reply", "-queryfile", "query.tsq", "-config", "openssl.cnf", "-section", "ts",
                      "-out", "answer.tsr")  # fmt: skip
        return (self.folder / "answer.tsr").read_bytes()

    def holds(self, note: bytes, answer: bytes) -> bool:
        """Say what `openssl ts -verify` says."""
        (self.folder / "note").write_bytes(note)
        (self.folder / "kept.tsr").write_bytes(answer)
        words = ["ts", "-verify", "-in", "kept.tsr", "-data", "note", "-CAfile", "root.pem"]
        return not subprocess.run(
            ["openssl", *words], cwd=self.folder, check=False, capture_output=True, timeout=60
        ).returncode


@contextlib.contextmanager
def listening(authority: Authority) -> Iterator[Authority]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["content-length"]))
            authority.asked.append((self.headers["content-type"], query))
            time.sleep(authority.wait_s)
            said = authority.lie(query, authority.answer(query)) if authority.status == 200 else b"not now"
            self.send_response(authority.status)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    authority.url = f"http://127.0.0.1:{server.server_address[1]}/tsr"
    try:
        yield authority
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
