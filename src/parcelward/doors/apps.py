"""Tells Django where the room is."""

from django.apps import AppConfig


class DoorsConfig(AppConfig):
    """The room as a Django app: it has no tables."""

    name = "parcelward.doors"
    label = "doors"
