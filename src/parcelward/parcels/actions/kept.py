"""What this process wrote last of items and receptacles, so that their next scan need not read them again.

Only a guess. What follows from it is written where the row still has the number of events and the flags that are
remembered (rows.UPDATE_STATUS), and else the transaction is done again from what the database says. Worth it where
one process records nearly everything; where several do, each would mostly remember what the others have changed.

What is remembered belongs to one connection: a thread has it for itself, and a new connection begins with nothing.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

import psycopg

from parcelward.base.standards import identify
from parcelward.parcels.actions.work import Thing

DOUBT_S = 10.0  # for so long nothing is remembered once something was wrong: a group is then done twice
THINGS_MAX = 20_000  # about 20 MB; as many as keys are kept (custody.queries)


class Kept:
    """Things by number, the longest unused first. Each is held once, and taken out while it is used."""

    def __init__(self) -> None:
        self._things: OrderedDict[str, Thing] = OrderedDict()
        self._doubted_until = 0.0

    def take(self, number: str) -> Thing | None:
        """Return what is remembered of a number, and forget it: only what is committed comes back."""
        return self._things.pop(number, None)

    def doubt(self) -> None:
        """Forget everything: somebody else records, too."""
        self._things.clear()
        self._doubted_until = time.monotonic() + DOUBT_S

    def keep(self, things: Iterable[Thing]) -> None:
        """Remember things as they are after the commit that wrote or read them."""
        if time.monotonic() < self._doubted_until:
            return
        for thing in things:
            if thing.keys is None or thing.number.startswith(identify.ITEM_PREFIX):
                continue
            thing.seq_before, thing.keys = thing.status.item_seq, None
            thing.is_new = thing.touched = thing.refold = False
            self._things[thing.number] = thing
        while len(self._things) > THINGS_MAX:
            self._things.popitem(last=False)


_by_connection: WeakKeyDictionary[psycopg.Connection[Any], Kept] = WeakKeyDictionary()


def of(connection: psycopg.Connection[Any]) -> Kept:
    """Return what is remembered on a connection."""
    kept = _by_connection.get(connection)
    if kept is None:
        kept = _by_connection[connection] = Kept()
    return kept
