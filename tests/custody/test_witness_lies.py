"""A log that asks witnesses that lie. An answer is a value, so these need no server."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.custody.witnessed_log import (
    FORKED,
    HONEST,
    LOG,
    NOW_S,
    STRANGER,
    WITNESS,
    Log,
)

from parcelward.custody import notes, witness
from parcelward.custody.errors import NotInLog, WitnessAway, WitnessRefused
from parcelward.custody.keys import KeyName, Signer
from parcelward.custody.witness import Answer


@dataclass
class Fixed:
    """A witness that answers what it is told to answer."""

    answers: list[Answer]

    def post(self, url: str, body: bytes) -> Answer:
        assert url == "http://w.example/add-checkpoint"
        return self.answers.pop(0)


def cosigned(size: int, signer: Signer = WITNESS, log: Log = HONEST) -> bytes:
    return notes.signature(log.text(size), signer, timestamp_s=NOW_S).line.encode()


def size_answer(body: bytes, content_type: str = "text/x.tlog.size") -> Answer:
    return Answer(409, content_type, body)


def ok(body: bytes) -> Answer:
    return Answer(200, "text/plain", body)


def timeless() -> bytes:
    made = Ed25519PrivateKey.from_private_bytes(WITNESS.seed).sign(
        f"cosignature/v1\ntime 0\n{HONEST.text(10)}".encode()
    )
    return notes.Signature(WITNESS.name, WITNESS.verifier.key_id, bytes(8) + made).line.encode()


LYING: dict[str, tuple[list[Answer], type[Exception]]] = {
    "nothing": ([ok(b"")], WitnessAway),
    "a text": ([ok(b"ok\n")], WitnessAway),
    "a cosignature without a time": ([ok(timeless())], WitnessAway),
    "another checkpoint's cosignature": ([ok(cosigned(11))], WitnessAway),
    "a fork's cosignature": ([ok(cosigned(10, log=FORKED))], WitnessAway),
    "another witness's": ([ok(cosigned(10, Signer(KeyName("v.example"), WITNESS.kind, WITNESS.seed)))], WitnessAway),
    "our own signature": ([ok(notes.signature(HONEST.text(10), LOG).line.encode())], WitnessAway),
    "no newline": ([ok(cosigned(10)[:-1])], WitnessAway),
    "a false cosignature beside the true one": ([ok(cosigned(10) + cosigned(11))], WitnessAway),
    "far too much": (
        [ok(cosigned(10) + notes.Signature(KeyName("x"), b"abcd", bytes(50_000)).line.encode())],
        WitnessAway,
    ),
    "a redirect": ([Answer(302, "text/plain", b"")], WitnessAway),
    "an error": ([Answer(500, "text/plain", b"")], WitnessAway),
    "not known": ([Answer(404, "text/plain", b"")], WitnessRefused),
    "not proven": ([Answer(422, "text/plain", b"")], WitnessRefused),
    "a conflict without end": ([size_answer(b"5\n"), size_answer(b"6\n")], WitnessRefused),
    "a conflict that names no size": ([size_answer(b"five\n")], WitnessAway),
    "a conflict that is cut": ([size_answer(b"5")], WitnessAway),
    "a conflict of another type": ([size_answer(b"5\n", "text/html")], WitnessAway),
    "a size beyond all logs": ([size_answer(b"99999999999999999999\n")], WitnessAway),
    "a size beyond ours": ([size_answer(b"11\n")], WitnessRefused),
}


@pytest.mark.parametrize("wrong", LYING)
def test_a_witness_that_lies_is_not_believed(wrong: str) -> None:
    answers, error = LYING[wrong]
    with pytest.raises(error):
        witness.ask_witness(
            "http://w.example/",
            note=HONEST.note(10),
            witness=WITNESS.verifier,
            old_size=0,
            prove=lambda old: HONEST.prove(old, 10),
            poster=Fixed(list(answers)),
        )


def test_strangers_lines_are_ignored() -> None:
    stranger = notes.signature(HONEST.text(10), STRANGER).line.encode()
    verified = witness.ask_witness(
        "http://w.example",
        note=HONEST.note(10),
        witness=WITNESS.verifier,
        old_size=0,
        prove=lambda old: HONEST.prove(old, 10),
        poster=Fixed([ok(stranger + cosigned(10))]),
    )
    assert verified.signature.line.encode() == cosigned(10)


def test_a_log_does_not_believe_the_witness_to_be_beyond_its_own_checkpoint() -> None:
    with pytest.raises(NotInLog):
        witness.ask_witness(
            "http://w.example",
            note=HONEST.note(10),
            witness=WITNESS.verifier,
            old_size=11,
            prove=lambda old: HONEST.prove(old, 10),
            poster=Fixed([]),
        )
