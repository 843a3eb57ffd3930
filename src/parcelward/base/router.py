"""Keeps secrets in a database of their own, so that no backup of the main one can open what was shredded."""

from __future__ import annotations

from typing import Any, Final

KEPT_APART: Final = frozenset(
    {
        "custody.itemsecret",  # 32 bytes an item
        "privacy.personkey",  # one wrapped data key a person
        "privacy.bodykey",  # one wrapped data key a body that somebody sent
        "privacy.stationkey",  # the epochs' keys that open sealed labels
    }
)
"""The tables (app.model) of the keys database; every other table is in the main one."""


class KeysRouter:
    """Sends the tables of `KEPT_APART` to the keys database and everything else to the main one."""

    def _home(self, model: Any) -> str:
        return "keys" if model._meta.label_lower in KEPT_APART else "default"  # noqa: SLF001 -- Django's public way to a model's label

    def db_for_read(self, model: Any, **_hints: object) -> str:
        """Return where `model` is read."""
        return self._home(model)

    def db_for_write(self, model: Any, **_hints: object) -> str:
        """Return where `model` is written."""
        return self._home(model)

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_hints: object) -> bool:
        """Let each database have only its own tables."""
        return db == ("keys" if f"{app_label}.{model_name}" in KEPT_APART else "default")
