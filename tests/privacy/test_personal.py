"""An opened value gets into no text, record or log by accident; what was put stands in its sealed column alone."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
from typing import Any, cast

import msgspec
import pytest
from django.db import connections
from django.utils import timezone
from tests.privacy.test_vault import opened
from tests.scanner import until

from parcelward.base import config
from parcelward.base.errors import NotAllowed
from parcelward.base.vault import HIDDEN, Personal
from parcelward.privacy import actions
from parcelward.privacy.models import Message
from parcelward.privacy.wire import Field, Kind, Purpose

SECRET = "Anna-Kowalska-canary"


@pytest.mark.asvs("16.2.5")
def test_a_personal_value_formats_to_nothing(caplog):
    value = Personal(SECRET)
    texts = [
        *(f"{value}", f"{value!r}", f"{value!s:>40}", "%s" % value, "{}".format(value), str([value])),  # noqa: UP031, UP032
        str({"a": value}),
        repr(ValueError(value)),
    ]
    assert [text for text in texts if SECRET in text or HIDDEN not in text] == []
    with caplog.at_level(logging.INFO):
        logging.getLogger("parcelward").info("opened %s and %r", value, [value])
    assert SECRET not in caplog.text


@pytest.mark.parametrize("write", [json.dumps, pickle.dumps, copy.deepcopy, copy.copy], ids=lambda f: f.__name__)
def test_a_personal_value_is_not_stored(write):
    with pytest.raises(TypeError):
        write(Personal(SECRET))


def test_msgspec_does_not_write_it_either():
    for write in (msgspec.json.encode, msgspec.msgpack.encode, msgspec.to_builtins):
        with pytest.raises(TypeError):
            write({"value": Personal(SECRET)})
    with pytest.raises(TypeError):
        dataclasses.asdict(cast("Any", Personal(SECRET)))
    with pytest.raises(TypeError):
        vars(Personal(SECRET))


def test_a_personal_value_is_its_text_and_does_not_change():
    value = Personal(SECRET)
    assert (value.text, value, hash(value)) == (SECRET, Personal(SECRET), hash(Personal(SECRET)))
    assert value not in (Personal("other"), SECRET)
    with pytest.raises(AttributeError):
        value.text = "other"  # type: ignore[misc]


def places(text: str, *, database: str) -> list[str]:
    """Return every table and column of a database that holds the text, as text, bytes, or in hex."""
    found = []
    with connections[database].cursor() as cur:
        cur.execute(
            "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c "
            "JOIN information_schema.tables t USING (table_schema, table_name) "
            "WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'"
        )
        for table, column, kind in cur.fetchall():
            where = f'"{column}"::text LIKE %s'
            values: list[str | bytes] = [f"%{text}%"]
            if kind == "bytea":
                where = f'position(%s::bytea IN "{column}") > 0'
                values = [text.encode()]
            cur.execute(f'SELECT EXISTS (SELECT FROM "{table}" WHERE {where})', values)
            if cur.fetchone()[0]:
                found.append(f"{table}.{column}")
    return found


@pytest.mark.asvs("14.2.4", "16.2.5")
def test_canaries_are_nowhere_but_sealed(machinery, inspector, clerk, anna, item):
    token = actions.put(anna, kind=Kind.ADDRESSEE, by=machinery)
    opened(token, list(Field), purpose=Purpose.OWN_DATA, by=machinery, about="canary-1")
    opened(token, [Field.NAME], purpose=Purpose.COUNTER, by=clerk, about=item)
    actions.find(Field.EMAIL, anna[Field.EMAIL], purpose=Purpose.INVESTIGATION, by=inspector)
    actions.change(token, {Field.LOCALITY: "Canary-Ville-" + anna[Field.DOCUMENT][-8:]}, by=machinery)
    code = anna[Field.DOCUMENT][-12:]
    number = actions.send(token, "code", {"code": code, "minutes": "10"}, by=machinery, now=timezone.now())
    until(lambda: Message.objects.get(pk=number).sent_at is not None)
    with pytest.raises(NotAllowed):
        opened(token, [Field.BODY], purpose=Purpose.COUNTER, by=clerk)
    mark = anna[Field.DOCUMENT].split()[-1]  # stands in every field that is of this person alone
    for text in (mark, anna[Field.PHONE], code):
        assert places(text, database="default") == [], text
        assert places(text, database="keys") == [], text
    home = config.get().home
    files = [path for path in home.rglob("*") if path.is_file() and "mail" not in path.parts]
    logs = [path for path in files if "postgres" not in path.parts or path.suffix in {".log", ".csv"}]
    assert any(path.name == "up.log" for path in logs)
    assert [str(path) for path in logs if mark.encode() in path.read_bytes()] == []


def test_the_search_for_canaries_finds_one(machinery):
    """The search itself: a template's name is stored in the open, and is found."""
    token = actions.put({Field.EMAIL: "canary@example.com"}, kind=Kind.ADDRESSEE, by=machinery)
    actions.send(token, "new_device", {"at": "noon"}, by=machinery, now=timezone.now())
    assert "privacy_message.template" in places("new_device", database="default")
    assert "custody_fact.body" in places(token.hex, database="default")
