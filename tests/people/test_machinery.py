"""The house's own machinery is one source, whoever is first; nobody signs in as it, and another one is found."""

from __future__ import annotations

import pytest
from tests.at_once import at_once
from tests.laws.tampering import change, difference, sequenced, undone

from parcelward.people import actions
from parcelward.people.models import Source
from parcelward.people.queries import may
from parcelward.people.wire import Role, Task


def test_the_machinery_is_one_source_whoever_is_first(installation):
    found = [each.source for each in at_once(*[actions.machinery] * 6)]
    assert len(found) == 6
    assert len(set(found)) == 1
    assert Source.objects.filter(kind="house").count() == 1


def test_the_machinery_does_the_houses_work_alone(installation):
    by = actions.machinery()
    assert (by.role, by.name) == (Role.MACHINERY, "machinery")
    assert {task for task in Task if may(by, task)} == {
        *(Task.KEEP_PERSONAL, Task.REVEAL, Task.FIND_PERSON, Task.SHRED_PERSON, Task.KEEP_RETENTION, Task.TURN_KEYS),
        *(Task.SEAL_LABEL, Task.ORDER, Task.LEARN_OUTCOME),
        Task.CAPTURE,
    }


@pytest.mark.asvs("6.3.2")
def test_a_second_machinery_is_found_and_a_person_of_that_name_is_another(installation, facilities):
    actions.machinery()
    sequenced()
    with undone():
        change("INSERT INTO people_source (kind, name, simulated) VALUES ('house', 'machinery', false)")
        assert difference().differs == "source"
    with undone():
        change("INSERT INTO people_source (kind, name, simulated) VALUES ('person', 'machinery', false)")
        assert difference().differs == "source"
