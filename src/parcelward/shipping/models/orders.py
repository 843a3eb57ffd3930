"""Quotes, orders and their items. Of people there are tokens alone; what is in a parcel lies with its addressee."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from parcelward.shipping.models.tariffs import TariffVersion


class Quote(models.Model):
    """Prices that hold for a time: of one tariff, for one parcel. Where it goes is a country and a zone."""

    id = models.UUIDField(primary_key=True)
    owner = models.UUIDField()
    tariff = models.ForeignKey(TariffVersion, on_delete=models.PROTECT)
    weight_g = models.IntegerField()
    sides_mm = ArrayField(models.IntegerField(), size=3)
    country = models.CharField(max_length=2)
    zone = models.CharField(max_length=40)
    extras = ArrayField(models.CharField(max_length=40), default=list)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()


class SenderAddress(models.Model):
    """A sender's own address that was used before: the same one is kept once."""

    id = models.BigAutoField(primary_key=True)
    owner = models.UUIDField()
    mark = models.BinaryField(max_length=32)  # a keyed hash of it
    token = models.UUIDField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "mark"], name="sender_address_once")]


class Order(models.Model):
    """What somebody asked to have sent, as one purchase. Its id is the caller's."""

    id = models.UUIDField(primary_key=True)
    owner = models.UUIDField()  # an organisation, or a person who acts for nobody else
    source = models.IntegerField()
    state = models.CharField(max_length=12)
    reasons = models.JSONField(default=list)  # codes and numbers that say why it does not go on
    paid_by = models.CharField(max_length=8)
    intent = models.UUIDField(null=True)
    tariff = models.ForeignKey(TariffVersion, on_delete=models.PROTECT)
    currency = models.CharField(max_length=3)
    total_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    refunded_minor = models.BigIntegerField(default=0)
    sender = models.UUIDField()  # token
    network = models.BinaryField(null=True)  # keyed hashes of where it was ordered from, for what is judged later
    device = models.BinaryField(null=True)
    look = models.BooleanField(default=False)  # it goes on, and a person looks
    reference = models.CharField(max_length=40)
    simulated = models.BooleanField()
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    try_at = models.DateTimeField(null=True)  # when the worker looks next; None: nothing is to come
    tries = models.IntegerField(default=0)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["try_at"], condition=Q(try_at__isnull=False), name="order_due"),
            models.Index(fields=["owner", "-created_at"], name="order_newest"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(total_minor__gte=F("tax_minor"), total_minor__gt=0, tax_minor__gte=0),
                name="order_has_a_price",
            ),
            models.CheckConstraint(
                condition=Q(total_minor__gte=F("refunded_minor"), refunded_minor__gte=0),
                name="order_no_more_than_was_paid",
            ),
        ]


class OrderItem(models.Model):
    """One parcel of an order. It becomes an item, with a number and a label, once the order is paid."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="items")
    place = models.SmallIntegerField()  # 0, 1, 2 ... within the order
    addressee = models.UUIDField()  # token
    item = models.UUIDField(null=True, unique=True)
    number = models.CharField(max_length=40)
    product = models.CharField(max_length=40)
    service = models.CharField(max_length=80)  # the product's words
    s10_mark = models.CharField(max_length=2)
    weight_g = models.IntegerField()
    sides_mm = ArrayField(models.IntegerField(), size=3)
    country = models.CharField(max_length=2)
    zone = models.CharField(max_length=40)
    extras = ArrayField(models.CharField(max_length=40), default=list)
    parts = models.JSONField()  # of the price: [code, words, amount] each
    tax_minor = models.BigIntegerField()
    total_minor = models.BigIntegerField()
    promised_from = models.DateField()
    promised_to = models.DateField()
    value_minor = models.BigIntegerField(default=0)
    screened = models.SmallIntegerField()  # hazmat.wire.Answer
    hazmat_rule = models.CharField(max_length=60)
    service_code = models.CharField(max_length=3)
    reference = models.CharField(max_length=40)
    office = models.CharField(max_length=20)
    hub = models.CharField(max_length=20)
    round_code = models.CharField(max_length=20)
    label = models.BinaryField(null=True)  # sealed: nobody reads it but the stations on the way
    binding = models.CharField(max_length=16)
    printing = models.SmallIntegerField(default=0)
    printed_at = models.DateTimeField(null=True)  # when this printing was first given out

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["order", "place"], name="order_item_once")]
