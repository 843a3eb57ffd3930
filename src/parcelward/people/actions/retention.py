"""What this room forgets by age: sessions, history, codes, letters, ended proofs. How long is privacy's table."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.contrib.sessions.models import Session
from django.db.models import Q

from parcelward.base import forgetting
from parcelward.base.forgetting import Due, Sweep
from parcelward.custody import actions as custody
from parcelward.people.models import (
    Challenge,
    Code,
    CounterProof,
    Evidence,
    GivenAnswer,
    KnownBrowser,
    Letter,
    ProofNotice,
    SecurityEvent,
    SignedIn,
)
from parcelward.people.proofing.entries import RETAINED
from parcelward.people.roles import require
from parcelward.people.wire import Person, Task

SWEEPS: Final = (
    Sweep("sessions", lambda t: SignedIn.objects.filter(Q(ended_at__lt=t) | Q(seen_at__lt=t)), "began_at"),
    Sweep("session_cookies", lambda t: Session.objects.filter(expire_date__lt=t), "expire_date"),
    Sweep("security_history", lambda t: SecurityEvent.objects.filter(at__lt=t), "at"),
    Sweep("known_browsers", lambda t: KnownBrowser.objects.filter(last_at__lt=t), "last_at"),
    Sweep("codes", lambda t: Code.objects.filter(issued_at__lt=t), "issued_at"),
    Sweep("challenges", lambda t: Challenge.objects.filter(made_at__lt=t), "made_at"),
    Sweep("answers", lambda t: GivenAnswer.objects.filter(given_at__lt=t), "given_at"),
    Sweep("letters", lambda t: Letter.objects.filter(expires_at__lt=t), "asked_at"),
    Sweep("counter_checks", lambda t: CounterProof.objects.filter(expires_at__lt=t), "started_at"),
    Sweep("proofs", lambda t: Evidence.objects.filter(Q(ended_at__lt=t) | Q(until__lt=t)), "since"),
    Sweep("proof_notices", lambda t: ProofNotice.objects.filter(at__lt=t), "at"),
)
KEPT_FOR_GOOD: Final = {
    "people_source": "a number and what staff call it; every recorded event names one",
    "people_user": "an opaque id; when the account is erased nothing in it leads to anybody",
    "people_organisation": "a business or an office, never a private person",
    "people_membership": "who could do what at which time: the record's proof of right, under opaque ids",
    "people_invitation": "how a role came about: hashes and opaque ids",
    "people_device": "a machine's public key: without it its signed events are proven no more",
    "people_enrolment": "how a device came about: hashes and opaque ids",
    "people_lastseen": "when a device or a key was last heard: the newest only, and of no person",
    "people_apikey": "hashes, and what an organisation calls its program",
    "people_spendgrant": "what a key may spend",
    "people_spending": "what a key spent: the bookkeeping of an organisation",
    "people_spentday": "the sums of it",
    "people_bannedaddress": "goes by its own end (bans.forget_bans), within hours",
    "people_facilitygrant": "where a contractor's devices could be enrolled: a proof of right",
    "people_certificate": "who had passed which training when they handled a dangerous item: a proof of right",
    "people_twopeople": "what two people agreed to: the same, under opaque ids",
    "people_passkey": "hashes of a public key; goes when its person removes it or the account is erased",
    "mfa_authenticator": "the public key and the sealed secret; goes as the passkey does",
    "account_emailaddress": "stays empty: addresses are in the vault",
    "account_emailconfirmation": "stays empty, as above",
    "auth_permission": "the framework's own names of rights, of nobody",
    "auth_group": "stays empty: roles are memberships",
    "django_content_type": "the framework's own names of tables",
}
"""Table -> why its rows do not go by age."""


def due_old(kept_class: str, before: dt.datetime, country: str, *, by: Person) -> list[Due]:
    """Return what would go of a class; nothing for a class of another room."""
    require(by, Task.KEEP_RETENTION)
    return forgetting.due_of(SWEEPS, kept_class, before, country)


def forget_old(kept_class: str, before: dt.datetime, *, by: Person) -> int:
    """Forget what is older than `before` of a class; return how many rows. The entry says counts alone."""
    require(by, Task.KEEP_RETENTION)
    said = {"by": by.source, "class": kept_class, "before": before.isoformat()}
    return forgetting.forget_of(SWEEPS, kept_class, before, lambda n: custody.record_fact(RETAINED, {**said, "n": n}))
