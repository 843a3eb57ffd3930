"""The scans door: positions, formats, limits, what is kept of a bad event, and a receipt that anyone can check."""

from __future__ import annotations

import hashlib
import json
import re
import uuid

import httpx
import pytest
from django.db import connections
from tests.quarantined import as_sent
from tests.scanner import event, new_number

from parcelward.base.errors import Conflict, Invalid, ParcelwardError
from parcelward.custody import notes
from parcelward.custody.errors import BadNote
from parcelward.custody.keys import parse_vkey, vkeys_in
from parcelward.doors.api import scans
from parcelward.parcels.wire import RAW_KEPT_MAX


def ndjson(scanner, *lines, end=b"\n"):
    return scanner.post(b"\n".join(lines) + end, **{"Content-Type": "application/x-ndjson"})


def line(item, **more):
    return json.dumps(event(item, "accepted", **more)).encode()


def quarantined(scanner):
    from parcelward.parcels.models import Quarantine
    from parcelward.people.models import Device

    return Quarantine.objects.filter(source=Device.objects.get(id=scanner.device_id).source_id).order_by("id")


# Formats --------------------------------------------------------------------------------------------------------------


def test_an_array_and_lines_say_the_same(scanner):
    for end in (b"", b"\n", b"\r\n"):
        said = ndjson(scanner, line(new_number()), line(new_number()), end=end).json()
        assert (said["accepted"], said["quarantined"]) == (2, [])


def test_positions_count_from_the_first_event_whatever_is_wrong(scanner):
    good = [line(new_number()) for _ in range(3)]
    said = ndjson(scanner, good[0], b"not json", good[1], b"[]", b'{"event_id": 1}', good[2]).json()
    assert said["accepted"] == 3
    assert [(q["index"], q["code"]) for q in said["quarantined"]] == [
        (1, "not_json"),
        (3, "bad_event"),
        (4, "bad_event"),
    ]


def test_a_line_is_one_object_and_what_is_refused_keeps_its_own_bytes(scanner):
    """Lines that only together are JSON: how many events there are says nothing about whose bytes are whose."""
    alone, nowhere, last = (event(new_number(), "accepted") for _ in range(3))
    nowhere["facility"] = "NOWHERE"
    two, one = b",".join(json.dumps(e).encode() for e in (alone, nowhere)), json.dumps(last).encode()
    said = ndjson(scanner, two, one).json()
    assert (said["accepted"], [(q["index"], q["code"]) for q in said["quarantined"]]) == (1, [(0, "not_json")])
    assert as_sent(quarantined(scanner).last()) == two


def test_an_object_on_two_lines_is_two_bad_lines_also_where_another_line_has_two_objects(scanner):
    """As many events as lines, and yet none where its line is."""
    pair = b", ".join([line(new_number()), line(new_number())])
    first, rest = line(new_number(), sensors=[{"a": 1}, {"b": 2}]).split(b'{"a": 1}, ')
    said = ndjson(scanner, pair, first + b'{"a": 1}', rest, line(new_number())).json()
    assert (said["accepted"], [q["index"] for q in said["quarantined"]]) == (1, [0, 1, 2])


def test_a_line_separator_inside_a_text_does_not_split_the_line(scanner):
    text = json.dumps(event(new_number(), "accepted", reason="a\u2028b\x0b"), ensure_ascii=False).encode()
    assert ndjson(scanner, text, line(new_number())).json()["accepted"] == 2


def test_rows_are_written_in_the_order_of_their_ids(scanner):
    """Two batches of the same events in opposite order would hold each other's rows, for a second."""

    def written_in_order() -> bool:
        scans_ = [event(new_number(), "accepted", facility="TEST-A") for _ in range(40)]
        receipt = scanner.send(*scans_)["receipt"]
        (batch,) = re.findall(r"^batch (\d+)$", receipt, re.MULTILINE)
        with connections["default"].cursor() as cur:
            cur.execute("SELECT item, event_id, leaf FROM parcels_scan_event WHERE batch = %s ORDER BY ctid", [batch])
            rows = cur.fetchall()
        assert len(rows) == 40
        assert [str(row[1]) for row in sorted(rows, key=lambda row: row[2])] == [one["event_id"] for one in scans_]
        return [row[:2] for row in rows] == sorted(row[:2] for row in rows)

    # A row may also go where another test's has left room, on an earlier page: then the next batch shows it.
    assert any(written_in_order() for _ in range(5))


def test_only_post_is_answered(installation):
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        answer = httpx.request(method, f"{installation.url}/api/v1/scans", timeout=30)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert answer.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("ndjson_", [True, False])
def test_parsing_gives_every_event_its_place_and_its_bytes(ndjson_):
    lines = [line("RR123456785US"), b'{"a": 1}', line("RR123456785US", reason="x")]
    body = b"\n".join(lines) if ndjson_ else b"[" + b" ,\n".join(lines) + b"]"
    good, bad = scans.parse(body, ndjson=ndjson_)
    assert [position for position, _ in good] == [0, 2]
    assert [(b.position, b.code, b.raw.strip()) for b in bad] == [(1, "bad_event", b'{"a": 1}')]


# The answer -----------------------------------------------------------------------------------------------------------


def test_the_answer_has_the_promised_shape(scanner, number):
    answer = scanner.post(
        scanner.body([event(number, "accepted"), {"event_id": "x"}, event(number, "held", minutes=1)])
    )
    said = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert re.fullmatch(r"req_[0-9a-f]{16}", answer.headers["X-Request-Id"])
    assert list(said) == ["accepted", "duplicates", "quarantined", "instructions", "receipt"]
    assert [type(said[key]) for key in said] == [int, int, list, list, str]
    assert [set(q) for q in said["quarantined"]] == [{"index", "code", "message"}]
    after = scanner.send(event(number, "left_sorting", minutes=2))
    assert [set(i) for i in after["instructions"]] == [{"item_id", "do", "reason"}]
    assert after["instructions"][0]["item_id"] == number


def test_the_receipt_is_the_logs_own_word(installation, scanner, number):
    body = scanner.body([event(number, "accepted"), event(number, "left_sorting", minutes=1), {"bad": 1}])
    receipt = scanner.post(body).json()["receipt"].encode()
    vkey = vkeys_in(httpx.get(f"{installation.url}/log/vkey", timeout=30).text)[0]
    lines = notes.open_note(receipt, [parse_vkey(vkey)]).text.splitlines()
    assert lines[0] == "test.parcelward.example/log/receipt"
    said = dict(one.split(" ", 1) for one in lines[1:])
    assert said["source"] == scanner.device_id
    assert (said["sequence"], said["count"]) == (str(scanner.sequence), "2")
    assert said["body"] == hashlib.sha256(body).hexdigest()
    assert said["promise"] == "in the log within 10 s"
    from parcelward.custody.models import Batch

    batch = Batch.objects.get(id=int(said["batch"]))
    assert hashlib.sha256(bytes(batch.commitments)).hexdigest() == said["commitments"]
    with pytest.raises(BadNote):
        notes.open_note(receipt.replace(b"count 2", b"count 3"), [parse_vkey(vkey)])


# Quarantine -----------------------------------------------------------------------------------------------------------


def test_a_bad_events_bytes_are_kept_as_they_came(scanner):
    """Byte for byte where it could not be read at all, so that nothing about it is our invention."""
    odd = b'{"event_id" :  "no",\t"step":"accepted", "extra":[1,2 , 3]}'
    body = b"[" + line(new_number()) + b" , " + odd + b"]"
    scanner.post(body)
    row = quarantined(scanner).last()
    assert as_sent(row).strip() == odd
    assert (row.position, row.sequence, row.state) == (1, scanner.sequence, "open")
    count = quarantined(scanner).count()
    scanner.post(body)
    assert quarantined(scanner).count() == count, "the same bytes are kept once"


def test_a_huge_bad_event_is_kept_in_part(scanner):
    scanner.post(b'[{"x": "' + b"a" * 200_000 + b'"}]')
    assert len(as_sent(quarantined(scanner).last())) == RAW_KEPT_MAX


def test_a_repaired_event_is_recorded_and_the_original_stays(installation, scanner, number):
    from parcelward.parcels import actions
    from parcelward.people.actions import installer

    wrong = event(number, "accepted", facility="NOWHERE")
    scanner.send(wrong)
    row = quarantined(scanner).last()
    raw = as_sent(row)
    for still_wrong in (
        "{",
        "[]",
        json.dumps(wrong),
        "[" * 5_000,
        json.dumps({**wrong, "facility": "TEST-A", "step": "\0"}),
    ):
        with pytest.raises(ParcelwardError):
            actions.resubmit(row.id, still_wrong, by=installer())
        row.refresh_from_db()
        assert row.state == "open"
    actions.resubmit(row.id, json.dumps({**wrong, "facility": "TEST-A"}), by=installer())
    row.refresh_from_db()
    assert (row.state, as_sent(row)) == ("resubmitted", raw)
    assert httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).json()["step"] == "accepted"
    with pytest.raises(Conflict):
        actions.resubmit(row.id, json.dumps({**wrong, "facility": "TEST-A"}), by=installer())


def test_a_dismissed_event_is_not_recorded_and_says_why(installation, scanner, number):
    from parcelward.parcels import actions
    from parcelward.people.actions import installer

    scanner.send(event(number, "accepted", facility="NOWHERE"))
    row = quarantined(scanner).last()
    for bad in ("", "x" * 201, "a\0b"):
        with pytest.raises(Invalid):
            actions.dismiss(row.id, bad, by=installer())
    actions.dismiss(row.id, "test scan", by=installer())
    row.refresh_from_db()
    assert (row.state, row.closing_note) == ("dismissed", "test scan")
    assert httpx.get(f"{installation.url}/api/v1/items/{number}", timeout=30).status_code == 404
    with pytest.raises(Conflict):
        actions.dismiss(row.id, "again", by=installer())


def test_who_may_not_repair_may_not(installation, scanner):
    from parcelward.parcels import actions
    from parcelward.people.errors import MayNot
    from parcelward.people.wire import Person, Role

    scanner.post(b'[{"nobody": "may"}]')
    row = quarantined(scanner).last()
    for role in (Role.DEVICE, Role.PARTNER):
        somebody = Person(uuid.uuid4(), role, 1, "x")
        with pytest.raises(MayNot):
            actions.dismiss(row.id, "x", by=somebody)
        with pytest.raises(MayNot):
            actions.resubmit(row.id, "{}", by=somebody)
    row.refresh_from_db()
    assert row.state == "open"
