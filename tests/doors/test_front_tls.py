"""What `check --production` hears of the proxy: its certificate, and which TLS it speaks."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from parcelward.doors.production import front


def certificate(folder: Path, *, name: str = "localhost", days: int = 90) -> Path:
    """Write a certificate that signs itself, with its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=200))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / f"{name}-{days}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, *plain) + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextlib.contextmanager
def proxy(held: Path, versions: tuple[ssl.TLSVersion, ssl.TLSVersion]) -> Iterator[str]:
    """Speak TLS on a port of this machine while the block runs; gives the address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(held)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = versions
    context.set_ciphers("ALL:@SECLEVEL=0")
    door = socket.create_server(("localhost", 0))

    def serve() -> None:
        while True:
            try:
                line, _where = door.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), line:
                line.settimeout(5)
                with context.wrap_socket(line, server_side=True) as spoken:
                    spoken.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"https://localhost:{door.getsockname()[1]}"
    finally:
        door.shutdown(socket.SHUT_RDWR)
        door.close()


V = ssl.TLSVersion
NEW = V.TLSv1_2, V.TLSv1_3


def heard(held: Path, versions: tuple[ssl.TLSVersion, ssl.TLSVersion] = NEW, trusted: Path | None = None) -> str:
    with proxy(held, versions) as url:
        return "; ".join(front.faults(url, now_s=time.time(), trusted=str(trusted) if trusted else None))


@pytest.mark.asvs("12.1.1", "12.2.2")
def test_a_proxy_as_it_should_be_has_no_fault(tmp_path: Path) -> None:
    held = certificate(tmp_path)
    assert heard(held, trusted=held) == ""


@pytest.mark.asvs("12.2.2")
def test_a_certificate_that_nobody_trusts_or_of_another_name_or_at_its_end_is_a_fault(tmp_path: Path) -> None:
    held, other = certificate(tmp_path), certificate(tmp_path, name="other.example")
    assert heard(held).startswith("browsers do not trust its certificate")
    assert heard(other, trusted=other).startswith("browsers do not trust its certificate")
    ended = certificate(tmp_path, days=-1)
    assert "expired" in heard(ended, trusted=ended)
    ending = certificate(tmp_path, days=3)
    assert heard(ending, trusted=ending).startswith("its certificate ends in ")


@pytest.mark.asvs("12.1.1")
def test_who_speaks_old_tls_is_found_also_beside_the_new(tmp_path: Path) -> None:
    held = certificate(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        both, old = (V.TLSv1, V.TLSv1_3), (V.TLSv1, V.TLSv1_1)
    assert heard(held, both, trusted=held) == "TLS 1.1 or older is spoken, too"
    assert heard(held, old, trusted=held) == "neither TLS 1.2 nor 1.3 is spoken; TLS 1.1 or older is spoken, too"


def test_nobody_there_is_said_and_plain_http_is_anothers_matter() -> None:
    assert front.faults("http://localhost:8000", now_s=0) == ()
    (said,) = front.faults("https://localhost:1", now_s=0)
    assert said.startswith("localhost could not be looked at")
