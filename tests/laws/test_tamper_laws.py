"""Whatever is changed in the record afterwards, `verify-log` finds it. Each change is rolled back."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import uuid
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.laws.tampering import change, difference, rows, sequenced, undone
from tests.scanner import Scanner, event, new_number, new_receptacle, until

from parcelward.base import config
from parcelward.custody.errors import EntryDiffers
from parcelward.parcels.queries import verify_log

EXAMPLES = int(os.environ.get("PARCELWARD_TAMPER_EXAMPLES", "50"))
SECOND = dt.timedelta(seconds=1)


@dataclasses.dataclass(frozen=True)
class Written:
    """What was recorded for this module: its part of the log, its events by log index, its batches and facts."""

    first: int
    end: int
    events: list[dict[str, Any]]  # columns, and `index`
    batches: list[dict[str, Any]]  # of custody_logbatch
    facts: list[tuple[int, int]]  # batch, log index


def _life(scanner: Scanner) -> None:
    numbers, bag = [new_number() for _ in range(3)], new_receptacle()
    for n, number in enumerate(numbers):
        wrong = event(number, "delivered", minutes=6)
        corrects = {"event_id": wrong["event_id"], "declares": "did_not_occur", "reason": "wrong_item"}
        scanner.send(
            event(number, "accepted", weight_g=500 + n),
            event(number, "loaded", minutes=1, receptacle=bag),
            event(number, "sealed", minutes=2, seal={"number": "S1", "did": "applied"}),
        )
        scanner.send(
            event(number, "unloaded", minutes=3, receptacle=bag, facility="TEST-B"),
            event(number, "handed_over", minutes=4, handover={"id": f"H{number}", "side": "giver", "count": 3}),
            event(number, "wobbled", minutes=5),
        )
        scanner.send(wrong, event(number, "delivered", minutes=7, corrects=corrects))
    scanner.send(event(None, "left_sorting", minutes=4, receptacle_id=bag), event(numbers[0], "held", minutes=8))


@pytest.fixture(scope="module")
def written(installation, facilities) -> Written:
    size = until(lambda: rows("SELECT size FROM custody_logstate"))[0]["size"]
    scanner = Scanner(installation)  # its enrolment is a fact in the log
    _life(scanner)
    body = {"name": "T", "kind": "office", "country": "US", "time_zone": "UTC", "coarse_place": "T", "simulated": True}
    code = f"T-{new_number()[2:11]}"
    httpx.put(f"{installation.url}/api/v1/facilities/{code}", json=body, headers=installation.headers, timeout=30)
    _life(scanner)
    sequenced()
    first = rows("SELECT max(first_index) AS at FROM custody_logbatch WHERE first_index <= %s", size)[0]["at"]
    end = rows("SELECT size FROM custody_logstate")[0]["size"]
    batches = rows("SELECT * FROM custody_logbatch WHERE first_index >= %s ORDER BY first_index", first)
    events = rows(
        "SELECT e.*, l.first_index + e.leaf AS index FROM parcels_scan_event e JOIN custody_logbatch l "
        "ON l.batch = e.batch WHERE l.first_index >= %s ORDER BY index",
        first,
    )
    assert len(events) >= 50
    return Written(
        first, end, events, batches, [(b["batch"], b["first_index"]) for b in batches if b["kind"] == "fact"]
    )


def found(written: Written) -> EntryDiffers:
    return difference(first=written.first, end=written.end)


def test_what_nobody_touched_holds(written: Written) -> None:
    report = verify_log(config.get(), first=written.first, end=written.end, statuses=False)
    assert report.events == len(written.events)
    assert report.entries == written.end - written.first
    assert verify_log(config.get(), statuses=True).statuses > 0


EDITS: dict[str, Any] = {
    "event_time": lambda e, other: e["event_time"] + dt.timedelta(microseconds=1),
    "step": lambda e, other: 1 if e["step"] != 1 else 13,
    "facility": lambda e, other: e["facility"] + 1,
    "source": lambda e, other: e["source"] + 1,
    "sequence": lambda e, other: e["sequence"] + 1,
    "position": lambda e, other: e["position"] + 1,
    "item_seq": lambda e, other: e["item_seq"] + 1,
    "receptacle": lambda e, other: None if e["receptacle"] else other["item"],
    "corrects": lambda e, other: None if e["corrects"] else other["event_id"],
    "event_id": lambda e, other: uuid.uuid4(),
    "item": lambda e, other: uuid.uuid4() if other["item"] == e["item"] else other["item"],
    "leaf": lambda e, other: e["leaf"] + 1,
    "batch": lambda e, other: e["batch"] + 1_000_000,
}
KEY = "item = %s AND event_time = %s AND event_id = %s"
MANY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def key(e: dict[str, Any]) -> tuple[Any, ...]:
    return e["item"], e["event_time"], e["event_id"]


@MANY
@given(data=st.data())
def test_a_changed_column_is_found_at_its_entry(written: Written, data: st.DataObject) -> None:
    one, other = data.draw(st.sampled_from(written.events)), data.draw(st.sampled_from(written.events))
    column = data.draw(st.sampled_from([*EDITS, "flags", "body"]))
    if column == "flags":
        value: Any = one["flags"] ^ data.draw(st.sampled_from([1, 2, 4, 8]))
    elif column == "body":
        body = bytearray(bytes(one["body"]))
        body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        value = bytes(body)
    else:
        value = EDITS[column](one, other)
    with undone():
        change(f"UPDATE parcels_scan_event SET {column} = %s WHERE {KEY}", value, *key(one))
        assert found(written).first == one["index"], column


def copy_of(one: dict[str, Any], **changed: Any) -> None:
    columns = {name: value for name, value in one.items() if name not in {"index", "pk"}} | changed
    change(
        f"INSERT INTO parcels_scan_event ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
        *columns.values(),
    )


@MANY
@given(data=st.data())
def test_removed_added_and_exchanged_events_are_found(written: Written, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(written.events))
    other = data.draw(st.sampled_from([e for e in written.events if e["event_id"] != one["event_id"]]))
    what = data.draw(st.sampled_from(["remove", "repeat", "append", "elsewhere", "bodies", "places", "times", "items"]))
    first = one["index"]
    with undone():
        if what == "remove":
            change(f"DELETE FROM parcels_scan_event WHERE {KEY}", *key(one))
        elif what == "repeat":
            copy_of(one, event_id=uuid.uuid4())
        elif what == "append":
            copy_of(one, event_id=uuid.uuid4(), leaf=one["leaf"] + 100)
            first = None
        elif what == "elsewhere":
            copy_of(one, event_time=one["event_time"] + SECOND, batch=one["batch"] + 1_000_000)
            first = None
        else:
            names = {"bodies": ["body"], "places": ["batch", "leaf"], "times": ["event_time"], "items": ["item"]}[what]
            if all(one[name] == other[name] for name in names):
                return
            for e, with_ in ((one, other), (other, one)):
                change(f"DELETE FROM parcels_scan_event WHERE {KEY}", *key(e))
                e["exchanged"] = {name: with_[name] for name in names}
            for e in (one, other):
                copy_of({k: v for k, v in e.items() if k != "exchanged"}, **e.pop("exchanged"))
            first = min(one["index"], other["index"])
        err = found(written)
    if first is not None:
        assert err.first == first, what


def put_commitments(one: dict[str, Any], packed: bytes) -> None:
    change(
        "UPDATE custody_batch SET commitments = %s WHERE record_time = %s AND id = %s",
        packed,
        one["record_time"],
        one["batch"],
    )


@MANY
@given(data=st.data())
def test_changed_batches_are_found(written: Written, data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(written.batches))
    there = one["record_time"], one["batch"]
    packed = bytes(
        rows("SELECT commitments FROM custody_batch WHERE record_time = %s AND id = %s", *there)[0]["commitments"]
    )
    ways = ["flip", "cut", "n", "kind", "time", "remove", "both kinds"]
    what = data.draw(st.sampled_from(ways if one["n"] == 1 else [*ways, "swap"]))
    at = data.draw(st.integers(0, len(packed) - 1))
    with undone():
        if what == "flip":
            changed = bytearray(packed)
            changed[at] ^= 1
            put_commitments(one, bytes(changed))
        elif what == "cut":
            put_commitments(one, packed[:-32])
        elif what == "swap":
            put_commitments(one, packed[32:64] + packed[:32] + packed[64:])
        elif what == "remove":
            change("DELETE FROM custody_batch WHERE record_time = %s AND id = %s", *there)
        elif what == "both kinds":
            change("UPDATE custody_batch SET kind = 'other' WHERE record_time = %s AND id = %s", *there)
            change("UPDATE custody_logbatch SET kind = 'other' WHERE batch = %s", one["batch"])
        else:
            column, value = {
                "n": ("n", one["n"] + 1),
                "kind": ("kind", "other"),
                "time": ("record_time", one["record_time"] + dt.timedelta(microseconds=1)),
            }[what]
            change(f"UPDATE custody_batch SET {column} = %s WHERE record_time = %s AND id = %s", value, *there)
        if what == "both kinds":
            difference()
        else:
            place = found(written).first
            assert place is not None, what
            assert one["first_index"] <= place < one["first_index"] + one["n"], what


@MANY
@given(data=st.data())
def test_a_changed_order_of_the_log_is_found(written: Written, data: st.DataObject) -> None:
    one, other = data.draw(st.lists(st.sampled_from(written.batches), min_size=2, max_size=2, unique_by=id))
    what = data.draw(st.sampled_from(["remove", "shift", "n", "kind", "time", "exchange", "add"]))
    with undone():
        if what == "remove":
            change("DELETE FROM custody_logbatch WHERE batch = %s", one["batch"])
        elif what == "add":
            wide = next(b for b in written.batches if b["n"] > 1)
            change(
                "INSERT INTO custody_logbatch (first_index, batch, record_time, n, kind) VALUES (%s, %s, %s, 1, %s)",
                *(wide["first_index"] + 1, 10**12, wide["record_time"], wide["kind"]),
            )
        elif what == "exchange":
            for first_index, batch in ((one["first_index"], -1), (other["first_index"], one["batch"])):
                change("UPDATE custody_logbatch SET batch = %s WHERE first_index = %s", batch, first_index)
            change("UPDATE custody_logbatch SET batch = %s WHERE first_index = %s", other["batch"], one["first_index"])
        else:
            column, value = {
                "shift": ("first_index", one["first_index"] + 1_000_000),
                "n": ("n", one["n"] + 1),
                "kind": ("kind", "other"),
                "time": ("record_time", one["record_time"] + SECOND),
            }[what]
            change(f"UPDATE custody_logbatch SET {column} = %s WHERE batch = %s", value, one["batch"])
        assert found(written).first is not None, what


@MANY
@given(data=st.data())
def test_changed_facts_are_found(written: Written, data: st.DataObject) -> None:
    batch, index = data.draw(st.sampled_from(written.facts))
    what = data.draw(st.sampled_from(["body", "kind", "salt", "time", "remove", "add"]))
    with undone():
        if what == "body":
            change(
                "UPDATE custody_fact SET body = replace(encode(body, 'escape'), ':', ': ')::bytea WHERE batch = %s",
                batch,
            )
        elif what == "kind":
            change("UPDATE custody_fact SET kind = 'other' WHERE batch = %s", batch)
        elif what == "salt":
            change("UPDATE custody_fact SET salt = set_byte(salt, 0, 255 - get_byte(salt, 0)) WHERE batch = %s", batch)
        elif what == "time":
            change("UPDATE custody_fact SET record_time = record_time + interval '1 us' WHERE batch = %s", batch)
        elif what == "remove":
            change("DELETE FROM custody_fact WHERE batch = %s", batch)
        else:
            change(
                "INSERT INTO custody_fact (batch, leaf, record_time, kind, body, salt) "
                "SELECT batch, leaf + 1, record_time, kind, body, salt FROM custody_fact WHERE batch = %s",
                batch,
            )
        assert found(written).first == index, what


@pytest.mark.parametrize(
    ("differs", "sql"),
    [
        ("number", "UPDATE parcels_itemalias SET number = 'RR000000005US' WHERE item = %s"),
        ("number", "UPDATE parcels_itemalias SET item = gen_random_uuid() WHERE item = %s"),
        ("status", "UPDATE parcels_item_status SET item_seq = item_seq + 1 WHERE item = %s"),
        ("status", "UPDATE parcels_item_status SET head = decode(repeat('ab', 32), 'hex') WHERE item = %s"),
    ],
)
def test_a_number_or_a_last_event_that_was_turned_is_found(written: Written, differs: str, sql: str) -> None:
    with undone():
        change(sql, next(e["item"] for e in written.events if e["item_seq"] > 1))
        assert found(written).differs == differs


@pytest.mark.parametrize(
    ("differs", "sql"),
    [
        ("added", "UPDATE parcels_scan_event SET batch = 4000000000000 WHERE item = %s AND item_seq = 1"),
        ("status", "DELETE FROM parcels_item_status WHERE item = %s"),
        ("status", "UPDATE parcels_item_status SET step = 30 WHERE item = %s"),
        ("secret", None),
    ],
)
def test_the_whole_check_finds_what_a_part_cannot_see(written: Written, differs: str, sql: str | None) -> None:
    item = written.events[5]["item"]
    with undone():
        if sql:
            change(sql, item)
        else:
            change("UPDATE parcels_scan_event SET item = gen_random_uuid() WHERE item = %s", item)
        assert difference(statuses=True).differs in {differs, "removed"}


def test_changed_files_and_checkpoints_are_found(installation, written: Written) -> None:
    folder = installation.home / "log"
    for name, at in (("entries", written.first), ("level0", written.end - 1)):
        with (folder / name).open("r+b") as out:  # put back below: readers of these bytes are only this test's
            out.seek(at * 32)
            before = out.read(1)
            out.seek(at * 32)
            out.write(bytes([before[0] ^ 1]))
            out.flush()
            try:
                assert found(written).first == at
            finally:
                out.seek(at * 32)
                out.write(before)
    checkpoint = folder / "checkpoint"
    before_note = checkpoint.read_bytes()
    try:
        checkpoint.write_bytes(before_note.replace(b"\n", b"\n1", 1))
        assert difference().differs == "checkpoint"
    finally:
        checkpoint.write_bytes(before_note)
