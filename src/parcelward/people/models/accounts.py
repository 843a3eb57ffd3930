"""People who sign in, and the numbered *source* that everybody and everything that acts is."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Source(models.Model):
    """One numbered origin of events; the number is small because every event row carries it."""

    number = models.AutoField(primary_key=True)
    kind = models.CharField(max_length=10)  # device, api_key, person, house
    name = models.CharField(max_length=80)  # what staff call it; never a person's name
    simulated = models.BooleanField(default=False)


class UserManager(BaseUserManager["User"]):
    """Makes users; there is no short way to a privileged one: rights come with a membership."""

    def make(self, login: str, *, id: uuid.UUID | None = None) -> User:  # noqa: A002 -- the column's name
        """Store a new person under an opaque id."""
        source = Source.objects.create(kind="person", name=login)
        user = self.model(id=id or uuid.uuid4(), login=login, source=source)
        user.set_unusable_password()
        user.save(using=self._db)
        return user


class User(AbstractBaseUser):
    """A person who signs in, known by an opaque id: there is no field for a name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    login = models.CharField(max_length=40, unique=True)
    role = models.CharField(max_length=20, blank=True, default="")  # of an older version, until it is a membership
    token = models.UUIDField(null=True, unique=True)  # VaultToken: what is personal of them
    source = models.OneToOneField(Source, on_delete=models.PROTECT)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    acting: uuid.UUID | None = None  # no column: the membership that this request's session chose

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def get_session_auth_hash(self) -> str:
        """Return what a session holds so that it ends when the passphrase is another.

        No key is in it, unlike in the framework's own: a new secret of the house would give each session another id,
        and a page that loads two things at once would be signed out. What a session holds is signed as a whole.
        """
        return hashlib.sha256(b"parcelward/v1/session\x00" + self.password.encode()).hexdigest()

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        """Give nothing: there is one."""
        return iter(())
