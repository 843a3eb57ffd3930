"""What the HTTP server calls."""

import gc
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, cast

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parcelward.doors.settings")
_framework = get_wsgi_application()

from django.core.handlers.exception import convert_exception_to_response  # noqa: E402 -- needs the settings
from django.core.handlers.wsgi import WSGIRequest  # noqa: E402 -- see above
from django.http import HttpResponse  # noqa: E402 -- see above

from parcelward.doors import middleware  # noqa: E402 -- see above
from parcelward.doors.api import scans  # noqa: E402 -- see above

_scans = convert_exception_to_response(middleware.Requests(scans.view))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request (PEP 3333).

    A scan goes past the framework's own handler, whose signals and connection checks cost a fifth of it; the recording
    finds a dead connection by itself.
    """
    if environ["PATH_INFO"] != scans.PATH:
        return _framework(environ, start_response)
    response = cast("HttpResponse", _scans(WSGIRequest(environ)))
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [response.content]


# What was loaded lives as long as the process, and a batch of scans makes ten thousand objects that no cycle holds:
# looking through all of them every 700 cost an eighth of the CPU.
gc.freeze()
gc.set_threshold(100_000, 20, 50)
# Who records for others should not be stopped every 5 ms by thirty threads that wait for it; waiting for the database
# lets them in anyway.
sys.setswitchinterval(0.02)
