"""Keeps item secrets in a database of their own, so that a backup of the main one cannot open a shredded item."""

from __future__ import annotations

from typing import Any


class KeysRouter:
    """Sends `ItemSecret` to the keys database and everything else to the main one."""

    def _home(self, model: Any) -> str:
        return "keys" if model._meta.label_lower == "custody.itemsecret" else "default"  # noqa: SLF001 -- Django's public way to a model's label

    def db_for_read(self, model: Any, **_hints: object) -> str:
        """Return where `model` is read."""
        return self._home(model)

    def db_for_write(self, model: Any, **_hints: object) -> str:
        """Return where `model` is written."""
        return self._home(model)

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_hints: object) -> bool:
        """Let each database have only its own tables."""
        home = "keys" if (app_label, model_name) == ("custody", "itemsecret") else "default"
        return db == home
