"""The server's own clock jumps by minutes and hours while devices send."""

from __future__ import annotations

import pytest
from tests.faults import clock
from tests.faults.plant import Plant
from tests.scanner import SEED

pytestmark = pytest.mark.slow


def test_the_seed_decides_every_jump():
    plan = clock.planned(SEED, 30)
    assert plan == clock.planned(SEED, 30) != clock.planned(SEED + 1, 30)
    assert all(low < 0 < high for high, low in zip(plan[::3], plan[1::3], strict=True))


@pytest.mark.skipif(clock.ServerClock.library() is None, reason="Debian's package faketime is not installed")
def test_nothing_acknowledged_is_lost_when_the_servers_clock_jumps(tmp_path):
    print(f"seed {SEED}")
    moved = clock.ServerClock(tmp_path / "clock")
    plant = Plant(tmp_path / "home", extra=moved.environment())
    try:
        found = clock.drive(plant, moved, seed=SEED, jumps=6)
        _see_that_a_wrong_quarantine_is_found(plant, found)
    finally:
        plant.close()
    assert found.problems == []
    assert len(found.ledger.acknowledged) > 50
    assert found.set_aside, "the server's clock never stood behind the events'"
    assert found.told_to_wait, "the server's clock never stood apart from the devices'"


def _see_that_a_wrong_quarantine_is_found(plant, found):
    with plant.database() as db:
        db.execute("UPDATE parcels_quarantine SET code = 'too_old' WHERE id = (SELECT min(id) FROM parcels_quarantine)")
        assert any("too_old" in problem for problem in clock._wrongly_set_aside(plant, found))
