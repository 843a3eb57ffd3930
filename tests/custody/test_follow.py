"""A follower: what it did and how far it read commit together, so that nothing is done twice or left out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from django.utils import timezone
from tests.scanner import event, until

from parcelward.base import config
from parcelward.custody import actions, queries
from parcelward.custody.models import Cursor, LogBatch
from parcelward.custody.wire import Published
from parcelward.parcels.models import Alert

NAME = "test.follow"


class Broke(Exception):
    """What a follower meets in the middle of its work."""


@pytest.fixture
def published(installation, scanner, number):
    """Begin where a scan is about to come into the log; return that place, and leave no trace of the follower."""
    start = queries.published_size(config.get())
    scanner.send(event(number, "accepted"))
    until(lambda: LogBatch.objects.filter(first_index__gte=start, kind="parcels.scan").exists())
    Cursor.objects.create(name=NAME, index=start)
    yield start
    Cursor.objects.filter(name=NAME).delete()
    Alert.objects.filter(kind=NAME).delete()


def work(seen: Sequence[Published]) -> None:
    Alert.objects.create(kind=NAME, about=f"{seen[0].first_index}", opened_at=timezone.now())


def test_a_follower_that_breaks_off_leaves_neither_its_work_nor_a_moved_cursor(published):
    def breaks(seen: Sequence[Published]) -> None:
        work(seen)
        raise Broke

    with pytest.raises(Broke):
        actions.follow(NAME, "parcels.scan", breaks)
    assert Cursor.objects.get(name=NAME).index == published
    assert not Alert.objects.filter(kind=NAME).exists()


def test_what_was_followed_is_not_given_again(published):
    while actions.follow(NAME, "parcels.scan", work):
        pass
    done = set(Alert.objects.filter(kind=NAME).values_list("about", flat=True))
    assert done
    again: list[Published] = []
    actions.follow(NAME, "parcels.scan", again.extend)
    assert done.isdisjoint(str(each.first_index) for each in again)
