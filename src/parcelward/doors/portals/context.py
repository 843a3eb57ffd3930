"""What every page knows: the operator, the mode, the languages to choose from, and the files to load."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, get_language_info

from parcelward.base import config
from parcelward.doors.portals import assets
from parcelward.doors.portals.accounts import guard

_OF_SOMEBODY: Final = ("/app/", "/accounts/")
"""Where pages are about whoever is signed in. The others are the same for all, and stay when somebody signs out."""


def _languages(request: HttpRequest) -> list[dict[str, Any]]:
    """Return each language under its own name, with the address that switches to it and comes back here."""
    current = get_language()
    here = urlencode({"next": request.get_full_path()}) if request.method in {"GET", "HEAD"} else ""
    return [
        {
            "code": code,
            "name": get_language_info(code)["name_local"].capitalize(),
            "url": f"/language/{code}" + (f"?{here}" if here else ""),
            "current": code == current,
        }
        for code, _name in settings.LANGUAGES
    ]


def portal(request: HttpRequest) -> dict[str, Any]:
    """Return the values that `base.html` and its children use. Registered as a context processor."""
    ours = config.get()
    return {
        "operator": ours.operator,
        "test_mode": not ours.production,
        "assets": assets.all_named(),
        "languages": _languages(request),
        "session": guard.shown(request) if request.path.startswith(_OF_SOMEBODY) else None,
        "request_id": getattr(request, "request_id", ""),
        "csp_nonce": getattr(request, "csp_nonce", ""),
    }
