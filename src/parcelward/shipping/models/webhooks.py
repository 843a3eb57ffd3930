"""Where senders are told, what they are told, and how each telling went. No names and no addresses of people."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models


class SenderItem(models.Model):
    """An item whose sender is told how it stands, and what they were told last."""

    item = models.UUIDField(primary_key=True)
    owner = models.UUIDField()  # an organisation, or a person who acts for nobody else and has no endpoint
    sequence = models.IntegerField(default=0)  # of the last message about the item: 1, 2, 3 ...
    told = models.JSONField(default=dict)  # status, status_detail, reason, action_required
    since = models.DateTimeField()


class WebhookEndpoint(models.Model):
    """An address of a sender's system that wants to be told."""

    id = models.UUIDField(primary_key=True)
    organisation = models.ForeignKey("people.Organisation", on_delete=models.PROTECT)
    name = models.CharField(max_length=80, blank=True)  # of the system, never of a person
    url = models.CharField(max_length=500)
    types = ArrayField(models.CharField(max_length=40), default=list)  # none: every type of message
    version = models.IntegerField(default=1)  # one more with each change: the ETag
    made_at = models.DateTimeField()
    made_by = models.IntegerField()
    changed_at = models.DateTimeField()
    failing_since = models.DateTimeField(null=True)  # nothing has arrived since; null: the last one did
    paused_at = models.DateTimeField(null=True)
    paused_why = models.CharField(max_length=10, blank=True)  # owner, failing, gone
    removed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(
                fields=["organisation", "id"], condition=models.Q(removed_at=None), name="webhook_of_organisation"
            ),
        ]


class WebhookSecret(models.Model):
    """What messages to an endpoint are signed with: one that stays, and for a while the one that it replaced."""

    id = models.UUIDField(primary_key=True)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE)
    secret = models.BinaryField()  # sealed with the key that `body_key` names
    body_key = models.UUIDField(unique=True)
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)  # null: the present one

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["endpoint"], condition=models.Q(ends_at=None), name="webhook_one_secret"),
        ]


class WebhookMessage(models.Model):
    """One thing that a sender is told, in the bytes that every endpoint gets, each time."""

    id = models.UUIDField(primary_key=True)  # the `webhook-id`
    organisation = models.ForeignKey("people.Organisation", on_delete=models.PROTECT)
    type = models.CharField(max_length=40)
    item = models.UUIDField(null=True)
    sequence = models.IntegerField(default=0)  # of the item's messages; 0: about none
    body = models.BinaryField()  # JSON
    made_at = models.DateTimeField(db_index=True)


class WebhookDelivery(models.Model):
    """One message to one endpoint, with a clock of its own."""

    id = models.UUIDField(primary_key=True)  # in the order of making
    message = models.ForeignKey(WebhookMessage, on_delete=models.CASCADE)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, db_index=False)
    state = models.CharField(max_length=10, default="waiting")  # delivered, parked
    tries = models.SmallIntegerField(default=0)  # on this clock; a replay begins again
    try_at = models.DateTimeField(null=True)  # null: nothing is due any more
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # when it was delivered or parked

    class Meta:
        constraints = [  # noqa: RUF012 -- Django's own form
            models.UniqueConstraint(fields=["message", "endpoint"], name="webhook_told_once"),
            models.CheckConstraint(
                condition=models.Q(state="waiting", try_at__isnull=False, ended_at=None)
                | (~models.Q(state="waiting") & models.Q(try_at=None, ended_at__isnull=False)),
                name="webhook_due_or_ended",
            ),
        ]
        indexes = [  # noqa: RUF012 -- Django's own form
            models.Index(fields=["endpoint", "try_at"], condition=models.Q(try_at__isnull=False), name="webhook_due"),
            models.Index(fields=["endpoint", "-id"], name="webhook_newest"),
            models.Index(fields=["endpoint", "-id"], condition=models.Q(state="parked"), name="webhook_parked"),
        ]


class WebhookAttempt(models.Model):
    """One time that a message was sent, and what came back."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE)
    at = models.DateTimeField()
    status = models.SmallIntegerField()  # of the answer; 0: none came
    error = models.CharField(max_length=20, blank=True)  # a word: timeout, tls, forbidden_address ...
    duration_ms = models.IntegerField()
