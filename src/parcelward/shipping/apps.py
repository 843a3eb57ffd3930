"""Tells Django where the room is."""

from django.apps import AppConfig


class ShippingConfig(AppConfig):
    """The room as a Django app."""

    name = "parcelward.shipping"
    label = "shipping"
    default_auto_field = "django.db.models.BigAutoField"
