"""What was observed and what was learnt of it: from these two tables every process's features are made.

Rows are added, never changed: only age takes them away (privacy/retention.py). Keys are keyed hashes.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Observation(models.Model):
    """One thing that happened, under its opaque keys."""

    id = models.UUIDField(primary_key=True)
    kind = models.SmallIntegerField()
    at = models.DateTimeField(db_index=True)
    account = models.UUIDField(null=True)
    card = models.UUIDField(null=True)
    device = models.UUIDField(null=True)
    address = models.UUIDField(null=True)
    addressee = models.UUIDField(null=True)
    network = models.UUIDField(null=True)
    printer = models.UUIDField(null=True)
    amount_minor = models.BigIntegerField()
    writer = models.BigIntegerField(
        db_index=True
    )  # the database's number of the transaction that wrote it (follows.py)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(amount_minor__gte=0), name="observation_of_something"),
        ]


class Outcome(models.Model):
    """What somebody found out about an observation, and when."""

    id = models.UUIDField(primary_key=True)
    observation = models.ForeignKey(Observation, on_delete=models.CASCADE)
    at = models.DateTimeField()
    fraud = models.BooleanField()
    writer = models.BigIntegerField(db_index=True)


class Decision(models.Model):
    """One answer about an order, as it was given. `body` says all of it, in one form (stored.py)."""

    id = models.UUIDField(primary_key=True)
    order = models.UUIDField()
    round = models.SmallIntegerField()
    owner = models.UUIDField()  # an organisation, or a person who acts for nobody else
    answer = models.CharField(max_length=8)
    at = models.DateTimeField(db_index=True)
    body = models.TextField()
    salt = models.BinaryField()  # so that what the log says of the body cannot be guessed from it
    spoke = models.TextField(default="", db_default="")  # which versions of rules, for counting: said by the body too

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order", "round"], name="decision_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-at"], name="decision_of_owner"),
            models.Index(fields=["at"], condition=~models.Q(spoke=""), name="decision_where_rules_spoke"),
        ]


class RuleVersion(models.Model):
    """One version of a rule: what it says never changes, its stage does. A shipped one has a row once it is touched."""

    id = models.UUIDField(primary_key=True)
    rule = models.CharField(max_length=40)
    number = models.SmallIntegerField()
    text = models.TextField()
    form = models.TextField()
    answer = models.CharField(max_length=8)
    words = models.CharField(max_length=200)
    written_by = models.IntegerField()  # a source; 0: it was shipped
    written_at = models.DateTimeField()
    stage = models.CharField(max_length=8)
    approved_by = models.IntegerField(null=True)
    salt = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["rule", "number"], name="rule_version_once"),
            models.UniqueConstraint(fields=["rule"], condition=models.Q(stage="active"), name="rule_acts_once"),
            models.UniqueConstraint(fields=["rule"], condition=models.Q(stage="shadow"), name="rule_in_shadow_once"),
        ]


class RuleMove(models.Model):
    """A version came to a stage. With another row here, every process reads anew which rules are asked."""

    version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT)
    stage = models.CharField(max_length=8)
    by = models.IntegerField()
    at = models.DateTimeField()
    request = models.UUIDField(null=True)  # by which a second person agreed


class Snooze(models.Model):
    """A rule that does not count for one customer for a time."""

    id = models.UUIDField(primary_key=True)
    rule = models.CharField(max_length=40)
    customer = models.UUIDField(db_index=True)  # the account's key
    until = models.DateTimeField()
    reason = models.CharField(max_length=200)
    by = models.IntegerField()
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    salt = models.BinaryField()


class Review(models.Model):
    """What a person said of a decision. The newest stands."""

    id = models.BigAutoField(primary_key=True)
    decision = models.ForeignKey(Decision, on_delete=models.CASCADE)
    answer = models.CharField(max_length=8)
    reason = models.CharField(max_length=200)
    by = models.IntegerField()
    at = models.DateTimeField()
    salt = models.BinaryField()


class LearntModel(models.Model):
    """A model that was learnt: its text under its digest, and what is known of it. Only its stage changes."""

    id = models.UUIDField(primary_key=True)
    digest = models.CharField(max_length=64, unique=True)
    text = models.BinaryField()
    card = models.TextField()  # JSON: what it was learnt from, how good it is, how orders were then
    learnt_at = models.DateTimeField()
    stage = models.CharField(max_length=10)
    moved_by = models.IntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["stage"], condition=models.Q(stage="champion"), name="one_champion"),
        ]


class Stated(models.Model):
    """What the operator says that each answer costs, and how many orders a day people look at. The newest counts."""

    id = models.BigAutoField(primary_key=True)
    body = models.TextField()
    by = models.IntegerField()
    made_at = models.DateTimeField()


class Pick(models.Model):
    """An order that people look at though no rule asked for it."""

    decision = models.OneToOneField(Decision, on_delete=models.CASCADE, primary_key=True)
    by = models.CharField(max_length=8)  # model or surprise
    why = models.TextField()  # names of features
    at = models.DateTimeField(db_index=True)


class Appeal(models.Model):
    """A sender who contests a decision: once, and another person than before looks."""

    decision = models.OneToOneField(Decision, on_delete=models.CASCADE, primary_key=True)
    by = models.IntegerField()
    at = models.DateTimeField()
    review = models.OneToOneField(Review, on_delete=models.CASCADE, null=True)
