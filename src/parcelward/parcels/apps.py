"""Tells Django where the room is."""

from django.apps import AppConfig


class ParcelsConfig(AppConfig):
    """The room as a Django app."""

    name = "parcelward.parcels"
    label = "parcels"
    default_auto_field = "django.db.models.BigAutoField"
