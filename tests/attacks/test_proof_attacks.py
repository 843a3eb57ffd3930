"""Malformed and forged proofs of the log: every one is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.custody import slow_tree

from parcelward.custody import checkpoints, notes, policy, proofs, tree
from parcelward.custody.errors import BadCheckpoint, BadNote, BadProof, ProofFailed
from parcelward.custody.keys import KeyName, SignatureType, Signer
from parcelward.custody.proofs import Proof

SIZE, INDEX = 11, 6
LEAVES = slow_tree.leaves_of(SIZE)
HEAD = slow_tree.mth(LEAVES)
PATH = slow_tree.path(INDEX, LEAVES)
OTHER = tree.leaf_hash(b"somebody else's entry")


def chain(leaf: bytes, path: list[bytes]) -> bytes:
    for sibling in path:
        leaf = tree.node_hash(leaf, sibling)
    return leaf


# What is wrong -> leaf, index, size, path, root.
INCLUSION = {
    "a tree of no entries": (LEAVES[0], 0, 0, [], tree.EMPTY_ROOT),
    "a tree of no entries, with the leaf as root": (LEAVES[0], 0, 0, [], LEAVES[0]),
    "a negative size": (LEAVES[0], 0, -1, [], LEAVES[0]),
    "a size beyond all logs": (LEAVES[0], 0, 2**63, PATH * 16, HEAD),
    "a negative index": (LEAVES[INDEX], -1, SIZE, PATH, HEAD),
    "the index is the size": (LEAVES[INDEX], SIZE, SIZE, PATH, HEAD),
    "the index is beyond the size": (LEAVES[INDEX], INDEX + 16, SIZE, PATH, HEAD),
    "another index": (LEAVES[INDEX], INDEX + 1, SIZE, PATH, HEAD),
    # Not the next size: trees of 11 and 12 entries differ only within one node of this path. The checkpoint's
    # signature binds the size, the proof alone cannot.
    "another size": (LEAVES[INDEX], INDEX, 20, PATH, HEAD),
    "a smaller size": (LEAVES[INDEX], INDEX, 8, PATH, HEAD),
    "another leaf": (OTHER, INDEX, SIZE, PATH, HEAD),
    "another root": (LEAVES[INDEX], INDEX, SIZE, PATH, OTHER),
    "an empty root": (LEAVES[INDEX], INDEX, SIZE, PATH, b""),
    "the root of nothing": (LEAVES[INDEX], INDEX, SIZE, PATH, tree.EMPTY_ROOT),
    "a short root": (LEAVES[INDEX], INDEX, SIZE, PATH, HEAD[:-1]),
    "a long root": (LEAVES[INDEX], INDEX, SIZE, PATH, HEAD + b"\x00"),
    "an empty leaf": (b"", INDEX, SIZE, PATH, HEAD),
    "an entry in place of its hash": (b"\x01" + LEAVES[INDEX], INDEX, SIZE, PATH, HEAD),
    "no path": (LEAVES[INDEX], INDEX, SIZE, [], HEAD),
    "no path, and the leaf as root": (HEAD, INDEX, SIZE, [], HEAD),
    "the first node is missing": (LEAVES[INDEX], INDEX, SIZE, PATH[1:], HEAD),
    "the last node is missing": (LEAVES[INDEX], INDEX, SIZE, PATH[:-1], HEAD),
    "a node too many": (LEAVES[INDEX], INDEX, SIZE, [*PATH, OTHER], HEAD),
    "a node too many in front": (LEAVES[INDEX], INDEX, SIZE, [OTHER, *PATH], HEAD),
    "a node doubled": (LEAVES[INDEX], INDEX, SIZE, [PATH[0], *PATH], HEAD),
    "nodes swapped": (LEAVES[INDEX], INDEX, SIZE, [PATH[1], PATH[0], *PATH[2:]], HEAD),
    "nodes reversed": (LEAVES[INDEX], INDEX, SIZE, PATH[::-1], HEAD),
    "a node exchanged": (LEAVES[INDEX], INDEX, SIZE, [*PATH[:-1], OTHER], HEAD),
    "a short node": (LEAVES[INDEX], INDEX, SIZE, [PATH[0][:-1], *PATH[1:]], HEAD),
    "a long node": (LEAVES[INDEX], INDEX, SIZE, [PATH[0] + b"\x00", *PATH[1:]], HEAD),
    "an empty node": (LEAVES[INDEX], INDEX, SIZE, [b"", *PATH[1:]], HEAD),
    "nodes cut elsewhere": (LEAVES[INDEX], INDEX, SIZE, [PATH[0][:31], PATH[0][31:] + PATH[1], *PATH[2:]], HEAD),
    # What would verify, were it not refused by itself.
    "the last entry at the index behind it": (LEAVES[-1], SIZE, SIZE, slow_tree.path(SIZE - 1, LEAVES), HEAD),
    "the first entry at the index before it": (LEAVES[0], -1, SIZE, slow_tree.path(0, LEAVES), HEAD),
    "the border of two hashes moved": (LEAVES[INDEX] + PATH[0][:1], INDEX, SIZE, [PATH[0][1:], *PATH[1:]], HEAD),
    "a true proof in a tree beyond all logs": (OTHER, 0, 2**64, [OTHER] * 64, chain(OTHER, [OTHER] * 64)),
    # Second preimage: an inner node given as a leaf, which only the two prefixes keep apart.
    "an inner node as a leaf": (tree.node_hash(LEAVES[6], LEAVES[7]), 3, SIZE, PATH[1:], HEAD),
    "the root as the one leaf of a tree of one, with a path": (HEAD, 0, 1, [OTHER], HEAD),
}


@pytest.mark.parametrize("wrong", INCLUSION)
def test_a_malformed_inclusion_proof_is_refused(wrong: str) -> None:
    tree.verify_inclusion(LEAVES[INDEX], INDEX, SIZE, PATH, HEAD)
    with pytest.raises(ProofFailed):
        tree.verify_inclusion(*INCLUSION[wrong])


OLD_SIZE = 6
OLD = slow_tree.mth(LEAVES[:OLD_SIZE])
GROWTH = slow_tree.proof(OLD_SIZE, LEAVES)
EIGHT, FROM_EIGHT = slow_tree.mth(LEAVES[:8]), slow_tree.proof(8, LEAVES)

# What is wrong -> old size, old root, new size, new root, path.
CONSISTENCY = {
    "from a tree of no entries": (0, tree.EMPTY_ROOT, SIZE, HEAD, []),
    "from a tree of no entries, with a path": (0, tree.EMPTY_ROOT, SIZE, HEAD, GROWTH),
    "both without entries": (0, tree.EMPTY_ROOT, 0, tree.EMPTY_ROOT, []),
    "a negative size": (-1, OLD, SIZE, HEAD, GROWTH),
    "a size beyond all logs": (1, LEAVES[0], 2**63, HEAD, GROWTH),
    "the log shrank": (SIZE, HEAD, OLD_SIZE, OLD, GROWTH),
    "another old size": (OLD_SIZE - 1, OLD, SIZE, HEAD, GROWTH),
    "another new size": (OLD_SIZE, OLD, 20, HEAD, GROWTH),
    "another old root": (OLD_SIZE, OTHER, SIZE, HEAD, GROWTH),
    "another new root": (OLD_SIZE, OLD, SIZE, OTHER, GROWTH),
    "roots swapped": (OLD_SIZE, HEAD, SIZE, OLD, GROWTH),
    "an empty old root": (OLD_SIZE, b"", SIZE, HEAD, GROWTH),
    "an empty new root": (OLD_SIZE, OLD, SIZE, b"", GROWTH),
    "a short old root": (OLD_SIZE, OLD[:31], SIZE, HEAD, GROWTH),
    "a long new root": (OLD_SIZE, OLD, SIZE, HEAD + b"\x00", GROWTH),
    "no path": (OLD_SIZE, OLD, SIZE, HEAD, []),
    "no path, from a complete tree": (8, EIGHT, SIZE, HEAD, []),
    "the first node is missing": (OLD_SIZE, OLD, SIZE, HEAD, GROWTH[1:]),
    "the last node is missing": (OLD_SIZE, OLD, SIZE, HEAD, GROWTH[:-1]),
    "a node too many": (OLD_SIZE, OLD, SIZE, HEAD, [*GROWTH, OTHER]),
    "a node too many in front": (OLD_SIZE, OLD, SIZE, HEAD, [OTHER, *GROWTH]),
    "the old root where it is not wanted": (8, EIGHT, SIZE, HEAD, [EIGHT, *FROM_EIGHT]),
    "the border of two hashes moved": (8, EIGHT + FROM_EIGHT[0][:1], SIZE, HEAD, [FROM_EIGHT[0][1:]]),
    "a true proof to a tree beyond all logs": (1, OTHER, 2**64, chain(OTHER, [OTHER] * 64), [OTHER] * 64),
    "nodes reversed": (OLD_SIZE, OLD, SIZE, HEAD, GROWTH[::-1]),
    "a node exchanged": (OLD_SIZE, OLD, SIZE, HEAD, [OTHER, *GROWTH[1:]]),
    "the node that only the new tree has, exchanged": (OLD_SIZE, OLD, SIZE, HEAD, [*GROWTH[:-1], OTHER]),
    "a short node": (OLD_SIZE, OLD, SIZE, HEAD, [GROWTH[0][:31], *GROWTH[1:]]),
    "an empty node": (OLD_SIZE, OLD, SIZE, HEAD, [b"", *GROWTH[1:]]),
    "one size, two roots": (SIZE, HEAD, SIZE, OTHER, []),
    "one size, one root, and a path": (SIZE, HEAD, SIZE, HEAD, GROWTH),
}


@pytest.mark.parametrize("wrong", CONSISTENCY)
def test_a_malformed_consistency_proof_is_refused(wrong: str) -> None:
    tree.verify_consistency(OLD_SIZE, OLD, SIZE, HEAD, GROWTH)
    tree.verify_consistency(8, EIGHT, SIZE, HEAD, FROM_EIGHT)
    with pytest.raises(ProofFailed):
        tree.verify_consistency(*CONSISTENCY[wrong])


def _signer(name: str, kind: SignatureType = SignatureType.COSIGNATURE) -> Signer:
    return Signer(KeyName(name), kind, name.encode().ljust(32, b"."))


LOG = _signer("log.example", SignatureType.ED25519)
WITNESSES = [_signer(f"w{i}.example") for i in range(3)]
TEXT = checkpoints.Checkpoint("log.example", SIZE, HEAD).text
POLICY = policy.quorum_of(2, logs=[LOG.verifier], witnesses=[each.verifier for each in WITNESSES])
PROOF = Proof(INDEX, tuple(PATH), notes.sign(TEXT, [LOG, *WITNESSES[:2]], timestamp_s=1_700_000_000))


def _note(*signers: Signer, text: str = TEXT) -> Proof:
    return replace(PROOF, checkpoint=notes.sign(text, signers, timestamp_s=1_700_000_000))


def _flip_last_signature(data: bytes) -> bytes:
    head, _, encoded = data.rstrip(b"\n").rpartition(b" ")
    raw = bytearray(base64.b64decode(encoded))
    raw[-1] ^= 1
    return head + b" " + base64.b64encode(raw) + b"\n"


# What is wrong -> the proof, and the error.
FORGED = {
    "no witness": (_note(LOG), ProofFailed),
    "one witness of two": (_note(LOG, WITNESSES[0]), ProofFailed),
    "one witness twice": (_note(LOG, WITNESSES[0], WITNESSES[0]), ProofFailed),
    "witnesses that nobody named": (_note(LOG, _signer("x.example"), _signer("y.example")), ProofFailed),
    "a known witness's name with another key": (
        _note(LOG, WITNESSES[0], replace(WITNESSES[1], seed=bytes(32))),
        ProofFailed,
    ),
    "witnesses without the log": (_note(*WITNESSES), BadCheckpoint),
    "only strangers": (_note(_signer("x.example")), BadNote),
    "another log's checkpoint": (
        _note(LOG, *WITNESSES, text=checkpoints.Checkpoint("other.example", SIZE, HEAD).text),
        BadCheckpoint,
    ),
    "a false cosignature beside enough true ones": (
        replace(_note(LOG, *WITNESSES), checkpoint=_flip_last_signature(_note(LOG, *WITNESSES).checkpoint)),
        BadNote,
    ),
    "the checkpoint's size changed": (
        replace(PROOF, checkpoint=PROOF.checkpoint.replace(b"\n11\n", b"\n12\n")),
        BadNote,
    ),
    "the index changed": (replace(PROOF, index=INDEX + 1), ProofFailed),
    "the path cut": (replace(PROOF, path=PROOF.path[:-1]), ProofFailed),
    "a signed text that is no checkpoint": (
        replace(PROOF, checkpoint=notes.sign("log.example\nmany\n", [LOG])),
        BadCheckpoint,
    ),
}


@pytest.mark.parametrize("wrong", FORGED)
def test_a_forged_proof_is_refused(wrong: str) -> None:
    proof, error = FORGED[wrong]
    with pytest.raises(error):
        proofs.verify(proofs.parse(proof.text), LEAVES[INDEX], POLICY)


def test_the_proof_that_was_forged_holds_when_it_is_not() -> None:
    assert proofs.verify(proofs.parse(PROOF.text), LEAVES[INDEX], POLICY).checkpoint.size == SIZE
    with pytest.raises(ProofFailed):
        proofs.verify(PROOF, OTHER, POLICY)


LINES = PROOF.text.split(b"\n")


def _line(number: int, text: bytes) -> bytes:
    return b"\n".join([*LINES[:number], text, *LINES[number + 1 :]])


MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "the header alone": LINES[0] + b"\n",
    "another version": _line(0, b"c2sp.org/tlog-proof@v2"),
    "no header": b"\n".join(LINES[1:]),
    "no index": b"\n".join([LINES[0], *LINES[2:]]),
    "an index with a leading zero": _line(1, b"index 06"),
    "a negative index": _line(1, b"index -6"),
    "an index with a sign": _line(1, b"index +6"),
    "an index that is no number": _line(1, b"index six"),
    "an index beyond all logs": _line(1, b"index 9223372036854775808"),
    "an index in other digits": _line(1, "index \u0666".encode()),
    "two spaces": _line(1, b"index  6"),
    "a space at the end": _line(1, b"index 6 "),
    "a carriage return": _line(1, b"index 6\r"),
    "extra after the index": _line(2, b"extra AA=="),
    "extra twice": _line(1, b"extra AA==\nextra AA==\nindex 6"),
    "extra that is not base64": _line(1, b"extra A\nindex 6"),
    "a hash of 31 bytes": _line(2, base64.b64encode(bytes(31))),
    "a hash of 33 bytes": _line(2, base64.b64encode(bytes(33))),
    "a hash in another spelling": _line(2, base64.b64encode(bytes(32))[:-2] + b"B="),
    "a hash without padding": _line(2, base64.b64encode(bytes(32))[:-1]),
    "a hash in the URL alphabet": _line(2, base64.urlsafe_b64encode(b"\xff" * 32)),
    "a hash with a space": _line(2, b" " + LINES[2]),
    "64 hashes": _line(2, b"\n".join([LINES[2]] * 64)),
    "no empty line": PROOF.text.replace(b"\n\nlog", b"\nlog"),
    "no checkpoint": PROOF.text.partition(b"\n\n")[0] + b"\n\n",
    "a zero byte": _line(1, b"index 6\x00"),
    "bytes that are no text": _line(1, b"index 6\xff"),
    "far too large": PROOF.text + bytes(5_000_000),
}


@pytest.mark.parametrize("wrong", MALFORMED)
def test_a_malformed_proof_file_is_refused(wrong: str) -> None:
    with pytest.raises(BadProof):
        proofs.parse(MALFORMED[wrong])


NOTE = PROOF.checkpoint
LAST = NOTE.rstrip(b"\n").rpartition(b"\n")[2]
MALFORMED_NOTES: dict[str, bytes] = {
    "nothing": b"",
    "no signatures": TEXT.encode(),
    "no signatures behind the blank line": TEXT.encode() + b"\n",
    "no blank line": NOTE.replace(b"\n\n", b"\n"),
    "no newline at the end": NOTE[:-1],
    "a blank line at the end": NOTE + b"\n",
    "text behind the signatures": NOTE + b"more\n",
    "a hyphen for a dash": NOTE.replace("\u2014".encode(), b"-"),
    "a further line without a dash": NOTE + b"w9.example AAAAAAAAAAA=\n",
    "no space behind the dash": NOTE.replace("\u2014 ".encode(), "\u2014".encode()),
    "two spaces": NOTE.replace("\u2014 ".encode(), "\u2014  ".encode()),
    "a key name with a plus": NOTE + LAST.replace(b"w1.example", b"w1+example") + b"\n",
    "a key name with a wide space": NOTE + LAST.replace(b"w1.example", "w1\u3000example".encode()) + b"\n",
    "a line without a signature": NOTE + "\u2014 w1.example\n".encode(),
    "a signature of four bytes": NOTE + "\u2014 w1.example AAAAAA==\n".encode(),
    "a signature that is not base64": NOTE + "\u2014 w1.example A*AAAAAAAAA=\n".encode(),
    "base64 in another spelling": NOTE + "\u2014 w1.example AAAAAAB=\n".encode(),
    "a carriage return": NOTE.replace(b"\n", b"\r\n"),
    "a tab": NOTE.replace(b"log.example\n11", b"log.example\t\n11"),
    "a zero byte": NOTE.replace(b"log.example\n11", b"log.example\x00\n11"),
    "bytes that are no text": NOTE.replace(b"log.example\n11", b"log.example\xff\n11"),
    "65 signatures": NOTE + (LAST + b"\n") * 62,
    "too large, though signed": notes.sign("a" * 1_000_000 + "\n", [LOG]),
}


@pytest.mark.parametrize("wrong", MALFORMED_NOTES)
def test_a_malformed_note_is_refused(wrong: str) -> None:
    with pytest.raises(BadNote):
        notes.open_note(MALFORMED_NOTES[wrong], [LOG.verifier])


ROOT_TEXT = base64.b64encode(HEAD).decode()
MALFORMED_CHECKPOINTS: dict[str, str] = {
    "nothing": "",
    "a newline": "\n",
    "two lines": "log.example\n11\n",
    "no newline at the end": f"log.example\n11\n{ROOT_TEXT}",
    "no newline behind an extension line": f"log.example\n11\n{ROOT_TEXT}\nextension",
    "an empty origin": f"\n11\n{ROOT_TEXT}\n",
    "a leading zero": f"log.example\n011\n{ROOT_TEXT}\n",
    "a negative size": f"log.example\n-11\n{ROOT_TEXT}\n",
    "a size in hex": f"log.example\n0xb\n{ROOT_TEXT}\n",
    "a size in other digits": f"log.example\n\u0661\u0661\n{ROOT_TEXT}\n",
    "an underscore": f"log.example\n1_1\n{ROOT_TEXT}\n",
    "a space": f"log.example\n11 \n{ROOT_TEXT}\n",
    "a size beyond all logs": f"log.example\n9223372036854775808\n{ROOT_TEXT}\n",
    "a root of 31 bytes": f"log.example\n11\n{base64.b64encode(HEAD[:31]).decode()}\n",
    "a root of 33 bytes": f"log.example\n11\n{base64.b64encode(HEAD + bytes(1)).decode()}\n",
    "a root in another spelling": f"log.example\n11\n{'A' * 42}B=\n",
    "an empty extension line": f"log.example\n11\n{ROOT_TEXT}\n\n",
    "an empty line between extensions": f"log.example\n11\n{ROOT_TEXT}\na\n\nb\n",
    "too many extension lines": f"log.example\n11\n{ROOT_TEXT}\n" + "a\n" * 17,
    "a control character": f"log.exam\x01ple\n11\n{ROOT_TEXT}\n",
}


@pytest.mark.parametrize("wrong", MALFORMED_CHECKPOINTS)
def test_a_malformed_checkpoint_is_refused(wrong: str) -> None:
    with pytest.raises(BadCheckpoint):
        checkpoints.parse(MALFORMED_CHECKPOINTS[wrong])


@pytest.mark.parametrize("change", [lambda s: s.replace("11", "12"), lambda s: s + "extension\n"])
def test_a_checkpoint_cannot_be_changed_under_its_signatures(change: Callable[[str], str]) -> None:
    forged = NOTE.replace(TEXT.encode(), change(TEXT).encode())
    for verifier in (LOG.verifier, WITNESSES[0].verifier):
        with pytest.raises(BadNote):
            notes.open_note(forged, [verifier])
