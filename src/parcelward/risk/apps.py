"""Tells Django where the room is."""

from django.apps import AppConfig


class RiskConfig(AppConfig):
    """The room as a Django app."""

    name = "parcelward.risk"
    label = "risk"
    default_auto_field = "django.db.models.BigAutoField"
