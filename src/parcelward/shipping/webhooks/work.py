"""What the worker does for webhooks: read what is new in the log, and send what is due. Any number of workers may."""

from __future__ import annotations

import threading
from typing import Final

from parcelward.shipping.webhooks import follows
from parcelward.shipping.webhooks.delivering import Outbox

IDLE_S: Final = 0.5  # between two looks while nothing is due
BUSY_S: Final = 0.1  # that a turn waits for something to end


def run(stop: threading.Event, outbox: Outbox) -> None:
    """Work until asked to stop."""
    while not stop.is_set():
        passed = follows.catch_up()
        if not outbox.turn(BUSY_S) and not passed and outbox.idle():
            stop.wait(IDLE_S)
