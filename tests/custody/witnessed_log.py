"""A log, its double that forked, and a witness, each with its own key."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from tests.custody import slow_tree

from parcelward.custody import notes, tree, witness
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import WitnessRefused
from parcelward.custody.keys import KeyName, SignatureType, Signer
from parcelward.custody.witness import AddCheckpoint

LOG = Signer(KeyName("log.example"), SignatureType.ED25519, bytes(32))
STRANGER = Signer(KeyName("other.example"), SignatureType.ED25519, bytes(31) + b"\x01")
WITNESS = Signer(KeyName("w.example"), SignatureType.COSIGNATURE, bytes(31) + b"\x02")
LOGS = witness.trusted_logs([LOG.verifier.vkey])
NOW_S = 1_700_000_000
EMPTY_LINE = b"\n\n"


@dataclass
class Log:
    """A log that may lie: from entry `forked_at` on it holds other entries under the same key."""

    forked_at: int | None = None
    leaves: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.leaves = slow_tree.leaves_of(40)
        if self.forked_at is not None:
            self.leaves[self.forked_at :] = slow_tree.leaves_of(40 - self.forked_at, "forged ")

    def text(self, size: int) -> str:
        return Checkpoint("log.example", size, slow_tree.mth(self.leaves[:size])).text

    def note(self, size: int, *signers: Signer) -> bytes:
        return notes.sign(self.text(size), signers or (LOG,), timestamp_s=NOW_S)

    def prove(self, old_size: int, new_size: int) -> list[bytes]:
        return tree.consistency_path(old_size, new_size, slow_tree.StoredTree(self.leaves[:new_size]))

    def request(self, old_size: int, new_size: int) -> AddCheckpoint:
        path = self.prove(old_size, new_size) if old_size <= new_size else []
        return AddCheckpoint(old_size, tuple(path), self.note(new_size))

    def head(self, size: int) -> Checkpoint:
        return Checkpoint("log.example", size, slow_tree.mth(self.leaves[:size]))


HONEST, FORKED = Log(), Log(forked_at=5)


def prove_honest(new_size: int, old_size: int) -> list[bytes]:
    return HONEST.prove(old_size, new_size)


def decide(seen: Checkpoint | None, request: AddCheckpoint) -> witness.Cosigned:
    parsed = witness.parse_request(request.body)
    assert parsed == request
    return witness.update(seen, parsed, logs=LOGS, signer=WITNESS, timestamp_s=NOW_S)


def refusal(seen: Checkpoint | None, request: AddCheckpoint) -> WitnessRefused:
    with pytest.raises(WitnessRefused) as caught:
        decide(seen, request)
    return caught.value
