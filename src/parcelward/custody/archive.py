"""Archive checkpoints: one a day, kept for good, signed with ML-DSA-44 as well.

    folder/archive/2026-11-25    the first checkpoint of that day (UTC): it covers every entry of the days before

Ed25519 falls once large quantum computers exist. Whoever kept an archive checkpoint then still has a signature over all
that was in the log that day, for one tree hash covers every leaf, and hashes stay. The log signs in its own name with
the cosignature type that C2SP tlog-checkpoint recommends for logs (0x06), so the day stands in the signature as well.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from parcelward.custody import durable, lines, notes, tree
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import BadCheckpoint, NotInLog, ProofFailed
from parcelward.custody.keys import SignatureType, Signer, Verifier
from parcelward.custody.policy import Policy
from parcelward.custody.succession import Link, require_current

FOLDER: Final = "archive"
NOTE: Final = "checkpoints/archive.note"  # in an evidence bundle
CONSISTENCY: Final = "checkpoints/archive.consistency"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Archived:
    """An archive checkpoint for a bundle, and the path that shows that the bundle's checkpoint continues it."""

    note: bytes
    path: tuple[bytes, ...]

    @property
    def files(self) -> dict[str, bytes]:
        """Its files in a bundle."""
        return {NOTE: self.note, CONSISTENCY: "".join(f"{lines.base64_text(each)}\n" for each in self.path).encode()}


def keep(
    log_folder: Path, checkpoint: Checkpoint, *, signers: Sequence[Signer], archive: Signer, now: dt.datetime
) -> None:
    """Keep the checkpoint as this day's, unless the day has one."""
    folder = log_folder / FOLDER
    path = folder / f"{now.astimezone(dt.UTC):%Y-%m-%d}"
    if path.exists():
        return
    folder.mkdir(exist_ok=True)
    durable.sync_folder(log_folder)
    durable.write_file(path, notes.sign(checkpoint.text, [*signers, archive], timestamp_s=int(now.timestamp())))


def days(log_folder: Path) -> list[str]:
    """Return the days that have one, newest first."""
    try:
        names = [path.name for path in (log_folder / FOLDER).iterdir()]
    except FileNotFoundError:
        return []
    return sorted((name for name in names if _DAY.fullmatch(name)), reverse=True)


def read(log_folder: Path, day: str) -> bytes:
    """Return a day's archive checkpoint; NotInLog when there is none."""
    try:
        if _DAY.fullmatch(day):
            return (log_folder / FOLDER / day).read_bytes()
    except FileNotFoundError:
        pass
    raise NotInLog("The log has no archive checkpoint of this day.")


def open_archived(note: bytes, *, logs: Sequence[Verifier], archive: Sequence[Verifier]) -> notes.SignedCheckpoint:
    """Return the checkpoint if an Ed25519 key of the log and one of `archive` signed it; raise otherwise."""
    signed = notes.open_checkpoint(note, logs=[*logs, *archive])
    made = {each.verifier.kind for each in signed.note.verified}
    if not made >= {SignatureType.ED25519, SignatureType.COSIGNATURE_MLDSA44}:
        raise BadCheckpoint("An archive checkpoint is signed with Ed25519 and with ML-DSA-44.")
    return signed


def day_of(signed: notes.SignedCheckpoint) -> str:
    """Return the day that the ML-DSA-44 signature states."""
    at = next(each.timestamp_s for each in signed.note.verified if each.verifier.kind.timed)
    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d}"


def keys_of(whole: Policy, rule: Policy, trusted: Sequence[Verifier]) -> list[Verifier]:
    """Return the keys that a bundle's archive checkpoint may be signed by.

    Those of its Ed25519 keys that are trusted (`rule`), and of its ML-DSA-44 keys those that the reader named, or else
    all: the trusted keys signed the manifest, which vouches for the policy that names them.
    """
    late = [each for each in whole.logs if each.kind is SignatureType.COSIGNATURE_MLDSA44]
    named = [each for each in late if each in trusted]
    return [*(each for each in rule.logs if each.kind is SignatureType.ED25519), *(named or late)]


def verify_within(files: Mapping[str, bytes], head: Checkpoint, logs: Sequence[Verifier], links: Sequence[Link]) -> str:
    """Return what a bundle's archive checkpoint adds, in words, once the bundle's own checkpoint continues it.

    Empty when the bundle has none; raises when it does not hold.
    """
    if NOTE not in files and CONSISTENCY not in files:
        return ""
    if NOTE not in files or CONSISTENCY not in files:
        raise ProofFailed("An archive checkpoint and its consistency proof come together.")
    plain = [each for each in logs if not each.kind.timed]
    signed = open_archived(files[NOTE], logs=plain, archive=[each for each in logs if each.kind.timed])
    rows = lines.utf8(files[CONSISTENCY], ProofFailed).split("\n")
    if rows.pop():
        raise ProofFailed("Every line of a consistency proof ends in a newline.")
    path = [lines.hash_bytes(each, ProofFailed) for each in rows]
    old = signed.checkpoint
    if old.origin != head.origin:
        raise ProofFailed("The archive checkpoint is of another log.")
    tree.verify_consistency(old.size, old.root, head.size, head.root, path)
    signers = [each.verifier for each in signed.note.verified]
    require_current(old.size, signers, links)
    key = next(each for each in signers if each.kind.timed)
    return (
        f"An archive checkpoint of {day_of(signed)} covers the first {old.size} entries, signed as well with the "
        f"ML-DSA-44 key {key.key_id.hex()}; the log's checkpoint continues it."
    )
