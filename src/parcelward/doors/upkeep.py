"""What each web process does beside answering: who was last seen, which addresses are banned, which secret signs."""

from __future__ import annotations

import logging
import threading
import time

from parcelward.base import config, db
from parcelward.doors import secret_key
from parcelward.people import queries as people
from parcelward.risk import here

log = logging.getLogger("parcelward.upkeep")

TURN_S = 2.0


def start() -> None:
    """Begin, in a thread that ends with the process; beside it, the features that orders are decided by are read."""
    here.start()
    threading.Thread(target=_run, name="upkeep", daemon=True).start()


def _run() -> None:
    while True:
        try:
            secret_key.refresh(config.get().home)
            people.look_for_bans()
            people.write_seen()
        except Exception as err:  # noqa: BLE001 -- whatever it was, requests go on and the next turn tries again
            log.warning("upkeep waits: %s", type(err).__name__)
            db.drop_connections()
        time.sleep(TURN_S)
