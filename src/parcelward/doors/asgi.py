"""What the HTTP server calls: the event loop answers scans, threads answer everything else."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parcelward.doors.settings")
django.setup(set_prefix=False)

from parcelward.doors import upkeep  # noqa: E402 -- needs the settings
from parcelward.doors.api import scans  # noqa: E402 -- see above
from parcelward.doors.threads import Framework  # noqa: E402 -- see above

_framework = Framework()


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Answer one request (ASGI 3.0)."""
    if scope["type"] != "http":
        return
    if scope["path"] == scans.PATH:
        await scans.door(scope, receive, send)
    else:
        await _framework(scope, receive, send)


# What was loaded lives as long as the process, and a batch of scans makes ten thousand objects that no cycle holds:
# looking through all of them every 700 cost an eighth of the CPU.
gc.freeze()
gc.set_threshold(100_000, 20, 50)
# Who records for others should not be stopped every 5 ms by threads that wait for it; waiting for the database lets
# them in anyway.
sys.setswitchinterval(0.02)
upkeep.start()
