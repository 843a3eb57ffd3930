"""Tells Django where the room is."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """The room as a Django app."""

    name = "parcelward.people"
    label = "people"
    default_auto_field = "django.db.models.BigAutoField"
