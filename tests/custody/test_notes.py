from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parcelward.custody import checkpoints, keys, notes
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import BadCheckpoint, BadKey, BadNote
from parcelward.custody.keys import KeyName, SignatureType, Signer, Verifier

# The example of C2SP signed-note, "Verifier keys".
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ER"
    "YNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()

LOG = Signer(KeyName("log.example"), SignatureType.ED25519, bytes(32))
WITNESS = Signer(KeyName("w.example"), SignatureType.COSIGNATURE, bytes(31) + b"\x01")
QUANTUM = Signer(KeyName("q.example"), SignatureType.COSIGNATURE_MLDSA44, bytes(31) + b"\x02")
TEXT = Checkpoint("log.example", 3, bytes(32)).text
NOW_S = 1_700_000_000


def test_the_standards_example_opens() -> None:
    verifier = keys.parse_vkey(VKEY)
    assert verifier.name == "example.com/foo"
    assert verifier.vkey == VKEY
    assert notes.open_note(NOTE, [verifier]).text == "This is an example message.\n"


@pytest.mark.parametrize("change", [(b"This", b"That"), (b"Uw2QOkn8", b"Uw2QOkn9"), (b"\n\n", b"\n\n\n")])
def test_the_standards_example_changed_does_not(change: tuple[bytes, bytes]) -> None:
    with pytest.raises(BadNote):
        notes.open_note(NOTE.replace(*change), [keys.parse_vkey(VKEY)])


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        "example.com/foo+530d903a+",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        VKEY.replace("foo", "bar"),  # the id is not this name's
        VKEY.replace("530d903a", "530d903b"),
        VKEY.replace("530d903a", "530D903A"),
        VKEY.replace("530d903a", "30d903a"),
        VKEY.replace("+Ae", "+Au"),
        VKEY[:-4],  # a short key
        VKEY + "\n",
        VKEY + "=",
        VKEY.replace("example.com/foo", "example com/foo"),
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",  # a type that we do not speak
    ],
)
def test_a_malformed_vkey_is_refused(vkey: str) -> None:
    with pytest.raises(BadKey):
        keys.parse_vkey(vkey)


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a+b", "a\nb", "a\u00a0b", "a\u2028b", "a\u0085b", "a\x01", "\ud800", "a" * 256]
)
def test_a_key_needs_a_name(name: str) -> None:
    with pytest.raises(BadKey):
        keys.key_name(name)


def test_a_key_id_is_what_the_standard_says_and_depends_on_the_type() -> None:
    public = LOG.verifier.public_key
    assert LOG.verifier.key_id == hashlib.sha256(b"log.example\n\x01" + public).digest()[:4]
    assert (
        replace(LOG.verifier, kind=SignatureType.COSIGNATURE).key_id
        == (hashlib.sha256(b"log.example\n\x04" + public).digest()[:4])
    )
    quantum = QUANTUM.verifier
    assert len(quantum.public_key) == 1312
    assert quantum.key_id == hashlib.sha256(b"q.example\n\x06" + quantum.public_key).digest()[:4]


def test_a_cosignature_signs_what_the_standard_says() -> None:
    signature = notes.signature(TEXT, WITNESS, timestamp_s=NOW_S)
    message = f"cosignature/v1\ntime {NOW_S}\n{TEXT}".encode()
    expected = Ed25519PrivateKey.from_private_bytes(WITNESS.seed).sign(message)
    assert signature.signature == NOW_S.to_bytes(8, "big") + expected


def test_a_cosignature_states_its_time_and_cannot_be_moved_to_another() -> None:
    note = notes.open_note(notes.sign(TEXT, [WITNESS], timestamp_s=NOW_S), [WITNESS.verifier])
    assert [each.timestamp_s for each in note.verified] == [NOW_S]
    signature = note.signatures[0]
    moved = replace(signature, signature=(NOW_S + 1).to_bytes(8, "big") + signature.signature[8:])
    with pytest.raises(BadNote):
        notes.open_note(f"{TEXT}\n{moved.line}".encode(), [WITNESS.verifier])


def test_a_cosignature_needs_a_time_and_a_checkpoint() -> None:
    for timestamp_s in (0, -1, 2**63):
        with pytest.raises(BadNote):
            notes.sign(TEXT, [WITNESS], timestamp_s=timestamp_s)
    with pytest.raises(BadCheckpoint):
        notes.sign("not a checkpoint\n", [WITNESS], timestamp_s=NOW_S)


def test_a_plain_signature_is_none_of_a_cosigner_with_the_same_key() -> None:
    plain = Signer(WITNESS.name, SignatureType.ED25519, WITNESS.seed)
    claimed = replace(notes.signature(TEXT, plain), key_id=WITNESS.verifier.key_id)
    with pytest.raises(BadNote):
        notes.open_note(f"{TEXT}\n{claimed.line}".encode(), [WITNESS.verifier])


def test_a_quantum_safe_cosignature_commits_to_name_and_time() -> None:
    data = notes.sign(TEXT, [QUANTUM], timestamp_s=NOW_S)
    assert notes.open_note(data, [QUANTUM.verifier]).verified[0].timestamp_s == NOW_S
    renamed = Verifier(KeyName("r.example"), QUANTUM.kind, QUANTUM.verifier.public_key)
    moved = replace(notes.parse(data).signatures[0], name=renamed.name, key_id=renamed.key_id)
    with pytest.raises(BadNote):
        notes.open_note(f"{TEXT}\n{moved.line}".encode(), [renamed])


def test_unknown_signatures_are_ignored_and_each_key_counts_once() -> None:
    data = notes.sign(TEXT, [LOG, QUANTUM, WITNESS, WITNESS], timestamp_s=NOW_S)
    note = notes.open_note(data, [WITNESS.verifier])
    assert len(note.signatures) == 4
    assert [each.verifier for each in note.verified] == [WITNESS.verifier]


def test_one_false_signature_of_a_known_key_condemns_the_note() -> None:
    true = notes.sign(TEXT, [LOG, WITNESS], timestamp_s=NOW_S)
    false = replace(notes.signature(TEXT, WITNESS, timestamp_s=NOW_S), signature=bytes(72))
    data = notes.add_signatures(true, [false])
    assert notes.open_note(data, [LOG.verifier]).text == TEXT
    with pytest.raises(BadNote):
        notes.open_note(data, [LOG.verifier, WITNESS.verifier])


def test_a_name_or_an_id_alone_is_a_strangers() -> None:
    signature = notes.signature(TEXT, LOG)
    for other in (replace(signature, name=KeyName("x.example")), replace(signature, key_id=b"abcd")):
        with pytest.raises(BadNote, match="No key that we trust"):
            notes.open_note(f"{TEXT}\n{other.line}".encode(), [LOG.verifier])


def test_keys_that_cannot_be_told_apart_are_refused() -> None:
    other = Verifier(LOG.name, LOG.kind, WITNESS.verifier.public_key)
    other.__dict__["key_id"] = LOG.verifier.key_id  # a collision of the four bytes, as an attacker would search for
    with pytest.raises(BadKey):
        notes.open_note(notes.sign(TEXT, [LOG]), [LOG.verifier, other])


def test_signatures_are_added_once() -> None:
    data, more = notes.sign(TEXT, [LOG]), notes.signature(TEXT, WITNESS, timestamp_s=NOW_S)
    whole = notes.add_signatures(data, [more, more])
    assert whole == notes.sign(TEXT, [LOG, WITNESS], timestamp_s=NOW_S)
    assert notes.add_signatures(whole, [more]) == whole


def test_a_note_may_hold_sixteen_quantum_safe_signatures() -> None:
    signers = [replace(QUANTUM, name=KeyName(f"q{i}.example")) for i in range(16)]
    data = notes.sign(TEXT, signers, timestamp_s=NOW_S)
    assert len(notes.open_note(data, [each.verifier for each in signers]).verified) == 16


def test_a_text_may_hold_blank_lines() -> None:
    text = "one\n\ntwo\n\n"
    assert notes.open_note(notes.sign(text, [LOG]), [LOG.verifier]).text == text


@pytest.mark.parametrize("text", ["", "no newline", "a\tb\n", "a\x00\n"])
def test_what_is_no_text_is_not_signed(text: str) -> None:
    with pytest.raises(BadNote):
        notes.sign(text, [LOG])


def test_a_note_that_nobody_signs_is_none() -> None:
    with pytest.raises(BadNote):
        notes.sign(TEXT, [])


def test_a_log_signs_under_its_own_name_only() -> None:
    other = Checkpoint("other.example", 3, bytes(32)).text
    with pytest.raises(BadCheckpoint):
        notes.open_checkpoint(notes.sign(other, [LOG]), logs=[LOG.verifier])
    with pytest.raises(BadCheckpoint):
        notes.open_checkpoint(
            notes.sign(TEXT, [WITNESS], timestamp_s=NOW_S), logs=[LOG.verifier], witnesses=[WITNESS.verifier]
        )


def test_a_witness_named_like_the_log_does_not_speak_for_it() -> None:
    namesake = Signer(LOG.name, SignatureType.COSIGNATURE, WITNESS.seed)
    data = notes.sign(TEXT, [namesake], timestamp_s=NOW_S)
    with pytest.raises(BadCheckpoint):
        notes.open_checkpoint(data, logs=[LOG.verifier], witnesses=[namesake.verifier])


def test_a_log_may_have_two_keys_while_it_changes_them() -> None:
    new = replace(LOG, seed=bytes(31) + b"\x09")
    data = notes.sign(TEXT, [LOG, new])
    for trusted in ([LOG.verifier], [new.verifier], [LOG.verifier, new.verifier]):
        assert notes.open_checkpoint(data, logs=trusted).checkpoint.size == 3


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    checkpoint = Checkpoint("log.example/x", 20_852_163, hashlib.sha256(b"x").digest(), ("one", "two"))
    assert checkpoints.parse(checkpoint.text) == checkpoint


def test_a_secret_is_not_shown() -> None:
    assert "seed" not in repr(Signer(LOG.name, LOG.kind, b"s" * 32))
    with pytest.raises(BadKey):
        Signer(LOG.name, LOG.kind, b"short")
