"""Tells Django where the room is."""

from django.apps import AppConfig


class NetworkConfig(AppConfig):
    """The room as a Django app."""

    name = "parcelward.network"
    label = "network"
    default_auto_field = "django.db.models.BigAutoField"
