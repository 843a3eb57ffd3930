"""Passkeys and other proofs of who somebody is: what the library checks is made ours here, single use and counted."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Final
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.utils import timezone

from parcelward.base.errors import Conflict, NotFound
from parcelward.custody import actions as custody
from parcelward.people import rules
from parcelward.people.actions import history
from parcelward.people.errors import BadProof
from parcelward.people.membership_check import PASSKEY_ADDED, PASSKEY_REMOVED, SECOND_FACTOR
from parcelward.people.models import Challenge, Membership, Passkey, User
from parcelward.people.roles import STAFF, require
from parcelward.people.wire import Person, Role, Task

CHALLENGE_FOR: Final = dt.timedelta(minutes=10)
PASSKEYS_MAX: Final = 20
RESEALED_AT_ONCE: Final = 500
RESEALED: Final = "people.second_factors_resealed"

Reseal = Callable[[str, UUID, str], str | None]
"""Given (what is stored, whose it is, which kind), return what is to be stored instead."""


def _digest(given: bytes) -> bytes:
    return hashlib.sha256(given).digest()


def give_challenge(challenge: bytes) -> None:
    """Note a challenge that goes out: `spend_challenge` takes it once, wherever and however often it is answered."""
    Challenge.objects.get_or_create(digest=_digest(challenge), defaults={"made_at": timezone.now()})


def spend_challenge(challenge: bytes) -> None:
    """Take a challenge away, or raise BadProof: it was never given out, is too old, or was answered before."""
    fresh = timezone.now() - CHALLENGE_FOR
    if not Challenge.objects.filter(digest=_digest(challenge), made_at__gt=fresh).delete()[0]:
        raise BadProof("This sign-in was answered before or took too long. Try again.", code="challenge_spent")


def forget_challenges(now: dt.datetime) -> int:
    """Delete challenges that nobody answered; return how many."""
    return Challenge.objects.filter(made_at__lt=now - CHALLENGE_FOR).delete()[0]


@transaction.atomic
def add_passkey(
    user_id: UUID, authenticator: Authenticator, *, credential_id: bytes, public_key: bytes, signatures: int
) -> None:
    """Make a passkey that the library verified one of this person's, in the caller's transaction.

    `public_key` is the COSE key (RFC 9052). Raises Conflict when any account has this credential already (WebAuthn
    level 3, section 7.1, step 26).
    """
    User.objects.select_for_update().get(id=user_id)
    if Passkey.objects.filter(user=user_id).count() >= PASSKEYS_MAX:
        raise Conflict(f"An account has at most {PASSKEYS_MAX} passkeys: remove one first", code="too_many_passkeys")
    key = Passkey(
        credential=_digest(credential_id),
        authenticator=authenticator,
        user_id=user_id,
        key_digest=_digest(public_key),
        signatures=signatures,
    )
    try:
        with transaction.atomic():
            key.save(force_insert=True)
    except IntegrityError:
        raise Conflict("This passkey belongs to an account already", code="passkey_known") from None
    said = {"person": str(user_id), "credential": key.credential.hex(), "key": key.key_digest.hex()}
    custody.record_fact(PASSKEY_ADDED, said)
    history.note(user_id, "passkey_added", detail=authenticator.wrap().name)


@transaction.atomic
def use_passkey(authenticator: Authenticator, *, public_key: bytes, signatures: int) -> None:
    """Count one signature of a passkey. Raises BadProof where its count did not rise: it may have been copied.

    WebAuthn level 3, section 6.1.1: an authenticator that counts never says the same or less again.
    """
    whose = authenticator.user_id
    key = Passkey.objects.select_for_update().filter(authenticator=authenticator, user=whose).first()
    if key is None:
        raise BadProof("This passkey is not known here", code="unknown_passkey")
    if bytes(key.key_digest) != _digest(public_key):
        raise BadProof("This passkey's key is not the one that it was added with", code="passkey_exchanged")
    if (signatures or key.signatures) and signatures <= key.signatures:
        raise BadProof(
            "This passkey may have been copied: it signed more often than we saw. Use another one, and remove it.",
            code="passkey_copied",
        )
    Passkey.objects.filter(pk=key.pk).update(signatures=signatures)


@transaction.atomic
def remove_passkey(authenticator_id: int, *, by: Person) -> None:
    """Remove one of one's own passkeys. Staff keep at least one, for there is no other way in for them."""
    require(by, Task.OWN_DATA)
    User.objects.select_for_update().get(id=by.id)
    mine = list(Passkey.objects.select_for_update().filter(user=by.id).select_related("authenticator"))
    key = next((one for one in mine if one.authenticator_id == authenticator_id), None)
    if key is None:
        raise NotFound("No such passkey")
    if len(mine) == 1 and _is_staff(by):
        words = "This is your last passkey: add another one first, or you could not sign in"
        raise Conflict(words, code="last_passkey")
    name = key.authenticator.wrap().name
    key.authenticator.delete()
    said = {"by": by.source, "person": str(by.id), "credential": bytes(key.credential).hex()}
    custody.record_fact(PASSKEY_REMOVED, said)
    history.note(by.id, "passkey_removed", detail=name)


def _is_staff(by: Person) -> bool:
    roles = Membership.objects.filter(user=by.id, ended_at=None).values_list("role", flat=True)
    return any(Role(role) in STAFF for role in roles)


@transaction.atomic
def rename_passkey(authenticator_id: int, name: str, *, by: Person) -> None:
    """Give one of one's own passkeys another name."""
    require(by, Task.OWN_DATA)
    row = (
        Authenticator.objects.select_for_update()
        .filter(id=authenticator_id, user_id=by.id, type=Authenticator.Type.WEBAUTHN)
        .first()
    )
    if row is None:
        raise NotFound("No such passkey")
    row.data["name"] = rules.passkey_name(name)
    row.save(update_fields=["data"])
    custody.record_fact("people.passkey_renamed", {"person": str(by.id), "by": by.source})


@transaction.atomic
def note(what: str, *, by: Person) -> None:
    """Make an entry of one's own second factor that was turned on or off, or of new recovery codes."""
    require(by, Task.OWN_DATA)
    custody.record_fact(SECOND_FACTOR, {"by": by.source, "person": str(by.id), "what": what})
    history.note(by.id, what)


def note_recovery_used(user_id: UUID) -> None:
    """Make an entry of a recovery code that was used; who uses it is signing in, and nobody yet."""
    custody.record_fact(SECOND_FACTOR, {"person": str(user_id), "what": "recovery_used"})
    history.note(user_id, "recovery_used")


def take_once(*parts: bytes) -> None:
    """Note that something was used, in the caller's transaction, or raise BadProof: it was before."""
    digest = _digest(b"\0".join(len(part).to_bytes(2, "big") + part for part in parts))
    if not Challenge.objects.get_or_create(digest=digest, defaults={"made_at": timezone.now()})[1]:
        raise BadProof("This code was used before. Wait for the next one.", code="code_used")


def reseal_second_factors(reseal: Reseal, *, by: Person) -> tuple[int, int]:
    """Seal the secrets of every app and of all recovery codes anew; return how many there were, and how many stay shut.

    `reseal` is told what is stored, whose and which kind; it gives what is to be stored instead, the same text where it
    is well already, and None for what it cannot open. Safe to repeat, and while people sign in: a row is locked while
    it is changed, some at a time.
    """
    require(by, Task.TURN_SECRETS)
    done = shut = after = 0
    while rows := _some_second_factors(after):
        changed, closed = _reseal(rows, reseal, by=by)
        done, shut, after = done + changed, shut + closed, rows[-1]
    return done, shut


def _some_second_factors(after: int) -> list[int]:
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    rows = Authenticator.objects.filter(type__in=kinds, id__gt=after).order_by("id")
    return list(rows.values_list("id", flat=True)[:RESEALED_AT_ONCE])


@transaction.atomic
def _reseal(ids: list[int], reseal: Reseal, *, by: Person) -> tuple[int, int]:
    changed = shut = 0
    for row in Authenticator.objects.select_for_update().filter(id__in=ids).order_by("id"):
        name = "secret" if row.type == Authenticator.Type.TOTP else "seed"
        sealed = reseal(row.data[name], row.user_id, row.type)
        if sealed is None:
            shut += 1
        elif sealed != row.data[name]:
            row.data[name] = sealed
            row.save(update_fields=["data"])
            changed += 1
    if changed:
        custody.record_fact(RESEALED, {"by": by.source, "changed": changed})
    return changed, shut
