"""Few sign-ins at a time: those who sign in wait for each other, and nobody who follows a parcel waits for them.

A sign-in is several commits and a good deal of checking. Thirty of them at once in one process would make each page
wait its turn behind all of them; so a few work, and the others wait here without using the processor.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from parcelward.base.errors import Busy

AT_ONCE: Final = 2  # in each process
PATIENCE_S: Final = 20.0
QUEUE_MAX: Final = 24  # threads that may wait: the others are for everybody else

_working = threading.BoundedSemaphore(AT_ONCE)
_waiting = threading.BoundedSemaphore(AT_ONCE + QUEUE_MAX)


def few_at_once(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a view be worked on by a few threads at a time. Raises Busy when too many wait, or for too long."""

    @functools.wraps(view)
    def handle(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return view(request, *args, **kwargs)
        if not _waiting.acquire(blocking=False):
            raise Busy("Many people sign in at this moment. Try again in a few seconds.", retry_after_s=3)
        try:
            if not _working.acquire(timeout=PATIENCE_S):
                raise Busy("Many people sign in at this moment. Try again in a few seconds.", retry_after_s=5)
            try:
                return view(request, *args, **kwargs)
            finally:
                _working.release()
        finally:
            _waiting.release()

    return handle
