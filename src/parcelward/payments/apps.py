"""Tells Django where the room is."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    """The room as a Django app."""

    name = "parcelward.payments"
    label = "payments"
    default_auto_field = "django.db.models.BigAutoField"
