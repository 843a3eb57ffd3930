"""The log's signing keys: which sign now, and where their private halves lie.

    home/keys/log             the seed of the first key, in base64, mode 0600; made at the first start
    home/keys/log-<key id>    the seeds of those that followed it
    home/keys/log-mldsa44     the seed of the ML-DSA-44 key, which signs archive checkpoints as well
    home/log/signers          all keys, the public halves: what other processes know them by

Which key followed which is said by entries of the log (`succession`); the sequencer reads those, and writes `signers`
before the first checkpoint that a new key signs. Web processes look at that file each time and need no restart.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import json
import os
import secrets
from pathlib import Path
from typing import Final

import msgspec
from django.utils import timezone

from parcelward.base import config, db
from parcelward.base.errors import Invalid
from parcelward.custody import durable, keys, succession
from parcelward.custody.errors import LogDiverged
from parcelward.custody.keys import SignatureType, Signer, Verifier, parse_vkey
from parcelward.custody.models import Fact

SIGNERS: Final = "signers"
_FIRST: Final = "log"
_ARCHIVE: Final = "log-mldsa44"
_KEY_ID_DIGITS: Final = "[0-9a-f]" * 8


class LogKey(msgspec.Struct, frozen=True):
    """One Ed25519 key of the log. The first has no `since`, one that nothing followed has no `until`."""

    vkey: str
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    def signs(self, now: dt.datetime) -> bool:
        """Return whether the key signs at this time."""
        return self.until is None or now < self.until


class Ring(msgspec.Struct, frozen=True):
    """All keys of the log, oldest first, and the key of its archive checkpoints."""

    keys: tuple[LogKey, ...]
    archive_vkey: str

    @property
    def newest(self) -> LogKey:
        """The key that signs without end."""
        return self.keys[-1]

    def signing(self, now: dt.datetime) -> list[LogKey]:
        """Return the keys that sign at this time."""
        return [each for each in self.keys if each.signs(now)]

    @property
    def verifiers(self) -> list[Verifier]:
        """All Ed25519 keys, oldest first."""
        return [parse_vkey(each.vkey) for each in self.keys]


def from_entries(settings: config.Config) -> Ring:
    """Return the keys as the log's own entries tell them. Raises LogDiverged when those do not continue each other."""
    chain = successions(settings)
    if not chain:
        return _first_ring(settings)
    times = [(None, chain[0].until), *((each.since, None) for each in chain)]
    for at, each in enumerate(chain[1:], start=1):
        times[at] = (times[at][0], each.until)
    found = zip(succession.chain_keys(chain), times, strict=True)
    return Ring(tuple(LogKey(key.vkey, since, until) for key, (since, until) in found), _archive_vkey(settings))


def successions(settings: config.Config) -> list[succession.Succession]:
    """Return what the log's entries say of its keys, oldest first, each signed by both keys; LogDiverged otherwise."""
    bodies = Fact.objects.filter(kind=succession.KIND).order_by("batch").values_list("body", flat=True)
    try:
        chain = [succession.open_note(json.loads(bytes(body))["note"].encode()) for body in bodies]
        succession.require_chain(chain)
    except (Invalid, ValueError, KeyError, TypeError, AttributeError) as err:
        raise LogDiverged(f"An entry about the log's keys is not as it was recorded: {err}", differs="keys") from None
    if any(each.origin != settings.origin for each in chain):
        raise LogDiverged("An entry about the log's keys is of another log.", differs="keys")
    return chain


def ring(settings: config.Config) -> Ring:
    """Return the keys as the sequencer last wrote them down: no database, and no restart when one is added."""
    path = _signers_path(settings)
    try:
        found = os.stat(path)  # noqa: PTH116 -- asked for each receipt: a Path costs three times as much
    except FileNotFoundError:
        return _first_ring(settings)
    return _read(path, found.st_mtime_ns, found.st_ino)


def written(settings: config.Config) -> bytes | None:
    """Return what the sequencer last wrote down, as it stands."""
    path = settings.log_folder / SIGNERS
    return path.read_bytes() if path.exists() else None


def write(settings: config.Config, now_known: Ring) -> None:
    """Let every process know the keys, once it is certain that the private halves are here."""
    signers(settings, now_known, timezone.now())
    path, data = settings.log_folder / SIGNERS, msgspec.json.encode(now_known)
    if not path.exists() or path.read_bytes() != data:
        durable.write_file(path, data)


def signers(settings: config.Config, known: Ring, now: dt.datetime) -> list[Signer]:
    """Return the keys that sign at this time, oldest first. Raises LogDiverged when a private half is not here."""
    return [signer(settings, each.vkey) for each in known.keys if each.signs(now)]


def signers_here(settings: config.Config) -> list[Signer]:
    """Return the keys that sign now and whose private halves are here: one of them is enough for a receipt.

    A web process on another home takes scans with the key it has, until the new one was copied there. Raises
    LogDiverged when it has none.
    """
    found, missing = [], None
    for each in ring(settings).signing(timezone.now()):
        try:
            found.append(signer(settings, each.vkey))
        except LogDiverged as err:
            missing = err
    if missing is not None and not found:
        raise missing
    return found


def log_signer(settings: config.Config) -> Signer:
    """Return the newest of the log's signing keys."""
    return signer(settings, ring(settings).newest.vkey)


@functools.lru_cache(maxsize=16)
def signer(settings: config.Config, vkey: str) -> Signer:
    """Return the private key behind a verifier key of ours."""
    wanted = parse_vkey(vkey)
    for path in (_path(settings, wanted), _folder(settings) / _FIRST):
        if path.exists():
            held = _signer(settings, path.read_text())
            if held.verifier == wanted:
                return held
    raise LogDiverged(
        f"The private half of the log's key {wanted.key_id.hex()} is not in {_folder(settings)}. Copy "
        f"{_path(settings, wanted).name} there from where the key was made.",
        differs="keys",
    )


def make(settings: config.Config) -> Signer:
    """Make a new key, durable; it signs nothing until an entry of the log names it."""
    made = _signer(settings, _seed())
    durable.write_file(_path(settings, made.verifier), base64.b64encode(made.seed), mode=0o600)
    return made


def sweep(settings: config.Config, known: Ring) -> None:
    """Remove keys that were made and that no entry names: a rotation died before it was committed."""
    named = {_path(settings, each).name for each in known.verifiers}
    for path in _folder(settings).glob(f"{_FIRST}-{_KEY_ID_DIGITS}"):
        if path.name not in named:
            path.unlink()


def archive_signer(settings: config.Config) -> Signer:
    """Return the ML-DSA-44 key that signs archive checkpoints, made at the first start."""
    seed = base64.b64decode(db.secret_file(_folder(settings) / _ARCHIVE, _seed))
    return Signer(keys.key_name(settings.origin), SignatureType.COSIGNATURE_MLDSA44, seed)


@functools.lru_cache(maxsize=4)
def _read(path: str, _changed: int, _number: int) -> Ring:
    return msgspec.json.decode(Path(path).read_bytes(), type=Ring)


@functools.lru_cache(maxsize=4)
def _signers_path(settings: config.Config) -> str:
    return str(settings.log_folder / SIGNERS)


def _first_ring(settings: config.Config) -> Ring:
    """Return the ring of a log whose key was never followed by another; the key is made at the first start."""
    return Ring((LogKey(_first_vkey(settings)),), _archive_vkey(settings))


@functools.lru_cache(maxsize=4)
def _first_vkey(settings: config.Config) -> str:
    folder = _folder(settings)
    if not (folder / _FIRST).exists() and any(folder.glob(f"{_FIRST}-{_KEY_ID_DIGITS}")):
        raise LogDiverged("The log's first key was followed by others: start the worker, which knows.", differs="keys")
    return _signer(settings, db.secret_file(folder / _FIRST, _seed)).verifier.vkey


@functools.lru_cache(maxsize=4)
def _archive_vkey(settings: config.Config) -> str:
    return archive_signer(settings).verifier.vkey


def _signer(settings: config.Config, seed: str) -> Signer:
    return Signer(keys.key_name(settings.origin), SignatureType.ED25519, base64.b64decode(seed))


def _path(settings: config.Config, verifier: Verifier) -> Path:
    return _folder(settings) / f"{_FIRST}-{verifier.key_id.hex()}"


def _folder(settings: config.Config) -> Path:
    return settings.home / "keys"


def _seed() -> str:
    return base64.b64encode(secrets.token_bytes(keys.SEED_BYTES)).decode()
