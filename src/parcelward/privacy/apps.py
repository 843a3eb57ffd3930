"""Tells Django where the room is."""

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    """The room as a Django app."""

    name = "parcelward.privacy"
    label = "privacy"
    default_auto_field = "django.db.models.BigAutoField"
