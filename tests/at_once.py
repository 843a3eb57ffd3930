"""Several people who do something at the same moment: what each of them got."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from parcelward.base.errors import ParcelwardError


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Begin all works at the same moment, each in a thread of its own.

    Return what each returned, in their order; a refusal is returned, any other error is raised here.
    """
    together = threading.Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        connections["default"].ensure_connection()  # or the first to have one would be through before the others begin
        together.wait(30)
        try:
            return work()
        except ParcelwardError as refused:
            return refused
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(one, works))
