"""Everything that can be set from outside, read once from the environment and frozen."""

from __future__ import annotations

import functools
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

MODES = ("test", "production")
THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})  # browsers trust these without TLS
ORIGIN_FILE = "log-origin"


class BadSetting(Exception):
    """A setting that cannot work; the sentence says which and what to write instead."""


@dataclass(frozen=True, slots=True)
class Config:
    """One installation's settings. Every field names its environment variable."""

    home: Path  # PARCELWARD_HOME: data, keys and log files; default ./var
    port: int  # PARCELWARD_PORT
    bind: str  # PARCELWARD_BIND: the address to listen on; loopback unless said otherwise
    database_url: str  # PARCELWARD_DATABASE_URL; empty: the embedded server
    keys_url: str  # PARCELWARD_KEYS_URL; empty: the second embedded server
    public_url: str  # PARCELWARD_PUBLIC_URL: how browsers reach us
    mode: str  # PARCELWARD_MODE: test or production
    origin: str  # PARCELWARD_LOG_ORIGIN: the log's name, a schema-less URL (C2SP tlog-checkpoint)
    operator: str  # PARCELWARD_OPERATOR: shown on public pages
    currency: str  # PARCELWARD_CURRENCY: what postage is sold in (ISO 4217)
    country: str  # PARCELWARD_COUNTRY: the operator's ISO 3166-1 alpha-2 code
    trusted_proxies: int  # PARCELWARD_TRUSTED_PROXIES: how many proxies in front add to X-Forwarded-For
    web_workers: int  # PARCELWARD_WEB_WORKERS
    witnesses: tuple[str, ...]  # PARCELWARD_WITNESSES: "vkey=url" separated by spaces
    tsa_url: str  # PARCELWARD_TSA_URL: who timestamps archive checkpoints (RFC 3161); empty: nobody
    tsa_root: Path  # PARCELWARD_TSA_ROOT: the PEM file with that authority's root certificate
    kek: str  # PARCELWARD_KEK: a pkcs11: address (RFC 7512) of the token that keeps the vault's key; empty: a file
    stripe_key: str = field(
        repr=False
    )  # PARCELWARD_STRIPE_KEY: who takes payments by card; empty: nobody, or simulated
    stripe_webhook_secret: str = field(repr=False)  # PARCELWARD_STRIPE_WEBHOOK_SECRET: what its notices are signed with
    provider_port: int  # PARCELWARD_PROVIDER_PORT: where the simulated payment provider listens (test mode)
    smtp_url: str = field(repr=False)  # PARCELWARD_SMTP_URL: who takes our e-mail; its password is shown nowhere
    mail_from: str  # PARCELWARD_MAIL_FROM: the address that messages come from
    relay_domain: str  # PARCELWARD_RELAY_DOMAIN: of the addresses of masked contacts; empty: none
    relay_authserv: str  # PARCELWARD_RELAY_AUTHSERV: the mail server whose Authentication-Results are believed
    relay_port: int  # PARCELWARD_RELAY_PORT: where `parcelward relay serve` listens, on this machine only
    erasure_wait_days: int  # PARCELWARD_ERASURE_WAIT_DAYS: between the second person's approval and the erasure
    label_claim_days: int  # PARCELWARD_LABEL_CLAIM_DAYS: from a week's end until what opens its labels is destroyed
    log_key_overlap_days: int  # PARCELWARD_LOG_KEY_OVERLAP_DAYS: how long a replaced log key still signs
    wal_to: tuple[Path, ...]  # PARCELWARD_WAL_TO: folders of main and keys backups, with ":" between; empty: nowhere
    witness_quorum: int  # PARCELWARD_WITNESS_QUORUM: cosignatures that make a checkpoint "witnessed"

    @property
    def production(self) -> bool:
        """True where real parcels travel: nothing simulated, no sample secret."""
        return self.mode == "production"

    @property
    def log_folder(self) -> Path:
        """Where the log's flat files and checkpoints lie."""
        return self.home / "log"


def _number(name: str, default: int, *, least: int, most: int) -> int:
    text = os.environ.get(name, "") or str(default)
    if not text.isdigit() or not least <= int(text) <= most:
        raise BadSetting(f"{name} must be a whole number from {least} to {most}, not {text[:20]!r}")
    return int(text)


def _public_url(port: int, mode: str) -> str:
    """Return how browsers reach us. Production takes http for this machine only.

    Elsewhere sign-ins, keys and personal data would travel in the open, and browsers give no WebCrypto to prove with.
    """
    public_url = os.environ.get("PARCELWARD_PUBLIC_URL", f"http://localhost:{port}").rstrip("/")
    try:
        parts = urlsplit(public_url)
        scheme, host = parts.scheme, parts.hostname
    except ValueError:  # brackets that hold no IPv6 address
        scheme, host = "", None
    if scheme not in {"http", "https"} or not host:
        raise BadSetting("PARCELWARD_PUBLIC_URL must be an http or https address such as https://post.example")
    if mode == "production" and scheme == "http" and host not in THIS_MACHINE:
        raise BadSetting(
            "PARCELWARD_PUBLIC_URL must begin with https:// in production: put a proxy with TLS in front and write "
            "its address; http:// is for localhost, 127.0.0.1 and [::1] only"
        )
    return public_url


def _tsa() -> tuple[str, Path]:
    """Return where to ask for timestamps, and the file that says whom to believe."""
    url, root = os.environ.get("PARCELWARD_TSA_URL", ""), os.environ.get("PARCELWARD_TSA_ROOT", "")
    if url and not url.startswith(("http://", "https://")):
        raise BadSetting("PARCELWARD_TSA_URL must be an http or https address such as https://tsa.example/tsr")
    if url and not root:
        raise BadSetting(
            "PARCELWARD_TSA_URL needs PARCELWARD_TSA_ROOT: the PEM file with the root certificate that its timestamps "
            "are verified with"
        )
    return url, Path(root).resolve()


def _currency() -> str:
    code = os.environ.get("PARCELWARD_CURRENCY", "USD")
    if not re.fullmatch("[A-Z]{3}", code):
        raise BadSetting("PARCELWARD_CURRENCY must be a currency's three capital letters (ISO 4217), such as EUR")
    return code


def _stripe(mode: str) -> tuple[str, str]:
    """Return the secrets of who takes payments: both or none, and none of their tests' in production."""
    key, secret = os.environ.get("PARCELWARD_STRIPE_KEY", ""), os.environ.get("PARCELWARD_STRIPE_WEBHOOK_SECRET", "")
    if bool(key) != bool(secret):
        raise BadSetting(
            "PARCELWARD_STRIPE_KEY and PARCELWARD_STRIPE_WEBHOOK_SECRET belong together: set both, or none"
        )
    if mode == "production" and "_test_" in key:
        raise BadSetting("PARCELWARD_STRIPE_KEY is a key for tests: production needs one that begins with sk_live_")
    return key, secret


def _smtp_url() -> str:
    """Return who takes our e-mail, checked; the sentence never repeats the address, which may hold a password."""
    url = os.environ.get("PARCELWARD_SMTP_URL", "")
    try:
        parts = urlsplit(url)
        good = not url or (parts.scheme in {"smtp", "smtps"} and bool(parts.hostname) and parts.port != 0)
    except ValueError:
        good = False
    if not good:
        raise BadSetting(
            "PARCELWARD_SMTP_URL must be an address such as smtp://user:password@mail.example:587 or smtps://mail.example"
        )
    return url


def _relay_domain() -> str:
    domain = os.environ.get("PARCELWARD_RELAY_DOMAIN", "").lower()
    if domain and not re.fullmatch(r"(?=.{4,200}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", domain):
        raise BadSetting("PARCELWARD_RELAY_DOMAIN must be a domain such as relay.post.example")
    return domain


def _kek() -> str:
    uri = os.environ.get("PARCELWARD_KEK", "")
    if uri and not uri.startswith("pkcs11:"):
        raise BadSetting(
            "PARCELWARD_KEK must be the address of a token such as "
            "pkcs11:token=post?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/etc/parcelward/pin (RFC 7512)"
        )
    return uri


def _wal_to() -> tuple[Path, ...]:
    """Return where `up` ships WAL to: nowhere, or two folders."""
    found = tuple(Path(part).resolve() for part in os.environ.get("PARCELWARD_WAL_TO", "").split(":") if part)
    if len(found) not in {0, 2}:
        raise BadSetting("PARCELWARD_WAL_TO names two folders, with a colon between: of main and of keys backups")
    return found


def read() -> Config:
    """Read the environment, or raise BadSetting with what to write instead."""
    port = _number("PARCELWARD_PORT", 8000, least=1, most=65535)
    mode = os.environ.get("PARCELWARD_MODE", "test")
    if mode not in MODES:
        raise BadSetting(f"PARCELWARD_MODE must be one of {' or '.join(MODES)}")
    public_url = _public_url(port, mode)
    host = urlsplit(public_url).netloc.replace(":", "-")
    home = Path(os.environ.get("PARCELWARD_HOME") or "var").resolve()
    tsa_url, tsa_root = _tsa()
    stripe_key, stripe_webhook_secret = _stripe(mode)
    witnesses = tuple(os.environ.get("PARCELWARD_WITNESSES", "").split())
    return Config(
        home=home,
        port=port,
        bind=os.environ.get("PARCELWARD_BIND", "127.0.0.1"),
        database_url=os.environ.get("PARCELWARD_DATABASE_URL", ""),
        keys_url=os.environ.get("PARCELWARD_KEYS_URL", ""),
        public_url=public_url,
        mode=mode,
        origin=os.environ.get("PARCELWARD_LOG_ORIGIN") or _kept_origin(home) or f"{host}/log",
        operator=os.environ.get("PARCELWARD_OPERATOR", "Example Post"),
        currency=_currency(),
        country=os.environ.get("PARCELWARD_COUNTRY", "US"),
        trusted_proxies=_number("PARCELWARD_TRUSTED_PROXIES", 0, least=0, most=5),
        web_workers=_number("PARCELWARD_WEB_WORKERS", min(2, os.cpu_count() or 1), least=1, most=64),
        witnesses=witnesses,
        tsa_url=tsa_url,
        tsa_root=tsa_root,
        kek=_kek(),
        stripe_key=stripe_key,
        stripe_webhook_secret=stripe_webhook_secret,
        provider_port=_number("PARCELWARD_PROVIDER_PORT", min(port + 10, 65535), least=1, most=65535),
        smtp_url=_smtp_url(),
        mail_from=os.environ.get("PARCELWARD_MAIL_FROM") or f"no-reply@{urlsplit(public_url).hostname}",
        relay_domain=_relay_domain(),
        relay_authserv=os.environ.get("PARCELWARD_RELAY_AUTHSERV", ""),
        relay_port=_number("PARCELWARD_RELAY_PORT", 8024, least=1, most=65535),
        erasure_wait_days=_number("PARCELWARD_ERASURE_WAIT_DAYS", 7, least=0, most=365),
        label_claim_days=_number("PARCELWARD_LABEL_CLAIM_DAYS", 90, least=1, most=730),
        log_key_overlap_days=_number("PARCELWARD_LOG_KEY_OVERLAP_DAYS", 30, least=1, most=365),
        wal_to=_wal_to(),
        witness_quorum=_number("PARCELWARD_WITNESS_QUORUM", len(witnesses), least=0, most=32),
    )


def _kept_origin(home: Path) -> str:
    """Return the log's name as `install` kept it: it stays when the port or the public address changes."""
    try:
        return (home / ORIGIN_FILE).read_text().strip()
    except OSError:
        return ""


@functools.cache
def get() -> Config:
    """Return this process's settings."""
    return read()
