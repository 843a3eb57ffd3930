"""Signed notes (C2SP signed-note): a text, a blank line, and signature lines; opened only with keys that we trust."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from parcelward.custody import checkpoints, lines
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import BadCheckpoint, BadKey, BadNote
from parcelward.custody.keys import KeyName, Signer, Verifier, key_name

NOTE_BYTES_MAX: Final = 1_000_000
SIGNATURES_MAX: Final = 64  # the standard asks for 16 at least
_KEY_ID_BYTES: Final = 4
_DASH: Final = "\N{EM DASH} "


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name and id as the line claims them, and the signature's bytes."""

    name: KeyName
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, newline included."""
        return f"{_DASH}{self.name} {lines.base64_text(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that verified: by whom, and the time it states (POSIX seconds; 0 for a plain signature)."""

    verifier: Verifier
    signature: Signature
    timestamp_s: int


@dataclass(frozen=True, slots=True)
class UnopenedNote:
    """A note that has the right form and that nobody vouches for yet."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A note that at least one trusted key signed. `verified` has each key once, in the order of the note."""

    text: str
    signatures: tuple[Signature, ...]
    verified: tuple[Verified, ...]


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint that its log signed, and what else verified beneath it."""

    checkpoint: Checkpoint
    note: Note

    def verified_by(self, verifiers: Iterable[Verifier]) -> tuple[Verified, ...]:
        """Return those of the verified signatures that one of `verifiers` made."""
        wanted = set(verifiers)
        return tuple(each for each in self.note.verified if each.verifier in wanted)


def sign(text: str, signers: Sequence[Signer], *, timestamp_s: int = 0) -> bytes:
    """Return the note of `text` (ends in a newline) signed by all `signers`; cosigners need the time, POSIX seconds."""
    if not text.endswith("\n"):
        raise BadNote("A note's text ends in a newline.")
    lines.utf8(text.encode(), BadNote)
    if not signers:
        raise BadNote("A note is signed by one key or more.")
    signed = [signature(text, signer, timestamp_s=timestamp_s).line for signer in signers]
    return f"{text}\n{''.join(signed)}".encode()


def signature(text: str, signer: Signer, *, timestamp_s: int = 0) -> Signature:
    """Return one signature of a note's text."""
    return Signature(signer.name, signer.verifier.key_id, signer.sign(text, timestamp_s=timestamp_s))


def add_signatures(data: bytes, signatures: Iterable[Signature]) -> bytes:
    """Return the note with further signature lines at its end; lines that it already has are not repeated."""
    held = parse(data).signatures
    added = [each.line for each in dict.fromkeys(signatures) if each not in held]
    if len(held) + len(added) > SIGNATURES_MAX:
        raise BadNote("A note has too many signatures.")
    return data + "".join(added).encode()


def parse(data: bytes) -> UnopenedNote:
    """Return a note's parts, or raise BadNote. Its text must not be used before `open_note` vouched for it."""
    if len(data) > NOTE_BYTES_MAX:
        raise BadNote("The note is too large.")
    whole = lines.utf8(data, BadNote)
    text, blank, signed = whole.rpartition("\n\n")
    if not blank:
        raise BadNote("A note has a text, a blank line and signature lines.")
    return UnopenedNote(text + "\n", parse_signatures(signed))


def parse_signatures(signed: str) -> tuple[Signature, ...]:
    """Return the signatures of consecutive signature lines, each ended by a newline, or raise BadNote."""
    found = signed.split("\n")
    if found.pop() or not found:
        raise BadNote("Signature lines end in a newline.")
    if len(found) > SIGNATURES_MAX:
        raise BadNote("A note has too many signatures.")
    return tuple(_parse_signature(line) for line in found)


def open_note(data: bytes, verifiers: Iterable[Verifier]) -> Note:
    """Return the note if a known key signed it; raise BadNote otherwise.

    Signatures of unknown keys are ignored. One that claims a known key and does not verify condemns the whole note.
    Raises BadKey when two different `verifiers` share name and key id.
    """
    unopened = parse(data)
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        if known.setdefault((verifier.name, verifier.key_id), verifier) != verifier:
            raise BadKey("Two keys share one name and id.")
    verified: dict[Verifier, Verified] = {}
    for each in unopened.signatures:
        verifier_or_none = known.get((each.name, each.key_id))
        if verifier_or_none is not None:
            timestamp_s = verifier_or_none.verify(unopened.text, each.signature)
            verified.setdefault(verifier_or_none, Verified(verifier_or_none, each, timestamp_s))
    if not verified:
        raise BadNote("No key that we trust signed the note.")
    return Note(unopened.text, unopened.signatures, tuple(verified.values()))


def open_checkpoint(data: bytes, *, logs: Iterable[Verifier], witnesses: Iterable[Verifier] = ()) -> SignedCheckpoint:
    """Return the checkpoint if one of the keys `logs` signed it under its own name; verify known witnesses as well.

    Raises BadNote (not signed by its log, or a known signature is false) or BadCheckpoint (not a checkpoint).
    """
    by_log = tuple(logs)
    note = open_note(data, (*by_log, *witnesses))
    checkpoint = checkpoints.parse(note.text)
    # A key vouches for the one log that it is named after: otherwise one log could sign in another's name.
    if not any(each.verifier in by_log and each.verifier.name == checkpoint.origin for each in note.verified):
        raise BadCheckpoint("No trusted key of the log signed the checkpoint.")
    return SignedCheckpoint(checkpoint, note)


def _parse_signature(line: str) -> Signature:
    if not line.startswith(_DASH):
        raise BadNote("A signature line begins with a dash and a space.")
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    data = lines.base64_bytes(encoded, BadNote)
    if len(data) <= _KEY_ID_BYTES:
        raise BadNote("A signature line holds a key id and a signature.")
    try:
        checked = key_name(name)
    except BadKey:
        raise BadNote("A signature line names no key.") from None
    return Signature(checked, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])
