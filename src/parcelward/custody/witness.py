"""The rules of a witness, pure: C2SP tlog-witness, `add-checkpoint`; and how a log asks one.

A witness cosigns what it saw a log become, and never again anything that contradicts it. It knows each log by its
origin and keeps the newest checkpoint that it cosigned and how the log's keys followed each other, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from parcelward.custody import checkpoints, keys, lines, notes, succession, tree
from parcelward.custody.checkpoints import Checkpoint
from parcelward.custody.errors import (
    BadCheckpoint,
    BadKey,
    BadNote,
    ProofFailed,
    WitnessAway,
    WitnessRefused,
)
from parcelward.custody.keys import SignatureType, Signer, Verifier
from parcelward.custody.succession import Link

PATH_HASHES_MAX: Final = 63
REQUEST_BYTES_MAX: Final = 262_144  # 63 proof lines, a checkpoint, and 16 post-quantum signatures of nearly 7 kB each
ANSWER_BYTES_MAX: Final = 65_536
SIZE_TYPE: Final = "text/x.tlog.size"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
_OLD: Final = "old "
_SIZE_CHARS_MAX: Final = 20
_OK, _BAD, _FORBIDDEN, _UNKNOWN, _CONFLICT, _UNPROVEN = 200, 400, 403, 404, 409, 422

Logs = Mapping[str, tuple[Verifier, ...]]
"""The keys trusted for each origin."""


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A parsed request: the size the log takes the witness to be at, the consistency path, the checkpoint's note."""

    old_size: int
    path: tuple[bytes, ...]
    note: bytes

    @property
    def body(self) -> bytes:
        """The request as it is posted."""
        proof = (lines.base64_text(each) for each in self.path)
        return "\n".join([f"{_OLD}{self.old_size}", *proof, "", ""]).encode() + self.note


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What a witness remembers of one log, and its answer.

    `note` is the checkpoint with the log's verified signatures and the witness's own: served to monitors, and the whole
    of the witness's state. `answer` are the signature lines for the log.
    """

    checkpoint: Checkpoint
    note: bytes
    answer: bytes


def trusted_logs(vkeys: Sequence[str]) -> Logs:
    """Return the trusted keys by origin, which is the key's name. Several keys of one name are one log's (rotation).

    Raises BadKey for one that is malformed or of the type that only witnesses use.
    """
    logs: dict[str, tuple[Verifier, ...]] = {}
    for vkey in vkeys:
        verifier = keys.parse_vkey(vkey)
        if verifier.kind is SignatureType.COSIGNATURE:
            raise BadKey("A log does not sign as a witness does.")
        logs[verifier.name] = (*logs.get(verifier.name, ()), verifier)
    return logs


def parse_request(body: bytes) -> AddCheckpoint:
    """Return the parts of an add-checkpoint request; raise WitnessRefused 400 when it is not one."""
    try:
        return _parse_request(body)
    except BadNote as error:
        raise WitnessRefused(error.message, answer_status=_BAD) from None


def _parse_request(body: bytes) -> AddCheckpoint:
    head, blank, note = body.partition(b"\n\n")
    old, *proof = lines.utf8(head, BadNote).split("\n")
    if not blank or not old.startswith(_OLD) or len(proof) > PATH_HASHES_MAX:
        raise BadNote("Not an add-checkpoint request.")
    old_size = lines.number(old.removeprefix(_OLD), BadNote)
    return AddCheckpoint(old_size, tuple(lines.hash_bytes(each, BadNote) for each in proof), note)


def origin_of(request: AddCheckpoint, logs: Logs) -> str:
    """Return the known origin that a request is about; raise WitnessRefused 400 (malformed) or 404 (unknown)."""
    try:
        origin = checkpoints.parse(notes.parse(request.note).text).origin
    except (BadNote, BadCheckpoint) as error:
        raise WitnessRefused(error.message, answer_status=_BAD) from None
    if origin not in logs:
        raise WitnessRefused("This log is not known here.", answer_status=_UNKNOWN)
    return origin


def update(
    seen: Checkpoint | None,
    request: AddCheckpoint,
    *,
    logs: Logs,
    signer: Signer,
    timestamp_s: int,
    links: Sequence[Link] = (),
) -> Cosigned:
    """Return the cosigned checkpoint, to be stored **before** it is answered; raise WitnessRefused otherwise.

    `seen` is the newest checkpoint cosigned for the request's origin, `links` how its keys followed each other. The
    statuses are the protocol's: 400 malformed or old size beyond the new one, 404 unknown log, 403 not signed by it, or
    not by the key that is its own by then, 409 another old size than ours (with ours), 422 not consistent with what we
    saw.
    """
    origin = origin_of(request, logs)
    try:
        signed = notes.open_checkpoint(request.note, logs=logs[origin])
        succession.require_current(signed.checkpoint.size, [each.verifier for each in signed.note.verified], links)
    except (BadNote, BadCheckpoint, ProofFailed) as error:
        raise WitnessRefused(error.message, answer_status=_FORBIDDEN) from None
    new, seen_size = signed.checkpoint, seen.size if seen else 0
    if request.old_size > new.size:
        raise WitnessRefused("The old size is beyond the checkpoint.", answer_status=_BAD)
    if request.old_size != seen_size:
        raise WitnessRefused("Another size was cosigned last.", answer_status=_CONFLICT, size=seen_size)
    try:
        _require_growth(seen, new, request.path)
    except ProofFailed as error:
        raise WitnessRefused(error.message, answer_status=_UNPROVEN) from None
    own = notes.signature(signed.note.text, signer, timestamp_s=timestamp_s).line
    by_log = "".join(each.signature.line for each in signed.note.verified)
    return Cosigned(new, f"{signed.note.text}\n{by_log}{own}".encode(), own.encode())


def remembered(note: bytes, *, signer: Signer) -> Checkpoint:
    """Return the checkpoint of a stored note, or raise BadNote or BadCheckpoint if we did not cosign it."""
    return checkpoints.parse(notes.open_note(note, [signer.verifier]).text)


def _require_growth(seen: Checkpoint | None, new: Checkpoint, path: Sequence[bytes]) -> None:
    """Raise ProofFailed unless the log only grew."""
    if new.size == 0 and new.root != tree.EMPTY_ROOT:
        raise ProofFailed("An empty log has the root of nothing.")
    if seen is None or seen.size == 0:
        if path:
            raise ProofFailed("From nothing there is nothing to prove.")
        return
    tree.verify_consistency(seen.size, seen.root, new.size, new.root, path)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from a POST: HTTP status, media type, body (at most ANSWER_BYTES_MAX)."""

    status: int
    content_type: str
    body: bytes


class Poster(Protocol):
    """Sends bytes over HTTP. Raises WitnessAway when nobody answers in time or the answer is too large."""

    def post(self, url: str, body: bytes) -> Answer:
        """POST the body and return the answer, whatever its status; redirects are not followed."""
        ...


def ask_witness(
    url: str,
    *,
    note: bytes,
    witness: Verifier,
    old_size: int,
    prove: Callable[[int], Sequence[bytes]],
    poster: Poster,
) -> notes.Verified:
    """Return the witness's verified cosignature of our checkpoint's `note`; at most two requests.

    `url` is the submission prefix, `old_size` the size that the witness is at as far as we know (else zero),
    `prove(size)` the consistency path from there to the checkpoint. Where the witness is elsewhere, it says so (409)
    and the proof is made again, once. Raises WitnessRefused (with the protocol's status) or WitnessAway (no answer, or
    not one of the protocol).
    """
    address = url.rstrip("/") + "/add-checkpoint"
    unopened = notes.parse(note)
    size = checkpoints.parse(unopened.text).size
    answer = poster.post(address, AddCheckpoint(old_size, tuple(prove(old_size)), note).body)
    if answer.status == _CONFLICT:
        old_size = _conflict_size(answer, size)
        answer = poster.post(address, AddCheckpoint(old_size, tuple(prove(old_size)), note).body)
    if answer.status in {_BAD, _FORBIDDEN, _UNKNOWN, _CONFLICT, _UNPROVEN}:
        raise WitnessRefused("The witness will not cosign.", answer_status=answer.status)
    if answer.status != _OK or len(answer.body) > ANSWER_BYTES_MAX:
        raise WitnessAway("The witness answered with something else than a cosignature.")
    try:
        found = notes.parse_signatures(lines.utf8(answer.body, BadNote))
        # Only this witness's lines are looked at: it must not be able to add others' to our checkpoint.
        ours = [each for each in found if (each.name, each.key_id) == (witness.name, witness.key_id)]
        verified = [notes.Verified(witness, each, witness.verify(unopened.text, each.signature)) for each in ours]
    except BadNote as error:
        raise WitnessAway(f"The witness's answer is not a cosignature: {error.message}") from None
    if not verified or not verified[0].timestamp_s:
        raise WitnessAway("The witness's answer holds no timed cosignature of its key.")
    return verified[0]


def _conflict_size(answer: Answer, size: int) -> int:
    """Return the size that the witness says it is at; raise WitnessRefused when it is ahead of our checkpoint."""
    try:
        text = lines.utf8(answer.body[:_SIZE_CHARS_MAX], BadNote)
        held = lines.number(text.removesuffix("\n"), BadNote)
    except BadNote:
        raise WitnessAway("The witness answered with a conflict that names no size.") from None
    if not answer.content_type.startswith(SIZE_TYPE) or not text.endswith("\n"):
        raise WitnessAway("The witness answered with a conflict that is not the protocol's.")
    if held > size:
        raise WitnessRefused(
            "The witness has seen a larger log than this checkpoint.", answer_status=_CONFLICT, size=held
        )
    return held
