"""What a witness cosigns and what it refuses: its pure rules."""

from __future__ import annotations

import base64

import pytest
from tests.custody.witnessed_log import (
    EMPTY_LINE,
    FORKED,
    HONEST,
    LOG,
    LOGS,
    NOW_S,
    STRANGER,
    WITNESS,
    decide,
    refusal,
)

from parcelward.custody import notes, witness
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import BadKey, WitnessRefused
from parcelward.custody.keys import Signer
from parcelward.custody.witness import AddCheckpoint


def test_a_log_that_only_grows_is_cosigned() -> None:
    seen: Checkpoint | None = None
    for size in (0, 0, 1, 2, 2, 7, 8, 40):
        cosigned = decide(seen, HONEST.request(seen.size if seen else 0, size))
        seen = cosigned.checkpoint
        assert seen == HONEST.head(size)
        (signature,) = notes.parse_signatures(cosigned.answer.decode())
        assert WITNESS.verifier.verify(HONEST.text(size), signature.signature) == NOW_S
        opened = notes.open_note(cosigned.note, [LOG.verifier, WITNESS.verifier])
        assert [each.verifier for each in opened.verified] == [LOG.verifier, WITNESS.verifier]
        assert witness.remembered(cosigned.note, signer=WITNESS) == seen


REFUSED: dict[str, tuple[Checkpoint | None, AddCheckpoint, int]] = {
    "a fork of the same size": (HONEST.head(10), FORKED.request(10, 10), 422),
    "a fork that grew": (HONEST.head(10), FORKED.request(10, 20), 422),
    "a fork with the honest proof": (
        HONEST.head(10),
        AddCheckpoint(10, tuple(HONEST.prove(10, 20)), FORKED.note(20)),
        422,
    ),
    "a log that shrank, admitted": (HONEST.head(20), HONEST.request(20, 10), 400),
    "a log that shrank, denied": (HONEST.head(20), HONEST.request(5, 10), 409),
    "a log that begins again": (HONEST.head(20), HONEST.request(0, 25), 409),
    "an old size that we are not at yet": (None, HONEST.request(5, 10), 409),
    "no proof": (HONEST.head(5), AddCheckpoint(5, (), HONEST.note(10)), 422),
    "a proof from nothing": (None, AddCheckpoint(0, (bytes(32),), HONEST.note(10)), 422),
    "a proof from nothing that was seen": (HONEST.head(0), AddCheckpoint(0, (bytes(32),), HONEST.note(10)), 422),
    "a proof of the same size": (HONEST.head(10), AddCheckpoint(10, (bytes(32),), HONEST.note(10)), 422),
    "a node too many": (
        HONEST.head(5),
        AddCheckpoint(5, (*HONEST.prove(5, 10), bytes(32)), HONEST.note(10)),
        422,
    ),
    "an empty log with another root": (
        None,
        AddCheckpoint(0, (), notes.sign(Checkpoint("log.example", 0, bytes(32)).text, [LOG])),
        422,
    ),
    "an unknown log": (None, AddCheckpoint(0, (), notes.sign(Checkpoint("x", 1, bytes(32)).text, [STRANGER])), 404),
    "a known log, signed by a stranger": (None, AddCheckpoint(0, (), HONEST.note(1, STRANGER)), 403),
    "a known log, signed by its name with another key": (
        None,
        AddCheckpoint(0, (), HONEST.note(1, Signer(LOG.name, LOG.kind, bytes(31) + b"\x09"))),
        403,
    ),
    "a known log, its signature broken": (None, AddCheckpoint(0, (), HONEST.note(2).replace(b"\n2\n", b"\n3\n")), 403),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_everything_else_is_refused(wrong: str) -> None:
    seen, request, status = REFUSED[wrong]
    found = refusal(seen, request)
    assert found.answer_status == status
    assert found.size == ((seen.size if seen else 0) if status == 409 else None)


GOOD = HONEST.request(5, 10).body
MALFORMED = {
    "nothing": b"",
    "no old size": GOOD.partition(b"\n")[2],
    "an old size with a leading zero": GOOD.replace(b"old 5", b"old 05"),
    "a negative old size": GOOD.replace(b"old 5", b"old -5"),
    "an old size beyond all logs": GOOD.replace(b"old 5", b"old 9223372036854775808"),
    "two spaces": GOOD.replace(b"old 5", b"old  5"),
    "another word": GOOD.replace(b"old 5", b"new 5"),
    "a carriage return": GOOD.replace(b"old 5\n", b"old 5\r\n"),
    "a hash of 31 bytes": GOOD.replace(b"old 5\n", b"old 5\n" + base64.b64encode(bytes(31)) + b"\n"),
    "64 hashes": b"old 5\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n" + HONEST.note(10),
    "no empty line": GOOD.replace(EMPTY_LINE, b"\n"),
    "no checkpoint": GOOD.partition(EMPTY_LINE)[0] + EMPTY_LINE,
    "a checkpoint without signatures": GOOD.partition(EMPTY_LINE)[0] + EMPTY_LINE + HONEST.text(10).encode(),
    "a note that is no checkpoint": b"old 0\n\n" + notes.sign("log.example\n", [LOG]),
    "bytes that are no text": GOOD.replace(b"old 5", b"old \xff"),
}


@pytest.mark.parametrize("wrong", MALFORMED)
def test_a_malformed_request_is_400(wrong: str) -> None:
    with pytest.raises(WitnessRefused) as caught:
        witness.origin_of(witness.parse_request(MALFORMED[wrong]), LOGS)
    assert caught.value.answer_status == 400


def test_signatures_of_strangers_are_not_passed_on() -> None:
    cosigned = decide(None, AddCheckpoint(0, (), HONEST.note(3, LOG, STRANGER)))
    assert [each.name for each in notes.parse(cosigned.note).signatures] == ["log.example", "w.example"]


def test_a_log_may_change_its_key() -> None:
    new = Signer(LOG.name, LOG.kind, bytes(31) + b"\x07")
    logs = witness.trusted_logs([LOG.verifier.vkey, new.verifier.vkey])
    for signer in (LOG, new):
        request = AddCheckpoint(0, (), HONEST.note(3, signer))
        assert witness.update(None, request, logs=logs, signer=WITNESS, timestamp_s=NOW_S).checkpoint.size == 3


def test_a_witness_does_not_trust_a_witness_as_a_log() -> None:
    with pytest.raises(BadKey):
        witness.trusted_logs([WITNESS.verifier.vkey])


def test_the_standards_example_request_is_understood() -> None:
    body = (
        "old 20852014\n"
        "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
        "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n"
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo"
        "+zyWE+xeMcTOAYQ8=\n"
    ).encode()
    request = witness.parse_request(body)
    assert (request.old_size, len(request.path)) == (20_852_014, 4)
    assert request.body == body
    with pytest.raises(WitnessRefused) as caught:
        witness.origin_of(request, LOGS)
    assert caught.value.answer_status == 404
