"""What stands on the proof page against what was recorded: rows, and what is struck out, as shown.js compares them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.custody.node import case, refused, run
from tests.custody.sample_log import Item, SampleLog, shown_of


def test_what_the_page_shows_is_what_was_recorded(small: tuple[SampleLog, Item]) -> None:
    log, item = small
    cases = []
    for at, key, value in (
        (0, "at", "2026-11-01T10:00:00.000001Z"),
        (1, "step", "delivered"),
        (2, "place", "LDS99"),
        (3, "id", "ab" * 16),
    ):
        shown = shown_of(item)
        shown[at][key] = value
        cases.append(case(log.proofs(item), log.files(), shown=shown))
    cases.append(case(log.proofs(item), log.files(), shown=shown_of(item)[1:]))
    cases.append(case(log.proofs(item), log.files(), shown=shown_of(item) + shown_of(item)[:1]))
    cases.append(case(log.proofs(item), log.files(), shown=[]))
    refused(run(*cases), "shown")


def test_what_the_page_strikes_out_is_what_was_corrected() -> None:
    log, item = SampleLog(), Item("corrected")
    events = [log.record(item, step) for step in ("accepted", "delivered", "left_sorting")]
    of = [event["event_id"] for event in events]
    log.record(item, "left_sorting", corrects=of[1], authorised=True)
    log.record(item, "left_sorting", corrects=of[2], authorised=False)

    def shown(*struck: int, corrections: tuple[int, ...] = (3, 4)) -> dict[str, Any]:
        rows = shown_of(item)
        for at, row in enumerate(rows):
            row |= {"struck": at in struck, "corrects": at in corrections}
        return case(log.proofs(item), log.files(), shown=rows)

    assert [one["proven"] for one in run(shown(1, 2), shown(1))] == [5, 5]
    wrong = [
        shown(0, 1),
        shown(2),
        shown(),
        shown(1, 4),
        shown(1, corrections=(3,)),
        shown(1, corrections=(2, 3, 4)),
    ]
    refused(run(*wrong), "shown")
    log.record(item, "left_sorting", corrects=item.events[3]["event_id"], authorised=True)
    assert [one["proven"] for one in run(shown(3, corrections=(3, 4, 5)))] == [6], "a correction that was taken back"
    refused(run(shown(1, corrections=(3, 4, 5))), "shown")


@pytest.mark.parametrize("said", [{"corrects": "ab" * 16}, {"authorised": True}, {"authorised": 1, "corrects": "a"}])
def test_half_a_correction_is_none(said: dict[str, Any]) -> None:
    log, item = SampleLog(), Item("half corrected")
    log.record(item, "accepted", **said)
    refused(run(case(log.proofs(item), log.files())), "chain")
