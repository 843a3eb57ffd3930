"""The table of checks: name, how bad, what is wrong, how to mend it. Pure: `looking.observe` says what there is."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from parcelward.base.config import THIS_MACHINE, Config

HSTS_S_MIN: Final = 31_536_000  # a year: what the browsers' preload list asks for
SECRET_CHARS_MIN: Final = 50  # what Django itself asks for
BACKUP_AGE_MAX: Final = {
    "main": dt.timedelta(hours=26),
    "keys": dt.timedelta(hours=26),
    "secrets": dt.timedelta(days=32),
}
"""A day, a month, and some time to spare."""
CLOCK_OFF_S_MAX: Final = 5.0
ADMINISTRATORS_MIN: Final = 2
CHECKED_TLS: Final = frozenset({"verify-full"})
GUESSED_PASSWORDS: Final = frozenset({"", "postgres", "password", "parcelward", "secret", "changeme", "admin"})


class Severity(enum.StrEnum):
    """How bad it is."""

    REFUSE = "refuse"  # real parcels must not travel so
    WARN = "warn"  # it is weaker than it could be


@dataclass(frozen=True, slots=True)
class Server:
    """One database, as its address and its own connection show it."""

    host: str  # empty or a path: a socket of this machine
    sslmode: str
    password: str
    embedded: bool
    answers: bool = False
    superuser: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    identifier: str = ""  # of the cluster
    name: str = ""
    clock_off_s: float = 0.0

    @property
    def remote(self) -> bool:
        """Whether it is reached over a network."""
        return bool(self.host) and not self.host.startswith("/") and self.host not in THIS_MACHINE


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is."""

    settings: Config
    hsts_s: int
    open_files: tuple[str, ...]  # in keys/, names that others than the owner can read
    vault_files: tuple[str, ...]  # the vault's own of them, and those that are somebody else's
    home_mode: int  # permission bits
    samples: tuple[str, ...]  # what of the sample town is here
    weak_secrets: tuple[str, ...]  # files in keys/ whose content is short or known
    private_backup_keys: tuple[str, ...]  # files in the home that hold the private half of a backup key
    backup_keys: int
    backups: Mapping[str, dt.datetime | None]
    main: Server
    keys: Server
    administrators: int
    clock_synchronised: bool | None  # None: the machine does not say
    now: dt.datetime
    front: tuple[str, ...] = ()  # what is wrong with TLS at the public address (`front.faults`)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to be as it should. `wrong` returns what is wrong in words, or empty words."""

    name: str
    severity: Severity
    mend: str
    wrong: Callable[[Seen], str]
    at_start: bool = False  # web and worker refuse to start in production


@dataclass(frozen=True, slots=True)
class Found:
    """One check that does not hold."""

    name: str
    severity: Severity
    words: str
    mend: str


def judge(seen: Seen, *, at_start: bool = False) -> list[Found]:
    """Return what is wrong, the worst first; `at_start` only what keeps a process from starting."""
    found = [
        Found(each.name, each.severity, words, each.mend)
        for each in CHECKS
        if (each.at_start or not at_start) and (words := each.wrong(seen))
    ]
    return sorted(found, key=lambda each: each.severity != Severity.REFUSE)


def _mode(seen: Seen) -> str:
    return (
        "" if seen.settings.production else "PARCELWARD_MODE is `test`: samples are made, and signing in is made easy"
    )


def _https(seen: Seen) -> str:
    scheme = urlsplit(seen.settings.public_url).scheme
    return "" if scheme == "https" else "the public address begins with http://, so sign-ins travel in the open"


def _front(seen: Seen) -> str:
    return "; ".join(seen.front)


def _hsts(seen: Seen) -> str:
    return (
        "" if seen.hsts_s >= HSTS_S_MIN else f"browsers are told to insist on TLS for {seen.hsts_s} s, not for a year"
    )


def _proxies(seen: Seen) -> str:
    if urlsplit(seen.settings.public_url).scheme == "https" and not seen.settings.trusted_proxies:
        return "TLS ends at a proxy and none is trusted: every caller has the proxy's address, one throttles them all"
    return ""


def _bind(seen: Seen) -> str:
    bind = seen.settings.bind
    if bind in THIS_MACHINE:
        return ""
    try:
        address = ipaddress.ip_address(bind)
    except ValueError:
        return f"it listens on {bind}, which is a name: whoever answers for names decides where"
    if address.is_unspecified or address.is_global:
        return f"it listens on {bind}: the proxy, and with it TLS, can be passed by"
    return ""


def _bind_near(seen: Seen) -> str:
    bind = seen.settings.bind
    if bind in THIS_MACHINE or _bind(seen):
        return ""
    return f"it listens on {bind}: whoever reaches that network passes the proxy by, and may say any X-Forwarded-For"


def _key_files(seen: Seen) -> str:
    return f"others can read or write {', '.join(seen.open_files)}" if seen.open_files else ""


def _vault_files(seen: Seen) -> str:
    if not seen.vault_files:
        return ""
    return f"others than this user can read {', '.join(seen.vault_files)}: with it and the databases, everybody's data"


def _vault_on_disk(seen: Seen) -> str:
    return "" if seen.settings.kek else "the vault's key lies in a file: whoever copies this machine's disk has it"


def _smtp(seen: Seen) -> str:
    return (
        "" if seen.settings.smtp_url else "nobody takes our e-mail: codes and notices wait, and are given up in a day"
    )


def _home(seen: Seen) -> str:
    return f"others may write into the home (mode {seen.home_mode:04o})" if seen.home_mode & 0o022 else ""


def _samples(seen: Seen) -> str:
    return f"the home holds {' and '.join(seen.samples)}, which anybody may know" if seen.samples else ""


def _secrets(seen: Seen) -> str:
    return f"{', '.join(seen.weak_secrets)} can be guessed" if seen.weak_secrets else ""


def _passwords(seen: Seen) -> str:
    weak = [
        name
        for name, server in (("PARCELWARD_DATABASE_URL", seen.main), ("PARCELWARD_KEYS_URL", seen.keys))
        if server.remote and server.password.lower() in GUESSED_PASSWORDS
    ]
    return f"the password in {' and '.join(weak)} is none or can be guessed" if weak else ""


def _tls(seen: Seen) -> str:
    weak = [
        f"{name} (sslmode={server.sslmode or 'prefer'})"
        for name, server in (("PARCELWARD_DATABASE_URL", seen.main), ("PARCELWARD_KEYS_URL", seen.keys))
        if server.remote and server.sslmode not in CHECKED_TLS
    ]
    return f"{' and '.join(weak)}: somebody in between can read and change everything" if weak else ""


def _same_database(seen: Seen) -> str:
    one, other = seen.main, seen.keys
    if one.identifier and (one.identifier, one.name) == (other.identifier, other.name):
        return "item secrets lie in the main database: its backups open what was erased"
    return ""


def _same_server(seen: Seen) -> str:
    if seen.main.identifier and seen.main.identifier == seen.keys.identifier and not _same_database(seen):
        return "both databases lie on one server: whoever copies its disk has the secrets with what they open"
    return ""


def _away(seen: Seen) -> str:
    silent = [name for name, server in (("main", seen.main), ("keys", seen.keys)) if not server.answers]
    return (
        f"the {' and the '.join(silent)} database does not answer, so not everything could be looked at"
        if silent
        else ""
    )


def _durable(seen: Seen) -> str:
    off = [
        f"{setting} of the {name} database"
        for name, server in (("main", seen.main), ("keys", seen.keys))
        for setting in ("fsync", "synchronous_commit", "full_page_writes")
        if server.settings.get(setting) == "off"
    ]
    return f"{', '.join(off)} is off: what was acknowledged can be lost" if off else ""


def _checksums(seen: Seen) -> str:
    off = [
        name
        for name, each in (("main", seen.main), ("keys", seen.keys))
        if each.settings.get("data_checksums") == "off"
    ]
    return f"the {' and the '.join(off)} database has no checksums: a disk that lies is not noticed" if off else ""


def _superuser(seen: Seen) -> str:
    who = [name for name, server in (("main", seen.main), ("keys", seen.keys)) if server.superuser]
    return (
        f"our role is a superuser of the {' and the '.join(who)} database: one injected statement owns the server"
        if who
        else ""
    )


def _witnesses(seen: Seen) -> str:
    return (
        ""
        if seen.settings.witnesses
        else "no witness cosigns the log: that nobody sees two histories is our word alone"
    )


def _quorum(seen: Seen) -> str:
    count, quorum = len(seen.settings.witnesses), seen.settings.witness_quorum
    if count and not quorum:
        return "no cosignature is asked for, so every checkpoint counts as witnessed"
    if quorum > count:
        return f"{quorum} cosignatures are asked for and there are {count} witnesses: no checkpoint is ever witnessed"
    return ""


def _timestamps(seen: Seen) -> str:
    return "" if seen.settings.tsa_url else "nobody timestamps the log: that its times are true is our word alone"


def _backup_keys(seen: Seen) -> str:
    return "" if seen.backup_keys else "no backup can be made, for nobody said whom they are for"


def _private_key_here(seen: Seen) -> str:
    here = ", ".join(seen.private_backup_keys)
    return (
        f"the private half of a backup key lies here ({here}): whoever takes this machine has the backups, too"
        if here
        else ""
    )


def _backups(seen: Seen) -> str:
    late = []
    for what, most in BACKUP_AGE_MAX.items():
        at = seen.backups.get(what)
        if at is None:
            late.append(f"no backup of {what} was ever made")
        elif seen.now - at > most:
            late.append(f"the newest backup of {what} is of {at:%Y-%m-%d %H:%M} UTC")
    return "; ".join(late)


def _erasure(seen: Seen) -> str:
    return (
        ""
        if seen.settings.erasure_wait_days
        else "an approved erasure is done at once: two people are all that stops it"
    )


def _administrators(seen: Seen) -> str:
    if not seen.main.answers or seen.administrators >= ADMINISTRATORS_MIN:
        return ""
    return f"{seen.administrators} administrators can sign in: what needs two people can never be done"


def _clock(seen: Seen) -> str:
    off = [f"{each.clock_off_s:+.0f} s" for each in (seen.main, seen.keys) if abs(each.clock_off_s) > CLOCK_OFF_S_MAX]
    return f"the clocks of this machine and its databases differ by {' and '.join(off)}" if off else ""


def _synchronised(seen: Seen) -> str:
    return "this machine's clock is not synchronised with any other" if seen.clock_synchronised is False else ""


R, W = Severity.REFUSE, Severity.WARN
CHECKS: Final = (
    Check("mode", R, "Set PARCELWARD_MODE=production, on a home that never ran in test mode.", _mode),
    Check("https", R, "Put a proxy with TLS in front and set PARCELWARD_PUBLIC_URL=https://...", _https),
    Check("front_tls", R, "Mend the proxy: TLS 1.2 and 1.3 alone, a certificate that browsers trust.", _front),
    Check("hsts", R, "It follows from an https public address: set PARCELWARD_PUBLIC_URL=https://...", _hsts),
    Check(
        "trusted_proxies", R, "Set PARCELWARD_TRUSTED_PROXIES to how many proxies stand in front; 1 mostly.", _proxies
    ),
    Check("bind", R, "Set PARCELWARD_BIND=127.0.0.1, or to a private address that only the proxy reaches.", _bind),
    Check("bind_near", W, "Let a firewall admit the proxy alone, or put it on this machine.", _bind_near),
    Check(
        "key_files",
        R,
        "chmod 700 on the home's folder `keys`, chmod 600 on the files in it.",
        _key_files,
        at_start=True,
    ),
    Check(
        "vault_files",
        R,
        "chmod 600 on them, chown to the service's user; then `parcelward vault rotate-kek`: somebody may have read.",
        _vault_files,
        at_start=True,
    ),
    Check("vault_on_disk", W, "Keep it in a token: PARCELWARD_KEK, before anybody's data is kept.", _vault_on_disk),
    Check("smtp", R, "Set PARCELWARD_SMTP_URL=smtp://user:password@host:587 and PARCELWARD_MAIL_FROM.", _smtp),
    Check("home", R, "chmod go-w on the home.", _home, at_start=True),
    Check("samples", R, "Start production on a fresh PARCELWARD_HOME.", _samples, at_start=True),
    Check("secrets", R, "Replace them: `parcelward secrets list` says how each.", _secrets, at_start=True),
    Check("passwords", R, "Give the database's role a random password, or use certificates.", _passwords),
    Check("database_tls", R, "Add ?sslmode=verify-full&sslrootcert=FILE to the address.", _tls, at_start=True),
    Check(
        "same_database",
        R,
        "Make a second database, on a server of its own, for PARCELWARD_KEYS_URL.",
        _same_database,
        at_start=True,
    ),
    Check("same_server", W, "Move the keys database to a server of its own.", _same_server),
    Check("databases", R, "Start them, then check again.", _away),
    Check("durable", R, "Turn it on for the server, its databases and our role.", _durable, at_start=True),
    Check("checksums", W, "Stop the server and run pg_checksums --enable.", _checksums),
    Check("superuser", R, "Make a role that owns its database and is no superuser, and use that.", _superuser),
    Check(
        "witnesses", W, "Ask somebody outside to run `parcelward witness`, then set PARCELWARD_WITNESSES.", _witnesses
    ),
    Check("quorum", R, "Set PARCELWARD_WITNESS_QUORUM to more than half of the witnesses.", _quorum),
    Check("timestamps", W, "Set PARCELWARD_TSA_URL and PARCELWARD_TSA_ROOT to an authority's.", _timestamps),
    Check(
        "backup_keys",
        R,
        "On another machine: `parcelward backup-key make FILE`; here: `parcelward backup-key trust`.",
        _backup_keys,
    ),
    Check(
        "private_backup_key",
        R,
        "Move that file to where no backup of this machine goes; destroy it here.",
        _private_key_here,
    ),
    Check("backups", R, "Run `parcelward backup` once a day (docs/operating/backups.md).", _backups),
    Check("erasure_wait", R, "Set PARCELWARD_ERASURE_WAIT_DAYS to 1 or more; 7 as delivered.", _erasure),
    Check(
        "administrators", R, "Invite a second one, who is another person: `parcelward admin invite`.", _administrators
    ),
    Check("clock", R, "Let both machines follow the same time servers.", _clock),
    Check("clock_synchronised", W, "Run chrony, ntpd or systemd-timesyncd.", _synchronised),
)
"""Every check, in the order in which they are shown when they are equally bad."""
