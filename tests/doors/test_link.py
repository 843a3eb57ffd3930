"""The addressee's link: who gets one, that the log is told, and that nobody else learns anything."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid

import httpx
import pytest
from tests.scanner import Scanner, event, new_number

from parcelward.base.errors import NotFound
from parcelward.custody.models import Fact
from parcelward.doors.console.town_command import addressee_link
from parcelward.parcels import actions, queries
from parcelward.people.actions import installer
from parcelward.people.errors import MayNot
from parcelward.people.wire import Person, Role


def links(url: str, number: str, **headers: str) -> httpx.Response:
    return httpx.post(f"{url}/api/v1/items/{number}/links", headers=headers, timeout=30)


def found(number: str) -> uuid.UUID:
    item = queries.find(number)
    assert item is not None
    return item


def told(item: object) -> int:
    bodies = [
        json.loads(bytes(body)) for body in Fact.objects.filter(kind="custody.link").values_list("body", flat=True)
    ]
    return sum(body["item"] == str(item) for body in bodies)


def test_each_link_is_an_entry_in_the_log_that_names_no_key(installation, facilities) -> None:
    number = new_number()
    Scanner(installation).send(event(number, "accepted", weight_g=700))
    item = found(number)
    answer = links(installation.url, number, **installation.headers)
    assert answer.status_code == 201
    key = answer.json()["url"].partition("#k=")[2]
    assert len(key) == 43
    assert told(item) == 1
    assert actions.make_link(item, by=installer()) == answer.json()["url"]
    assert told(item) == 2
    assert not any(key.encode() in bytes(body) for body in Fact.objects.values_list("body", flat=True))


def test_the_sample_town_prints_one_that_opens(installation, facilities) -> None:
    number = new_number()
    Scanner(installation).send(event(number, "accepted", weight_g=700))
    link = addressee_link(installation.url, installation.api_key, number)
    page, _, key = link.partition("#k=")
    assert len(key) == 43
    assert httpx.get(page, timeout=30).status_code == 200
    assert addressee_link(installation.url, "pw_test_nobody", number) == ""
    assert addressee_link("http://localhost:1", installation.api_key, number) == ""


def test_strangers_get_none_and_learn_of_no_item(installation, facilities) -> None:
    number = new_number()
    Scanner(installation).send(event(number, "accepted"))
    item = found(number)
    assert links(installation.url, number).status_code == 401
    assert links(installation.url, new_number()).status_code == 401
    for role in (Role.DEVICE, Role.PARTNER, Role.INSPECTOR):
        with pytest.raises(MayNot):
            actions.make_link(item, by=Person(installer().id, role, installer().source, "x"))
    assert told(item) == 0
    assert links(installation.url, new_number(), **installation.headers).status_code == 404


def test_an_item_that_is_not_there_has_no_link(installation) -> None:
    with pytest.raises(NotFound):
        actions.make_link(installer().id, by=installer())


def test_what_can_be_no_number_is_refused_before_anything_is_loaded() -> None:
    """`parcelward link NOPE` answers at once, and asks no database."""
    asked = (
        "import sys\nfrom parcelward.doors.console.main import main\nsys.argv = ['parcelward', 'link', 'NOPE']\n"
        "try:\n    main()\nexcept SystemExit as left:\n    print(left.code, 'psycopg' in sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.split() == ["1", "False"]
    assert "looks like this" in ran.stderr
