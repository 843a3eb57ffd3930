"""Tells Django where the room is."""

from django.apps import AppConfig


class CustodyConfig(AppConfig):
    """The room as a Django app."""

    name = "parcelward.custody"
    label = "custody"
    default_auto_field = "django.db.models.BigAutoField"
