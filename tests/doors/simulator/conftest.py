from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.doors.simulator import scripted_peer

from parcelward.doors.simulator import parcels, stories, world
from parcelward.doors.simulator.journeys import Journeys
from parcelward.doors.simulator.plan import Truth

MONDAY = int(dt.datetime(2026, 3, 2, tzinfo=dt.UTC).timestamp())


@pytest.fixture(scope="session")
def town() -> world.World:
    return world.build(5, size="town")


@pytest.fixture(scope="session")
def region() -> world.World:
    return world.build(5, size="region", offices=24)


@pytest.fixture
def plan_of() -> Callable[..., Journeys]:
    def make(
        network: world.World, *, items: int = 300, days: int = 2, seed: int = 5, truth: Path | None = None, **more: Any
    ) -> Journeys:
        story = more.pop("story", None)
        told = [(stories.STORIES[story], more.pop("after_s", 40_000))] if story else []
        demand = parcels.Demand(network, (parcels.Phase(MONDAY, MONDAY + days * 86_400, items),))
        return Journeys(network, demand, seed=seed, truth=Truth(truth), stories=told, **more)

    return make


@pytest.fixture
def peer() -> Iterator[scripted_peer.ScriptedPeer]:
    scripted = scripted_peer.ScriptedPeer()
    server = scripted_peer.serve(scripted)
    yield scripted
    server.shutdown()
    server.server_close()
