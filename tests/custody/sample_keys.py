"""A log in memory whose signing key is replaced, as `SampleLog` is one that keeps its key."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field

import msgspec
from tests.custody.sample_log import ORIGIN, WITNESSED_AT_S, SampleLog, signer

from parcelward.custody import checkpoints, notes, proofs, succession, tree
from parcelward.custody.keys import KeyName, SignatureType, Signer
from parcelward.custody.succession import OpenedEntry, Succession, Successions
from parcelward.custody.wire import ENTRY_PREFIX, fact_commitment

SINCE = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
LATE = signer(ORIGIN, SignatureType.COSIGNATURE_MLDSA44)


def key(number: int, name: str = ORIGIN) -> Signer:
    """Return the log's key of this number; the first is that of `SampleLog`."""
    if number == 1:
        return signer(name)
    return Signer(KeyName(name), SignatureType.ED25519, hashlib.sha256(f"{name} key {number}".encode()).digest())


def succession_of(old: Signer, new: Signer, number: int) -> Succession:
    since = SINCE + dt.timedelta(days=number)
    return Succession(ORIGIN, number, old.verifier, new.verifier, since, since + dt.timedelta(days=30))


@dataclass
class KeyedLog(SampleLog):
    """A log that signs with `signing`, the newest key last."""

    signing: list[Signer] = field(default_factory=lambda: [key(1)])
    replaced: list[tuple[int, bytes, bytes]] = field(default_factory=list)  # (index, body, salt)

    def replace(self, new: Signer, *, note: bytes | None = None, kind: str = succession.KIND) -> None:
        """Make the entry that gives the log a new key; `note` is what it says instead of the truth."""
        said = succession_of(self.signing[-1], new, len(self.replaced) + 1)
        note = succession.sign(said, old=self.signing[-1], new=new) if note is None else note
        body = json.dumps({"at": "now", "by": 1, "kind": kind, "note": note.decode()}).encode()
        salt = hashlib.sha256(body).digest()
        self.replaced.append((len(self.leaves), body, salt))
        self.leaves.append(tree.leaf_hash(ENTRY_PREFIX + fact_commitment(salt, body)))
        self.signing.append(new)
        self.signer = new

    def retire(self) -> None:
        """Let the oldest key sign no more."""
        del self.signing[0]

    def signed(self, size: int | None = None, *signers: Signer) -> bytes:
        """Return the checkpoint as these keys sign it; by default all that sign now."""
        size = len(self.leaves) if size is None else size
        text = checkpoints.Checkpoint(ORIGIN, size, tree.root(size, self.read)).text
        return notes.sign(text, signers or self.signing, timestamp_s=WITNESSED_AT_S)

    def successions(self, *signers: Signer) -> bytes:
        """Return what /log/succession answers."""
        note, entries = self.signed(None, *signers), []
        for index, body, salt in self.replaced:
            committed = ENTRY_PREFIX + fact_commitment(salt, body)
            path = tuple(tree.inclusion_path(index, len(self.leaves), self.read))
            proof = proofs.Proof(index, path, note, committed).text.decode()
            vkeys = [each.verifier.vkey for each in self.signing]
            entries.append(OpenedEntry("opened_entry", ORIGIN, vkeys, body.decode(), salt.hex(), proof))
        return msgspec.json.encode(Successions("successions", ORIGIN, entries))

    def archived(self, size: int) -> bytes:
        """Return an archive checkpoint."""
        return self.signed(size, *self.signing, LATE)
