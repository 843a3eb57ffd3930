"""How people prove who they are, and where they are signed in. What identifies a person is in the vault."""

from __future__ import annotations

import uuid

from allauth.mfa.models import Authenticator
from django.db import models

from parcelward.people.models.accounts import User
from parcelward.people.models.organisations import Membership


class Challenge(models.Model):
    """A passkey challenge that was given out; its row is deleted by the one answer that it is good for."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    made_at = models.DateTimeField(db_index=True)


class Passkey(models.Model):
    """What the authenticator's own row does not hold: that no other account has it, and how often it has signed."""

    credential = models.BinaryField(max_length=32, primary_key=True)  # SHA-256 of the credential id: unique by WebAuthn
    authenticator = models.OneToOneField(Authenticator, on_delete=models.CASCADE)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    key_digest = models.BinaryField(max_length=32)  # SHA-256 of the public key (COSE), as the log's entry says it
    signatures = models.BigIntegerField(default=0)  # the authenticator's own count; 0 where it keeps none


class SignedIn(models.Model):
    """One session: who, how strongly proven, in which role, from where (in the vault, with a key that expires)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    session_key = models.CharField(max_length=40, unique=True)  # hashed, as in the framework's row (session_store)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    method = models.CharField(max_length=20)  # passkey, code, code_and_second
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True)  # None: for themselves
    seen_from = models.UUIDField(null=True)  # VaultToken: address and browser
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    proved_at = models.DateTimeField()  # when they last proved who they are: for what is sensitive, minutes ago
    ended_at = models.DateTimeField(null=True)


class KnownBrowser(models.Model):
    """A browser in which somebody has signed in before: it is no news, and no stranger can use up its tries."""

    digest = models.BinaryField(max_length=32)  # SHA-256 of the cookie's 128 random bits
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    pk = models.CompositePrimaryKey("digest", "user")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()


class SecurityEvent(models.Model):
    """One line of somebody's own security history."""

    user = models.ForeignKey(User, on_delete=models.PROTECT)
    kind = models.CharField(max_length=30)  # see `history.WORDS` in doors/portals/accounts
    at = models.DateTimeField()
    by_self = models.BooleanField(default=True)
    signed_in = models.ForeignKey(SignedIn, on_delete=models.SET_NULL, null=True)
    detail = models.CharField(max_length=80, blank=True)  # a role, a passkey's name: what they chose or may know

    class Meta:
        indexes = [models.Index(fields=["user", "-at"], name="security_history")]  # noqa: RUF012 -- Django's own form
