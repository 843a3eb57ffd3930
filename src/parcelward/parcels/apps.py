"""Tells Django where the room is."""

from django.apps import AppConfig


class ParcelsConfig(AppConfig):
    """The room as a Django app."""

    name = "parcelward.parcels"
    label = "parcels"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Tell the room below, which may not ask this one, how to know an item's number."""
        from parcelward.parcels import queries  # noqa: PLC0415 -- models are there only now
        from parcelward.privacy import actions as privacy  # noqa: PLC0415 -- as above

        privacy.know_items(queries.is_item)
