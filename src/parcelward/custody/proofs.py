"""A proof of logging that anyone checks offline: C2SP tlog-proof@v1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from parcelward.custody import lines, notes, tree
from parcelward.custody.errors import BadProof, ProofFailed

if TYPE_CHECKING:
    from parcelward.custody.notes import SignedCheckpoint
    from parcelward.custody.policy import Policy

HEADER: Final = "c2sp.org/tlog-proof@v1"
PATH_HASHES_MAX: Final = 63  # the height of the largest tree
EXTRA_BYTES_MAX: Final = 1_000_000
PROOF_BYTES_MAX: Final = 4_000_000  # the note, the extra data in base64, and the path
_EXTRA: Final = "extra "
_INDEX: Final = "index "


@dataclass(frozen=True, slots=True)
class Proof:
    """That an entry is in a log: its `index`, the path from its leaf's sibling up, and the checkpoint's note verbatim.

    `extra` is opaque and **not** authenticated; None when there is none.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    @property
    def text(self) -> bytes:
        """The proof as a `.tlog-proof` file."""
        extra = [] if self.extra is None else [_EXTRA + lines.base64_text(self.extra)]
        path = (lines.base64_text(each) for each in self.path)
        return "\n".join([HEADER, *extra, f"{_INDEX}{self.index}", *path, "", ""]).encode() + self.checkpoint


def parse(data: bytes) -> Proof:
    """Return the proof that a file holds, or raise BadProof. Nothing is verified yet but the form."""
    if len(data) > PROOF_BYTES_MAX:
        raise BadProof("The proof is too large.")
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank or not checkpoint:
        raise BadProof("A proof is followed by an empty line and a checkpoint.")
    found = lines.utf8(head, BadProof).split("\n")
    if found.pop(0) != HEADER:
        raise BadProof("Not a proof of this version.")
    extra = None
    if found and found[0].startswith(_EXTRA):
        extra = lines.base64_bytes(found.pop(0).removeprefix(_EXTRA), BadProof)
        if len(extra) > EXTRA_BYTES_MAX:
            raise BadProof("The extra data is too large.")
    if not found or not found[0].startswith(_INDEX):
        raise BadProof("A proof names the entry's index.")
    index = lines.number(found.pop(0).removeprefix(_INDEX), BadProof)
    if len(found) > PATH_HASHES_MAX:
        raise BadProof("The proof has more hashes than any tree is high.")
    return Proof(index, tuple(lines.hash_bytes(each, BadProof) for each in found), checkpoint, extra)


def verify(proof: Proof, leaf: bytes, policy: Policy) -> SignedCheckpoint:
    """Return the checkpoint under which the proof shows the leaf hash; raise unless all of it holds under the policy.

    Raises BadNote or BadCheckpoint (not signed by a log of the policy, or a known signature is false), ProofFailed (too
    few witnesses, or the path does not lead to the root).
    """
    signed = notes.open_checkpoint(proof.checkpoint, logs=policy.logs, witnesses=policy.witnesses.values())
    cosigners = {each.verifier for each in signed.verified_by(policy.witnesses.values())}
    if not policy.met_by(cosigners):
        raise ProofFailed("Too few of the trusted witnesses cosigned the checkpoint.")
    head = signed.checkpoint
    tree.verify_inclusion(leaf, proof.index, head.size, proof.path, head.root)
    return signed
