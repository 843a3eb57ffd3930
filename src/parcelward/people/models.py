"""Who acts: people, devices and keys. Each is a *source* with a small number that events carry."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from parcelward.people.wire import Role


class Source(models.Model):
    """One numbered origin of events; the number is small because every event row carries it."""

    number = models.AutoField(primary_key=True)
    kind = models.CharField(max_length=10)  # device, api_key, person
    name = models.CharField(max_length=80)  # what staff call it; never a person's name
    simulated = models.BooleanField(default=False)


class UserManager(BaseUserManager["User"]):
    """Makes users; there is no short way to a privileged one."""

    def make(self, login: str, passphrase: str, *, role: Role) -> User:
        """Store a new person under an opaque staff id."""
        source = Source.objects.create(kind="person", name=login)
        user = self.model(login=login, role=role.value, source=source)
        user.set_password(passphrase)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person who signs in, known by an opaque staff id: there is no field for a name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    login = models.CharField(max_length=40, unique=True)
    role = models.CharField(max_length=20, choices=[(r.value, r.value) for r in Role])
    source = models.OneToOneField(Source, on_delete=models.PROTECT)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []


class Device(models.Model):
    """A scanner, sorter or sensor gateway with its own Ed25519 key."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.OneToOneField(Source, on_delete=models.PROTECT)
    key_id = models.CharField(max_length=40, unique=True)
    public_key = models.BinaryField(max_length=32)
    facility = models.CharField(max_length=20, blank=True)  # code of the place it belongs to; empty: anywhere
    enrolled_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)


class ApiKey(models.Model):
    """A key of a partner's system or of staff tooling: shown once, stored as a hash."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source = models.OneToOneField(Source, on_delete=models.PROTECT)
    prefix = models.CharField(max_length=20)  # pw_test_abcd: enough to recognise it in a list
    digest = models.BinaryField(max_length=32, unique=True)  # SHA-256 of 256 random bits needs no salt
    role = models.CharField(max_length=20, choices=[(r.value, r.value) for r in Role])
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class GivenAnswer(models.Model):
    """An answer that was given under an Idempotency-Key: the same key and request get it again, for 30 days.

    Only of addresses whose answers hold no personal data; of the request a keyed hash is kept, never the request.
    """

    source = models.IntegerField()
    key = models.CharField(max_length=255)
    pk = models.CompositePrimaryKey("source", "key")
    digest = models.BinaryField(max_length=32)
    status = models.SmallIntegerField(null=True)  # null only inside the transaction that does the work
    answer = models.BinaryField(null=True)
    given_at = models.DateTimeField(db_index=True)
