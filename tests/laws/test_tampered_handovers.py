"""What the sides of a handover saw, turned afterwards: `verify-log` finds each. All is rolled back."""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

import pytest
from tests.laws.tampering import change, difference, rows, sequenced
from tests.scanner import Scanner, event, new_number

from parcelward.base import config
from parcelward.parcels import queries
from parcelward.parcels.queries import verify_log

pytestmark = pytest.mark.usefixtures("clean")


@dataclasses.dataclass(frozen=True)
class Given:
    """One item that was handed over, seen twice by its giver; the index of the newer sight, another item."""

    item: uuid.UUID
    other: uuid.UUID
    handover: str
    index: int
    older: uuid.UUID  # event of the first sight


@pytest.fixture(scope="module")
def given(installation, facilities) -> Given:
    scanner, number, other = Scanner(installation, name="gives"), new_number(), new_number()
    handover = f"H-{number}"

    def hands(count: int, minutes: float, side: str = "giver") -> dict[str, Any]:
        said = {"id": handover, "side": side, "count": count, "party": "P"}
        return event(number, "handed_over", minutes=minutes, handover=said)

    first, second, late = hands(5, 4), hands(3, 6), hands(3, 5)  # times of one minute: `event` begins at the clock's
    scanner.send(event(number, "accepted"), event(other, "accepted"), first)
    scanner.send(second)
    scanner.send(late)  # and older than what is known
    wrong = event(other, "handed_over", minutes=7, handover={"id": handover, "side": "giver", "count": 3})
    scanner.send(wrong)
    corrects = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
    repeated = event(other, "handed_over", minutes=8, handover={"id": f"{handover}-2", "side": "giver", "count": 3})
    scanner.send(repeated | {"corrects": corrects})
    sequenced()
    found, another = queries.find(number), queries.find(other)
    assert found is not None
    assert another is not None
    place = rows(
        "SELECT l.first_index + e.leaf AS index FROM parcels_scan_event e JOIN custody_logbatch l ON l.batch = e.batch "
        "WHERE e.event_id = %s",
        uuid.UUID(second["event_id"]),
    )
    return Given(found, another, handover, place[0]["index"], uuid.UUID(first["event_id"]))


def test_sights_that_were_seen_again_late_or_corrected_hold(given: Given) -> None:
    (sight,) = rows("SELECT count FROM parcels_handoverscan WHERE item = %s", given.item)
    assert sight["count"] == 5, "the greatest count stays"
    assert verify_log(config.get()).events > 0


MINE = "WHERE item = %(item)s"
TURNED = {
    "another place": f"UPDATE parcels_handoverscan SET facility = facility + 1 {MINE}",
    "another party": f"UPDATE parcels_handoverscan SET party = 'Q' {MINE}",
    "learnt at another time": f"UPDATE parcels_handoverscan SET record_time = record_time - interval '1 h' {MINE}",
    "a greater count": f"UPDATE parcels_handoverscan SET count = 6 {MINE}",
    "a smaller count": f"UPDATE parcels_handoverscan SET count = 2 {MINE}",
}
ELSEWHERE = {
    "another source": f"UPDATE parcels_handoverscan SET source = source + 1 {MINE}",
    "gone": f"DELETE FROM parcels_handoverscan {MINE}",
    "of another handover": f"UPDATE parcels_handoverscan SET handover = 'H-other' {MINE}",
    "of the other side": f"UPDATE parcels_handoverscan SET side = 'receiver' {MINE}",
    "another event": f"UPDATE parcels_handoverscan SET event_id = %(older)s {MINE}",
    "earlier": f"UPDATE parcels_handoverscan SET event_time = event_time - interval '1 h' {MINE}",
}


@pytest.mark.parametrize("what", TURNED)
def test_a_turned_sight_is_found_at_its_event(given: Given, what: str) -> None:
    change(TURNED[what], dataclasses.asdict(given))
    first = difference()
    assert (first.differs, first.first, first.item) == ("handover", given.index, given.item)


@pytest.mark.parametrize("what", ELSEWHERE)
def test_a_sight_that_is_gone_is_found_at_an_event_that_left_it(given: Given, what: str) -> None:
    change(ELSEWHERE[what], dataclasses.asdict(given))
    first = difference()
    assert (first.differs, first.item) == ("handover", given.item)
    assert first.first is not None
    assert first.first <= given.index


ADDED = {
    "of no event": "gen_random_uuid()",
    "of an event that handed nothing over": (
        "(SELECT event_id FROM parcels_scan_event WHERE item = %(item)s AND item_seq = 1)"
    ),
    "of a correction": (
        "(SELECT event_id FROM parcels_scan_event WHERE item = %(other)s AND corrects IS NOT NULL)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", ADDED)
def test_a_sight_that_nobody_had_is_found(given: Given, what: str) -> None:
    change(
        "INSERT INTO parcels_handoverscan (handover, side, item, event_id, event_time, record_time, facility, source, "
        f"count, party) SELECT 'H-new', 'receiver', item, {ADDED[what]}, event_time, record_time, facility, source, 1, "
        "'' FROM parcels_handoverscan WHERE item = %(item)s",
        dataclasses.asdict(given),
    )
    first = difference()
    assert (first.differs, first.first) == ("handover", None)
