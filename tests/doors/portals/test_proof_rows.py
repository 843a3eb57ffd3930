"""Timeline, proof page and proofs answer speak of the same events, also where there are more than one answer holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.db import transaction
from django.utils import timezone
from tests.scanner import Scanner, event, new_number, until

from parcelward.custody.models import Tombstone
from parcelward.custody.tree import leaf_hash
from parcelward.custody.wire import ENTRY_PREFIX, EVENTS_AT_ONCE_MAX
from parcelward.doors.portals.proof import rows
from parcelward.parcels import proofs, queries

TOO_MANY = EVENTS_AT_ONCE_MAX + 3


def _published(number: str, events: int) -> UUID:
    def proven() -> UUID | None:
        item = queries.find(number)
        return item if item is not None and queries.journey(item).events_proven == events else None

    found: Callable[[], UUID | None] = proven
    item = until(found)
    assert isinstance(item, UUID)
    return item


@pytest.fixture(scope="module")
def long_history(installation: Any, facilities: tuple[str, ...]) -> tuple[str, UUID]:
    """A parcel with more events than are shown at once; the last one corrects the one before it."""
    scanner, number = Scanner(installation, name="proof rows scanner"), new_number()
    wrong = event(number, "delivered", minutes=TOO_MANY / 60)
    corrects = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong parcel"}
    steps = [event(number, "left_sorting", minutes=minute / 60) for minute in range(TOO_MANY - 2)]
    scanner.send(*steps)
    scanner.send(wrong)
    scanner.send(event(number, "left_sorting", minutes=TOO_MANY / 60 + 1, corrects=corrects))
    return number, _published(number, TOO_MANY)


def test_all_three_show_the_newest_events_and_say_how_many_there_are(
    long_history: tuple[str, UUID], live_url: str
) -> None:
    number, item = long_history
    answer, journey, shown = proofs.proofs(item), queries.journey(item), rows(proofs.recorded(item))
    recorded = {each["event_id"].replace("-", "") for each in answer["events"]}
    listed = {entry.event_id.hex for entry in journey.timeline if entry.event_id is not None}
    assert (len(answer["events"]), answer["events_total"]) == (EVENTS_AT_ONCE_MAX, TOO_MANY)
    assert (journey.events_total, journey.events_proven) == (TOO_MANY, TOO_MANY)
    assert {row.id for row in shown} == recorded
    assert len(shown) == EVENTS_AT_ONCE_MAX
    assert listed == recorded - {row.id for row in shown if row.correction}
    assert f'"event":{TOO_MANY},' in answer["events"][-1]["public"]["canon"]
    page = httpx.get(f"{live_url}/track/{number}/proof", timeout=60).text
    assert "This parcel has 1003 entries. The newest 1000 are shown and checked here" in page


def test_only_a_correction_is_called_one(long_history: tuple[str, UUID]) -> None:
    shown = rows(proofs.recorded(long_history[1]))
    assert [row.correction for row in shown] == [True] + [False] * (EVENTS_AT_ONCE_MAX - 1)
    assert [row.corrected for row in shown[:3]] == [False, True, False]


def test_of_an_erased_item_the_entries_are_still_proven(installation: Any, facilities: tuple[str, ...]) -> None:
    scanner, number = Scanner(installation, name="erased rows scanner"), new_number()
    scanner.send(event(number, "accepted", weight_g=900), event(number, "delivered", minutes=5))
    item = _published(number, 2)
    before = proofs.proofs(item)
    with transaction.atomic():
        Tombstone.objects.create(item=item, shredded_at=timezone.now(), events=2)
        after = proofs.proofs(item)
        transaction.set_rollback(True)
    assert after["shredded"]
    assert not before["shredded"]
    for open_, closed in zip(before["events"], after["events"], strict=True):
        assert closed.keys() == {"event_id", "log_index", "public", "commitment"}
        assert closed["public"] is None
        assert closed["commitment"] == open_["commitment"]
        assert closed["log_index"] == open_["log_index"]
        tile = httpx.get(f"{installation.url}/log/tile/0/{_tile(closed['log_index'], installation.url)}", timeout=30)
        at = 32 * (closed["log_index"] % 256)
        assert tile.content[at : at + 32] == leaf_hash(ENTRY_PREFIX + bytes.fromhex(closed["commitment"]))


def _tile(index: int, url: str) -> str:
    size = int(httpx.get(f"{url}/log/checkpoint", timeout=30).text.split("\n")[1])
    width = min(256, size - index // 256 * 256)
    return f"{index // 256:03}" + (f".p/{width}" if width < 256 else "")
