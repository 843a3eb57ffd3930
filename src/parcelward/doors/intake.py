"""Read request bodies in part of the threads only, so that those who send slowly cannot keep everybody else waiting.

The server gives a request to a thread before its body has come. A stranger who opens connections and sends half a body
on each would hold every thread for as long as he likes; the readers' share ends that, and pages go on.
"""

from __future__ import annotations

import threading

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError

from parcelward.base.errors import Busy, Invalid, TooLarge
from parcelward.doors import threads

READERS_MAX = threads.THREADS - 8
RETRY_AFTER_S = 1

_readers = threading.BoundedSemaphore(READERS_MAX)


def read(request: HttpRequest, *, length: int | None = None) -> bytes:
    """Return the request's body, or with `length` so many bytes of it, whatever Django's limit.

    Raises Busy when too many are being read, TooLarge beyond Django's limit, Invalid when the body ends early.
    """
    if not _readers.acquire(blocking=False):
        raise Busy("Too many requests are being received; send it again", retry_after_s=RETRY_AFTER_S)
    try:
        return request.body if length is None else request.read(length)
    except RequestDataTooBig:
        raise TooLarge("The body has more than 2 MB; send it in parts") from None
    except UnreadablePostError:
        raise Invalid("The connection ended before the body did", code="cut_off") from None
    finally:
        _readers.release()
