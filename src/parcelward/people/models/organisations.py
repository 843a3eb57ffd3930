"""Tenants: organisations, who acts for them, and who was asked to."""

from __future__ import annotations

import uuid

from django.db import models

from parcelward.people.models.accounts import Source, User


class Organisation(models.Model):
    """A tenant: the operator itself, a sender, a partner post, a carrier contractor, or law enforcement."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=80)  # of a business or an office, never of a private person
    simulated = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(Source, on_delete=models.PROTECT)
    suspended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["kind"], condition=models.Q(kind="operator"), name="one_operator"),
        ]


class Membership(models.Model):
    """One person's role in one organisation. It ends and is never changed: another role is another membership."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    user = models.ForeignKey(User, on_delete=models.PROTECT)
    role = models.CharField(max_length=20)
    owner = models.BooleanField(default=False)  # who answers for the organisation; one at a time
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(
                fields=["organisation", "user"], condition=models.Q(ended_at=None), name="one_role_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["organisation"], condition=models.Q(ended_at=None, owner=True), name="one_owner"
            ),
        ]


class Invitation(models.Model):
    """A link that lets one person take one role, once. Only a hash of what the link carries is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    role = models.CharField(max_length=20)
    login = models.CharField(max_length=40)  # the opaque id under which a new person will be known
    owner = models.BooleanField(default=False)
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True
    )  # whose lost passkey it replaces; or who took it
    re_enrols = models.BooleanField(default=False)
    made_by = models.ForeignKey(Source, on_delete=models.PROTECT)
    agreed_by = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, related_name="+")
    second_digest = models.BinaryField(max_length=32, null=True)  # keyed hash of the code that who agreed was shown
    second_tries = models.SmallIntegerField(default=0)  # wrong ones; no part of the record
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)


class FacilityGrant(models.Model):
    """A place that the operator gave to a contractor: its devices are enrolled there, and nowhere else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    facility = models.CharField(max_length=20)  # its code; the place itself is the network's
    granted_by = models.ForeignKey(Source, on_delete=models.PROTECT)
    granted_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(
                fields=["organisation", "facility"], condition=models.Q(ended_at=None), name="facility_given_once"
            ),
        ]
