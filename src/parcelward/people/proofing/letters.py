"""A letter with a code to the address: asked for, printed at a counter, confirmed by who asked for it.

The code is made when the letter is printed, so that nobody can read it before, and is kept as a keyed hash that is
bound to the letter, the person and the address. It is good in the account that asked and nowhere else: who reads a
stranger's letter, or prints it, has nothing.
"""

from __future__ import annotations

import datetime as dt
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from parcelward.base import db
from parcelward.base.errors import Conflict, NotFound, TooMany
from parcelward.base.vault import VaultToken
from parcelward.people import codes
from parcelward.people import proofing_rules as rules
from parcelward.people.errors import BadCode, MayNot
from parcelward.people.models import Evidence, Letter, ProofNotice, User
from parcelward.people.proofing import entries
from parcelward.people.proofing.levels import others_proven, prove, valid
from parcelward.people.roles import require
from parcelward.people.wire import LetterKind, LetterState, Level, Method, Person, Task

UNDER_WAY = (LetterState.REQUESTED.value, LetterState.PRINTED.value)


@dataclass(frozen=True, slots=True)
class Requested:
    """A letter that was asked for, and where to send the notices of it."""

    letter_id: UUID
    expires_at: dt.datetime
    notify: tuple[VaultToken, ...]  # proven e-mail addresses and phones of everybody concerned


@dataclass(frozen=True, slots=True)
class Printed:
    """What goes on the paper. The code is here once and nowhere else; a notice has none."""

    letter_id: UUID
    kind: LetterKind
    token: VaultToken
    code: str
    times: int
    asked_at: dt.datetime
    expires_at: dt.datetime


def request_letter(token: VaultToken, *, same: Collection[VaultToken], by: Person, now: dt.datetime) -> Requested:
    """Ask for a letter to the address in `token`; `same` are all entries of the vault with this address.

    Asking again for the same token gives the same letter. Raises Conflict while another one is under way, and TooMany
    after four in 30 days for the person or the address; one sentence for both, so that it tells nothing of others.
    """
    require(by, Task.PROVE_SELF)
    address = sorted({token, *same})
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=by.id)
        with db.cursor() as cur:  # one after the other: an address may have more entries than there is room for locks
            cur.execute("SELECT pg_advisory_xact_lock(hashtext('people.letters'))")
        _note_expired(by, now)
        open_one = Letter.objects.filter(user=by.id, kind=LetterKind.CODE, state__in=UNDER_WAY).first()
        if open_one is not None:
            if open_one.token != token:
                words = "A letter is on its way to you. Enter its code, or cancel it before you ask for another."
                raise Conflict(words, code="letter_under_way")
            return Requested(open_one.id, open_one.expires_at, ())
        _require_few(by, address, now)
        letter = _add(by.id, token, LetterKind.CODE, by=by, now=now)
        return Requested(letter.id, letter.expires_at, _tell_others(address, by=by, now=now))


def require_may_ask(*, by: Person, now: dt.datetime) -> None:
    """Raise TooMany when `by` has had four letters in 30 days: said before they type an address."""
    require(by, Task.PROVE_SELF)
    _require_few(by, (), now)


def _require_few(by: Person, address: Collection[UUID], now: dt.datetime) -> None:
    lately = Letter.objects.filter(kind=LetterKind.CODE, asked_at__gt=now - rules.LETTERS_WITHIN)
    for those in (Q(user=by.id), Q(token__in=address)):
        asked = sorted(lately.filter(those).values_list("asked_at", flat=True))
        if len(asked) >= rules.LETTERS_MAX:
            words = "No more than four letters are sent in 30 days. You can come to a counter with a document instead."
            again = asked[-rules.LETTERS_MAX] + rules.LETTERS_WITHIN - now
            raise TooMany(words, code="too_many_letters", retry_after_s=round(again.total_seconds()))


def _add(user: UUID, token: UUID, kind: LetterKind, *, by: Person, now: dt.datetime) -> Letter:
    letter = Letter(
        id=uuid.uuid4(),
        user_id=user,
        token=token,
        kind=kind.value,
        state=LetterState.REQUESTED.value,
        asked_at=now,
        expires_at=now + rules.LETTER_HOLDS,
    )
    letter.save(force_insert=True)
    entries.record(entries.LETTER_REQUESTED, letter, by=by)
    return letter


def _tell_others(address: Collection[UUID], *, by: Person, now: dt.datetime) -> tuple[VaultToken, ...]:
    """Note who is to be told: who has proven this address, and the person's own other addresses, on paper."""
    others = others_proven(address, than=by.id, now=now)
    ProofNotice.objects.bulk_create([ProofNotice(user_id=user, at=now) for user in others])
    own = valid(now).filter(user=by.id, level__gte=Level.ADDRESS).exclude(token__in=address)
    for token in sorted(set(own.values_list("token", flat=True))):
        _add(by.id, token, LetterKind.NOTICE, by=by, now=now)
    reached = valid(now).filter(user__in=[by.id, *others], level=Level.MESSAGE)
    return tuple(VaultToken(token) for token in sorted(set(reached.values_list("token", flat=True))))


@transaction.atomic
def print_letter(letter_id: UUID, *, by: Person, now: dt.datetime) -> Printed:
    """Return what goes on the paper. Each printing makes another code, ends the one before, and is an entry."""
    require(by, Task.PROVE_OTHERS)
    letter = Letter.objects.select_for_update().filter(pk=letter_id).first()
    if letter is None:
        raise NotFound("No such letter")
    if letter.user_id == by.id:
        raise MayNot("You cannot print a letter of your own. Ask a colleague.", code="own_proof")
    state = rules.letter_state(LetterState(letter.state), expires_at=letter.expires_at, now=now)
    if state not in UNDER_WAY or letter.printed >= rules.PRINTED_MAX:
        raise Conflict("This letter is not to be printed any more.", code="not_to_be_printed")
    code = ""
    if letter.kind == LetterKind.CODE:
        code = "".join(secrets.choice(rules.ALPHABET) for _ in range(rules.LETTER_CODE_CHARS))
        letter.digest, letter.tries = codes.keyed("letter", *_parts(letter, code)), 0
    letter.state, letter.printed, letter.printed_at = LetterState.PRINTED.value, letter.printed + 1, now
    letter.save(update_fields=["digest", "tries", "state", "printed", "printed_at"])
    entries.record(entries.LETTER_PRINTED, letter, by=by)
    return Printed(
        letter_id=letter.id,
        kind=LetterKind(letter.kind),
        token=VaultToken(letter.token),
        code=code,
        times=letter.printed,
        asked_at=letter.asked_at,
        expires_at=letter.expires_at,
    )


def confirm_letter(code: str, *, by: Person, now: dt.datetime) -> None:
    """Prove the address of one's own letter with the code in it. The same right code twice changes nothing.

    Raises BadCode, one error for a wrong, expired or used code and where no letter is under way; after five wrong tries
    the letter is over. Not inside another transaction: a wrong try counts although this raises.
    """
    require(by, Task.PROVE_SELF)
    typed = rules.normal_code(code)
    with transaction.atomic(durable=True):
        mine = Letter.objects.select_for_update().filter(user=by.id, kind=LetterKind.CODE)
        letter = mine.filter(state__in=UNDER_WAY).first() or mine.order_by("-asked_at", "-id").first()
        right = letter is not None and _try(letter, typed, by=by, now=now)
    if not right:
        raise BadCode("This code is not right, or its time is over. Check the letter, or ask for a new one.")


def _try(letter: Letter, typed: str, *, by: Person, now: dt.datetime) -> bool:
    right = codes.is_keyed(bytes(letter.digest or b""), "letter", *_parts(letter, typed))
    state = rules.letter_state(LetterState(letter.state), expires_at=letter.expires_at, now=now)
    if state is LetterState.CONFIRMED:  # the form was sent twice
        lately = letter.ended_at is not None and now - letter.ended_at < rules.SENT_TWICE_WITHIN
        return right and lately and Evidence.objects.filter(proof=letter.id, ended_at=None).exists()
    if state is not LetterState.PRINTED:
        return False
    if right:
        _finish(letter, LetterState.CONFIRMED, entries.LETTER_CONFIRMED, by=by, now=now)
        until = now + rules.LETTER_PROVES
        prove(by.id, Level.ADDRESS, Method.LETTER, letter.token, by=by, since=now, until=until, proof=letter.id)
        return True
    letter.tries += 1
    letter.save(update_fields=["tries"])
    if letter.tries >= rules.LETTER_TRIES_MAX:
        _finish(letter, LetterState.EXPIRED, entries.LETTER_EXPIRED, by=by, now=now)
    return False


@transaction.atomic
def cancel_letter(*, by: Person, now: dt.datetime) -> None:
    """Give up one's own letter, wherever it is. Without one, nothing happens."""
    require(by, Task.PROVE_SELF)
    mine = Letter.objects.select_for_update().filter(user=by.id, kind=LetterKind.CODE, state__in=UNDER_WAY)
    for letter in mine.order_by("id"):
        _finish(letter, LetterState.CANCELLED, entries.LETTER_CANCELLED, by=by, now=now)


def _finish(letter: Letter, state: LetterState, kind: str, *, by: Person, now: dt.datetime) -> None:
    letter.state, letter.ended_at = state.value, now
    letter.save(update_fields=["state", "ended_at"])
    entries.record(kind, letter, by=by)


def _note_expired(by: Person, now: dt.datetime) -> None:
    late = Letter.objects.select_for_update().filter(user=by.id, state__in=UNDER_WAY, expires_at__lte=now)
    for letter in late.order_by("id"):
        _finish(letter, LetterState.EXPIRED, entries.LETTER_EXPIRED, by=by, now=now)


def _parts(letter: Letter, code: str) -> tuple[bytes, ...]:
    return (letter.id.bytes, letter.user_id.bytes, letter.token.bytes, code.encode())
