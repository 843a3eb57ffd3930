"""An item that nobody has seen for two days needs a person; one that waits for its addressee does not."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.scanner import Scanner, event, new_number

from parcelward.parcels import follows, queries, rules
from parcelward.parcels.models import Alert


@pytest.mark.parametrize(
    ("step", "hours", "expected"),
    [("left_sorting", 50, 1), ("left_sorting", 40, 0), ("delivered", 50, 0), ("at_collection_point", 50, 0)],
)
def test_who_is_stuck(installation, facilities, step, hours, expected):
    number = new_number()
    Scanner(installation).send(event(number, step))
    for _ in range(2):  # looking twice opens one alert
        follows.keep_house(dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours))
    assert Alert.objects.filter(kind="stuck", item=queries.find(number)).count() == expected


@pytest.mark.parametrize(("steps", "expected"), [(["accepted", "held", "released"], 1), (["held", "released"], 0)])
def test_what_was_only_held_and_let_go_waits_for_its_sender(installation, facilities, steps, expected):
    number = new_number()
    Scanner(installation).send(*(event(number, step, minutes=at) for at, step in enumerate(steps)))
    follows.keep_house(dt.datetime.now(dt.UTC) + dt.timedelta(hours=50))
    assert Alert.objects.filter(kind="stuck", item=queries.find(number)).count() == expected


def test_what_is_old_enough_to_be_a_case_is_not_read_again(installation, facilities):
    number = new_number()
    Scanner(installation).send(event(number, "left_sorting"))
    follows.keep_house(dt.datetime.now(dt.UTC) + rules.WATCHED_FOR + dt.timedelta(hours=1))
    assert not Alert.objects.filter(kind="stuck", item=queries.find(number)).exists()
