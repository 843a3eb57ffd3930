"""One line in the log for each refusal: of a way in, of a deed, or of input that is wrong.

What was refused and to whom is said, never what was typed.

A line has the kind of refusal (an error's code), the route as the table of addresses spells it, the status, the id of
who asked where that is known (an account's or a key's: it means nothing outside the database), and the request's id.
No name, address, code or token is in it. A flood cannot fill the disk: each kind gets so many lines a minute in each
process, and the next line says how many there were more.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final
from uuid import UUID

from django.http import HttpRequest

log = logging.getLogger("parcelward.refusals")

LINES_PER_MINUTE: Final = 30  # of each kind; so many at once, too
KINDS_MAX: Final = 200  # codes stand in the source, and there are fewer: more share one allowance
STATUSES: Final = frozenset({401, 403, 429, 400, 411, 413, 415, 422})
"""Who may not, who asks too often, and what is wrong in itself: our forms send none when they are filled in well."""
_HIDDEN: Final = 404
_STAFFED: Final = "/app/"  # behind the sign-in, what one may not see is answered as if there was nothing
_OTHER: Final = "other"

_lock = threading.Lock()
_allowances: dict[str, tuple[float, float, int]] = {}  # kind -> lines left, when that was, how many were left out


def saw(request: HttpRequest, kind: str, *, person: UUID | None = None) -> None:
    """Remember that this request is refused and why; the line is written when it is answered. The first kind counts."""
    if not hasattr(request, "refused_for"):
        request.refused_for = kind  # type: ignore[attr-defined]  # read by `answered`
    if person is not None:
        request.refused_person = person  # type: ignore[attr-defined]  # as above


def answered(request: HttpRequest, status: int, route: str, request_id: str) -> None:
    """Write the line of a request that was refused; of any other there is none."""
    kind = getattr(request, "refused_for", "")
    if status == _HIDDEN and request.path.startswith(_STAFFED) and _who(request) is not None:
        kind = kind or "not_found"  # unknown and forbidden are alike
    elif status not in STATUSES and not kind:
        return
    note(kind or str(status), route, status, request_id, person=_who(request))


def note(kind: str, route: str, status: int, request_id: str, *, person: UUID | None = None) -> None:
    """Write one line, if its kind has one left."""
    left_out = _allowed(kind)
    if left_out is not None:
        log.warning(
            "refused kind=%s route=%s status=%d person=%s request=%s more=%d",
            *(kind, route, status, person or "-", request_id, left_out),
        )


def _who(request: HttpRequest) -> UUID | None:
    """Return the id of who asked: proven by the refusal itself, signed in, or the holder of a key."""
    session, holder = getattr(request, "signed_in", None), getattr(request, "auth", None)
    found: UUID | None = getattr(request, "refused_person", None) or getattr(session, "user", None)
    return found or getattr(holder, "id", None)


def _allowed(kind: str) -> int | None:
    """Take one line of a kind; return how many were left out since the last one, or None when there is none left."""
    now = time.monotonic()
    with _lock:
        if kind not in _allowances and len(_allowances) >= KINDS_MAX:
            kind = _OTHER
        left, at, left_out = _allowances.get(kind, (float(LINES_PER_MINUTE), now, 0))
        left = min(float(LINES_PER_MINUTE), left + (now - at) * LINES_PER_MINUTE / 60)
        if left < 1:
            _allowances[kind] = left, now, left_out + 1
            return None
        _allowances[kind] = left - 1, now, 0
        return left_out
