"""The framework's sessions in the database, under a hash of their key: who reads the rows or a backup enters none.

`SESSION_ENGINE` of the settings. The key itself is in the browser's cookie and nowhere else.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone


def stored_session(session_key: str) -> str:
    """Return under what a session's rows are stored: 160 bits of SHA-256, in hexadecimal."""
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]


class SessionStore(db.SessionStore):
    """One session, as the framework uses it: `session_key` is what the cookie says."""

    @property
    def stored_key(self) -> str:
        """Under what the rows of this session are stored."""
        return stored_session(self.session_key or "")

    def _get_session_from_db(self) -> Any:
        found = self.model.objects.filter(session_key=self.stored_key, expire_date__gt=timezone.now()).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        """Return whether there is a session with this key."""
        return bool(super().exists(stored_session(session_key)))

    def create_model_instance(self, data: Any) -> AbstractBaseSession:
        """Return the row to be saved."""
        row = super().create_model_instance(data)
        row.session_key = stored_session(row.session_key)
        return row

    def delete(self, session_key: str | None = None) -> None:
        """Delete a session: this one, where none is named."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(stored_session(key))
