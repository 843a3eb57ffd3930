"""What strangers sent lies sealed: by one key a body, which goes with it, turns with the others, opens nothing else."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import uuid

import pytest
from django.db import transaction
from django.utils import timezone
from tests.epcis_partner import document, event, item
from tests.quarantined import as_sent
from tests.scanner import event as scan
from tests.scanner import new_number

from parcelward.base import db
from parcelward.parcels import actions as parcels
from parcelward.parcels import bodies as room
from parcelward.parcels import follows, queries
from parcelward.parcels.actions import capture_jobs, retention, submissions
from parcelward.parcels.models import CaptureJob, NamedQuery, Quarantine
from parcelward.parcels.wire import BadScan, Submission
from parcelward.people.actions import installer
from parcelward.people.wire import Person, Role
from parcelward.privacy import actions, bodies, cipher, keepers
from parcelward.privacy.errors import BodyGone, NotAuthentic
from parcelward.privacy.models import BodyKey
from parcelward.privacy.wire import BodyColumn, SealedBody
from parcelward.shipping.actions import webhooks

HERE = BodyColumn("parcels_quarantine", "raw")
NOW = timezone.now


def sealed(*contents: bytes) -> list[SealedBody]:
    return bodies.seal(HERE, contents, now=NOW())


@pytest.fixture
def refused(installation, scanner, number):
    """A bad event, in quarantine."""
    scanner.send({**scan(number, "accepted"), "facility": "NOWHERE"})
    row = Quarantine.objects.order_by("-id").first()
    assert row is not None
    return row


def keys_of(*names: uuid.UUID | None) -> int:
    return BodyKey.objects.filter(body__in=[name for name in names if name]).count()


@pytest.mark.asvs("11.3.2", "14.2.4")
def test_a_body_opens_at_its_own_place_alone(installation):
    (key, stored), (other, theirs) = sealed(b"Anna", b"Ben")
    opener = bodies.opener(HERE, [key, other])
    assert (opener.open(key, stored), opener.open(other, theirs)) == (b"Anna", b"Ben")
    elsewhere = bodies.opener(BodyColumn("parcels_capturejob", "document"), [key])
    for opens, name, bytes_ in (
        (opener, key, theirs),
        (opener, other, stored),
        (elsewhere, key, stored),
        (opener, key, stored[:-1]),
        (opener, key, stored[:-1] + bytes([stored[-1] ^ 1])),
        (opener, key, b""),
    ):
        with pytest.raises(NotAuthentic):
            opens.open(name, bytes_)
    bodies.forget([key, other])
    with pytest.raises(BodyGone):
        bodies.opener(HERE, [key]).open(key, stored)


def test_what_wraps_a_bodys_key_wraps_it_for_this_body_alone(installation):
    (key, _), (other, _) = sealed(b"Anna", b"Ben")
    mine = BodyKey.objects.get(body=key)
    BodyKey.objects.filter(body=other).update(wrapped=mine.wrapped)
    with pytest.raises(NotAuthentic):
        bodies.opener(HERE, [other])
    with pytest.raises(NotAuthentic):  # nor is it somebody's key
        keepers.keeper().unwrap(bytes(mine.wrapped), cipher.person_context(key, 1), mine.kek_version)
    bodies.forget([key, other])


def test_its_size_says_little(installation):
    ((key, short), (other, longer)) = sealed(b"Ng", b"Featherstonehaugh")
    assert len(short) == len(longer)
    bodies.forget([key, other])


@pytest.mark.asvs("11.2.2")
def test_keys_of_bodies_turn_with_the_others(refused, machinery):
    sent = as_sent(refused)
    before = max(keepers.keeper().versions())
    turned = actions.rotate_kek(by=machinery, now=NOW())
    assert turned.version > before
    assert set(BodyKey.objects.values_list("kek_version", flat=True)) == {turned.version}
    assert as_sent(refused) == sent != b""


def test_a_bad_event_lies_sealed_and_is_shown_at_the_desk(refused):
    assert refused.body_key is not None
    assert b"NOWHERE" not in bytes(refused.raw)
    shown = queries.quarantined_event(refused.id, by=installer())
    assert shown is not None
    assert json.loads(shown.raw)["facility"] == "NOWHERE"
    listed = {row.quarantine_id: row.raw for row in queries.quarantined(by=installer()).rows}
    assert listed[refused.id] == "", "a list opens none"


def test_a_body_moved_to_another_row_with_its_key_is_not_shown(refused, scanner, number):
    scanner.send({**scan(number, "accepted"), "facility": "NOWHERE"})
    other = Quarantine.objects.order_by("-id").first()
    assert other is not None
    with transaction.atomic():
        Quarantine.objects.filter(pk=refused.pk).update(raw=other.raw, body_key=other.body_key)
        shown = queries.quarantined_event(refused.id, by=installer())
        transaction.set_rollback(True)
    assert shown is not None
    assert shown.raw == ""


def test_its_key_goes_with_the_body_and_not_before(refused, machinery):
    parcels.dismiss(refused.id, "not ours", by=installer())
    assert as_sent(refused), "whoever dismissed it can be asked why"
    before = NOW() + dt.timedelta(seconds=1)
    with transaction.atomic():  # a kill before the commit
        retention._empty_raw(Quarantine.objects.filter(pk=refused.pk))
        transaction.set_rollback(True)
    assert keys_of(refused.body_key) == 1
    retention.forget_old("quarantined_bodies", before, by=machinery)
    gone = Quarantine.objects.get(pk=refused.pk)
    assert (bytes(gone.raw), gone.body_key, keys_of(refused.body_key)) == (b"", None, 0)
    with pytest.raises(BodyGone):  # as last month's backup has it
        bodies.opener(HERE, [refused.body_key]).open(refused.body_key, bytes(refused.raw))


def test_keys_that_no_body_names_are_swept_and_others_are_not(refused, machinery):
    ((left, _),) = sealed(b"a crash came before the row")
    day = retention.UNUSED_AFTER
    retention.forget_keys_left(made_before=NOW() - day, also=webhooks.secrets_in_use, by=machinery)
    assert keys_of(left, refused.body_key) == 2, "its row may still be on its way"
    retention.forget_keys_left(made_before=NOW() + day, also=webhooks.secrets_in_use, by=machinery)
    assert (keys_of(left), keys_of(refused.body_key)) == (0, 1)


def test_no_key_is_swept_that_any_table_names(refused, machinery, number):
    by = dataclasses.replace(installer(), role=Role.ADMINISTRATOR)
    later = NOW() + dt.timedelta(minutes=5)  # so that the worker leaves the first job alone
    captured = json.dumps(document(event(item(new_number())))).encode()
    assert capture_jobs.run_job(capture_jobs.open_job(captured, "proceed", by=by, now=later)[0])
    waiting, _ = capture_jobs.open_job(json.dumps(document(event(item(number)))).encode(), "proceed", by=by, now=later)
    name = f"sweep {uuid.uuid4().hex[:8]}"
    capture_jobs.keep_query(name, {}, by=by)
    before = named_by_tables()
    assert all(before.values())
    retention.forget_keys_left(made_before=NOW() + retention.UNUSED_AFTER, also=webhooks.secrets_in_use, by=machinery)
    assert named_by_tables() == before
    capture_jobs.delete_query(name, by=by)
    assert capture_jobs.run_job(waiting)


def named_by_tables() -> dict[str, set[uuid.UUID]]:
    """Return the keys that there are of each table's bodies."""
    found = {}
    for where, column in room.KEY_COLUMNS.items():
        with db.cursor() as cur:
            cur.execute(f"SELECT {column} FROM {where.table} WHERE {column} IS NOT NULL")
            named = [row[0] for row in cur.fetchall()]
        found[where.table] = set(BodyKey.objects.filter(body__in=named).values_list("body", flat=True))
    return found


def test_many_bad_events_take_one_statement_of_the_keys_database(installation, facilities, monkeypatch):
    by = Person(uuid.uuid4(), Role.DEVICE, 1_999_998, "a device that sends rubbish")
    bad = [BadScan(nth, "not_json", "m", uuid.uuid4().bytes) for nth in range(500)]
    submission = Submission(by, 1, hashlib.sha256(b"x").digest(), [], bad)
    executed: list[str] = []
    monkeypatch.setattr(db, "cursor", _watched(db.cursor, executed))
    with transaction.atomic():
        sealed_: dict[room.BodyId, SealedBody] = {}
        assert len(submissions.quarantine([(submission, one) for one in bad], now=NOW(), sealed=sealed_)) == 500
        made = [one for one in executed if one == "keys"]
        # The same once more, as after a lost race, makes no key; nor does what is known.
        assert submissions.quarantine([(submission, one) for one in bad], now=NOW(), sealed={}) == {}
        transaction.set_rollback(True)
    assert len(made) == 1
    assert [one for one in executed if one == "keys"] == ["keys"]
    assert keys_of(*[one.key for one in sealed_.values()]) == 500
    bodies.forget([one.key for one in sealed_.values()])


def _watched(real, executed):
    def cursor(alias="default", **more):
        executed.append(alias)
        return real(alias, **more)

    return cursor


def test_nothing_is_sealed_where_nothing_is_bad(installation, scanner, number):
    before = BodyKey.objects.count()
    scanner.send(scan(number, "accepted"))
    assert BodyKey.objects.count() == before


def test_a_document_lies_sealed_while_it_waits_and_its_key_goes_when_it_is_captured(installation, number):
    by = dataclasses.replace(installer(), role=Role.ADMINISTRATOR)
    body = json.dumps(document(event(item(number)))).encode()
    later = NOW() + dt.timedelta(minutes=5)  # so that the worker leaves it alone
    job_id, _ = capture_jobs.open_job(body, "proceed", by=by, now=later)
    job = CaptureJob.objects.get(pk=job_id)
    assert number.encode() not in bytes(job.document)
    assert keys_of(job.document_key) == 1
    assert capture_jobs.run_job(job_id) is True
    done = CaptureJob.objects.get(pk=job_id)
    assert (done.captured, bytes(done.document), done.document_key, keys_of(job.document_key)) == (1, b"", None, 0)


def test_a_document_whose_key_is_gone_ends_its_job(installation, number):
    by = dataclasses.replace(installer(), role=Role.ADMINISTRATOR)
    body = json.dumps(document(event(item(number)))).encode()
    job_id, _ = capture_jobs.open_job(body, "proceed", by=by, now=NOW() + dt.timedelta(minutes=5))
    bodies.forget([CaptureJob.objects.get(pk=job_id).document_key])
    assert capture_jobs.run_job(job_id) is True
    job = CaptureJob.objects.get(pk=job_id)
    assert (job.success, [one["code"] for one in job.errors], bytes(job.document)) == (False, ["body_gone"], b"")


def test_what_is_from_before_is_read_and_then_sealed(installation, number, monkeypatch):
    raw = json.dumps({**scan(new_number(), "accepted"), "facility": "NOWHERE"}).encode()
    body = json.dumps(document(event(item(number)))).encode()
    common = {"source": 1, "sequence": 1, "position": 0, "code": "x", "message": "x", "state": "open"}
    with transaction.atomic():
        row = Quarantine.objects.create(**common, received_at=NOW(), raw=raw, digest=hashlib.sha256(raw).digest())
        job = CaptureJob.objects.create(
            id=uuid.uuid4(),
            source=1,
            by=uuid.uuid4(),
            role="partner",
            simulated=True,
            created_at=NOW() + dt.timedelta(minutes=5),
            behaviour="rollback",
            document=body,
        )
        assert (as_sent(row), room.document(job)) == (raw, body)
        assert room.seal_old() >= 2
        row.refresh_from_db()
        job.refresh_from_db()
        assert raw not in bytes(row.raw)
        assert number.encode() not in bytes(job.document)
        assert (as_sent(row), room.document(job)) == (raw, body)
        assert room.seal_old() == 0
        names = row.body_key, job.document_key
        transaction.set_rollback(True)
    bodies.forget(names)


def test_captured_events_and_queries_from_before_are_sealed_too(installation, number):
    by = dataclasses.replace(installer(), role=Role.ADMINISTRATOR)
    body, question = json.dumps(document(event(item(number)))).encode(), {"EQ_bizStep": ["accepting"]}
    assert capture_jobs.run_job(capture_jobs.open_job(body, "proceed", by=by, now=NOW() + dt.timedelta(minutes=5))[0])
    with transaction.atomic(), db.cursor() as cur:
        cur.execute(
            "SELECT event_time, id, body_key, body FROM parcels_epcis_event WHERE body_key IS NOT NULL "
            "ORDER BY id DESC LIMIT 1"
        )
        at, row, key, stored = cur.fetchall()[0]
        [plain] = room.events([(key, bytes(stored))])
        assert plain
        here = "WHERE event_time = %s AND id = %s"
        cur.execute(f"UPDATE parcels_epcis_event SET body = %s, body_key = NULL {here}", (plain, at, row))
        kept = NamedQuery.objects.create(source=1, name=uuid.uuid4().hex, query=question, created_at=NOW())
        room.seal_old()
        cur.execute(f"SELECT body_key, body FROM parcels_epcis_event {here}", (at, row))
        fresh, sealed_ = cur.fetchall()[0]
        kept.refresh_from_db()
        assert fresh not in {None, key}
        assert plain not in bytes(sealed_)
        assert room.events([(fresh, bytes(sealed_))]) == [plain]
        assert kept.query == {}
        assert room.asked([kept]) == [(kept.name, question)]
        transaction.set_rollback(True)
    bodies.forget([fresh, kept.query_key])


def test_housekeeping_seals_what_is_from_before(installation):
    raw = uuid.uuid4().bytes
    row = Quarantine.objects.create(
        received_at=NOW(), source=1, sequence=1, position=0, code="x", message="x", state="open", raw=raw,
        digest=hashlib.sha256(raw).digest(),
    )  # fmt: skip
    try:
        follows.keep_house(NOW())
        row.refresh_from_db()
        assert row.body_key is not None
        assert as_sent(row) == raw
    finally:
        row.delete()
        bodies.forget([row.body_key])
