from __future__ import annotations

import pytest
from tests.custody import slow_tree

from parcelward.custody import checkpoints, notes, policy, proofs
from parcelward.custody.errors import BadPolicy, ProofFailed
from parcelward.custody.keys import KeyName, SignatureType, Signer, Verifier
from parcelward.custody.policy import Group, Policy
from parcelward.custody.proofs import Proof

LEAVES = slow_tree.leaves_of(9)
LOG = Signer(KeyName("log.example"), SignatureType.ED25519, bytes(32))
WITNESSES = [
    Signer(KeyName(f"{group}{i}.example"), SignatureType.COSIGNATURE, f"{group}{i}".encode().ljust(32, b"."))
    for group in "xy"
    for i in range(3)
]
X, Y = [each.verifier for each in WITNESSES[:3]], [each.verifier for each in WITNESSES[3:]]
CHECKPOINT = checkpoints.Checkpoint("log.example", len(LEAVES), slow_tree.mth(LEAVES))


def proof(index: int, *witnesses: Signer, extra: bytes | None = None) -> Proof:
    note = notes.sign(CHECKPOINT.text, [LOG, *witnesses], timestamp_s=1_700_000_000)
    return Proof(index, tuple(slow_tree.path(index, LEAVES)), note, extra)


def test_every_entry_is_proven_offline() -> None:
    trusted = policy.quorum_of(2, logs=[LOG.verifier], witnesses=X)
    for index, leaf in enumerate(LEAVES):
        found = proofs.parse(proof(index, *WITNESSES[:2]).text)
        signed = proofs.verify(found, leaf, trusted)
        assert signed.checkpoint == CHECKPOINT
        assert {each.timestamp_s for each in signed.verified_by(X)} == {1_700_000_000}


def test_the_format_is_the_standards() -> None:
    text = proof(8, extra=b"\x00\xff").text.decode()
    lines = text.split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra AP8=", "index 8"]
    assert lines[4:6] == ["", "log.example"]  # entry 8 of 9 has one sibling: the root of the eight before it
    assert text.endswith("\n")
    assert b"extra" not in proof(8).text


def test_empty_extra_data_is_not_no_extra_data() -> None:
    assert proofs.parse(proof(0, extra=b"").text).extra == b""
    assert proofs.parse(proof(0).text).extra is None


def test_a_tree_of_one_entry_needs_no_path() -> None:
    text = checkpoints.Checkpoint("log.example", 1, LEAVES[0]).text
    only = Proof(0, (), notes.sign(text, [LOG]))
    proofs.verify(proofs.parse(only.text), LEAVES[0], policy.quorum_of(0, logs=[LOG.verifier], witnesses=[]))


POLICY = f"""# The standard's example: two of the X, and any of the Y.
log {LOG.verifier.vkey} https://log.example/

witness X1 {X[0].vkey}
witness X2 {X[1].vkey} https://x1.example/
\twitness  X3\t{X[2].vkey}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y[0].vkey}
witness Y2 {Y[1].vkey}
witness Y3 {Y[2].vkey}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


@pytest.mark.parametrize(
    ("seen_by", "enough"),
    [("", False), ("01", False), ("3", False), ("03", False), ("345", False), ("013", True), ("125", True)],
)
def test_the_standards_example_of_a_policy(seen_by: str, enough: bool) -> None:
    trusted = policy.parse(POLICY.encode())
    found = proof(4, *(WITNESSES[int(i)] for i in seen_by))
    if enough:
        proofs.verify(found, LEAVES[4], trusted)
    else:
        with pytest.raises(ProofFailed, match="Too few"):
            proofs.verify(found, LEAVES[4], trusted)


def test_a_policy_is_read_as_it_was_written() -> None:
    for trusted in (policy.parse(POLICY.encode()), policy.quorum_of(0, logs=[LOG.verifier], witnesses=X)):
        assert policy.parse(trusted.text.encode()) == trusted


def _replaced(old: str, new: str) -> str:
    assert old in POLICY
    return POLICY.replace(old, new)


@pytest.mark.parametrize(
    "text",
    [
        "",
        _replaced("quorum X-and-Y\n", ""),
        _replaced("quorum X-and-Y\n", "quorum X-and-Y\nquorum X-and-Y\n"),
        _replaced("quorum X-and-Y\n", "quorum X-and-Y"),
        _replaced("quorum X-and-Y\n", "quorum Z\n"),
        "quorum X1\n" + _replaced("quorum X-and-Y\n", ""),  # defined below
        _replaced("2 X1 X2 X3", "0 X1 X2 X3"),
        _replaced("2 X1 X2 X3", "4 X1 X2 X3"),
        _replaced("2 X1 X2 X3", "02 X1 X2 X3"),
        _replaced("2 X1 X2 X3", "two X1 X2 X3"),
        _replaced("2 X1 X2 X3", "2 X1 X1 X3"),
        _replaced("2 X1 X2 X3", "2"),
        _replaced("2 X1 X2 X3", "2 X1 X2 Y1"),  # not defined yet
        _replaced("any Y1 Y2 Y3", "any Y1 Y2 Z3"),
        _replaced("any Y1 Y2 Y3", "any X1 Y2 Y3"),  # in two groups
        _replaced("any Y1 Y2 Y3", "any Y1 Y2 Y-witnesses"),  # in itself
        _replaced("witness X2", "witness X1"),
        _replaced("quorum X-and-Y\n", f"quorum X-and-Y\nwitness none {X[0].vkey}\n")
        .replace(f"witness X1 {X[0].vkey}\n", "")
        .replace("X1 X2 X3", "X2 X3"),
        _replaced("group Y-witnesses", "group X-witnesses"),
        _replaced(X[1].vkey, X[0].vkey),
        _replaced(X[1].vkey, X[1].vkey[:-4]),
        _replaced(X[1].vkey, LOG.verifier.vkey),  # a log's type of key
        _replaced(LOG.verifier.vkey, X[0].vkey),  # a witness's
        _replaced("quorum X-and-Y\n", "quorum X-and-Y\nmaximum 3\n"),
        _replaced("quorum X-and-Y\n", "quorum X-and-Y\r\n"),
        "#" * 2_000_000 + "\n" + POLICY,
    ],
)
def test_a_malformed_policy_is_refused(text: str) -> None:
    with pytest.raises(BadPolicy):
        policy.parse(text.encode())


def test_one_key_under_two_names_does_not_count_twice() -> None:
    twice = Signer(KeyName("z.example"), SignatureType.COSIGNATURE, WITNESSES[0].seed)
    with pytest.raises(BadPolicy):
        policy.quorum_of(2, logs=[LOG.verifier], witnesses=[X[0], twice.verifier])


@pytest.mark.parametrize("needed", [-1, 4])
def test_a_quorum_that_cannot_be_met_is_refused(needed: int) -> None:
    with pytest.raises(BadPolicy):
        policy.quorum_of(needed, logs=[LOG.verifier], witnesses=X)


@pytest.mark.parametrize(
    ("witnesses", "groups", "quorum"),
    [
        ({"": X[0]}, {}, "none"),
        ({"two words": X[0]}, {}, "none"),
        ({"line\n": X[0]}, {}, "none"),
        ({"none": X[0]}, {}, "none"),
        ({"a": X[0]}, {"none": Group(1, ("a",))}, "none"),
        ({"a": X[0], "b": X[1]}, {"a": Group(1, ("b",))}, "a"),
        ({"a": X[0]}, {}, "b"),
        ({"a": X[0]}, {"g": Group(1, ("b",))}, "g"),
        ({f"w{i}": X[0] for i in range(300)}, {}, "none"),
    ],
)
def test_a_policy_that_means_nothing_cannot_be_made(
    witnesses: dict[str, Verifier], groups: dict[str, Group], quorum: str
) -> None:
    assert Policy((LOG.verifier,), {"a": X[0]}, {"g": Group(1, ("a",))}, "g").met_by([X[0]])
    with pytest.raises(BadPolicy):
        Policy((LOG.verifier,), witnesses, groups, quorum)
