"""Archive checkpoints: one a day, kept for good, signed with ML-DSA-44 as well.

    folder/archive/2026-11-25      the first checkpoint of that day (UTC): it covers every entry of the days before
    folder/archive/2026-11-25.tsr  an authority's timestamp of that file, where one is asked (`timestamps`)

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

from parcelward.custody import durable, lines, notes, timestamps, tree
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import BadCheckpoint, BadTimestamp, NotInLog, ProofFailed
from parcelward.custody.keys import SignatureType, Signer, Verifier
from parcelward.custody.policy import Policy
from parcelward.custody.succession import Link, require_current

FOLDER: Final = "archive"
NOTE: Final = "checkpoints/archive.note"  # in an evidence bundle
CONSISTENCY: Final = "checkpoints/archive.consistency"
TIMESTAMP: Final = "checkpoints/archive.tsr"
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Archived:
    """An archive checkpoint for a bundle, and the path that shows that the bundle's checkpoint continues it."""

    note: bytes
    path: tuple[bytes, ...]
    timestamp: bytes = b""  # empty: nobody timestamped it

    @property
    def files(self) -> dict[str, bytes]:
        """Its files in a bundle."""
        found = {NOTE: self.note, CONSISTENCY: "".join(f"{lines.base64_text(each)}\n" for each in self.path).encode()}
        return found | ({TIMESTAMP: self.timestamp} if self.timestamp else {})


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


def timestamp(log_folder: Path, day: str) -> bytes:
    """Return the timestamp of a day's archive checkpoint as the authority answered it; empty when there is none."""
    try:
        if _DAY.fullmatch(day):
            return (log_folder / FOLDER / f"{day}{timestamps.SUFFIX}").read_bytes()
    except FileNotFoundError:
        pass
    return b""


def keep_timestamp(log_folder: Path, day: str, answer: bytes) -> None:
    """Keep an authority's answer, which the caller has verified, beside the day's archive checkpoint."""
    durable.write_file(log_folder / FOLDER / f"{day}{timestamps.SUFFIX}", answer)


def open_archived(note: bytes, *, logs: Sequence[Verifier], archive: Sequence[Verifier]) -> notes.SignedCheckpoint:
    """Return the checkpoint if an Ed25519 key of the log and one of `archive` signed it; raise otherwise."""
    signed = notes.open_checkpoint(note, logs=[*logs, *archive])
    made = {each.verifier.kind for each in signed.note.verified}
    if not made >= {SignatureType.ED25519, SignatureType.COSIGNATURE_MLDSA44}:
        raise BadCheckpoint("An archive checkpoint is signed with Ed25519 and with ML-DSA-44.")
    return signed


def day_of(signed: notes.SignedCheckpoint) -> str:
    """Return the day that the ML-DSA-44 signature states."""
    return f"{signed_at(signed):%Y-%m-%d}"


def signed_at(signed: notes.SignedCheckpoint) -> dt.datetime:
    """Return the time that the ML-DSA-44 signature states."""
    at = next(each.timestamp_s for each in signed.note.verified if each.verifier.kind.timed)
    return dt.datetime.fromtimestamp(at, dt.UTC)


def verify_timestamp(answer: bytes, note: bytes, signed: notes.SignedCheckpoint, roots: timestamps.Roots) -> str:
    """Return what the timestamp of an archive checkpoint says, in words; raise BadTimestamp when it does not hold.

    Without `roots` only that it is about this checkpoint is checked, and the words say so.
    """
    at = timestamps.verify(answer, note, roots=roots) if roots else timestamps.stated(answer, note)
    if at < signed_at(signed) - timestamps.CLOCK_SKEW_MAX:
        raise BadTimestamp("The timestamp is older than the checkpoint that it is of.")
    seen = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    if roots:
        return f"Its RFC 3161 timestamp verifies: an authority below the root that you trust saw it at {seen}."
    return (
        f"Its RFC 3161 timestamp says {seen}. Who signed the timestamp was not checked: that takes the root certificate"
        " of the timestamping authority (--tsa-root)."
    )


def keys_of(whole: Policy, rule: Policy, trusted: Sequence[Verifier]) -> list[Verifier]:
    """Return the keys that a bundle's archive checkpoint may be signed by.

    Those of its Ed25519 keys that are trusted (`rule`), and of its ML-DSA-44 keys those that the reader named, or else
    all: the trusted keys signed the manifest, which vouches for the policy that names them.
    """
    late = [each for each in whole.logs if each.kind is SignatureType.COSIGNATURE_MLDSA44]
    named = [each for each in late if each in trusted]
    return [*(each for each in rule.logs if each.kind is SignatureType.ED25519), *(named or late)]


def verify_within(
    files: Mapping[str, bytes],
    head: Checkpoint,
    logs: Sequence[Verifier],
    links: Sequence[Link],
    *,
    tsa_roots: timestamps.Roots = (),
) -> tuple[str, ...]:
    """Return what a bundle's archive checkpoint adds, in words, once the bundle's own checkpoint continues it.

    Empty when the bundle has none; raises when it, or its timestamp, does not hold.
    """
    if not files.keys() & {NOTE, CONSISTENCY, TIMESTAMP}:
        return ()
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
    said = (
        f"An archive checkpoint of {day_of(signed)} covers the first {old.size} entries, signed as well with the "
        f"ML-DSA-44 key {key.key_id.hex()}; the log's checkpoint continues it."
    )
    if TIMESTAMP not in files:
        return (said,)
    return (said, verify_timestamp(files[TIMESTAMP], files[NOTE], signed, tsa_roots))
