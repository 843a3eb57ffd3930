"""How one signing key of the log follows another, and how anybody checks it offline: pure, no database, no clock.

A succession is a signed note that names the key before and the key after, signed by both, and it is an entry of the
log. From that entry on the new key signs every checkpoint, so whoever knows the entry believes no checkpoint that
covers it without the new key's signature: a retired key that is stolen later can sign nothing new. The old key signs
beside it until the time that the note states, for those who know only the old one yet.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from parcelward.custody import keys, notes, policy, proofs, tree
from parcelward.custody.errors import BadKey, BadNote, ProofFailed
from parcelward.custody.keys import SignatureType, Signer, Verifier
from parcelward.custody.wire import ENTRY_PREFIX, fact_commitment

KIND: Final = "custody.log_key"  # of the entry
FILE: Final = "succession.json"  # in an evidence bundle
LINKS_MAX: Final = 1_000
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_FORM: Final = re.compile(
    # The second line is no number, so that the note can never pass for a checkpoint.
    r"(?P<origin>[^\n]+)/succession\n"
    r"number (?P<number>[1-9][0-9]{0,3})\n"
    r"from (?P<old>\S+)\n"
    r"to (?P<new>\S+)\n"
    r"since (?P<since>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n"
    r"until (?P<until>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\n",
    re.ASCII,
)


class OpenedEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry that is one salted group, in clear, with its tlog-proof (/log/verifier)."""

    object: Literal["opened_entry"]
    origin: str
    vkeys: list[str]
    body: str
    salt: str
    proof: str


class Successions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All successions of a log, oldest first (/log/succession, and succession.json in a bundle)."""

    object: Literal["successions"]
    origin: str
    entries: list[OpenedEntry]


class _Body(msgspec.Struct, frozen=True):
    """What the entry says."""

    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Succession:
    """`new` is the log's key since `since`; `old` signs beside it before `until`. `number` counts from 1."""

    origin: str
    number: int
    old: Verifier
    new: Verifier
    since: dt.datetime
    until: dt.datetime

    @property
    def text(self) -> str:
        """The text of the note."""
        return (
            f"{self.origin}/succession\nnumber {self.number}\nfrom {self.old.vkey}\nto {self.new.vkey}\n"
            f"since {self.since.strftime(_TIME)}\nuntil {self.until.strftime(_TIME)}\n"
        )


@dataclass(frozen=True, slots=True)
class Link:
    """A succession and its place in the log."""

    said: Succession
    index: int


def sign(said: Succession, *, old: Signer, new: Signer) -> bytes:
    """Return the note, signed by both keys: the old one names its successor, the new one its predecessor."""
    note = notes.sign(said.text, [old, new])
    open_note(note)
    return note


def open_note(note: bytes) -> Succession:
    """Return what a succession's note says once both of its keys signed it; raise BadNote for anything else."""
    found = _FORM.fullmatch(notes.parse(note).text)
    if found is None:
        raise BadNote("Not a succession of keys.")
    try:
        old, new = keys.parse_vkey(found["old"]), keys.parse_vkey(found["new"])
        since, until = (dt.datetime.fromisoformat(found[name]) for name in ("since", "until"))
    except (BadKey, ValueError):
        raise BadNote("A succession names two keys and two times.") from None
    if old.public_key == new.public_key or since >= until:
        raise BadNote("A succession leads from one key to another, and the old one stays for a time.")
    if any((each.name, each.kind) != (found["origin"], SignatureType.ED25519) for each in (old, new)):
        raise BadNote("A succession is between keys of one log.")
    if {each.verifier for each in notes.open_note(note, [old, new]).verified} != {old, new}:
        raise BadNote("Both keys have to sign a succession.")
    return Succession(found["origin"], int(found["number"]), old, new, since, until)


def require_chain(chain: Sequence[Succession]) -> None:
    """Raise BadNote unless each succession continues the one before, from the first on."""
    for number, said in enumerate(chain, start=1):
        if said.number != number or (number > 1 and said.old != chain[number - 2].new):
            raise BadNote(f"Succession {number} does not continue the one before.")
    if len({key.public_key for key in chain_keys(chain)}) != len(chain_keys(chain)):
        raise BadNote("A key comes back that was succeeded already.")


def chain_keys(chain: Sequence[Succession]) -> list[Verifier]:
    """Return all keys of a chain, oldest first."""
    return [said.old for said in chain[:1]] + [said.new for said in chain]


def read(data: bytes) -> tuple[Link, ...]:
    """Return the successions of a file once each is signed, continues the one before, and is proven to be in the log.

    Raises ProofFailed or another Invalid. Whether anybody trusts these keys is for `trusted_through`.
    """
    try:
        held = msgspec.json.decode(data, type=Successions)
        bodies = [msgspec.json.decode(each.body, type=_Body) for each in held.entries]
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProofFailed("Not a file of successions.") from None
    if len(bodies) > LINKS_MAX or any(each.kind != KIND for each in bodies):
        raise ProofFailed("An entry is not a succession.")
    chain = [open_note(each.note.encode()) for each in bodies]
    require_chain(chain)
    if any(said.origin != held.origin for said in chain):
        raise ProofFailed("A succession is of another log.")
    links, before = [], -1
    for number, (said, entry) in enumerate(zip(chain, held.entries, strict=True)):
        signed, index = prove(entry, [each.new for each in chain[number:]])
        if signed.checkpoint.origin != held.origin or index <= before:
            raise ProofFailed("The successions are in another order in the log, or in another log.")
        links.append(Link(said, index))
        before = index
    return tuple(links)


def prove(entry: OpenedEntry, logs: Sequence[Verifier]) -> tuple[notes.SignedCheckpoint, int]:
    """Return the checkpoint of one of `logs` that covers an opened entry, and its place; raise when it does not."""
    proof = proofs.parse(entry.proof.encode())
    try:
        salt = bytes.fromhex(entry.salt)
    except ValueError:
        raise ProofFailed("The entry's salt is not in hex.") from None
    committed = ENTRY_PREFIX + fact_commitment(salt, entry.body.encode())
    if len(salt) != tree.HASH_BYTES or proof.extra != committed:
        raise ProofFailed("The entry's content does not give its commitment.")
    signed = proofs.verify(proof, tree.leaf_hash(committed), policy.quorum_of(0, logs=logs, witnesses=[]))
    if signed.checkpoint.origin != entry.origin:
        raise ProofFailed("The checkpoint is of another log.")
    return signed, proof.index


def trusted_through(trusted: Sequence[Verifier], links: Sequence[Link]) -> list[Verifier]:
    """Return the trusted keys and, if one of them is in the chain, the others of the chain, before and after it.

    Both keys sign each succession, so either end vouches for the other. What a key before the last may still sign is
    bounded by `require_current`.
    """
    chain = chain_keys([each.said for each in links])
    if not any(each in trusted for each in chain):
        return list(trusted)
    return [*trusted, *(each for each in chain if each not in trusted)]


def require_current(size: int, signers: Sequence[Verifier], links: Sequence[Link]) -> None:
    """Raise ProofFailed unless a checkpoint's signers have the key that was the log's when it had `size` entries."""
    covered = [each.said.new for each in links if each.index < size]
    if covered and covered[-1] not in signers:
        raise ProofFailed(
            f"The checkpoint covers the entry that made {covered[-1].key_id.hex()} the log's key, "
            "and that key did not sign it."
        )
