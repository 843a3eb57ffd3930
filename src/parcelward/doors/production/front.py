"""Look at what stands in front as a browser would: how it speaks TLS at the public address, and with which certificate.

TLS is not ours to speak: a proxy does, and whoever runs the service answers for it. So it is asked, only by
`parcelward check --production`, and never by a process that starts.
"""

from __future__ import annotations

import socket
import ssl
import warnings
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_S: Final = 5.0
DAYS_LEFT_MIN: Final = 14
_DAY_S: Final = 86_400
_EVERYTHING: Final = "ALL:@SECLEVEL=0"  # what we would never speak ourselves: only to hear whether the other side does


def faults(public_url: str, *, now_s: float, trusted: str | None = None) -> tuple[str, ...]:
    """Return what is wrong with TLS at an address, in words; nothing where the address has none to look at.

    `trusted` is a file of certificates to trust, and none else; without it those that the machine trusts.
    """
    said = urlsplit(public_url)
    if said.scheme != "https" or not said.hostname:
        return ()
    where = said.hostname, said.port or 443
    try:
        found = _certificate(where, now_s=now_s, trusted=trusted)
        old = _speaks_old(where)
    except OSError as why:
        return (f"{said.hostname} could not be looked at ({type(why).__name__})",)
    return (*found, *(["TLS 1.1 or older is spoken, too"] if old else []))


def _certificate(where: tuple[str, int], *, now_s: float, trusted: str | None) -> tuple[str, ...]:
    context = ssl.create_default_context(cafile=trusted)  # TLS 1.2 and newer, the name and the chain are checked
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        with _line(where) as line, context.wrap_socket(line, server_hostname=where[0]) as spoken:
            said = spoken.getpeercert() or {}
    except ssl.SSLCertVerificationError as why:
        return (f"browsers do not trust its certificate: {why.verify_message}",)
    except ssl.SSLError:
        return ("neither TLS 1.2 nor 1.3 is spoken",)
    left_s = ssl.cert_time_to_seconds(str(said["notAfter"])) - now_s
    return (f"its certificate ends in {left_s / _DAY_S:.0f} days",) if left_s < DAYS_LEFT_MIN * _DAY_S else ()


def _speaks_old(where: tuple[str, int]) -> bool:
    """Return whether the other side agrees to a version older than 1.2."""
    context = ssl.create_default_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers(_EVERYTHING)
    try:
        with _line(where) as line, context.wrap_socket(line, server_hostname=where[0]):
            return True
    except ssl.SSLCertVerificationError:
        return True  # who shows a certificate has agreed to the version; whether it is trusted was asked before
    except (ssl.SSLError, ConnectionError):
        return False


def _line(where: tuple[str, int]) -> socket.socket:
    return socket.create_connection(where, timeout=TIMEOUT_S)
